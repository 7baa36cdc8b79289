import type { MessagesResult, MessageView, QuotedMessage } from '../../commands/messages/result.js';
import type { Media } from '../../model/facts.js';
import { errorWords } from './delivery-errors.js';
import type { Look } from '../ui/look.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { sanitize } from '../ui/sanitize.js';
import { cutText, widthOf, wrapText } from '../ui/width.js';
import { onlyWitness } from './words.js';

/** Wider lines are hard to read, however wide the window is. */
const WIDEST = 100;
const NARROWEST = 30;
/** A page as a conversation: the oldest message on top, theirs on the left and ours on the right, a line per day. */
export function renderChat(result: MessagesResult, timeZone: string, look: Look): string[] {
  const width = Math.max(NARROWEST, Math.min(look.width, WIDEST));
  const clock = clockOf(timeZone);
  const lines = headOf(result, timeZone, look);
  let day = '';
  let connection: string | undefined;
  for (const message of result.messages.toReversed()) {
    const at = new Date(message.timestamp);
    const today = clock.day.format(at);
    if (today !== day) lines.push('', look.dim(dayLine(today, width)));
    day = today;
    if (message.connection !== undefined && message.connection !== connection) {
      lines.push(look.dim(`on ${sanitize(message.connection)}`));
    }
    connection = message.connection;
    const parts = { message, contact: nameOf(result.contact), time: clock.time.format(at) };
    lines.push(...(message.direction === 'INBOUND' ? theirs(parts, width, look) : ours(parts, width, look)));
  }
  return lines;
}

interface Said {
  message: MessageView;
  /** Who the contact is, for quotes. */
  contact: string;
  time: string;
}

function headOf(
  { contact, messages, pagination, metadata }: MessagesResult,
  timeZone: string,
  look: Look,
): string[] {
  const phone = contact.phone === null ? '' : `  ${contact.phone}`;
  const head = [`${look.bold(nameOf(contact))}${look.dim(sanitize(contact.name === null ? '' : phone))}`];
  if (metadata.totalMessages === 0) return [...head, 'There are no messages.'];
  if (pagination.total === 0) {
    return [...head, `None of ${formatAmount(metadata.totalMessages, 'message')} was sent in this period.`];
  }
  const shown = messages.length === pagination.total ? '' : `${formatCount(messages.length)} of `;
  const counted = `${shown}${formatAmount(pagination.total, 'message')}, times in ${timeZone}`;
  return [...head, look.dim(counted)];
}

function nameOf(contact: MessagesResult['contact']): string {
  return sanitize(contact.name ?? contact.phone ?? contact.leadId);
}

function dayLine(day: string, width: number): string {
  const left = Math.max(2, Math.floor((width - day.length - 2) / 2));
  return `${'─'.repeat(left)} ${day} ${'─'.repeat(Math.max(2, width - left - day.length - 2))}`;
}

function theirs({ time, ...said }: Said, width: number, look: Look): string[] {
  const indent = ' '.repeat(time.length + 2);
  const room = roomOf(width);
  const lines = [...withTail(contentOf(said, room), notesOf(said.message), room), ...reactionsOf(said, room)];
  return lines.map((line, index) => `${index === 0 ? `${look.dim(time)}  ` : indent}${paint(line, look)}`);
}

function ours({ time, ...said }: Said, width: number, look: Look): string[] {
  const room = roomOf(width);
  const notes = [time, ...ticksOf(said.message), ...notesOf(said.message)];
  const lines = [...withTail(contentOf(said, room), notes, room), ...reactionsOf(said, room)];
  const block = Math.max(...lines.map(lineWidth));
  return lines.map((line) => {
    // Notes that found no place behind the text stand at the edge, where those of the other messages are.
    const own = line.text === '' ? lineWidth(line) : block;
    return ' '.repeat(Math.max(0, width - own)) + paint(line, look);
  });
}

/** How far a message reaches into the other side. */
function roomOf(width: number): number {
  return Math.floor(width * 0.72);
}

