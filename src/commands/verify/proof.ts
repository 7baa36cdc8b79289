import type { Sql } from '../../store/sql.js';
import {
  FOREIGN,
  messagesIn,
  NAMES,
  readBlocks,
  readProvenBlocks,
  type StoredBlock,
} from '../../store/tables/proven-blocks.js';
import { readLastEntryId } from '../../store/tables/stored-entries.js';

const DAY = 86_400_000;
/** Another program may still be changing its messages of the last days. */
const SETTLED_AFTER = 2 * DAY;

/** What must be compared with the raw log again. */
type Unproven =
  | { kind: 'everything' }
  /** Entries stored or processed since; so many messages are as last compared. */
  | { kind: 'new'; unchanged: number };

/**
 * Compares what is stored with what the last verification proved. If anything of that has changed, everything is compared again: the
 * change may contradict any entry, not only the one that a message names, and whether a run or another program made it, the
 * rows do not say. New rows depend on new entries, which are compared anyway. `since`: ms since 1970, when the last
 * verification began.
 */
function unprovenOf(now: readonly StoredBlock[], proven: readonly StoredBlock[], since: number): Unproven {
  const before = new Map(proven.map((block) => [block.block, block]));
  const after = new Map(now.map((block) => [block.block, block]));
  const settled = `${FOREIGN}${new Date(since - SETTLED_AFTER).toISOString().slice(0, 10).replaceAll('-', '')}`;
  for (const name of new Set([...before.keys(), ...after.keys()])) {
    const [then, here] = [before.get(name), after.get(name)];
    if (then?.rows === here?.rows && then?.digest === here?.digest) continue;
    if (name.startsWith(FOREIGN) && name >= settled) continue;
    if (name.startsWith(NAMES) && then === undefined) continue;
    return { kind: 'everything' };
  }
  return { kind: 'new', unchanged: messagesIn(now.filter(({ block }) => before.has(block))) };
}

/** How far an earlier verification proved what is stored. */
export interface ProvenBefore {
  /** Entries stored or processed since are compared; ms since 1970. */
  since: number;
  /** The last entry that it saw; null if there was none. */
  through: string | null;
}

/** What to prove, and what to remember of it afterwards. */
export interface Proof {
  unproven: Unproven;
  /** What is stored now, of entries up to `through`. */
  blocks: StoredBlock[];
  through: string | null;
}

/**
 * Compares what is stored with what was proved before; null proves everything. Runs inside the verification's snapshot.
 */
export async function readProof(sql: Sql, before: ProvenBefore | null): Promise<Proof> {
  const through = await readLastEntryId(sql);
  const blocks = await readBlocks(sql, { before: before?.through ?? null, through });
  const proven = before === null ? [] : await readProvenBlocks(sql);
  return {
    // Nothing is remembered for a database verified by an earlier version.
    unproven:
      before === null || proven.length === 0
        ? { kind: 'everything' }
        : unprovenOf(blocks.before, proven, before.since),
    blocks: blocks.through,
    through,
  };
}
