import {
  dayOf,
  readOrder,
  type DateOrder,
  type DateReading,
  type NamedDate,
  type WrittenDate,
} from './chat-dates.js';
import { dayPeriodOf, phraseOf, type ChatLanguage, type ChatMediaKind } from './chat-words.js';

/**
 * A chat exported by WhatsApp from a phone: the text of each message, its sender, and the minute by the phone's clock.
 * It holds no message ids, no zone, no status and no reactions, so it can show what is missing, but cannot be replayed.
 */
export interface ChatText {
  platform: ChatPlatform;
  clock: '12h' | '24h';
  hasSeconds: boolean;
  /** In which order day and month stand, and how that is known. */
  dates: DateReading;
  /** Languages of WhatsApp's own phrases; empty if the chat has no distinctive ones. */
  languages: readonly ChatLanguage[];
  items: readonly ChatItem[];
  senders: readonly ChatSender[];
  problems: readonly ChatProblem[];
}

export type ChatPlatform = 'android' | 'ios';

export interface ChatItem {
  /** 1-based line of the file on which it begins. */
  line: number;
  kind: 'text' | 'media' | 'location' | 'deleted' | 'system';
  /** When, by the phone's clock: ms since 1970 as if the clock were UTC. null while day and month cannot be told apart. */
  localTime: number | null;
  /** null for a system line without a name. */
  sender: string | null;
  /** The text; a file's caption; a system line's words. Excludes what WhatsApp adds. */
  text: string;
  media: ChatMedia | null;
  isEdited: boolean;
}

export interface ChatMedia {
  kind: ChatMediaKind;
  /** null when the chat was exported without its files. */
  fileName: string | null;
}

export interface ChatSender {
  name: string;
  /** E.164, when the phone has no name for the sender. */
  phone: string | null;
  /** Whether the name is the one that the sender chose (`~ Name`). */
  isUnsaved: boolean;
  items: number;
}

export interface ChatProblem {
  line: number;
  /** `no_message`: before the first message. `unreadable_time`: begins like a message, but its time cannot be read. */
  reason: 'no_message' | 'unreadable_time' | 'impossible_date';
}

/** What stands before each message. */
interface Prefix {
  platform: ChatPlatform;
  date: Omit<WrittenDate, 'line'>;
  /** ms since midnight. */
  time: number;
  hasSeconds: boolean;
  is12h: boolean;
  /** Of the line, marks included. */
  rest: string;
}

interface OpenItem {
  line: number;
  date: WrittenDate;
  time: number;
  rest: string;
}

const MARKS = '\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\ufeff';
const M = `[${MARKS}]*`;
const S = '[ \\u00a0\\u202f\\u2009]';
const D = '[0-9\\u0660-\\u0669\\u06f0-\\u06f9]';
const DATE = `(${D}{1,4})${M}([-/.])${M}${S}?(${D}{1,2})${M}\\2${M}${S}?(${D}{1,4})${M}\\.?`;
/** `, `, ` klo `, `, 下午`: up to a word between date and time, which may be half of the day. */
const BETWEEN = `[,،]?${S}${M}(?:([^\\d\\s[\\]:,-]{1,12})${S}?)?${M}`;
const TIME = `(${D}{1,2})[:.](${D}{2})(?:[:.](${D}{2}))?`;
const PERIOD = `(?:${S}?(\\p{L}\\.?(?:${S}?\\p{L}\\p{M}*\\.?){0,8}))?`;
const IOS = new RegExp(`^${M}\\[${M}${DATE}${BETWEEN}${TIME}${PERIOD}${M}\\]${S}${M}(.*)$`, 'su');
const ANDROID = new RegExp(`^${M}${DATE}${BETWEEN}${TIME}${PERIOD}${M}${S}[-–]${S}(.*)$`, 'su');
/** What looks like the beginning of a message to a person. */
const LOOSE = new RegExp(
  `^${M}\\[?${M}${D}{1,4}${M}[-/.]${M}${D}{1,2}${M}[-/.]${M}${D}{1,4}.{1,16}?${D}{1,2}[:.]${D}{2}`,
  'u',
);

