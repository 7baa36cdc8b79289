import type { JsonObject, JsonValue } from '../model/json.js';
import { textOf } from './read.js';

/** No id of WhatsApp is near this long; longer ones would not fit a unique index, and fail a whole batch. */
const LONGEST_ID = 512;

/** An id as text, clean; undefined when there is none, or none that can be one (rule M7). */
export function externalIdOf(value: JsonValue | undefined): string | undefined {
  const id = textOf(value);
  return id === undefined || id.length > LONGEST_ID ? undefined : id;
}

/**
 * The id by which an object names a message. Gupshup (v3) hands Meta's bodies on with an id of its own in `id`, and Meta's in
 * `meta_msg_id`: statuses and replies would else name messages that nobody has.
 */
export function messageIdOf(object: JsonObject): string | undefined {
  return externalIdOf(object.meta_msg_id) ?? externalIdOf(object.id);
}
