import { readFrame, type Frame } from '../decode/envelopes/line-frames.js';
import {
  ByteCollector,
  COLON,
  COMMA,
  NEWLINE,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipBlank,
  trimEnd,
  withoutMarks,
} from './bytes.js';
import { findEntry, isLoneOpening, lineTime } from './console-line.js';
import type { LinesSplitter } from './copy-blocks.js';
import { unescapedRow } from './escaped-values.js';
import type { ItemQueue, Place } from './item-queue.js';
import { beginningAt, isCutBefore } from './line-kinds.js';
import { isLoggerLine } from './logger-lines.js';
import { beginningOf, hasMarker } from './markers.js';
import { PrintedText } from './printed-text.js';
import { beginsHead, RequestHead, type HeadLine } from './request-head.js';
import {
  beginsAnother,
  endingOf,
  goesOn,
  type HeldLines,
  type Line,
  type OpenEntry,
} from './stream-lines.js';
import { ValueScanner } from './value-scanner.js';

const LINE_END = Buffer.of(NEWLINE);
/** A byte order mark and a carriage return may surround the content of a line. */
const MARKS_SIZE = 4;

/** A stream that says nothing for so many lines of others does not go on with its value. */
const LONGEST_PAUSE = 10_000;
/** In so many lines of others the body of a request comes. */
const LONGEST_WAIT = 200;
/** How often the pauses of all streams are checked, in lines. */
const CHECK_EVERY = 1_000;
/** So many streams are inside an entry at most. */
const MOST_OPEN = 1_000;

/**
 * Splits the file of a log system in which every line has a frame: Docker's json-file, CRI, journald, Heroku, syslog, pm2,
 * `docker compose logs`. Lines of several streams may lie between each other; lines that were cut, and values over several
 * lines, are joined per stream. An entry is
 * - the JSON in a line, where one line has all of it behind a prefix, as in any console log,
 * - else its lines as they are in the file, joined by line ends: the decoder takes the frames off again.
 */
export class FrameSplitter implements LinesSplitter {
  line: number;
  #offset: number;
  #rest: ByteCollector;
  #open = new Map<string, OpenEntry>();
  /** Heads of dumped requests whose bodies are to come. */
  #heads = new Map<string, RequestHead>();
  /** Texts that programs print over several lines, each with its first line. */
  #texts = new Map<string, HeldLines>();
  /** Bytes that the open entries and texts hold. */
  #held = 0;
  /** The last place where no stream was inside an entry, and the items found since. */
  #safe: Place;
  #given = 0;

  constructor(
    private readonly queue: ItemQueue,
    start: Place,
    /** Whether what is no part of a line ends in a line end. Without, parts are told by what they hold. */
    private readonly endsLines = true,
    private readonly readLine = readFrame,
  ) {
    this.line = start.line;
    this.#offset = start.offset;
    this.#safe = { offset: start.offset, line: start.line, element: 0 };
    this.#rest = new ByteCollector(queue.maxEntryBytes + MARKS_SIZE);
  }

