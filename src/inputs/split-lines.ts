import {
  ByteCollector,
  CLOSE_BRACE,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlank,
  trimEnd,
  withoutMarks,
} from './bytes.js';
import { findEntry, findFilled, isLoneOpening, lineTime, type FoundEntry } from './console-line.js';
import { escapedEntryOf, unescapedRow, type FileEscapes } from './escaped-values.js';
import { isRequestWithoutBody } from '../decode/envelopes/open-text.js';
import type { LinesSplitter } from './copy-blocks.js';
import type { ItemQueue, Place } from './item-queue.js';
import {
  beginningAt,
  isCutBefore,
  isEmpty,
  isIndent,
  isWhole,
  loneOpening,
  openingLines,
  type OpenValue,
} from './line-kinds.js';
import { isLoggerLine } from './logger-lines.js';
import { PrintedText } from './printed-text.js';
import { type LineEnd } from './printed-value.js';
import { beginsHead, RequestHead, requestAfterBody, type HeadLine } from './request-head.js';
import { ValueScanner } from './value-scanner.js';
import { findEntryList, largeValueOf, WrappedValues } from './wrapped-values.js';

const LINE_END = Buffer.of(NEWLINE);
const NOTHING = Buffer.alloc(0);
/** What stands between two objects that nothing separates; also often inside a text. */
const ADJACENT = Buffer.of(CLOSE_BRACE, OPEN_BRACE);
/** A byte order mark and a carriage return may surround the entry of a line. */
const MARKS_SIZE = 4;

/**
 * Splits text in which each line holds one entry.
 * - `ndjson`: the line is the entry, whatever it holds.
 * - `console`: the JSON inside the line is the entry; a line without JSON is skipped.
 *
 * In both, a value that spans lines (pretty-printed into an otherwise compact log) is one entry.
 */
export class LineSplitter implements LinesSplitter {
  line: number;
  /** Where the current line starts, or where an open value has been read to. */
  #offset: number;
  #rest: ByteCollector;
  #open: OpenValue | undefined;
  #openBytes: ByteCollector;
  /** Whether the next line tells if the open value goes on or is cut off. */
  #mayBeCut = false;
  #scanner = new ValueScanner();
  /** A line that is larger may be one value with many entries in it. */
  #largeValue: number;
  #isExamined = false;
  #wrapped: WrappedValues | undefined;
  private readonly kind: 'ndjson' | 'console';
  /** A request without a body among such with one has lost it. */
  readonly #keepsBodies: boolean;
  /** Whether the literals and cells of the file's lines have their backslashes doubled. */
  readonly #escapes: FileEscapes;
  #head = new RequestHead();
  #text: PrintedText;

  constructor(
    private readonly queue: ItemQueue,
    format: { kind: 'ndjson' | 'console'; keepsBodies?: boolean; escapes?: FileEscapes },
    start: Place,
  ) {
    this.#escapes = format.escapes;
    this.kind = format.kind;
    this.#keepsBodies = format.keepsBodies === true;
    this.line = start.line;
    this.#offset = start.offset;
    this.#rest = new ByteCollector(queue.maxEntryBytes + MARKS_SIZE);
    this.#openBytes = new ByteCollector(queue.maxEntryBytes);
    this.#text = new PrintedText(queue.maxEntryBytes);
    this.#largeValue = largeValueOf(queue);
  }

  get isInside(): boolean {
    return this.#open !== undefined || this.#wrapped !== undefined || this.#text.isOpen;
  }

