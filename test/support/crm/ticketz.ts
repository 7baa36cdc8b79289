import { createRandom } from '../../bench/random.js';
import { insertRows, type Sql } from './database.js';
import { finalBody, type Day, type DayMessage } from './day.js';
import { quoteOf, webContent, webKey } from './day-baileys.js';
import { Ledger, type Expectation, type ExpectedMessage, type FillOptions } from './expectation.js';
import { toTime } from './ids.js';
import { createSplitter } from './lid-split.js';
import { createTicketz } from './schemas/whaticket.js';
import { COMPANY_ID, insertTickets, TicketBook, type Ticket } from './tickets.js';

/**
 * Creates ticketz' tables and writes what it holds of the day: it serves WhatsApp Web's number alone. A row is called
 * `<id>/<ticketId>`.
 */
export async function fillTicketz(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createTicketz(sql);
  const { bugs } = options;
  const random = createRandom(options.seed);
  const ledger = new Ledger();
  const book = new TicketBook(day);
  const splitOf = createSplitter({ ...options, random, ledger });
  const rows: object[] = [];
  const old: object[] = [];
  const stubs = new Set<string>();
  const web = day.messages.filter(({ connection }) => connection === 'web');

  for (const message of web) {
    if (isNeverStored(message)) continue;
    if (bugs.has('random_loss') && message.via !== 'unlogged' && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    const split = splitOf(message);
    const lidJid = split.lid === undefined ? undefined : `${split.lid}@lid`;
    const contact = book.contactOf(message, lidJid);
    const ticket = book.ticketOf(contact, message.at);
    const said: Partial<Omit<ExpectedMessage, 'row'>> = {
      ...oddityOf(message),
      ...split.said,
    };
    let quotedMsgId = message.type === 'reaction' ? null : (message.about?.keyId ?? null);
    if (bugs.has('quoted_stubs') && message.about !== undefined && quotedMsgId !== null) {
      quotedMsgId = `${message.about.keyId}-${ticket.id}`;
      if (!stubs.has(quotedMsgId)) {
        stubs.add(quotedMsgId);
        rows.push(stubOf(message.about, quotedMsgId, ticket, message.at));
        ledger.noMessage(`${quotedMsgId}/${ticket.id}`, 'quoted_stub');
      }
    }
    const insertedAt = message.at + random.between(0, 3);
    const data = dataOf(day, message, lidJid);
    const write = (into: Ticket): void => {
      rows.push({ ...rowOf(message, into, insertedAt), quotedMsgId, ...data });
      into.times.push(insertedAt);
      into.lastMessage = finalBody(message) ?? '';
    };
    write(ticket);
    ledger.stored(message, `${message.keyId}/${ticket.id}`, said);
    if (message.edit !== undefined) {
      const at = toTime(message.edit.at);
      old.push({
        messageId: message.keyId,
        ticketId: ticket.id,
        body: message.body,
        createdAt: at,
        updatedAt: at,
      });
    }
    if (bugs.has('second_ticket_double') && random.chance(0.05)) {
      const second = book.ticketOf(contact, message.at, true);
      write(second);
      ledger.stored(message, `${message.keyId}/${second.id}`, {}, 'second_ticket_double');
    }
  }

  await insertTickets(sql, book, random, { companyId: COMPANY_ID });
  await insertRows(sql, 'Messages', rows);
  await insertRows(sql, 'OldMessages', old);
  await insertLidMaps(sql, day, book, ledger);
  return ledger.close(web, isNeverStored);
}

/** The business's own messages without a file are written only where they are texts. */
function isNeverStored({ direction, type }: DayMessage): boolean {
  return direction === 'out' && (type === 'location' || type === 'contacts' || type === 'reaction');
}

function oddityOf(message: DayMessage): Partial<Omit<ExpectedMessage, 'row'>> {
  if (message.revoke !== undefined) return { cause: 'revoked_words_kept' };
  return message.type === 'document' && message.body !== null ? { cause: 'caption_not_kept' } : {};
}

function rowOf(message: DayMessage, ticket: Ticket, insertedAt: number): object {
  return {
    id: message.keyId,
    ticketId: ticket.id,
    contactId: message.direction === 'in' ? ticket.contact.id : null,
    companyId: COMPANY_ID,
    body: bodyOf(message),
    ack: message.direction === 'in' ? 0 : 3,
    read: message.direction === 'out',
    fromMe: message.direction === 'out',
    channel: 'whatsapp',
    mediaType: MEDIA_TYPES[message.type],
    mediaUrl: isFile(message) ? `${message.number}.bin` : null,
    isDeleted: message.revoke !== undefined,
    isEdited: message.edit !== undefined,
    // The time of the insert; WhatsApp's is in dataJson alone.
    createdAt: toTime(insertedAt),
    updatedAt: toTime(insertedAt),
  };
}

function dataOf(
  day: Day,
  message: DayMessage,
  lidJid: string | undefined,
): { remoteJid: string; participant: string | null; dataJson: string } {
  const { remoteJidAlt, addressingMode, ...plain } = webKey(day, message);
  const key =
    lidJid === undefined ? { ...plain, remoteJidAlt, addressingMode } : { ...plain, remoteJid: lidJid };
  return {
    remoteJid: key.remoteJid,
    participant: key.participant ?? null,
    dataJson: JSON.stringify({
      key,
      messageTimestamp: message.at,
      pushName: message.person.name,
      message: webContent(message),
      status: 3,
    }),
  };
}

/** What a reply quotes, as a row of its own: its data is the content alone, without a key. */
function stubOf(quoted: DayMessage, id: string, ticket: Ticket, at: number): object {
  ticket.times.push(at);
  return {
    ...rowOf(quoted, ticket, at),
    id,
    contactId: null,
    fromMe: true,
    read: true,
    ack: 0,
    mediaType: null,
    mediaUrl: null,
    isDeleted: false,
    isEdited: false,
    quotedMsgId: null,
    remoteJid: null,
    participant: null,
    dataJson: JSON.stringify(quoteOf(quoted).quotedMessage),
  };
}

/** How ticketz words what is no text. */
function bodyOf(message: DayMessage): string {
  switch (message.type) {
    case 'text':
    case 'image':
    case 'reaction':
      return finalBody(message) ?? '';
    case 'audio':
      return 'Áudio';
    case 'sticker':
      return 'sticker';
    case 'contacts':
      return JSON.stringify({ ticketzvCard: [webContent(message).contactMessage] });
    case 'document':
    case 'location':
      return '';
  }
}

const MEDIA_TYPES = {
  text: null,
  image: 'image',
  audio: 'audio',
  document: 'document',
  sticker: 'image',
  location: 'locationMessage',
  contacts: 'contactMessage',
  reaction: 'reactionMessage',
} as const;

function isFile({ type }: DayMessage): boolean {
  return ['image', 'audio', 'document', 'sticker'].includes(type);
}

/** Who is split is split because no row here says whose the LID is. */
async function insertLidMaps(sql: Sql, day: Day, book: TicketBook, ledger: Ledger): Promise<void> {
  const rows = day.people.flatMap(({ phone, crmPhone, lid }) => {
    const contact = book.contacts.find(({ number }) => number === crmPhone);
    if (lid === undefined || contact === undefined || ledger.isSplit(phone)) return [];
    return [{ lid: `${lid.digits}@lid`, companyId: COMPANY_ID, contactId: contact.id }];
  });
  const at = '2025-09-16T12:00:00Z';
  await insertRows(
    sql,
    'WhatsappLidMaps',
    rows.map((row) => ({ ...row, createdAt: at, updatedAt: at })),
  );
}
