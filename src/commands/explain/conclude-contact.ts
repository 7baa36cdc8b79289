import { amount, count } from '../../model/amount.js';
import { OVERDUE_MS } from '../../rules/amendments.js';
import { erasedWords } from '../contacts/erased-people.js';
import { adviseFaults, advisePending } from './advise.js';
import type { Conclusion } from './conclude.js';
import { concludeContactRows } from './contact-rows.js';
import type { ContactFindings } from './explain-contact.js';
import {
  byReason,
  finding,
  findingsOf,
  isMessage,
  listed,
  PROBLEMS,
  targetNotReceived,
  unknown,
  unparsed,
  words,
} from './findings.js';
import type { Investigation } from './investigation.js';
import type { Finding } from './result.js';
import { isFault } from './item-verdicts.js';

/** Concludes about a contact. */
export function concludeContact(inv: Investigation, typed: string, found: ContactFindings): Conclusion {
  const { contact, messages, facts, pending } = found;
  const label = contact.lead?.phone ?? contact.lead?.name ?? typed;
  const unread = facts.filter((fact) => fact.kind === 'entry');
  const now = inv.ctx.clock();
  // The same rule as verify: updates arrive before their message, and within a day that is no fault.
  const overdue = pending.filter(({ waitingSince }) => now - Date.parse(waitingSince) > OVERDUE_MS);
  const amendments = facts.filter((fact) => !isMessage(fact) && fact.kind !== 'entry');
  // The updates of a missing message return with it: the headline counts the message.
  const gone = new Set(
    facts.flatMap((fact) => (fact.outcome === 'missing' && isMessage(fact) ? [fact.externalId] : [])),
  );
  const lacking = amendments.filter((fact) => isFault(fact) && !gone.has(fact.externalId)).length;
  const findings = [
    ...findingsOf(messages),
    ...findingsOf(amendments.filter(({ reason }) => reason !== 'no_message_yet')),
    ...(overdue.length === 0 ? [] : [targetNotReceived(overdue.length)]),
    ...(unread.length === 0 ? [] : [unparsed(unread.length, unread[0]?.reason ?? null)]),
  ];
  advisePending(inv, messages);
  for (const { holder } of found.verdicts) {
    if (holder !== null)
      inv.remedy({ do: 'explain', subject: holder.externalId, why: 'the message that has the id' });
  }
  adviseFaults(inv, [...messages, ...found.verdicts], { do: 'replay_contact', contact: typed });
  if (contact.lead === null && facts.length + pending.length + found.misfiled.length === 0) {
    const said = erasedWords(label, found.erased);
    if (said !== null && found.erased !== 'unknown') {
      return { verdict: `${said}: what comes of this person is skipped.`, known: true, findings };
    }
    if (said !== null) inv.notice(said);
    const where = inv.scanned ? 'no raw entry names it' : 'no raw entry that was searched names it';
    return {
      verdict: `No data found for ${label}: ${where}.`,
      known: false,
      findings: [...findings, unknown()],
    };
  }
  const aboutRows = [...concludeContactRows(inv, found)];
  // What a replay restores of its messages brings its names, too.
  if (aboutRows.length === 0 && !found.verdicts.some(isFault)) aboutRows.push(...concludeNames(inv, found));
  aboutRows.push(...concludeFiling(inv, found));
  findings.push(...aboutRows.map(([, one]) => one));
  const parts = [
    contactVerdict(inv, label, found),
    ...aboutRows.map(([words]) => words),
    ...(lacking === 0 ? [] : [`${amount(lacking, 'update is', 'updates are')} not applied`]),
    ...(pending.length === 0
      ? []
      : [`${amount(pending.length, 'update is', 'updates are')} pending: target message not received`]),
    ...(unread.length === 0
      ? []
      : [
          `${amount(unread.length, 'entry that names it', 'entries that name it')} ${unread.length === 1 ? 'is' : 'are'} in an unknown format`,
        ]),
  ];
  return { verdict: `${parts.join('; ')}.`, known: true, findings };
}

function concludeFiling(
  inv: Investigation,
  { misfiled }: ContactFindings,
): (readonly [words: string, finding: Finding])[] {
  const [first] = misfiled;
  if (first === undefined) return [];
  inv.remedy({ do: 'replay_all' });
  inv.remedy({ do: 'explain', subject: `log:${first}`, why: 'the raw entry' });
  const number = misfiled.length;
  const what =
    number === 1
      ? 'raw entry is found by other contacts, numbers or fields than it names'
      : 'raw entries are found by other contacts, numbers or fields than they name';
  return [[`${count(number)} ${what}`, finding('different', number, 'misfiled', what)]];
}

function concludeNames(
  inv: Investigation,
  { lackingNames }: ContactFindings,
): (readonly [words: string, finding: Finding])[] {
  const number = lackingNames.length;
  if (number === 0) return [];
  inv.remedy({ do: 'replay_all' });
  const [one, many] = [
    'name that the raw log gives it is not stored',
    'names that the raw log gives it are not stored',
  ];
  return [[amount(number, one, many), finding('different', number, 'derived', number === 1 ? one : many)]];
}

/** Where the messages of a contact are. */
function contactVerdict(
  inv: Investigation,
  label: string,
  { contact, messages, facts }: ContactFindings,
): string {
  const log = inv.complete ? 'the raw log' : 'the part of the raw log that was read';
  const total = messages.length;
  if (total === 0) {
    const stored = contact.conversations.reduce((sum, one) => sum + one.messages, 0);
    const who = `${label} is ${contact.lead === null ? 'not a lead' : 'a lead'}`;
    const isNamed = inv.hasRemoved || facts.some((fact) => fact.kind !== 'entry');
    const named = isNamed ? `${log} names it, but has` : `${log} has`;
    // Some of them may be from entries that have no body any more.
    const without = inv.hasRemoved ? '' : ' without a raw log entry';
    const elsewhere = stored === 0 ? '' : `; ${amount(stored, 'message')} in the database${without}`;
    return `${who}: ${named} no message of it${elsewhere}`;
  }
  const stored = messages.filter(({ outcome }) => outcome === 'created' || outcome === 'stored').length;
  const of = `${count(total)} messages of ${label} in ${log}`;
  const only = `The only message of ${label} in ${log}`;
  if (stored === total) return total === 1 ? `${only} is in the database` : `All ${of} are in the database`;
  const problems = [...PROBLEMS, 'skipped' as const].flatMap((outcome) =>
    byReason(messages.filter((message) => message.outcome === outcome)).map(
      ([reason, some]) => [some.length, words(outcome, some.length, reason)] as const,
    ),
  );
  if (total === 1) return `${only} is not in the database: it ${problems[0]?.[1] ?? ''}`;
  const rest = listed(problems.map(([number, what]) => `${count(number)} ${what}`));
  return stored === 0
    ? `None of the ${of} is in the database: ${rest}`
    : `${count(stored)} of the ${of} ${stored === 1 ? 'is' : 'are'} in the database: ${rest}`;
}
