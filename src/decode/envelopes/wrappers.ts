import type { JsonObject, JsonValue } from '../../model/json.js';
import { fieldNamed } from '../meta/fields.js';
import { asObject } from '../read.js';
import { wrapperName } from './known-wrappers.js';
import { hasBracket } from './outer-values.js';
import { printFormOf } from './printed-texts.js';

/** A member of a wrapper that may hold a body. */
export interface Child {
  key: string;
  value: JsonValue;
  /** Whether programs usually put bodies under this key. */
  isUsual: boolean;
}

/**
 * Where programs usually put the body that they received, the most specific first: a row's payload, n8n's and Datafy's
 * `body`, Supabase's `record`, 360dialog's and Evolution's `data`, BotPenguin's `event`, 8x8's `eventDetails.rawEvent`,
 * CloudWatch's `logEvents[].message`, queues' `Records[].body`. A body is found under any other key, too; under these,
 * whatever is none is reported.
 */
const BODY_KEYS = [
  'payload',
  'body',
  'raw_body',
  'rawBody',
  'raw_payload',
  'rawPayload',
  'raw',
  'record',
  'data',
  'event',
  'eventDetails',
  'rawEvent',
  'logEvents',
  'Records',
  'webhook',
  'webhook_body',
  'json',
  'content',
  'request',
  'req',
  'detail',
  'message',
  'Message',
  'value',
] as const;

/** Lists of entries. */
const LIST_KEYS: ReadonlySet<string> = new Set([
  'events',
  'Messages',
  'hits',
  'items',
  'rows',
  'results',
  'result',
]);

/** Keys whose texts are a program's output, so that other words may precede the JSON. */
const PRINTED: ReadonlySet<string> = new Set(['message', 'Message', 'body', 'content']);

/** Columns in which a wrapper names the field of its body. */
const FIELD_KEYS = ['field', 'event', 'event_type', 'eventType', 'type'] as const;

const RANKS: ReadonlyMap<string, number> = new Map(BODY_KEYS.map((key, rank) => [key, rank]));

/** The members of `wrapper` that can be or hold bodies: objects, arrays, and texts; the usual keys first. */
export function childrenOf(wrapper: JsonObject): Child[] {
  const usual: Child[] = [];
  const others: Child[] = [];
  for (const key of Object.keys(wrapper)) {
    const value = wrapper[key];
    if (value === undefined || value === null || (typeof value !== 'object' && typeof value !== 'string'))
      continue;
    if (RANKS.has(key) && isUsualBody(key, value)) usual.push({ key, value, isUsual: true });
    else if (typeof value === 'object') {
      others.push({ key, value, isUsual: LIST_KEYS.has(key) && Array.isArray(value) });
    } else if (mayHold(value)) others.push({ key, value, isUsual: false });
  }
  if (usual.length > 1) usual.sort((a, b) => (RANKS.get(a.key) ?? 0) - (RANKS.get(b.key) ?? 0));
  return others.length === 0 ? usual : [...usual, ...others];
}

/** Whether a value under a usual key is an object, an array, or a text of JSON. */
function isUsualBody(key: string, value: JsonValue): boolean {
  if (typeof value !== 'string') return typeof value === 'object' && value !== null;
  return mayBeJson(value, PRINTED.has(key));
}

/** No webhook is shorter, and none is in fewer characters of an encoding that hides its brackets. */
const SHORTEST = 16;
const SHORTEST_ENCODED = 40;

/** Keys that only a message, or a row about one, has: who wrote it, to whom, in which direction. */
const OF_MESSAGE: ReadonlySet<string> = new Set(
  (
    'sender from fromMe from_me message_type contact contact_id contactId phone wa_id remoteJid ' +
    'chatId chat_id direction conversation_id author'
  ).split(' '),
);

/** Keys under which a message has what the person wrote. */
const PERSONS_TEXT: ReadonlySet<string> = new Set(['text', 'content', 'caption', 'conversation']);

/** Requests and queues have `body` and `message`, too, and `from`: there, only these keys say that it is a message. */
const OF_MESSAGE_ALONE = ['fromMe', 'from_me', 'remoteJid'];

