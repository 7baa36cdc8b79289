import { decodeWamid } from '../../identity/wamid.js';
import { adviseItems, adviseLeftOut } from './advise.js';
import type { ContactFindings } from './explain-contact.js';
import type { EntryFindings } from './explain-entry.js';
import type { MessageFindings } from './explain-message.js';
import type { Investigation } from './investigation.js';
import type { ExplainedFact, Finding, JournalNote, Outcome } from './result.js';
import { amount, listed, waitingWords } from './words.js';

export interface Conclusion {
  verdict: string;
  known: boolean;
  findings: Finding[];
}

/** The verdict about an id that rows bear. */
export function concludeRows(inv: Investigation, id: string, found: MessageFindings): Conclusion {
  adviseItems(inv, found.waiting);
  const [first, second] = found.messages;
  const findings = findingsOf(found.facts);
  if (found.pending.length > 0) {
    findings.push(
      finding('pending', found.pending.length, 'no_message_yet', 'wait for a message with this id'),
    );
  }
  if (first === undefined) return { verdict: `No message has the id ${id}.`, known: false, findings };
  if (second !== undefined) {
    const where = [...new Set(found.messages.map((message) => message.connection))].join(', ');
    return {
      verdict: `${found.messages.length} messages are called ${id}: on ${where}.`,
      known: true,
      findings,
    };
  }
  const who = first.contact ?? first.name ?? `lead ${first.leadId}`;
  const way = first.direction === 'INBOUND' ? 'from' : 'to';
  const state = [
    ...(first.deletedAt === null ? [] : ['revoked']),
    ...(first.editedAt === null ? [] : ['edited']),
  ].join(' and ');
  const brought =
    first.broughtBy === null
      ? 'another program wrote it, or its raw entry is gone'
      : `${first.broughtBy.origin} brought it`;
  const claims = found.facts.filter((fact) => fact.outcome === 'rejected').length;
  const contested =
    claims === 0 ? '' : `; ${amount(claims, 'other message claims', 'other messages claim')} its id`;
  return {
    verdict: `In the database: ${article(first.type)} ${way} ${who} on ${first.connection}${state === '' ? '' : `, ${state}`}; ${brought}${contested}.`,
    known: true,
    findings,
  };
}

/** The verdict about an id that no row bears. */
export function concludeUnstored(
  inv: Investigation,
  id: string,
  found: MessageFindings,
  journal: readonly JournalNote[],
): Conclusion {
  const findings = findingsOf(found.facts);
  const messages = found.facts.filter(isMessage);
  adviseItems(inv, found.waiting);
  adviseLeftOut(inv, found.facts);
  const phone = decodeWamid(id)?.phone;
  if (phone !== undefined) {
    inv.remedy({ do: 'explain', subject: phone, why: 'the contact whom the id names' });
  }
  const verdict = unstoredVerdict(messages, found, journal);
  if (verdict !== null) {
    if (found.pending.length > 0 && findings.length === 0) {
      findings.push(
        finding('pending', found.pending.length, 'no_message_yet', 'wait for a message with this id'),
      );
    }
    return { verdict, known: true, findings };
  }
  const where = inv.scanned ? 'no raw entry holds it' : 'no raw entry that was searched holds it';
  return {
    verdict: `Nothing is known of ${id}: it is not in this database, and ${where}.`,
    known: false,
    findings: [finding('unknown', 1, null, 'unknown')],
  };
}

