import { prepareLook, endLook } from '../../store/transactions.js';
import { groupOf, type DuplicateGroup } from '../../store/queries/duplicates.js';
import { streamRows } from '../../store/columns.js';
import type { Candidate } from '../dedupe/candidate.js';
import type { Decision } from '../dedupe/decide-same-id.js';
import { MESSAGE_CLASSES } from '../dedupe/message-classes.js';
import { readCandidates } from '../dedupe/read-candidates.js';
import type { VerifyView } from './check.js';

/** Groups that are read from the cursor, and decided, at a time. */
const GROUPS = 500;

/** Rows that are one message, and rows that stay side by side. */
export interface Decided {
  /** Rows of one id and conversation that say the same, to the letter: copies, whoever decides. */
  alike: DuplicateGroup[];
  merges: Decision['merges'];
  kept: (Decision['kept'][number] & { connectionId: string })[];
}

/**
 * What `dedupe` would decide about the messages of one class, page after page: verify must not find what dedupe would leave, nor
 * pass over what it would merge. With `--since`, only groups with a message since.
 */
export async function* streamDecisions(
  view: VerifyView,
  name: 'same_id' | 'same_message' | 'no_id',
): AsyncGenerator<Decided, void, undefined> {
  const found = MESSAGE_CLASSES.find((messageClass) => messageClass.name === name);
  if (found === undefined) throw new Error(`dedupe has no class ${name}`);
  const connectionId = view.restricted ? (view.connections[0]?.id ?? null) : null;
  const { text, parameters } = found.find({ connectionId, joined: new Map() });
  await prepareLook(view.sql);
  for await (const rows of streamRows(view.sql, text, parameters, GROUPS)) {
    if (view.signal.aborted) return;
    const groups = rows.map(groupOf);
    // Only what needs a decision is read again; and what must show its time.
    const isClear = (group: DuplicateGroup): boolean => group.alike && view.since === null;
    const doubtful = groups.filter((group) => !isClear(group));
    const candidates = await readCandidates(view.sql, [...new Set(doubtful.flatMap(({ ids }) => ids))]);
    const recent = doubtful.filter((group) => isRecent(group, candidates, view.since));
    const { merges, kept } = found.decide(recent, candidates);
    yield {
      alike: groups.filter(isClear),
      merges,
      kept: kept.flatMap((group) => {
        const one = candidates.get(group.rows[0] ?? '');
        return one === undefined ? [] : [{ ...group, connectionId: one.row.connectionId }];
      }),
    };
  }
  await endLook(view.sql);
}

function isRecent(
  { ids }: DuplicateGroup,
  candidates: ReadonlyMap<string, Candidate>,
  since: number | null,
): boolean {
  return since === null || ids.some((id) => (candidates.get(id)?.row.timestamp ?? -Infinity) >= since);
}
