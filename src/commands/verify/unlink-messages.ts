import { findUnfounded } from '../../audit/claims.js';
import { findHolders } from '../../audit/find-holders.js';
import { RawLog } from '../../rawlog/raw-log.js';
import type { Context } from '../../context.js';
import { inBatch } from '../../ingest/runs/in-batch.js';
import { journaled } from '../../store/journal/journal.js';
import { readConnections } from '../../store/tables/connections.js';
import { linkMessages, unlinkMessages } from '../../store/tables/messages.js';
import { inSnapshot } from '../../store/transactions.js';
import type { Scope } from '../../store/checks/scope.js';
import type { Recomputed } from './types.js';

/** Rows that one pass over the raw log collects, and that one transaction changes. */
const COLLECTED = 20_000;
const TOGETHER = 1_000;

/**
 * Gives rows whose raw entry does not hold them the one that does. Where none does, nothing in the raw log vouches for them:
 * they name no entry then, and count as another program's; with `heldOnly` they stay. Copies of a message of the entry are left to `dedupe`, which merges them. Journaled, so that `undo`
 * can put it back; a kill costs one batch. Stops between two batches when `ctx.signal` is aborted.
 */
export async function unlinkUnfounded(
  ctx: Context,
  { runId, scope, heldOnly = false }: { runId: string; scope: Scope; heldOnly?: boolean },
  done: Recomputed,
): Promise<void> {
  const { store } = ctx;
  const organizations = (await readConnections(store.sql)).map(({ organizationId }) => organizationId);
  // Of bodies with a bad signature: it must not look as if another program vouched for these rows.
  const forged = new Set<string>();
  for (;;) {
    const links: { messageId: string; logId: string }[] = [];
    await inSnapshot(store, (sql) =>
      findUnfounded(sql, scope, ctx.signal, ({ row, isCopy, why }) => {
        if (!isCopy && !forged.has(row.id)) links.push({ messageId: row.id, logId: row.batchId });
        if (why === 'refused') forged.add(row.id);
        return links.length < COLLECTED;
      }),
    );
    for (let at = 0; at < links.length && !ctx.signal.aborted; at += TOGETHER) {
      const some = links.slice(at, at + TOGETHER);
      const bareMessageIds = some.map(({ messageId }) => messageId);
      const holders = await findHolders(store.sql, await RawLog.open(store.sql), bareMessageIds, {
        signal: ctx.signal,
      });
      done.messages += await inBatch(ctx, { organizations }, (tx) =>
        journaled(tx, runId, { bareMessageIds }, async () => {
          const held = some.flatMap(({ messageId, logId: claimedId }) => {
            const logId = holders.get(messageId);
            return logId === undefined ? [] : [{ messageId, claimedId, logId }];
          });
          const others = heldOnly
            ? []
            : some.filter(({ messageId }) => !holders.has(messageId) && !forged.has(messageId));
          return (await linkMessages(tx, held)) + (await unlinkMessages(tx, others));
        }),
      );
    }
    // What stays would be found again.
    if (heldOnly || links.length < COLLECTED || ctx.signal.aborted) return;
  }
}
