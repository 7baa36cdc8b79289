import type { ChatItem, ChatMedia, ChatText } from '../../inputs/exports/chat-text.js';
import type { ChatMediaKind } from '../../inputs/exports/chat-words.js';
import type { Direction } from '../../model/enumerations.js';
import { textKey, type ChatLine, type LineContent } from '../../rules/chat-content.js';

/** What people said in the chat; `unspoken`: lines without a sender. Leaves out items with an unknown time. */
export function saidIn(
  chat: ChatText,
  directionOf: (sender: string) => Direction | undefined,
): { lines: ChatLine[]; unspoken: number } {
  const unreadable = chat.problems
    .filter(({ reason }) => reason === 'unreadable_time')
    .map(({ line }) => line);
  const lines: ChatLine[] = [];
  let unspoken = 0;
  chat.items.forEach((item, index) => {
    const direction = item.sender === null ? undefined : directionOf(item.sender);
    if (direction === undefined || item.localTime === null) {
      unspoken++;
      return;
    }
    const end = chat.items[index + 1]?.line ?? Infinity;
    const isUnsure = unreadable.some((line) => line > item.line && line < end);
    const line: ChatLine = { line: item.line, at: item.localTime, direction, content: contentOf(item) };
    lines.push(isUnsure ? { ...line, isUnsure } : line);
  });
  return { lines, unspoken };
}

function contentOf({ kind, text, media, isEdited }: ChatItem): LineContent {
  const key = textKey(text);
  if (media !== null) return mediaContent(media, key);
  switch (kind) {
    case 'deleted':
      return { kind };
    case 'location':
      return { kind, key };
    case 'text':
    case 'media':
      // A phone writes nothing for content it cannot show.
      return key === '' ? { kind: 'notice' } : { kind: 'text', key, isEdited };
    case 'system':
      return { kind: 'notice' };
  }
}

/** Stored message types that a phone shows as a kind of file. */
const TYPES: Readonly<Record<ChatMediaKind, readonly string[] | 'any'>> = {
  image: ['image'],
  video: ['video'],
  audio: ['audio', 'voice'],
  sticker: ['sticker'],
  gif: ['video', 'gif', 'image'],
  document: ['document'],
  contacts: ['contacts'],
  unknown: 'any',
};

/** `IMG-20260921-WA0003.jpg`, `00000003-PHOTO-2026-09-21-08-14-02.jpg` */
const GIVEN_BY_WHATSAPP =
  /^(?:\d{8}-)?(?:IMG|VID|AUD|PTT|STK|DOC|PHOTO|VIDEO|AUDIO|STICKER|GIF)-\d{4}-?\d{2}-?\d{2}-/;

function mediaContent({ kind, fileName }: ChatMedia, caption: string): LineContent {
  const isGiven = fileName !== null && GIVEN_BY_WHATSAPP.test(fileName);
  const types = TYPES[kind];
  const own = fileName === null || isGiven || kind === 'contacts' ? null : fileName.replace(/^\d{8}-/, '');
  return {
    kind: 'media',
    // A photo sent as a document keeps its own name.
    types: types === 'any' || own === null ? types : [...types, 'document'],
    // A document's caption may equal its name; the phone does not repeat it.
    caption: caption === '' && (fileName === null || own !== null) ? null : caption,
    fileName: own,
  };
}
