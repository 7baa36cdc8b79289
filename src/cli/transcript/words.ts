import type { ExportedConversation, ExportedFile, ExportedMessage } from '../../commands/export/types.js';
import { formatAmount, formatBytes } from '../ui/quantities.js';
import { errorsInWords } from '../views/delivery-errors.js';
import type { Clock } from './clock.js';

/** What is the same in every transcript that people read. None of it is made harmless yet. */

export function nameOf({ contact }: ExportedConversation): string {
  return contact.name ?? contact.phone ?? contact.leadId;
}

/** `Ana Souza, +5511900000001; on loja, +55 11 98888-0000` */
export function partiesOf(conversation: ExportedConversation): string {
  const { contact, connections } = conversation;
  const known = [nameOf(conversation), contact.name === null ? null : contact.phone];
  const numbers = connections.map(({ name, phone }) =>
    phone === null || phone === name ? name : `${name}, ${phone}`,
  );
  return `${known.filter((part) => part !== null).join(', ')}; on ${numbers.join(', ')}`;
}

export function countOf({ messages }: ExportedConversation, timeZone: string): string {
  return `${formatAmount(messages, 'message')}, times in ${timeZone}`;
}

/** Who wrote it. */
export function senderOf({ from, direction }: ExportedMessage, conversation: ExportedConversation): string {
  return from.name ?? from.number ?? (direction === 'INBOUND' ? nameOf(conversation) : 'business');
}

/** Neither side wrote it: WhatsApp itself says something. */
export function isSystem({ type }: ExportedMessage): boolean {
  return type === 'system';
}

/** What stands for content that is no text: `image photo.jpg`; null for a text. */
export function markOf(type: string, media: ExportedMessage['media'], body: string | null): string | null {
  const file = media?.['fileName'];
  if (type === 'text' && body !== null) return null;
  return typeof file === 'string' && file !== body ? `${type} ${file}` : type;
}

const STATES: Readonly<Record<ExportedFile['state'], string>> = {
  owed: 'the file was not fetched',
  fetched: 'the file is kept',
  expired: 'the file has expired at WhatsApp',
  denied: 'WhatsApp refused the file',
  mismatch: 'the file that came was another one',
};

/** The state of a file that is not beside the transcript. */
export function fileWords({ state, size, sha256 }: ExportedFile, isWanted: boolean): string {
  const words = state === 'fetched' && isWanted ? 'the kept file is gone or altered' : STATES[state];
  const facts = [size === null ? null : formatBytes(size), sha256 === null ? null : `SHA-256 ${sha256}`];
  const known = facts.filter((fact) => fact !== null);
  return known.length === 0 ? words : `${words} (${known.join(', ')})`;
}

/** What became of it: delivered, edited, revoked. */
export function notesOf(message: ExportedMessage, clock: Clock): string[] {
  const { status, errors, editedAt, deletedAt, provider, source } = message;
  const at = (instant: string): string => {
    const { day, time, offset } = clock(instant);
    return `${day}, ${time} ${offset}`;
  };
  return [
    ...(status === null ? [] : [status]),
    ...(errors === undefined ? [] : [errorsInWords(errors)]),
    ...(editedAt === undefined ? [] : [`edited ${at(editedAt)}`]),
    ...(deletedAt === undefined ? [] : [`revoked ${at(deletedAt)}`]),
    ...(source === 'live' ? [] : [source === 'history' ? 'from history' : 'sent on the phone']),
    ...(provider === undefined ? [] : [`only known from ${provider}`]),
  ];
}

/** Whose reaction. */
export function reactorOf(from: string, conversation: ExportedConversation): string {
  if (from === 'customer') return nameOf(conversation);
  return from === 'business' ? 'business' : from;
}

/** The message that a reply answers. */
export function quoteOf({ context }: ExportedMessage, conversation: ExportedConversation): string | null {
  if (context === undefined) return null;
  const { quoted } = context;
  if (quoted === undefined) return 'in reply to a message that is not stored';
  const who = quoted.direction === 'INBOUND' ? nameOf(conversation) : 'business';
  const said = quoted.deleted ? 'revoked' : (quoted.body ?? quoted.type);
  return `${who}: ${said}`;
}
