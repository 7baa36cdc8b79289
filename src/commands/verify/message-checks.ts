import { amount } from '../../model/amount.js';
import { countMessages, streamCollisionRecords } from '../../store/checks/messages.js';
import { findGoneEntries } from '../../store/tables/webhook-log.js';
import { isKeySound, MESSAGE_KEY } from '../../store/checks/schema.js';
import { endLook, prepareLook } from '../../store/transactions.js';
import { groupOf, type DuplicateGroup } from '../../store/queries/duplicates.js';
import { streamRows } from '../../store/columns.js';
import { readCandidates, type Candidate } from '../dedupe/candidate.js';
import { MESSAGE_CLASSES } from '../dedupe/classes.js';
import type { Decision, Merge } from '../dedupe/decide.js';
import {
  DEDUPE_REMEDY,
  explainRemedy,
  forEachRow,
  joined,
  listRows,
  RESTORE_COPIES_REMEDY,
  RESTORE_IDS_REMEDY,
  scopeOf,
  type Check,
  type Recorder,
  type VerifyView,
} from './check.js';

/** No message is stored twice: neither under one id (M1) nor under both of its ids (M10). Finds duplicate rows. */
export const duplicateIdsCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    recorder.checked = await countMessages(view.sql, scopeOf(view));
    if (!(await isKeySound(view.sql, MESSAGE_KEY))) {
      for await (const { alike, merges } of streamDecisions(view, 'same_id')) {
        for (const { connectionId, key, ids } of alike) {
          view.doubled?.(connectionId, ids.length - 1);
          await addDuplicates(recorder, connectionId, key[1], ids, ['same type, text and media']);
        }
        // Skip the first evidence, the shared id: the subject already names it.
        for (const merge of merges) await addMerge(view, recorder, merge, merge.evidence().slice(1));
      }
    }
    for await (const { merges } of streamDecisions(view, 'same_message')) {
      for (const merge of merges) await addMerge(view, recorder, merge, merge.evidence());
    }
    return recorder.found === 0
      ? { summary: `${amount(recorder.checked, 'message')}, no duplicates` }
      : { summary: amount(recorder.found, 'duplicate row'), remedy: DEDUPE_REMEDY };
  },
};

function addMerge(
  view: VerifyView,
  recorder: Recorder,
  { kept, lost, state }: Merge,
  evidence: readonly string[],
): Promise<void> {
  view.doubled?.(kept.row.connectionId, lost.length);
  const ids = [kept, ...lost].map(({ row }) => row.id);
  return addDuplicates(recorder, kept.row.connectionId, state.externalId, ids, evidence);
}

async function addDuplicates(
  recorder: Recorder,
  connectionId: string,
  subject: string,
  ids: readonly string[],
  evidence: readonly string[],
): Promise<void> {
  const copies = ids.length - 1;
  const words = [amount(copies, 'duplicate'), ...evidence].join(', ');
  await recorder.finding('*', { connectionId, subject, detail: `${words}: ${listRows(ids)}` }, copies);
}

/**
 * Every message has an id. Replay stores none without (M7): another program wrote these, or removed the id. A second
 * row of a message with an id is a duplicate; a row that also lost its raw entry belongs to raw_entry.
 */
export const missingIdsCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    recorder.checked = await countMessages(view.sql, scopeOf(view));
    let copies = 0;
    for await (const { merges, kept } of streamDecisions(view, 'no_id')) {
      for (const { kept: twin, lost } of merges) {
        view.doubled?.(twin.row.connectionId, lost.length);
        for (const { row } of lost) {
          copies += 1;
          const detail = `has no id; a duplicate of ${twin.row.externalId}`;
          await recorder.finding('*', { connectionId: row.connectionId, subject: `row ${row.id}`, detail });
        }
      }
      const gone = await findGoneEntries(
        view.sql,
        kept.flatMap(({ batchId }) => batchId ?? []),
      );
      for (const { connectionId, rows, batchId } of kept) {
        // If its raw entry is gone, it is a finding of raw_entry: the file restores both.
        if (batchId !== null && gone.has(batchId)) continue;
        const detail = 'has no id, and is no duplicate of a message with one';
        await recorder.finding('!', { connectionId, subject: `row ${rows.join(', ')}`, detail });
      }
    }
    const { checked, found } = recorder;
    if (found === 0) return { summary: `${amount(checked, 'message')}, each with an id` };
    const parts = joined(
      [
        [copies, `${amount(copies, 'duplicate')} of messages with one`],
        [found - copies, `${amount(found - copies, 'message')} that cannot be identified`],
      ],
      ', ',
    );
    return {
      summary: `${amount(found, 'message')} without an id: ${parts}`,
      remedy: copies > 0 ? DEDUPE_REMEDY : RESTORE_IDS_REMEDY,
      severity: copies > 0 ? 'loss' : 'degraded',
      copies,
    };
  },
};

