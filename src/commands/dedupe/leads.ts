import {
  inheritFields,
  lockLeads,
  movePeople,
  requeueCollisions,
  requeueLostClaims,
  type ConversationMove,
  type MergePair,
} from '../../store/changes/merge-leads.js';
import { journaled } from '../../store/journal/journal.js';
import { prepareLook, inSnapshot } from '../../store/transactions.js';
import {
  countThreadMessages,
  readLeadAges,
  readThreads,
  type LeadThread,
} from '../../store/queries/duplicate-people.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { readIdentitiesOfPeople, readLeadsById } from '../../store/tables/leads.js';
import { groupBy } from '../../rules/group-by.js';
import { adoptNames } from './adopt-names.js';
import {
  mergeInBatches,
  type BatchOutcome,
  type DedupeClass,
  type MergedGroup,
  type MergeRun,
  type PlanView,
} from './batches.js';
import { linksByLog, linksByNumber, PersonGroups } from './lead-links.js';
import { settleLeads } from './settle-leads.js';

/** Class `lead`: two leads that are one person (I1, I3). */
export const LEAD_CLASS: DedupeClass = { name: 'lead', plan, apply };

/** Leads that are one person. */
interface LeadGroup {
  organizationId: string;
  /** The earliest lead (I3). */
  survivor: string;
  /** The other leads, in the order of their age. */
  goes: string[];
  /** People without a lead whose names belong to this person. */
  names: string[];
  evidence: string[];
}

interface LeadLook {
  connections: readonly ConnectionRow[];
  /** Only people with a conversation on this connection; null for all. */
  connectionId: string | null;
  signal: AbortSignal;
}

/** Groups whose conversations are looked up at a time. */
const GROUPS_PER_PAGE = 1_000;
/** Leads, and groups of them, that are looked up at a time. */
const LEADS_PER_PAGE = 5_000;

async function plan(view: PlanView): Promise<void> {
  const groups = await findLeadGroups(view.sql, view);
  for (let at = 0; at < groups.length; at += GROUPS_PER_PAGE) {
    const page = groups.slice(at, at + GROUPS_PER_PAGE);
    const threads = await readThreadsByLead(view.sql, page.flatMap(leadsOf));
    for (const group of page) {
      view.tally.merged(mergedLeads(group));
      for (const { from, into } of movesOf(group, threads)) view.joined.set(from, into);
    }
  }
}

async function apply(run: MergeRun): Promise<void> {
  const { ctx, connections, connectionId } = run;
  const groups = await inSnapshot(ctx.store, async (sql) => {
    await prepareLook(sql);
    return findLeadGroups(sql, { connections, connectionId, signal: ctx.signal });
  });
  const connectionsOf = groupBy(connections, (connection) => connection.organizationId);
  for (let at = 0; at < groups.length && !run.stopped(); at += GROUPS_PER_PAGE) {
    const page = groups.slice(at, at + GROUPS_PER_PAGE);
    const rows = await rowsToMove(ctx.store.sql, page);
    await mergeInBatches(run, page, {
      class: 'lead',
      rowsOf: (group) => rows.get(group) ?? 1,
      connectionsOf: ({ organizationId }) => (connectionsOf.get(organizationId) ?? []).map(({ id }) => id),
      merge: (tx, batch) => mergeLeadGroups(tx, run.runId, batch),
    });
  }
}

/** The cost of merging each group, in rows: its leads, and the messages of the deleted ones. */
async function rowsToMove(sql: Sql, groups: readonly LeadGroup[]): Promise<Map<LeadGroup, number>> {
  const threads = await readThreadsByLead(
    sql,
    groups.flatMap((group) => group.goes),
  );
  const messages = await countThreadMessages(
    sql,
    [...threads.values()].flatMap((own) => own.map(({ id }) => id)),
  );
  return new Map(
    groups.map((group) => {
      const moved = group.goes.flatMap((id) => threads.get(id) ?? []);
      return [group, moved.reduce((sum, { id }) => sum + (messages.get(id) ?? 0), group.goes.length + 1)];
    }),
  );
}

