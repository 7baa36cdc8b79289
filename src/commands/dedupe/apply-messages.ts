import { journaled } from '../../store/journal/journal.js';
import { prepareLook } from '../../store/transactions.js';
import { groupOf, type DuplicateGroup } from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import type { BatchOutcome, MergeRun } from './duplicate-work.js';
import type { MessageClass } from './message-classes.js';
import { outcomeOf } from './outcome.js';
import { readCandidates } from './read-candidates.js';
import { writeMerges } from './write-merges.js';
import { planWrites } from './write-plan.js';

/**
 * Groups that one look over the tables brings: some 20 MB of keys and ids. Where the unique index is missing each look reads
 * the whole table, so there should be few of them.
 */
const GROUPS_PER_LOOK = 50_000;

/** Merges a class, batch by batch. Groups that stay as they are (collisions) are passed by their key. */
export async function applyMessages(run: MergeRun, messageClass: MessageClass): Promise<void> {
  let after: readonly [string, string] | null = null;
  for (;;) {
    const groups = await look(run, messageClass, after);
    for (const batch of batchesOf(groups, run.batchSize)) {
      if (run.stopped()) return;
      await run.batch(
        {
          class: messageClass.name,
          connectionIds: [...new Set(batch.map((group) => group.connectionId))],
        },
        (tx) => mergeBatch(tx, run, messageClass, batch),
      );
    }
    after = groups.at(-1)?.key ?? null;
    if (groups.length < GROUPS_PER_LOOK) return;
  }
}

async function look(
  { ctx, connectionId }: MergeRun,
  { find }: MessageClass,
  after: readonly [string, string] | null,
): Promise<DuplicateGroup[]> {
  const { text, parameters } = find({ connectionId, joined: new Map() }, { after, limit: GROUPS_PER_LOOK });
  const rows = await ctx.store.transaction(async (tx) => {
    await prepareLook(tx);
    return tx.query(text, parameters);
  });
  return rows.map(groupOf);
}

/** A group is never split: half of it would be another decision. */
function* batchesOf(groups: readonly DuplicateGroup[], batchSize: number): Generator<DuplicateGroup[]> {
  let batch: DuplicateGroup[] = [];
  let rows = 0;
  for (const group of groups) {
    if (batch.length > 0 && rows + group.ids.length > batchSize) {
      yield batch;
      batch = [];
      rows = 0;
    }
    batch.push(group);
    rows += group.ids.length;
  }
  if (batch.length > 0) yield batch;
}

/** Reads the rows again, as they are now, and decides by them. */
async function mergeBatch(
  tx: Sql,
  { runId }: MergeRun,
  { name, decide }: MessageClass,
  groups: readonly DuplicateGroup[],
): Promise<BatchOutcome> {
  const ids = [...new Set(groups.flatMap((group) => group.ids))].sort();
  const candidates = await readCandidates(tx, ids, { lock: true });
  const decision = decide(groups, candidates);
  const outcome = outcomeOf(name, decision, candidates);
  if (decision.merges.length === 0) return outcome;
  const plan = await planWrites(tx, decision.merges);
  const changed = await journaled(tx, runId, plan.scope, () => writeMerges(tx, plan));
  return { ...outcome, changed };
}
