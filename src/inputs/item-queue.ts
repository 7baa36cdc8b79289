import { entryOfParts, HeldParts, type HeldEntry } from './held-parts.js';
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

/** Which text of the inputs a queue is of: a file of an archive has its number in it. */
export interface WhichText {
  input: number;
  member?: number | undefined;
}

/** What the splitter of one input has found and the source has not read yet. */
export class ItemQueue {
  /** Entries and problems found so far. */
  found = 0;
  /** Lines and rows skipped because they hold no JSON. */
  skipped = 0;
  #items: SourceItem[] = [];
  #dropped = 0;
  /** Parts of entries, which are one item when all of them have come. */
  readonly #held: HeldParts;
  /** Where the last item ended. */
  #last: Place;
  /** The last place where no part was held, with the items found since. */
  #safe: Place | undefined;
  readonly #drop: number;

  constructor(
    private readonly path: string,
    private readonly which: WhichText,
    private readonly resumable: boolean,
    readonly maxEntryBytes: number,
    /** Where a resumed run starts, and how many items from there are done already. */
    private readonly begun: Place = { offset: 0, line: 0, element: 0 },
  ) {
    this.#held = new HeldParts(maxEntryBytes);
    this.#drop = begun.given ?? 0;
    this.#last = begun;
  }

  /** Where nothing of the input has been given. */
  get begin(): Position {
    return this.#position(this.begun);
  }

  /** `line` is 1-based. */
  entry(bytes: Buffer, line: number, after: Place, details?: EntryDetails): void {
    const part = this.#held.partIn(bytes);
    if (part === undefined) {
      this.#push(bytes, line, this.#placeAfter(after), details);
      if (this.#safe !== undefined) this.#giveUnfinished(after);
      return;
    }
    this.#safe ??= this.#last;
    const whole = this.#held.add(part, { bytes, line, element: details?.element }, this.found);
    if (whole !== undefined) this.#giveParts(whole, this.#placeAfter(after));
    this.#giveUnfinished(after);
  }

  /** The input has ended: entries without all of their parts are given as they are. */
  end(): void {
    // A file that is still being written is read again from here, so that they are complete then.
    const safe = this.#safe ?? this.#last;
    for (const each of this.#held.unfinished(this.found, true)) this.#giveParts(each, safe);
  }

  #giveUnfinished(after: Place): void {
    for (const each of this.#held.unfinished(this.found)) this.#giveParts(each, this.#placeAfter(after));
  }

  #giveParts(held: HeldEntry, after: Place): void {
    const { bytes, line, element } = entryOfParts(held);
    if (bytes.length > this.maxEntryBytes) this.#tooLarge(bytes.length, line, after, element);
    else this.#push(bytes, line, after, { element });
  }

  /**
   * A resumed run has to find the parts that are held now. It counts items from before the first of them on, up to a place that
   * counts none itself.
   */
  #placeAfter(after: Place): Place {
    if (this.#safe !== undefined && this.#held.isEmpty && (after.given ?? 0) === 0) this.#safe = undefined;
    if (this.#safe !== undefined) this.#safe = { ...this.#safe, given: (this.#safe.given ?? 0) + 1 };
    else this.#last = after;
    return this.#safe ?? after;
  }

  #push(bytes: Buffer, line: number, after: Place, details?: EntryDetails): void {
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
      this.#tooLarge(size, line, this.#placeAfter(after), details?.element);
    } else {
      this.entry(bytes, line, after, details);
    }
  }

  #tooLarge(size: number, line: number, after: Place, element: number | undefined): void {
    const message = `An entry of ${size} bytes is over the limit of ${this.maxEntryBytes} bytes and was not read.`;
    this.#addProblem('entry_too_large', message, line, after, element);
  }

  /** Without `after`, a resumed run starts at the next input, or the next file of an archive. */
  problem(reason: SourceProblemReason, message: string, line: number, after?: Place, element?: number): void {
    this.#addProblem(
      reason,
      message,
      line,
      after === undefined ? undefined : this.#placeAfter(after),
      element,
    );
  }

  #addProblem(
    reason: SourceProblemReason,
    message: string,
    line: number,
    after: Place | undefined,
    element: number | undefined,
  ): void {
    this.found++;
    const problem = { origin: this.#origin(line, element), reason, message };
    if (!this.resumable) {
      this.#items.push({ kind: 'problem', problem });
      return;
    }
    this.#items.push({
      kind: 'problem',
      problem,
      after: after === undefined ? this.#positionBehind() : this.#position(after),
    });
  }

  take(): SourceItem[] {
    const items = this.#items;
    if (items.length > 0) this.#items = [];
    if (this.#dropped === this.#drop) return items;
    const dropped = Math.min(this.#drop - this.#dropped, items.length);
    this.#dropped += dropped;
    return items.slice(dropped);
  }

  #origin(line: number, element: number | undefined): Origin {
    const { path } = this;
    return element === undefined ? { kind: 'file', path, line } : { kind: 'file', path, line, element };
  }

  #position({ offset, line, element, given }: Place): Position {
    const { input, member } = this.which;
    const position: Position = { input, offset, line, element };
    if (member !== undefined) position.member = member;
    if (given !== undefined && given !== 0) position.given = given;
    return position;
  }

  #positionBehind(): Position {
    const { input, member } = this.which;
    return member === undefined
      ? { input: input + 1, offset: 0, line: 0, element: 0 }
      : { input, member: member + 1, offset: 0, line: 0, element: 0 };
  }
}