function unstoredVerdict(
  messages: readonly ExplainedFact[],
  found: MessageFindings,
  journal: readonly JournalNote[],
): string | null {
  for (const outcome of ['pending', 'missing', 'rejected', 'skipped'] as const) {
    const fact = messages.find((one) => one.outcome === outcome);
    if (fact === undefined) continue;
    const place = fact.entryOrigin;
    switch (outcome) {
      case 'pending':
        return `Not in the database yet: ${place} holds the message, and ${waitingWords(fact.reason, fact.connectionHint)}.`;
      case 'missing':
        return `Missing: ${place} holds the message, the database does not, and nothing on record says why.`;
      case 'rejected':
        return `Not in the database: the message in ${place} was rejected (${fact.reason ?? ''}).`;
      case 'skipped':
        return `Not in the database, by rule: the message in ${place} was left out (${fact.reason ?? ''}).`;
    }
  }
  const removed = journal.find((note) => note.what === 'removed');
  if (removed !== undefined) {
    return `Not in the database any more: ${removed.command ?? 'a run'} removed a row with this id (run ${removed.runId}).`;
  }
  if (found.pending.length > 0) {
    const kinds = [
      ...new Set(found.pending.map((one) => (one.status === null ? one.kind : `status ${one.status}`))),
    ];
    return `The message itself never came: ${amount(found.pending.length, 'fact waits', 'facts wait')} for it (${listed(kinds)}).`;
  }
  const [fact] = found.facts;
  if (fact === undefined) return null;
  if (fact.outcome === 'skipped') {
    return `Not in the database, by rule: the ${fact.type ?? fact.kind} in ${fact.entryOrigin} was left out (${fact.reason ?? ''}).`;
  }
  return `The message itself never came: ${fact.entryOrigin} says something about it (${fact.kind}).`;
}

/** The verdict about a contact. */
export function concludeContact(inv: Investigation, typed: string, found: ContactFindings): Conclusion {
  const { contact, messages, facts, pending } = found;
  const label = contact.lead?.phone ?? contact.lead?.name ?? typed;
  const unreadable = facts.filter((fact) => fact.kind === 'entry').length;
  const findings = [
    ...(['pending', 'missing', 'rejected'] as const).flatMap((outcome) =>
      byReason(messages.filter((message) => message.outcome === outcome)).map(([reason, of]) =>
        finding(outcome, of.length, reason, partWords(outcome, of.length, reason)),
      ),
    ),
    ...findingsOf(facts.filter((fact) => !isMessage(fact) && fact.kind !== 'entry')),
    ...(unreadable === 0
      ? []
      : [finding('unreadable', unreadable, null, 'name the contact and were not understood')]),
  ];
  const waiting = pending.length;
  if (waiting > 0 && !findings.some((one) => one.reason === 'no_message_yet')) {
    findings.push(finding('pending', waiting, 'no_message_yet', 'wait for messages that never came'));
  }
  adviseItems(
    inv,
    messages.filter(({ outcome }) => outcome === 'pending').map(({ item, reason }) => ({ item, reason })),
  );
  if (messages.some(({ outcome }) => outcome === 'missing'))
    inv.remedy({ do: 'replay_contact', contact: typed });
  const known = contact.lead !== null || facts.length > 0 || waiting > 0;
  if (!known) findings.push(finding('unknown', 1, null, 'unknown'));
  return { verdict: contactVerdict(inv, label, found, known), known, findings };
}

function contactVerdict(
  inv: Investigation,
  label: string,
  { contact, messages, facts, pending }: ContactFindings,
  known: boolean,
): string {
  if (!known) {
    const where = inv.scanned ? 'no raw entry names it' : 'no raw entry that was searched names it';
    return `Nothing is known about ${label}: ${where}.`;
  }
  const total = messages.length;
  const held = contact.conversations.reduce((sum, one) => sum + one.messages, 0);
  const read = inv.complete ? 'the raw log holds' : 'the part of the raw log that was read holds';
  if (total === 0) {
    const who = contact.lead === null ? `${label} is no lead` : `${label} is a lead`;
    const else_ = held > 0 ? `; ${amount(held, 'message')} in the database came from elsewhere` : '';
    const named = facts.length > 0 ? `, though it names ${label}` : '';
    const waits =
      pending.length > 0
        ? `; ${amount(pending.length, 'fact waits', 'facts wait')} for messages that never came`
        : '';
    return `${who}: ${read} no message about ${label}${named}${else_}${waits}.`;
  }
  const stored = messages.filter(({ outcome }) => outcome === 'created' || outcome === 'stored').length;
  if (stored === total) {
    return total === 1
      ? `The only message that ${read} about ${label} is in the database.`
      : `All ${amount(total, 'message')} that ${read} about ${label} are in the database.`;
  }
  const parts = (['pending', 'missing', 'rejected', 'skipped'] as const).flatMap((outcome) =>
    byReason(messages.filter((message) => message.outcome === outcome)).map(
      ([reason, of]) => `${amount(of.length, '', '').trim()} ${partWords(outcome, of.length, reason)}`,
    ),
  );
  const are = stored === 1 ? 'is' : 'are';
  return `${stored === 0 ? 'None' : stored} of the ${amount(total, 'message')} that ${read} about ${label} ${are} in the database: ${listed(parts)}.`;
}

