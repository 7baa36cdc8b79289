import { identitiesOfUser, sameIdentities } from '../../identity/identities.js';
import type { Fact, Identities } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { decodeBaileys, type BaileysEvent } from '../baileys/decode-baileys.js';
import { eventOf } from '../baileys/events.js';
import { withoutAbsent } from '../baileys/proto-values.js';
import type { BaileysPart } from '../baileys/recognize.js';
import { asObject, asString, numberOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import type { ReadVendor } from './vendors.js';
import { contentOf } from './waha-content.js';
import { bareIdOf, keyOf, parseWahaId } from './waha-ids.js';
import { fromWhatsmeow } from './whatsmeow.js';

/** How the payload of an event is read: as a part of an event of Baileys, which says the same in its own terms. */
type Reader = (payload: JsonObject, event: WahaEvent) => Omit<BaileysPart, 'name'> & { name?: string };

interface WahaEvent {
  /** When WAHA sent it, ms since 1970: an edit and a revoke of whatsapp-web.js carry the time of their original. */
  at: number | undefined;
}

/** WAHA's events by name. */
const EVENTS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['message', readMessage],
  // The same, and own messages, too.
  ['message.any', readMessage],
  ['message.ack', readAck],
  ['message.ack.group', readAck],
  ['message.reaction', readReaction],
  ['message.edited', readEdited],
  ['message.revoked', readRevoked],
  ['engine.event', readEngineEvent],
  // A message that whatsapp-web.js cannot decrypt yet; it comes again as `message`.
  ['message.waiting', countOnly],
]);

/**
 * Families of events that make no row and are counted by their names (H3): `session.status`, `group.v2.participants`,
 * `poll.vote`, `label.chat.added`, `call.received`, `chat.archive`, `event.response`, …
 */
const COUNTED_FAMILIES = [
  'call.',
  'chat.',
  'event.',
  'group.',
  'label.',
  'poll.',
  'presence.',
  'session.',
  'state.',
];

const ENGINES: ReadonlySet<JsonValue> = new Set(['WEBJS', 'WPP', 'NOWEB', 'GOWS', 'VENOM']);

/** `{event, session, payload, engine, me, …}`: claims what names a session or an engine, or has an id of WAHA's form. */
export function recognizeWaha(object: JsonObject): ReadVendor | undefined {
  const name = asString(object.event);
  if (name === undefined) return undefined;
  const isCounted = COUNTED_FAMILIES.some((family) => name.startsWith(family));
  // The state of whatsapp-web.js is a word: `CONNECTED`.
  const isWord = isCounted && asString(object.payload) !== undefined;
  const payload = isWord ? {} : asObject(object.payload);
  if (payload === undefined) return undefined;
  // The name becomes a section's name.
  if (!/^[\w.-]{1,64}$/.test(name)) return undefined;
  const isEngine = object.engine !== undefined && ENGINES.has(object.engine);
  const reader = EVENTS.get(name) ?? (isCounted ? countOnly : undefined);
  const isNamed = asString(object.session) !== undefined || parseWahaId(payload.id) !== undefined;
  if (!isEngine && (reader === undefined || !isNamed)) return undefined;

  const at = parseTimestamp(object.timestamp);
  const part: ReturnType<Reader> = reader?.(payload, { at }) ?? { kind: 'unknown', data: payload, path: '' };
  const event: BaileysEvent = {
    parts: [{ name, ...part, path: `.payload${part.path}` }],
    sessionName: textOf(object.session),
    receivedAt: at,
  };
  const own = ownIdentities(asObject(object.me));
  return (options) => {
    const decoded = decodeBaileys(event, options);
    for (const section of decoded.sections)
      section.facts = section.facts.flatMap((fact) => withoutSelf(fact, own));
    return { provider: 'baileys', ...decoded };
  };
}

/** The session's own account, named in every webhook. */
function ownIdentities(me: JsonObject | undefined): Identities {
  const lid = identitiesOfUser(textOf(me?.lid)).lid;
  return { ...identitiesOfUser(textOf(me?.id)), ...(lid === undefined ? {} : { lid }) };
}

/** I4: notes to oneself are not a conversation, even if the connection's number is unknown. */
function withoutSelf(fact: Fact, own: Identities): Fact[] {
  if ('counterpart' in fact && sameIdentities(fact.counterpart, own)) {
    return [{ kind: 'skipped', path: fact.path, subject: fact.kind, reason: 'self_thread' }];
  }
  return fact.kind === 'profile' && sameIdentities(fact.who, own) ? [] : [fact];
}

function countOnly(payload: JsonObject): ReturnType<Reader> {
  return { kind: 'rowless', data: payload, path: '' };
}

function readMessage(payload: JsonObject): ReturnType<Reader> {
  return { kind: 'upsert', ...messageOf(payload) };
}

/** The engine's own message, which is the most detailed, if the log has it; else WAHA's version. */
function messageOf(payload: JsonObject): Pick<BaileysPart, 'data' | 'path'> {
  const own = engineMessageOf(payload);
  if (own !== undefined) return own;
  const ack = numberOf(payload.ack);
  const data = withoutAbsent({
    key: keyOf(payload),
    message: contentOf(payload) ?? null,
    messageTimestamp: payload.timestamp,
    pushName: asObject(payload._data)?.notifyName,
    status: ack === undefined ? undefined : ack + 1,
  });
  return { data, path: '' };
}

