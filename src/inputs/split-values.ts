import {
  ByteCollector,
  CLOSE_BRACKET,
  COMMA,
  isBlank,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  trimEnd,
} from './bytes.js';
import type { ItemQueue, Place, Splitter } from './item-queue.js';
import { isCutBefore } from './line-kinds.js';
import { ValueScanner } from './value-scanner.js';
import { findEntryList, largeValueOf, WrappedValues } from './wrapped-values.js';

/** A longer line is not held to tell whether the value before it is cut off. */
const LONGEST_TOLD = 512 * 1024;

const BEGUN = Buffer.from('{"');
const DEEP = 64;

function isDeepOpening(begun: Buffer): boolean {
  return (
    begun.length > DEEP && begun.every((byte) => byte === OPEN_BRACKET || isBlank(byte) || byte === NEWLINE)
  );
}

const BYTE_ORDER_MARK = new Set([0xef, 0xbb, 0xbf]);

/**
 * Splits JSON values that are separated by white space or commas: one body, pretty-printed or not, or several. Each
 * element of an array at top level is an entry of its own, so that an array of any size streams.
 *
 * Anything else (`scalar` in an array, `junk` between values) becomes an entry too: nothing is dropped.
 */
export class ValueSplitter implements Splitter {
  line: number;
  #state: 'between' | 'value' | 'scalar' | 'junk' | 'wrapped' = 'between';
  #largeValue: number;
  /** Whether the current value has been looked at for a list of entries in it. */
  #isExamined = false;
  #wrapped: WrappedValues | undefined;
  #inArray: boolean;
  /** Elements of the array read so far. */
  #element: number;
  /** Offset of the current chunk. */
  #base: number;
  /** Where the current entry starts. */
  #start: Place;
  /** Where the current array starts: its bracket. */
  #arrayStart: Place;
  #bytes: ByteCollector;
  #scanner = new ValueScanner();
  #junkAtLineStart = false;
  /** The beginning of a line that tells whether the value before it is cut off. */
  #held: Buffer | undefined;
  /** Whether the next line tells that: it is the value's second one. */
  #mayBeCut = false;

  constructor(
    private readonly queue: ItemQueue,
    start: Place,
  ) {
    this.line = start.line;
    this.#base = start.offset;
    this.#element = start.element;
    this.#inArray = start.element > 0;
    this.#start = start;
    this.#arrayStart = start;
    this.#bytes = new ByteCollector(queue.maxEntryBytes);
    this.#largeValue = largeValueOf(queue);
  }

  push(next: Buffer): void {
    const chunk = this.#held === undefined ? next : Buffer.concat([this.#held, next]);
    this.#base -= this.#held?.length ?? 0;
    this.#held = undefined;
    this.#read(chunk, false);
  }

