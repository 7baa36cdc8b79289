import type { Position, SourceItem } from '../model/raw-entry.js';
import { ByteCollector, NEWLINE, withoutMarks } from './bytes.js';
import { endsCopy, isCopyHeader } from './copy-blocks.js';
import { rowIn } from './escaped-values.js';
import type { Place } from './item-queue.js';

/** How far before and after a line the lines are that tell how it was written, in bytes. A resumed run reads so much again. */
export const NEIGHBORHOOD = 8 * 1024 * 1024;
/** So many lines wait for their entries; one that a splitter did not give as it is has none. */
const MOST_ROWS = 1_000_000;

const UNDECIDED =
  'The backslashes of this line may be doubled, as COPY and mysql -B write them, and no line near it tells. It was read as it is. If it was doubled, export it again: copy … to stdout (format csv, header).';

/** How lines show that they were written. */
type Proof = 'escaped' | 'plain';

/** A text whose lines are judged. */
interface RowsOfText {
  /** Where the text begins that is pushed. */
  from: number;
  /** Where the splitter begins. */
  start: Place;
  /** Where a run resumes before the first item. */
  after: Position;
  /** Longer lines are not looked at. */
  maxLineBytes: number;
  /** Whether cells of lines count, too. */
  inCells: boolean;
}

/** A line that is JSON with and without a layer of escapes. */
interface Row {
  start: number;
  size: number;
  /** What the last line before it shows, if that is near. */
  before: Proof | undefined;
  verdict: Proof | 'unknown' | undefined;
}

/**
 * Decides about lines that are JSON with a layer of escapes (`COPY … TO STDOUT`, `mysql -B`) and without it, and say something else: the
 * nearest lines before and after them that are one thing only tell it. Items wait until that is known. Where nothing tells it, or the two
 * disagree, the line is read as it is, and that is reported.
 *
 * It sees the text itself, also the part before the place where a run resumes: so the answer depends on neither that place nor the
 * cutting into chunks.
 */
export class RowJudge {
  #offset: number;
  /** Lines before the current one, as the splitter counts them. */
  #line: number;
  #rest: ByteCollector;
  /** Whether the current line began before what is read. */
  #isPartial: boolean;
  #last: { proof: Proof; start: number } | undefined;
  #rows = new Map<number, Row>();
  #undecided: Row[] = [];
  #items: SourceItem[] = [];
  #after: Position;
  readonly #start: number;
  readonly #inCells: boolean;

  constructor({ from, start, after, maxLineBytes, inCells }: RowsOfText) {
    this.#offset = from;
    this.#isPartial = RowJudge.fromOf(start.offset) > 0;
    this.#start = start.offset;
    this.#line = start.line;
    this.#after = after;
    this.#rest = new ByteCollector(maxLineBytes);
    this.#inCells = inCells;
  }

  /** Where to begin to read, for a splitter that begins at `offset`. */
  static fromOf(offset: number): number {
    return Math.max(0, offset - NEIGHBORHOOD - 1);
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, at);
      this.#rest.add(chunk.subarray(at, newline === -1 ? chunk.length : newline));
      if (newline === -1) return;
      this.#takeLine();
      at = newline + 1;
    }
  }

  /** The text has ended: no line comes that tells more. */
  end(damaged: boolean): void {
    if (!damaged) this.#takeLine();
    this.#decide(undefined);
  }

  /** Takes what the splitter found, and gives what is decided. */
  settle(found: readonly SourceItem[]): SourceItem[] {
    for (const item of found) this.#items.push(item);
    const given: SourceItem[] = [];
    let done = 0;
    for (const item of this.#items) {
      const row = this.#rowOf(item);
      if (row !== undefined && row.verdict === undefined) break;
      if (row?.verdict === 'unknown') given.push(this.#report(item));
      given.push(row?.verdict === 'escaped' ? unescaped(item) : item);
      this.#after = item.after ?? this.#after;
      done++;
    }
    this.#items = this.#items.slice(done);
    return given;
  }

  #takeLine(): void {
    const start = this.#offset;
    const { size } = this.#rest;
    const bytes = this.#rest.take();
    this.#offset += size + 1;
    if (this.#offset > this.#start) this.#line++;
    const isPartial = this.#isPartial;
    this.#isPartial = false;
    this.#decide(undefined, start - NEIGHBORHOOD);
    if (bytes === undefined || isPartial) return;
    const line = withoutMarks(bytes);
    if (isCopyHeader(line) || endsCopy(line)) {
      this.#decide(undefined);
      this.#last = undefined;
      return;
    }
    const proof = rowIn(line, this.#inCells)?.proof;
    if (proof === 'either') {
      this.#add(start, line.length);
    } else if (proof !== undefined) {
      this.#decide(proof);
      this.#last = { proof, start };
    }
  }

  #add(start: number, size: number): void {
    if (start < this.#start) return;
    const isNear = this.#last !== undefined && start - this.#last.start <= NEIGHBORHOOD;
    const row: Row = { start, size, before: isNear ? this.#last?.proof : undefined, verdict: undefined };
    this.#rows.set(this.#line, row);
    this.#undecided.push(row);
    const [oldest] = this.#rows.keys();
    if (this.#rows.size > MOST_ROWS && oldest !== undefined) this.#rows.delete(oldest);
  }

  /** Decides about the lines that begin before `end`, by the next line that tells how it was written. */
  #decide(next: Proof | undefined, end = Infinity): void {
    for (let [row] = this.#undecided; row !== undefined && row.start < end; [row] = this.#undecided) {
      row.verdict = agreed(row.before, next);
      this.#undecided.shift();
    }
  }

  /** The line of which an item is the entry, as it is. */
  #rowOf(item: SourceItem): Row | undefined {
    if (item.kind !== 'entry' || item.entry.origin.kind !== 'file') return undefined;
    const { line, element } = item.entry.origin;
    const row = element === undefined ? this.#rows.get(line) : undefined;
    if (row?.size !== item.entry.bytes.length) return undefined;
    if (row.verdict !== undefined) this.#rows.delete(line);
    return row;
  }

  /** The problem comes before the entry: a run that stops between them reports it again, and loses nothing. */
  #report(item: SourceItem): SourceItem {
    const origin = item.kind === 'entry' ? item.entry.origin : item.problem.origin;
    const problem = { origin, reason: 'ambiguous_escapes' as const, message: UNDECIDED };
    return item.after === undefined
      ? { kind: 'problem', problem }
      : { kind: 'problem', problem, after: this.#after };
  }
}

function agreed(before: Proof | undefined, next: Proof | undefined): Proof | 'unknown' {
  if (before !== undefined && next !== undefined && before !== next) return 'unknown';
  return before ?? next ?? 'unknown';
}

function unescaped(item: SourceItem): SourceItem {
  if (item.kind !== 'entry') return item;
  const { bytes } = item.entry;
  const row = rowIn(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  return row?.inner === undefined ? item : { ...item, entry: { ...item.entry, bytes: row.inner } };
}
