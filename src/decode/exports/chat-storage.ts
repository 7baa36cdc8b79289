import { identitiesOfUser } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import type { Fact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { skipped } from '../baileys/outcomes.js';
import type { DecodeOptions } from '../options.js';
import { asObject, numberOf, textOf } from '../read.js';
import { IOS_TYPES } from './chat-exporter.js';
import { factsOfRow } from './message-of-row.js';

/** Seconds between 1970 and 2001, from which Apple counts. */
const APPLE_EPOCH = 978_307_200;

/**
 * A row of ChatStorage.sqlite, WhatsApp's own database on an iPhone: `{"ios_chat_storage": "messages", "row": {…}}`, or `"chats"` for
 * the name of a chat. Its ids are whole.
 */
export function chatStorageFacts(entry: JsonObject, path: string, options: DecodeOptions): Fact[] {
  const row = asObject(entry.row) ?? {};
  if (entry.ios_chat_storage === 'chats') return chatFacts(row, `${path}.row`);
  return rowFacts(row, `${path}.row`, options);
}

/** The phone shows the address book's name or the person's own, so it counts as the weaker; it has no time. */
function chatFacts(row: JsonObject, path: string): Fact[] {
  const { kind, jid } = parseJid(textOf(row.ZCONTACTJID) ?? '');
  const name = textOf(row.ZPARTNERNAME);
  if (name === undefined || (kind !== 'user' && kind !== 'lid')) return [];
  return [{ kind: 'profile', path: `${path}.ZPARTNERNAME`, who: identitiesOfUser(jid), name, at: 0 }];
}

function rowFacts(row: JsonObject, path: string, options: DecodeOptions): Fact[] {
  const kind = IOS_TYPES.get(numberOf(row.ZMESSAGETYPE) ?? 0) ?? 'text';
  if (kind === 'system') return [skipped('message', 'system', path)];
  if (kind === 'deleted') return [skipped('message', 'stub', path)];
  const at = numberOf(row.ZMESSAGEDATE);
  const facts = factsOfRow(
    {
      key: {
        remoteJid: row.ZCONTACTJID ?? null,
        fromMe: numberOf(row.ZISFROMME) === 1,
        id: row.ZSTANZAID ?? null,
        participant: row.ZMEMBERJID ?? null,
      },
      messageTimestamp: at === undefined ? null : Math.floor(at + APPLE_EPOCH),
      message: bubbleOf(row, kind),
    },
    path,
    options,
  );
  // Of anything but a text the phone's table has a part: any other copy is preferred (M2).
  return facts.map((fact) =>
    fact.kind === 'message' && fact.grade === 'content' && fact.type !== 'text'
      ? { ...fact, grade: 'media_without_id' }
      : fact,
  );
}

const FILES: Readonly<Record<string, string>> = {
  image: 'imageMessage',
  video: 'videoMessage',
  gif: 'videoMessage',
  audio: 'audioMessage',
  document: 'documentMessage',
  sticker: 'stickerMessage',
};

/** The content as WhatsApp Web would have it, so that it is read, and merges, as WhatsApp Web's own. */
function bubbleOf(row: JsonObject, kind: string): JsonObject {
  const quoted = quotedIn(row.ZMETADATA);
  const contextInfo: JsonObject = quoted === undefined ? {} : { stanzaId: quoted };
  const title = textOf(row.ZTITLE);
  const text = textOf(row.ZTEXT);
  const file = Object.hasOwn(FILES, kind) ? FILES[kind] : undefined;
  if (file !== undefined) {
    const isDocument = kind === 'document';
    const caption = isDocument || kind === 'audio' ? undefined : (title ?? text);
    return {
      [file]: present({
        caption,
        // iOS keeps a document's name where other files have their caption.
        fileName: isDocument ? title : undefined,
        mimetype: textOf(row.ZVCARDSTRING),
        fileLength: row.ZFILESIZE,
        gifPlayback: kind === 'gif' ? true : undefined,
        contextInfo,
      }),
    };
  }
  if (kind === 'contacts') {
    const displayName = textOf(row.ZVCARDNAME) ?? title;
    return { contactMessage: present({ displayName, vcard: textOf(row.ZVCARDSTRING), contextInfo }) };
  }
  if (kind === 'location') {
    const position = { degreesLatitude: row.ZLATITUDE, degreesLongitude: row.ZLONGITUDE };
    return { locationMessage: present({ ...position, name: title, contextInfo }) };
  }
  return text === undefined ? { placeholderMessage: {} } : { extendedTextMessage: { text, contextInfo } };
}

/** The first field of the metadata of a reply is the id of the quoted message. */
function quotedIn(metadata: JsonValue | undefined): string | undefined {
  const bytes = Buffer.from(textOf(metadata) ?? '', 'base64');
  const length = bytes[1] ?? 0;
  if (bytes[0] !== 0x2a || length < 8 || length > 64 || bytes.length < 2 + length) return undefined;
  const id = bytes.toString('latin1', 2, 2 + length);
  return /^[\w-]+$/.test(id) ? id : undefined;
}

function present(fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && value !== null) kept[key] = value;
  return kept;
}
