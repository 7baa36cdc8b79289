import { phoneSpellings } from '../../identity/phone.js';
import type { Fact } from '../../model/facts.js';
import {
  readHolders,
  readNamesWithoutPhone,
  type NameWithoutPhone,
  type WantedName,
} from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { numberOf } from '../../ingest/batch/connection-resolver.js';
import { whoIsNamed } from '../../rules/fact-traits.js';
import { nodesOf, type IdentityNode } from '../../rules/identity-evidence.js';
import { RawLog, type DecodedEntry } from '../../rawlog/raw-log.js';
import type { PersonLink } from './person-groups.js';

/** Leads whose entries are looked up at a time, and namings whose holders are. */
const LEADS = 500;
const NAMINGS = 1_000;

/** Names that one entry gives to one person. */
interface Naming {
  organizationId: string;
  nodes: IdentityNode[];
  origin: string;
}

/**
 * Leads known by a LID or a BSUID only that are somebody known by another name, because an entry of the raw log gives both
 * names to one person (I3). Reads only entries that name such a lead and something else besides.
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

/** What an entry says about these names: only what names somebody else's name, too. */
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

/** The people whom a fact names, each by all of its names; the business itself is none (I4). */
function peopleOf(fact: Fact, own: string | null): IdentityNode[][] {
  const named = whoIsNamed(fact);
  if (fact.kind !== 'identity_link')
    return named.filter((who) => own === null || who.phone !== own).map(nodesOf);
  return named.some((who) => own !== null && who.phone === own) ? [] : [named.flatMap(nodesOf)];
}

/** Looks up who has the names, in any spelling, and links them. */
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
