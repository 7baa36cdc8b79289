import {
  mergePeople,
  movePeople,
  requeueCollisions,
  requeueLostClaims,
} from '../../store/changes/merge-leads.js';
import type { Sql } from '../../store/sql.js';
import {
  readIdentities,
  readIdentitiesOfPeople,
  readLeads,
  readOwnLeads,
  type LeadRow,
} from '../../store/tables/leads.js';
import { claimOf } from '../../rules/claims.js';
import { groupBy } from '../../rules/group-by.js';
import {
  absorbEvidence,
  noEvidence,
  nodeKey,
  type IdentityEvidence,
  type IdentityNode,
} from '../../rules/identity-evidence.js';
import {
  isPhoneName,
  leadsToAdopt,
  nodesToLookUp,
  planPeople,
  storedIdentity,
  type Claim,
  type Person,
  type PersonPlan,
  type StoredIdentity,
} from '../../rules/people.js';
import type { BatchWork, Item } from './work.js';

/** The people of the batch, in one organization, after merges. */
export interface NamedPeople {
  organizationId: string;
  plan: PersonPlan;
  /** Stored leads by id. */
  leads: Map<string, LeadRow>;
  /** Conversations that received another one's messages. */
  mergedConversations: string[];
}

/** Resolves every identity of the batch to a person, and merges leads found to be one (I1-I3). */
export async function namePeople(work: BatchWork): Promise<NamedPeople[]> {
  const named: NamedPeople[] = [];
  for (const [organizationId, items] of groupBy(work.items, (item) => item.connection.organizationId)) {
    named.push(await nameOne(work, organizationId, claimsOf(work, items)));
  }
  return named;
}

/** The people {@link namePeople} will find, and which of them will merge; changes nothing. */
export async function foreseePeople(work: BatchWork): Promise<{ stored: string[]; merged: string[] }> {
  const stored = new Set<string>();
  const merged = new Set<string>();
  for (const [organizationId, items] of groupBy(work.items, (item) => item.connection.organizationId)) {
    const { identities, leads, plan } = await planOne(work, organizationId, claimsOf(work, items));
    for (const { personId } of identities) stored.add(personId);
    for (const { id } of leads) stored.add(id);
    for (const { from } of plan.merges) merged.add(from);
  }
  return { stored: [...stored], merged: [...merged] };
}

async function planOne(work: BatchWork, organizationId: string, claims: readonly Claim[]) {
  const { tx, settings } = work;
  const nodes = nodesToLookUp(claims);
  const identities = await readIdentities(tx, organizationId, nodes);
  const phones = nodes.filter((node) => node.kind === 'phone').map((node) => node.value);
  const known = new Set(identities.map((row) => row.personId));
  const found = await readLeads(tx, organizationId, [...known], phones);
  const leads = await withoutMisnamed(tx, found, known);
  const own = await readOwnLeads(tx, leadsToAdopt(identities, leads));
  return {
    identities,
    leads,
    plan: planPeople(claims, identities.map(storedIdentity), leads, own, settings.newId),
  };
}

/**
 * The leads without those that were found only by a phone in their column and have other phones by their identities:
 * another program wrote that column, and it does not make two people one.
 */
async function withoutMisnamed(
  tx: Sql,
  leads: readonly LeadRow[],
  known: ReadonlySet<string>,
): Promise<LeadRow[]> {
  const byColumn = leads.flatMap(({ id }) => (known.has(id) ? [] : [id]));
  const names = await readIdentitiesOfPeople(tx, byColumn);
  const misnamed = new Set(names.flatMap((name) => (isPhoneName(name) ? [name.personId] : [])));
  return leads.filter(({ id }) => !misnamed.has(id));
}

