import type { ConnectionHint, Fact, HistoryChunkFact, Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import type { DecodeOptions } from '../options.js';
import { asArray, asObject, asString, cleanText, excerptOf } from '../read.js';
import { decodeMessage, type Batch } from './decode-message.js';
import {
  decodeDeleted,
  decodeEdited,
  decodeReactionEvent,
  decodeReceipt,
  decodeUpdate,
  type Change,
} from './decode-updates.js';
import { isOftenEmpty } from './events.js';
import {
  learnFromLists,
  learnFromMapping,
  learnFromMappings,
  pathOfElement,
  People,
  type ListName,
  type Lists,
} from './people.js';
import { addListedNames, PushNames } from './names.js';
import { enumOf, integerOf } from './proto-values.js';
import type { BaileysEvent, BaileysPart } from './recognize.js';

export { recognizeBaileys, type BaileysEvent } from './recognize.js';

/** proto.HistorySync.HistorySyncType */
const SYNC_TYPES = {
  INITIAL_BOOTSTRAP: 0,
  INITIAL_STATUS_V3: 1,
  FULL: 2,
  RECENT: 3,
  PUSH_NAME: 4,
  NON_BLOCKING_DATA: 5,
  ON_DEMAND: 6,
} as const;

/** What a part must know about its entry. */
interface Context {
  options: DecodeOptions;
  /** JSON path of the part's data. */
  path: string;
  /** When the event came: from its wrapper, which does not depend on where the entry is stored; else from the log. */
  receivedAt: number | undefined;
  /** See {@link BaileysEvent}. */
  aboutReceivedAt: number | undefined;
  ownJid: string | undefined;
}

/**
 * The facts of a recognized Baileys entry, one section per event. `options.path` is the JSON path of the recognized
 * value. Never throws: unreadable parts become rejected facts or unrecognized parts.
 */
export function decodeBaileys(
  event: BaileysEvent,
  options: DecodeOptions & { path: string },
): { sections: Section[]; unrecognized: Unrecognized[]; receivedAt?: number } {
  const sections: Section[] = [];
  const unrecognized: Unrecognized[] = [];
  const connection: ConnectionHint = { sessionName: event.sessionName };
  for (const part of event.parts) {
    const path = `${options.path}${part.path}`;
    if (part.file !== undefined && part.kind !== 'rowless') {
      const reason = `in_s3:${cleanText(part.name.slice(0, 64))}`;
      unrecognized.push({ path: path + part.file.path, reason, excerpt: excerptOf(part.file.url) });
      continue;
    }
    const receivedAt = event.receivedAt ?? options.receivedAt;
    const { aboutReceivedAt, ownJid } = event;
    const facts = decodeOrCount(part, { options, path, receivedAt, aboutReceivedAt, ownJid });
    if (facts === undefined) {
      const problem = part.kind === 'unknown' ? 'unknown_event' : 'unknown_payload';
      const reason = `${problem}:${cleanText(part.name.slice(0, 64))}`;
      unrecognized.push({ path, reason, excerpt: excerptOf(part.data) });
      continue;
    }
    const eventOnly = facts.length > 0 && facts.every((fact) => fact.kind === 'event');
    sections.push({ path, field: part.name, connection, facts, eventOnly });
  }
  return { sections, unrecognized, receivedAt: event.receivedAt };
}

/** Events that are mostly noise are counted when they say nothing, whatever the form of their data. */
function decodeOrCount(part: BaileysPart, context: Context): Fact[] | undefined {
  const facts = decodePart(part, context);
  // An event without data only says that it happened.
  const isEmpty = part.kind !== 'unknown' && Object.keys(asObject(part.data) ?? { some: 1 }).length === 0;
  if ((!isOftenEmpty(part.name) && !isEmpty) || (facts !== undefined && facts.length > 0)) return facts;
  return [{ kind: 'event', path: context.path, name: part.name }];
}

/** undefined if the event is unknown, or its data have another form. */
function decodePart(part: BaileysPart, context: Context): Fact[] | undefined {
  const { data } = part;
  switch (part.kind) {
    case 'unknown':
      return undefined;
    case 'rowless':
      return [{ kind: 'event', path: context.path, name: part.name }];
    case 'history':
    case 'append':
    case 'upsert':
      return decodeMessages(part.kind, data, context);
    case 'contacts':
      return decodeDirectory('contacts', data, context);
    case 'chats':
      return decodeDirectory('chats', data, context);
    case 'lid_mapping':
      return decodeMappings(data, context);
    case 'status':
      return decodeChanges(decodeUpdate, data, context);
    case 'receipt':
      return decodeChanges(decodeReceipt, data, context);
    case 'reaction':
      return decodeChanges(decodeReactionEvent, data, context);
    case 'edited':
      return decodeChanges(decodeEdited, data, context);
    case 'deleted':
      return deletesForAll(data) ? decodeChanges(decodeDeleted, data, context) : [];
  }
}

/**
 * Baileys' own `messages.delete` (`{keys}`, or `{jid, all}` for a whole chat) means that the phone's owner removed
 * messages for themselves only. Evolution API's names one message deleted for everyone.
 */
function deletesForAll(data: JsonValue): boolean {
  const object = asObject(data);
  return object === undefined || (object.keys === undefined && object.jid === undefined);
}

function decodeMessages(
  kind: 'history' | 'append' | 'upsert',
  data: JsonValue,
  context: Context,
): Fact[] | undefined {
  const lists = listsOf('messages', data, context.path);
  if (lists === undefined) return undefined;
  const payload = asObject(data) ?? {};
  const people = new People();
  learnFromLists(people, lists);
  learnFromMappings(people, payload.lidPnMappings, `${context.path}.lidPnMappings`);
  learnFromMappings(people, payload.phoneNumberToLidMappings, `${context.path}.phoneNumberToLidMappings`);
  people.settle();

  const facts: Fact[] = [];
  const sync = kind === 'history' ? readSync(payload) : undefined;
  if (sync !== undefined && sync.isChunk) {
    facts.push(chunkFact(payload, sync.type, lists.messages.length, context.path));
  }
  for (const link of people.links()) facts.push(link);

  const pushNames = new PushNames();
  const batch: Batch = {
    people,
    include: context.options.include,
    origin: kind === 'upsert' && isLiveUpsert(payload) ? 'live' : 'history',
    isSyncInitial: sync !== undefined && !sync.onDemand,
    receivedAt: context.receivedAt,
    facts,
    noteName: (who, name, at, path) => {
      pushNames.note(who, name, at, path);
    },
  };
  let newest = 0;
  lists.messages.forEach((element, i) => {
    const at = decodeMessage(element, pathOfElement(lists, 'messages', i), batch);
    if (at !== undefined && at > newest) newest = at;
  });
  for (const fact of pushNames.facts()) facts.push(fact);
  addListedNames(facts, people, lists, {
    profile: context.receivedAt ?? 0,
    addressBook: context.receivedAt ?? newest,
  });
  return facts;
}

/** `notify` is live; any other type (`append`, …) came while the socket was away. Evolution API omits the type. */
function isLiveUpsert(payload: JsonObject): boolean {
  const type = asString(payload.type);
  return type === undefined || type === 'notify' || asObject(payload.key) !== undefined;
}

function readSync(payload: JsonObject): { type: number | undefined; onDemand: boolean; isChunk: boolean } {
  const type = enumOf(payload.syncType, SYNC_TYPES);
  // The event buffer of older versions lost the type; only an on-demand answer names a request.
  const onDemand =
    type === SYNC_TYPES.ON_DEMAND ||
    (type === undefined && asString(payload.peerDataRequestSessionId) !== undefined);
  return { type, onDemand, isChunk: !onDemand && type !== SYNC_TYPES.PUSH_NAME };
}

function chunkFact(
  payload: JsonObject,
  phase: number | undefined,
  messages: number,
  path: string,
): HistoryChunkFact {
  const chunkOrder = integerOf(payload.chunkOrder);
  return { kind: 'history_chunk', path, phase, chunkOrder, progress: integerOf(payload.progress), messages };
}

/** `contacts.*` and `chats.*`: names, and pairs of LID and phone. */
function decodeDirectory(main: 'contacts' | 'chats', data: JsonValue, context: Context): Fact[] | undefined {
  const lists = listsOf(main, data, context.path);
  if (lists === undefined) return undefined;
  const people = new People();
  learnFromLists(people, lists);
  people.settle();
  const facts: Fact[] = people.links();
  const at = context.receivedAt ?? 0;
  addListedNames(facts, people, lists, { profile: at, addressBook: at });
  return facts;
}

/** Changes of messages, outside the message stream: a list, or a single one. */
function decodeMappings(data: JsonValue, context: Context): Fact[] | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const people = new People();
  if (Array.isArray(data)) learnFromMappings(people, data, context.path);
  else learnFromMapping(people, data, context.path);
  people.settle();
  return people.links();
}

