import { leadingInstant } from '../../model/time.js';
import { parseTimestamp } from '../timestamp.js';
import { timeNameOf } from './time-names.js';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH = `(?<month>${MONTHS.join('|')})`;
const WEEKDAY = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)';
const TIME = String.raw`(?<time>\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)`;
const ZONE = String.raw`(?:UTC|GMT|UT|Z)(?:[+-]\d\d:?\d\d)?|[+-]\d\d:?\d\d`;

/** How programs write a date and a time in which the month has a name. No zone is UTC, as in ISO 8601. */
const NAMED_MONTHS = [
  // Apache and nginx: `21/Sep/2026:08:13:20 -0300`; RFC 2822: `Mon, 21 Sep 2026 11:13:20 GMT`; Tomcat and PHP: `21-Sep-2026 11:13:20`.
  String.raw`(?:${WEEKDAY}, )?(?<!\d)(?<day>\d{1,2})(?<between>[/ -])${MONTH}\k<between>(?<year>\d{4})[: ]${TIME}(?: ?(?<zone>${ZONE})(?!\w))?`,
  // C, Apache's errors, `date`: `Mon Sep 21 11:13:20.601 UTC 2026`.
  String.raw`${WEEKDAY} ${MONTH} {1,2}(?<day>\d{1,2}) ${TIME} (?:(?<zone>${ZONE}) )?(?<year>\d{4})(?!\d)`,
  // JavaScript: `Mon Sep 21 2026 11:13:20 GMT+0000 (Coordinated Universal Time)`.
  String.raw`${WEEKDAY} ${MONTH} (?<day>\d\d) (?<year>\d{4}) ${TIME} (?<zone>${ZONE})(?: \([^)\n]{1,60}\))?`,
].map((pattern) => new RegExp(pattern, 'g'));

/** ISO 8601, PostgreSQL, Java, Python, Go. */
const NUMBERS = /\d{4}([-/])\d\d\1\d\d[T ]\d\d:\d\d/g;

interface FoundTime {
  start: number;
  end: number;
  at: number;
}

/**
 * The first time in a line's words, ms since 1970: a date and a time, or seconds since 1970 where nothing else can be meant. Not one that
 * its name says is another (`expires=…`). A time without a year is none: nothing says which year it was.
 */
export function timeInWords(words: string): number | undefined {
  if (!DIGITS.test(words)) return undefined;
  for (let from = 0; from < words.length;) {
    const found = firstTime(words, from);
    if (found === undefined) break;
    const [, name] =
      NAME_BEFORE.exec(words.slice(Math.max(0, found.start - LONGEST_NAME), found.start)) ?? [];
    if (name === undefined || timeNameOf(name).kind !== 'other') return found.at;
    from = found.end;
  }
  return epochInWords(words);
}

/** The time in the words before the value in a line. */
export function timeOfLine(line: string): number | undefined {
  const words = withoutColors(line.slice(0, LONGEST_WORDS));
  const value = BEGINS_VALUE.exec(words);
  return timeInWords(value === null ? words : words.slice(0, value.index));
}

