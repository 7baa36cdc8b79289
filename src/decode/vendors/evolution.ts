import type { JsonObject, JsonValue } from '../../model/json.js';
import type { EventKind } from '../baileys/events.js';
import { pathOfKey } from '../item-at.js';
import { asObject, asString } from '../read.js';

/** What Evolution API adds to Baileys' events, from its version 1.7 on. */
export const EVOLUTION_EVENTS: readonly [string, EventKind][] = [
  // What was sent through its API.
  ['send.message', 'upsert'],
  ['send.message.update', 'edited'],
  // Edits, and also every other protocol message: revokes, timers, keys.
  ['messages.edited', 'edited'],
  ['application.startup', 'rowless'],
  ['chama-ai.action', 'rowless'],
  ['error', 'rowless'],
  ['group.update', 'rowless'],
  ['instance.create', 'rowless'],
  ['instance.delete', 'rowless'],
  ['logout.instance', 'rowless'],
  ['new.jwt', 'rowless'],
  ['new.jwt.token', 'rowless'],
  ['qrcode.updated', 'rowless'],
  ['remove.instance', 'rowless'],
  ['status.instance', 'rowless'],
  ['typebot.change-status', 'rowless'],
  ['typebot.start', 'rowless'],
];

/** proto.Message.ProtocolMessage.Type */
const MESSAGE_EDIT = 14;

/**
 * The protocol message of one element of `messages.edited` or `send.message.update`. Evolution API sends the protocol message
 * itself; programs that imitate it send the message around it, or put the new content under `update` or one level deeper, and
 * leave the type out. undefined when there is neither a new content nor a type.
 */
export function protocolMessageOf(element: JsonObject): JsonObject | undefined {
  const inside = asObject(element.message) ?? {};
  const whole =
    asObject(inside.protocolMessage) ?? asObject(messageIn(inside.editedMessage)?.protocolMessage);
  if (whole !== undefined) return whole;
  const said = asObject(element.editedMessage) ?? asObject(asObject(element.update)?.editedMessage);
  if (said === undefined) return hasType(element) ? element : undefined;
  const editedMessage = onlyMessage(said) ?? said;
  return { ...element, editedMessage, type: hasType(element) ? (element.type ?? null) : MESSAGE_EDIT };
}

function messageIn(value: JsonValue | undefined): JsonObject | undefined {
  return asObject(asObject(value)?.message);
}

function hasType(element: JsonObject): boolean {
  return element.type !== undefined && element.type !== null;
}

/** `{message: {…}}` around a content, as `editedMessage` has it in a whole message. */
function onlyMessage(said: JsonObject): JsonObject | undefined {
  return Object.keys(said).length === 1 ? asObject(said.message) : undefined;
}

/** The key of a message that `messages.delete` names: alone, in the row of the message, or spread over it (version 1). */
export function deletedKeyOf(element: JsonObject): JsonObject {
  return asObject(element.key) ?? element;
}

/**
 * Where the data of an event lie that was too large for its queue. Without the query, which is a signature that opens the
 * file: what is shown in reports must not be a key.
 */
export function fileOfPointer(wrapper: JsonObject, data: JsonValue): FilePointer | undefined {
  if (wrapper.dataType !== 's3') return undefined;
  if (typeof data === 'string') return pointerTo(data, '');
  const object = asObject(data) ?? {};
  const found = asString(object.fileUrl);
  if (found !== undefined) return pointerTo(found, '.fileUrl');
  // Under whatever name, but of nothing that has data beside it.
  const members = Object.entries(object);
  if (members.some(([, value]) => typeof value === 'object' && value !== null)) return undefined;
  const [key, url] = members.find(([, value]) => isUrl(value)) ?? [];
  return key === undefined || typeof url !== 'string' ? undefined : pointerTo(url, pathOfKey(key));
}

/** A file's address, and where in the data it stands. */
export interface FilePointer {
  url: string;
  path: string;
}

function pointerTo(url: string, path: string): FilePointer {
  return { url: url.replace(/[?#].*$/s, ''), path };
}

function isUrl(value: JsonValue): boolean {
  return typeof value === 'string' && /^(?:https?|s3):\/\//i.test(value);
}
