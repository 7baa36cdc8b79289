import type { ConversationMove } from '../../store/changes/merge-leads.js';
import { readLeadAges, readThreads, type LeadThread } from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { groupBy } from '../../rules/group-by.js';
import { linksByLog } from './log-links.js';
import { linksByNumber } from './number-links.js';
import { PersonGroups } from './person-groups.js';

/** Leads that are one person. */
export interface LeadGroup {
  organizationId: string;
  /** The earliest lead (I3). */
  survivor: string;
  /** The other leads, in the order of their age. */
  goes: string[];
  /** People without a lead whose names are the person's. */
  names: string[];
  evidence: string[];
}

export interface LeadLook {
  connections: readonly ConnectionRow[];
  /** Only people with a conversation there; null for all. */
  connectionId: string | null;
  signal: AbortSignal;
}

/** Leads looked up at a time. */
const PAGE = 5_000;

/** All leads that are one person with another one, by their numbers and by what the raw log says. Inside a transaction. */
export async function findLeadGroups(sql: Sql, look: LeadLook): Promise<LeadGroup[]> {
  const people = new PersonGroups();
  for await (const link of linksByNumber(sql)) people.add(link);
  for await (const link of linksByLog(sql, look.connections, look.signal)) people.add(link);
  const groups = people.all();
  const ages = new Map<string, number>();
  const ids = groups.flatMap((group) => group.personIds);
  for (let at = 0; at < ids.length; at += PAGE) {
    for (const { id, firstSeenAt } of await readLeadAges(sql, ids.slice(at, at + PAGE)))
      ages.set(id, firstSeenAt);
  }
  const found = groups.flatMap((group) => leadGroupOf(group, ages) ?? []);
  const kept = look.connectionId === null ? found : await onConnection(sql, found, look.connectionId);
  return kept.sort((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** A group in which at most one is a lead is no double: its names come together when the next entry names them. */
export function leadGroupOf(
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
  for (let at = 0; at < groups.length; at += PAGE) {
    const page = groups.slice(at, at + PAGE);
    const threads = await readThreads(sql, page.flatMap(leadsOf));
    const there = new Set(
      threads.filter((thread) => thread.connectionId === connectionId).map((thread) => thread.leadId),
    );
    kept.push(...page.filter((group) => leadsOf(group).some((id) => there.has(id))));
  }
  return kept;
}

export function leadsOf({ survivor, goes }: LeadGroup): string[] {
  return [survivor, ...goes];
}

/** Sorts groups by organization and survivor. */
function placeOf({ organizationId, survivor }: LeadGroup): string {
  return `${organizationId} ${survivor}`;
}

/**
 * Conversations that a merge of these leads joins: on every connection, those of the later leads go into the earliest one of
 * the first lead that has any. `threads`: at least those of the group's leads, the earlier of a lead first.
 */
export function movesOf(
  group: LeadGroup,
  threads: ReadonlyMap<string, readonly LeadThread[]>,
): ConversationMove[] {
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

export async function readThreadsByLead(
  sql: Sql,
  leadIds: readonly string[],
): Promise<Map<string, LeadThread[]>> {
  return groupBy(await readThreads(sql, leadIds), (thread) => thread.leadId);
}
