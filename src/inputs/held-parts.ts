import { partOf, type EntryPart } from '../decode/envelopes/split-entries.js';
import { parseObject } from '../decode/envelopes/line-frames.js';

/** A part of an entry as it is in the file. */
interface HeldPart {
  bytes: Buffer;
  line: number;
  element: number | undefined;
}

/** What came of one entry so far. */
export interface HeldEntry {
  parts: Map<number, HeldPart>;
  size: number;
  /** How many items had been found when its last part came. */
  at: number;
}

/** In no LogEntry without it is anything split. */
const SPLIT = Buffer.from('totalSplits');
/** An entry that does not go on for so many items does not go on. */
const LONGEST_PAUSE = 10_000;
/** The largest entry, and as much again for the others. */
const MOST_HELD = 4;

/** Keeps the parts of entries that Google Cloud split until all of one have come, in any order, between others. */
export class HeldParts {
  #entries = new Map<string, HeldEntry>();
  #size = 0;

  constructor(private readonly maxEntryBytes: number) {}

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Which part of an entry the bytes are. */
  partIn(bytes: Buffer): EntryPart | undefined {
    return bytes.includes(SPLIT) ? partOf(parseObject(bytes)) : undefined;
  }

  /** Keeps a part; gives its entry if it was the last one to come. */
  add({ uid, index, total }: EntryPart, part: HeldPart, at: number): HeldEntry | undefined {
    const entry = this.#entries.get(uid) ?? { parts: new Map<number, HeldPart>(), size: 0, at };
    // The same part twice, as of two exports, is one.
    if (!entry.parts.has(index)) {
      entry.parts.set(index, part);
      entry.size += part.bytes.length;
      this.#size += part.bytes.length;
    }
    entry.at = at;
    this.#entries.set(uid, entry);
    return entry.parts.size === total ? this.#take(uid, entry) : undefined;
  }

  /** The entries that do not go on, and the oldest where too much is held; at the end of the file all of them. */
  *unfinished(at: number, isEnd = false): Generator<HeldEntry> {
    for (const [uid, entry] of this.#entries) {
      const isTooMuch = this.#size > MOST_HELD * this.maxEntryBytes;
      if (isEnd || isTooMuch || at - entry.at >= LONGEST_PAUSE) yield this.#take(uid, entry);
    }
  }

  #take(uid: string, entry: HeldEntry): HeldEntry {
    this.#entries.delete(uid);
    this.#size -= entry.size;
    return entry;
  }
}

/** An entry in parts as one: a list of them in their order, as they are in the file. */
export function entryOfParts({ parts }: HeldEntry): HeldPart {
  const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, part]) => part);
  const [first] = [...parts.values()];
  const bytes = inOrder.flatMap((part, i) => [Buffer.from(i === 0 ? '[' : ','), part.bytes]);
  return {
    bytes: Buffer.concat([...bytes, Buffer.from(']')]),
    line: first?.line ?? 1,
    element: first?.element,
  };
}
