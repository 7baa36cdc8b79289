import type { Media } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { stableJson } from '../../rules/merge-values.js';

/** What one version of a message says; null where it says nothing. */
export interface Said {
  type: string;
  body: string | null;
  media: Media | null;
  /** Of contacts, a place, an order and the like: all that they say, where nothing of it could be put into words. */
  rawMeta: JsonObject | null;
}

/** Types that stand for a content which is not there. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(['media_placeholder', 'unsupported', 'errors', 'unknown']);

export function isPlaceholder(type: string): boolean {
  return PLACEHOLDERS.has(type);
}

/** How much a version says: what says more is placed first, so that what says less finds all that it may belong to. */
export function detailOf(said: Said): number {
  const media = said.media ?? {};
  return (
    (isPlaceholder(said.type) ? 0 : 1) +
    (textOf(said.body) === null ? 0 : 4) +
    (media.id === undefined ? 0 : 4) +
    (media.sha256 === undefined ? 0 : 2) +
    (media.mimeType === undefined ? 0 : 1) +
    (media.fileName === undefined ? 0 : 1)
  );
}

/** The same words and the same file under the same type. */
export function isSameContent(a: Said, b: Said): boolean {
  return (
    a.type === b.type &&
    textOf(a.body) === textOf(b.body) &&
    mediaKey(a.media) === mediaKey(b.media) &&
    !isOtherMeta(a, b)
  );
}

/**
 * Whether two rows of one id may be one message: nothing that both of them say differs. A placeholder, `unsupported` or an
 * empty row says nothing; media without an id may be those with one. Two texts, or two files, are two messages that got one
 * id (an album), and so are two contact cards.
 */
export function isCompatible(a: Said, b: Said): boolean {
  if (isSilent(a) || isSilent(b)) return true;
  if (isOtherMeta(a, b)) return false;
  const [left, right] = [textOf(a.body), textOf(b.body)];
  if (left !== null && right !== null && left !== right) return false;
  const media = compareMedia(a.media, b.media);
  if (media === 'other') return false;
  if (a.type === b.type || isPlaceholder(a.type) || isPlaceholder(b.type)) return true;
  // Programs have their own words for types (`chat` for text): the same text or file under two of them is still the same.
  return media === 'same' || (left !== null && left === right);
}

/** Neither has words or a file, and what both tell under one name differs: two cards that somebody sent at once. */
function isOtherMeta(a: Said, b: Said): boolean {
  const { rawMeta: left } = a;
  const { rawMeta: right } = b;
  if (left === null || right === null || hasWords(a) || hasWords(b)) return false;
  return Object.keys(left).some((key) => key in right && stableJson(left[key]) !== stableJson(right[key]));
}

function hasWords({ body, media }: Said): boolean {
  return textOf(body) !== null || mediaKey(media) !== '';
}

/** A text without a text is no more than a placeholder; a media type alone still says that there is a file. */
function isSilent({ type, body, media }: Said): boolean {
  if (textOf(body) !== null || mediaKey(media) !== '') return false;
  return isPlaceholder(type) || type === 'text' || type === '';
}

/** `open`: nothing in one of them contradicts the other, and nothing proves that they are the same file. */
function compareMedia(a: Media | null, b: Media | null): 'same' | 'open' | 'other' {
  if (a === null || b === null) return 'open';
  if (a.id !== undefined && a.id === b.id) return 'same';
  // A file that Meta hands out twice (live, and in a history) has two ids and one hash.
  if (a.sha256 !== undefined && a.sha256 === b.sha256) return 'same';
  if (differ(a.id, b.id) || differ(a.sha256, b.sha256)) return 'other';
  if (differ(kindOf(a.mimeType), kindOf(b.mimeType)) || differ(a.fileName, b.fileName)) return 'other';
  return 'open';
}

function differ(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

/** `audio/ogg; codecs=opus` is `audio/ogg`. */
function kindOf(mimeType: string | undefined): string | undefined {
  return mimeType?.split(';', 1)[0]?.trim().toLowerCase();
}

function textOf(body: string | null): string | null {
  return body === '' ? null : body;
}

function mediaKey(media: Media | null): string {
  if (media === null) return '';
  const parts = [media.id, media.mimeType, media.sha256, media.fileName];
  return parts.every((part) => part === undefined) ? '' : parts.map((part) => part ?? '').join('\n');
}
