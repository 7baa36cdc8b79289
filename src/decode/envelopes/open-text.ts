import { gunzipSync, inflateSync } from 'node:zlib';
import type { JsonValue } from '../../model/json.js';
import { locateJsonError, textOfBytes } from '../parse-json.js';
import { timeInWords } from './clock.js';
import { findValues, type FoundValue } from './find-values.js';
import { joinFrames } from './line-frames.js';
import { readPythonBytes } from './literals.js';
import { mayBeExtended, withoutExtended } from './values.js';

/** A value that a text holds. */
export interface OpenedValue {
  value: JsonValue;
  /** What was taken off, outermost first: `ansi`, `base64`, `ruby`. Empty for a text that is JSON. */
  steps: readonly string[];
  /** The JSON's own text, as it was before anything was put around it; undefined where there was none. */
  source: string | undefined;
  /** The time in the words before the value. */
  at: number | undefined;
}

/** Why a text holds no value. */
export interface Unopened {
  reason: 'invalid_json' | 'no_json' | 'abridged';
  message: string;
}

/** How much may be read and unpacked in one entry, over all texts in it: hostile ones nest, and bombs unpack. */
export class Allowance {
  #left = 1 << 30;
  /** An entry of 64 MB may hold base64 of gzip of as much again. */
  #unpacked = 1 << 27;

  /** False when there is nothing left to spend. */
  spend(characters: number): boolean {
    this.#left -= characters;
    return this.#left > 0;
  }

