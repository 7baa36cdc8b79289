import { assertWritten } from '../../store/transactions.js';
import { followRenames, renameContexts } from '../../store/changes/renames.js';
import type { Sql } from '../../store/sql.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import {
  addUnknownMedia,
  adoptOrigins,
  deleteUnchangedMessages,
  updateMessages,
} from '../../store/tables/messages.js';
import { deletePendingFacts, replaceRevisions, writeReactions } from '../../store/tables/amendments.js';
import type { MovedThreads } from './moved-threads.js';
import { settleLeads } from './settle-leads.js';
import type { WritePlan } from './write-plan.js';

/**
 * Writes merges: the rows that go, the rows that stay with all that is known, and what named the former. Set-based, inside the
 * batch's transaction and its journal. Gives the number of rows changed besides those that went.
 */
export async function writeMerges(tx: Sql, plan: WritePlan): Promise<number> {
  const { lost, updates } = plan;
  // The double goes before the row that stays takes its wamid: the index, where there is one, allows one of them.
  assertWritten('doubles', lost.length, await deleteUnchangedMessages(tx, lost));
  assertWritten('messages', updates.length, await updateMessages(tx, updates));
  await replaceRevisions(tx, plan.revised, plan.revisions);
  await addUnknownMedia(tx, plan.unknownMedia);
  await adoptOrigins(tx, plan.origins);
  // Reactions, tickets and replies that name a key id follow it to its wamid.
  const followed = (await followRenames(tx, plan.renames)) + (await renameContexts(tx, plan.renames));
  await deletePendingFacts(tx, plan.applied);
  await writeReactions(tx, plan.reactions.changes());
  return updates.length + followed + (await settleThreads(tx, plan.moved));
}

/** Brings conversations to what their messages say now, and the leads and tickets that rest on them. */
async function settleThreads(tx: Sql, { ends, tickets }: MovedThreads): Promise<number> {
  if (ends.size === 0 && tickets.size === 0) return 0;
  const rows = await recomputeConversations(tx, [...ends.keys()].sort());
  const changed = await updateConversations(tx, rows);
  const leads = new Set([...ends.values(), ...tickets.values()]);
  return changed + (await settleLeads(tx, [...leads].sort(), [...tickets.keys()].sort()));
}
