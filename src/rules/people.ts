import { isStoredPhone, phoneEquivalents } from '../identity/phone.js';
import type { IdentityRow } from '../store/tables/leads.js';
import { groupBy, UnionFind } from './group-by.js';
import {
  absorbEvidence,
  bookStateOf,
  compareNodes,
  nodeKey,
  noEvidence,
  type IdentityEvidence,
  type IdentityNode,
} from './identity-evidence.js';

/** A row of lead_identities. */
export interface StoredIdentity extends IdentityNode {
  personId: string;
  leadId: string | null;
  evidence: IdentityEvidence;
}

/** What planPeople needs from a stored lead. */
export interface StoredLead {
  id: string;
  phoneNumber: string | null;
  pushName: string | null;
  firstSeenAt: number;
}

/** One fact about one person: the names that belong together, and the evidence under the first of them. */
export interface Claim {
  nodes: readonly IdentityNode[];
  evidence?: Partial<IdentityEvidence>;
  /** Whether the fact makes the person a lead: a message, an address-book entry, a live reaction. */
  makesLead: boolean;
}

/** Two people found to be one (rule I3); `into` keeps its id, lead and conversations. */
export interface PersonMerge {
  from: string;
  into: string;
}

export interface Person {
  id: string;
  isNew: boolean;
  /** Already has a lead, or gets one from this batch. */
  isLead: boolean;
  hasStoredLead: boolean;
  /** The address book says something new of the person, or several stored people are found to be this one. */
  isListedAnew: boolean;
  identities: PlannedIdentity[];
}

export interface PlannedIdentity extends IdentityNode {
  evidence: IdentityEvidence;
  /** Not stored yet, or stored with less evidence, or with another lead than the person's. */
  changed: boolean;
}

export interface PersonPlan {
  /** By {@link nodeKey}. */
  personOf: Map<string, Person>;
  people: Person[];
  merges: PersonMerge[];
}

/**
 * Resolves identities within one organization: joins the batch's claims with the stored identities, and gives every
 * person an id. Pure; the same claims in any order give the same groups. `ownLeads`: those that this tool made.
 */
export function planPeople(
  claims: readonly Claim[],
  storedIdentities: readonly StoredIdentity[],
  storedLeads: readonly StoredLead[],
  ownLeads: ReadonlySet<string>,
  newId: () => string,
): PersonPlan {
  const groups = new UnionFind();
  const identities = new Map<string, PlannedIdentity>();
  const storedPeople = new Set<string>();
  const leadMakers = new Set<string>();

  for (const row of storedIdentities) {
    const key = nodeKey(row);
    identities.set(key, {
      kind: row.kind,
      value: row.value,
      evidence: { ...row.evidence },
      changed: false,
    });
    groups.join(personKey(row.personId), key);
    storedPeople.add(row.personId);
  }
  const adopted = new Set(leadsToAdopt(storedIdentities, storedLeads));
  for (const lead of storedLeads) {
    storedPeople.add(lead.id);
    groups.add(personKey(lead.id));
    if (adopted.has(lead.id)) adoptLead(lead, ownLeads.has(lead.id), identities, groups);
  }
  for (const claim of claims) addClaim(claim, identities, groups, leadMakers);
  joinEquivalents(identities, groups);

  const plan = namePeople(groups, identities, storedPeople, storedLeads, leadMakers, newId);
  markMisplaced(storedIdentities, plan, identities);
  markListedAnew(storedIdentities, plan);
  return plan;
}

/** Whether a stored name is a phone: another program may have written anything into one of that kind. */
export function isPhoneName({ kind, value }: IdentityNode): boolean {
  return kind === 'phone' && isStoredPhone(value);
}

function markListedAnew(stored: readonly StoredIdentity[], { people, merges }: PersonPlan): void {
  const before = groupBy(stored, ({ personId }) => personId);
  const survivors = new Set(merges.map(({ into }) => into));
  for (const person of people) {
    const [was, is] = [before.get(person.id) ?? [], person.identities].map(bookStateOf);
    person.isListedAnew = survivors.has(person.id) || was?.value !== is?.value || was?.at !== is?.at;
  }
}