/** All leads that are the same person as another one, by number and by the raw log. Runs inside a transaction. */
async function findLeadGroups(sql: Sql, look: LeadLook): Promise<LeadGroup[]> {
  const people = new PersonGroups();
  for await (const link of linksByNumber(sql)) people.add(link);
  for await (const link of linksByLog(sql, look.connections, look.signal)) people.add(link);
  const groups = people.all();
  const ages = new Map<string, number>();
  const ids = groups.flatMap((group) => group.personIds);
  for (let at = 0; at < ids.length; at += LEADS_PER_PAGE) {
    const rows = await readLeadAges(sql, ids.slice(at, at + LEADS_PER_PAGE));
    for (const { id, firstSeenAt } of rows) ages.set(id, firstSeenAt);
  }
  const found = groups.flatMap((group) => leadGroupOf(group, ages) ?? []);
  const kept = look.connectionId === null ? found : await onConnection(sql, found, look.connectionId);
  return kept.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Null for a group with fewer than two leads: the next entry that uses its names joins them. */
function leadGroupOf(
  group: { organizationId: string; personIds: readonly string[]; evidence: string[] },
  ages: ReadonlyMap<string, number>,
): LeadGroup | null {
  const leads = group.personIds.filter((id) => ages.has(id));
  const [survivor, ...goes] = leads.sort((a, b) => {
    const difference = (ages.get(a) ?? 0) - (ages.get(b) ?? 0);
    return difference === 0 ? (a < b ? -1 : 1) : difference;
  });
  if (survivor === undefined || goes.length === 0) return null;
  const { organizationId, evidence } = group;
  return { organizationId, survivor, goes, names: group.personIds.filter((id) => !ages.has(id)), evidence };
}

async function onConnection(
  sql: Sql,
  groups: readonly LeadGroup[],
  connectionId: string,
): Promise<LeadGroup[]> {
  const kept: LeadGroup[] = [];
  for (let at = 0; at < groups.length; at += LEADS_PER_PAGE) {
    const page = groups.slice(at, at + LEADS_PER_PAGE);
    const threads = await readThreads(sql, page.flatMap(leadsOf));
    const there = new Set(
      threads.filter((thread) => thread.connectionId === connectionId).map((thread) => thread.leadId),
    );
    kept.push(...page.filter((group) => leadsOf(group).some((id) => there.has(id))));
  }
  return kept;
}

function leadsOf({ survivor, goes }: LeadGroup): string[] {
  return [survivor, ...goes];
}

/** Sorts groups by organization and survivor. */
function placeOf({ organizationId, survivor }: LeadGroup): string {
  return `${organizationId} ${survivor}`;
}

/**
 * Conversations that a merge of these leads joins: on every connection, later leads' conversations join the earliest
 * one of the first lead that has any. `threads`: at least those of the group's leads, in lead order.
 */
function movesOf(group: LeadGroup, threads: ReadonlyMap<string, readonly LeadThread[]>): ConversationMove[] {
  const moves: ConversationMove[] = [];
  const kept = new Map<string, LeadThread>();
  for (const leadId of leadsOf(group)) {
    const own = threads.get(leadId) ?? [];
    const before = new Map(kept);
    for (const thread of own) {
      const into = before.get(thread.connectionId);
      if (into !== undefined) moves.push({ from: thread.id, into: into.id, leadId: group.survivor });
      else if (!kept.has(thread.connectionId)) kept.set(thread.connectionId, thread);
    }
  }
  return moves;
}

async function readThreadsByLead(sql: Sql, leadIds: readonly string[]): Promise<Map<string, LeadThread[]>> {
  return groupBy(await readThreads(sql, leadIds), (thread) => thread.leadId);
}

/**
 * Merges groups of leads inside the batch's transaction and its journal: the earliest survives (I3) and gets identities,
 * conversations, messages, tickets and logs of the others; its conversations, its fields and its open tickets then follow from
 * all of these (I6, T3, T4). Entries that were rejected because two of the leads claimed one id become pending again.
 */
async function mergeLeadGroups(tx: Sql, runId: string, found: readonly LeadGroup[]): Promise<BatchOutcome> {
  const groups = await groupsAsTheyAre(tx, found);
  const pairs: MergePair[] = groups.flatMap(({ survivor, goes, names }) =>
    [...goes, ...names].map((from) => ({ from, into: survivor })),
  );
  const outcome: BatchOutcome = { groups: groups.map(mergedLeads), kept: [], changed: 0, requeued: 0 };
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
    const settled = await settleLeads(tx, [...survivors].sort(), kept, { areMerged: true });
    const collisions = await requeueCollisions(tx, survivors);
    const requeued =
      collisions +
      (await requeueLostClaims(
        tx,
        names.map(({ value }) => value),
      ));
    return { ...outcome, changed: names.length + adopted + timed + settled, requeued };
  });
}

function mergedLeads({ survivor, goes, evidence }: LeadGroup): MergedGroup {
  return { class: 'lead', connectionId: null, survivor, goes, evidence: () => evidence };
}

/** A group may have shrunk: another program deleted a lead. */
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
