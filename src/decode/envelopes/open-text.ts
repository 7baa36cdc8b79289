import type { JsonValue } from '../../model/json.js';
import { locateJsonError } from '../parse-json.js';
import { Allowance, MAX_LAYERS } from './allowance.js';
import { timeInWords, withoutColours } from './clock.js';
import { endOfText, findValues, type FoundValue } from './find-values.js';
import { mayHoldSignature, splitRequest } from './http-head.js';
import { joinFrames } from './line-frames.js';
import { endsBeforeText, hasBracket, hasMark, type PartReason } from './outer-values.js';
import { printAround, printFormOf, type PrintForm } from './printed-texts.js';
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
  /** Whether its text has something found only in a webhook, or a text around one. */
  isMarked: boolean;
  /** The words before and after it, which may name its signer; empty if none mentions a signature. */
  before: string;
  after: string;
}

/** Why a text holds no value. */
export interface Unopened {
  reason: 'invalid_json' | 'no_json' | 'abridged' | 'empty_request_body' | PartReason;
  message: string;
}

const parse: (text: string) => JsonValue = JSON.parse;

/** The value of a text that is only JSON. */
export function wholeJson(text: string): OpenedValue | undefined {
  try {
    const value = parse(text);
    const plain = mayBeExtended(text) ? withoutExtended(value) : value;
    return {
      value: plain,
      steps: plain === value ? [] : ['mongodb'],
      source: text,
      at: undefined,
      isMarked: false,
      before: '',
      after: '',
    };
  } catch {
    return undefined;
  }
}

/**
 * The values in a text: JSON or another notation, alone or among other words, under any number of encodings.
 * Deterministic, so that a path into the text can be followed again. `bytes`: the text's source, for lines cut inside a
 * character.
 */
export function openText(text: string, allowance: Allowance, bytes?: Uint8Array): OpenedValue[] | Unopened {
  const whole = wholeJson(text);
  if (whole !== undefined) return [whole];
  const opened = openLayers(text, allowance, 0, bytes);
  if (opened.length > 0) return opened;
  const printed = joinFrames(bytes ?? Buffer.from(text))?.text ?? text;
  if (!hasBracket(text)) {
    const reason = formOfFailure(printed) ?? 'no_json';
    return { reason, message: `no JSON in ${text.length} characters` };
  }
  const { isAbridged, partReason } = findValues(printed);
  const reason = isAbridged ? 'abridged' : (partReason ?? formOfFailure(printed) ?? 'invalid_json');
  return { reason, message: locateJsonError(text) };
}

/** The line of a request in nginx's own format whose last field, the body, is empty. */
const WITHOUT_BODY = /"POST [^"]*" \d{3} (?:[^"]|"[^"]*")*"-?"\s*$/;
const LONGEST_LINE = 8_000;

/** What a text without a value resembles. */
function formOfFailure(text: string): 'empty_request_body' | PrintForm | undefined {
  return isRequestWithoutBody(text) ? 'empty_request_body' : printFormOf(text);
}

/** Whether a line of a web server's log names a request that has a body, and an empty field in its place. */
export function isRequestWithoutBody(line: string): boolean {
  return line.length <= LONGEST_LINE && line.includes('"POST ') && WITHOUT_BODY.test(line);
}

/** Whether a text is complete: no value in it is cut off, in any notation. */
export function readsWhole(text: string): boolean {
  const opened = openText(text, new Allowance());
  return Array.isArray(opened) && opened.every(({ value }) => typeof value === 'object' && value !== null);
}

/** A text that another one holds, and what was around it. */
interface Inner {
  step: string;
  text: string;
  /** Whether `text` is what was there before the encoding, to the byte. */
  isExact: boolean;
  /** The words before it. */
  before?: string;
}

/** An encoding, removed from whole texts; undefined if the text does not have it. */
type Decoder = (text: string, allowance: Allowance) => Inner | undefined;

/** Removed if no value was found, or none that could be a webhook. */
const INNER: readonly Decoder[] = [hexEscapes, csvQuotes, jsonEscapes, percent, htmlEntities, hex, base64];