  unpack(bytes: Uint8Array): Buffer | undefined {
    const unzip = bytes[0] === 0x1f ? gunzipSync : inflateSync;
    try {
      const unpacked = unzip(bytes, { maxOutputLength: Math.max(1, this.#unpacked) });
      this.#unpacked -= unpacked.length;
      return unpacked;
    } catch {
      return undefined;
    }
  }
}

/** An entry's bytes as text; gzip is unpacked, also gzip of gzip. */
export function textOfEntry(bytes: Uint8Array, allowance: Allowance): string {
  let plain = bytes;
  for (let layers = 0; layers < MAX_LAYERS && plain[0] === 0x1f && plain[1] === 0x8b; layers++) {
    const unpacked = allowance.unpack(plain);
    if (unpacked === undefined) break;
    plain = unpacked;
  }
  return textOfBytes(plain);
}

/** Encodings over encodings in one text; real ones have three. */
const MAX_LAYERS = 12;

/** What only a webhook's body, or a text around one, says. */
const MARK =
  /whatsapp_business_account|messaging_product|phone_number_id|remoteJid|messag(?:es|ing-history)[._](?:upsert|set|update)/i;

export function hasMark(text: string): boolean {
  return MARK.test(text);
}

const parse: (text: string) => JsonValue = JSON.parse;

/** The value of a text that is JSON and nothing else. */
export function wholeJson(text: string): OpenedValue | undefined {
  try {
    const value = parse(text);
    const plain = mayBeExtended(text) ? withoutExtended(value) : value;
    return { value: plain, steps: plain === value ? [] : ['mongodb'], source: text, at: undefined };
  } catch {
    return undefined;
  }
}

/**
 * The values that a text holds: JSON or another notation, alone or among other words, under any number of encodings. The
 * same text always opens in the same way, so that a path into it can be followed again.
 */
export function openText(text: string, allowance: Allowance): OpenedValue[] | Unopened {
  const whole = wholeJson(text);
  if (whole !== undefined) return [whole];
  const opened = openLayers(text, allowance, 0);
  if (opened.length > 0) return opened;
  if (!text.includes('{') && !text.includes('[')) {
    return { reason: 'no_json', message: `no JSON in ${text.length} characters` };
  }
  const isAbridged = findValues(text).isAbridged;
  return { reason: isAbridged ? 'abridged' : 'invalid_json', message: locateJsonError(text) };
}

/** A text that another one holds, and what was around it. */
interface Inner {
  step: string;
  text: string;
  /** Whether `text` is what was there before the encoding, to the byte. */
  isExact: boolean;
}

/** An encoding, taken off whole texts; undefined where the text does not have it. */
type Decoder = (text: string, allowance: Allowance) => Inner | undefined;

/** Taken off before values are looked for in a text. */
const OUTER: readonly Decoder[] = [ansi, pythonBytes];
/** Taken off where no value was found, or none that could be a webhook. */
const INNER: readonly Decoder[] = [hexEscapes, jsonEscapes, csvQuotes, percent, htmlEntities, base64];

function openLayers(text: string, allowance: Allowance, layer: number): OpenedValue[] {
  if (layer > MAX_LAYERS || !allowance.spend(text.length)) return [];
  if (layer > 0) {
    const whole = wholeJson(text);
    if (typeof whole?.value === 'object' && whole.value !== null) return [whole];
    if (typeof whole?.value === 'string') {
      return openInner({ step: 'json_string', text: whole.value, isExact: true });
    }
  }
  const frames = joinFrames(Buffer.from(text));
  if (frames !== undefined && frames.text !== text) {
    const opened = openInner({ step: frames.form, text: frames.text, isExact: true });
    return opened.map((each) => ({ ...each, at: frames.time ?? each.at }));
  }
  for (const decode of OUTER) {
    const inner = decode(text, allowance);
    if (inner !== undefined) return openInner(inner);
  }
  const found = text.includes('{') || text.includes('[') ? openValues(text) : NOTHING;
  if (found.values.length > 0 && hasMark(text)) return found.values;
  for (const decode of INNER) {
    const inner = decode(text, allowance);
    if (inner === undefined) continue;
    const opened = openInner(inner);
    const isBetter = found.values.length === 0 || opened.some((each) => hasMark(each.source ?? ''));
    if (opened.length > 0 && isBetter) return opened;
  }
  return found.values.length > 0 ? found.values : found.empty;

  function openInner({ step, text: inner, isExact }: Inner): OpenedValue[] {
    return openLayers(inner, allowance, layer + 1).map((each) => ({
      ...each,
      steps: [...step.split('.'), ...each.steps],
      source: isExact ? each.source : undefined,
    }));
  }
}

const NOTHING = { values: [], empty: [] };

/**
 * The values among the words of a text, and an empty one where there is nothing better. What the text's end cuts off is the
 * last value, as the text that it is.
 */
function openValues(text: string): { values: OpenedValue[]; empty: OpenedValue[] } {
  const found = findValues(text);
  const { values, empty, cutAt } = found;
  const [first] = values;
  const at =
    first === undefined ? undefined : timeInWords(text.slice(0, Math.min(first.start, LONGEST_PREFIX)));
  // Nothing but values: one after the other, or a line each.
  const around = first?.start === text.search(/\S/) && isBlankBetween(text, values) ? 'concatenated' : 'text';
  const open = ({ value, source, syntax }: FoundValue): OpenedValue => {
    const plain = source !== undefined && mayBeExtended(source) ? withoutExtended(value) : value;
    const notation = syntax ?? (plain === value ? undefined : 'mongodb');
    return { value: plain, steps: notation === undefined ? [around] : [around, notation], source, at };
  };
  const opened = values.map(open);
  if (first !== undefined && cutAt !== undefined) {
    opened.push({ value: text.slice(cutAt), steps: [around], source: undefined, at });
  }
  return { values: opened, empty: empty === undefined || cutAt !== undefined ? [] : [open(empty)] };
}

function isBlankBetween(text: string, values: readonly FoundValue[]): boolean {
  return values.every(({ end }, i) => {
    const next = values[i + 1]?.start;
    return next === undefined || text.slice(end, next).trim() === '';
  });
}

const LONGEST_PREFIX = 2000;

const ANSI = /\x1b\[[\d;]*[A-Za-z]/g;

/** Colours of a terminal, which loggers also write into files. */
function ansi(text: string): Inner | undefined {
  if (!text.includes('\x1b[')) return undefined;
  return { step: 'ansi', text: text.replace(ANSI, ''), isExact: true };
}

const PYTHON_BYTES = /(?<![\w"'])b(?=(?:"|')\s*[{[])/;

/** `b'{"object":…}'`: Python's `print(request.data)`. */
function pythonBytes(text: string): Inner | undefined {
  const start = PYTHON_BYTES.exec(text)?.index;
  if (start === undefined) return undefined;
  const inner = readPythonBytes(text, start + 1);
  return inner === undefined ? undefined : { step: 'python', text: inner, isExact: true };
}

const HEX = /\\x([\da-f]{2})/gi;

/** `\x22` for each byte that is not printable ASCII: nginx, Apache, Envoy. */
function hexEscapes(text: string): Inner | undefined {
  if (!/\\x[\da-f]{2}/i.test(text)) return undefined;
  const parts: Buffer[] = [];
  let from = 0;
  let run: number[] = [];
  for (const match of text.matchAll(HEX)) {
    if (match.index > from) {
      parts.push(Buffer.from(run), Buffer.from(text.slice(from, match.index)));
      run = [];
    }
    run.push(parseInt(match[1] ?? '', 16));
    from = match.index + 4;
  }
  parts.push(Buffer.from(run), Buffer.from(text.slice(from)));
  return { step: 'hex_escapes', text: Buffer.concat(parts).toString('utf8'), isExact: true };
}

const ESCAPE = /\\(?:u([\da-fA-F]{4})|(.))/gs;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', Z: '\x1a' };

/** `{\"object\":…}`: a text of JSON, or of SQL, without its quotes. */
function jsonEscapes(text: string): Inner | undefined {
  if (!text.includes('\\"')) return undefined;
  const inner = text.replace(ESCAPE, (_whole, code: string | undefined, character: string | undefined) =>
    code === undefined
      ? (ESCAPES[character ?? ''] ?? character ?? '')
      : String.fromCharCode(parseInt(code, 16)),
  );
  return { step: 'json_escapes', text: inner, isExact: true };
}

/** `"{""object"":…}"`: a cell of CSV. */
function csvQuotes(text: string): Inner | undefined {
  if (!/[{[]\s*""/.test(text)) return undefined;
  return { step: 'csv_quotes', text: text.replaceAll('""', '"'), isExact: true };
}

/** `%7B%22object%22…`: a body that was taken for a form. */
function percent(text: string): Inner | undefined {
  if (!/%7B(?:%\w\w|\+|\s)*%22/i.test(text)) return undefined;
  const bytes = text
    .replaceAll('+', ' ')
    .replace(/(?:%[\da-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
  return { step: 'percent', text: bytes, isExact: true };
}

const ENTITIES: Readonly<Record<string, string>> = {
  quot: '"',
  '#34': '"',
  '#x22': '"',
  '#39': "'",
  apos: "'",
  lt: '<',
  gt: '>',
  amp: '&',
};

/** `{&quot;object&quot;:…}`: a log copied out of a page. */
function htmlEntities(text: string): Inner | undefined {
  if (!/[{[]\s*&(?:quot|#34|#x22);/.test(text)) return undefined;
  const inner = text.replace(/&(quot|#34|#x22|#39|apos|lt|gt|amp);/g, (whole, name: string) => {
    return ENTITIES[name] ?? whole;
  });
  return { step: 'html_entities', text: inner, isExact: false };
}

/** No webhook is shorter in base64; shorter ones are ids and hashes. */
const BASE64 = /[A-Za-z0-9+/_-]{40,}={0,2}/;

/** Base64 (also the URL's alphabet, also in lines), alone or among words; of a text, or of gzip or zlib of one. */
function base64(text: string, allowance: Allowance): Inner | undefined {
  const alone = text.trim();
  const token = /^[A-Za-z0-9+/_\-\s]+={0,2}$/.test(alone) ? alone : BASE64.exec(text)?.[0];
  if (token === undefined || token.length < 16) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const packed = bytes[0] === 0x1f || bytes[0] === 0x78 ? allowance.unpack(bytes) : undefined;
  const inner = (packed ?? bytes).toString('utf8');
  if (inner.includes('\uFFFD') || !/[{["]/.test(inner)) return undefined;
  return { step: packed === undefined ? 'base64' : 'base64.gzip', text: inner, isExact: true };
}
