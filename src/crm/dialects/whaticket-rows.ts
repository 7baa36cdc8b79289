import { cleanText } from '../../decode/read.js';
import { identitiesOfUser, mergeIdentities } from '../../identity/identities.js';
import { parseJid } from '../../identity/jid.js';
import type { Direction } from '../../model/enumerations.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { asideOfChat, asideOfContent, lidTakenForPhone } from '../chats.js';
import { lackedOf, type AsideReason, type CrmRecord, type CrmRow } from '../crm.js';
import { kindIfNoText, type ContentKind } from '../kinds.js';
import { flagIn, jsonIn, momentIn, objectAt, secondsAt, stringAt, textIn, wordIn } from '../record.js';

/**
 * A row of "Messages" of any of the Whaticket family, with what its ticket and contact say. Where the columns of a fork are absent,
 * what they would say is unknown.
 */
export function readWhaticketRow(record: CrmRecord): CrmRow {
  const id = wordIn(record, 'id') ?? '';
  const ticketId = wordIn(record, 'ticketId') ?? '';
  const hasWid = 'wid' in record;
  const hasJson = 'dataJson' in record;
  const rowId = hasJson && !hasWid ? `${id}/${ticketId}` : id;
  const connection = wordIn(record, 'whatsappId') ?? '';
  const json = jsonIn(record, 'dataJson');
  const content = contentOf(json);
  const type = wordIn(record, 'mediaType') ?? (content === null ? null : contentName(content)) ?? 'chat';
  const reason = asideOf(record, { type, content, isStub: isStub(id, ticketId, json) });
  if (reason !== null) return { kind: 'aside', rowId, connection, reason };
  const storedAt = momentIn(record, 'createdAt');
  // The CRM's own contact, not the message's key: a message under another contact must show.
  const { contact, person, chat } = contactOf(record, json);
  const direction = directionOf(record);
  const at = hasWid ? storedAt : secondsAt(json, 'messageTimestamp');
  return {
    kind: 'message',
    message: {
      rowId,
      connection,
      externalId: wordIn(record, hasWid ? 'wid' : 'id'),
      contact,
      person,
      direction,
      at,
      lacks: lackedOf({ direction, ...(hasWid || hasData(record) ? { timestamp: at } : {}) }),
      storedAt,
      type,
      kinds: kindsOf(wordIn(record, 'mediaType'), content),
      body: flagIn(record, 'isDeleted') ? undefined : textOf(record, type, content),
      aside: flagIn(record, 'isGroup') ? 'group' : asideOfChat(chat),
    },
  };
}

/**
 * Whether the message's own data are there. ticketz stores them since a version, and no other time of WhatsApp's; the forks with
 * `wid` show the row's: what the data say beside it shows nobody that the row is wrong.
 */
function hasData(record: CrmRecord): boolean {
  return wordIn(record, 'dataJson') !== null;
}

function directionOf(record: CrmRecord): Direction | null {
  if (record.fromMe === undefined || record.fromMe === null || record.fromMe === '') return null;
  return flagIn(record, 'fromMe') ? 'OUTBOUND' : 'INBOUND';
}

function asideOf(
  record: CrmRecord,
  { type, content, isStub }: { type: string; content: JsonObject | null; isStub: boolean },
): AsideReason | null {
  if (isStub) return 'quoted_stub';
  // Notes and transfers have a made-up id.
  if (flagIn(record, 'isPrivate') || wordIn(record, 'wid')?.startsWith('PVT') === true) return 'private_note';
  // Facebook and Instagram have their ids in the same columns.
  const channel = wordIn(record, 'channel') ?? 'whatsapp';
  const ticketChannel = wordIn(record, 'ticketChannel') ?? 'whatsapp';
  if (!channel.startsWith('whatsapp') || !ticketChannel.startsWith('whatsapp')) return 'other_channel';
  if (type === 'call_log') return 'call';
  if (type === 'event') return 'activity';
  return asideOfContent(type) ?? (content === null ? null : asideOfContent(contentName(content) ?? ''));
}

