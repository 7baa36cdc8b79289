import type { ChatSender } from '../../inputs/exports/chat-text.js';
import type { Direction } from '../../model/enumerations.js';
import { ConfigError } from '../../model/errors.js';
import { storedPhone } from '../connections/find.js';

/** Assigns the chat's senders to the two sides by name; undefined if only the texts could decide. */
export type Sides = ReadonlyMap<string, Direction>;

/** What is known of the contact and of the chat's file. */
export interface Known {
  me: string | undefined;
  /** Names and phones by which the contact is known. */
  names: readonly (string | null)[];
  phones: readonly string[];
  fileName: string;
}

/** The number that a phone puts into the file name, or shows for a sender missing from its address book. */
export function phoneInChat(senders: readonly ChatSender[], fileName: string): string | undefined {
  const inName = /\+\d[\d\s().\u00a0\u202f-]{6,24}\d/.exec(fileName)?.[0];
  if (inName !== undefined) return inName;
  const [phone, other] = senders.flatMap((sender) => sender.phone ?? []);
  return other === undefined ? phone : undefined;
}

/**
 * Both sides of a two-person chat. Throws ConfigError for a group, and for a name that does not occur in the chat;
 * undefined if neither side is known.
 */
export function sidesOf(senders: readonly ChatSender[], known: Known): Sides | undefined {
  const [one, two, third] = senders;
  if (third !== undefined) {
    throw new ConfigError(`This is the chat of a group: ${senders.length} people write in it.`, {
      code: 'chat_of_group',
      remedy: 'Export the chat with one contact.',
    });
  }
  if (one === undefined) return new Map();
  const me = known.me === undefined ? undefined : senders.find(({ name }) => isNamed(name, known.me));
  if (me !== undefined) return bySide(senders, (sender) => sender === me);
  if (known.me !== undefined && two !== undefined) {
    throw new ConfigError(`Nobody in the chat is named '${known.me}'.`, {
      code: 'unknown_sender',
      remedy: `Give --me with one of: ${senders.map(({ name }) => name).join(', ')}.`,
    });
  }
  const contacts = senders.filter((sender) => isContact(sender, known));
  const [contact, both] = contacts;
  if (contact !== undefined && both === undefined) return bySide(senders, (sender) => sender !== contact);
  // With --me given, the only other sender is the contact.
  return known.me !== undefined ? bySide(senders, () => false) : undefined;
}

/** The possible assignments of senders to the two sides. */
export function possibleSides(senders: readonly ChatSender[]): Sides[] {
  return [0, 1].map((mine) => bySide(senders, (sender) => senders.indexOf(sender) === mine));
}

export function unknownSides(senders: readonly ChatSender[]): ConfigError {
  const names = senders.map(({ name }) => name).join(', ');
  return new ConfigError(`Who in the chat is the business? The names are: ${names}.`, {
    code: 'own_side_unknown',
    remedy: 'Give --me NAME.',
  });
}

function bySide(senders: readonly ChatSender[], isMine: (sender: ChatSender) => boolean): Sides {
  return new Map(senders.map((sender) => [sender.name, isMine(sender) ? 'OUTBOUND' : 'INBOUND']));
}

function isContact(sender: ChatSender, { names, phones, fileName }: Known): boolean {
  if (sender.phone !== null) return phones.some((phone) => storedPhone(phone) === storedPhone(sender.phone));
  return names.some((name) => isNamed(sender.name, name)) || endsWithName(fileName, sender.name);
}

/** `Conversa do WhatsApp com Ana.zip` */
function endsWithName(fileName: string, name: string): boolean {
  const words = plain(fileName.replace(/(?: ?\(\d+\))?\.(?:txt|zip)$/i, ''));
  return words.endsWith(` ${plain(name)}`) || words.endsWith(`- ${plain(name)}`);
}

function isNamed(name: string, other: string | null | undefined): boolean {
  return typeof other === 'string' && plain(name) === plain(other);
}

function plain(name: string): string {
  return name
    .normalize('NFC')
    .replace(/[\s\u00a0\u202f]+/gu, ' ')
    .trim()
    .toLowerCase();
}
