import type { Candidate } from './candidate.js';
import type { Decision } from './decide-same-id.js';
import type { BatchOutcome } from './duplicate-work.js';
import type { DuplicateClass } from './result.js';

/** A decision about messages in the form in which every class is counted. */
export function outcomeOf(
  name: DuplicateClass,
  { merges, kept }: Decision,
  candidates: ReadonlyMap<string, Candidate>,
): BatchOutcome {
  return {
    groups: merges.map((merge) => ({
      class: name,
      connectionId: merge.kept.row.connectionId,
      survivor: merge.kept.row.id,
      goes: merge.lost.map(({ row }) => row.id),
      evidence: merge.evidence,
    })),
    kept: kept.flatMap((group) => {
      const connectionId = candidates.get(group.rows[0] ?? '')?.row.connectionId;
      return connectionId === undefined ? [] : [{ connectionId, ...group }];
    }),
    changed: 0,
    requeued: 0,
  };
}
