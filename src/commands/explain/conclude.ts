import { decodeWamid } from '../../identity/wamid.js';
import { adviseItems, adviseLeftOut } from './advise.js';
import type { EntryFindings } from './explain-entry.js';
import type { MessageFindings } from './explain-message.js';
import type { Investigation } from './investigation.js';
import type { ExplainedFact, Finding, JournalNote, Outcome } from './result.js';
import { finding, findingsOf, isMessage, partWords } from './findings.js';
import { listed, waitingWords } from './words.js';
import { amount } from '../../model/amount.js';
import { fileOfOrigin } from '../../model/raw-entry.js';
import { isFault } from './fates.js';

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
  for (const { goneEntry, broughtBy } of found.messages) {
    if (goneEntry !== null)
      findings.push(finding('gone', 1, null, 'raw entry that brought it is gone from the raw log'));
    else if (broughtBy?.isIntact === false)
      findings.push(finding('damaged', 1, null, 'raw entry that brought it was changed after it was stored'));
  }
  const names = new Set(found.messages.map((one) => `${one.connection} ${one.externalId ?? one.id}`));
  const copies = found.messages.length - names.size;
  // Also of rows that another program wrote, about which the raw log says nothing.
  if (copies > 0 && !findings.some(({ reason }) => reason === 'doubled')) {
    findings.push(finding('different', copies, 'doubled', partWords('different', copies, 'doubled')));
    inv.remedy({ do: 'dedupe' });
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
    ...(first.editedAt === null ? [] : ['edited']),
    ...(first.deletedAt === null ? [] : ['revoked']),
  ].join(' and ');
  const brought =
    first.broughtBy !== null
      ? `${first.broughtBy.origin} brought it`
      : first.goneEntry === null
        ? 'another program wrote it'
        : `the raw entry that brought it, log:${first.goneEntry}, is gone`;
  const wrong = first.differences.map(({ what }) => what);
  const there =
    wrong.length === 0
      ? 'In the database'
      : `In the database, but not as the raw log has it (${listed(wrong)})`;
  const claims = found.facts.filter((fact) => fact.outcome === 'rejected').length;
  const contested =
    claims === 0 ? '' : `; ${amount(claims, 'other message claims', 'other messages claim')} its id`;
  return {
    verdict: `${there}: ${article(first.type)} ${way} ${who} on ${first.connection}${state === '' ? '' : `, ${state}`}; ${brought}${contested}.`,
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
        return `Not in the database yet: ${place} holds the message, and it ${waitingWords(fact.reason, fact.connectionHint)}.`;
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
    return `The message itself was not received: ${amount(found.pending.length, 'fact waits', 'facts wait')} for it (${listed(kinds)}).`;
  }
  const [fact] = found.facts;
  if (fact === undefined) return null;
  if (fact.outcome === 'skipped') {
    return `Not in the database, by rule: the ${fact.type ?? fact.kind} in ${fact.entryOrigin} was left out (${fact.reason ?? ''}).`;
  }
  return `The message itself was not received: ${fact.entryOrigin} says something about it (${fact.kind}).`;
}

/** The verdict about a raw entry. */
export function concludeEntry(
  inv: Investigation,
  { entry, items, facts, unread }: EntryFindings,
): Conclusion {
  const findings = findingsOf(facts.filter((fact) => fact.kind !== 'entry'));
  if (unread.length > 0) {
    findings.push(finding('unread', unread.length, unread[0]?.reason ?? null, 'were not understood'));
  }
  adviseItems(
    inv,
    items.flatMap((item, i) => {
      const fact = facts[i];
      return fact?.outcome === 'pending' ? [{ item, reason: fact.reason }] : [];
    }),
  );
  if (!entry.isIntact) {
    findings.push(finding('damaged', 1, null, 'entry was changed after it was stored'));
    inv.remedy({ do: 'replay_file', file: fileOfOrigin(entry.origin) });
  }
  if (facts.some((fact) => isFault(fact) && fact.reason !== 'doubled')) inv.remedy({ do: 'replay_all' });
  if (facts.some(({ reason }) => reason === 'doubled')) inv.remedy({ do: 'dedupe' });
  const messages = facts.filter(isMessage);
  const count = (...outcomes: Outcome[]): number =>
    messages.filter((fact) => outcomes.includes(fact.outcome)).length;
  const created = count('created');
  const stored = created + count('stored');
  const parts = [
    ...(entry.isIntact ? [] : ['bytes that are not those that were stored']),
    ...(stored === 0 ? [] : [`${amount(stored, 'message')} in the database (${created} brought by it)`]),
    ...(['pending', 'missing', 'different', 'rejected', 'skipped'] as const).flatMap((outcome) =>
      count(outcome) === 0 ? [] : [`${amount(count(outcome), 'message')} ${outcome}`],
    ),
    ...(unread.length === 0 ? [] : [amount(unread.length, 'unparsed item')]),
  ];
  for (const [what, count] of countKinds(facts.filter((fact) => !isMessage(fact) && fact.kind !== 'entry'))) {
    parts.push(count === 1 ? what : `${what} (${count.toLocaleString('en-US')})`);
  }
  const holds = parts.length === 0 ? 'nothing to store' : listed(parts);
  return { verdict: `The entry ${entry.origin} is ${entry.status}: ${holds}.`, known: true, findings };
}

/** What an entry says beside messages, in words with their numbers. */
function countKinds(facts: readonly ExplainedFact[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, type, status } of facts) {
    const what =
      kind === 'status'
        ? `status ${status ?? ''}`
        : kind === 'history_state' || kind === 'event'
          ? `${kind === 'event' ? 'event' : 'history'} ${type ?? ''}`
          : kind.replaceAll('_', ' ');
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

function article(type: string): string {
  return /^[aeiou]/i.test(type) ? `an ${type}` : `a ${type}`;
}
