import { phoneEquivalents } from '../../identity/phone.js';
import type { Fact, Identities, SkipReason, Subject } from '../../model/facts.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { numberOf } from './connection-resolver.js';

/** The connections' own numbers, in any of their spellings (rule I4). */
export class OwnNumbers {
  private readonly phones = new Map<string, string | null>();

  has(connection: ConnectionRow, identities: Identities): boolean {
    const own = this.of(connection);
    if (own === null || identities.phone === undefined) return false;
    return own === identities.phone || phoneEquivalents(own).includes(identities.phone);
  }

  /** Canonical E.164; null where it is not known. */
  of(connection: ConnectionRow): string | null {
    let own = this.phones.get(connection.id);
    if (own === undefined) {
      own = numberOf(connection.displayPhoneNumber);
      this.phones.set(connection.id, own);
    }
    return own;
  }
}

/** Rule I4: the business's own number is never a lead, and a thread with itself is no conversation. */
export function ownNumberReason(
  own: OwnNumbers,
  fact: Fact,
  connection: ConnectionRow,
): { subject: Subject; reason: SkipReason } | null {
  switch (fact.kind) {
    case 'message':
    case 'edit':
    case 'revoke':
    case 'reaction':
      return own.has(connection, fact.counterpart) ? { subject: fact.kind, reason: 'self_thread' } : null;
    case 'address_book':
      return own.has(connection, fact.who) ? { subject: 'contact', reason: 'own_number' } : null;
    default:
      return null;
  }
}