/** NOWEB's engine is Baileys, GOWS' is whatsmeow. */
function engineMessageOf(payload: JsonObject): Pick<BaileysPart, 'data' | 'path'> | undefined {
  const own = asObject(payload._data);
  if (own === undefined) return undefined;
  if (asObject(own.key) !== undefined && own.message !== undefined) return { data: own, path: '._data' };
  const data = fromWhatsmeow(own);
  return data === undefined ? undefined : { data, path: '._data' };
}

const ACK_NAMES: ReadonlyMap<string, number> = new Map([
  ['ERROR', -1],
  ['PENDING', 0],
  ['SERVER', 1],
  ['DEVICE', 2],
  ['READ', 3],
  ['PLAYED', 4],
]);

/** WAHA counts the statuses of WhatsApp Web from -1 (failed) on, Baileys from 0. */
function readAck(payload: JsonObject): ReturnType<Reader> {
  const ack = numberOf(payload.ack) ?? ACK_NAMES.get(asString(payload.ackName) ?? '');
  const status = ack === undefined ? null : ack + 1;
  return { kind: 'status', data: { key: keyOf(payload), update: { status } }, path: '' };
}

function readReaction(payload: JsonObject): ReturnType<Reader> {
  const reaction = asObject(payload.reaction) ?? {};
  const reactionMessage = withoutAbsent({
    key: withoutAbsent({ id: bareIdOf(reaction.messageId) }),
    text: reaction.text,
    senderTimestampMs: payload.timestamp,
  });
  return upsert(keyOf(payload), { reactionMessage }, payload.timestamp);
}

/** The engine's message has the edit itself, if it is not encrypted; whatsapp-web.js gives the message as it is now. */
function readEdited(payload: JsonObject, { at }: WahaEvent): ReturnType<Reader> {
  const own = engineMessageOf(payload);
  if (own !== undefined && hasProtocolMessage(own.data)) return { kind: 'upsert', ...own };
  const key = keyOf(payload);
  const id = bareIdOf(payload.editedMessageId) ?? asString(key.id);
  const message = asObject(asObject(payload._data)?.message);
  const time = parseTimestamp(asObject(message?._data)?.latestEditSenderTimestampMs) ?? at ?? null;
  // An edit that could not be decrypted has no text: it must not empty the message.
  const content =
    asString(payload.body) === undefined
      ? undefined
      : contentOf({ ...payload, _data: message?._data ?? null });
  const protocolMessage = withoutAbsent({
    key: withoutAbsent({ id }),
    type: MESSAGE_EDIT,
    editedMessage: content,
    timestampMs: time,
  });
  // Where the edit has no id of its own, two edits of one message must not be one.
  const editId = key.id === id && id !== undefined ? `${id} ${String(time)}` : (key.id ?? null);
  return upsert({ ...key, id: editId }, { protocolMessage }, payload.timestamp);
}

/** proto.Message.ProtocolMessage.Type */
const REVOKE = 0;
const MESSAGE_EDIT = 14;

function hasProtocolMessage(data: JsonValue): boolean {
  const message = asObject(asObject(data)?.message);
  return (
    asObject(
      message?.protocolMessage ?? asObject(asObject(message?.editedMessage)?.message)?.protocolMessage,
    ) !== undefined
  );
}

/** `{after, before, revokedMessageId}`: the notice, the message as it was (whatsapp-web.js only), and its id. */
function readRevoked(payload: JsonObject, { at }: WahaEvent): ReturnType<Reader> {
  const own = engineMessageOf(payload);
  if (own !== undefined && hasProtocolMessage(own.data)) return { kind: 'upsert', ...own };
  const before = asObject(payload.before);
  const notice = asObject(payload.after) ?? before ?? payload;
  const key = keyOf(notice);
  const id = bareIdOf(payload.revokedMessageId) ?? bareIdOf(before?.id) ?? asString(key.id);
  const message = { protocolMessage: { key: withoutAbsent({ id }), type: REVOKE } };
  return upsert(remoteOf(key, before), message, at ?? notice.timestamp);
}

/** The notice of some versions has no chat of its own. */
function remoteOf(key: JsonObject, before: JsonObject | undefined): JsonObject {
  return key.remoteJid === undefined && before !== undefined ? { ...keyOf(before), id: key.id ?? null } : key;
}

function upsert(key: JsonObject, message: JsonObject, time: JsonValue | undefined): ReturnType<Reader> {
  return { kind: 'upsert', data: withoutAbsent({ key, message, messageTimestamp: time }), path: '' };
}

/** `{event, data}`: what the engine said; Baileys' events are read, those of other engines counted. */
function readEngineEvent(payload: JsonObject): ReturnType<Reader> {
  const { kind, name } = eventOf(asString(payload.event) ?? '');
  if (kind === 'unknown' || kind === 'rowless' || payload.data === undefined) return countOnly(payload);
  return { kind, name, data: payload.data, path: '.data' };
}
