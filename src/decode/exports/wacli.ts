import { identitiesOfUser } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import type { Fact, MessageFact, SkippedFact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { skipped } from '../baileys/outcomes.js';
import type { DecodeOptions } from '../options.js';
import { asArray, asObject, numberOf, textOf } from '../read.js';
import { parseJson } from '../parse-json.js';
import { parseTimestamp } from '../timestamp.js';
import { factsOfRow } from './message-of-row.js';

/**
 * A row of wacli's database, as the reader of that file writes it: `{"wacli": "messages", "row": {…}, "location": {…}, "poll": {…}}`
 * or `{"wacli": "contacts", "row": {…}}`.
 */
export function wacliFacts(entry: JsonObject, path: string, options: DecodeOptions): Fact[] {
  const row = asObject(entry.row) ?? {};
  if (entry.wacli === 'contacts') return contactFacts(row, `${path}.row`);
  return rowFacts(row, asObject(entry.location), asObject(entry.poll), `${path}.row`, options);
}

/**
 * Names only. The `phone` of a contact is the number in its JID, whatever kind that is: beside a LID it is no phone (rule I2).
 * They carry no time, so any dated name is newer.
 */
function contactFacts(row: JsonObject, path: string): Fact[] {
  const { kind, jid } = parseJid(textOf(row.jid) ?? '');
  if (kind !== 'user' && kind !== 'lid') return [];
  const who = identitiesOfUser(jid);
  const facts: Fact[] = [];
  const own = textOf(row.push_name) ?? textOf(row.business_name);
  if (own !== undefined) facts.push({ kind: 'profile', path: `${path}.push_name`, who, name: own, at: 0 });
  const listed = textOf(row.full_name) ?? textOf(row.system_name) ?? textOf(row.first_name);
  if (listed !== undefined)
    facts.push({ kind: 'profile', path: `${path}.full_name`, who, addressBookName: listed, at: 0 });
  return facts;
}

/** The text with which wacli stands in for what it does not keep. */
const NOTES = new Set(['Poll vote', 'Poll option added']);

function rowFacts(
  row: JsonObject,
  location: JsonObject | undefined,
  poll: JsonObject | undefined,
  path: string,
  options: DecodeOptions,
): Fact[] {
  const content = contentOf(row, location, poll);
  if (content.kind === 'skip') return [skipped(content.subject, content.reason, path)];
  const facts = factsOfRow(
    {
      key: {
        remoteJid: row.chat_jid ?? null,
        fromMe: numberOf(row.from_me) === 1,
        id: row.msg_id ?? null,
        participant: row.sender_jid ?? null,
      },
      messageTimestamp: row.ts ?? null,
      message: content.message,
    },
    path,
    options,
  );
  return facts.flatMap((fact) => (fact.kind === 'message' ? amended(fact, row) : [fact]));
}

/**
 * wacli overwrites a text with its edit, and keeps the text of a revoked message. The row is a copy at second hand, whose type is
 * guessed from what is left, so any other copy of the content is preferred (M2).
 */
function amended(message: MessageFact, row: JsonObject): Fact[] {
  const { path, externalId: targetExternalId, counterpart, type, body, media } = message;
  const facts: Fact[] = [];
  // The time alone says it, too.
  const editedAt =
    parseTimestamp(row.edited_ts) ?? (numberOf(row.edited) === 1 ? message.timestamp : undefined);
  if (editedAt === undefined) {
    facts.push({ ...message, grade: message.grade === 'content' ? 'media_without_id' : message.grade });
  } else {
    const editId = `${targetExternalId}:${editedAt}`;
    // What it said before is not known.
    facts.push({ ...message, grade: 'placeholder', body: undefined });
    facts.push({
      kind: 'edit',
      path: `${path}.edited_ts`,
      targetExternalId,
      editId,
      at: editedAt,
      content: { type, body, media },
      counterpart,
    });
  }
  if (numberOf(row.revoked) === 1) {
    const at = parseTimestamp(row.deleted_at) ?? message.timestamp;
    facts.push({ kind: 'revoke', path: `${path}.deleted_at`, targetExternalId, at, counterpart });
  }
  return facts;
}

type RowContent =
  | { kind: 'message'; message: JsonObject }
  | { kind: 'skip'; subject: SkippedFact['subject']; reason: 'protocol' | 'stub' };

/** The content as WhatsApp Web would have it, so that it is read, and merges, as WhatsApp Web's own. */
function contentOf(
  row: JsonObject,
  location: JsonObject | undefined,
  poll: JsonObject | undefined,
): RowContent {
  const target = textOf(row.reaction_to_id);
  if (target !== undefined) {
    const emoji = textOf(row.reaction_emoji);
    // wacli keeps neither the emoji of an encrypted reaction nor the fact that one was taken back.
    if (emoji === undefined) return { kind: 'skip', subject: 'reaction', reason: 'protocol' };
    const key = { id: target };
    return { kind: 'message', message: { reactionMessage: { key, text: emoji } } };
  }
  const text = textOf(row.text);
  if (text !== undefined && NOTES.has(text) && row.display_text === row.text)
    return { kind: 'skip', subject: 'message', reason: 'protocol' };
  const message = bubbleOf(row, text, location, poll);
  return message === undefined
    ? { kind: 'skip', subject: 'message', reason: 'stub' }
    : { kind: 'message', message };
}

const FILES: Readonly<Record<string, string>> = {
  image: 'imageMessage',
  video: 'videoMessage',
  gif: 'videoMessage',
  audio: 'audioMessage',
  document: 'documentMessage',
  sticker: 'stickerMessage',
};

/** undefined for a row that has lost its content, or never had one: deleted before wacli saw it, or purged. */
function bubbleOf(
  row: JsonObject,
  text: string | undefined,
  location: JsonObject | undefined,
  poll: JsonObject | undefined,
): JsonObject | undefined {
  const contextInfo: JsonObject = present({
    stanzaId: textOf(row.quoted_msg_id),
    isForwarded: numberOf(row.is_forwarded) === 1 ? true : undefined,
  });
  const type = textOf(row.media_type) ?? '';
  const file = Object.hasOwn(FILES, type) ? FILES[type] : undefined;
  if (file !== undefined) return { [file]: { ...fileOf(row, type), contextInfo } };
  if (location !== undefined) {
    const place = present({
      degreesLatitude: location.latitude,
      degreesLongitude: location.longitude,
      name: textOf(location.name),
      address: textOf(location.address),
    });
    const isLive = numberOf(location.is_live) === 1;
    return { [isLive ? 'liveLocationMessage' : 'locationMessage']: { ...place, contextInfo } };
  }
  if (poll !== undefined) {
    const options = parseJson(textOf(poll.options_json) ?? '[]');
    const names = options.ok ? (asArray(options.value) ?? []) : [];
    const creation = present({
      name: textOf(poll.question),
      options: names.map((optionName) => ({ optionName })),
      selectableOptionsCount: poll.selectable_count,
    });
    return { pollCreationMessage: { ...creation, contextInfo } };
  }
  return text === undefined ? undefined : { extendedTextMessage: { text, contextInfo } };
}

function fileOf(row: JsonObject, type: string): JsonObject {
  const caption = textOf(row.media_caption);
  return present({
    // Instead of the words that a voice message lacks.
    caption: caption === '[Audio]' ? undefined : caption,
    fileName: textOf(row.filename),
    mimetype: textOf(row.mime_type),
    directPath: textOf(row.direct_path),
    mediaKey: textOf(row.media_key),
    fileSha256: textOf(row.file_sha256),
    fileEncSha256: textOf(row.file_enc_sha256),
    fileLength: row.file_length,
    gifPlayback: type === 'gif' ? true : undefined,
  });
}

function present(fields: Record<string, JsonValue | undefined>): JsonObject {
  const kept: JsonObject = {};
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined && value !== null) kept[key] = value;
  return kept;
}