  get isInside(): boolean {
    return this.#open.size > 0 || [...this.#texts.values()].some(({ text }) => text.isOpen);
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, at);
      this.#rest.add(chunk.subarray(at, newline === -1 ? chunk.length : newline));
      if (newline === -1) return;
      const size = this.#rest.size;
      this.#take(this.#rest.take(), size, true);
      at = newline + 1;
    }
  }

  end(damaged: boolean): void {
    const size = this.#rest.size;
    const rest = this.#rest.take();
    if (size > 0 && !damaged) this.#take(rest, size, false);
    for (const [stream, { text }] of [...this.#texts]) this.#giveText(stream, text.isOpen);
    // A file that is still being written is read again from here, so that these entries are complete then.
    if (!damaged)
      for (const open of this.#open.values()) this.#give(open, { ...this.#safe, given: this.#given });
    this.#open.clear();
    for (const head of this.#heads.values()) this.#release(head);
    this.#heads.clear();
  }

  /** Takes a line without its line end; a line that was too large to keep has undefined bytes. */
  #take(raw: Buffer | undefined, size: number, terminated: boolean): void {
    const number = this.line + 1;
    this.#offset += size;
    if (terminated) {
      this.#offset++;
      this.line++;
    }
    const bytes = raw === undefined ? undefined : withoutMarks(raw);
    if (bytes === undefined || bytes.length > this.queue.maxEntryBytes) {
      this.queue.entryWithin(undefined, size, number, this.#after());
    } else if (skipBlank(bytes) < bytes.length) {
      const frame = this.readLine(bytes);
      const plain = frame === undefined ? unescapedRow(bytes) : bytes;
      const content = frame?.content ?? plain;
      this.#takeLine(
        { bytes: plain, number, frame, content, ending: endingOf(frame, this.endsLines) },
        terminated,
      );
    }
    this.#closeOldest();
    if (this.#open.size + this.#heads.size + this.#texts.size === 0 && terminated) {
      this.#safe = { offset: this.#offset, line: this.line, element: 0 };
      this.#given = 0;
    }
  }

  #takeLine(line: Line, terminated: boolean): void {
    const stream = line.frame?.stream ?? '';
    if (this.#goesOnWithText(stream, line)) return;
    const open = this.#open.get(stream);
    if (open !== undefined) {
      if (this.#continue(stream, open, line)) return;
      this.#close(stream, open);
    }
    if (!this.#beginsText(stream, line, terminated)) this.#begin(stream, line, terminated);
  }

  /** Whether a line is of what its stream prints over several; else that is given. */
  #goesOnWithText(stream: string, line: Line): boolean {
    const text = this.#texts.get(stream)?.text;
    if (text === undefined) return false;
    const { size } = text;
    const way = text.add(this.#heldLine(line), line.ending);
    this.#held += text.size - size;
    if (way !== 'other' && text.isOpen) this.#takeHead(stream, false);
    if (way === 'held') return true;
    this.#giveText(stream);
    return way === 'last';
  }

  /** Whether a line begins what its stream prints over several. */
  #beginsText(stream: string, line: Line, isTerminated: boolean): boolean {
    if (line.ending !== 'line') return false;
    const text = new PrintedText(this.queue.maxEntryBytes);
    const isHeld = text.add(this.#heldLine(line)) === 'held';
    if (!isHeld || (this.#heads.has(stream) && !text.isOpen && !text.mayBePrefixed)) return false;
    if (text.isOpen) this.#takeHead(stream, false);
    this.#hold(stream, { text, line, isTerminated });
    return true;
  }

  #hold(stream: string, text: HeldLines): void {
    this.#texts.set(stream, text);
    this.#held += text.text.size;
  }

  #heldLine({ bytes, content, number }: Line): HeadLine {
    return { bytes, content, number, before: this.#safe, after: this.#safe };
  }

  /** What is no JSON goes on as what a program prints, if it can be that with one more line. */
  #takesOver(stream: string, open: OpenEntry, line: Line): boolean {
    const raw = open.raw.peek();
    const content = open.content.peek()?.subarray(open.start);
    if (raw === undefined || content === undefined || open.ending !== 'line') return false;
    const text = new PrintedText(this.queue.maxEntryBytes);
    const first = this.#heldLine({ ...line, bytes: raw, content, number: open.line });
    const last = { ...first, number: open.lastLine };
    if (!text.adopt({ ...open, first, last })) return false;
    const way = text.add(this.#heldLine(line), line.ending);
    if (way === 'other') return false;
    this.#forget(stream, open);
    this.#hold(stream, { text, line, isTerminated: true });
    if (way === 'last') this.#giveText(stream);
    return true;
  }

  #forget(stream: string, open: OpenEntry): void {
    this.#open.delete(stream);
    this.#held -= open.raw.size + open.content.size;
  }

  /** Gives what is held of a printed text as one entry, or its one line as what it is. `isCut`: by the end of the file. */
  #giveText(stream: string, isCut = false): void {
    const known = this.#texts.get(stream);
    if (known === undefined) return;
    this.#texts.delete(stream);
    this.#held -= known.text.size;
    if (known.text.release() !== undefined) {
      this.#begin(stream, known.line, known.isTerminated);
      return;
    }
    const text = known.text.take();
    if (text === undefined) return;
    const { bytes, size, first } = text;
    if (!text.mayHoldBody) this.queue.skipped += text.lines;
    else if (isCut) this.queue.entryWithin(bytes, size, first.number, { ...this.#safe, given: this.#given });
    else this.queue.entryWithin(bytes, size, first.number, this.#after());
  }

  #begin(stream: string, line: Line, terminated: boolean): void {
    const { bytes, number, frame, content, ending } = line;
    if (ending === 'line' && frame?.omitted !== true && this.#holds(stream, line)) return;
    const found = ending === 'cut' ? undefined : findEntry(content);
    const isChatter = found?.kind === 'whole' && isLoggerLine(content.subarray(found.start));
    const head = this.#takeHead(stream, found !== undefined && found.kind !== 'none' && !isChatter);
    if (found?.kind === 'none' || isChatter) {
      // What journalctl left out is for the decoder to say.
      if (frame?.omitted === true) this.queue.entry(bytes, number, this.#after());
      else this.queue.skipped++;
    } else if (found === undefined || goesOn(found, content, ending)) {
      const open: OpenEntry = {
        line: number,
        lastLine: number,
        lines: 0,
        receivedAt: frame === undefined ? lineTime(content, found?.start ?? content.length) : undefined,
        raw: new ByteCollector(this.queue.maxEntryBytes),
        content: new ByteCollector(this.queue.maxEntryBytes),
        start: found?.start ?? 0,
        ...beginningAt(content, found?.start ?? 0),
        beginning: beginningOf(content),
        scanner: undefined,
        ending,
        endsInComma: false,
        longest: 0,
      };
      if (head !== undefined) {
        open.line = head.first.number;
        open.raw.add(head.bytes);
      }
      this.#add(open, line);
      if (found !== undefined && found.kind !== 'line')
        open.scanner = scannerAfter(content, found.start, open);
      this.#open.set(stream, open);
    } else {
      const time = frame?.time ?? lineTime(content, found.kind === 'line' ? content.length : found.start);
      const isCut = !terminated && found.kind !== 'whole' && !isObject(frame);
      const after = isCut ? { ...this.#safe, given: this.#given } : this.#after();
      if (head !== undefined) {
        const whole = Buffer.concat([head.bytes, bytes]);
        this.queue.entryWithin(whole, whole.length, head.first.number, after);
      } else if (found.kind === 'line' || isObject(frame) || hasMarker(content.subarray(found.end))) {
        this.queue.entry(bytes, number, after, { receivedAt: frame === undefined ? time : undefined });
      } else {
        this.queue.entry(content.subarray(found.start, found.end), number, after, { receivedAt: time });
      }
    }
  }

  #holds(stream: string, { bytes, content, number }: Line): boolean {
    const [first = 0] = content;
    const known = this.#heads.get(stream);
    if (known === undefined && (first === OPEN_BRACE || first === OPEN_BRACKET || first === QUOTE))
      return false;
    const head = known ?? new RequestHead();
    const held = { bytes, content, number, before: this.#safe, after: this.#safe };
    if (!head.add(held)) {
      if (head.isEmpty || !beginsHead(content)) return false;
      this.#release(head);
      if (!head.add(held)) return false;
    }
    this.#heads.set(stream, head);
    return true;
  }

  /** Takes held lines that are none of a request as what they are. */
  #release(head: RequestHead): void {
    for (const { bytes, content, number } of head.release()) {
      if (hasMarker(content) && findEntry(content).kind === 'line')
        this.queue.entry(bytes, number, this.#after());
      else this.queue.skipped++;
    }
  }

  /** The head above a body of a stream that says who signed it. */
  #takeHead(stream: string, isBody: boolean): ReturnType<RequestHead['take']> {
    const head = this.#heads.get(stream);
    if (head === undefined) return undefined;
    this.#heads.delete(stream);
    const taken = isBody ? head.take() : undefined;
    this.#release(head);
    return taken;
  }

  /** Adds a line to what its stream has open. False if it does not belong to it: then nothing was added. */
  #continue(stream: string, open: OpenEntry, line: Line): boolean {
    const { content, ending } = line;
    if (open.ending !== 'line' && beginsAnother(open, line)) return false;
    if (open.scanner === undefined) {
      const isMarked = open.ending === 'cut';
      this.#add(open, line);
      if (isMarked && ending !== 'cut') this.#endLine(stream, open, line);
      else if (!isMarked && (ending !== 'full' || line.bytes.length < SHORT * open.longest))
        this.#close(stream, open);
      return true;
    }
    const begun = open.lines === 1 && open.ending === 'line' ? open.content.peek() : undefined;
    if (begun !== undefined && isCutBefore(begun.subarray(open.start), content)) return false;
    const scanner = open.scanner.copy();
    scanner.scan(content, 0);
    if (scanner.status === 'open' && ending === 'line') scanner.scan(LINE_END, 0);
    if (scanner.status === 'broken') return this.#takesOver(stream, open, line);
    this.#add(open, line);
    open.scanner = scanner;
    if (scanner.status === 'done') this.#close(stream, open);
    return true;
  }

  #add(open: OpenEntry, { bytes, content, number, ending }: Line): void {
    if (open.lines > 0) {
      open.raw.add(LINE_END);
      if (open.ending === 'line') open.content.add(LINE_END);
    }
    open.raw.add(bytes);
    open.content.add(content);
    open.lines++;
    open.lastLine = number;
    open.ending = ending;
    const [last = 0] = trimEnd(content).subarray(-1);
    open.endsInComma = last === COMMA || last === COLON || last === OPEN_BRACKET;
    open.longest = Math.max(open.longest, bytes.length);
    this.#held += bytes.length + content.length;
  }

  /** The log system has ended the line that it had cut: it is an entry, or chatter, or begins a value over several lines. */
  #endLine(stream: string, open: OpenEntry, { frame }: Line): void {
    const content = open.content.peek();
    const bytes = open.raw.peek();
    const found = content === undefined ? undefined : findEntry(content);
    if (content !== undefined && bytes !== undefined) {
      const whole: Line = { bytes, number: open.line, frame, content, ending: 'line' };
      if (this.#beginsText(stream, whole, true)) {
        this.#forget(stream, open);
        return;
      }
    }
    if (content !== undefined && found?.kind === 'unfinished') {
      Object.assign(open, { start: found.start }, beginningAt(content, found.start));
      open.scanner = scannerAfter(content, found.start, open);
    } else {
      this.#close(stream, open);
    }
  }

  #close(stream: string, open: OpenEntry): void {
    this.#open.delete(stream);
    this.#give(open);
  }

  /** Gives what a stream has said, complete or not. */
  #give({ raw, content, line, lines, receivedAt }: OpenEntry, after?: Place): void {
    const size = raw.size;
    this.#held -= size + content.size;
    const text = content.take();
    if (text !== undefined && isChatter(text)) this.queue.skipped += lines;
    else this.queue.entryWithin(raw.take(), size, line, after ?? this.#after(), { receivedAt });
  }

  /** The place after one more item. */
  #after(): Place {
    return { ...this.#safe, given: ++this.#given };
  }

  /** Bounds what is held: gives what has not gone on for long, and the oldest where there is too much. */
  #closeOldest(): void {
    for (const [stream, head] of this.#heads) {
      if (this.line - head.lastLine <= LONGEST_WAIT) continue;
      this.#release(head);
      this.#heads.delete(stream);
    }
    for (const [stream, { text }] of this.#texts) {
      const isOld = this.line - text.lastLine >= LONGEST_PAUSE;
      if (isOld || this.#texts.size > MOST_OPEN || this.#isFull()) this.#giveText(stream);
      else break;
    }
    if (this.line % CHECK_EVERY === 0) {
      for (const [stream, open] of this.#open) {
        if (this.line - open.lastLine >= LONGEST_PAUSE) this.#close(stream, open);
      }
    }
    for (const [stream, open] of this.#open) {
      if (this.#open.size <= MOST_OPEN && !this.#isFull()) return;
      this.#close(stream, open);
    }
  }

  #isFull(): boolean {
    return this.#held > MOST_HELD * this.queue.maxEntryBytes;
  }
}

/** Of a line that was cut without a mark, all parts but the last are about as long. */
const SHORT = 0.9;

/** Line and content of the largest entry, and the same again for the other streams. */
const MOST_HELD = 4;

/** Whether the frame is an object of JSON, which is whole whatever it says. */
function isObject(frame: Frame | undefined): boolean {
  return frame?.form === 'docker' || frame?.form === 'journald';
}

function scannerAfter(content: Buffer, start: number, { ending, isMember }: OpenEntry): ValueScanner {
  const scanner = new ValueScanner();
  scanner.reset(isMember);
  scanner.scan(content, start);
  if (ending === 'line') scanner.scan(LINE_END, 0);
  return scanner;
}

/** Prose that holds nothing, or that ends in a bracket (`options: {`). */
function isChatter(content: Buffer): boolean {
  const found = findEntry(trimEnd(content));
  return (
    found.kind === 'none' ||
    (found.kind === 'unfinished' && isLoneOpening(content.subarray(found.start, found.end)))
  );
}
