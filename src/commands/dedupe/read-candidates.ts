import type { Sql } from '../../store/sql.js';
import { readMessagesById } from '../../store/tables/messages.js';
import { readRevisions } from '../../store/tables/amendments.js';
import { groupBy } from '../../rules/group-by.js';
import { candidateOf, type Candidate } from './candidate.js';

/**
 * Reads rows with all that they ever said, by their ids. `joined`: conversations to be taken for others. `lock`: for a
 * decision that is carried out, so that no row goes because of one that somebody else deletes.
 */
export async function readCandidates(
  sql: Sql,
  ids: readonly string[],
  { joined, lock = false }: { joined?: ReadonlyMap<string, string>; lock?: boolean } = {},
): Promise<Map<string, Candidate>> {
  const rows = await readMessagesById(sql, ids, { lock });
  const amended = rows.filter((row) => row.editedAt !== null || row.deletedAt !== null).map((row) => row.id);
  const revisions = groupBy(await readRevisions(sql, amended), (revision) => revision.messageId);
  return new Map(
    rows.map((row) => {
      const conversationId = joined?.get(row.conversationId) ?? row.conversationId;
      return [row.id, candidateOf({ ...row, conversationId }, revisions.get(row.id) ?? [])];
    }),
  );
}