/** Words between date and time that are no half of the day: Finnish, German, Danish, French, Portuguese, Italian, English. */
const CONNECTIVES = new Set(['klo', 'um', 'kl', 'kl.', 'à', 'às', 'alle', 'at', 'a', 'las', 'o', 'u']);

/** The whole chat at once; see {@link ChatTextReader}. */
export function parseChatText(text: string, options: { order?: DateOrder } = {}): ChatText | undefined {
  const reader = new ChatTextReader(options);
  reader.push(text);
  return reader.end();
}

/**
 * Reads an exported chat, from Android or iOS, in pieces cut anywhere. Pure. `order` is for a chat with ambiguous day
 * and month, from a person who knows the phone.
 */
export class ChatTextReader {
  private rest = '';
  private line = 0;
  private shape: string | undefined;
  private first: Prefix | undefined;
  private open: OpenItem | undefined;
  private readonly collected: OpenItem[] = [];
  private readonly problems: ChatProblem[] = [];

  constructor(private readonly options: { order?: DateOrder } = {}) {}

  push(chunk: string): void {
    const lines = (this.rest + chunk).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) this.takeLine(line);
  }

  /** The chat; undefined if no line begins a message. */
  end(): ChatText | undefined {
    if (this.rest !== '') this.takeLine(this.rest);
    this.rest = '';
    if (this.open !== undefined) this.collected.push(this.open);
    this.open = undefined;
    return this.first === undefined ? undefined : this.describe(this.first);
  }

  private takeLine(raw: string): void {
    this.line++;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const prefix = readPrefix(line);
    // A chat has one line format: a line in another one is part of a person's text.
    if (prefix !== undefined && (this.shape ?? shapeOf(prefix)) === shapeOf(prefix)) {
      this.shape = shapeOf(prefix);
      this.first ??= prefix;
      if (this.open !== undefined) this.collected.push(this.open);
      const date = { ...prefix.date, line: this.line };
      this.open = { line: this.line, date, time: prefix.time, rest: prefix.rest };
      return;
    }
    if (prefix === undefined && LOOSE.test(line))
      this.problems.push({ line: this.line, reason: 'unreadable_time' });
    if (this.open !== undefined) this.open.rest += `\n${line}`;
    else if (line.trim() !== '') this.problems.push({ line: this.line, reason: 'no_message' });
  }

  private describe({ platform, is12h, hasSeconds }: Prefix): ChatText {
    const read = this.collected.map((open) => ({ open, ...readItem(open, platform) }));
    const named = read.flatMap(({ open, item }) => namedDate(open.line, item.media?.fileName ?? null));
    const dates = readOrder(
      this.collected.map(({ date }) => date),
      named,
      this.options.order,
    );
    const problems = [...this.problems];
    if (dates.kind === 'contradictory')
      for (const { line } of dates.refuted) problems.push({ line, reason: 'impossible_date' });
    const items = read.map(({ open, item }): ChatItem => {
      const day = dates.kind === 'certain' ? dayOf(open.date.parts, dates.order) : undefined;
      return { ...item, localTime: day === undefined ? null : day + open.time };
    });
    return {
      platform,
      clock: is12h ? '12h' : '24h',
      hasSeconds,
      dates,
      languages: languagesOf(read.map(({ languages }) => languages)),
      items,
      senders: sendersOf(read.map(({ item, isUnsaved }) => ({ item, isUnsaved }))),
      problems: problems.sort((a, b) => a.line - b.line),
    };
  }
}

/**
 * Whether a text begins as an exported chat: its first line that is not blank begins a message, in a form that no log writes. A
 * log whose lines begin with a date in brackets has seconds and no comma.
 */
export function looksLikeChatText(head: string): boolean {
  const [first = ''] = head.split('\n').filter((line) => line.trim() !== '');
  const prefix = readPrefix(first.replace(/\r$/, ''));
  if (prefix === undefined) return false;
  const isLog = prefix.date.firstDigits > 2 && prefix.hasSeconds && !/^[^\]]*,/.test(first);
  return !isLog && !/whatsapp_business_account|messaging_product|"remoteJid"/.test(head);
}

