import type { Sql } from '../../store/sql.js';
import { readMessageBlocks, readProvenBlocks, type MessageBlock } from '../../store/tables/proven-blocks.js';
import { readLastEntryId } from '../../store/tables/stored-entries.js';

const DAY = 86_400_000;
/** Another program may still be changing its messages of the last days. */
const SETTLED_AFTER = 2 * DAY;

/** What must be compared with the raw log again. */
type Unproven =
  | { kind: 'everything' }
  /** Entries of these blocks; `unchanged` messages are as last compared. */
  | { kind: 'blocks'; blocks: string[]; unchanged: number };

/**
 * Compares the messages with what the last verification proved. A changed block is decoded again. Everything is, if the
 * entries that created the messages cannot show the change: a status went back (it came in another entry), a reaction
 * or an old version is gone, or another program's old message is, on which the log may depend.
 * `since`: ms since 1970, when the last verification began.
 */
function unprovenBlocks(
  now: readonly MessageBlock[],
  proven: readonly MessageBlock[],
  since: number,
): Unproven {
  const before = new Map(proven.map((block) => [block.block, block]));
  const after = new Map(now.map((block) => [block.block, block]));
  const settled = `day ${new Date(since - SETTLED_AFTER).toISOString().slice(0, 10).replaceAll('-', '')}`;
  const changed: string[] = [];
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [then, here] = [before.get(name), after.get(name)];
    if (then?.rows === here?.rows && then?.digest === here?.digest) continue;
    if (name.startsWith('message_')) {
      if ((here?.rows ?? 0) < (then?.rows ?? 0)) return { kind: 'everything' };
    } else if (name.startsWith('day ')) {
      if (name < settled) return { kind: 'everything' };
    } else {
      const wentBack = then !== undefined && here !== undefined && here.advance < then.advance;
      if (wentBack && here.rows >= then.rows) return { kind: 'everything' };
      changed.push(name);
    }
  }
  const isChanged = new Set(changed);
  const unchanged = now
    .filter(({ block }) => before.has(block) && !isChanged.has(block) && !block.startsWith('message_'))
    .reduce((sum, { rows }) => sum + rows, 0);
  return { kind: 'blocks', blocks: changed, unchanged };
}

/** How far an earlier verification proved the messages. */
export interface ProvenBefore {
  /** Entries stored or processed since are compared; ms since 1970. */
  since: number;
  /** The last entry that it saw; null if there was none. */
  through: string | null;
}

/** What to prove, and what to remember of it afterwards. */
export interface Proof {
  unproven: Unproven;
  /** The current messages of entries up to `through`. */
  blocks: MessageBlock[];
  through: string | null;
}

/**
 * Compares the messages with what was proved before; null proves everything. Runs inside the verification's snapshot.
 */
export async function readProof(sql: Sql, before: ProvenBefore | null): Promise<Proof> {
  const through = await readLastEntryId(sql);
  const blocks = await readMessageBlocks(sql, { before: before?.through ?? null, through });
  const proven = before === null ? [] : await readProvenBlocks(sql);
  return {
    // Nothing is remembered for a database verified by an earlier version.
    unproven:
      before === null || proven.length === 0
        ? { kind: 'everything' }
        : unprovenBlocks(blocks.before, proven, before.since),
    blocks: blocks.through,
    through,
  };
}
