import {
  noIdGroups,
  sameIdGroups,
  sameMessageGroups,
  type DuplicateGroup,
  type DuplicatePage,
  type DuplicateQuery,
  type DuplicateScope,
} from '../../store/queries/duplicates.js';
import { TWIN_TOLERANCE_MS } from '../../rules/message-state.js';
import { compareEvidence, type Candidate } from './candidate.js';
import { hasNoId, isCopyWithoutId, mergeCopies } from './decide-no-id.js';
import { decideSameId, type Decision } from './decide-same-id.js';
import { decideSameMessage } from './decide-same-message.js';
import type { DuplicateClass } from './result.js';

/** A class of doubled messages: where candidates are found, and what they are to each other. */
export interface MessageClass {
  name: DuplicateClass;
  find: (scope: DuplicateScope, page?: DuplicatePage) => DuplicateQuery;
  /** Decides groups by their rows as they are now; `find` may have seen others. Pure. */
  decide: (groups: readonly DuplicateGroup[], rows: ReadonlyMap<string, Candidate>) => Decision;
}

/** The classes of messages, in the order in which they are settled. */
export const MESSAGE_CLASSES: readonly MessageClass[] = [
  { name: 'same_id', find: sameIdGroups, decide: decideEach(isOfId, decideSameId) },
  { name: 'same_message', find: sameMessageGroups, decide: decideEach(isOfThread, decideSameMessage) },
  {
    name: 'no_id',
    find: (scope, page) => noIdGroups(scope, TWIN_TOLERANCE_MS, page),
    decide: decideNoId,
  },
];

function decideEach(
  belongs: (candidate: Candidate, group: DuplicateGroup) => boolean,
  decide: (rows: Candidate[]) => Decision,
): MessageClass['decide'] {
  return (groups, rows) => {
    const decision: Decision = { merges: [], kept: [] };
    for (const group of groups) {
      const present = rowsOf(group, rows).filter((candidate) => belongs(candidate, group));
      if (present.length < 2) continue;
      const { merges, kept } = decide(present);
      decision.merges.push(...merges);
      decision.kept.push(...kept);
    }
    return decision;
  };
}

function isOfId({ row }: Candidate, { key }: DuplicateGroup): boolean {
  return row.connectionId === key[0] && row.externalId === key[1];
}

function isOfThread({ row }: Candidate, { key }: DuplicateGroup): boolean {
  return row.conversationId === key[0];
}

/** Copies of one message go into it together; what has no twin is reported as it is. */
function decideNoId(groups: readonly DuplicateGroup[], rows: ReadonlyMap<string, Candidate>): Decision {
  const copies = new Map<Candidate, Candidate[]>();
  const kept: Decision['kept'] = [];
  for (const group of groups) {
    const present = rowsOf(group, rows);
    const copy = present.find(hasNoId);
    if (copy === undefined) continue;
    const twin = present.find((candidate) => isCopyWithoutId(copy, candidate));
    if (twin === undefined) kept.push({ externalId: null, rows: [copy.row.id], why: 'no_twin' });
    else copies.set(twin, [...(copies.get(twin) ?? []), copy]);
  }
  return {
    merges: [...copies].map(([twin, own]) => mergeCopies(twin, own.sort(compareEvidence))),
    kept,
  };
}

function rowsOf({ ids }: DuplicateGroup, rows: ReadonlyMap<string, Candidate>): Candidate[] {
  return ids.flatMap((id) => rows.get(id) ?? []);
}