function readPrefix(line: string): Prefix | undefined {
  const ios = IOS.exec(line);
  const match = ios ?? ANDROID.exec(line);
  if (match === null) return undefined;
  const [, a = '', separator = '', b = '', c = '', word, hour = '', minute = '', second, period, rest = ''] =
    match;
  const before = word === undefined ? undefined : dayPeriodOf(word);
  if (word !== undefined && before === undefined && !CONNECTIVES.has(word.toLowerCase())) return undefined;
  const half = period === undefined ? before : dayPeriodOf(period);
  if (period !== undefined && half === undefined) return undefined;
  const time = timeOf(numberOf(hour), numberOf(minute), second === undefined ? 0 : numberOf(second), half);
  if (time === undefined) return undefined;
  return {
    platform: ios === null ? 'android' : 'ios',
    date: { parts: [numberOf(a), numberOf(b), numberOf(c)], separator, firstDigits: a.length },
    time,
    hasSeconds: second !== undefined,
    is12h: half !== undefined,
    rest,
  };
}

function shapeOf({ platform, date, hasSeconds, is12h }: Prefix): string {
  return [platform, date.separator, date.firstDigits > 2, hasSeconds, is12h].join(' ');
}

/** ms since midnight; undefined for a time that does not exist. */
function timeOf(
  hour: number,
  minute: number,
  second: number,
  half: 'am' | 'pm' | undefined,
): number | undefined {
  if (minute > 59 || second > 59 || hour > 23) return undefined;
  if (half !== undefined && (hour > 12 || hour === 0)) return undefined;
  const full = half === undefined ? hour : (hour % 12) + (half === 'pm' ? 12 : 0);
  return ((full * 60 + minute) * 60 + second) * 1000;
}

/** Digits of any script that phones write dates in. */
function numberOf(digits: string): number {
  return Number(
    digits.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf)),
  );
}

type TimelessItem = Omit<ChatItem, 'localTime'>;

interface ReadItem {
  item: TimelessItem;
  isUnsaved: boolean;
  languages: readonly ChatLanguage[];
}

function readItem({ line, rest }: OpenItem, platform: ChatPlatform): ReadItem {
  const split = splitSender(rest);
  if (split === undefined) {
    const item = {
      line,
      kind: 'system',
      sender: null,
      text: stripMarks(rest),
      media: null,
      isEdited: false,
    } as const;
    return { item, isUnsaved: false, languages: [] };
  }
  const content = readContent(split.text, platform);
  return {
    item: { line, sender: split.sender, ...content.content },
    isUnsaved: split.isUnsaved,
    languages: content.languages,
  };
}

