import {
  inheritFields,
  lockLeads,
  movePeople,
  requeueCollisions,
  type MergePair,
} from '../../store/changes/merge-leads.js';
import { journaled } from '../../store/journal/journal.js';
import type { Sql } from '../../store/sql.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { readIdentitiesOfPeople, readLeadsById } from '../../store/tables/leads.js';
import { adoptNames } from './adopt-names.js';
import type { BatchOutcome } from './duplicate-work.js';
import { leadGroupOf, leadsOf, movesOf, readThreadsByLead, type LeadGroup } from './lead-groups.js';
import { settleLeads } from './settle-leads.js';

/**
 * Merges groups of leads inside the batch's transaction and its journal: the earliest survives (I3) and gets identities,
 * conversations, messages, tickets and logs of the others; its conversations, its fields and its open tickets say then what
 * all of it says (I6, T3, T4). Entries that were rejected because two of the leads claimed one id are due again.
 */
export async function mergeLeadGroups(
  tx: Sql,
  runId: string,
  found: readonly LeadGroup[],
): Promise<BatchOutcome> {
  const groups = await groupsAsTheyAre(tx, found);
  const pairs: MergePair[] = groups.flatMap(({ survivor, goes, names }) =>
    [...goes, ...names].map((from) => ({ from, into: survivor })),
  );
  const outcome: BatchOutcome = {
    groups: groups.map(({ survivor, goes, evidence }) => ({
      class: 'lead',
      connectionId: null,
      survivor,
      goes,
      evidence: () => evidence,
    })),
    kept: [],
    changed: 0,
    requeued: 0,
  };
  if (pairs.length === 0) return outcome;
  const survivors = groups.map((group) => group.survivor);
  const personIds = [...survivors, ...pairs.map((pair) => pair.from)];
  const threads = await readThreadsByLead(tx, groups.flatMap(leadsOf));
  const emptiedConversationIds = groups.flatMap((group) => movesOf(group, threads).map((move) => move.from));

  return journaled(tx, runId, { leadIds: personIds, emptiedConversationIds }, async () => {
    const leads = await lockLeads(tx, groups.flatMap(leadsOf));
    const names = await readIdentitiesOfPeople(tx, personIds);
    await inheritFields(tx, pairs);
    const joined = await movePeople(tx, pairs);
    const survivorOf = new Map([
      ...survivors.map((id) => [id, id] as const),
      ...pairs.map(({ from, into }) => [from, into] as const),
    ]);
    const adopted = await adoptNames(tx, leads, names, survivorOf);
    const kept = [...new Set(joined)].sort();
    const timed = await updateConversations(tx, await recomputeConversations(tx, kept));
    const settled = await settleLeads(tx, [...survivors].sort(), kept);
    const requeued = await requeueCollisions(tx, survivors);
    return { ...outcome, changed: names.length + adopted + timed + settled, requeued };
  });
}

/** A group may have shrunk since it was found: another program removed a lead. */
async function groupsAsTheyAre(tx: Sql, found: readonly LeadGroup[]): Promise<LeadGroup[]> {
  const rows = await readLeadsById(tx, found.flatMap(leadsOf));
  const ages = new Map(rows.map((lead) => [lead.id, lead.firstSeenAt]));
  return found.flatMap(
    (group) =>
      leadGroupOf(
        { ...group, personIds: [...leadsOf(group).filter((id) => ages.has(id)), ...group.names] },
        ages,
      ) ?? [],
  );
}