function partWords(
  outcome: 'pending' | 'missing' | 'rejected' | 'skipped',
  count: number,
  reason: string | null,
): string {
  const one = count === 1;
  switch (outcome) {
    case 'pending':
      if (reason === 'unknown_connection')
        return `${one ? 'waits' : 'wait'} for a connection that is not known`;
      return `${one ? 'waits' : 'wait'} to be replayed`;
    case 'missing':
      return `${one ? 'is' : 'are'} missing`;
    case 'rejected':
      return `${one ? 'was' : 'were'} rejected (${reason ?? ''})`;
    case 'skipped':
      return `${one ? 'was' : 'were'} left out by rule (${reason ?? ''})`;
  }
}

/** The verdict about a raw entry. */
export function concludeEntry(
  inv: Investigation,
  { entry, items, facts, unread }: EntryFindings,
): Conclusion {
  const findings = findingsOf(facts.filter((fact) => fact.kind !== 'entry'));
  if (unread.length > 0) {
    findings.push(finding('unreadable', unread.length, unread[0]?.reason ?? null, 'were not understood'));
  }
  adviseItems(
    inv,
    items.flatMap((item, i) => {
      const fact = facts[i];
      return fact?.outcome === 'pending' ? [{ item, reason: fact.reason }] : [];
    }),
  );
  const messages = facts.filter(isMessage);
  const count = (...outcomes: Outcome[]): number =>
    messages.filter((fact) => outcomes.includes(fact.outcome)).length;
  const created = count('created');
  const stored = created + count('stored');
  const parts = [
    ...(stored === 0 ? [] : [`${amount(stored, 'message')} in the database (${created} brought by it)`]),
    ...(['pending', 'missing', 'rejected', 'skipped'] as const).flatMap((outcome) =>
      count(outcome) === 0 ? [] : [`${amount(count(outcome), 'message')} ${outcome}`],
    ),
    ...(unread.length === 0 ? [] : [`${amount(unread.length, 'part')} that nobody understood`]),
  ];
  const others = facts.length - messages.length - unread.length;
  if (others > 0) parts.push(amount(others, 'other fact'));
  const holds = parts.length === 0 ? 'nothing that makes a row' : listed(parts);
  return { verdict: `The entry ${entry.origin} is ${entry.status}: ${holds}.`, known: true, findings };
}

function findingsOf(facts: readonly ExplainedFact[]): Finding[] {
  return (['pending', 'missing', 'rejected'] as const).flatMap((outcome) =>
    byReason(facts.filter((fact) => fact.outcome === outcome)).map(([reason, of]) =>
      finding(outcome, of.length, reason, partWords(outcome, of.length, reason)),
    ),
  );
}

function finding(outcome: Finding['outcome'], count: number, reason: string | null, words: string): Finding {
  return { outcome, count, reason, message: outcome === 'unknown' ? words : `${count} ${words}` };
}

function byReason<T extends { reason: string | null }>(of: readonly T[]): [string | null, T[]][] {
  const groups = new Map<string | null, T[]>();
  for (const one of of) groups.set(one.reason, [...(groups.get(one.reason) ?? []), one]);
  return [...groups];
}

function isMessage(fact: ExplainedFact): boolean {
  return (
    fact.kind === 'message' ||
    ((fact.kind === 'skipped' || fact.kind === 'rejected') && fact.type === 'message')
  );
}

function article(type: string): string {
  return /^[aeiou]/i.test(type) ? `an ${type}` : `a ${type}`;
}
