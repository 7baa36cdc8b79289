import type { Fact, Identities } from '../model/facts.js';
import { nodeKey, nodesOf, type Dated, type IdentityNode } from './identity-evidence.js';
import type { Claim } from './people.js';

/**
 * What a fact says of a person: the names that belong together, and what is known under them; null if it says nothing.
 * `isOwn`: whether these are names of the connection itself (I4), of which nothing is learned here.
 */
export function claimOf(fact: Fact, isOwn: (who: Identities) => boolean): Claim | null {
  switch (fact.kind) {
    case 'message':
      return of(nodesOf(fact.counterpart), { firstSeenAt: fact.timestamp }, true);
    case 'reaction':
      return of(
        nodesOf(fact.counterpart),
        fact.live ? { firstSeenAt: fact.at, liveFirstAt: fact.at } : {},
        fact.live,
      );
    case 'edit':
    case 'revoke':
      return of(nodesOf(fact.counterpart), {}, false);
    case 'address_book': {
      const username = dated(fact.username, fact.at);
      if (fact.action === 'remove')
        return of(nodesOf(fact.who), { bookState: { value: 'removed', at: fact.at }, username }, false);
      const bookState = { value: 'added', at: fact.at } as const;
      const bookName = dated(fact.name, fact.at);
      return of(
        nodesOf(fact.who),
        { firstSeenAt: fact.at, bookName, bookState, bookFirstAt: fact.at, username },
        true,
      );
    }
    case 'profile':
      return isOwn(fact.who)
        ? null
        : of(
            nodesOf(fact.who),
            {
              profileName: dated(fact.name, fact.at),
              username: dated(fact.username, fact.at),
              bookName: dated(fact.addressBookName, fact.at),
            },
            false,
          );
    case 'identity_link':
      return fact.who.some(isOwn) ? null : of(linkedNodes(fact.who), {}, false);
    default:
      return null;
  }
}

function of(
  nodes: readonly IdentityNode[],
  evidence: NonNullable<Claim['evidence']>,
  makesLead: boolean,
): Claim | null {
  return nodes.length === 0 ? null : { nodes, evidence, makesLead };
}

function dated(value: string | undefined, at: number): Dated<string> | null {
  return value === undefined ? null : { value, at };
}

function linkedNodes(who: readonly Identities[]): IdentityNode[] {
  const nodes = new Map<string, IdentityNode>();
  for (const identities of who) for (const node of nodesOf(identities)) nodes.set(nodeKey(node), node);
  return [...nodes.values()];
}
