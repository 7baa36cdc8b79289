import type { JsonObject, JsonValue } from '../../model/json.js';
import { parseJson } from '../parse-json.js';
import { asArray, asObject, asString, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';

/** One named event of Baileys inside an entry. */
export interface BaileysPart {
  name: string;
  kind: EventKind;
  data: JsonValue;
  /** Path of the data below the recognised value: ``, `.data`, `["messages.upsert"]`. */
  path: string;
}

/** A recognised entry: one event, or the map of events that `ev.process` hands out. */
export interface BaileysEvent {
  parts: readonly BaileysPart[];
  /** The session or instance that the wrapper names. */
  sessionName?: string;
  /** When the wrapper says that the event came, ms since 1970. */
  receivedAt?: number;
}

/** Keys that only Meta's bodies have at this level; any of them excludes Baileys. */
const META_KEYS = ['object', 'entry', 'field', 'value', 'changes', 'messaging_product', 'metadata'];
/** The same below `data`, without the words that Baileys' own events use (`settings.update` has a `value`). */
const META_KEYS_INSIDE = ['entry', 'field', 'changes', 'messaging_product'];

/** Baileys writes `notify` and `append`; its predecessors also `last` and `prepend`. */
const UPSERT_TYPES: ReadonlySet<JsonValue> = new Set(['notify', 'append', 'last', 'prepend']);

/**
 * Whether `value` is something that a program around Baileys stored, by its shape alone: `{event, data, sessionId?, ts?}`
 * (Evolution API: `{event, instance, data}`), a map of events by name, or the bare payload of `messaging-history.set`,
 * `messages.upsert` or `lid-mapping.update`. undefined for anything else, and for every body of Meta. Never throws.
 *
 * Not read: Evolution's `date_time`, which is local time written as if it were UTC.
 */
export function recogniseBaileys(value: JsonValue): BaileysEvent | undefined {
  const object = asObject(value);
  if (object === undefined || hasAny(object, META_KEYS)) return undefined;
  return recogniseWrapper(object) ?? recognisePayload(object) ?? recogniseEventMap(object);
}

function hasAny(object: JsonObject, keys: readonly string[]): boolean {
  return keys.some((key) => Object.hasOwn(object, key));
}

function recogniseWrapper(object: JsonObject): BaileysEvent | undefined {
  const written = asString(object.event);
  if (written === undefined || object.data === undefined) return undefined;
  const data = parsedData(object.data);
  const inner = asObject(data);
  if (inner !== undefined && hasAny(inner, META_KEYS_INSIDE)) return undefined;
  const { name, kind } = eventOf(written);
  const sessionName = sessionOf(object);
  // Many programs write `event`, `data` and `call`: such an event is Baileys' only if it names a session.
  if ((kind === 'unknown' || !name.includes('.')) && sessionName === undefined) return undefined;
  return {
    parts: [{ name, kind, data, path: '.data' }],
    sessionName,
    receivedAt: parseTimestamp(object.ts) ?? parseTimestamp(object.timestamp),
  };
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

function recognisePayload(object: JsonObject): BaileysEvent | undefined {
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
function recogniseEventMap(object: JsonObject): BaileysEvent | undefined {
  const parts: BaileysPart[] = [];
  for (const [key, data] of Object.entries(object)) {
    const { name, kind } = eventOf(key);
    if (kind === 'unknown' || typeof data !== 'object' || data === null) return undefined;
    parts.push({ name, kind, data, path: `[${JSON.stringify(key)}]` });
  }
  return parts.some((part) => part.name.includes('.')) ? { parts } : undefined;
}

/**
 * What an event of Baileys holds, by how it becomes rows.
 * - history: the history that WhatsApp sends when a device is linked, or a page that was requested.
 * - append: stored messages sent again (`messages.set`): history, but not the first sync.
 * - upsert: live messages; those of type `append` came while the socket was away.
 * - status, reaction: changes of messages, outside the message stream.
 * - rowless: known, counted, makes no row (H3).
 */
export type EventKind =
  | 'history'
  | 'append'
  | 'upsert'
  | 'contacts'
  | 'chats'
  | 'lid_mapping'
  | 'status'
  | 'reaction'
  | 'rowless'
  | 'unknown';

const KIND_OF_EVENT: ReadonlyMap<string, EventKind> = new Map<string, EventKind>([
  ['messaging-history.set', 'history'],
  ['messages.set', 'append'],
  ['messages.upsert', 'upsert'],
  // Evolution API's own: what was sent through its API.
  ['send.message', 'upsert'],
  ['messages.update', 'status'],
  ['messages.reaction', 'reaction'],
  ['contacts.set', 'contacts'],
  ['contacts.upsert', 'contacts'],
  ['contacts.update', 'contacts'],
  ['chats.set', 'chats'],
  ['chats.upsert', 'chats'],
  ['lid-mapping.update', 'lid_mapping'],
  ['chats.phoneNumberShare', 'lid_mapping'],
  ...rowless([
    'blocklist.set',
    'blocklist.update',
    'call',
    'chats.delete',
    'chats.lock',
    'chats.update',
    'connection.update',
    'creds.update',
    'group.join-request',
    'group.member-tag.update',
    'group-participants.update',
    'groups.update',
    'groups.upsert',
    'labels.association',
    'labels.edit',
    'message-receipt.update',
    'messages.media-update',
    'messaging-history.status',
    'newsletter-participants.update',
    'newsletter-settings.update',
    'newsletter.reaction',
    'newsletter.view',
    'presence.update',
    'settings.update',
    // Evolution API's own.
    'application.startup',
    'group.update',
    'instance.create',
    'instance.delete',
    'logout.instance',
    'qrcode.updated',
    'remove.instance',
    'status.instance',
  ]),
]);

function rowless(names: readonly string[]): [string, EventKind][] {
  return names.map((name) => [name, 'rowless']);
}

/** Evolution API writes `MESSAGES_UPSERT` on its queues and sockets for what its webhooks call `messages.upsert`. */
const NAME_OF_CONSTANT: ReadonlyMap<string, string> = new Map(
  [...KIND_OF_EVENT.keys()].map((name) => [name.toUpperCase().replace(/[.-]/g, '_'), name]),
);

/** Baileys' own spelling of an event's name; an unknown name comes back as it is, with the kind `unknown`. */
function eventOf(written: string): { name: string; kind: EventKind } {
  const name = NAME_OF_CONSTANT.get(written) ?? written;
  return { name, kind: KIND_OF_EVENT.get(name) ?? 'unknown' };
}
