import { TWIN_TOLERANCE_MS } from '../../rules/message-state.js';
import type { Candidate } from './candidate.js';
import { versionsOf } from './cluster.js';
import { isSameContent } from './compare-content.js';
import { wordsOfTimes } from './evidence-words.js';
import { mergeCluster, type Merge } from './merge-candidates.js';

/** White space only, as SQL's look for such rows has it (src/store/queries/duplicates.ts). */
const BLANK = /^[ \t\n\u000b\f\r]*$/;

/** A row by whose id nothing can name it. Null reads as empty. */
export function hasNoId({ row }: Candidate): boolean {
  return BLANK.test(row.externalId);
}

/**
 * Whether a row without an id is a copy of an identified one: same conversation, direction, type, text and media (as it shows,
 * or as it showed before an edit or a revoke), times within 2 s.
 */
export function isCopyWithoutId(copy: Candidate, identified: Candidate): boolean {
  return (
    hasNoId(copy) &&
    !hasNoId(identified) &&
    copy.row.conversationId === identified.row.conversationId &&
    copy.row.direction === identified.row.direction &&
    Math.abs(copy.row.timestamp - identified.row.timestamp) <= TWIN_TOLERANCE_MS &&
    [identified.row, ...versionsOf(identified)].some((version) => isSameContent(version, copy.row))
  );
}

/**
 * The identified row stays, and takes what its copies know. Its time and direction stay, too: the provider's word for that
 * message; moved by a copy, it could come into the reach of copies of another one.
 */
export function mergeCopies(identified: Candidate, copies: readonly Candidate[]): Merge {
  const { timestamp, direction } = identified.state;
  const still = copies.map((copy) => ({
    ...copy,
    state: { ...copy.state, timestamp, direction, ranks: { ...copy.state.ranks, structure: 0 } },
  }));
  return {
    kept: identified,
    lost: copies,
    state: mergeCluster([identified, ...still], identified.row.externalId),
    renamed: null,
    evidence: () => [
      copies.length === 1
        ? `one has no id, the other is ${identified.row.externalId}`
        : `${copies.length} have no id, the other is ${identified.row.externalId}`,
      'same conversation, direction, type, text and media',
      ...wordsOfTimes([identified, ...copies]),
    ],
  };
}
