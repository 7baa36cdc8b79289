import { isUtf8 } from 'node:buffer';
import type { Allowance } from './allowance.js';
import { withoutColors } from './clock.js';
import { endsBeforeText, hasMark } from './outer-values.js';
import { endOfText } from './quotes.js';

/** A text that another one holds, and what was around it. */
export interface Inner {
  step: string;
  text: string;
  /** Whether `text` is what was there before the encoding, to the byte. */
  isExact: boolean;
  /** The words before it. */
  before?: string;
}

/** One of several texts that another one holds in an encoding. */
export interface InnerPart extends Inner {
  /** Where it stands. */
  start: number;
  end: number;
}

/** An encoding, removed from whole texts; undefined if the text does not have it. */
type Decoder = (text: string, allowance: Allowance) => Inner | undefined;

/** Removed in this order. */
export const WHOLE_ENCODINGS: readonly Decoder[] = [
  hexEscapes,
  csvQuotes,
  jsonEscapes,
  percent,
  htmlEntities,
  hex,
];

/** Colors of a terminal. */
export function ansi(text: string): Inner | undefined {
  if (!text.includes('\x1b[')) return undefined;
  return { step: 'ansi', text: withoutColors(text), isExact: true };
}

/** `\x22` for each byte that is not printable ASCII, backslashes included: nginx, Envoy. */
function hexEscapes(text: string): Inner | undefined {
  if (!HEX.test(text) || NO_HEX.test(text)) return undefined;
  return { step: 'hex_escapes', text: unescaped(text), isExact: true };
}

const HEX = /\\x[\da-f]{2}/i;
const NO_HEX = /\\(?!x[\da-f]{2})/i;

const FIELD = /(?:^|[\s,(])[\w.@-]+="/g;
const AFTER_FIELD = /[\s,)]/;

