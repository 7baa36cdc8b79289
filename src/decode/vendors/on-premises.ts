import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, asString, textOf } from '../read.js';
import { isWhatsAppId, readAsMeta } from './as-meta.js';
import type { ReadVendor } from './vendors.js';

/** What a body of the On-Premises API has at its top. */
const KEYS: ReadonlySet<string> = new Set(['contacts', 'messages', 'statuses', 'errors', 'meta']);

/**
 * `{contacts, messages}` and `{statuses}`: the On-Premises API's bodies, which Turn.io and other old providers still send. They
 * are values of Meta's field `messages` without the number that they are about, so only `--connection` can tell it. Other
 * providers have lists of messages, too: claimed is only what has nothing else beside the lists, or WhatsApp's own ids.
 */
export function recognizeOnPremises(object: JsonObject): ReadVendor | undefined {
  const single = outboundOfTurn(object);
  if (single !== undefined) {
    return (options) => readAsMeta({ messages: [single] }, { '.messages[0]': '' }, options);
  }
  const messages = asArray(object.messages);
  const statuses = asArray(object.statuses);
  if (messages === undefined && statuses === undefined) return undefined;
  const items = [...(messages ?? []), ...(statuses ?? [])];
  const isBare = Object.keys(object).every((key) => KEYS.has(key));
  if (!isBare && !items.every((item) => isWhatsAppId(asObject(item)?.id))) return undefined;
  const isOurs =
    items.length > 0 &&
    (messages ?? []).every((item) => isMessage(item, object.contacts)) &&
    (statuses ?? []).every(isStatus);
  if (!isOurs) return undefined;
  const { contacts, errors } = object;
  const value: JsonObject = {};
  for (const [key, list] of Object.entries({ contacts, messages, statuses, errors })) {
    if (list !== undefined) value[key] = list;
  }
  return (options) => readAsMeta(value, {}, options);
}

/** A message names its sender and its type; those of customers come with their contacts. */
function isMessage(item: JsonValue, contacts: JsonValue | undefined): boolean {
  const message = asObject(item);
  if (message === undefined || message.from_me !== undefined || message.chat_id !== undefined) return false;
  const isComplete =
    isNumber(message.from) &&
    asString(message.id) !== undefined &&
    textOf(message.timestamp) !== undefined &&
    asString(message.type) !== undefined;
  return isComplete && (isContacts(contacts) || asObject(message._vnd) !== undefined);
}

function isContacts(contacts: JsonValue | undefined): boolean {
  return asArray(contacts)?.some((contact) => isNumber(asObject(contact)?.wa_id)) ?? false;
}

function isStatus(item: JsonValue): boolean {
  const status = asObject(item);
  return (
    asString(status?.id) !== undefined &&
    asString(status?.status) !== undefined &&
    textOf(status?.timestamp) !== undefined &&
    (isNumber(status?.recipient_id) || isWhatsAppId(status?.id))
  );
}

function isNumber(value: JsonValue | undefined): boolean {
  return /^\+?\d{5,30}$/.test(textOf(value)?.slice(0, 64) ?? '');
}

/**
 * A message that was sent through Turn.io, as its subscription `turn` reports it: alone, with Turn.io's own data in `_vnd`, which
 * also name the customer.
 */
function outboundOfTurn(object: JsonObject): JsonObject | undefined {
  const turn = asObject(asObject(object._vnd)?.v1);
  const isMessage = asString(object.type) !== undefined && asString(object.id) !== undefined;
  if (turn === undefined || !isMessage) return undefined;
  return { ...object, to: object.to ?? asObject(turn.chat)?.owner ?? null };
}
