import { recomputeConversations, updateConversations } from '../../store/conversations.js';
import type { Sql } from '../../store/sql.js';
import { cameLive, unpackEvidence } from '../plan/evidence.js';
import type { Merge } from './merge-candidates.js';
import { settleLeads } from './settle-leads.js';

/**
 * Brings the conversations of merged messages to what their messages say now, and then the leads and tickets that rest on
 * them. Only where a message changed its time, source or name: an exact copy that goes moves nothing. Gives the number of
 * rows changed.
 */
export async function settleThreads(tx: Sql, merges: readonly Merge[]): Promise<number> {
  const moved = new Map<string, string>();
  const reread = new Map<string, string>();
  for (const { kept, lost, state } of merges) {
    const { conversationId, leadId } = kept.row;
    for (const { row } of [kept, ...lost]) {
      if (row.timestamp !== state.timestamp || row.source !== state.source) moved.set(conversationId, leadId);
      const opens = row.direction === 'INBOUND' && cameLive(unpackEvidence(row.evidence));
      if (opens && (row.timestamp !== state.timestamp || row.externalId !== state.externalId)) {
        reread.set(conversationId, leadId);
      }
    }
  }
  if (moved.size === 0 && reread.size === 0) return 0;
  const rows = await recomputeConversations(tx, [...moved.keys()].sort());
  const changed = await updateConversations(tx, rows);
  const leads = new Set([...moved.values(), ...reread.values()]);
  return changed + (await settleLeads(tx, [...leads].sort(), [...reread.keys()]));
}