/**
 * A copy of a message quoted by a reply, stored because the message itself is missing: WhatsApp's id and the ticket's.
 */
function isStub(id: string, ticketId: string, json: JsonObject | null): boolean {
  return ticketId !== '' && id.endsWith(`-${ticketId}`) && objectAt(json, 'key') === null;
}

interface Contact {
  contact: string;
  person: Identities;
  chat: string;
}

/** The person as the CRM knows them by its own contact; by WhatsApp's address only where an export has no contacts. */
function contactOf(record: CrmRecord, json: JsonObject | null): Contact {
  const key = objectAt(json, 'key');
  const chat = wordIn(record, 'remoteJid') ?? stringAt(key, 'remoteJid') ?? '';
  const number = wordIn(record, 'number');
  const lid = lidOf(wordIn(record, 'numberLid')) ?? lidOf(wordIn(record, 'lid'));
  if (number !== null || lid !== null) return { ...ownContact(record, { number, lid, chat }), chat };
  const contactId = wordIn(record, 'ticketContactId');
  const alternative = PHONES_BESIDE.flatMap((name) => stringAt(key, name) ?? []);
  return {
    contact: contactId === null ? chat : `contact ${contactId}`,
    person: mergeIdentities(identitiesOfUser(chat), identitiesOfUser(alternative[0])),
    chat,
  };
}

/** Where Baileys' versions put the phone beside a LID. */
const PHONES_BESIDE = ['remoteJidAlt', 'senderPn', 'sender_pn', 'peer_recipient_pn'];

/** A contact's number is a phone, a group, a LID, or the digits of a LID that were taken for a phone. */
function ownContact(
  record: CrmRecord,
  { number, lid, chat }: { number: string | null; lid: string | null; chat: string },
): Pick<Contact, 'contact' | 'person'> {
  const identities = identitiesOfUser(lid ?? undefined);
  if (number === null) return { contact: lid ?? '', person: identities };
  if (flagIn(record, 'isGroup')) {
    const jid = number.includes('@') ? number : `${number}@g.us`;
    return { contact: jid, person: identitiesOfUser(jid) };
  }
  const asLid = `${number}@lid`;
  if (asLid === lid) return { contact: asLid, person: identities };
  const isTakenForPhone = lidTakenForPhone(number) !== undefined || parseJid(chat).jid === asLid;
  if (isTakenForPhone) return { contact: asLid, person: identities };
  return { contact: number, person: mergeIdentities(identitiesOfUser(number), identities) };
}

function lidOf(lid: string | null): string | null {
  return lid === null || lid.includes('@') ? lid : `${lid}@lid`;
}

/** The content of WhatsApp Web's message, without an envelope. */
function contentOf(json: JsonObject | null): JsonObject | null {
  const message = objectAt(json, 'message');
  return objectAt(objectAt(message, 'ephemeralMessage'), 'message') ?? message;
}

/** Fields that stand beside a content. */
const BESIDE = new Set(['messageContextInfo', 'senderKeyDistributionMessage']);

function contentName(content: JsonObject): string | null {
  const names = Object.keys(content);
  const name = names.find((known) => !BESIDE.has(known)) ?? names[0];
  return name === undefined ? null : cleanText(name);
}

/** The type is half of a file's MIME type, also of `text/plain`. */
function kindsOf(mediaType: string | null, content: JsonObject | null): ContentKind[] {
  const words = [mediaType, content === null ? null : contentName(content)];
  return words.flatMap((word) => (word === null ? [] : kindIfNoText(word)));
}

const TEXTS = new Set(['chat', 'conversation', 'extendedTextMessage']);

/** Only of texts: a file's body may be its name or a transcription, a place's is a picture. */
function textOf(record: CrmRecord, type: string, content: JsonObject | null): string | null | undefined {
  const isText = TEXTS.has(type) && (content === null || TEXTS.has(contentName(content) ?? ''));
  return isText ? textIn(record, 'body') : undefined;
}
