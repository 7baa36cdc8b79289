import type { Origin, Position, SourceItem, SourceProblemReason } from '../model/raw-entry.js';

/**
 * A place in the text of one input: bytes, line ends, and array elements or CSV rows before it; and how many of the items that
 * are found from there on are done.
 */
export interface Place {
  offset: number;
  line: number;
  element: number;
  given?: number | undefined;
}

/** Cuts the text of one input into entries. */
export interface Splitter {
  /** Line ends read so far. */
  readonly line: number;
  /** Takes the next piece of text, cut anywhere. */
  push(chunk: Buffer): void;
  /**
   * The text has ended. `damaged`: the rest is unreadable, so an unfinished entry is dropped; otherwise an unfinished
   * last entry is passed on as it is, and the decoder reports it.
   */
  end(damaged: boolean): void;
}

export interface EntryDetails {
  element?: number | undefined;
  receivedAt?: number | undefined;
}

/** What the splitter of one input has found and the source has not read yet. */
export class ItemQueue {
  /** Entries and problems found so far. */
  found = 0;
  /** Lines and rows skipped because they hold no JSON. */
  skipped = 0;
  #items: SourceItem[] = [];
  #dropped = 0;

  constructor(
    private readonly path: string,
    private readonly input: number,
    private readonly resumable: boolean,
    readonly maxEntryBytes: number,
    /** Items at the beginning that a resumed run has done already. */
    private readonly drop = 0,
  ) {}

  /** `line` is 1-based. */
  entry(bytes: Buffer, line: number, after: Place, details?: EntryDetails): void {
    this.found++;
    const receivedAt = details?.receivedAt;
    const origin = this.#origin(line, details?.element);
    const entry = receivedAt === undefined ? { bytes, origin } : { bytes, origin, receivedAt };
    this.#items.push(
      this.resumable ? { kind: 'entry', entry, after: this.#position(after) } : { kind: 'entry', entry },
    );
  }

  /** Adds the entry, or the problem that it is over the limit; an entry that was too large to keep has undefined bytes. */
  entryWithin(
    bytes: Buffer | undefined,
    size: number,
    line: number,
    after: Place,
    details?: EntryDetails,
  ): void {
    if (bytes === undefined || bytes.length > this.maxEntryBytes) {
      this.problem(
        'entry_too_large',
        `An entry of ${size} bytes is over the limit of ${this.maxEntryBytes} bytes and was not read.`,
        line,
        after,
        details?.element,
      );
    } else {
      this.entry(bytes, line, after, details);
    }
  }

  /** Without `after`, a resumed run starts at the next input. */
  problem(reason: SourceProblemReason, message: string, line: number, after?: Place, element?: number): void {
    this.found++;
    const problem = { origin: this.#origin(line, element), reason, message };
    if (!this.resumable) {
      this.#items.push({ kind: 'problem', problem });
      return;
    }
    const position: Position =
      after === undefined ? { input: this.input + 1, offset: 0, line: 0, element: 0 } : this.#position(after);
    this.#items.push({ kind: 'problem', problem, after: position });
  }

  take(): SourceItem[] {
    const items = this.#items;
    if (items.length > 0) this.#items = [];
    if (this.#dropped === this.drop) return items;
    const dropped = Math.min(this.drop - this.#dropped, items.length);
    this.#dropped += dropped;
    return items.slice(dropped);
  }

  #origin(line: number, element: number | undefined): Origin {
    const { path } = this;
    return element === undefined ? { kind: 'file', path, line } : { kind: 'file', path, line, element };
  }

  #position({ offset, line, element, given }: Place): Position {
    const position = { input: this.input, offset, line, element };
    return given === undefined || given === 0 ? position : { ...position, given };
  }
}
