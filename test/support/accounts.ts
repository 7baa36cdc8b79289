import type { AmendmentCounts, MessageCounts, ReasonCounts, RunResult } from '../../src/model/run-result.js';

/**
 * What every run promises about its counters: whatever was seen ended as exactly one thing. Throws with all sums that do
 * not balance; counts anew from the result itself, so that the core's own check is checked too.
 */
export function assertBalanced(result: RunResult): void {
  const { entries, messages, statuses, edits, revokes, reactions } = result;
  const wrong: string[] = [];
  const same = (name: string, seen: number, accounted: number): void => {
    if (seen !== accounted) wrong.push(`${name}: ${seen} seen, ${accounted} accounted for`);
  };
  const { processed, partial, failed, unrecognized, ignored, pending } = entries;
  same('entries', entries.read, processed + partial + failed + unrecognized + ignored + pending);
  same('stored and duplicate entries', entries.read, entries.stored + entries.duplicate);
  same('messages', messages.seen, endedMessages(messages));
  for (const { name, messages: own } of result.connections)
    same(`messages of ${name}`, own.seen, endedMessages(own));
  for (const [name, counts] of Object.entries({ statuses, edits, revokes, reactions }))
    same(name, counts.seen, endedAmendments(counts));
  const attributed = result.connections.reduce((total, { messages: own }) => total + own.seen, 0);
  if (attributed > messages.seen) wrong.push(`connections count ${attributed} of ${messages.seen} messages`);
  if (result.problems.length > result.problemCount) wrong.push('more problems listed than counted');
  if (wrong.length > 0) throw new Error(`the run does not balance: ${wrong.join('; ')}`);
}

function endedMessages(counts: MessageCounts): number {
  return counts.created + counts.updated + counts.unchanged + sum(counts.skipped) + sum(counts.rejected);
}

function endedAmendments(counts: AmendmentCounts): number {
  return counts.applied + counts.unchanged + counts.pending + sum(counts.skipped) + sum(counts.rejected);
}

function sum(reasons: ReasonCounts): number {
  return Object.values(reasons).reduce((total, times) => total + times, 0);
}
