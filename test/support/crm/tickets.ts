import type { Random } from '../../bench/random.js';
import { continueSequence, insertRows, type Sql } from './database.js';
import { WEB, type Day, type DayMessage } from './day.js';
import { toTime } from './ids.js';

/** The row of WhatsApp Web's number in "Whatsapps". */
export const WHATSAPP_ID = 9;
export const COMPANY_ID = 1;

export interface Contact {
  id: number;
  name: string;
  number: string;
  isGroup: boolean;
  /** What the number stands for: a JID. */
  jid: string;
}

/** A ticket, and the messages that its own columns tell of. */
export interface Ticket {
  id: number;
  contact: Contact;
  isClosed: boolean;
  times: number[];
  lastMessage: string;
}

/**
 * Who wrote, and in which ticket: the first one of a contact is closed at noon, and what comes later opens another one. The
 * family's CRMs agree in that.
 */
export class TicketBook {
  readonly #contacts = new Map<string, Contact>();
  readonly #tickets = new Map<string, Ticket>();
  readonly #day: Day;
  readonly #noon: number;

  constructor(day: Day) {
    this.#day = day;
    const times = day.messages.map(({ at }) => at);
    this.#noon = times[Math.floor(times.length * 0.7)] ?? 0;
  }

  /** `lid`: how the number of a contact is written that is known by a LID alone. */
  contactOf(message: DayMessage, lid?: string): Contact {
    const { person, group } = message;
    if (group) {
      const jid = this.#day.groupJid;
      return this.#contact({ name: 'Família', number: jid.replace('@g.us', ''), isGroup: true, jid });
    }
    if (lid !== undefined) {
      const jid = `${person.lid?.digits ?? ''}@lid`;
      return this.#contact({ name: person.name, number: lid, isGroup: false, jid });
    }
    const jid = `${person.phone}@s.whatsapp.net`;
    return this.#contact({ name: person.name, number: person.crmPhone, isGroup: false, jid });
  }

  #contact(fields: Omit<Contact, 'id'>): Contact {
    const known = this.#contacts.get(fields.number);
    if (known !== undefined) return known;
    const contact = { id: 41 + this.#contacts.size, ...fields };
    this.#contacts.set(fields.number, contact);
    return contact;
  }

  /** The ticket in which a message of the contact is written; `second`: the one that is open beside it. */
  ticketOf(contact: Contact, at: number, second = false): Ticket {
    const isClosed = at < this.#noon && !second;
    const key = `${contact.id} ${isClosed ? 'closed' : second ? 'second' : 'open'}`;
    const known = this.#tickets.get(key);
    if (known !== undefined) return known;
    const ticket: Ticket = { id: 9 + this.#tickets.size, contact, isClosed, times: [], lastMessage: '' };
    this.#tickets.set(key, ticket);
    return ticket;
  }

  get contacts(): Contact[] {
    return [...this.#contacts.values()];
  }

  get tickets(): Ticket[] {
    return [...this.#tickets.values()];
  }
}

/** Writes the connection, the contacts and the tickets; `company` names the company where the CRM has some. */
export async function insertTickets(
  sql: Sql,
  book: TicketBook,
  random: Random,
  company: { companyId: number } | undefined,
): Promise<void> {
  const times = { createdAt: '2025-08-01T00:00:00Z', updatedAt: '2025-08-01T00:00:00Z' };
  if (company !== undefined) {
    await insertRows(sql, 'Companies', [{ id: company.companyId, name: 'Loja', ...times }]);
  }
  await insertRows(sql, 'Whatsapps', [
    { id: WHATSAPP_ID, name: WEB.name, status: 'CONNECTED', session: '{}', ...company, ...times },
  ]);
  await insertRows(
    sql,
    'Contacts',
    book.contacts.map(({ id, name, number, isGroup }) => ({
      id,
      name,
      number,
      isGroup,
      ...company,
      ...times,
    })),
  );
  await insertRows(
    sql,
    'Tickets',
    book.tickets.map((ticket) => ({
      id: ticket.id,
      status: ticket.isClosed ? 'closed' : random.chance(0.5) ? 'open' : 'pending',
      lastMessage: ticket.lastMessage,
      contactId: ticket.contact.id,
      whatsappId: WHATSAPP_ID,
      isGroup: ticket.contact.isGroup,
      unreadMessages: ticket.isClosed ? 0 : random.between(0, 4),
      createdAt: toTime(Math.min(...ticket.times)),
      updatedAt: toTime(Math.max(...ticket.times)),
      ...company,
    })),
  );
  for (const table of ['Whatsapps', 'Contacts', 'Tickets']) await continueSequence(sql, table);
}
