import { assertWritten } from '../../store/transactions.js';
import {
  insertConversations,
  recomputeConversations,
  updateConversations,
  type ConversationRow,
} from '../../store/tables/conversations.js';
import {
  attachIdentities,
  writeIdentities,
  clearPhones,
  insertLeads,
  readPhoneHolders,
  updateLeads,
  type LeadRow,
} from '../../store/tables/leads.js';
import { projectLead, type LeadColumns } from '../../rules/lead-projection.js';
import { identityRow, type Person } from '../../rules/people.js';
import type { Conversations } from './conversations.js';
import type { NamedPeople } from './name-people.js';
import type { BatchWork } from './work.js';

/** Inserts the batch's new leads and conversations and stores what was learned about identities: what messages hang on. Gives the leads that nobody knew. */
export async function writeNewLeads(
  work: BatchWork,
  named: readonly NamedPeople[],
  conversations: Conversations,
): Promise<Set<string>> {
  const newLeads = new Set<string>();
  const byLead = conversations.byLead();
  const opened = new Set(conversations.inserts.map(({ id }) => id));
  for (const { organizationId, plan } of named) {
    const fresh = plan.people.filter((person) => person.isLead && !person.hasStoredLead);
    const rows = fresh.map((person) => projected(person, byLead, null));
    await releasePhones(work, rows, organizationId);
    assertWritten('leads', rows.length, await insertLeads(work.tx, organizationId, rows));
    work.tally.leads.created += rows.length;
    // One that had a conversation was here before, with its tickets and its contact log: only its row was gone.
    for (const { id } of fresh)
      if ((byLead.get(id) ?? []).every((row) => opened.has(row.id))) newLeads.add(id);
    await writeIdentities(work.tx, organizationId, changedIdentities(plan.people));
    await attachIdentities(
      work.tx,
      fresh.filter((person) => !person.isNew).map((person) => person.id),
    );
  }
  const inserted = await insertConversations(work.tx, conversations.inserts);
  assertWritten('conversations', conversations.inserts.length, inserted);
  work.tally.conversations.created += inserted;
  return newLeads;
}

/**
 * Updates conversations and leads from the messages. Returns the current leads. Waits for the messages to be written only where a
 * conversation has to be read from them again.
 */
export async function settleLeads(
  work: BatchWork,
  named: readonly NamedPeople[],
  conversations: Conversations,
  written: Promise<void>,
): Promise<Map<string, LeadRow>> {
  const stale = conversations.staleIds();
  if (stale.length > 0) {
    await written;
    conversations.replace(await recomputeConversations(work.tx, stale));
  }
  await updateConversations(work.tx, conversations.updates());
  const settled = new Map<string, LeadRow>();
  const updates: LeadRow[] = [];
  const renamed: LeadRow[] = [];
  const staleLeads = conversations.staleLeads();
  const byLead = conversations.byLead();
  for (const { plan, leads } of named) {
    for (const person of plan.people) {
      if (!person.isLead) continue;
      const stored = leads.get(person.id) ?? null;
      const lead = projected(person, byLead, stored);
      settled.set(lead.id, lead);
      if (stored === null ? staleLeads.has(lead.id) : differs(stored, lead)) updates.push(lead);
      if (stored !== null && stored.phoneNumber !== lead.phoneNumber) renamed.push(lead);
      if (stored !== null && isVisibleChange(stored, lead)) work.tally.leads.updated += 1;
    }
  }
  await clearPhones(
    work.tx,
    renamed.map(({ id }) => id),
  );
  await releasePhones(work, renamed);
  await updateLeads(work.tx, updates);
  return settled;
}

/** Takes the phones of these leads, which are written next, from leads that another program gave them. */
async function releasePhones(
  work: BatchWork,
  leads: readonly LeadRow[],
  organizationId: string | null = null,
): Promise<void> {
  const holders = await readPhoneHolders(work.tx, leads, organizationId);
  await clearPhones(
    work.tx,
    holders.flatMap(({ leadId, isMisnamed }) => (isMisnamed ? [leadId] : [])),
  );
}

function changedIdentities(people: readonly Person[]): ReturnType<typeof identityRow>[] {
  return people
    .flatMap((person) =>
      person.identities
        .filter((identity) => identity.changed)
        .map((identity) => identityRow(identity, person)),
    )
    .sort((a, b) => (`${a.kind} ${a.value}` < `${b.kind} ${b.value}` ? -1 : 1));
}

function projected(
  person: Person,
  byLead: ReadonlyMap<string, readonly ConversationRow[]>,
  stored: LeadRow | null,
): LeadRow {
  const { id, identities, isListedAnew } = person;
  return { id, ...projectLead(identities, byLead.get(id) ?? [], stored, isListedAnew) };
}

function differs(a: LeadColumns, b: LeadColumns): boolean {
  return isVisibleChange(a, b) || a.lastMessageAt !== b.lastMessageAt || a.firstSeenAt !== b.firstSeenAt;
}

/** Counts as an update only if a person would call it one; a later message alone does not. */
function isVisibleChange(a: LeadColumns, b: LeadColumns): boolean {
  return (
    a.phoneNumber !== b.phoneNumber ||
    a.pushName !== b.pushName ||
    a.username !== b.username ||
    a.source !== b.source ||
    a.isActive !== b.isActive ||
    a.deletedAt !== b.deletedAt
  );
}
