import { UnionFind, groupBy } from '../../rules/group-by.js';
import { canonicalPhone, phoneEquivalents, phoneSpellings } from '../../identity/phone.js';
import {
  type NameWithoutPhone,
  NUMBER_GROUPS,
  type NumberGroup,
  numberGroupOf,
  readHolders,
  readNamesWithoutPhone,
  type WantedName,
} from '../../store/queries/duplicate-people.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import type { Fact } from '../../model/facts.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { numberOf } from '../../ingest/batch/connection-resolver.js';
import { whoIsNamed } from '../../rules/fact-traits.js';
import { type IdentityNode, nodesOf } from '../../rules/identity-evidence.js';
import { type DecodedEntry, RawLog } from '../../rawlog/raw-log.js';

/** Two people of one organization who are one, and why: a sentence for people. */
interface PersonLink {
  organizationId: string;
  one: string;
  other: string;
  why: string;
}

/** People who are one, over any number of links. */
interface PersonGroup {
  organizationId: string;
  personIds: string[];
  evidence: string[];
}

/** Joins links into groups. Holds only people with a duplicate, never everyone. */
export class PersonGroups {
  private readonly groups = new UnionFind();
  private readonly links: PersonLink[] = [];

  add(link: PersonLink): void {
    if (link.one === link.other) return;
    const one = `${link.organizationId} ${link.one}`;
    const other = `${link.organizationId} ${link.other}`;
    this.groups.add(one);
    this.groups.add(other);
    // A second link between the same people would only lengthen the evidence.
    if (this.groups.find(one) === this.groups.find(other)) return;
    this.groups.join(one, other);
    this.links.push(link);
  }

  all(): PersonGroup[] {
    const byRoot = new Map<string, { organizationId: string; ids: Set<string>; evidence: string[] }>();
    for (const { organizationId, one, other, why } of this.links) {
      const root = this.groups.find(`${organizationId} ${one}`);
      let group = byRoot.get(root);
      if (group === undefined) {
        group = { organizationId, ids: new Set(), evidence: [] };
        byRoot.set(root, group);
      }
      group.ids.add(one).add(other);
      group.evidence.push(why);
    }
    return [...byRoot.values()].map(({ organizationId, ids, evidence }) => ({
      organizationId,
      personIds: [...ids].sort(),
      evidence,
    }));
  }
}

/** People who share a number (I1): identical, or spelled with and without the ninth digit, as 521/52, as 549/54. */
export async function* linksByNumber(sql: Sql): AsyncGenerator<PersonLink> {
  for await (const rows of streamRows(sql, NUMBER_GROUPS)) {
    for (const row of rows) yield* linksOfGroup(numberGroupOf(row));
  }
}

/** The query may match too much: this decides which numbers are one. */
function* linksOfGroup({ organizationId, holders }: NumberGroup): Generator<PersonLink> {
  const byPhone = groupBy(
    holders.flatMap((holder) => {
      const canonical = canonicalPhone(holder.phone);
      return canonical === undefined ? [] : [{ ...holder, canonical }];
    }),
    (holder) => holder.canonical,
  );
  for (const [phone, group] of byPhone) {
    const [first, ...others] = group;
    if (first === undefined) continue;
    for (const other of others) yield { organizationId, ...pair(first, other) };
    for (const equivalent of phoneEquivalents(phone)) {
      const [same] = byPhone.get(equivalent) ?? [];
      if (same !== undefined) yield { organizationId, ...pair(first, same) };
    }
  }
}

type Holder = NumberGroup['holders'][number];

function pair(one: Holder, other: Holder): Pick<PersonLink, 'one' | 'other' | 'why'> {
  const why =
    one.phone === other.phone
      ? `both have the number ${one.phone}`
      : `${one.phone} and ${other.phone} are one number`;
  return { one: one.personId, other: other.personId, why };
}

/** Leads looked up in the log at a time, and namings resolved at a time. */
const LEADS = 500;
const NAMINGS = 1_000;

