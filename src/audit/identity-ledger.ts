import { ownNumberReason, OwnNumbers } from '../ingest/batch/own-number.js';
import type { PreparedSection } from '../ingest/batch/batch.js';
import type { Fact } from '../model/facts.js';
import { claimOf } from '../rules/claims.js';
import { nodeKey } from '../rules/identity-evidence.js';
import type { Claim } from '../rules/people.js';
import { readStoredNames, type NameKey, type StoredName } from '../store/checks/accounts.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { EntryRef } from './outcome.js';
import { SeenKeys } from './window.js';

/** Claims that are looked up together. */
const TOGETHER = 1_000;

/** A name that the raw log gives a person, and that is not stored as the log says. */
export interface LackingName extends NameKey {
  connectionId: string;
  entry: EntryRef;
  /** `unknown`: in no row of lead_identities. `leadless`: its person is a lead by the log, and the lead is not there. */
  why: 'unknown' | 'leadless';
}

/** What a fact says of a person, and where it stands. */
interface LoggedClaim extends Pick<Claim, 'nodes' | 'makesLead'> {
  /** Equal for claims that ask the same of the database. */
  key: string;
  connection: ConnectionRow;
  entry: EntryRef;
}

/**
 * Compares the names that the raw log gives people with lead_identities: each is known, and the lead of a person who is one is
 * there (I3, I5). Reports every entry that gives a name which is not, because all of them together say what is known under it.
 */
export class IdentityLedger {
  private claims: LoggedClaim[] = [];
  /** Claims found to be stored. */
  private readonly stored = new SeenKeys();

  constructor(
    private readonly sql: Sql,
    private readonly own: OwnNumbers,
    private readonly found: (name: LackingName) => Promise<void>,
  ) {}

  async add({ connection, pending, section }: PreparedSection, entry: EntryRef): Promise<void> {
    for (const fact of section.facts) {
      const claim = claimIn({ fact, connection, pending, entry }, this.own);
      if (claim !== null && !this.stored.has(claim.key)) this.claims.push(claim);
    }
    if (this.claims.length >= TOGETHER) await this.end();
  }

  /** Looks up what was added since. */
  async end(): Promise<void> {
    const { claims } = this;
    this.claims = [];
    const names = await readNamesOf(this.sql, claims);
    for (const claim of claims) {
      const lacking = lackingIn(claim, names);
      if (lacking.length === 0) this.stored.add(claim.key);
      for (const name of lacking) await this.found(name);
    }
  }
}

/** A fact of the raw log, for {@link findLackingNames}. */
interface LoggedFact extends Pick<PreparedSection, 'connection' | 'pending'> {
  fact: Fact;
  entry: EntryRef;
}

/** Those of the names in these facts that are not stored as the facts say, each once. */
export async function findLackingNames(sql: Sql, facts: readonly LoggedFact[]): Promise<LackingName[]> {
  const own = new OwnNumbers();
  const claims = facts.flatMap((one) => claimIn(one, own) ?? []);
  const names = await readNamesOf(sql, claims);
  const lacking = claims.flatMap((claim) => lackingIn(claim, names));
  return [...new Map(lacking.map((name) => [nameKey(name), name])).values()];
}

/** Null for a fact that says nothing of a person. The next replay of a pending or failed entry writes its names. */
function claimIn({ fact, connection, pending, entry }: LoggedFact, own: OwnNumbers): LoggedClaim | null {
  if (connection === null || pending !== null || entry.isOpen) return null;
  const claim = claimOf(fact, (who) => own.has(connection, who));
  if (claim === null || ownNumberReason(own, fact, connection) !== null) return null;
  const { nodes, makesLead } = claim;
  const key = `${connection.organizationId} ${makesLead ? 'lead' : 'person'} ${nodes.map(nodeKey).join(' ')}`;
  return { key, nodes, makesLead, connection, entry };
}

async function readNamesOf(sql: Sql, claims: readonly LoggedClaim[]): Promise<Map<string, StoredName>> {
  const wanted = new Map<string, NameKey>();
  for (const { nodes, connection } of claims)
    for (const node of nodes) {
      const name = { ...node, organizationId: connection.organizationId };
      wanted.set(nameKey(name), name);
    }
  const rows = await readStoredNames(sql, [...wanted.values()]);
  return new Map(rows.map((row) => [nameKey(row), row]));
}

function lackingIn(
  { nodes, makesLead, connection, entry }: LoggedClaim,
  names: ReadonlyMap<string, StoredName>,
): LackingName[] {
  const { id: connectionId, organizationId } = connection;
  return nodes.flatMap(({ kind, value }): LackingName[] => {
    const name = { organizationId, kind, value };
    const stored = names.get(nameKey(name));
    if (stored?.isKnown !== true) return [{ ...name, connectionId, entry, why: 'unknown' }];
    return makesLead && !stored.hasLead ? [{ ...name, connectionId, entry, why: 'leadless' }] : [];
  });
}

/** One name comes in many entries, and is missed once. */
export function nameKey({ organizationId, ...node }: NameKey): string {
  return `${organizationId} ${nodeKey(node)}`;
}