  #read(chunk: Buffer, isLast: boolean): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case 'between':
          at = this.#between(chunk, at);
          break;
        case 'value':
          if (this.#mayBeCut && !this.#tellCut(chunk, at, isLast)) {
            this.#held = Buffer.from(chunk.subarray(at));
            this.#base += chunk.length;
            return;
          }
          if (this.#isInValue) at = this.#value(chunk, at);
          break;
        case 'scalar':
          at = this.#scalar(chunk, at);
          break;
        case 'junk':
          at = this.#junk(chunk, at);
          break;
        case 'wrapped':
          at = this.#wrapped === undefined ? at : this.#continueWrapped(this.#wrapped, chunk, at);
          break;
      }
    }
    this.#base += chunk.length;
  }

  end(damaged: boolean): void {
    const held = this.#held;
    this.#held = undefined;
    this.#base -= held?.length ?? 0;
    if (held !== undefined) this.#read(held, true);
    if (damaged) return;
    if (this.#wrapped !== undefined) {
      this.#wrapped.end();
    } else if (this.#state === 'junk') {
      this.#give(0);
    } else if (this.#state !== 'between') {
      // A file that is still being written is read again from here, so that the entry is complete then.
      this.#give(0, this.#resumable(this.#start));
    } else if (this.#inArray) {
      this.queue.problem(
        'truncated_input',
        'The file ends inside a JSON array; what came before is kept. Fetch the file whole and replay it again.',
        this.line + 1,
        this.#resumable(this.#placeAt(0)),
      );
    }
  }

  /**
   * Only the element count distinguishes a place inside an array from one at top level: before the first element, resume
   * at the bracket.
   */
  #resumable(place: Place): Place {
    return this.#inArray && place.element === 0 ? this.#arrayStart : place;
  }

  #between(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (byte === NEWLINE) {
        this.line++;
      } else if (byte === COMMA || isBlank(byte) || (!this.#inArray && BYTE_ORDER_MARK.has(byte))) {
        continue;
      } else if (byte === CLOSE_BRACKET && this.#inArray) {
        this.#inArray = false;
        this.#element = 0;
      } else if (byte === OPEN_BRACKET && !this.#inArray) {
        this.#arrayStart = this.#placeAt(at);
        this.#inArray = true;
        this.#element = 0;
      } else {
        this.#start = this.#placeAt(at);
        if (byte === OPEN_BRACE || (this.#inArray && (byte === OPEN_BRACKET || byte === QUOTE))) {
          this.#scanner.reset();
          this.#state = 'value';
        } else {
          this.#junkAtLineStart = false;
          this.#state = this.#inArray ? 'scalar' : 'junk';
        }
        return at;
      }
    }
    return chunk.length;
  }

  get #isInValue(): boolean {
    return this.#state === 'value';
  }

  /** Gives the value if the line at `from` shows that it is cut off. Whether the line could be told: all of it has come. */
  #tellCut(chunk: Buffer, from: number, isLast: boolean): boolean {
    const newline = chunk.indexOf(NEWLINE, from);
    const size = (newline === -1 ? chunk.length : newline) - from;
    if (newline === -1 && !isLast && size <= LONGEST_TOLD) return false;
    this.#mayBeCut = false;
    const begun = this.#bytes.peek();
    if (begun === undefined || size > LONGEST_TOLD) return true;
    // Nobody nests lists so deep: it is as good as a value that has begun.
    const value = isDeepOpening(begun) ? BEGUN : begun;
    if (isCutBefore(value, chunk.subarray(from, from + size))) this.#give(from);
    return true;
  }

  #value(chunk: Buffer, start: number): number {
    // Its first line is read alone: the second may tell that it is cut off.
    const newline = this.#scanner.newlines === 0 ? chunk.indexOf(NEWLINE, start) : -1;
    if (newline === -1) return this.#valueIn(chunk, start);
    const to = this.#valueIn(chunk.subarray(0, newline + 1), start);
    this.#mayBeCut = to === newline + 1 && this.#isInValue && this.#scanner.status === 'open';
    return to;
  }

  #valueIn(chunk: Buffer, from: number): number {
    const room = this.#largeValue - this.#bytes.size;
    const isFirstPart = !this.#isExamined && chunk.length - from > room;
    const part = isFirstPart ? chunk.subarray(0, from + room) : chunk;
    const newlines = this.#scanner.newlines;
    const to = this.#scanner.scan(part, from);
    this.#bytes.add(part.subarray(from, to));
    this.line += this.#scanner.newlines - newlines;
    if (this.#scanner.status !== 'open') this.#give(to);
    else if (isFirstPart) this.#examine();
    return to;
  }

  /** Splits a large value into the elements of the list in it, if it has one. */
  #examine(): void {
    this.#isExamined = true;
    const head = this.#bytes.peek();
    const way = head?.[0] === OPEN_BRACE ? findEntryList(head) : undefined;
    if (head === undefined || way === undefined) return;
    this.#bytes.take();
    const place = this.#resumable(this.#start);
    this.#wrapped = new WrappedValues(this.queue, way, {
      place,
      line: this.#start.line + 1,
      given: 0,
      element: 0,
    });
    this.#wrapped.push(head, 0);
    this.#state = 'wrapped';
  }

  #continueWrapped(wrapped: WrappedValues, chunk: Buffer, from: number): number {
    const newlines = wrapped.newlines;
    const to = wrapped.push(chunk, from);
    this.line += wrapped.newlines - newlines;
    if (wrapped.status !== 'open') {
      this.#wrapped = undefined;
      this.#isExamined = false;
      this.#state = 'between';
      if (this.#inArray) this.#element++;
    }
    return to;
  }

  #scalar(chunk: Buffer, from: number): number {
    let to = from;
    while (to < chunk.length && !endsScalar(chunk[to] ?? 0)) to++;
    this.#bytes.add(chunk.subarray(from, to));
    if (to < chunk.length) this.#give(to);
    return to;
  }

  /** Up to the next line that starts with a bracket. */
  #junk(chunk: Buffer, from: number): number {
    for (let at = from; at < chunk.length; at++) {
      const byte = chunk[at];
      if (this.#junkAtLineStart && (byte === OPEN_BRACE || byte === OPEN_BRACKET)) {
        this.#bytes.add(chunk.subarray(from, at));
        this.#give(at);
        return at;
      }
      this.#junkAtLineStart = byte === NEWLINE;
      if (byte === NEWLINE) this.line++;
    }
    this.#bytes.add(chunk.subarray(from));
    return chunk.length;
  }

  /** Gives the entry that ends at `at`. */
  #give(at: number, after?: Place): void {
    const size = this.#bytes.size;
    const raw = this.#bytes.take();
    const bytes = raw === undefined ? undefined : trimEnd(raw);
    const line = this.#start.line + 1;
    const element = this.#inArray ? this.#element++ : undefined;
    this.queue.entryWithin(bytes, size, line, after ?? this.#placeAt(at), { element });
    this.#state = 'between';
    this.#isExamined = false;
  }

  #placeAt(at: number): Place {
    return { offset: this.#base + at, line: this.line, element: this.#inArray ? this.#element : 0 };
  }
}

function endsScalar(byte: number): boolean {
  return byte === COMMA || byte === CLOSE_BRACKET || byte === NEWLINE;
}
