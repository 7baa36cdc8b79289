import type { PendingRecord } from '../../store/tables/amendments.js';
import { readEntryHeads } from '../../store/tables/stored-entries.js';
import { iso, originOf } from './fact-view.js';
import type { Investigation } from './investigation.js';
import type { PendingNote } from './result.js';

/** What waits for its message, with the entries that brought it. */
export async function pendingNotes(
  inv: Investigation,
  pending: readonly PendingRecord[],
): Promise<PendingNote[]> {
  const ids = [...new Set(pending.flatMap((one) => one.webhookLogId ?? []))];
  const heads = new Map((await readEntryHeads(inv.sql, ids)).map((head) => [head.id, head]));
  return pending.map((one) => {
    const head = one.webhookLogId === null ? undefined : heads.get(one.webhookLogId);
    const status = one.payload['status'];
    return {
      connection: inv.nameOf(one.connectionId),
      kind: one.kind,
      targetExternalId: one.targetExternalId,
      at: iso(one.at),
      waitingSince: iso(one.createdAt),
      status: typeof status === 'string' ? status : null,
      entryId: one.webhookLogId,
      entryOrigin: head === undefined ? null : originOf(head),
    };
  });
}
