import type { AmendmentCounts, MessageCounts, ReasonCounts, RunResult } from '../../model/run-result.js';

/** Facts other than messages, with the singular and plural that people say. */
export const AMENDMENTS = [
  { key: 'statuses', one: 'status', many: 'statuses' },
  { key: 'edits', one: 'edit', many: 'edits' },
  { key: 'revokes', one: 'revoke', many: 'revokes' },
  { key: 'reactions', one: 'reaction', many: 'reactions' },
] as const;

/** One line of "what was left out": how many, of what, what happened to them, and why. */
export interface LeftOut {
  count: number;
  one: string;
  many: string;
  /** `pending`: of an entry whose connection is not known yet; no rule has skipped it. */
  outcome: 'skipped' | 'rejected' | 'pending';
  reason: string;
}

export function sumOf(counts: ReasonCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Whether items that are counted as skipped for this reason are still to come. */
export function isPending(reason: string): boolean {
  return reason === 'unknown_connection' || reason === 'other_connection';
}

/** Everything that was skipped, rejected or left pending, rejected first, the most frequent first. */
export function listLeftOut(result: RunResult): LeftOut[] {
  const subjects: { one: string; many: string; counts: Pick<MessageCounts, 'skipped' | 'rejected'> }[] = [
    { one: 'message', many: 'messages', counts: result.messages },
    ...AMENDMENTS.map(({ key, one, many }) => ({ one, many, counts: result[key] })),
    { one: 'contact', many: 'contacts', counts: result.contacts },
  ];
  return (['rejected', 'skipped'] as const).flatMap((outcome) =>
    subjects
      .flatMap(({ one, many, counts }) =>
        Object.entries(counts[outcome]).map(([reason, count]) => ({
          count,
          one,
          many,
          outcome: outcome === 'skipped' && isPending(reason) ? ('pending' as const) : outcome,
          reason,
        })),
      )
      .filter(({ count }) => count > 0)
      .sort((a, b) => b.count - a.count),
  );
}

/** The same outcome for the same reason, of whatever it befell. */
export interface LeftOutGroup {
  outcome: LeftOut['outcome'];
  reason: string;
  parts: LeftOut[];
}

/** One group per outcome and reason, in the order of their first. */
export function groupByReason(leftOut: readonly LeftOut[]): LeftOutGroup[] {
  const groups = new Map<string, LeftOutGroup>();
  for (const one of leftOut) {
    const key = `${one.outcome} ${one.reason}`;
    const group = groups.get(key) ?? { outcome: one.outcome, reason: one.reason, parts: [] };
    group.parts.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** One figure of a run, for CSV and Markdown: `messages, skipped, group, 3`. */
export interface Figure {
  subject: string;
  figure: string;
  reason: string;
  count: number;
}

/** Every counter of a run in one flat list; zeros included, so that the rows of two runs can be laid side by side. */
export function listFigures(result: RunResult): Figure[] {
  return [
    ...plain('entries', { ...result.entries }),
    ...counted('messages', result.messages),
    ...AMENDMENTS.flatMap(({ key }) => counted(key, result[key])),
    ...counted('contacts', result.contacts),
    ...plain('leads', result.leads),
    ...plain('conversations', result.conversations),
    ...plain('tickets', result.tickets),
    ...plain('own_number_removed', { ...result.ownNumberRemoved }),
    ...Object.entries(result.events).map(([name, count]) => ({
      subject: 'events',
      figure: 'seen',
      reason: name,
      count,
    })),
    { subject: 'problems', figure: 'found', reason: '', count: result.problemCount },
  ];
}

function plain(subject: string, counts: Readonly<Record<string, number>>): Figure[] {
  return Object.entries(counts).map(([figure, count]) => ({ subject, figure, reason: '', count }));
}

function counted(subject: string, counts: MessageCounts | AmendmentCounts | RunResult['contacts']): Figure[] {
  const { skipped, rejected, ...figures } = counts;
  const byReason = (figure: string, reasons: ReasonCounts): Figure[] =>
    Object.entries(reasons).map(([reason, count]) => ({ subject, figure, reason, count }));
  return [...plain(subject, figures), ...byReason('skipped', skipped), ...byReason('rejected', rejected)];
}
