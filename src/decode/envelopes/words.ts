import type { Allowance } from './allowance.js';
import {
  base64Tokens,
  fromBase64,
  fromCutGzip,
  isBase64Alone,
  logfmtFields,
  printedBuffers,
  WHOLE_ENCODINGS,
  type Inner,
} from './encodings.js';
import type { OpenedValue, Unopened } from './open-text.js';
import { endsBeforeText, hasMark, isOfBody } from './outer-values.js';
import { mayHold } from './wrappers.js';

/** What stands beside words: with bodies, only bodies count; with other values, also what a log's field holds. */
export type Beside = 'nothing' | 'values' | 'bodies';

/** No webhook is shorter in any encoding. */
const SHORTEST = 40;
/** How much before a text is looked at to tell whose it is. */
const LONGEST_PREFIX = 2048;

/** Reads what the words of a text hold in encodings. */
export class WordsReader {
  constructor(
    private readonly text: string,
    private readonly allowance: Allowance,
    private readonly open: (inner: Inner) => OpenedValue[],
    /** Why the words have no value that could be read. */
    private readonly reasonOf: (words: string) => Unopened['reason'],
    /** The bodies that stand beside the words: what also stands in one of them is a person's. */
    private readonly bodies: readonly string[] = [],
  ) {}

  /** All that stands from `from` to `to`, in order; last of all what looks like a body and cannot be read. */
  read(from: number, to: number, beside: Beside): OpenedValue[] {
    if (beside !== 'nothing' && to - from < SHORTEST) return [];
    const words = this.text.slice(from, to);
    const opened: OpenedValue[] = [];
    let at = from;
    for (const field of logfmtFields(words)) {
      const held = this.field(field, from + field.start, beside);
      if (held.length === 0) continue;
      this.#add(opened, this.#encoded(at, from + field.start - 1, 'bodies'));
      this.#add(opened, held);
      at = from + field.end;
    }
    this.#add(opened, this.#encoded(at, to, at === from ? beside : 'bodies'));
    return opened;
  }

  #add(opened: OpenedValue[], more: readonly OpenedValue[]): void {
    for (const each of more) opened.push(each);
  }

  /** What a quoted field of a log holds that stands at `start`. */
  field(field: Inner, start: number, beside: Beside): OpenedValue[] {
    if (this.#isOfPerson(start)) return hasMark(field.text) ? [unread(field.text, 'inside_text')] : [];
    const held = this.open(field);
    return isReadable(held) && (beside !== 'bodies' || isMarked(held)) ? placed(held, start) : [];
  }

  #encoded(from: number, to: number, beside: Beside): OpenedValue[] {
    if (beside !== 'nothing' && to - from < SHORTEST) return [];
    const words = this.text.slice(from, to);
    for (const decode of WHOLE_ENCODINGS) {
      const inner = decode(words, this.allowance);
      const opened = inner === undefined ? [] : this.open(inner);
      if (isReadable(opened) && (beside === 'nothing' || isMarked(opened))) return placed(opened, from);
    }
    const opened = this.#buffers(words, from, beside);
    this.#add(opened, this.#base64(words, from, beside));
    if (opened.length > 0 || beside === 'nothing' || !isOfBody(words)) return opened;
    return [unread(words, this.reasonOf(words))];
  }

  #base64(words: string, from: number, beside: Beside): OpenedValue[] {
    if (!isBase64Alone(words)) return this.#tokens(words, from, beside);
    // Lines can be one text, or a text each.
    const whole = fromBase64(words, this.allowance);
    const opened = whole === undefined ? [] : this.#piece(whole, from, beside, false);
    // Whoever unpacks the first of several is not told of the others.
    const mayBeFirst = whole?.step === 'base64.gzip' && /\S\s+\S/.test(words);
    if (whole !== undefined && !mayBeFirst) return opened;
    const each = this.#tokens(words, from, beside);
    return readable(each) > readable(opened) || opened.length === 0 ? each : opened;
  }

  #tokens(words: string, from: number, beside: Beside): OpenedValue[] {
    // What is encoded in the words of a body is a person's.
    const isBarred = !isBase64Alone(words) && hasMark(words);
    const opened: OpenedValue[] = [];
    for (const { start, end } of base64Tokens(words)) {
      const token = words.slice(start, end);
      const inner = fromBase64(token, this.allowance) ?? fromCutGzip(token, this.allowance);
      if (inner === undefined || this.bodies.some((body) => body.includes(token))) continue;
      this.#add(opened, this.#piece(inner, from + start, beside, isBarred));
    }
    return opened;
  }

  /** `<Buffer 7b 22 …>`: bytes as Node prints them, of which it leaves out all but 50. */
  #buffers(words: string, from: number, beside: Beside): OpenedValue[] {
    const isBarred = hasMark(words);
    const opened: OpenedValue[] = [];
    for (const { start, inner, isCut } of printedBuffers(words, this.allowance)) {
      if (!isCut) this.#add(opened, this.#piece(inner, from + start, beside, isBarred));
      else if (hasMark(inner.text)) opened.push(unread(inner.text, isBarred ? 'inside_text' : 'abridged'));
    }
    return opened;
  }

  /** What stands at `start`. `isBarred`: it is a person's. */
  #piece(inner: Inner, start: number, beside: Beside, isBarred: boolean): OpenedValue[] {
    // What is shorter than a webhook can still be a wrapper without one.
    if (beside !== 'nothing' && !mayHold(inner.text)) return [];
    const isOfPerson = isBarred || this.#isOfPerson(start);
    const opened = isOfPerson ? [] : this.#wanted(this.open(inner), beside);
    if (opened.length > 0) return placed(opened, start);
    return hasMark(inner.text) ? [unread(inner.text, isOfPerson ? 'inside_text' : 'invalid_json')] : [];
  }

  #wanted(opened: OpenedValue[], beside: Beside): OpenedValue[] {
    return beside === 'nothing' || isMarked(opened) ? opened : [];
  }

  #isOfPerson(start: number): boolean {
    return endsBeforeText(this.text.slice(Math.max(0, start - LONGEST_PREFIX), start));
  }
}

function placed(opened: readonly OpenedValue[], start: number): OpenedValue[] {
  return opened.map((each) => ({ ...each, place: `${start}.${each.place ?? ''}` }));
}

/** Whether anything of it is read. */
export function isReadable(opened: readonly OpenedValue[]): boolean {
  return opened.some((each) => each.unread === undefined);
}

function isMarked(opened: readonly OpenedValue[]): boolean {
  return opened.some((each) => each.isMarked);
}

function readable(opened: readonly OpenedValue[]): number {
  return opened.filter((each) => each.unread === undefined).length;
}

function unread(value: string, reason: Unopened['reason']): OpenedValue {
  const steps = ['text'];
  return {
    value,
    steps,
    source: undefined,
    at: undefined,
    isMarked: true,
    before: '',
    after: '',
    unread: reason,
  };
}