/** A line of a message: what was said, and what is said about it. */
interface Line {
  text: string;
  about: string;
  /** What was said is no message's text: a quote, a mark. */
  faint?: boolean;
}

function lineWidth({ text, about }: Line): number {
  return widthOf(text) + (text !== '' && about !== '' ? 2 : 0) + widthOf(about);
}

function paint({ text, about, faint }: Line, look: Look): string {
  const said = faint === true ? look.dim(text) : text;
  const failed = about.includes(FAILED);
  const noted = failed ? look.red(about) : look.dim(about);
  return text === '' || about === '' ? said + noted : `${said}  ${noted}`;
}

/** Puts the notes behind the last line, or under it where they do not fit. */
function withTail(lines: readonly Line[], notes: readonly string[], room: number): Line[] {
  if (notes.length === 0) return [...lines];
  const about = notes.join(' · ');
  const last = lines.at(-1);
  const joined = last === undefined ? undefined : { ...last, about };
  return joined !== undefined && lineWidth(joined) <= room
    ? [...lines.slice(0, -1), joined]
    : [...lines, ...wrapText(about, room).map((line): Line => ({ text: '', about: line }))];
}

function contentOf({ message, contact }: Omit<Said, 'time'>, room: number): Line[] {
  const lines: Line[] = [];
  const add = (text: string, faint = false): void => {
    lines.push({ text, about: '', ...(faint ? { faint } : {}) });
  };
  if (message.context !== undefined) {
    add(cutText(`│ ${quoteOf(message.context.quoted, contact)}`, room), true);
  }
  if (message.deletedAt === undefined) {
    for (const paragraph of paragraphsOf(message))
      wrapText(paragraph, room).forEach((line) => {
        add(line);
      });
  } else {
    add('[deleted]', true);
  }
  return lines;
}

function reactionsOf({ message, contact }: Omit<Said, 'time'>, room: number): Line[] {
  return (message.reactions ?? []).map(({ emoji, from }) => {
    const who = from === 'customer' ? contact : from === 'business' ? 'you' : from;
    return { text: cutText(sanitize(`${emoji} ${who}`), room), about: '', faint: true };
  });
}

function quoteOf(quoted: QuotedMessage | undefined, contact: string): string {
  if (quoted === undefined) return 'a message that is not stored';
  const said = quoted.deleted ? '[deleted]' : paragraphsOf(quoted).join(' ');
  return `${quoted.direction === 'INBOUND' ? contact : 'you'}: ${said}`;
}

/** What a message says, line by line, harmless; a mark stands for what is no text. */
function paragraphsOf({ type, body, media }: { type: string; body: string | null; media?: Media }): string[] {
  const text = (body ?? '').split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/).map(sanitize);
  if (type === 'text' && body !== null) return text;
  const name = media?.fileName === undefined ? '' : ` ${media.fileName}`;
  const [first = '', ...rest] = text;
  return [`[${sanitize(type + name)}] ${first}`.trimEnd(), ...rest];
}

const FAILED = '✗ failed';

/** What became of a message of ours; the signs of WhatsApp, with a word where a sign alone would not tell without colors. */
function ticksOf({ status, errors }: MessageView): string[] {
  switch (status) {
    case null:
      return [];
    case 'pending':
      return ['… pending'];
    case 'sent':
      return ['✓'];
    case 'failed':
      return [FAILED, ...(errors ?? []).map((error) => sanitize(errorWords(error)))];
    case 'delivered':
      return ['✓✓'];
    case 'read':
      return ['✓✓ read'];
    case 'played':
      return ['✓✓ played'];
  }
}

function notesOf({ editedAt, deletedAt, provider }: MessageView): string[] {
  return [
    ...(editedAt === undefined || deletedAt !== undefined ? [] : ['edited']),
    ...(provider === undefined ? [] : [`only in ${sanitize(onlyWitness(provider))}`]),
  ];
}

function clockOf(timeZone: string): { day: Intl.DateTimeFormat; time: Intl.DateTimeFormat } {
  return {
    day: new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'short',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
    }),
    time: new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    }),
  };
}
