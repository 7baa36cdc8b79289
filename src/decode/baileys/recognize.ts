import type { JsonObject, JsonValue } from '../../model/json.js';
import { instantOf } from '../../model/time.js';
import { parseJson } from '../parse-json.js';
import { asArray, asObject, asString, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { fileOfPointer, type FilePointer } from '../vendors/evolution.js';
import { eventOf, type EventKind } from './events.js';

/** One named event of Baileys inside an entry. */
export interface BaileysPart {
  name: string;
  kind: EventKind;
  data: JsonValue;
  /** Path of the data below the recognized value: ``, `.data`, `["messages.upsert"]`. */
  path: string;
  /** Location of data too large for the queue (Evolution API), which the entry lacks. */
  file?: FilePointer;
}

/** A recognized entry: one event, or the map of events that `ev.process` hands out. */
export interface BaileysEvent {
  parts: readonly BaileysPart[];
  /** The session or instance that the wrapper names. */
  sessionName?: string;
  /** When the event came according to the wrapper, ms since 1970. */
  receivedAt?: number;
  /** The same by a clock that may be hours off, for items that have no time and would otherwise be rejected. */
  aboutReceivedAt?: number;
  /** The session's own address (Evolution API's `sender`). */
  ownJid?: string;
}

/** Keys that only Meta's bodies have at this level; any of them rules out Baileys. */
const META_KEYS = ['object', 'entry', 'field', 'value', 'changes', 'messaging_product', 'metadata'];
/** The same below `data`, without the words that Baileys' own events use (`settings.update` has a `value`). */
const META_KEYS_INSIDE = ['entry', 'field', 'changes', 'messaging_product'];

/** Baileys writes `notify` and `append`; its predecessors also `last` and `prepend`. */
const UPSERT_TYPES: ReadonlySet<JsonValue> = new Set(['notify', 'append', 'last', 'prepend']);

/**
 * Whether a program around Baileys stored `value`, judged by shape alone: `{event, data, sessionId?, ts?}` (Evolution
 * API: `{event, instance, data}`), a map of events by name, or the bare payload of `messaging-history.set`,
 * `messages.upsert` or `lid-mapping.update`. undefined for anything else, and for every body of Meta. Never throws.
 *
 * Evolution's `date_time` is local time labeled as UTC: good enough only for a revoke's approximate time.
 */
export function recognizeBaileys(value: JsonValue): BaileysEvent | undefined {
  const object = asObject(value);
  if (object === undefined || hasAny(object, META_KEYS)) return undefined;
  return recognizeWrapper(object) ?? recognizePayload(object) ?? recognizeEventMap(object);
}

function hasAny(object: JsonObject, keys: readonly string[]): boolean {
  return keys.some((key) => Object.hasOwn(object, key));
}

function recognizeWrapper(object: JsonObject): BaileysEvent | undefined {
  const written = asString(object.event);
  if (written === undefined || object.data === undefined) return undefined;
  const data = parsedData(object.data);
  const inner = asObject(data);
  if (inner !== undefined && hasAny(inner, META_KEYS_INSIDE)) return undefined;
  const { name, kind } = eventOf(written);
  const sessionName = sessionOf(object);
  // Many programs write `event`, `data` and `call`: such an event is Baileys' only if it names a session, or is about JIDs.
  const isNamed = sessionName !== undefined || asString(object.server_url) !== undefined;
  if (!isOwnName(name, kind, data) && !isNamed) return undefined;
  const file = fileOfPointer(object, data);
  return {
    parts: [{ name, kind, data, path: '.data', ...(file === undefined ? {} : { file }) }],
    sessionName,
    receivedAt: parseTimestamp(object.ts) ?? parseTimestamp(object.timestamp),
    aboutReceivedAt: parseTimestamp(instantOf(asString(object.date_time)?.slice(0, 64) ?? '')),
    ownJid: asString(object.sender),
  };
}

/** Whether an event is Baileys' by its name, which has a dot except for `call`, or by its data. */
function isOwnName(name: string, kind: EventKind, data: JsonValue): boolean {
  if (kind === 'unknown') return false;
  return name.includes('.') || (name === 'call' && isListOfCalls(data));
}

/** `[{chatId, from, id, status, date, offline}]`: Baileys gives every call as a list of one. */
function isListOfCalls(data: JsonValue): boolean {
  const calls = asArray(data) ?? [];
  return calls.length > 0 && calls.every(isCall);
}

function isCall(value: JsonValue): boolean {
  const call = asObject(value);
  const isFromJid = [call?.chatId, call?.from].some((jid) => asString(jid)?.includes('@') === true);
  return isFromJid && typeof call?.id === 'string' && typeof call.status === 'string';
}

/** A log with a text column holds the data as JSON within JSON. */
function parsedData(data: JsonValue): JsonValue {
  if (typeof data !== 'string') return data;
  const parsed = parseJson(data);
  return parsed.ok ? parsed.value : data;
}

function sessionOf(object: JsonObject): string | undefined {
  return (
    textOf(object.sessionId) ??
    textOf(object.instance) ??
    textOf(object.session) ??
    textOf(object.instanceName) ??
    textOf(object.sessionName)
  );
}

function recognizePayload(object: JsonObject): BaileysEvent | undefined {
  const name = nameOfPayload(object);
  return name === undefined
    ? undefined
    : { parts: [{ name, kind: eventOf(name).kind, data: object, path: '' }] };
}

function nameOfPayload(object: JsonObject): string | undefined {
  const messages = asArray(object.messages);
  const hasMessages = messages?.some(isWebMessage) ?? false;
  if (messages !== undefined && typeof object.type === 'string') {
    return UPSERT_TYPES.has(object.type) && (hasMessages || messages.length === 0)
      ? 'messages.upsert'
      : undefined;
  }
  const lists = [object.chats, object.contacts, object.lidPnMappings].filter(Array.isArray);
  const counters = hasAny(object, ['syncType', 'isLatest', 'progress', 'chunkOrder']);
  if (hasMessages && (lists.length > 0 || counters)) return 'messaging-history.set';
  const listed = lists.some((list) => list.some(namesJid));
  if (lists.length > 0 && (listed || Object.hasOwn(object, 'syncType'))) {
    return messages !== undefined || counters ? 'messaging-history.set' : undefined;
  }
  return isLidPair(object) ? 'lid-mapping.update' : undefined;
}

/** A message of WhatsApp Web is known by its key; Meta's have none. */
function isWebMessage(value: JsonValue): boolean {
  const key = asObject(asObject(value)?.key);
  return key !== undefined && typeof key.remoteJid === 'string';
}

function namesJid(value: JsonValue): boolean {
  const id = asObject(value)?.id;
  return typeof id === 'string' && id.includes('@');
}

function isLidPair(object: JsonObject): boolean {
  return (
    asString(object.lid)?.endsWith('@lid') === true &&
    asString(object.pn)?.endsWith('@s.whatsapp.net') === true
  );
}

/** `{"messages.upsert": {…}, "chats.update": […]}`: the argument of `ev.process`, which simple loggers write as it is. */
function recognizeEventMap(object: JsonObject): BaileysEvent | undefined {
  const parts: BaileysPart[] = [];
  for (const [key, data] of Object.entries(object)) {
    const { name, kind } = eventOf(key);
    if (kind === 'unknown' || typeof data !== 'object' || data === null) return undefined;
    parts.push({ name, kind, data, path: `[${JSON.stringify(key)}]` });
  }
  return parts.some(({ name, kind, data }) => isOwnName(name, kind, data)) ? { parts } : undefined;
}
