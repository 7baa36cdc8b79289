import { groupOf, type DuplicateGroup } from '../../store/queries/duplicates.js';
import { streamRows } from '../../store/columns.js';
import type { PlanView } from './duplicate-work.js';
import type { MessageClass } from './message-classes.js';
import { outcomeOf } from './outcome.js';
import { readCandidates } from './read-candidates.js';

/** Groups that are read from the cursor, and decided, at a time. */
const GROUPS = 500;

/** Counts what merging a class would do, with the same look and the same decisions. */
export async function planMessages(view: PlanView, { name, find, decide }: MessageClass): Promise<void> {
  const { sql, account, connectionId, joined } = view;
  const { text, parameters } = find({ connectionId, joined });
  for await (const rows of streamRows(sql, text, parameters, GROUPS)) {
    if (view.signal.aborted) return;
    const doubtful: DuplicateGroup[] = [];
    for (const group of rows.map(groupOf)) {
      // Copies to the letter need no decision, unless somebody wants to see which row would stay.
      if (group.alike && !account.isShown(name)) countAlike(view, name, group);
      else doubtful.push(group);
    }
    const ids = new Set(doubtful.flatMap((group) => group.ids));
    const candidates = await readCandidates(sql, [...ids], { joined });
    account.absorb(outcomeOf(name, decide(doubtful, candidates), candidates));
  }
}

function countAlike(
  { account }: PlanView,
  name: MessageClass['name'],
  { connectionId, ids }: DuplicateGroup,
): void {
  const [survivor = '', ...goes] = ids;
  account.merged({ class: name, connectionId, survivor, goes, evidence: () => [] });
}
