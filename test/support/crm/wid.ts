import { createRandom } from '../../bench/random.js';
import { continueSequence, insertRows, type Sql } from './database.js';
import { finalBody, type Day, type DayMessage } from './day.js';
import { webContent, webKey } from './day-baileys.js';
import { Ledger, type Expectation, type ExpectedMessage, type FillOptions } from './expectation.js';
import { toTime } from './ids.js';
import { createSplitter } from './lid-split.js';
import { createWid } from './schemas/whaticket.js';
import { COMPANY_ID, insertTickets, TicketBook, type Ticket } from './tickets.js';

/** Creates the tables of a fork with `wid` and writes what it holds of the day: it serves WhatsApp Web's number alone. */
export async function fillWid(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createWid(sql);
  const { bugs } = options;
  const random = createRandom(options.seed);
  const ledger = new Ledger();
  const book = new TicketBook(day);
  const splitOf = createSplitter({ ...options, random, ledger });
  const rows: object[] = [];
  const idOf = new Map<DayMessage, number>();
  const web = day.messages.filter(({ connection }) => connection === 'web');
  const add = (row: object): number => rows.push({ id: rows.length + 1, ...row });

  for (const message of web) {
    if (isNeverStored(message)) continue;
    // Each failure of an import is caught and forgotten.
    if (bugs.has('random_loss') && message.via !== 'unlogged' && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    const split = splitOf(message);
    const lidJid = split.lid === undefined ? undefined : `${split.lid}@lid`;
    const contact = book.contactOf(message, lidJid);
    const ticket = book.ticketOf(contact, message.at);
    ticket.times.push(message.at);
    ticket.lastMessage = finalBody(message) ?? '';
    const row = {
      ...rowOf(day, message, ticket, lidJid),
      quotedMsgId: message.about === undefined ? null : (idOf.get(message.about) ?? null),
    };
    const id = add(row);
    idOf.set(message, id);
    const said: Partial<Omit<ExpectedMessage, 'row'>> = {
      ...(message.revoke === undefined ? {} : { cause: 'revoked_words_kept' }),
      ...split.said,
    };
    ledger.stored(message, String(id), said);
    if (bugs.has('doubled_redelivery') && random.chance(0.05)) {
      ledger.stored(message, String(add(row)), {}, 'doubled_redelivery');
    }
  }

  for (const ticket of book.tickets) {
    const at = Math.max(...ticket.times);
    const own = { ...rowOfTicket(ticket, at), fromMe: true, read: true, quotedMsgId: null };
    if (random.chance(0.4)) {
      const note = { ...own, wid: `PVT${random.hex(10)}`, isPrivate: true, body: 'cliente VIP' };
      ledger.noMessage(String(add(note)), 'private_note');
    }
    if (random.chance(0.2)) {
      const other = { ...own, wid: `m_${random.hex(20)}`, channel: 'facebook', body: 'Oi pelo Facebook' };
      ledger.noMessage(String(add(other)), 'other_channel');
    }
    if (!ticket.contact.isGroup && random.chance(0.2))
      ledger.withoutId(String(add({ ...own, body: 'Aguardando envio' })));
  }

  await insertTickets(sql, book, random, { companyId: COMPANY_ID });
  await insertRows(sql, 'Messages', rows);
  await continueSequence(sql, 'Messages');
  return ledger.close(web, isNeverStored);
}

/** Of the business's own messages without a file, texts and contacts are written. */
function isNeverStored({ direction, type }: DayMessage): boolean {
  return direction === 'out' && type === 'location';
}

/** All columns of a message of a ticket, without the message. */
function rowOfTicket(ticket: Ticket, at: number): object {
  return {
    wid: null,
    ticketId: ticket.id,
    contactId: null,
    companyId: COMPANY_ID,
    body: '',
    ack: 0,
    read: false,
    fromMe: false,
    channel: 'whatsapp',
    mediaType: null,
    mediaUrl: null,
    isDeleted: false,
    isEdited: false,
    isPrivate: false,
    isForwarded: false,
    remoteJid: ticket.contact.jid,
    participant: null,
    dataJson: null,
    createdAt: toTime(at),
    updatedAt: toTime(at),
  };
}

function rowOf(day: Day, message: DayMessage, ticket: Ticket, lidJid: string | undefined): object {
  const { remoteJidAlt, addressingMode, ...plain } = webKey(day, message);
  const key =
    lidJid === undefined ? { ...plain, remoteJidAlt, addressingMode } : { ...plain, remoteJid: lidJid };
  return {
    // The time is WhatsApp's.
    ...rowOfTicket(ticket, message.at),
    wid: message.keyId,
    contactId: message.direction === 'in' ? ticket.contact.id : null,
    body: bodyOf(message),
    ack: message.direction === 'in' ? 0 : 3,
    read: message.direction === 'out',
    fromMe: message.direction === 'out',
    mediaType: MEDIA_TYPES[message.type],
    mediaUrl: ['image', 'audio', 'document', 'sticker'].includes(message.type)
      ? `${message.number}.bin`
      : null,
    isDeleted: message.revoke !== undefined,
    isEdited: message.edit !== undefined,
    remoteJid: key.remoteJid,
    participant: key.participant ?? null,
    dataJson: JSON.stringify({ key, messageTimestamp: message.at, message: webContent(message) }),
  };
}

/** How these forks word what is no text. */
function bodyOf(message: DayMessage): string {
  switch (message.type) {
    case 'text':
    case 'image':
    case 'document':
    case 'reaction':
      return finalBody(message) ?? '';
    case 'audio':
      return 'Áudio';
    case 'sticker':
      return 'sticker';
    case 'contacts':
      return JSON.stringify(webContent(message).contactMessage);
    case 'location':
      return '';
  }
}

const MEDIA_TYPES = {
  text: 'conversation',
  image: 'image',
  audio: 'audio',
  document: 'document',
  sticker: 'sticker',
  location: 'locationMessage',
  contacts: 'contactMessage',
  reaction: 'reactionMessage',
} as const;
