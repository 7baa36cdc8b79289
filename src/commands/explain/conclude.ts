import { WRONG_SIGNATURE } from '../../rules/signatures.js';
import { markWords } from '../../audit/alert.js';
import { unfoundedWords } from '../../audit/claims.js';
import { decodeWamid } from '../../identity/wamid.js';
import { amount, count } from '../../model/amount.js';
import { INCLUDABLE_CHATS, type BodyState } from '../../model/enumerations.js';
import { adviseFaults, advisePending, replayOf } from './advise.js';
import type { GoneRecord } from '../../store/checks/gone-entries.js';
import type { MessageFindings } from './explain-message.js';
import type { EntryFindings } from './explain.js';
import type { Investigation } from './investigation.js';
import {
  damaged,
  finding,
  findingsOf,
  forged,
  isMessage,
  listed,
  misfiled,
  PROBLEMS,
  problem,
  targetNotReceived,
  unknown,
  unparsed,
} from './findings.js';
import type { ItemVerdict } from './item-verdicts.js';
import type {
  EntryExplanation,
  ExplainedFact,
  Finding,
  JournalNote,
  MessageExplanation,
  Outcome,
} from './result.js';

/** The conclusion of `explain` about its subject, and whether anything is known about it. */
export interface Conclusion {
  verdict: string;
  known: boolean;
  findings: Finding[];
}

/** Concludes about an id with rows. */
export function concludeRows(inv: Investigation, id: string, found: MessageFindings): Conclusion {
  const { messages, facts, pending, verdicts } = found;
  adviseFaults(inv, verdicts, replayOf(verdicts));
  advisePending(
    inv,
    verdicts,
    messages.map(({ connection }) => connection),
  );
  const findings = findingsOf(facts.filter(({ reason }) => reason !== 'doubled'));
  if (pending.length > 0) findings.push(targetNotReceived(pending.length));
  for (const { goneEntry, broughtBy, unfounded } of messages) {
    if (unfounded !== null) {
      const isForged = unfounded.why === 'refused';
      const reason = isForged ? 'bad_signature' : 'unfounded';
      findings.push(finding('different', 1, reason, unfoundedWords(unfounded.why)));
      const isChanged = verdicts.some(({ outcome }) => outcome === 'different');
      if (verdicts.some(isMissing)) inv.remedy(replayOf(verdicts));
      else if (unfounded.isCopy) inv.remedy({ do: 'dedupe' });
      else if (unfounded.isHeld && (isForged || !isChanged)) inv.remedy({ do: 'replay_all' });
      else if (isForged) inv.remedy({ do: 'accept_forged' });
      // Of one that was replaced, the file is advised already.
      else if (!unfounded.isReplaced) inv.remedy({ do: 'unlink' });
    }
    if (goneEntry !== null) findings.push(finding('gone', 1, null, 'raw entry is no longer in the raw log'));
    else if (broughtBy?.isIntact === false) findings.push(damaged());
  }
  for (const { withoutId, broughtBy, goneEntry } of messages) {
    if (withoutId === null) continue;
    const { twin, isReplaced } = withoutId;
    const what = twin === null ? 'without an id' : `duplicate of ${twin}, without an id`;
    findings.push(finding('different', 1, 'no_id', what));
    if (twin !== null) inv.remedy({ do: 'dedupe' });
    else if (broughtBy !== null) inv.remedy({ do: 'reconcile' });
    else if (goneEntry !== null && isReplaced) inv.remedy({ do: 'acknowledge' });
  }
  const duplicates = countDuplicates(found);
  if (duplicates > 0) {
    findings.push(problem('different', duplicates, 'doubled'));
    inv.remedy({ do: 'dedupe' });
  }
  if (!inv.scanned && messages.some(({ unexplained }) => unexplained.length > 0)) inv.remedy({ do: 'scan' });
  const [first, second] = messages;
  if (first === undefined) return { verdict: `No message has the id ${id}.`, known: false, findings };
  const where = [...new Set(messages.map((message) => message.connection))].join(', ');
  const verdict =
    second === undefined
      ? rowVerdict(first, facts, findings)
      : `${count(messages.length)} messages have the id ${id} (on ${where}).`;
  return { verdict, known: true, findings };
}