/**
 * No id is claimed by two different messages (M9). No program can decide which one is right, so they are never merged; but
 * of rows out of one raw entry, the entry says it.
 * What replay rejected for it is on record, and only noted.
 */
export const collisionsCheck: Check = {
  severity: 'loss',
  async run(view, recorder) {
    const scope = scopeOf(view);
    recorder.checked = await countMessages(view.sql, scope);
    let example: string | null | undefined;
    let copied = 0;
    if (!(await isKeySound(view.sql, MESSAGE_KEY))) {
      for await (const { kept } of streamDecisions(view, 'same_id')) {
        const gone = await findGoneEntries(
          view.sql,
          kept.flatMap(({ copyOf }) => copyOf ?? []),
        );
        for (const { connectionId, externalId, rows, why, copyOf } of kept) {
          if (copyOf !== null && !gone.has(copyOf)) copied += 1;
          else if (example === undefined) example = externalId;
          const where = why === 'other_conversation' ? 'in several conversations' : 'with different contents';
          const detail = `${amount(rows.length, 'message')} ${where}: ${listRows(rows)}`;
          await recorder.finding('!', { connectionId, subject: externalId ?? 'no id', detail });
        }
      }
    }
    await forEachRow(view, streamCollisionRecords(view.sql, scope), async (record) => {
      const { connectionId, externalId, webhookLogId, path } = record;
      if (example === undefined) example = externalId;
      const detail = `rejected, on record: log:${webhookLogId} ${path}`;
      await recorder.note('!', { connectionId, subject: externalId ?? path, detail });
    });
    const { found, noted } = recorder;
    const parts = joined([
      [found, `${amount(found, 'id is', 'ids are')} claimed by several messages`],
      [noted, `${amount(noted, 'collision')} rejected and on record`],
    ]);
    return {
      summary: parts === '' ? 'No id is claimed by two messages' : parts,
      // What a replay mends comes first: a person then decides about the rest.
      remedy: copied > 0 ? RESTORE_COPIES_REMEDY : explainRemedy(example ?? null),
    };
  },
};

/** Groups read from the cursor and decided at a time. */
const GROUPS = 500;

/** Rows that are one message, and rows kept side by side. */
interface Decided {
  /** Rows of one id and conversation with identical contents: duplicates without a decision. */
  alike: DuplicateGroup[];
  merges: Decision['merges'];
  kept: (Decision['kept'][number] & {
    connectionId: string;
    batchId: string | null;
    /** The raw entry that two of the rows come out of: one was copied from the other. */
    copyOf: string | null;
  })[];
}

/**
 * What `dedupe` would decide about one class, page by page: verify must not report what dedupe would leave, nor miss
 * what it would merge. With `--since`, only groups with a message since.
 */
async function* streamDecisions(
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
    // Rereads only groups that need a decision, or whose times count.
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
        return one === undefined
          ? []
          : [
              {
                ...group,
                connectionId: one.row.connectionId,
                batchId: one.row.batchId,
                copyOf: sharedEntry(group.rows.flatMap((id) => candidates.get(id) ?? [])),
              },
            ];
      }),
    };
  }
  await endLook(view.sql);
}

/** The raw entry that two of these rows of one conversation come out of. */
function sharedEntry(rows: readonly Candidate[]): string | null {
  const seen = new Set<string>();
  for (const { row } of rows) {
    if (row.batchId === null) continue;
    const key = `${row.conversationId} ${row.batchId}`;
    if (seen.has(key)) return row.batchId;
    seen.add(key);
  }
  return null;
}

function isRecent(
  { ids }: DuplicateGroup,
  candidates: ReadonlyMap<string, Candidate>,
  since: number | null,
): boolean {
  return since === null || ids.some((id) => (candidates.get(id)?.row.timestamp ?? -Infinity) >= since);
}
