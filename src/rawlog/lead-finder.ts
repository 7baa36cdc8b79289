import { phoneEquivalents } from '../identity/phone.js';
import type { Identities } from '../model/facts.js';
import { readLeadsOfNames, type NameKey } from '../store/checks/accounts.js';
import type { Sql } from '../store/sql.js';
import { nodesOf, type IdentityNode } from '../rules/identity-evidence.js';

/** Names kept in memory; the people of a log come again and again, and most look-ups are of few of them. */
const REMEMBERED = 50_000;

/** Finds the leads of the raw log's items by the identities of their counterparts. */
export class LeadFinder {
  private readonly leads = new Map<string, string | null>();

  constructor(private readonly sql: Sql) {}

  /** Looks up in one statement the identities that are not in memory; forgets the others when there are too many. */
  async load(people: readonly { organizationId: string; identities: Identities }[]): Promise<void> {
    if (this.leads.size > REMEMBERED) this.leads.clear();
    const wanted = new Map<string, NameKey>();
    for (const { organizationId, identities } of people) {
      for (const node of withEquivalents(nodesOf(identities))) {
        const key = keyOf(organizationId, node);
        if (!this.leads.has(key)) wanted.set(key, { organizationId, kind: node.kind, value: node.value });
      }
    }
    for (const { organizationId, leadId, ...node } of await readLeadsOfNames(this.sql, [...wanted.values()]))
      this.leads.set(keyOf(organizationId, node), leadId);
  }

  /** The leads of these identities: normally one; several before a merge; none if no lead has them. */
  find(organizationId: string, identities: Identities): string[] {
    const nodes = nodesOf(identities);
    const named = this.leadsOf(organizationId, nodes);
    // Argentina's other form of a phone (I1), where no lead has the form itself.
    return named.length > 0 ? named : this.leadsOf(organizationId, withEquivalents(nodes));
  }

  private leadsOf(organizationId: string, nodes: readonly IdentityNode[]): string[] {
    const found: string[] = [];
    for (const node of nodes) {
      const lead = this.leads.get(keyOf(organizationId, node));
      if (typeof lead === 'string' && !found.includes(lead)) found.push(lead);
    }
    return found;
  }
}

function withEquivalents(nodes: readonly IdentityNode[]): IdentityNode[] {
  return nodes.flatMap((node) =>
    node.kind === 'phone'
      ? [node, ...phoneEquivalents(node.value).map((value) => ({ kind: node.kind, value }))]
      : [node],
  );
}

function keyOf(organizationId: string, node: IdentityNode): string {
  return `${organizationId} ${node.kind}:${node.value}`;
}