/** `Name: text`; undefined for a line without a name. */
function splitSender(rest: string): { sender: string; isUnsaved: boolean; text: string } | undefined {
  const lineEnd = rest.indexOf('\n');
  const firstLine = lineEnd === -1 ? rest : rest.slice(0, lineEnd);
  const colon = /:(?:[ \u00a0\u202f]|$)/.exec(firstLine);
  if (colon === null) return undefined;
  const written = mapSpaces(stripMarks(firstLine.slice(0, colon.index))).trim();
  // A subject in quotes that holds a colon: `Ana changed the subject from "a: b" to "c"`.
  const quotes = written.match(/["“”„«»]/g)?.length ?? 0;
  if (written === '' || quotes % 2 === 1) return undefined;
  const name = /^~ ?(.+)$/su.exec(written)?.[1];
  return {
    sender: name ?? written,
    isUnsaved: name !== undefined,
    text: rest.slice(colon.index + colon[0].length),
  };
}

type Content = Pick<ChatItem, 'kind' | 'text' | 'media' | 'isEdited'>;

interface ReadContent {
  content: Content;
  languages: readonly ChatLanguage[];
}

const EDITED = /(?:^|[ \n])[\u200e\u200f]?<([^<>\n]{5,60})>$/u;
const IOS_ATTACHED = /(^|[\s])([\u200e\u200f]?)<([^<>:：\n]{2,24}?)[ \u00a0\u202f]?(?:: |： ?)([^<>\n]+)>/u;
const ANDROID_ATTACHED = /^([\u200e\u200f]?)([^\n]+\.[A-Za-z0-9]{1,5}) \(([^()\n]{2,24})\)(?:\n([^]*))?$/u;
const IOS_OMITTED = /(?:^|[ \n])\u200e([^\u200e\n]{3,40})$/u;
const LOCATION =
  /^\p{L}[\p{L} ]{1,30}: https?:\/\/(?:maps\.google\.com|www\.google\.com\/maps|foursquare\.com)/u;

function readContent(written: string, platform: ChatPlatform): ReadContent {
  const edit = EDITED.exec(written);
  const edited = edit === null ? undefined : phraseOf(edit[1] ?? '');
  const isEdited = edited?.kind === 'edited';
  const text = isEdited ? written.slice(0, edit?.index) : written;
  const said = classify(text, platform);
  return {
    content: { ...said.content, isEdited },
    languages: [...said.languages, ...(isEdited ? edited.languages : [])],
  };
}

function classify(
  text: string,
  platform: ChatPlatform,
): { content: Omit<Content, 'isEdited'>; languages: readonly ChatLanguage[] } {
  const plain = stripLeadingMarks(text);
  const whole = phraseOf(stripMarks(text));
  if (whole?.kind === 'deleted')
    return { content: { kind: 'deleted', text: '', media: null }, languages: whole.languages };
  const file = platform === 'ios' ? iosFile(text) : androidFile(text);
  if (file !== undefined) return file;
  if (LOCATION.test(plain)) return { content: { kind: 'location', text: plain, media: null }, languages: [] };
  // On iOS WhatsApp marks what it says itself, under the name of the chat.
  const isSystem = platform === 'ios' && text.startsWith('\u200e');
  return { content: { kind: isSystem ? 'system' : 'text', text: plain, media: null }, languages: [] };
}

function iosFile(text: string): ReturnType<typeof androidFile> {
  const attached = IOS_ATTACHED.exec(text);
  if (attached !== null) {
    const [whole, , mark = '', word = '', fileName = ''] = attached;
    const phrase = phraseOf(word);
    if (mark !== '' || phrase?.kind === 'attached') {
      const caption = [text.slice(0, attached.index), text.slice(attached.index + whole.length)];
      return mediaOf(fileName, caption.map(tidy).filter(Boolean).join('\n'), phrase?.languages ?? []);
    }
  }
  const omitted = IOS_OMITTED.exec(text);
  const phrase = omitted === null ? undefined : phraseOf(omitted[1] ?? '');
  if (omitted === null || phrase?.kind !== 'omitted') return undefined;
  const before = tidy(text.slice(0, omitted.index));
  const { media, languages } = phrase;
  // A document keeps its name, with its pages behind a bullet.
  const fileName = media === 'document' && before !== '' ? (before.split(' • ')[0] ?? before) : null;
  return {
    content: { kind: 'media', text: fileName === null ? before : '', media: { kind: media, fileName } },
    languages,
  };
}

function androidFile(
  text: string,
): { content: Omit<Content, 'isEdited'>; languages: readonly ChatLanguage[] } | undefined {
  const attached = ANDROID_ATTACHED.exec(text);
  if (attached !== null) {
    const [, mark = '', fileName = '', word = '', caption = ''] = attached;
    const phrase = phraseOf(word);
    if (mark !== '' || phrase?.kind === 'attached')
      return mediaOf(fileName, caption, phrase?.languages ?? []);
  }
  const lineEnd = text.indexOf('\n');
  const phrase = phraseOf(stripMarks(lineEnd === -1 ? text : text.slice(0, lineEnd)));
  if (phrase?.kind !== 'omitted' || phrase.media !== 'unknown') return undefined;
  const caption = lineEnd === -1 ? '' : text.slice(lineEnd + 1);
  return {
    content: { kind: 'media', text: caption, media: { kind: 'unknown', fileName: null } },
    languages: phrase.languages,
  };
}

function mediaOf(
  written: string,
  caption: string,
  languages: readonly ChatLanguage[],
): { content: Omit<Content, 'isEdited'>; languages: readonly ChatLanguage[] } {
  const fileName = stripMarks(written).trim();
  return {
    content: { kind: 'media', text: caption, media: { kind: kindOf(fileName), fileName } },
    languages,
  };
}

const KIND_OF_TOKEN: ReadonlyMap<string, ChatMediaKind> = new Map([
  ['PHOTO', 'image'],
  ['IMG', 'image'],
  ['VIDEO', 'video'],
  ['VID', 'video'],
  ['AUDIO', 'audio'],
  ['AUD', 'audio'],
  ['PTT', 'audio'],
  ['STICKER', 'sticker'],
  ['STK', 'sticker'],
  ['GIF', 'gif'],
  ['DOC', 'document'],
]);
const KIND_OF_EXTENSION: ReadonlyMap<string, ChatMediaKind> = new Map([
  ...['jpg', 'jpeg', 'png', 'heic'].map((extension): [string, ChatMediaKind] => [extension, 'image']),
  ...['mp4', 'mov', '3gp'].map((extension): [string, ChatMediaKind] => [extension, 'video']),
  ...['opus', 'm4a', 'mp3', 'aac', 'ogg'].map((extension): [string, ChatMediaKind] => [extension, 'audio']),
  ['webp', 'sticker'],
  ['gif', 'gif'],
  ['vcf', 'contacts'],
]);

function kindOf(fileName: string): ChatMediaKind {
  const token = /^(?:\d{5,}-)?([A-Z]{3,7})-/.exec(fileName)?.[1];
  const extension = /\.([^.]+)$/.exec(fileName)?.[1]?.toLowerCase();
  return (
    (token === undefined ? undefined : KIND_OF_TOKEN.get(token)) ??
    KIND_OF_EXTENSION.get(extension ?? '') ??
    'document'
  );
}

/** `00000003-PHOTO-2026-09-21-08-14-02.jpg`, `IMG-20260921-WA0003.jpg` */
function namedDate(line: number, fileName: string | null): NamedDate[] {
  const match =
    /^\d{5,}-[A-Z]+-(\d{4})-(\d\d)-(\d\d)-\d\d-\d\d-\d\d\./.exec(fileName ?? '') ??
    /^[A-Z]{3}-(\d{4})(\d\d)(\d\d)-WA\d+\./.exec(fileName ?? '');
  if (match === null) return [];
  const [, year = '', month = '', day = ''] = match;
  return [{ line, year: Number(year), month: Number(month), day: Number(day) }];
}

/** The languages that all telling phrases have in common. */
function languagesOf(found: readonly (readonly ChatLanguage[])[]): ChatLanguage[] {
  const telling = found.filter((languages) => languages.length > 0);
  const [first = []] = telling;
  return first.filter((language) => telling.every((languages) => languages.includes(language)));
}

function sendersOf(read: readonly { item: TimelessItem; isUnsaved: boolean }[]): ChatSender[] {
  const senders = new Map<string, ChatSender>();
  for (const { item, isUnsaved } of read) {
    if (item.sender === null || item.kind === 'system') continue;
    const known = senders.get(item.sender);
    if (known !== undefined) known.items++;
    else senders.set(item.sender, { name: item.sender, phone: phoneOf(item.sender), isUnsaved, items: 1 });
  }
  return [...senders.values()];
}

function phoneOf(name: string): string | null {
  return /^\+[\d\s().-]{7,24}$/.test(name) ? `+${name.replace(/\D/g, '')}` : null;
}

function stripMarks(text: string): string {
  return text.replace(new RegExp(`[${MARKS}]`, 'gu'), '');
}

function stripLeadingMarks(text: string): string {
  return text.replace(new RegExp(`^[${MARKS}]+`, 'u'), '');
}

function mapSpaces(text: string): string {
  return text.replace(/[\u00a0\u202f\u2009]/g, ' ');
}

function tidy(text: string): string {
  return stripMarks(text).trim();
}
