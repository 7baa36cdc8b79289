import type { JsonValue } from '../model/json.js';
import { textOf } from './read.js';

/** No id of WhatsApp is near this long; longer ones would not fit a unique index, and fail a whole batch. */
const LONGEST_ID = 512;

/** An id as text, clean; undefined when there is none, or none that can be one (rule M7). */
export function externalIdOf(value: JsonValue | undefined): string | undefined {
  const id = textOf(value);
  return id === undefined || id.length > LONGEST_ID ? undefined : id;
}
