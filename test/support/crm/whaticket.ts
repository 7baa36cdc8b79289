import { createRandom } from '../../bench/random.js';
import { insertRows, type Sql } from './database.js';
import type { Day, DayMessage } from './day.js';
import { cardOf } from './day-webhooks.js';
import { Ledger, type Expectation, type ExpectedMessage, type FillOptions } from './expectation.js';
import { toTime } from './ids.js';
import { createSplitter } from './lid-split.js';
import { createWhaticket } from './schemas/whaticket.js';
import { insertTickets, TicketBook } from './tickets.js';

/** Creates the tables of whaticket-community and writes what it holds of the day: it serves WhatsApp Web's number alone. */
export async function fillWhaticket(sql: Sql, day: Day, options: FillOptions): Promise<Expectation> {
  await createWhaticket(sql);
  const { bugs } = options;
  const random = createRandom(options.seed);
  const ledger = new Ledger();
  const book = new TicketBook(day);
  const splitOf = createSplitter({ ...options, random, ledger });
  const rows: object[] = [];
  const stored = new Set<string>();
  const web = day.messages.filter(({ connection }) => connection === 'web');

  for (const message of web) {
    // Its library tells of reactions by events of their own.
    if (message.type === 'reaction') continue;
    if (bugs.has('random_loss') && message.via !== 'unlogged' && random.chance(0.06)) {
      ledger.dropped(message, 'random_loss');
      continue;
    }
    const { lid } = splitOf(message);
    // The digits of a LID are taken for a phone.
    const contact = book.contactOf(message, lid);
    const ticket = book.ticketOf(contact, message.at);
    const insertedAt = message.at + random.between(0, 3);
    ticket.times.push(insertedAt);
    ticket.lastMessage = message.body ?? '';
    const quoted = message.about?.keyId;
    rows.push({
      id: message.keyId,
      ticketId: ticket.id,
      contactId: message.direction === 'in' ? contact.id : null,
      body: bodyOf(message),
      ack: message.direction === 'in' ? 0 : 3,
      read: message.direction === 'out',
      fromMe: message.direction === 'out',
      mediaType: MEDIA_TYPES[message.type],
      mediaUrl: ['image', 'audio', 'document', 'sticker'].includes(message.type)
        ? `${message.number}.bin`
        : null,
      isDeleted: message.revoke !== undefined,
      quotedMsgId: quoted !== undefined && stored.has(quoted) ? quoted : null,
      createdAt: toTime(insertedAt),
      updatedAt: toTime(insertedAt),
    });
    stored.add(message.keyId);
    ledger.stored(message, message.keyId, {
      ...oddityOf(message),
      ...(lid === undefined ? {} : { class: 'other_contact', cause: 'lid_split' }),
    });
  }

  await insertTickets(sql, book, random, undefined);
  await insertRows(sql, 'Messages', rows);
  return ledger.close(web, () => false);
}

function oddityOf(message: DayMessage): Partial<Omit<ExpectedMessage, 'row'>> {
  if (message.edit !== undefined) return { cause: 'edit_not_kept' };
  return message.revoke === undefined ? {} : { cause: 'revoked_words_kept' };
}

/** How it words what is no text: a place is a picture, a link and a text; a file without a caption is its name. */
function bodyOf(message: DayMessage): string {
  switch (message.type) {
    case 'text':
      return message.body ?? '';
    case 'location':
      return `data:image/png;base64,iVBORw0KGgo=|https://maps.google.com/maps?q=-23.55,-46.63&z=17|${message.body ?? ''}`;
    case 'contacts':
      return `BEGIN:VCARD\nVERSION:3.0\nFN:${cardOf(message).name}\nEND:VCARD`;
    case 'image':
    case 'audio':
    case 'document':
    case 'sticker':
    case 'reaction':
      return message.body ?? `${message.number}.bin`;
  }
}

const MEDIA_TYPES = {
  text: 'chat',
  image: 'image',
  audio: 'audio',
  document: 'application',
  sticker: 'image',
  location: 'location',
  contacts: 'vcard',
  reaction: null,
} as const;
