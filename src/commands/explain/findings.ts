import { count } from '../../model/amount.js';
import { WRONG_SIGNATURE } from '../../rules/signatures.js';
import type { ExplainedFact, Finding, Outcome } from './result.js';

/** Outcomes of items that are wrong or missing in the database. */
export const PROBLEMS = ['pending', 'missing', 'different', 'rejected'] as const;

/** The problems of facts or messages, by outcome and reason. */
export function findingsOf(of: readonly { outcome: Outcome; reason: string | null }[]): Finding[] {
  return PROBLEMS.flatMap((outcome) =>
    byReason(of.filter((one) => one.outcome === outcome)).map(([reason, some]) =>
      problem(outcome, some.length, reason),
    ),
  );
}

export function problem(outcome: (typeof PROBLEMS)[number], number: number, reason: string | null): Finding {
  return finding(outcome, number, reason, words(outcome, number, reason));
}

export function targetNotReceived(number: number): Finding {
  return finding('pending', number, 'no_message_yet', words('pending', number, 'no_message_yet'));
}

export function unparsed(number: number, reason: string | null): Finding {
  return finding('unread', number, reason, 'in an unknown format');
}

/** Parts whose signature is bad. `unchecked`: of these, the ones that were applied before it could be checked. */
export function forged(number: number, unchecked: number): Finding {
  const late = unchecked === 0 ? '' : ', applied before it could be checked';
  return finding('unread', number, WRONG_SIGNATURE, `with a bad signature${late}`);
}

export function damaged(): Finding {
  return finding('damaged', 1, null, 'raw entry was changed after it was stored');
}

export function misfiled(): Finding {
  return finding(
    'different',
    1,
    'misfiled',
    'raw entry is found by other contacts, numbers or fields than it names',
  );
}

export function unknown(): Finding {
  return { outcome: 'unknown', count: 1, reason: null, message: 'no data found' };
}

export function finding(
  outcome: Finding['outcome'],
  number: number,
  reason: string | null,
  what: string,
): Finding {
  return { outcome, count: number, reason, message: `${count(number)} ${what}` };
}

export function byReason<T extends { reason: string | null }>(of: readonly T[]): [string | null, T[]][] {
  const groups = new Map<string | null, T[]>();
  for (const one of of) groups.set(one.reason, [...(groups.get(one.reason) ?? []), one]);
  return [...groups];
}

/** An outcome as the end of a sentence about `number` items. */
export function words(
  outcome: (typeof PROBLEMS)[number] | 'skipped',
  number: number,
  reason: string | null,
): string {
  const is = number === 1 ? 'is' : 'are';
  const was = number === 1 ? 'was' : 'were';
  switch (outcome) {
    case 'pending':
      return `${is} pending (${PENDING.get(reason ?? '') ?? 'not replayed'})`;
    case 'missing':
      return `${is} missing`;
    case 'different':
      if (reason === 'doubled') return number === 1 ? 'is a duplicate' : 'are duplicates';
      return `${number === 1 ? 'differs' : 'differ'} from the raw log`;
    case 'rejected':
      return `${was} rejected (${reason ?? ''})`;
    case 'skipped':
      return `${was} skipped by rule (${reason ?? ''})`;
  }
}

const PENDING = new Map([
  ['unknown_connection', 'unknown connection'],
  ['other_connection', 'the replay was for another connection'],
  ['no_message_yet', 'target message not received'],
]);

/** Whether a fact is about a message itself: received, skipped or rejected. */
export function isMessage({ kind, type }: ExplainedFact): boolean {
  return kind === 'message' || ((kind === 'skipped' || kind === 'rejected') && type === 'message');
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