/** Whether `object` is a message, or a row about one, in an unknown form. */
export function isMessageLike(object: JsonObject): boolean {
  for (const key in object) if (OF_MESSAGE.has(key)) return wrapperName(object) === undefined;
  return hasMessageKey(object) && wrapperName(object) === undefined;
}

/** Where the libraries for WhatsApp Web keep a message's chat and direction: Baileys, whatsapp-web.js, whatsmeow. */
const MESSAGE_KEYS = ['key', 'id', 'Info'] as const;
const OF_KEY = ['remoteJid', 'fromMe', 'IsFromMe'] as const;

/** Whether an object has its chat and direction in an object of their own, as a message of WhatsApp Web does. */
function hasMessageKey(object: JsonObject): boolean {
  return MESSAGE_KEYS.some((name) => {
    const key = asObject(object[name]);
    return key !== undefined && OF_KEY.some((each) => Object.hasOwn(key, each));
  });
}

/** Whether a person wrote the value under `key` of a message object. */
export function isPersonsText(key: string, object: JsonObject): boolean {
  if (PERSONS_TEXT.has(key) || isContent(key, object)) return true;
  return (
    (key === 'body' || key === 'message' || key === 'Message') &&
    (OF_MESSAGE_ALONE.some((each) => Object.hasOwn(object, each)) || hasMessageKey(object))
  );
}

/** Whether a member of the Cloud API's message, or of the contact beside it, has what a person sent: `"type":"button","button":{…}`. */
function isContent(key: string, object: JsonObject): boolean {
  if (key === 'profile') return Object.hasOwn(object, 'wa_id');
  const isOfCloudApi = typeof object.id === 'string' && object.id.startsWith('wamid.');
  return isOfCloudApi && (key === object.type || key === 'referral');
}

/** Whether a key is the way to a person's text in a body without levels: `entry.0.changes.0.value.messages.0.text.body`. */
export function isWayToText(key: string): boolean {
  return /[.[\]_/](?:text[.[\]_/]+body|caption|conversation)\]?$/i.test(key);
}

/** Whether a text under any key could hold a webhook in some encoding; says no quickly to ids, words and URLs. */
export function mayHold(text: string): boolean {
  if (text.length < SHORTEST) return printFormOf(text) !== undefined;
  if (hasBracket(text)) return true;
  return text.length >= SHORTEST_ENCODED && /[A-Za-z0-9+/_-]{40}|%7[Bb]|\\x7[Bb]|<Buffer /.test(text);
}

/** Whether an object is only a line of a program's output, without JSON in it. */
export function isPrintedLine(wrapper: JsonObject): boolean {
  const { message } = wrapper;
  return typeof message === 'string' && !hasBracket(message);
}

function mayBeJson(text: string, printed: boolean): boolean {
  const first = text.slice(0, 100).trimStart().charAt(0);
  if (first === '{' || first === '[' || first === '"') return true;
  return printed && text.includes('{');
}

/**
 * The field that the wrapper names. It counts only for bodies that name none, because rows are filed by their first
 * change.
 */
export function fieldNamedBy(wrapper: JsonObject): string | undefined {
  for (const key of FIELD_KEYS) {
    const name = wrapper[key];
    if (typeof name === 'string' && fieldNamed(name) !== undefined) return name;
  }
  return undefined;
}

/** Whether `wrapper` has no body but its `value`. */
export function hasOnlyValue(wrapper: JsonObject): boolean {
  return BODY_KEYS.every((key) => {
    const value = wrapper[key];
    return key === 'value' || value === undefined || !isUsualBody(key, value);
  });
}

/** A row that keeps an entry and one of its changes in two columns. */
export function splitRow(
  wrapper: JsonObject,
): { entry: JsonValue | undefined; change: JsonValue } | undefined {
  const { change } = wrapper;
  if (typeof change === 'string' ? !mayBeJson(change, false) : asObject(change) === undefined)
    return undefined;
  return change === undefined ? undefined : { entry: wrapper.entry, change };
}