/** What changes messages, outside the message stream: a list of changes, or one. */
function decodeChanges(decode: Change, data: JsonValue, context: Context): Fact[] | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { path, receivedAt, aboutReceivedAt, ownJid } = context;
  const lists: Lists = {
    messages: Array.isArray(data) ? data : [data],
    chats: [],
    contacts: [],
    paths: { messages: path, chats: path, contacts: path },
    isSingle: !Array.isArray(data),
  };
  const people = new People();
  learnFromLists(people, lists);
  people.settle();
  const facts: Fact[] = people.links();
  const { include } = context.options;
  const batch = { people, include, receivedAt, aboutReceivedAt, own: people.parse(ownJid).jid, facts };
  lists.messages.forEach((element, i) => {
    decode(element, pathOfElement(lists, 'messages', i), batch);
  });
  return facts;
}

/**
 * The lists of an event's data: `{messages, chats, contacts}`, the main list itself (Evolution API), or one element of
 * it. `chats[].messages` repeats the newest message of `messages` and is never read. undefined if a list is not an
 * array, because its items would be lost silently.
 */
function listsOf(main: ListName, data: JsonValue, path: string): Lists | undefined {
  const paths = { messages: `${path}.messages`, chats: `${path}.chats`, contacts: `${path}.contacts` };
  const lists: Lists = { messages: [], chats: [], contacts: [], paths, isSingle: false };
  const itself = { ...paths, [main]: path };
  if (Array.isArray(data)) return { ...lists, [main]: data, paths: itself };
  const object = asObject(data);
  if (object === undefined) return undefined;
  let found = false;
  for (const name of ['messages', 'chats', 'contacts'] as const) {
    const list = object[name];
    if (list === undefined || list === null) continue;
    const array = asArray(list);
    if (array === undefined) return undefined;
    lists[name] = array;
    found = true;
  }
  if (found || object.lidPnMappings !== undefined) return lists;
  const isElement =
    main === 'messages'
      ? asObject(object.key) !== undefined
      : asString(object.id ?? object.remoteJid) !== undefined;
  return isElement ? { ...lists, [main]: [object], paths: itself, isSingle: true } : undefined;
}