function openLayers(text: string, allowance: Allowance, layer: number, bytes?: Uint8Array): OpenedValue[] {
  if (layer > MAX_LAYERS || !allowance.spend(text.length)) return [];
  if (layer > 0) {
    const whole = wholeJson(text);
    if (typeof whole?.value === 'object' && whole.value !== null) {
      return [{ ...whole, isMarked: hasMark(text) }];
    }
    if (typeof whole?.value === 'string') {
      return openInner({ step: 'json_string', text: whole.value, isExact: true });
    }
  }
  const frames = joinFrames(bytes ?? Buffer.from(text));
  if (frames !== undefined && frames.text !== text) {
    const opened = openInner({ step: frames.form, text: frames.text, isExact: true });
    return opened.map((each) => ({ ...each, at: frames.time ?? each.at }));
  }
  const plain = ansi(text);
  if (plain !== undefined) return openInner(plain);
  const request = mayBeRequest(text) ? splitRequest(text) : undefined;
  if (request !== undefined) {
    const { head, body } = request;
    const opened = openInner({ step: 'http', text: body, isExact: true, before: head });
    const at = timeInWords(head);
    if (opened.length > 0) return opened.map((each) => ({ ...each, at: each.at ?? at }));
  }
  const found = text.includes('{') || text.includes('[') ? openValues(text) : NOTHING;
  // Inside an encoded body, which begins before them, values are parts of it, or a person's words.
  const isInside = found.values.length > 0 && ENCODED_START.test(text.slice(0, found.start));
  // So they are without one, inside a value that cannot be read.
  if (!isInside && found.isPart) {
    // The quotes of a log's field can be what makes its value unreadable: without them it is whole.
    const field = fieldAround(found.start, text);
    return field === undefined ? [] : openInner(field);
  }
  const quoted = logfmt(found.values.length > 0 ? found.start : text.length, text);
  if (quoted !== undefined) {
    const opened = openInner(quoted);
    const isHidden = opened.length > 0 && !found.values.some((each) => each.isMarked);
    if (isHidden || opened.some((each) => each.isMarked)) return opened;
  }
  if (!isInside && found.values.some((each) => each.isMarked)) return found.values;
  if (found.values.length === 0 && isEncodedInPrint(text)) return [];
  for (const decode of INNER) {
    const inner = decode(text, allowance);
    if (inner === undefined) continue;
    const opened = openInner(inner);
    const isBetter = found.values.length === 0 || opened.some((each) => each.isMarked);
    if (opened.length > 0 && isBetter) return opened;
  }
  if (found.isPart) return [];
  return found.values.length > 0 ? found.values : found.empty;

  function openInner({ step, text: inner, isExact, before = '' }: Inner): OpenedValue[] {
    return openLayers(inner, allowance, layer + 1).map((each) => ({
      ...each,
      before: before === '' ? each.before : before + each.before,
      steps: [...step.split('.'), ...each.steps],
      source: isExact ? each.source : undefined,
    }));
  }
}

const NOTHING = { values: [], empty: [], start: 0, isPart: false };

