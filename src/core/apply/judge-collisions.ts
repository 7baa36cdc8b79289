import type { MessageFact } from '../../model/facts.js';
import type { IdentityRow } from '../../store/persons.js';
import { nodeKey, type IdentityNode } from '../plan/identity-evidence.js';
import type { Person } from '../plan/persons.js';

/**
 * Who keeps an id that two conversations claim (M9). First come, first served would make the outcome depend on the order of
 * the log, so the claims themselves decide: the lead whose phone the wamid names, else the lead with the smaller name.
 */
export class CollisionBench {
  private readonly names = new Map<string, string[]>();

  constructor(persons: ReadonlyMap<string, ReadonlyMap<string, Person>>, strangers: readonly IdentityRow[]) {
    for (const plan of persons.values()) {
      for (const person of plan.values()) this.names.set(person.id, person.identities.map(nodeKey).sort());
    }
    const loaded = new Map<string, IdentityNode[]>();
    for (const row of strangers) {
      const known = loaded.get(row.personId);
      if (known === undefined) loaded.set(row.personId, [row]);
      else known.push(row);
    }
    for (const [id, nodes] of loaded) if (!this.names.has(id)) this.names.set(id, nodes.map(nodeKey).sort());
  }

  incomingWins(fact: MessageFact, incomingLeadId: string, storedLeadId: string): boolean {
    const incoming = this.claim(fact, incomingLeadId);
    const stored = this.claim(fact, storedLeadId);
    if (incoming.named !== stored.named) return incoming.named;
    return incoming.name < stored.name;
  }

  private claim(fact: MessageFact, leadId: string): { named: boolean; name: string } {
    const names = this.names.get(leadId) ?? [];
    const named = fact.wamidPhone !== undefined && names.includes(`phone:${fact.wamidPhone}`);
    // Phones sort before other kinds, and a lead without any name loses.
    const name =
      names.find((candidate) => candidate.startsWith('phone:')) ??
      (names[0] === undefined ? '~' : `~${names[0]}`);
    return { named, name };
  }
}
