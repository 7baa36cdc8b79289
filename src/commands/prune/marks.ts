import { createHash } from 'node:crypto';
import type { PrunableEntry } from '../../store/tables/prunable-messages.js';

/** So many entries share a mark: one each would be too many to hold until the last block is compared. */
const MARKED_TOGETHER = 50;

/** What the messages of consecutive entries were when the entries were compared, up to the entry `last`. */
interface Mark {
  last: string;
  of: string;
}

/** What the messages of entries were when these were compared, to tell later in whose another program has written since. */
export class Marks {
  private readonly marks: Mark[] = [];
  private at = 0;

  /** Of one block, in storage order; the blocks come in that order, too. */
  add(entries: readonly PrunableEntry[]): void {
    for (let at = 0; at < entries.length; at += MARKED_TOGETHER) {
      const marked = entries.slice(at, at + MARKED_TOGETHER);
      const last = marked.at(-1)?.id;
      if (last !== undefined) this.marks.push({ last, of: markOf(marked) });
    }
  }

  /** The entries of the marks that are not as they were. Blocks come in storage order, each once. */
  changedIn(entries: readonly PrunableEntry[]): ReadonlySet<string> {
    const changed = new Set<string>();
    for (let at = 0; at < entries.length;) {
      const first = entries[at]?.id ?? '';
      while ((this.marks[this.at]?.last ?? first) < first) this.at += 1;
      const mark = this.marks[this.at];
      let until = at + 1;
      while (until < entries.length && (mark === undefined || (entries[until]?.id ?? '') <= mark.last))
        until += 1;
      const marked = entries.slice(at, until);
      if (mark === undefined || markOf(marked) !== mark.of) for (const { id } of marked) changed.add(id);
      at = until;
    }
    return changed;
  }
}

/** Another one if an entry, or a message of one, is not what it was. */
function markOf(entries: readonly PrunableEntry[]): string {
  let [messages, versions] = [0, 0n];
  const digest = createHash('sha256');
  for (const entry of entries) {
    digest.update(entry.id);
    messages += entry.messages;
    versions += entry.versions;
  }
  return `${digest.digest('base64')} ${messages} ${versions}`;
}
