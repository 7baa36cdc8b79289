import type { JsonObject } from '../../model/json.js';
import { isKnownField } from '../meta/decode-change.js';
import { asObject } from '../read.js';

/** A value's lists, and the field that each comes under; the first that is present decides. */
const FIELD_OF_LIST = [
  ['history', 'history'],
  ['state_sync', 'smb_app_state_sync'],
  ['message_echoes', 'smb_message_echoes'],
  ['standby', 'standby'],
  ['user_id_update', 'user_id_update'],
  ['messages', 'messages'],
  ['statuses', 'messages'],
  ['user_preferences', 'user_preferences'],
  ['calls', 'calls'],
  ['errors', 'messages'],
] as const;

/**
 * Whether `object` is a change's value that stands alone (Meta documents a declined history so; n8n's trigger and 360dialog
 * hand values on): by the product or the business number that it names, as `messages` alone is everybody's word.
 */
export function isBareValue(object: JsonObject): boolean {
  if (object.messaging_product === 'whatsapp') return true;
  const metadata = asObject(object.metadata);
  const named = metadata?.phone_number_id !== undefined || metadata?.display_phone_number !== undefined;
  return (named || knownFieldOf(object) !== undefined) && fieldOfValue(object) !== undefined;
}

/** The field that a change without one must have come under, by what it carries. */
export function fieldOfValue(value: JsonObject): string | undefined {
  for (const [list, field] of FIELD_OF_LIST) {
    const content = value[list];
    if (typeof content === 'object' && content !== null) return field;
  }
  return undefined;
}

/** `field` where it names one of Meta's fields; Meta's own examples put it inside the value now and then. */
export function knownFieldOf(object: JsonObject): string | undefined {
  return typeof object.field === 'string' && isKnownField(object.field) ? object.field : undefined;
}
