import { phoneEquivalents } from '../../identity/phone.js';
import { nodeKey } from '../../rules/identity-evidence.js';
import type { Person } from '../../rules/people.js';

/**
 * Who keeps an id that two conversations claim (M9). First come, first served would make the outcome depend on the order of
 * the log, so the claims themselves decide: the lead whose phone the wamid names, else the lead with the smaller name.
 */
export class CollisionResolver {
  private readonly names = new Map<string, string[]>();

  constructor(people: ReadonlyMap<string, ReadonlyMap<string, Person>>) {
    for (const plan of people.values()) {
      for (const person of plan.values()) this.names.set(person.id, person.identities.map(nodeKey).sort());
    }
  }

  incomingWins(wamidPhone: string | null, incomingLeadId: string, storedLeadId: string): boolean {
    const incoming = this.claim(wamidPhone, incomingLeadId);
    const stored = this.claim(wamidPhone, storedLeadId);
    if (incoming.named !== stored.named) return incoming.named;
    return incoming.name < stored.name;
  }

  private claim(wamidPhone: string | null, leadId: string): { named: boolean; name: string } {
    const names = this.names.get(leadId) ?? [];
    const phones = wamidPhone === null ? [] : [wamidPhone, ...phoneEquivalents(wamidPhone)];
    const named = phones.some((phone) => names.includes(`phone:${phone}`));
    // Phones sort before other kinds, and a lead without any name loses.
    const name =
      names.find((candidate) => candidate.startsWith('phone:')) ??
      (names[0] === undefined ? '~' : `~${names[0]}`);
    return { named, name };
  }
}