/** A stored identity whose lead is not that of its person, as another program may leave it, is written again. */
function markMisplaced(
  stored: readonly StoredIdentity[],
  { personOf }: PersonPlan,
  identities: ReadonlyMap<string, PlannedIdentity>,
): void {
  for (const row of stored) {
    const key = nodeKey(row);
    const person = personOf.get(key);
    const identity = identities.get(key);
    if (person === undefined || identity === undefined) continue;
    if (person.isLead && row.leadId !== person.id) identity.changed = true;
  }
}

/** The claimed identities and others to look up: Argentina's other form of a phone (I1). */
export function nodesToLookUp(claims: readonly Claim[]): IdentityNode[] {
  const nodes = new Map<string, IdentityNode>();
  for (const claim of claims) {
    for (const node of claim.nodes) {
      nodes.set(nodeKey(node), node);
      if (node.kind !== 'phone') continue;
      for (const value of phoneEquivalents(node.value)) nodes.set(`phone:${value}`, { kind: 'phone', value });
    }
  }
  return [...nodes.values()].sort(compareNodes);
}

/**
 * The leads whose phone is only in their column. A lead with phones of its own gets no other one from its column: whoever
 * changed the column would join two people.
 */
export function leadsToAdopt(
  storedIdentities: readonly Pick<StoredIdentity, 'kind' | 'value' | 'personId'>[],
  storedLeads: readonly Pick<StoredLead, 'id' | 'phoneNumber'>[],
): string[] {
  const named = new Set(storedIdentities.flatMap((row) => (isPhoneName(row) ? [row.personId] : [])));
  return storedLeads.flatMap(({ id, phoneNumber }) => (phoneNumber === null || named.has(id) ? [] : [id]));
}

/**
 * A lead written by another program has a phone but no row in lead_identities. A person entered its name, so it counts
 * as an address-book name older than any other. A lead of this tool (`isOwn`) has lost the row: the raw log says where its
 * name is from, and an address-book name would withstand each later one.
 */
function adoptLead(
  lead: StoredLead,
  isOwn: boolean,
  identities: Map<string, PlannedIdentity>,
  groups: UnionFind,
): void {
  if (lead.phoneNumber === null) return;
  const key = nodeKey({ kind: 'phone', value: lead.phoneNumber });
  groups.join(personKey(lead.id), key);
  if (identities.has(key)) return;
  const evidence = noEvidence();
  if (lead.pushName !== null && !isOwn) evidence.bookName = { value: lead.pushName, at: 0 };
  identities.set(key, { kind: 'phone', value: lead.phoneNumber, evidence, changed: true });
}

function addClaim(
  claim: Claim,
  identities: Map<string, PlannedIdentity>,
  groups: UnionFind,
  leadMakers: Set<string>,
): void {
  const [first] = claim.nodes;
  if (first === undefined) return;
  const firstKey = nodeKey(first);
  for (const node of claim.nodes) {
    const key = nodeKey(node);
    if (!identities.has(key)) {
      identities.set(key, {
        kind: node.kind,
        value: node.value,
        evidence: noEvidence(),
        changed: true,
      });
    }
    groups.join(firstKey, key);
  }
  if (claim.evidence !== undefined) {
    for (const node of claim.nodes) {
      const identity = identities.get(nodeKey(node));
      if (identity === undefined) continue;
      // Every name was seen at that time; the other evidence is kept once, under the first name.
      const said = node === first ? claim.evidence : { firstSeenAt: claim.evidence.firstSeenAt ?? null };
      if (absorbEvidence(identity.evidence, said)) identity.changed = true;
    }
  }
  if (claim.makesLead) leadMakers.add(firstKey);
}