async function nameOne(
  work: BatchWork,
  organizationId: string,
  claims: readonly Claim[],
): Promise<NamedPeople> {
  const { tx, settings } = work;
  const { identities, leads: stored, plan } = await planOne(work, organizationId, claims);
  let leads = stored;
  let mergedConversations: string[] = [];
  if (plan.merges.length > 0) {
    mergedConversations =
      settings.isUndoable === true
        ? await movePeople(tx, plan.merges)
        : await mergePeople(tx, settings.runId, plan.merges);
    const survivors = [...new Set(plan.merges.map((merge) => merge.into))];
    work.requeued += await requeueCollisions(tx, survivors);
    const mergedLeads = new Set(stored.map((lead) => lead.id));
    work.tally.leads.merged += plan.merges.filter(
      (merge) => mergedLeads.has(merge.from) && mergedLeads.has(merge.into),
    ).length;
    leads = await readLeads(tx, organizationId, [...new Set(plan.people.map((person) => person.id))], []);
  }
  work.requeued += await requeueLostClaims(tx, namesOfGrown(plan, identities));
  work.know(organizationId, plan.personOf);
  return { organizationId, plan, leads: new Map(leads.map((lead) => [lead.id, lead])), mergedConversations };
}

/** The names of stored people who have more names after the batch. */
function namesOfGrown({ people, merges }: PersonPlan, stored: readonly IdentityNode[]): string[] {
  const known = new Set(stored.map(nodeKey));
  const survivors = new Set(merges.map((merge) => merge.into));
  const grown = people.filter(
    ({ id, isNew, identities }) =>
      survivors.has(id) || (!isNew && identities.some((identity) => !known.has(nodeKey(identity)))),
  );
  return [...new Set(grown.flatMap(({ identities }) => identities.map(({ value }) => value)))];
}

/** Adds stored people that no fact of the batch names, unchanged: they may lose messages to people it names. */
export async function nameHolders(
  work: BatchWork,
  named: NamedPeople[],
  holders: readonly { leadId: string; organizationId: string }[],
): Promise<void> {
  const unnamed = holders.filter(({ leadId }) => !named.some(({ leads }) => leads.has(leadId)));
  const identities = groupBy(
    await readIdentitiesOfPeople(
      work.tx,
      unnamed.map(({ leadId }) => leadId),
    ),
    (row) => row.personId,
  );
  for (const [organizationId, group] of groupBy(unnamed, (holder) => holder.organizationId)) {
    const ids = group.map(({ leadId }) => leadId);
    const leads = await readLeads(work.tx, organizationId, ids, []);
    const people = ids.map((id) => storedPerson(id, (identities.get(id) ?? []).map(storedIdentity)));
    const personOf = new Map(
      people.flatMap((person) => person.identities.map((identity) => [nodeKey(identity), person] as const)),
    );
    work.know(organizationId, personOf);
    named.push({
      organizationId,
      plan: { personOf, people, merges: [] },
      leads: new Map(leads.map((lead) => [lead.id, lead])),
      mergedConversations: [],
    });
  }
}

function storedPerson(id: string, identities: readonly StoredIdentity[]): Person {
  return {
    id,
    isNew: false,
    isLead: true,
    hasStoredLead: true,
    isListedAnew: false,
    identities: identities.map((identity) => ({ ...identity, changed: false })),
  };
}

/** The batch's claims about people, merged by names first: a history chunk repeats the same name 200 times. */
function claimsOf(work: BatchWork, items: readonly Item[]): Claim[] {
  const claims = new Map<string, Claim & { evidence: IdentityEvidence }>();
  for (const { fact, connection } of items) {
    const said = claimOf(fact, (who) => work.isOwnNumber(connection, who));
    if (said === null) continue;
    const key = said.nodes.map(nodeKey).join(' ');
    const claim = claims.get(key) ?? { ...said, evidence: noEvidence() };
    claims.set(key, claim);
    absorbEvidence(claim.evidence, said.evidence ?? {});
    claim.makesLead ||= said.makesLead;
  }
  return [...claims.values()];
}
