import type { JsonValue } from '../../model/json.js';
import { locateJsonError } from '../parse-json.js';
import { Allowance, MAX_LAYERS } from './allowance.js';
import { timeInWords, withoutColors } from './clock.js';
import { ansi, isInField, logfmtFields, type Inner } from './encodings.js';
import { findValues, type FoundValue } from './find-values.js';
import { mayHoldSignature, splitRequest } from './http-head.js';
import { isRestOfJson } from './json-rests.js';
import { joinFrames } from './line-frames.js';
import { hasBracket, hasMark, type PartReason } from './outer-values.js';
import { fragmentOf, isDecorated, printAround, printFormOf, type PrintForm } from './printed-texts.js';
import { isReadable, WordsReader, type Beside } from './words.js';
import { withoutNotations } from './values.js';

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
  /** Where it stands encoded among the words of the text: one line can hold a body twice. Values of one place are never the same one. */
  place?: string;
  /** Why its value is a text that can only be shown: a body that nothing reads, beside values. */
  unread?: Unopened['reason'];
}

/** Why a text holds no value. */
export interface Unopened {
  reason: 'invalid_json' | 'no_json' | 'abridged' | 'empty_request_body' | 'n8n_cut' | PartReason;
  message: string;
}

const parse: (text: string) => JsonValue = JSON.parse;

/** The value of a text that is only JSON. */
export function wholeJson(text: string): OpenedValue | undefined {
  try {
    const value = parse(text);
    // A text that is indented alone is a piece of one in a print.
    if (typeof value === 'string' && fragmentOf(text) !== undefined) return undefined;
    return {
      ...withoutNotations(value, text, true),
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
  if (isReadable(opened)) return opened;
  for (const { unread, value } of opened) {
    if (unread === undefined) continue;
    return { reason: unread, message: locateJsonError(typeof value === 'string' ? value : text) };
  }
  if (isDecorated(text))
    return { reason: 'printed_json', message: `no whole JSON in ${text.length} characters` };
  const printed = withoutColors(withoutFrames(text, bytes));
  if (!hasBracket(text)) {
    const reason = formOfFailure(printed) ?? 'no_json';
    return { reason, message: `no JSON in ${text.length} characters` };
  }
  return { reason: reasonOf(printed), message: locateJsonError(text) };
}

/** What a program printed, whatever log systems put before its lines. */
function withoutFrames(text: string, bytes?: Uint8Array): string {
  let inner = text;
  let frames = joinFrames(bytes ?? Buffer.from(text));
  for (let layer = 0; frames !== undefined && frames.text !== inner && layer < MAX_LAYERS; layer++) {
    inner = frames.text;
    frames = joinFrames(Buffer.from(inner));
  }
  return inner;
}

/** Why nothing is read of a text with brackets. */
function reasonOf(text: string): Unopened['reason'] {
  const fragment = fragmentOf(text);
  if (fragment !== undefined) return fragment;
  const { isAbridged, partReason, cutPrint } = findValues(text);
  if (isAbridged) return 'abridged';
  const print = cutPrint !== undefined && partReason === 'inside_text' ? cutPrint : partReason;
  return print ?? formOfFailure(text) ?? cutPrint ?? 'invalid_json';
}

/** The line of a request in nginx's own format whose last field, the body, is empty. */
const WITHOUT_BODY = /"POST [^"]*" \d{3} (?:[^"]|"[^"]*")*"-?"\s*$/;
const LONGEST_LINE = 8_000;

