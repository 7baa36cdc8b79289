import { TWIN_TOLERANCE_MS } from '../../rules/message-state.js';
import { journaled } from '../../store/journal/journal.js';
import {
  groupOf,
  noIdGroups,
  sameIdGroups,
  sameMessageGroups,
  type DuplicateGroup,
  type DuplicatePage,
  type DuplicateQuery,
  type DuplicateScope,
} from '../../store/queries/duplicates.js';
import type { Sql } from '../../store/sql.js';
import { streamRows } from '../../store/columns.js';
import {
  findGroups,
  mergeInBatches,
  type BatchOutcome,
  type DedupeClass,
  type MergeRun,
  type PlanView,
} from './batches.js';
import { compareEvidence, readCandidates, type Candidate } from './candidate.js';
import { CONVERSATION_CLASS } from './conversations.js';
import {
  decideSameId,
  decideSameMessage,
  hasNoId,
  isCopyWithoutId,
  mergeCopies,
  type Decision,
} from './decide.js';
import { LEAD_CLASS } from './leads.js';
import type { DuplicateClass } from './result.js';
import { planWrites, writeMerges } from './write-merges.js';

/** A class of duplicate messages: where to find candidates, and how they relate. */
export interface MessageClass {
  name: DuplicateClass;
  find: (scope: DuplicateScope, page?: DuplicatePage) => DuplicateQuery;
  /** Decides groups by their current rows; `find` may have seen others. Pure. */
  decide: (groups: readonly DuplicateGroup[], rows: ReadonlyMap<string, Candidate>) => Decision;
}

/** The message classes, in merge order. */
export const MESSAGE_CLASSES: readonly MessageClass[] = [
  { name: 'same_id', find: sameIdGroups, decide: decideEach(isOfId, decideSameId) },
  { name: 'same_message', find: sameMessageGroups, decide: decideEach(isOfThread, decideSameMessage) },
  {
    name: 'no_id',
    find: (scope, page) => noIdGroups(scope, TWIN_TOLERANCE_MS, page),
    decide: decideNoId,
  },
];

/** All classes, in merge order: leads and conversations first, because they bring messages together. */
export const DEDUPE_CLASSES: readonly DedupeClass[] = [
  LEAD_CLASS,
  CONVERSATION_CLASS,
  ...MESSAGE_CLASSES.map((messageClass): DedupeClass => ({
    name: messageClass.name,
    plan: (view) => planMessages(view, messageClass),
    apply: (run) => applyMessages(run, messageClass),
  })),
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

/** All copies of one message are merged together; a row without a twin is reported. */
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

/** Groups that a plan reads from the cursor and decides at a time. */
const GROUPS_PER_PAGE = 500;

/** Counts what merging a class would do, with the same query and the same decisions. */
async function planMessages(view: PlanView, { name, find, decide }: MessageClass): Promise<void> {
  const { sql, tally, connectionId, joined, loggedOnly } = view;
  const { text, parameters } = find({ connectionId, joined, loggedOnly });
  for await (const rows of streamRows(sql, text, parameters, GROUPS_PER_PAGE)) {
    if (view.signal.aborted) return;
    const undecided: DuplicateGroup[] = [];
    for (const group of rows.map(groupOf)) {
      const [survivor = '', ...goes] = group.ids;
      // Exact copies need no decision, unless the group is shown: then the plan must name the kept row.
      if (!group.alike || tally.isShown(name)) undecided.push(group);
      else
        tally.merged({
          class: name,
          connectionId: group.connectionId,
          survivor,
          goes,
          evidence: () => [],
        });
    }
    const ids = new Set(undecided.flatMap((group) => group.ids));
    const candidates = await readCandidates(sql, [...ids], { joined });
    tally.absorb(outcomeOf(name, decide(undecided, candidates), candidates));
  }
}

/**
 * Groups per query over the tables: some 20 MB of keys and ids. Without the unique index each query reads the whole
 * table, so keep them few.
 */
const GROUPS_PER_LOOK = 50_000;

/** Merges a class, batch by batch. The last group's key skips groups that are kept (collisions). */
async function applyMessages(run: MergeRun, messageClass: MessageClass): Promise<void> {
  const { name, find } = messageClass;
  let after: readonly [string, string] | null = null;
  for (;;) {
    const query = find(
      { connectionId: run.connectionId, joined: new Map(), loggedOnly: run.loggedOnly },
      { after, limit: GROUPS_PER_LOOK },
    );
    const groups: DuplicateGroup[] = await findGroups(run, query, groupOf);
    await mergeInBatches(run, groups, {
      class: name,
      rowsOf: ({ ids }) => ids.length,
      connectionsOf: ({ connectionId }) => [connectionId],
      merge: (tx, batch) => mergeBatch(tx, run, messageClass, batch),
    });
    after = groups.at(-1)?.key ?? null;
    if (run.stopped() || groups.length < GROUPS_PER_LOOK) return;
  }
}

/** Rereads the rows and decides by their current state. */
async function mergeBatch(
  tx: Sql,
  { runId }: MergeRun,
  { name, decide }: MessageClass,
  groups: readonly DuplicateGroup[],
): Promise<BatchOutcome> {
  const ids = [...new Set(groups.flatMap((group) => group.ids))].sort();
  const candidates = await readCandidates(tx, ids, { lock: true });
  const decision = decide(groups, candidates);
  const outcome = outcomeOf(name, decision, candidates);
  if (decision.merges.length === 0) return outcome;
  const plan = await planWrites(tx, decision.merges);
  const changed = await journaled(tx, runId, plan.scope, () => writeMerges(tx, plan));
  return { ...outcome, changed };
}

/** A decision about messages in the form used for counting every class. */
function outcomeOf(
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
