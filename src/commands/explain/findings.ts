import type { ExplainedFact, Finding, Outcome } from './result.js';

/** What is wrong with facts, by outcome and reason. */
export function findingsOf(facts: readonly ExplainedFact[]): Finding[] {
  return (['pending', 'missing', 'different', 'rejected'] as const).flatMap((outcome) =>
    byReason(facts.filter((fact) => fact.outcome === outcome)).map(([reason, of]) =>
      finding(outcome, of.length, reason, partWords(outcome, of.length, reason)),
    ),
  );
}

export function finding(
  outcome: Finding['outcome'],
  count: number,
  reason: string | null,
  words: string,
): Finding {
  return { outcome, count, reason, message: outcome === 'unknown' ? words : `${count} ${words}` };
}

export function byReason<T extends { reason: string | null }>(of: readonly T[]): [string | null, T[]][] {
  const groups = new Map<string | null, T[]>();
  for (const one of of) groups.set(one.reason, [...(groups.get(one.reason) ?? []), one]);
  return [...groups];
}

/** Whether a fact is about a message as such: one that came, was left out, or was rejected. */
export function isMessage(fact: ExplainedFact): boolean {
  return (
    fact.kind === 'message' ||
    ((fact.kind === 'skipped' || fact.kind === 'rejected') && fact.type === 'message')
  );
}

/** An outcome as the end of a sentence about `count` messages. */
export function partWords(outcome: Outcome | undefined, count: number, reason: string | null): string {
  const one = count === 1;
  switch (outcome) {
    case 'pending':
      if (reason === 'unknown_connection')
        return `${one ? 'waits' : 'wait'} for a connection that is not known`;
      return `${one ? 'waits' : 'wait'} to be replayed`;
    case 'missing':
      return `${one ? 'is' : 'are'} missing`;
    case 'different':
      return reason === 'doubled'
        ? one
          ? 'is a duplicate'
          : 'are duplicates'
        : `${one ? 'differs' : 'differ'} from the raw log`;
    case 'rejected':
      return `${one ? 'was' : 'were'} rejected (${reason ?? ''})`;
    case 'skipped':
      return `${one ? 'was' : 'were'} left out by rule (${reason ?? ''})`;
    default:
      return outcome ?? '';
  }
}