/** The beginning of what the library `flatted` wrote of an execution (n8n's table `execution_data`), whose parts refer to each other. */
const CUT_FLATTED = /^\s*\[\{(?:"\w{1,40}":(?:"\d{1,9}"|\d{1,9}),){0,20}"resultData":"\d/;

/** What a text without a value resembles. */
function formOfFailure(text: string): 'empty_request_body' | 'n8n_cut' | PrintForm | undefined {
  if (CUT_FLATTED.test(text)) return 'n8n_cut';
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
  // Without what is around its lines, such a part would look whole.
  if (isDecorated(text)) return [];
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
    if (isReadable(opened)) return opened.map((each) => ({ ...each, at: each.at ?? at }));
  }
  // A bracket alone on its line that nothing closes: what follows it at the margin is a value of its own.
  const [bracket] = /^\[[ \t]*\r?\n(?=\{)/.exec(text) ?? [];
  const alone = bracket === undefined ? undefined : text.slice(bracket.length);
  if (alone !== undefined && wholeJson(alone) !== undefined)
    return openInner({ step: 'text', text: alone, isExact: true });
  // Of what are only parts of a print, none is read.
  if (fragmentOf(text) !== undefined || isRestOfJson(text)) return [];
  const found = text.includes('{') || text.includes('[') ? openValues(text) : NOTHING;
  // Behind an escaped line end, values are parts of a body, or a person's words.
  const isInside = found.values.length > 0 && ESCAPED_START.test(text.slice(0, found.start));
  // So they are without one, inside a value that cannot be read.
  if (!isInside && found.isPart) {
    // The quotes of a log's field can be what makes its value unreadable: without them it is whole.
    return isInField(text) ? [...logfmtFields(text)].flatMap((field) => openInner(field)) : [];
  }
  if (found.values.length === 0 && (found.isCutPrint || (!isInField(text) && isEncodedInPrint(text))))
    return [];
  // What is escaped in JSON that the text's end cuts off stands in its strings.
  const to = found.values.length === 0 ? (found.cutAt ?? text.length) : text.length;
  const opened = openWords(isInside ? [] : found.values, isInside ? [] : found.spans, to);
  if (isReadable(opened)) return opened;
  if (found.isPart) return [];
  if (found.values.length > 0) return found.values;
  return opened.length > 0 ? opened : found.empty;

  /** The values of a text and what the words around them hold up to `to`, in order. */
  function openWords(values: OpenedValue[], spans: readonly Span[], to: number): OpenedValue[] {
    const bodies = spans.map(({ start, end }) => text.slice(start, end)).filter(hasMark);
    const reader = new WordsReader(text, allowance, openInner, reasonOf, bodies);
    const beside: Beside = values.length === 0 ? 'nothing' : bodies.length === 0 ? 'values' : 'bodies';
    const all: OpenedValue[] = [];
    let from = 0;
    for (const { start, end, opened } of readFields(values, spans, reader, beside)) {
      addWords(from, start);
      for (const each of opened) all.push(each);
      from = end;
    }
    addWords(from, to);
    return all;

    function addWords(start: number, end: number): void {
      for (const each of reader.read(start, end, beside)) all.push({ ...each, at: each.at ?? values[0]?.at });
    }
  }

  function openInner({ step, text: inner, isExact, before = '' }: Inner): OpenedValue[] {
    return openLayers(inner, allowance, layer + 1).map((each) => ({
      ...each,
      before: before === '' ? each.before : before + each.before,
      steps: [...step.split('.'), ...each.steps],
      source: isExact ? each.source : undefined,
    }));
  }

  /** The values with their places; in place of those in a quoted field of a log, which have its escapes, what the field holds. */
  function readFields(
    values: OpenedValue[],
    spans: readonly Span[],
    reader: WordsReader,
    beside: Beside,
  ): (Span & { opened: OpenedValue[] })[] {
    const own = spans.map((span, i) => ({ ...span, opened: values.slice(i, i + 1) }));
    if (values.length === 0 || !text.includes('="')) return own;
    const all: typeof own = [];
    let from = 0;
    for (const field of logfmtFields(text, spans)) {
      const { start, end } = field;
      let first = from;
      while ((own[first]?.start ?? Infinity) < start) first++;
      let to = first;
      while ((own[to]?.end ?? Infinity) <= end) to++;
      const opened = to === first ? [] : reader.field(field, start, beside);
      if (opened.length === 0) continue;
      for (const each of own.slice(from, first)) all.push(each);
      all.push({ start, end, opened });
      from = to;
    }
    for (const each of own.slice(from)) all.push(each);
    return all;
  }
}

const NOTHING = {
  values: [],
  spans: [],
  empty: [],
  start: 0,
  cutAt: undefined,
  isPart: false,
  isCutPrint: false,
};

/** A quick look: no JSON begins as the head of a request does. */
function mayBeRequest(text: string): boolean {
  return /^[^{["'\\]{0,200}(?:HTTP\/\d|hub[-_]?signature|: )/i.test(text);
}

/** How a body begins whose line ends are escaped, and its quotes perhaps not. */
const ESCAPED_START = /[{[]\s*\\+['nr]/;

/** Where an encoded value can begin; a signature is none. */
const ENCODED =
  /(?<!sha\d{1,3}=)(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{40}|\\x7B|[{[]\s*(?:\\+["'nr]|\\x22|""|&(?:quot|#34|#x22);)|%7B(?:%\w\w|\+|\s){0,64}%22/i;

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
  /** Where each of them stands. */
  spans: readonly Span[];
  empty: OpenedValue[];
  start: number;
  /** Where a value begins that the text's end cuts off. */
  cutAt: number | undefined;
  /** Whether the values are parts of one that cannot be read. */
  isPart: boolean;
  /** Whether the end of the text cuts off a value that a program printed. */
  isCutPrint: boolean;
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
    const plain = withoutNotations(value, written, source !== undefined);
    const isMarked = hasMark(written);
    return {
      value: plain.value,
      steps: [around, ...(syntax === undefined ? plain.steps : [syntax])],
      source,
      at,
      isMarked,
      before,
      after,
    };
  };
  const opened = values.map(open);
  const spans: Span[] = [...values];
  if (first !== undefined && cutAt !== undefined) {
    const cut = text.slice(cutAt);
    const isMarked = hasMark(cut);
    const { before = '', after = '' } = wordsAround?.({ start: cutAt, end: text.length }) ?? {};
    opened.push({ value: cut, steps: [around], source: undefined, at, isMarked, before, after });
    spans.push({ start: cutAt, end: text.length });
  }
  return {
    values: opened,
    spans,
    empty: empty === undefined || cutAt !== undefined ? [] : [open(empty)],
    start: first?.start ?? 0,
    cutAt,
    isPart: found.partReason !== undefined,
    isCutPrint: found.cutPrint !== undefined && text.includes('\n'),
  };
}

/** Where a value stands. */
interface Span {
  start: number;
  end: number;
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
