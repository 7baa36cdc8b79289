import { createHash } from 'node:crypto';
import type {
  ContentsOfEntry,
  MessagesOfEntry,
  PrunableEntry,
} from '../../store/tables/prunable-messages.js';

/** So many entries share an object: their two marks take sixteen bytes each, until the last block is emptied. */
const MARKED_TOGETHER = 100;

/** What the messages of consecutive entries were when the entries were compared, up to the entry `last`. */
interface Marked {
  last: string;
  versions: BigUint64Array;
  contents: BigUint64Array;
}

/**
 * What the messages of entries were when these were compared, to tell later in whose another program has changed something since. A
 * message that was written and says what it said is no change.
 */
export class Marks {
  private readonly marked: Marked[] = [];

  /** Of one block, in storage order; the blocks come in that order, too. */
  add(entries: readonly ContentsOfEntry[]): void {
    for (let at = 0; at < entries.length; at += MARKED_TOGETHER) {
      const some = entries.slice(at, at + MARKED_TOGETHER);
      const last = some.at(-1)?.id;
      if (last === undefined) continue;
      const [versions, contents] = [some.map(versionsMark), some.map(contentsMark)];
      this.marked.push({
        last,
        versions: new BigUint64Array(versions),
        contents: new BigUint64Array(contents),
      });
    }
  }

  /**
   * The entries that are not as they were compared, or never were. `now`: how their messages are; an entry without is changed.
   * `readContents` gives what the messages say of those that somebody has written, which are few as a rule.
   */
  async changedIn(
    entries: readonly PrunableEntry[],
    now: (entry: PrunableEntry) => MessagesOfEntry | undefined,
    readContents: (written: readonly PrunableEntry[]) => Promise<readonly ContentsOfEntry[]>,
  ): Promise<Set<string>> {
    const changed = new Set<string>();
    const written: PrunableEntry[] = [];
    for (const entry of entries) {
      const messages = now(entry);
      if (messages === undefined) changed.add(entry.id);
      else if (this.markedWith(entry.id)?.versions.includes(versionsMark(messages)) !== true)
        written.push(entry);
    }
    if (written.length === 0) return changed;
    for (const { id } of written) changed.add(id);
    for (const entry of await readContents(written))
      if (this.markedWith(entry.id)?.contents.includes(contentsMark(entry)) === true)
        changed.delete(entry.id);
    return changed;
  }

  /** The first that reach up to this entry. */
  private markedWith(id: string): Marked | undefined {
    let [from, to] = [0, this.marked.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.marked[middle]?.last ?? id) < id) from = middle + 1;
      else to = middle;
    }
    return this.marked[from];
  }
}

function versionsMark({ id, rows, versions }: MessagesOfEntry): bigint {
  return markOf(`${id} ${rows} ${versions}`);
}

function contentsMark({ id, rows, contents }: ContentsOfEntry): bigint {
  return markOf(`${id} ${rows} ${contents}`);
}

/** With the entry in it, so that no other entry's can be taken for it. */
function markOf(words: string): bigint {
  return createHash('sha256').update(words).digest().readBigUInt64LE();
}