function joinEquivalents(identities: Map<string, PlannedIdentity>, groups: UnionFind): void {
  for (const [key, identity] of identities) {
    if (identity.kind !== 'phone') continue;
    for (const value of phoneEquivalents(identity.value)) {
      const other = `phone:${value}`;
      if (identities.has(other)) groups.join(key, other);
    }
  }
}

function namePeople(
  groups: UnionFind,
  identities: Map<string, PlannedIdentity>,
  storedPeople: ReadonlySet<string>,
  storedLeads: readonly StoredLead[],
  leadMakers: ReadonlySet<string>,
  newId: () => string,
): PersonPlan {
  const storedByGroup = groupBy(storedPeople, (personId) => groups.find(personKey(personId)));
  const makerGroups = new Set([...leadMakers].map((key) => groups.find(key)));
  const firstSeen = new Map(storedLeads.map((lead) => [lead.id, lead.firstSeenAt]));

  const personOf = new Map<string, Person>();
  const byGroup = new Map<string, Person>();
  const merges: PersonMerge[] = [];
  for (const [key, identity] of identities) {
    const group = groups.find(key);
    let person = byGroup.get(group);
    if (person === undefined) {
      const stored = (storedByGroup.get(group) ?? []).sort((a, b) => compareSurvivors(a, b, firstSeen));
      const [survivor, ...others] = stored;
      for (const from of others) if (survivor !== undefined) merges.push({ from, into: survivor });
      const hasStoredLead = survivor !== undefined && firstSeen.has(survivor);
      person = {
        id: survivor ?? newId(),
        isNew: survivor === undefined,
        isLead: hasStoredLead || makerGroups.has(group),
        hasStoredLead,
        isListedAnew: false,
        identities: [],
      };
      byGroup.set(group, person);
    }
    person.identities.push(identity);
    personOf.set(key, person);
  }
  return { personOf, people: [...byGroup.values()], merges };
}

/** The earlier lead survives a merge; a person without a lead yields to one with a lead. */
function compareSurvivors(a: string, b: string, firstSeen: ReadonlyMap<string, number>): number {
  const left = firstSeen.get(a) ?? Infinity;
  const right = firstSeen.get(b) ?? Infinity;
  if (left !== right) return left - right;
  return a < b ? -1 : a > b ? 1 : 0;
}

function personKey(personId: string): string {
  return `person:${personId}`;
}

/** Reads a lead_identities row, with two columns per dated value. */
export function storedIdentity(row: IdentityRow): StoredIdentity {
  const dated = <T extends string>(value: T | null, at: number | null): { value: T; at: number } | null =>
    value === null || at === null ? null : { value, at };
  return {
    kind: row.kind,
    value: row.value,
    personId: row.personId,
    leadId: row.leadId,
    evidence: {
      firstSeenAt: row.firstSeenAt,
      profileName: dated(row.profileName, row.profileNameAt),
      username: dated(row.username, row.usernameAt),
      bookName: dated(row.bookName, row.bookNameAt),
      bookState: dated(row.bookState, row.bookStateAt),
      bookFirstAt: row.bookFirstAt,
      liveFirstAt: row.liveFirstAt,
    },
  };
}

/** The inverse: the row of one identity of `person`. */
export function identityRow(
  identity: IdentityNode & { evidence: IdentityEvidence },
  person: { id: string; isLead: boolean },
): IdentityRow {
  const { evidence } = identity;
  return {
    kind: identity.kind,
    value: identity.value,
    personId: person.id,
    leadId: person.isLead ? person.id : null,
    firstSeenAt: evidence.firstSeenAt,
    profileName: evidence.profileName?.value ?? null,
    profileNameAt: evidence.profileName?.at ?? null,
    username: evidence.username?.value ?? null,
    usernameAt: evidence.username?.at ?? null,
    bookName: evidence.bookName?.value ?? null,
    bookNameAt: evidence.bookName?.at ?? null,
    bookState: evidence.bookState?.value ?? null,
    bookStateAt: evidence.bookState?.at ?? null,
    bookFirstAt: evidence.bookFirstAt,
    liveFirstAt: evidence.liveFirstAt,
  };
}