/** Rows of the same id, including other programs' rows, and rows of one message under its two ids (M10). */
function countDuplicates({ messages, facts, twins }: MessageFindings): number {
  const ids = new Set(messages.map((one) => `${one.connection} ${one.externalId ?? one.id}`));
  const doubled = new Set(facts.flatMap((fact) => (fact.reason === 'doubled' ? [fact.messageId] : [])));
  return Math.max(messages.length - ids.size, twins, doubled.size);
}

function rowVerdict(
  message: MessageExplanation,
  facts: readonly ExplainedFact[],
  findings: readonly Finding[],
): string {
  const { direction, type, connection, broughtBy, goneEntry, unfounded, marks, editedAt, deletedAt } =
    message;
  const who = message.contact ?? message.name ?? `lead ${message.leadId}`;
  const changes = [
    ...(editedAt === null || marks.includes('edited') ? [] : ['edited']),
    ...(deletedAt === null || marks.includes('deleted') ? [] : ['revoked']),
  ];
  const what = `${article(type)} ${direction === 'INBOUND' ? 'from' : 'to'} ${who} on ${connection}`;
  const claims = facts.filter((fact) => fact.outcome === 'rejected').length;
  const remarks = [
    unfounded !== null && broughtBy !== null
      ? `${unfoundedWords(unfounded.why)}: ${broughtBy.origin}`
      : broughtBy !== null
        ? `received in ${broughtBy.origin}${broughtBy.isIntact ? removedWords(broughtBy.bodyState) : ', whose raw entry was changed after it was stored'}`
        : goneEntry === null
          ? 'written by another program'
          : `its raw entry log:${goneEntry} is no longer in the raw log`,
    ...(marks.length === 0 ? [] : [markWords(marks)]),
    ...(claims === 0 ? [] : [`${amount(claims, 'other message claims', 'other messages claim')} its id`]),
  ];
  // Faults come first: a verdict that began with the database would read as good news under a red mark.
  const wrong = wrongWith(message, findings);
  const opening = wrong.length === 0 ? 'In the database' : capitalized(listed(wrong));
  return `${opening}: ${[what, ...(changes.length === 0 ? [] : [changes.join(' and ')])].join(', ')}; ${remarks.join('; ')}.`;
}

function removedWords(state: BodyState | null): string {
  return state === null || state === 'redacted' ? '' : `, whose body was ${state}`;
}

/** What is wrong with a row, in a few words; waiting or excluded items are not a fault of the row. */
function wrongWith(message: MessageExplanation, findings: readonly Finding[]): string[] {
  const columns = message.differences.map(({ what }) => what);
  const words = findings.flatMap(({ outcome, reason }): string[] => {
    switch (outcome) {
      case 'different':
        if (reason === 'no_id') return ['without its id'];
        if (reason === 'doubled') return ['duplicated'];
        if (reason === 'no_lead') return ['without its lead'];
        if (reason === 'bad_signature') return ['from a raw entry with a bad signature'];
        if (reason === 'unfounded') return ['not in the raw entry that it names'];
        return columns.length === 0 ? ['different from the raw log'] : [];
      case 'missing':
        // For a row without an id, the missing item is the message itself.
        return message.externalId === null ? [] : ['lacks an update of the raw log'];
      case 'gone':
        return ['without its raw entry'];
      case 'damaged':
        return ['its raw entry was changed'];
      case 'pending':
      case 'rejected':
      case 'unread':
      case 'unknown':
        return [];
    }
  });
  const differs = columns.length === 0 ? [] : [`different from the raw log (${listed(columns)})`];
  return [...new Set([...differs, ...words])];
}

function isMissing({ outcome, row }: ItemVerdict): boolean {
  return outcome === 'missing' && row === null;
}