/** A quick look: no JSON begins as the head of a request does. */
function mayBeRequest(text: string): boolean {
  return /^[^{["'\\]{0,200}(?:HTTP\/\d|hub[-_]?signature|: )/i.test(text);
}

/** How a body begins in the encodings that keep its brackets or write them as %7B. */
const ENCODED_START = /[{[]\s*(?:\\+["'nr]|""|\\x22|&(?:quot|#34|#x22);)|%7B(?:%\w\w|\+|\s){0,64}%22/i;

/** Where an encoded value can begin; a signature is none. */
const ENCODED =
  /(?<!sha\d{1,3}=)(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40}|\\x7B|[{[]\s*(?:\\+["'nr]|""|&(?:quot|#34|#x22);)|%7B(?:%\w\w|\+|\s){0,64}%22/i;

/** Whether an encoded value is in a text of a print. */
function isEncodedInPrint(text: string): boolean {
  const start = text.search(ENCODED);
  return start >= 0 && printAround(text, [{ start, end: text.length }]) !== undefined;
}

/**
 * The values among the words of a text, and an empty one where there is nothing better. What the text's end cuts off is the
 * last value, as the text that it is.
 */
function openValues(text: string): {
  values: OpenedValue[];
  empty: OpenedValue[];
  start: number;
  /** Whether the values are parts of one that cannot be read. */
  isPart: boolean;
} {
  const found = findValues(text);
  const { values, empty, cutAt } = found;
  const [first] = values;
  const at =
    first === undefined ? undefined : timeInWords(text.slice(0, Math.min(first.start, LONGEST_PREFIX)));
  // Nothing but values: one after the other, or a line each.
  const around = first?.start === text.search(/\S/) && isBlankBetween(text, values) ? 'concatenated' : 'text';
  const wordsAround = namesSigner(text) ? wordsAroundValues(text, values) : undefined;
  const open = (found: FoundValue): OpenedValue => {
    const { value, source, start, end, syntax } = found;
    const { before = '', after = '' } = wordsAround?.(found) ?? {};
    const written = text.slice(start, end);
    const plain = (source === undefined ? written.includes('$') : mayBeExtended(written))
      ? withoutExtended(value)
      : value;
    const notation = syntax ?? (plain === value ? undefined : 'mongodb');
    const isMarked = hasMark(written);
    return {
      value: plain,
      steps: notation === undefined ? [around] : [around, notation],
      source,
      at,
      isMarked,
      before,
      after,
    };
  };
  const opened = values.map(open);
  if (first !== undefined && cutAt !== undefined) {
    const cut = text.slice(cutAt);
    const isMarked = hasMark(cut);
    const { before = '', after = '' } = wordsAround?.({ start: cutAt, end: text.length }) ?? {};
    opened.push({ value: cut, steps: [around], source: undefined, at, isMarked, before, after });
  }
  return {
    values: opened,
    empty: empty === undefined || cutAt !== undefined ? [] : [open(empty)],
    start: first?.start ?? 0,
    isPart: found.partReason !== undefined,
  };
}

/** Whether a text mentions a signature anywhere. */
function namesSigner(text: string): boolean {
  return text.includes('sha256=') || mayHoldSignature(text);
}

/**
 * For a value, the words before and after it. Bodies are not words: a person's text in one says nothing about another.
 */
function wordsAroundValues(
  text: string,
  values: readonly FoundValue[],
): (value: { start: number; end: number }) => { before: string; after: string } {
  const bodies = values.filter(({ start, end }) => hasMark(text.slice(start, end)));
  return ({ start, end }) => {
    let before = '';
    let from = 0;
    for (const body of bodies) {
      if (body.start >= start) break;
      before += text.slice(from, body.start);
      from = body.end;
    }
    const next = bodies.find((body) => body.start >= end)?.start;
    return { before: before + text.slice(Math.min(from, start), start), after: text.slice(end, next) };
  };
}

function isBlankBetween(text: string, values: readonly FoundValue[]): boolean {
  return values.every(({ end }, i) => {
    const next = values[i + 1]?.start;
    return next === undefined || text.slice(end, next).trim() === '';
  });
}

const LONGEST_PREFIX = 2000;

/** Colours of a terminal. */
function ansi(text: string): Inner | undefined {
  if (!text.includes('\x1b[')) return undefined;
  return { step: 'ansi', text: withoutColours(text), isExact: true };
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

/** `msg="received {\"object\":…}"`: the first quoted value of logfmt with a bracket in it that begins before `end`. */
function logfmt(end: number, text: string): Inner | undefined {
  FIELD.lastIndex = 0;
  // No pattern takes a value whole: at some megabytes it overflows the stack.
  for (let match = FIELD.exec(text); match !== null && match.index < end; match = FIELD.exec(text)) {
    const start = FIELD.lastIndex;
    const after = endOfText(text, start);
    if (after === undefined) return undefined;
    if (after < text.length && !AFTER_FIELD.test(text.charAt(after))) continue;
    FIELD.lastIndex = after;
    const value = text.slice(start, after - 1);
    if (value.includes('\\') && /[{[]/.test(value)) {
      return { step: 'logfmt', text: unescaped(value), isExact: true, before: text.slice(0, match.index) };
    }
  }
  return undefined;
}

/** The same, where nothing but the words of a log stand before it, and it is no person's text. */
function fieldAround(end: number, text: string): Inner | undefined {
  const before = text.slice(0, text.search(/[{[](?![\w.-]+[}\]])|$/));
  const isField = /(?:^|[\s,(])[\w.@-]+="[^"]*$/.test(before);
  const quote = before.lastIndexOf('"');
  return isField && !endsBeforeText(text.slice(0, quote)) ? logfmt(end, text) : undefined;
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
  const inner = (packed ?? bytes).toString('utf8');
  if (inner.includes('\uFFFD') || !hasMark(inner)) return undefined;
  return { step: packed === undefined ? 'hex' : 'hex.gzip', text: inner, isExact: true };
}

const SHORTEST_HEX = 80;

/** No webhook is shorter in base64; shorter ones are ids and hashes. */
const BASE64_START = /[A-Za-z0-9+/_-]{40}/;
const BASE64_END = /[^A-Za-z0-9+/_-]/g;

/** The first token of base64. In two steps: one pattern of any length overflows the stack at some 6 MB of letters. */
function base64Token(text: string): string | undefined {
  const start = text.search(BASE64_START);
  if (start < 0) return undefined;
  BASE64_END.lastIndex = start;
  const end = BASE64_END.exec(text)?.index ?? text.length;
  // Its padding says nothing that the decoder needs.
  return text.slice(start, end);
}

/** Base64 (also the URL's alphabet, also in lines), alone or among words; of a text, or of gzip or zlib of one. */
function base64(text: string, allowance: Allowance): Inner | undefined {
  const isAlone = /^[A-Za-z0-9+/_\-\s]+={0,2}\s*$/.test(text);
  // What is encoded in the words of a body is a person's.
  const token = hasMark(text) ? undefined : base64Token(text);
  // Words of letters alone can be lines of base64.
  return (isAlone ? decoded(text, allowance) : undefined) ?? decoded(token, allowance);
}

function decoded(token: string | undefined, allowance: Allowance): Inner | undefined {
  if (token === undefined || token.length < 16) return undefined;
  const bytes = Buffer.from(token, 'base64');
  const packed = allowance.unpackAny(bytes);
  const inner = (packed ?? bytes).toString('utf8');
  // An id of as many letters decodes to noise.
  if (inner.includes('\uFFFD') || inner.includes('\0')) return undefined;
  return { step: packed === undefined ? 'base64' : 'base64.gzip', text: inner, isExact: true };
}