/** `msg="received {\"object\":…}"`: the quoted values of logfmt with a bracket in them; none that begins in a value of `values`. */
export function* logfmtFields(
  text: string,
  values: readonly { start: number; end: number }[] = [],
): Generator<InnerPart> {
  let next = 0;
  FIELD.lastIndex = 0;
  // No pattern takes a value whole: at some megabytes it overflows the stack.
  for (let match = FIELD.exec(text); match !== null; match = FIELD.exec(text)) {
    const { index } = match;
    const start = FIELD.lastIndex;
    while ((values[next]?.end ?? Infinity) <= index) next++;
    const value = values[next];
    if (value !== undefined && value.start <= index) {
      FIELD.lastIndex = value.end;
      continue;
    }
    const end = endOfText(text, start);
    if (end === undefined) return;
    if (end < text.length && !AFTER_FIELD.test(text.charAt(end))) {
      FIELD.lastIndex = start;
      continue;
    }
    const written = text.slice(start, end - 1);
    if (written.includes('\\') && /[{[]/.test(written)) {
      yield {
        step: 'logfmt',
        text: unescaped(written),
        isExact: true,
        before: text.slice(0, index),
        start,
        end,
      };
    }
    FIELD.lastIndex = end;
  }
}

/** Whether a value is in such a field: nothing but the words of a log stand before it, and it is no person's text. */
export function isInField(text: string): boolean {
  const before = text.slice(0, text.search(/[{[](?![\w.-]+[}\]])|$/));
  const isField = /(?:^|[\s,(])[\w.@-]+="[^"]*$/.test(before);
  return isField && !endsBeforeText(before.slice(0, before.lastIndexOf('"')));
}

/** `{\"object\":…}`: a text of JSON, or of SQL, without its quotes; Apache escapes bytes beside quotes. */
function jsonEscapes(text: string): Inner | undefined {
  if (!text.includes('\\"')) return undefined;
  return { step: 'json_escapes', text: unescaped(text), isExact: true };
}

const ESCAPE = /\\(?:u([\da-fA-F]{4})|(x[\da-fA-F]{2}(?:\\x[\da-fA-F]{2})*)|(.))/gs;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', Z: '\x1a' };

/** One level of escapes less. Hexadecimal ones next to each other are the bytes of one text. */
function unescaped(text: string): string {
  return text.replace(
    ESCAPE,
    (_whole, unit: string | undefined, bytes: string | undefined, character: string | undefined) => {
      if (unit !== undefined) return String.fromCharCode(parseInt(unit, 16));
      if (bytes !== undefined) return Buffer.from(bytes.replace(/[\\x]/g, ''), 'hex').toString('utf8');
      return ESCAPES[character ?? ''] ?? character ?? '';
    },
  );
}

/** `"{""object"":…}"`: a cell of CSV. */
function csvQuotes(text: string): Inner | undefined {
  if (!/[{[]\s*""/.test(text)) return undefined;
  return { step: 'csv_quotes', text: text.replaceAll('""', '"'), isExact: true };
}

/** `%7B%22object%22…`: a body that was taken for a form. */
function percent(text: string): Inner | undefined {
  if (!/%7B(?:%\w\w|\+|\s){0,64}%22/i.test(text)) return undefined;
  let plain = '';
  let from = 0;
  for (let at = text.indexOf('%'); at !== -1; at = text.indexOf('%', from)) {
    let start = at;
    while (start > from && !TOKEN_END.test(text.charAt(start - 1))) start--;
    const length = text.slice(at).search(TOKEN_END);
    const end = length === -1 ? text.length : at + length;
    plain += text.slice(from, start) + fromPercent(text.slice(start, end));
    from = end;
  }
  return { step: 'percent', text: plain + text.slice(from), isExact: true };
}

const TOKEN_END = /[\s"]/;

/** A plus is a blank in a form; in the words beside it, it can be one of base64. */
function fromPercent(token: string): string {
  return token
    .replaceAll('+', ' ')
    .replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  '#34': '"',
  '#x22': '"',
  '#39': "'",
  '#x27': "'",
  apos: "'",
  lt: '<',
  gt: '>',
  amp: '&',
};

/** `{&quot;object&quot;:…}`: a log copied out of a page. */
function htmlEntities(text: string): Inner | undefined {
  if (!/[{[]\s*&(?:quot|#34|#x22);/.test(text)) return undefined;
  const inner = text.replace(/&(quot|#34|#x22|#39|#x27|apos|lt|gt|amp);/g, (whole, name: string) => {
    return ENTITIES[name] ?? whole;
  });
  return { step: 'html_entities', text: inner, isExact: false };
}

/** `7b226f…`: a column of bytes as a database shows it (`\\x7b…`, `0x7b…`), or a buffer that was logged; of a text or of gzip of one. */
function hex(text: string, allowance: Allowance): Inner | undefined {
  if (text.length < SHORTEST_HEX || !/^\s*(?:\\x|0x)?(?:7b|5b|1f8b|78)[\da-f]+\s*$/i.test(text))
    return undefined;
  const bytes = Buffer.from(text.trim().replace(/^(?:\\x|0x)/i, ''), 'hex');
  const packed = allowance.unpackAny(bytes);
  const inner = textIn(packed ?? bytes);
  if (inner === undefined || !hasMark(inner)) return undefined;
  return { step: packed === undefined ? 'hex' : 'hex.gzip', text: inner, isExact: true };
}

const SHORTEST_HEX = 80;

/** No webhook is shorter in base64; shorter ones are ids and hashes. */
const BASE64_START = /[A-Za-z0-9+/_-]{40}/g;
const BASE64_END = /[^A-Za-z0-9+/_-]/g;

/** Where a text's tokens of base64 are. In two steps: one pattern of any length overflows the stack at some 6 MB of letters. */
export function* base64Tokens(text: string): Generator<{ start: number; end: number }> {
  for (let from = 0; from < text.length;) {
    BASE64_START.lastIndex = from;
    const start = BASE64_START.exec(text)?.index;
    if (start === undefined) return;
    BASE64_END.lastIndex = start;
    const end = BASE64_END.exec(text)?.index ?? text.length;
    // Its padding says nothing that the decoder needs.
    yield { start, end };
    from = end;
  }
}

/** Whether a text can be base64 in lines. */
export function isBase64Alone(text: string): boolean {
  return /^[A-Za-z0-9+/_\-\s]+={0,2}\s*$/.test(text);
}

/** What base64 (also the URL's alphabet, also in lines) holds: a text, or gzip or zlib of one. */
export function fromBase64(token: string, allowance: Allowance): Inner | undefined {
  if (token.length < 16) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const packed = allowance.unpackAny(bytes);
  const inner = textIn(packed ?? bytes);
  // An id of as many letters decodes to noise.
  if (inner === undefined || inner.includes('\0')) return undefined;
  return { step: packed === undefined ? 'base64' : 'base64.gzip', text: inner, isExact: true };
}

/** Bytes as a text, if they are one; its end can be inside a character. */
function textIn(bytes: Buffer): string | undefined {
  for (let missing = 0; missing < LONGEST_CHARACTER; missing++) {
    const whole = bytes.subarray(0, bytes.length - missing);
    if (isUtf8(whole)) return whole.toString('utf8');
  }
  return undefined;
}

const LONGEST_CHARACTER = 4;

/** The same of what was cut: as much of the text as unpacks. */
export function fromCutGzip(token: string, allowance: Allowance): Inner | undefined {
  const bytes = Buffer.from(token, 'base64');
  const beginning = bytes[0] === 0x1f && bytes[1] === 0x8b ? allowance.unpackCut(bytes) : undefined;
  if (beginning === undefined) return undefined;
  return { step: 'base64.gzip', text: beginning.toString('utf8'), isExact: false };
}

const BUFFER = '<Buffer ';
const LEFT_OUT = / \.\.\. \d+ more bytes?$/;

/** The bytes that Node printed: a text, or gzip or zlib of one; cut where it left some of them out. */
export function* printedBuffers(
  text: string,
  allowance: Allowance,
): Generator<{ start: number; inner: Inner; isCut: boolean }> {
  for (let start = text.indexOf(BUFFER), next; start !== -1; start = next) {
    next = text.indexOf(BUFFER, start + 1);
    const end = text.indexOf('>', start);
    if (end === -1) return;
    if (next !== -1 && next < end) continue;
    const written = text.slice(start + BUFFER.length, end);
    const isCut = LEFT_OUT.test(written.slice(-LONGEST_COUNT));
    const digits = (isCut ? written.slice(0, written.lastIndexOf(' ...')) : written).replaceAll(' ', '');
    const bytes = Buffer.from(digits, 'hex');
    if (bytes.length * 2 !== digits.length) continue;
    const packed = allowance.unpackAny(bytes);
    const step = packed === undefined ? 'bytes' : 'bytes.gzip';
    yield { start, inner: { step, text: (packed ?? bytes).toString('utf8'), isExact: true }, isCut };
  }
}

const LONGEST_COUNT = 40;