function capitalized(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Concludes about an id without a row. */
export function concludeUnstored(
  inv: Investigation,
  id: string,
  found: MessageFindings,
  journal: readonly JournalNote[],
): Conclusion {
  const findings = findingsOf(found.facts);
  adviseFaults(inv, found.verdicts, replayOf(found.verdicts));
  advisePending(inv, found.verdicts);
  for (const { outcome, reason, entryId } of found.facts) {
    if (outcome === 'skipped' && INCLUDABLE_CHATS.some((chat) => chat === reason)) {
      inv.remedy({ do: 'include', kind: reason ?? '' });
    }
    if (outcome === 'missing')
      inv.remedy({ do: 'explain', subject: `log:${entryId}`, why: 'the entry that contains it' });
  }
  const phone = decodeWamid(id)?.phone;
  if (phone !== undefined) inv.remedy({ do: 'explain', subject: phone, why: 'the contact in the id' });
  const verdict = unstoredVerdict(found, journal);
  if (verdict !== null) {
    if (found.pending.length > 0 && findings.length === 0)
      findings.push(targetNotReceived(found.pending.length));
    return { verdict, known: true, findings };
  }
  return {
    verdict: `No data found for ${id}: it is not in the database, and ${whereNot(inv)}.`,
    known: false,
    findings: [unknown()],
  };
}

function whereNot({ unread, scanned }: Investigation): string {
  if (unread !== null) return `the raw entry that contains it was not read (${unread})`;
  return scanned ? 'no raw entry contains it' : 'no raw entry that was searched contains it';
}

function unstoredVerdict(
  { facts, pending }: MessageFindings,
  journal: readonly JournalNote[],
): string | null {
  const messages = facts.filter(isMessage);
  for (const outcome of ['pending', 'missing', 'rejected', 'skipped'] as const) {
    const fact = messages.find((one) => one.outcome === outcome);
    if (fact === undefined) continue;
    const { entryOrigin: place, reason } = fact;
    switch (outcome) {
      case 'pending':
        return `Not in the database yet: the message is in ${place}, but ${whyPending(fact)}.`;
      case 'missing':
        return `Missing: the message is in ${place}, but not in the database, and no record says why.`;
      case 'rejected':
        return `Not in the database: the message in ${place} was rejected (${reason ?? ''}).`;
      case 'skipped':
        return `Not in the database: the message in ${place} was skipped by rule (${reason ?? ''}).`;
    }
  }
  const removed = journal.find((note) => note.what === 'removed');
  if (removed !== undefined) {
    return `No longer in the database: ${removed.command ?? 'a run'} deleted a row with this id (run ${removed.runId}).`;
  }
  if (pending.length > 0) {
    const kinds = pending.map((one) => (one.status === null ? one.kind : `status ${one.status}`));
    return `The message itself was not received: ${amount(pending.length, 'update is', 'updates are')} pending for it (${listed([...new Set(kinds)])}).`;
  }
  const [fact] = facts;
  if (fact === undefined) return null;
  if (fact.outcome === 'skipped') {
    return `Not in the database: the ${fact.type ?? fact.kind} in ${fact.entryOrigin} was skipped by rule (${fact.reason ?? ''}).`;
  }
  return `The message itself was not received: ${fact.entryOrigin} only refers to it (${fact.kind}).`;
}

/** Concludes about a raw entry. */
export function concludeEntry(
  inv: Investigation,
  { entry, verdicts, facts, isMisfiled, unread, unchecked }: EntryFindings,
): Conclusion {
  const findings = findingsOf(facts.filter((fact) => fact.kind !== 'entry'));
  const refused = unread.filter(({ reason }) => reason === WRONG_SIGNATURE).length;
  const others = unread.filter(({ reason }) => reason !== WRONG_SIGNATURE);
  const unknown = others.length;
  if (refused > 0) {
    findings.push(forged(refused, unchecked));
    if (unchecked > 0) inv.remedy({ do: 'accept_forged' });
    inv.remedy({ do: 'replay_failed' });
  }
  if (unknown > 0) findings.push(unparsed(unknown, others[0]?.reason ?? null));
  advisePending(inv, verdicts);
  if (isMisfiled) {
    findings.push(misfiled());
    inv.remedy({ do: 'replay_all' });
  }
  if (!entry.isIntact) findings.push(damaged());
  else if (unread.length === 0 && findings.length === 0 && !isSettled(entry.status)) {
    findings.push(
      finding('pending', 1, 'not_replayed', `entry ${STATUS_WORDS[entry.status]}, and can be read`),
    );
    inv.remedy({ do: 'replay_all' });
  }
  adviseFaults(inv, verdicts, { do: 'replay_all' });
  const messages = facts.filter(isMessage);
  const countOf = (...outcomes: Outcome[]): number =>
    messages.filter((fact) => outcomes.includes(fact.outcome)).length;
  const created = countOf('created');
  const stored = created + countOf('stored');
  const parts = [
    ...(entry.isIntact ? [] : ['its bytes were changed after it was stored']),
    ...(isMisfiled ? ['it is found by other contacts, numbers or fields than its body names'] : []),
    ...(stored === 0 ? [] : [`${amount(stored, 'message')} in the database (${created} created by it)`]),
    ...[...PROBLEMS, 'skipped' as const].flatMap((outcome) =>
      countOf(outcome) === 0 ? [] : [`${amount(countOf(outcome), 'message')} ${outcome}`],
    ),
    ...(refused === 0
      ? []
      : [
          `${amount(refused, 'part whose signature is wrong', 'parts whose signature is wrong')}${unchecked === 0 ? '' : ` (${unchecked === refused ? '' : `${count(unchecked)} `}applied before it could be checked)`}`,
        ]),
    ...(unknown === 0 ? [] : [amount(unknown, 'part in an unknown format', 'parts in an unknown format')]),
  ];
  const kinds = countKinds(facts.filter((fact) => !isMessage(fact) && fact.kind !== 'entry'));
  for (const [what, number] of kinds) parts.push(amount(number, what, pluralOf(what)));
  const broken = brokenIn(unread);
  if (broken !== undefined) {
    return { verdict: `${entry.origin} could not be read: ${jsonFault(broken)}.`, known: true, findings };
  }
  const removed = entry.isIntact && entry.bodyState !== null ? entry : null;
  if (removed !== null && removed.bodyState !== 'redacted')
    parts.push(`its body was ${removed.bodyState} by run ${removed.bodyRunId ?? '–'}`);
  const holds = parts.length === 0 ? 'nothing to store' : listed(parts);
  return { verdict: `Entry ${entry.origin} ${STATUS_WORDS[entry.status]}: ${holds}.`, known: true, findings };
}

/** Concludes about a raw entry that is gone from the raw log, from the records that name it. */
export function concludeGone(id: string, records: readonly GoneRecord[]): Conclusion {
  const names: Record<GoneRecord['ledger'], string> = {
    message: 'message',
    reject: 'rejected item',
    chunk: 'history chunk',
    update: 'pending update',
  };
  const counts = new Map<string, number>();
  for (const { ledger } of records) counts.set(names[ledger], (counts.get(names[ledger]) ?? 0) + 1);
  const who = listed([...counts].map(([name, number]) => amount(number, name)));
  return {
    verdict: `Entry log:${id} is no longer in the raw log; ${who} ${records.length === 1 ? 'names' : 'name'} it.`,
    known: true,
    findings: [finding('gone', 1, null, 'raw entry is no longer in the raw log')],
  };
}

/** Whether an entry was entirely unreadable. */
export function isBroken({ unread }: Pick<EntryFindings, 'unread'>): boolean {
  return brokenIn(unread) !== undefined;
}

function brokenIn(unread: EntryFindings['unread']): string | undefined {
  return unread.find(({ path, reason }) => path === '$' && reason.startsWith('the JSON '))?.reason;
}

/** Whether nothing is to be done about an entry that is read without a fault. */
function isSettled(status: EntryExplanation['status']): boolean {
  return status === 'processed' || status === 'ignored';
}

const STATUS_WORDS: Readonly<Record<EntryExplanation['status'], string>> = {
  pending: 'is pending',
  processed: 'is processed',
  partial: 'is partial',
  failed: 'failed',
  unrecognized: 'is in an unknown format',
  ignored: 'is ignored',
};

/** `invalid JSON (ends early, at character 260)`. */
function jsonFault(message: string): string {
  return `invalid JSON (${message.replace(/^the JSON /, '')})`;
}

function pluralOf(what: string): string {
  return what.endsWith('status') ? `${what}es` : `${what}s`;
}

/** The items of an entry that are not messages, by kind. */
function countKinds(facts: readonly ExplainedFact[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind, type, status } of facts) {
    const what =
      kind === 'status'
        ? `${status ?? ''} status`.trim()
        : kind === 'history_state' || kind === 'event'
          ? `${type?.replaceAll('_', ' ') ?? ''} ${kind === 'event' ? 'event' : 'history notice'}`.trim()
          : kind.replaceAll('_', ' ');
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  return counts;
}

function whyPending({ reason, connectionHint }: ExplainedFact): string {
  switch (reason) {
    case 'unknown_connection':
      return `its connection${connectionHint === null ? '' : ` (${connectionHint})`} is unknown`;
    case 'other_connection':
      return 'the replay was for another connection';
    default:
      return 'its entry has not been replayed';
  }
}

function article(type: string): string {
  return /^[aeiou]/i.test(type) ? `an ${type}` : `a ${type}`;
}
