import { phoneEquivalents } from '../../identity/phone.js';
import type { Fact, Identities, SkipReason, Subject } from '../../model/facts.js';
import type { ConnectionRow } from '../../store/tables/connections.js';
import { numberOf, numbersOf } from './connection-resolver.js';

/** The connections' own numbers, in any of their spellings (rule I4). */
export class OwnNumbers {
  private readonly phones = new Map<string, readonly string[]>();
  private readonly spellings = new Map<string, ReadonlySet<string>>();

  has(connection: ConnectionRow, { phone }: Identities): boolean {
    if (phone === undefined) return false;
    let spellings = this.spellings.get(connection.id);
    if (spellings === undefined) {
      spellings = new Set(this.of(connection).flatMap((own) => [own, ...phoneEquivalents(own)]));
      this.spellings.set(connection.id, spellings);
    }
    return spellings.has(phone);
  }

  /** Canonical E.164; several if the number changed, none if unknown. */
  of(connection: ConnectionRow): readonly string[] {
    let own = this.phones.get(connection.id);
    if (own === undefined) {
      own = numbersOf(connection);
      this.phones.set(connection.id, own);
    }
    return own;
  }
}

/** Whether a person entered this number: beside it, nothing is learned from entries. */
export function isEnteredNumber({ displayPhoneNumber, numbers }: ConnectionRow, number: string): boolean {
  return numbers.length === 0 && numberOf(displayPhoneNumber) === number;
}

/** Rule I4: the business's own number is never a lead, and a thread with itself is not a conversation. */
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
    case 'status':
      // Its message is skipped: it would wait for it forever.
      return fact.recipient !== undefined && own.has(connection, fact.recipient)
        ? { subject: 'status', reason: 'self_thread' }
        : null;
    case 'address_book':
      return own.has(connection, fact.who) ? { subject: 'contact', reason: 'own_number' } : null;
    default:
      return null;
  }
}
