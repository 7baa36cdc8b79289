import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import { decodeWamid } from '../../identity/wamid.js';
import { readNumbersOfLeads, streamWamids, type WamidRow } from '../../store/checks/messages.js';
import type { Sql } from '../../store/sql.js';
import { amount } from '../../model/amount.js';
import { OwnNumbers } from '../../ingest/batch/own-number.js';
import { explainRemedy, scopeOf, type Check } from './check.js';

/** Leads kept in memory; a conversation's messages lie near each other. */
const REMEMBERED = 50_000;

/**
 * The customer's phone, which a wamid holds regardless of sender, is a phone of the message's lead (I1 applied). The
 * form of wamids is undocumented, so it decides nothing; a mismatch means that a message may be in a stranger's
 * conversation.
 */
export const wamidPhoneCheck: Check = {
  severity: 'degraded',
  async run(view, recorder) {
    const phones = new LeadPhones(view.sql);
    const own = new OwnNumbers();
    const ownPhones = new Map(view.connections.map((connection) => [connection.id, own.of(connection)]));
    let example: string | null = null;
    for await (const page of streamWamids(view.sql, scopeOf(view))) {
      if (view.signal.aborted) break;
      await phones.load(page);
      for (const row of page) {
        const phone = phoneIn(row.externalId);
        const known = phones.of(row.leadId);
        // Nothing to compare without a phone on both sides: an id that does not decode, a lead known by BSUID or LID.
        if (phone === null || known.size === 0 || ownPhones.get(row.connectionId)?.includes(phone) === true)
          continue;
        recorder.checked += 1;
        if (known.has(phone)) continue;
        example ??= row.externalId;
        await recorder.finding('*', {
          connectionId: row.connectionId,
          subject: row.externalId,
          detail: `its id contains ${phone}, but its lead ${row.leadId} has ${[...known].slice(0, 3).join(', ')}`,
        });
      }
    }
    const { checked, found } = recorder;
    const match = amount(checked, 'message matches', 'messages match');
    const wrong = amount(found, 'message is', 'messages are');
    if (checked === 0) return { summary: 'No message has an id that contains a phone' };
    return found === 0
      ? { summary: `${match} the lead whose phone the id contains` }
      : {
          summary: `${wrong} with a lead other than the phone in the id`,
          remedy: explainRemedy(example),
        };
  },
};

/** The customer's phone, E.164; null if the id does not decode, or holds no phone. */
function phoneIn(externalId: string): string | null {
  const phone = decodeWamid(externalId)?.phone;
  return phone?.startsWith('+') === true ? phone : null;
}

/** Every phone of a lead: one who changed numbers has both, an Argentine one has two forms each. */
class LeadPhones {
  private readonly phones = new Map<string, ReadonlySet<string>>();

  constructor(private readonly sql: Sql) {}

  async load(rows: readonly WamidRow[]): Promise<void> {
    if (this.phones.size > REMEMBERED) this.phones.clear();
    const unknown = new Set(rows.map(({ leadId }) => leadId).filter((id) => !this.phones.has(id)));
    for (const [leadId, numbers] of await readNumbersOfLeads(this.sql, [...unknown])) {
      const canonical = numbers.flatMap((number) => canonicalPhone(number) ?? []);
      this.phones.set(leadId, new Set(canonical.flatMap((phone) => [phone, ...phoneEquivalents(phone)])));
    }
  }

  of(leadId: string): ReadonlySet<string> {
    return this.phones.get(leadId) ?? NO_PHONES;
  }
}

const NO_PHONES: ReadonlySet<string> = new Set();
