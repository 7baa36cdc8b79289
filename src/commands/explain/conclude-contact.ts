import { adviseItems } from './advise.js';
import type { Conclusion } from './conclude.js';
import type { ContactFindings } from './explain-contact.js';
import { byReason, finding, findingsOf, isMessage, partWords } from './findings.js';
import { isFault } from './fates.js';
import type { Investigation } from './investigation.js';
import { listed } from './words.js';
import { amount } from '../../model/amount.js';

/** The verdict about a contact. */
export function concludeContact(inv: Investigation, typed: string, found: ContactFindings): Conclusion {
  const { contact, messages, facts, pending } = found;
  const label = contact.lead?.phone ?? contact.lead?.name ?? typed;
  const unreadable = facts.filter((fact) => fact.kind === 'entry');
  const findings = [
    ...(['pending', 'missing', 'different', 'rejected'] as const).flatMap((outcome) =>
      byReason(messages.filter((message) => message.outcome === outcome)).map(([reason, of]) =>
        finding(outcome, of.length, reason, partWords(outcome, of.length, reason)),
      ),
    ),
    ...findingsOf(facts.filter((fact) => !isMessage(fact) && fact.kind !== 'entry')),
    ...(unreadable.length === 0
      ? []
      : [
          finding(
            'unread',
            unreadable.length,
            unreadable[0]?.reason ?? null,
            'name the contact and were not understood',
          ),
        ]),
  ];
  const waiting = pending.length;
  if (waiting > 0 && !findings.some((one) => one.reason === 'no_message_yet')) {
    findings.push(finding('pending', waiting, 'no_message_yet', 'pending: target message not received'));
  }
  adviseItems(
    inv,
    messages.filter(({ outcome }) => outcome === 'pending').map(({ item, reason }) => ({ item, reason })),
  );
  for (const { fate } of found.fated) {
    const id = fate.holder?.externalId ?? null;
    if (id !== null) inv.remedy({ do: 'explain', subject: id, why: 'the message that has the id' });
  }
  if (messages.some((message) => isFault(message) && message.reason !== 'doubled'))
    inv.remedy({ do: 'replay_contact', contact: typed });
  if (messages.some(({ reason }) => reason === 'doubled')) inv.remedy({ do: 'dedupe' });
  const known = contact.lead !== null || facts.length > 0 || waiting > 0;
  if (!known) findings.push(finding('unknown', 1, null, 'unknown'));
  return { verdict: contactVerdict(inv, label, found, known), known, findings };
}

function contactVerdict(inv: Investigation, label: string, found: ContactFindings, known: boolean): string {
  const { contact, messages, facts } = found;
  if (!known) {
    const where = inv.scanned ? 'no raw entry names it' : 'no raw entry that was searched names it';
    return `No data found for ${label}: ${where}.`;
  }
  const total = messages.length;
  const rest = afterwords(found);
  const log = inv.complete ? 'the raw log' : 'the part of the raw log that was read';
  if (total === 0) {
    const held = contact.conversations.reduce((sum, one) => sum + one.messages, 0);
    const elsewhere = held > 0 ? `; ${amount(held, 'message')} in the database without a raw log entry` : '';
    const named = facts.some((fact) => fact.kind !== 'entry')
      ? `${log} names ${label}, but holds`
      : `${log} holds`;
    const who = contact.lead === null ? `${label} is no lead` : `${label} is a lead`;
    return `${who}: ${named} no message of that conversation${elsewhere}${rest}.`;
  }
  const stored = messages.filter(({ outcome }) => outcome === 'created' || outcome === 'stored').length;
  const of = `${amount(total, 'message')} that ${log} holds about ${label}`;
  if (stored === total) {
    return total === 1
      ? `The only message that ${log} holds about ${label} is in the database${rest}.`
      : `All ${of} are in the database${rest}.`;
  }
  const parts = (['pending', 'missing', 'different', 'rejected', 'skipped'] as const).flatMap((outcome) =>
    byReason(messages.filter((message) => message.outcome === outcome)).map(
      ([reason, some]) => `${some.length.toLocaleString('en-US')} ${partWords(outcome, some.length, reason)}`,
    ),
  );
  if (stored > 0) {
    return `${stored.toLocaleString('en-US')} of the ${of} ${stored === 1 ? 'is' : 'are'} in the database: ${listed(parts)}${rest}.`;
  }
  return total === 1
    ? `The only message that ${log} holds about ${label} is not in the database: it ${partWords(messages[0]?.outcome, 1, messages[0]?.reason ?? null)}${rest}.`
    : `None of the ${of} is in the database: ${listed(parts)}${rest}.`;
}

/** What else there is to be said about somebody, beside the messages. */
function afterwords({ facts, pending }: ContactFindings): string {
  const unread = facts.filter((fact) => fact.kind === 'entry').length;
  const parts = [
    ...(pending.length === 0
      ? []
      : [`${amount(pending.length, 'update is', 'updates are')} pending: target message not received`]),
    ...(unread === 0
      ? []
      : [`${amount(unread, 'entry that names them was', 'entries that name them were')} not understood`]),
  ];
  return parts.length === 0 ? '' : `; ${listed(parts)}`;
}
