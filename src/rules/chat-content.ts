import { createHash } from 'node:crypto';
import type { LineContent, TextKey } from '../model/chat-line.js';
import type { Direction } from '../model/enumerations.js';

export type { LineContent, TextKey } from '../model/chat-line.js';

/**
 * One line of a chat exported from a phone, and one stored message, in comparable terms. The phone's text has no ids:
 * only content, direction and time identify a message.
 */
export interface ChatLine {
  /** 1-based line of the file. */
  line: number;
  /** By the phone's clock: ms since 1970 as if the clock were UTC; the start of its minute, or second. */
  at: number;
  direction: Direction;
  content: LineContent;
  /**
   * Something after it in the file looks like a message but could not be read as one: it may have become part of this
   * one.
   */
  isUnsure?: boolean;
}

export interface StoredMessage {
  id: string;
  /** ms since 1970. */
  at: number;
  direction: Direction;
  type: string;
  /** Its current text, and the texts before edits and a revoke. */
  texts: readonly TextKey[];
  fileName: string | null;
  isEdited: boolean;
  isRevoked: boolean;
  /** Its time is known only to the minute: a line of another export, which has no seconds. */
  isToTheMinute?: boolean;
}

const KEPT = 48;
const MARKS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const SPACES = /[\s\u00a0\u2000-\u200a\u202f]+/gu;

/**
 * Cuts long texts, so that memory does not grow with them. Two texts have the same key if they look the same: direction
 * marks, kinds of spaces and composition are left out.
 */
export function textKey(text: string | null): TextKey {
  const normal = (text ?? '').replace(MARKS, '').normalize('NFC').replace(SPACES, ' ').trim();
  if (normal.length <= KEPT) return normal;
  return `${normal.slice(0, KEPT)}#${createHash('sha256').update(normal).digest('base64url').slice(0, 22)}`;
}

/** Whether a text is too long to be sent twice by chance. */
export function isTelling(key: TextKey): boolean {
  return key.length >= TELLING;
}

const TELLING = 14;

export const MEDIA_TYPES: ReadonlySet<string> = new Set([
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'gif',
  'contacts',
  'media_placeholder',
]);

/** Whether a line and a message, sent in the same direction at the same time, agree in everything both sides show. */
export function isSame(
  { content }: Pick<ChatLine, 'content'>,
  message: Pick<StoredMessage, 'texts' | 'type' | 'fileName' | 'isRevoked'>,
): boolean {
  switch (content.kind) {
    case 'text':
      return message.texts.includes(content.key);
    case 'deleted':
      return message.isRevoked;
    case 'location':
      return message.type === 'location' || message.texts.includes(content.key);
    case 'notice':
      return false;
    case 'media':
      return (
        isOfType(content.types, message.type) &&
        !namesDiffer(content.fileName, message.fileName) &&
        (content.caption === null || message.type === 'contacts' || hasCaption(message, content.caption))
      );
  }
}

function isOfType(types: readonly string[] | 'any', type: string): boolean {
  if (type === 'media_placeholder') return true;
  return types === 'any' ? MEDIA_TYPES.has(type) : types.includes(type);
}

function hasCaption({ texts }: Pick<StoredMessage, 'texts'>, caption: TextKey): boolean {
  return texts.length === 0 ? caption === '' : texts.includes(caption);
}

/** A phone numbers files with the same name: `list (1).pdf`. */
function namesDiffer(line: string | null, stored: string | null): boolean {
  if (line === null || stored === null) return false;
  const plain = (name: string): string =>
    textKey(name)
      .toLowerCase()
      .replace(/ ?\(\d+\)(?=\.[^.]*$)/, '');
  return plain(line) !== plain(stored);
}

/**
 * Why a message without a line may match a line without a message: then the line does not count as lost.
 * - edited: one side knows an edit that the other does not.
 * - revoked: the phone shows it deleted, or the database has it revoked without its words.
 * - stored_otherwise: the database has another type, caption, file name or only the beginning of the text; or a content
 *   that
 *   it does not know.
 * - other_direction: the same content, but sent by the other side.
 * - other_time: the same content at another time, for example its arrival.
 * - unreadable: no message raises it, but lines of the chat that cannot be read.
 */
export type Doubt =
  'edited' | 'revoked' | 'stored_otherwise' | 'other_direction' | 'other_time' | 'unreadable';

/** Types with a stored body that WhatsApp shows in other words, if at all. */
const PLAIN_TYPES: ReadonlySet<string> = new Set([...MEDIA_TYPES, 'text', 'location']);

/** The doubt about a line and a message of the same time; undefined if they are unrelated. */
export function doubtAbout(line: ChatLine, message: StoredMessage): Doubt | undefined {
  if (line.direction !== message.direction) return isSame(line, message) ? 'other_direction' : undefined;
  const { content } = line;
  if (content.kind === 'deleted' || message.isRevoked) return 'revoked';
  const isPlain = PLAIN_TYPES.has(message.type);
  switch (content.kind) {
    case 'text':
      if (!isPlain) return 'stored_otherwise';
      if (MEDIA_TYPES.has(message.type)) return looksOmitted(content.key) ? 'stored_otherwise' : undefined;
      if (content.isEdited || message.isEdited) return 'edited';
      return message.texts.some((text) => beginsAlike(text, content.key)) ? 'stored_otherwise' : undefined;
    case 'media':
      return !isPlain || MEDIA_TYPES.has(message.type) ? 'stored_otherwise' : undefined;
    case 'location':
      return isPlain ? undefined : 'stored_otherwise';
    case 'notice':
      return message.type === 'text' ? undefined : 'stored_otherwise';
  }
}

/** `<Media omitted>` in a language unknown to the parser. */
function looksOmitted(key: TextKey): boolean {
  return /^<[^<>]{3,44}>$/.test(key);
}

/** One of the two may have been cut. */
function beginsAlike(a: TextKey, b: TextKey): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  const beginning = short.slice(0, KEPT);
  return beginning.length >= TELLING && long.startsWith(beginning);
}
