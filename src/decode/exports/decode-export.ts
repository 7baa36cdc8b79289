import type { Fact, Section } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import type { DecodeOptions } from '../options.js';
import { asObject, textOf } from '../read.js';
import { messageFacts, nameFacts, platformOf } from './chat-exporter.js';
import { chatStorageFacts } from './chat-storage.js';
import { wacliFacts } from './wacli.js';

/** The content of a phone export. */
export interface DecodedExport {
  sections: Section[];
}

/** The field under which entries of WhatsApp-Chat-Exporter are counted. */
const CHAT_EXPORTER = 'whatsapp_chat_exporter';

/**
 * The facts of a message or chat that was exported from a phone, or of a whole export; undefined for anything else. All of it is
 * history: it opens no ticket.
 *
 * Large exports are stored message by message, in an envelope that names the chat:
 * `{"whatsapp_chat_exporter": {"chat": "5511…@s.whatsapp.net", "type": "android"}, "row": "12", "message": {…}}`, and
 * `"header"` instead of `"message"` for the chat itself. The databases of wacli and of iOS give one
 * entry a row: `{"wacli": "messages", "row": {…}}`.
 */
export function decodeExport(
  object: JsonObject,
  options: DecodeOptions & { path: string },
): DecodedExport | undefined {
  const envelope = asObject(object[CHAT_EXPORTER]);
  if (envelope !== undefined)
    return sectionOf(CHAT_EXPORTER, options.path, readEnvelope(object, envelope, options));
  if (isRowOf(object.ios_chat_storage, 'chats', object))
    return sectionOf('ios_chat_storage', options.path, chatStorageFacts(object, options.path, options));
  if (isRowOf(object.wacli, 'contacts', object))
    return sectionOf('wacli', options.path, wacliFacts(object, options.path, options));
  return readWholeExport(object, options);
}

function readEnvelope(
  object: JsonObject,
  envelope: JsonObject,
  options: DecodeOptions & { path: string },
): Fact[] {
  const { path } = options;
  const chat = textOf(envelope.chat) ?? '';
  const header = asObject(object.header);
  if (header !== undefined) return nameFacts(chat, header.name, `${path}.header`, options.receivedAt ?? 0);
  return messageFacts(chat, platformOf(envelope.type), object.message, `${path}.message`, options);
}

/** `{"5511…@s.whatsapp.net": {name, type, …, messages: {"12": {…}}}}` */
function readWholeExport(
  object: JsonObject,
  options: DecodeOptions & { path: string },
): DecodedExport | undefined {
  const chats = Object.entries(object);
  const facts: Fact[] = [];
  for (const [key, value] of chats) {
    const chat = asObject(value);
    const messages = asObject(chat?.messages);
    if (chat === undefined || messages === undefined || !isExported(key, chat)) return undefined;
    const path = `${options.path}[${JSON.stringify(key)}]`;
    const platform = platformOf(chat.type);
    for (const fact of nameFacts(key, chat.name, path, options.receivedAt ?? 0)) facts.push(fact);
    for (const [row, message] of Object.entries(messages)) {
      const at = `${path}.messages[${JSON.stringify(row)}]`;
      for (const fact of messageFacts(key, platform, message, at, options)) facts.push(fact);
    }
  }
  if (chats.length > 0) return sectionOf(CHAT_EXPORTER, options.path, facts);
  return undefined;
}

/** Whether an object is what decodeExport reads. */
export function isExport(object: JsonObject): boolean {
  if (asObject(object[CHAT_EXPORTER]) !== undefined) return true;
  if (isRowOf(object.wacli, 'contacts', object) || isRowOf(object.ios_chat_storage, 'chats', object))
    return true;
  let isEmpty = true;
  for (const key in object) {
    const chat = asObject(object[key]);
    if (chat === undefined || asObject(chat.messages) === undefined || !isExported(key, chat)) return false;
    isEmpty = false;
  }
  return !isEmpty;
}

/** Whether it is a row of a database: `table` is what stands under the name of the database. */
function isRowOf(table: JsonValue | undefined, people: string, { row }: JsonObject): boolean {
  return (table === 'messages' || table === people) && asObject(row) !== undefined;
}

function isExported(key: string, chat: JsonObject): boolean {
  return (
    (key.includes('@') || /^\d+$/.test(key) || key === 'ExportedChat') &&
    (chat.type === 'android' || chat.type === 'ios' || chat.type === 'exported') &&
    Object.hasOwn(chat, 'my_avatar')
  );
}

function sectionOf(field: string, path: string, facts: Fact[]): DecodedExport {
  return { sections: [{ path, field, connection: {}, facts, eventOnly: false }] };
}

/** Whether it is an export in Telegram's form (`--telegram`), which holds no ids. */
export function isTelegramExport(object: JsonObject): boolean {
  const message = asObject(Array.isArray(object.messages) ? object.messages[0] : undefined);
  return (
    message !== undefined && Object.hasOwn(message, 'date_unixtime') && Object.hasOwn(message, 'from_id')
  );
}
