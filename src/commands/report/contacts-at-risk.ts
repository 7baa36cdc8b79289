import type { ContactLoss } from '../../audit/losses.js';
import { decodeWamid } from '../../identity/wamid.js';
import { remedy } from '../../model/remedy.js';
import type { OverdueTarget, PendingContact } from '../../store/queries/contacts-at-risk.js';
import { NO_SCOPE } from '../../store/tables/webhook-log.js';
import type { ContactAtRisk, ReportResult } from './types.js';
import { rfc3339 } from '../../model/time.js';

/** Nobody reads more than this; `contactsAtRiskTotal` has the total. */
const MOST_SHOWN = 50;

/** Facts about contacts with an incomplete conversation. */
export interface RiskFacts {
  connections: readonly { id: string; name: string; phoneNumberId: string | null }[];
  /** Ids of the connections to report on; null for all, plus what belongs to none. */
  only: ReadonlySet<string> | null;
  losses: readonly ContactLoss[];
  pending: readonly PendingContact[];
  overdue: readonly OverdueTarget[];
}

/** Contacts with lost messages, or with something pending for more than a day; worst first. */
export function contactsAtRisk(
  facts: RiskFacts,
): Pick<ReportResult, 'contactsAtRisk' | 'contactsAtRiskTotal'> {
  const book = new RiskBook(facts);
  for (const { connectionId, contact, ...loss } of facts.losses) book.add(connectionId, contact, loss);
  for (const { connectionScope, phoneNumberIds, contact, entries, since } of facts.pending) {
    const owner = connectionScope === NO_SCOPE ? book.ownerOf(phoneNumberIds) : connectionScope;
    book.add(owner, contact, { pending: entries, since });
  }
  for (const { connectionId, targetExternalId, facts: count, since } of facts.overdue) {
    // A WhatsApp Web key id does not identify the contact.
    const contact = decodeWamid(targetExternalId)?.phone;
    if (contact !== undefined) book.add(connectionId, contact, { pending: count, since });
  }
  return book.end();
}

class RiskBook {
  private readonly names: ReadonlyMap<string, string>;
  private readonly byContact = new Map<string, Omit<ContactAtRisk, 'since'> & { since: number | null }>();

  constructor(private readonly facts: RiskFacts) {
    this.names = new Map(facts.connections.map(({ id, name }) => [id, name]));
  }

  ownerOf(phoneNumberIds: readonly string[]): string {
    const owner = this.facts.connections.find(
      ({ phoneNumberId }) => phoneNumberId !== null && phoneNumberIds.includes(phoneNumberId),
    );
    return owner?.id ?? '';
  }

  add(
    connectionId: string,
    contact: string,
    { lost = 0, pending = 0, since = null }: { lost?: number; pending?: number; since?: number | null },
  ): void {
    if (this.facts.only !== null && !this.facts.only.has(connectionId)) return;
    const key = `${connectionId} ${contact}`;
    const known = this.byContact.get(key) ?? {
      connection: this.names.get(connectionId) ?? null,
      contact,
      lost: 0,
      pending: 0,
      since: null,
      remedy: remedy('explain', [contact], 'shows what became of each message'),
    };
    known.lost += lost;
    known.pending += pending;
    if (since !== null) known.since = Math.min(since, known.since ?? since);
    this.byContact.set(key, known);
  }

  end(): ReturnType<typeof contactsAtRisk> {
    const all = [...this.byContact.values()].sort(
      (a, b) => b.lost - a.lost || b.pending - a.pending || (a.contact < b.contact ? -1 : 1),
    );
    return {
      contactsAtRisk: all.slice(0, MOST_SHOWN).map(({ since, ...one }) => ({
        ...one,
        since: rfc3339(since),
      })),
      contactsAtRiskTotal: all.length,
    };
  }
}
