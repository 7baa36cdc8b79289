import { readConnections } from '../../store/tables/connections.js';
import { readMessagesById, updateMessages } from '../../store/tables/messages.js';
import { correctReactions, replaceRevisions } from '../../store/tables/amendments.js';
import { requeueEntries } from '../../store/tables/webhook-log.js';
import type { Context } from '../../context.js';
import { disown, distrust } from '../../rules/contradictions.js';
import { rowOfState } from '../../rules/message-book.js';
import { deriveMessages, rectifiedBy } from '../../rawlog/derive-messages.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { inBatch } from '../runs/in-batch.js';
import type { Target } from '../runs/with-run.js';

/** Rows derived and healed in one transaction. */
const TOGETHER = 1_000;

/**
 * Makes the entries of contested messages due again if the row differs from the raw log, and removes the row's
 * evidence: replaying those entries then writes the log's content, and everything derived from it. Merging alone never
 * does, because it keeps one of two equally good values (M2). A row moved to another lead also loses its claim to the
 * id. Reactions are set from the log at once. A row that matches the log stays. One transaction per batch, so a kill
 * leaves either a wrong row or due entries. Of rows that share an id (`areCopies`) a replay writes one: the log's content is
 * written into the others at once, and no entry is due. Nor is one where only an edit is left that decides (V7): the rest of the row
 * keeps its evidence, which nothing could bring back. Returns the number of rows.
 */
export async function distrustChangedMessages(
  ctx: Context,
  target: Target,
  rowIds: readonly string[],
  { areCopies = false }: { areCopies?: boolean } = {},
): Promise<number> {
  const { sql } = target;
  if (rowIds.length === 0) return 0;
  const connections = await readConnections(sql);
  const log = new RawLog(sql, connections);
  const organizations = new Map(connections.map(({ id, organizationId }) => [id, organizationId]));
  let healed = 0;
  for (let at = 0; at < rowIds.length && !ctx.signal.aborted; at += TOGETHER) {
    const rows = await readMessagesById(sql, rowIds.slice(at, at + TOGETHER), { lock: false });
    const derivations = await deriveMessages(sql, log, rows);
    const reactions = derivations.flatMap((derived) => derived.reactions);
    if (reactions.length > 0) {
      const locked = new Set(reactions.flatMap(({ connectionId }) => organizations.get(connectionId) ?? []));
      await inBatch(ctx, { target, organizations: locked }, (tx) => correctReactions(tx, reactions));
    }
    const wrong = derivations.flatMap((derived) => {
      const rectified = rectifiedBy(derived);
      if (rectified === null && (areCopies || !derived.isMisplaced)) return [];
      const { row, revisions } = rowOfState(
        rectified === null
          ? disown(derived.state)
          : areCopies || derived.truth === null
            ? rectified
            : distrust(rectified, derived.state),
      );
      return [{ ...derived, row: { ...row, rowVersion: derived.row.rowVersion }, revisions }];
    });
    if (wrong.length === 0) continue;
    const locked = new Set(wrong.flatMap(({ row }) => organizations.get(row.connectionId) ?? []));
    healed += await inBatch(ctx, { target, organizations: locked }, async (tx) => {
      // Rows that another program changed since they were read wait for the next run.
      const unchanged = new Map(
        (
          await readMessagesById(
            tx,
            wrong.map(({ row }) => row.id),
            { lock: true },
          )
        ).map(({ id, rowVersion }) => [id, rowVersion]),
      );
      const due = wrong.filter(({ row }) => unchanged.get(row.id) === row.rowVersion);
      await updateMessages(
        tx,
        due.map(({ row }) => row),
      );
      await replaceRevisions(
        tx,
        due.map(({ row }) => row.id),
        due.flatMap(({ row, revisions }) => revisions.map((one) => ({ messageId: row.id, ...one }))),
      );
      if (!areCopies) await requeueEntries(tx, [...new Set(due.flatMap(({ entryIds }) => entryIds))]);
      return due.length;
    });
  }
  return healed;
}
