import { leadingInstant } from '../../model/time.js';

const ISO = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;
/** nginx and Apache: `21/Sep/2026:08:13:20 -0300`. */
const CLF = /(\d\d)\/([A-Z][a-z]{2})\/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** The first time in a line's words, ms since 1970: ISO 8601, or the common log format of web servers. */
export function timeInWords(words: string): number | undefined {
  const clf = clockOf(words);
  if (clf !== undefined) return clf;
  const start = ISO.exec(words)?.index;
  return start === undefined ? undefined : leadingInstant(words.slice(start))?.at;
}

/** The time in the common log format in a text. */
export function clockOf(text: string): number | undefined {
  const clf = CLF.exec(text);
  if (clf === null) return undefined;
  const [, day, month = '', year, time, zone] = clf;
  const number = String(MONTHS.indexOf(month) / 3 + 1).padStart(2, '0');
  return leadingInstant(`${year}-${number}-${day}T${time}${zone}`)?.at;
}

/** Terminal colors, which loggers also write to files. */
export const COLOURS = /\x1b\[[\d;]*[A-Za-z]/g;

export function withoutColours(text: string): string {
  return text.includes('\x1b[') ? text.replace(COLOURS, '') : text;
}

/** Whatever programs send to a terminal beside text: titles, clearing, character sets; also cut off at the end of a line. */
const TERMINAL_CODES =
  /\x1b(?:\[[\x20-\x3f]*[\x40-\x7e]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[\x20-\x2f]*[\x30-\x7e]?)/g;

export function withoutTerminalCodes(text: string): string {
  return text.replace(TERMINAL_CODES, '');
}