  push(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      if (this.#open !== undefined && !this.#mayBeCut) {
        from = this.#continue(this.#open, chunk, from);
        continue;
      }
      if (this.#wrapped !== undefined) {
        from = this.#continueWrapped(this.#wrapped, chunk, from);
        continue;
      }
      const newline = chunk.indexOf(NEWLINE, from);
      const room = this.#largeValue - this.#rest.size;
      if (!this.#isExamined && (newline === -1 ? chunk.length : newline) - from > room) {
        this.#rest.add(chunk.subarray(from, from + room));
        from += room;
        this.#examine();
        continue;
      }
      if (newline === -1) {
        this.#rest.add(chunk.subarray(from));
        return;
      }
      const part = chunk.subarray(from, newline);
      if (this.#rest.size === 0) {
        this.#take(part, part.length, true);
      } else {
        this.#rest.add(part);
        const size = this.#rest.size;
        this.#take(this.#rest.take(), size, true);
      }
      from = newline + 1;
    }
  }

  end(damaged: boolean): void {
    if (this.#wrapped !== undefined && !damaged) this.#wrapped.end();
    this.#wrapped = undefined;
    const last = this.#mayBeCut ? this.#rest.take() : undefined;
    if (last !== undefined && !this.#tellCut(last, NOTHING)) this.#rest.add(last);
    this.#endOpen(damaged);
    // The last line can be read again, behind one before it.
    while (this.#rest.size > 0) {
      const size = this.#rest.size;
      const rest = this.#rest.take();
      if (!damaged || (rest !== undefined && isWhole(rest, this.kind))) this.#take(rest, size, false);
      this.#endOpen(damaged);
    }
    if (!damaged) this.#giveText(this.#text.isOpen);
    this.#endOpen(damaged);
    this.#releaseHead();
  }

  #endOpen(damaged: boolean): void {
    if (this.#open !== undefined && !damaged) this.#giveCut(this.#open, this.#open.before);
    this.#open = undefined;
  }

  /** Splits a large value in a line of NDJSON into the elements of the list in it, if it has one. */
  #examine(): void {
    this.#isExamined = true;
    const head = this.kind === 'ndjson' && this.#text.isEmpty ? this.#rest.peek() : undefined;
    const way = head?.[0] === OPEN_BRACE ? findEntryList(head) : undefined;
    if (head === undefined || way === undefined) return;
    this.#rest.take();
    if (this.#open !== undefined) this.#giveCut(this.#open, this.#here());
    const place = this.#here();
    this.#wrapped = new WrappedValues(this.queue, way, { place, line: this.line + 1, given: 0, element: 0 });
    this.#offset += this.#wrapped.push(head, 0);
  }

  /** The rest of the line is a line like any other. */
  #continueWrapped(wrapped: WrappedValues, chunk: Buffer, from: number): number {
    const newline = chunk.indexOf(NEWLINE, from);
    const to = wrapped.push(newline === -1 ? chunk : chunk.subarray(0, newline), from);
    this.#offset += to - from;
    if (wrapped.status !== 'open' || to === newline) {
      if (wrapped.status === 'open') wrapped.end();
      this.#wrapped = undefined;
      this.#isExamined = false;
    }
    return to;
  }

  /** Takes a line without its line end; a line that was too large to keep has undefined bytes. */
  #take(raw: Buffer | undefined, size: number, terminated: boolean): void {
    if (this.#mayBeCut && this.#tellCut(raw, terminated ? LINE_END : NOTHING)) return;
    const before: Place = { offset: this.#offset, line: this.line, element: 0 };
    const line = this.line + 1;
    this.#isExamined = false;
    this.#offset += size;
    if (terminated) {
      this.#offset++;
      this.line++;
    }
    const bytes = raw === undefined ? undefined : withoutMarks(raw);
    if (bytes === undefined || bytes.length > this.queue.maxEntryBytes) {
      this.#giveText(false);
      if (this.#open !== undefined) this.#giveCut(this.#open, before);
      this.#releaseHead();
      this.queue.entryWithin(undefined, size, line, this.#here());
      return;
    }
    // Where the bytes are in the text: a byte order mark may be before them.
    const start =
      raw === undefined ? before : { ...before, offset: before.offset + bytes.byteOffset - raw.byteOffset };
    const next = requestAfterBody(bytes);
    if (next === undefined) {
      // A console log's cells are told by the file.
      this.#takeLine(unescapedRow(bytes, this.kind === 'ndjson'), line, start, terminated);
      return;
    }
    // tcpflow: no line end between a body and the next request.
    const end = this.#here();
    const between: Place = { ...before, offset: start.offset + next };
    this.#goTo(between);
    this.#takeLine(bytes.subarray(0, next), line, start, true);
    this.#goTo(end);
    this.#takeLine(bytes.subarray(next), line, between, terminated);
  }

  /** Reads the line after one that has begun a value. Whether it goes on with that; else the value is cut off. */
  #tellCut(raw: Buffer | undefined, end: Buffer): boolean {
    this.#mayBeCut = false;
    if (raw === undefined || this.#open === undefined) return false;
    const begun = this.#openBytes.peek()?.subarray(this.#open.headSize ?? 0);
    const isCut = begun !== undefined && isCutBefore(begun, withoutMarks(raw));
    if (isCut) this.#giveCut(this.#open, this.#here());
    else this.push(Buffer.concat([raw, end]));
    return !isCut;
  }

  #takeLine(bytes: Buffer, line: number, before: Place, terminated: boolean): void {
    // The last line of a file that is still being written goes on.
    const end = terminated ? 'line' : 'full';
    if (!this.#holdsText(bytes, line, before, end)) this.#takeOwnLine(bytes, line, before, terminated);
  }

  /** Whether a line is of a text that a program printed over several. */
  #holdsText(bytes: Buffer, number: number, before: Place, end: LineEnd): boolean {
    const held = { bytes, content: bytes, number, before, after: this.#here() };
    let way = this.#text.add(held, end);
    if (way === 'other' && !this.#text.isEmpty) {
      this.#giveText(false);
      if (this.#open !== undefined) return this.#readAgain(held);
      way = this.#text.add(held, end);
    }
    if (way === 'last') this.#giveText(false);
    if (this.#text.isOpen) this.#releaseHead();
    // Of a head whose body may come the next line is its own.
    else if (way === 'held' && !this.#head.isEmpty && !this.#text.mayBePrefixed)
      return this.#text.release() === undefined;
    return way !== 'other';
  }

  /** Reads a line once more: the one before it has begun a value. */
  #readAgain({ bytes, before, after }: HeadLine): true {
    this.#goTo(before);
    if (after.line === before.line) this.push(bytes);
    else {
      this.push(Buffer.concat([bytes, LINE_END]));
      this.#goTo(after);
    }
    return true;
  }

  /**
   * Gives what is held of a printed text as one entry, or its one line as what it is, which may begin a value. `isCut`: by the end of
   * the file.
   */
  #giveText(isCut: boolean): void {
    const here = this.#here();
    const line = isCut ? undefined : this.#text.release();
    if (line !== undefined) {
      this.#goTo(line.after);
      this.#takeOwnLine(line.bytes, line.number, line.before, line.after.line > line.before.line);
      this.#goTo(here);
      return;
    }
    this.#releaseHead();
    const text = this.#text.take();
    if (text === undefined) return;
    const after = isCut ? text.first.before : text.last.after;
    if (this.kind === 'console' && !text.mayHoldBody) this.queue.skipped += text.lines;
    else {
      const { bytes, size, first, start, receivedAt } = text;
      this.queue.entryWithin(bytes?.subarray(start), size - start, first.number, after, { receivedAt });
    }
  }

  #takeOwnLine(bytes: Buffer, line: number, before: Place, terminated: boolean): void {
    if (this.#holds(bytes, line, before) || isEmpty(bytes)) return;
    if (this.kind === 'console') {
      this.#takeConsole(bytes, line, before, terminated);
      return;
    }
    const start = loneOpening(bytes);
    if (start === undefined) this.#takeBare(bytes, line, before, terminated);
    else this.#begin(bytes.subarray(start), { line, before, ...beginningAt(bytes, start) }, terminated);
  }

  /** Whether a line is of the head of a dumped request, whose body is to come. */
  #holds(bytes: Buffer, line: number, before: Place): boolean {
    const [first = 0] = bytes;
    if (this.#head.isEmpty && (first === OPEN_BRACE || first === OPEN_BRACKET || first === QUOTE))
      return false;
    const held = { bytes, content: bytes, number: line, before, after: this.#here() };
    if (this.#head.add(held)) return true;
    if (this.#head.isEmpty || !beginsHead(bytes)) return false;
    this.#releaseHead();
    return this.#head.add(held);
  }

  /** Takes held lines that are none of a request as what they are. */
  #releaseHead(): void {
    if (this.#head.isEmpty) return;
    const here = this.#here();
    for (const { bytes, number, before, after } of this.#head.release()) {
      this.#goTo(after);
      if (this.kind === 'ndjson' && !isEmpty(bytes)) this.#takeBare(bytes, number, before, true);
      else if (!isEmpty(bytes)) this.#takeConsole(bytes, number, before, true);
    }
    this.#goTo(here);
  }

  /** The head above a body that says who signed it; what else is held is no head. */
  #takeHead(): ReturnType<RequestHead['take']> {
    const head = this.#head.take();
    if (head === undefined) this.#releaseHead();
    return head;
  }

  /** A body with the head above it is one entry. */
  #giveRequest(
    { bytes: head, first }: NonNullable<ReturnType<RequestHead['take']>>,
    body: Buffer,
    isWhole: boolean,
  ): void {
    const size = head.length + body.length;
    this.queue.entryWithin(
      Buffer.concat([head, body]),
      size,
      first.number,
      isWhole ? this.#here() : first.before,
    );
  }

  /** A line of NDJSON is an entry. Bodies that were written one after the other without a line end are an entry each. */
  #takeBare(bytes: Buffer, line: number, before: Place, terminated: boolean): void {
    const head = this.#takeHead();
    if (head !== undefined) {
      this.#giveRequest(head, bytes, terminated || isWhole(bytes, this.kind));
      return;
    }
    let from = 0;
    for (let next = bytes.indexOf(ADJACENT); next !== -1; next = bytes.indexOf(ADJACENT, from)) {
      this.#scanner.reset();
      const end = this.#scanner.scan(bytes, skipBlank(bytes, from));
      // The brackets stand inside a text, or the line is broken.
      if (this.#scanner.status !== 'done' || bytes[end] !== OPEN_BRACE) break;
      this.queue.entry(bytes.subarray(from, end), line, { ...before, offset: before.offset + end });
      from = end;
    }
    const rest = from === 0 ? bytes : bytes.subarray(from);
    if (isLoggerLine(rest)) {
      this.queue.skipped++;
      return;
    }
    const after = { ...before, offset: before.offset + from };
    this.queue.entry(rest, line, terminated || isWhole(rest, this.kind) ? this.#here() : after);
  }

  #takeConsole(bytes: Buffer, line: number, before: Place, terminated: boolean): void {
    const found = findEntry(bytes, this.#scanner);
    const isChatter = found.kind === 'whole' && isLoggerLine(bytes.subarray(found.start));
    if (found.kind === 'none' || isChatter) {
      this.#releaseHead();
      if (this.#keepsBodies && isRequestWithoutBody(bytes.toString('latin1')))
        this.queue.entry(bytes, line, terminated ? this.#here() : before);
      else this.queue.skipped++;
      return;
    }
    if (this.#head.isEmpty && this.#giveEscaped(bytes, found, line, terminated ? this.#here() : before))
      return;
    if (found.kind === 'unfinished') {
      const receivedAt = found.start === 0 ? undefined : lineTime(bytes, found.start);
      const value = { line, before, receivedAt, ...beginningAt(bytes, found.start) };
      this.#begin(bytes.subarray(found.start), value, terminated);
      return;
    }
    const head = this.#takeHead();
    if (head !== undefined) {
      this.#giveRequest(head, bytes, terminated || found.kind !== 'cut');
      return;
    }
    if (found.kind === 'line') {
      this.queue.entry(bytes, line, this.#here(), { receivedAt: lineTime(bytes, bytes.length) });
      return;
    }
    const receivedAt = found.start === 0 ? undefined : lineTime(bytes, found.start);
    let entry = bytes.subarray(found.start, found.end);
    let rest = bytes.subarray(found.end);
    let next: FoundEntry = found;
    let given = 0;
    while (next.kind === 'whole') {
      const following = findFilled(rest, this.#scanner);
      if (following === undefined || following.kind === 'unfinished') break;
      // A resumed run starts at the line's beginning, where its time is.
      this.queue.entry(entry, line, { ...before, given: ++given }, { receivedAt });
      entry = rest.subarray(following.start, following.end);
      rest = rest.subarray(following.end);
      next = following;
    }
    const after = terminated || next.kind === 'whole' ? this.#here() : { ...before, given };
    this.queue.entry(entry, line, after, { receivedAt });
  }

  /** Gives the value of a line in a form that escapes backslashes, without its escapes. */
  #giveEscaped(bytes: Buffer, found: FoundEntry, line: number, after: Place): boolean {
    const { kind, start } = found;
    const escaped = escapedEntryOf(bytes, { isLine: kind === 'line', start }, this.#escapes);
    if (escaped === undefined) return false;
    const receivedAt = lineTime(bytes, escaped.start);
    this.queue.entryWithin(escaped.entry, escaped.entry.length, line, after, { receivedAt });
    return true;
  }

  /** Begins a value that continues on the next lines; the line end of its first line has been read already. */
  #begin(bytes: Buffer, value: OpenValue, terminated: boolean): void {
    const head = this.#takeHead();
    const open =
      head === undefined
        ? value
        : { ...value, line: head.first.number, before: head.first.before, headSize: head.bytes.length };
    if (head !== undefined) this.#openBytes.add(head.bytes);
    this.#openBytes.add(bytes);
    if (!terminated) {
      this.#giveCut(open, open.before);
      return;
    }
    this.#openBytes.add(LINE_END);
    this.#open = open;
    this.#mayBeCut = bytes.includes(QUOTE);
    this.#scanner.reset(open.isMember);
    this.#scanner.scan(bytes, 0);
    this.#scanner.scan(LINE_END, 0);
  }

  /** Reads on in an open value; returns the index of the first byte that is not part of it. */
  #continue(open: OpenValue, chunk: Buffer, from: number): number {
    const newlines = this.#scanner.newlines;
    const to = this.#scanner.scan(chunk, from);
    this.#openBytes.add(chunk.subarray(from, to));
    this.#offset += to - from;
    this.line += this.#scanner.newlines - newlines;
    switch (this.#scanner.status) {
      case 'open':
        break;
      case 'done': {
        const size = this.#openBytes.size;
        this.queue.entryWithin(this.#openBytes.take(), size, open.line, this.#here(), open);
        this.#open = undefined;
        break;
      }
      case 'broken':
        this.#takeOver(open);
        break;
    }
    return to;
  }

  /** Ends a value that is no JSON. What a program can have printed goes on line by line, from the current one on. */
  #takeOver(open: OpenValue): void {
    const bytes = this.#openBytes.peek() ?? NOTHING;
    const start = bytes.lastIndexOf(NEWLINE) + 1;
    const current = bytes.subarray(start);
    const isAdopted =
      current.length > 0 && this.#text.adopt(openingLines(open, bytes.subarray(0, start), this.line));
    // The line that does not go on with the value keeps its beginning.
    if (isAdopted || isIndent(current)) {
      this.#rest.add(current);
      this.#offset -= current.length;
    }
    if (isAdopted) this.#openBytes.take();
    else this.#giveCut(open, this.#here());
    this.#open = undefined;
  }

  /** Passes on the part of a value that never ended. */
  #giveCut(open: OpenValue, after: Place): void {
    const size = this.#openBytes.size;
    const raw = this.#openBytes.take();
    const bytes = raw === undefined ? undefined : trimEnd(raw);
    // Prose can end in a bracket (`options: {`): a bracket alone is no entry.
    if (this.kind === 'console' && bytes !== undefined && isLoneOpening(bytes)) this.queue.skipped++;
    else this.queue.entryWithin(bytes, size, open.line, after, { receivedAt: open.receivedAt });
    this.#open = undefined;
    this.#mayBeCut = false;
  }

  #goTo({ offset, line }: Place): void {
    [this.#offset, this.line] = [offset, line];
  }

  #here(): Place {
    return { offset: this.#offset, line: this.line, element: 0 };
  }
}