/** The names that one entry gives one person. */
interface Naming {
  organizationId: string;
  nodes: IdentityNode[];
  origin: string;
}

/**
 * Leads known only by a LID or a BSUID that are the same person as another lead, because a raw entry gives both names
 * to one person (I3). Reads only entries that name such a lead and something else.
 */
export async function* linksByLog(
  sql: Sql,
  connections: readonly ConnectionRow[],
  signal: AbortSignal,
): AsyncGenerator<PersonLink> {
  const log = new RawLog(sql, connections);
  for (let after: string | null = null; !signal.aborted;) {
    const names = await readNamesWithoutPhone(sql, after, LEADS);
    after = names.at(-1)?.leadId ?? null;
    if (after === null) return;
    let namings = new Map<string, Naming>();
    for await (const decoded of entriesAbout(log, names, signal)) {
      addNamings(namings, decoded, names);
      if (namings.size < NAMINGS) continue;
      yield* await linksOf(sql, [...namings.values()]);
      namings = new Map();
    }
    yield* await linksOf(sql, [...namings.values()]);
  }
}

function entriesAbout(
  log: RawLog,
  names: readonly NameWithoutPhone[],
  signal: AbortSignal,
): AsyncGenerator<DecodedEntry> {
  const chatIds = [...new Set(names.map((name) => name.value))];
  return log.entries({ statuses: [], chatIds, severalNames: true }, { signal });
}

/** What an entry says about these names: only facts that add another name. */
function addNamings(
  namings: Map<string, Naming>,
  { entry, sections }: DecodedEntry,
  names: readonly NameWithoutPhone[],
): void {
  const wanted = new Set(names.map(({ organizationId, value }) => `${organizationId} ${value}`));
  for (const { section, connection } of sections) {
    if (connection === null) continue;
    const { organizationId } = connection;
    for (const fact of section.facts) {
      for (const nodes of peopleOf(fact, numberOf(connection.displayPhoneNumber))) {
        if (nodes.length < 2 || !nodes.some(({ value }) => wanted.has(`${organizationId} ${value}`)))
          continue;
        const origin = entry.origin ?? `log:${entry.id}`;
        const key = `${organizationId} ${nodes.map(({ kind, value }) => `${kind}:${value}`).join(' ')}`;
        if (!namings.has(key)) namings.set(key, { organizationId, nodes, origin });
      }
    }
  }
}

/** The people a fact names, each with all names; never the business itself (I4). */
function peopleOf(fact: Fact, own: string | null): IdentityNode[][] {
  const named = whoIsNamed(fact);
  if (fact.kind !== 'identity_link')
    return named.filter((who) => own === null || who.phone !== own).map(nodesOf);
  return named.some((who) => own !== null && who.phone === own) ? [] : [named.flatMap(nodesOf)];
}

/** Looks up the leads with these names, in any spelling, and links them. */
async function linksOf(sql: Sql, namings: readonly Naming[]): Promise<PersonLink[]> {
  const names: WantedName[] = [];
  const asked: { naming: Naming; node: IdentityNode }[] = [];
  for (const naming of namings) {
    for (const node of naming.nodes) {
      for (const value of node.kind === 'phone' ? phoneSpellings(node.value) : [node.value]) {
        names.push({ organizationId: naming.organizationId, kind: node.kind, value });
        asked.push({ naming, node });
      }
    }
  }
  const firstHolder = new Map<Naming, { personId: string; value: string }>();
  const links: PersonLink[] = [];
  for (const { place, personId } of await readHolders(sql, names)) {
    // Numbered from one.
    const at = asked[place - 1];
    if (at === undefined) continue;
    const { naming, node } = at;
    const first = firstHolder.get(naming);
    if (first === undefined) firstHolder.set(naming, { personId, value: node.value });
    else if (first.personId !== personId) {
      links.push({
        organizationId: naming.organizationId,
        one: first.personId,
        other: personId,
        why: `${first.value} and ${node.value} are one person by ${naming.origin}`,
      });
    }
  }
  return links;
}