const LONGEST_WORDS = 256;
/** Also in a web server's escapes, and in a URL's. */
const BEGINS_VALUE = /\{|\[\s*["'[]|\\x[57]B|%[57]B/i;

const DIGITS = /\d\d/;
const LONGEST_NAME = 70;
const NAME_BEFORE = /([\w.@-]+)["']?\s?[=:]\s?["'[(]?$/;

/** The instant that the whole text says: a date and a time in any of these forms. */
export function clockOf(text: string): number | undefined {
  const trimmed = text.trim();
  const plain = trimmed.startsWith('[') && trimmed.endsWith(']') ? trimmed.slice(1, -1) : trimmed;
  const found = firstTime(plain, 0);
  return found?.start === 0 && found.end === plain.length ? found.at : undefined;
}

function firstTime(text: string, from: number): FoundTime | undefined {
  let first = numbersIn(text, from);
  const short = shortDateIn(text, from);
  if (short !== undefined && (first === undefined || short.start < first.start)) first = short;
  // Only a month's name has three letters before these.
  if (!NAMED_MONTH.test(text)) return first;
  for (const form of NAMED_MONTHS) {
    form.lastIndex = from;
    const match = form.exec(text);
    if (match === null || (first !== undefined && match.index >= first.start)) continue;
    const at = instantOfNamed(match.groups ?? {});
    if (at !== undefined) first = { start: match.index, end: form.lastIndex, at };
  }
  return first;
}

const NAMED_MONTH = new RegExp(`[/ -](?:${MONTHS.join('|')})[/ -]`);

function numbersIn(text: string, from: number): FoundTime | undefined {
  NUMBERS.lastIndex = from;
  for (let match = NUMBERS.exec(text); match !== null; match = NUMBERS.exec(text)) {
    const start = match.index;
    const instant = leadingInstant(text.slice(start, start + LONGEST_NUMBERS));
    if (instant !== undefined) return { start, end: start + instant.length, at: instant.at };
  }
  return undefined;
}

const LONGEST_NUMBERS = 64;

/** `22.09.2026 10:33:20`, `09/22/2026, 10:33:20 AM` (JavaScript's en-US, Nest). The blank before AM has two forms, also as bytes. */
const SHORT_DATES = new RegExp(
  String.raw`(?<![\w./-])(?<first>\d{1,2})(?<between>[./-])(?<second>\d{1,2})\k<between>(?<year>\d{4})(?<comma>,?) ` +
    String.raw`(?<hour>\d{1,2})(?<minutes>:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)` +
    `(?:(?:[ \u202f]|\u00e2\u0080\u00af)(?<half>[AP]M)(?!\\w))?(?: ?(?<zone>${ZONE})(?!\\w))?(?![:\\d])`,
  'g',
);

/** A date that begins with its day or its month. */
function shortDateIn(text: string, from: number): FoundTime | undefined {
  SHORT_DATES.lastIndex = from;
  for (let match = SHORT_DATES.exec(text); match !== null; match = SHORT_DATES.exec(text)) {
    const at = instantOfShort(match.groups ?? {});
    if (at !== undefined) return { start: match.index, end: SHORT_DATES.lastIndex, at };
  }
  return undefined;
}

function instantOfShort(groups: Readonly<Record<string, string | undefined>>): number | undefined {
  const {
    first = '',
    between,
    second = '',
    comma,
    year = '',
    hour = '',
    minutes = '',
    half,
    zone = '',
  } = groups;
  const order = orderOf(Number(first), Number(second), {
    between,
    isAmerican: comma === ',' && half !== undefined,
  });
  if (order === undefined) return undefined;
  const [day, month] = order === 'day first' ? [first, second] : [second, first];
  const hours = half === undefined ? Number(hour) : (Number(hour) % 12) + (half === 'PM' ? 12 : 0);
  if (hours > 23 || (half !== undefined && (Number(hour) < 1 || Number(hour) > 12))) return undefined;
  const two = (number: string | number): string => String(number).padStart(2, '0');
  const offset = zone.replace(/^[A-Z]+/, '');
  return leadingInstant(`${year}-${two(month)}-${two(day)}T${two(hours)}${minutes}${offset}`)?.at;
}

/** Which is first, where anything tells: a number that is no month, the dots, the American form. It is never guessed. */
function orderOf(
  first: number,
  second: number,
  { between, isAmerican }: { between: string | undefined; isAmerican: boolean },
): 'day first' | 'month first' | undefined {
  if (between === '.' || first > 12 || first === second) return 'day first';
  return second > 12 || isAmerican ? 'month first' : undefined;
}

function instantOfNamed(groups: Readonly<Record<string, string | undefined>>): number | undefined {
  const { year = '', month = '', day = '', time = '', zone = '' } = groups;
  const number = String(MONTHS.indexOf(month) + 1).padStart(2, '0');
  const offset = zone.replace(/^[A-Z]+/, '');
  return leadingInstant(`${year}-${number}-${day.padStart(2, '0')}T${time}${offset}`)?.at;
}

/** `ts=1790000000.601`, under a name that says so; or at the line's beginning, with a fraction, which no id has. */
function epochInWords(words: string): number | undefined {
  const [, leading] = LEADING_EPOCH.exec(words) ?? [];
  if (leading !== undefined) return epochOf(leading);
  for (const [, name = '', digits = ''] of words.matchAll(NAMED_EPOCH)) {
    const { kind } = timeNameOf(name);
    const at = kind === 'listed' || kind === 'time' ? epochOf(digits) : undefined;
    if (at !== undefined) return at;
  }
  return undefined;
}

const LEADING_EPOCH = /^[\s["'(<]{0,8}(\d{10}\.\d{3,9})(?![\w.])/;
const NAMED_EPOCH =
  /(?<![\w.@-])([\w.@-]{1,64})=["']?(\d{10}(?:\.\d{1,9})?|\d{13}(?:\.\d{1,6})?|\d{16}|\d{19})(?![\w.-])/g;

/** Seconds, milli-, micro- or nanoseconds since 1970 as text, the first two also with a fraction. */
export function epochOf(text: string): number | undefined {
  const trimmed = text.trim();
  // Microseconds have 16 digits, nanoseconds 19.
  if (/^\d{16,19}$/.test(trimmed)) return parseTimestamp(trimmed.slice(0, 13));
  return /^\d{9,13}(?:\.\d{1,9})?$/.test(trimmed) ? parseTimestamp(Number(trimmed)) : undefined;
}

/** Terminal colors, which loggers also write to files. */
export const COLORS = /\x1b\[[\d;]*[A-Za-z]/g;

export function withoutColors(text: string): string {
  return text.includes('\x1b[') ? text.replace(COLORS, '') : text;
}

/** Whatever programs send to a terminal beside text: titles, clearing, character sets; also cut off at the end of a line. */
const TERMINAL_CODES =
  /\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x20-\x2f]*[\x30-\x7e]?)/g;

export function withoutTerminalCodes(text: string): string {
  return text.replace(TERMINAL_CODES, '');
}
