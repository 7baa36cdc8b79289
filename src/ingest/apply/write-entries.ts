import { cutText } from '../../decode/read.js';
import type { EntryStatus } from '../../model/enumerations.js';
import type { Subject } from '../../model/facts.js';
import { assertWritten } from '../../store/transactions.js';
import { deleteRejects } from '../../store/tables/rejects.js';
import {
  BAD_SIGNATURE,
  insertEntries,
  restoreEntries,
  UNFINISHED,
  updateEntries,
  type EntryOutcome,
  type RawLogRow,
  type RestoredEntry,
} from '../../store/tables/webhook-log.js';
import type { SignatureCounts } from '../../model/run-result.js';
import { entryStatus, type Batch, type EntrySlice, type PreparedEntry } from '../batch/batch.js';
import { subjectOf } from '../../rules/fact-traits.js';
import { WRONG_SIGNATURE } from '../../rules/signatures.js';
import type { KnownState } from './collect-items.js';
import type { BatchWork } from './work.js';

/** Enough of a name to recognise a session. */
const SESSION_LENGTH = 64;

/** What an entry's progress becomes once the batch has committed. */
export interface SliceOutcome {
  slice: EntrySlice;
  logId: string;
  isDuplicate: boolean;
  rejected: number;
}

/**
 * Stores the batch's raw entries with how they ended, counts them, and lists the items in an unknown format. An entry that continues
 * in the next batch stays `pending` until its last slice.
 */
export async function writeEntries(
  work: BatchWork,
  batch: Batch,
  known: ReadonlyMap<string, KnownState>,
): Promise<SliceOutcome[]> {
  const inserts = new Map<string, RawLogRow>();
  const outcomes = new Map<string, EntryOutcome>();
  const doneAgain: string[] = [];
  const restored = new Map<string, RestoredEntry>();
  const results: SliceOutcome[] = [];
  for (const slice of batch.slices) {
    const { entry, progress } = slice;
    const state = known.get(entry.key);
    if (state === undefined) throw new Error(`entry without state: ${entry.origin}`);
    const rejected = progress.rejected + (work.rejectedBySlice.get(slice) ?? 0);
    const ended = slice.isLast
      ? entryStatus(entry, rejected)
      : { status: 'pending' as const, error: UNFINISHED };
    const firstHere = inserts.get(entry.key);
    const isDuplicate = slice.isFirst ? state.isStored || firstHere !== undefined : progress.isDuplicate;
    results.push({ slice, logId: state.id, isDuplicate, rejected });
    // Changed bytes say nothing about the entry: its record stays as it is.
    const isWhole = entry.isNarrowed !== true && entry.failure?.reason !== 'damaged';
    if (!state.isIntact && entry.storedId === null) restored.set(state.id, restoredEntry(entry, state.id));
    if (slice.isFirst && state.isStored && isWhole && isWorthCleaning(entry, state)) doneAgain.push(state.id);
    if (!state.isStored) {
      // The same bytes twice in one batch are one row; the later one tells how it ended.
      if (firstHere === undefined) inserts.set(entry.key, rawLogRow(work, slice, state.id, ended));
      else Object.assign(firstHere, ended);
    } else if (slice.isLast && isWhole && isWorthRecording(entry, state, ended)) {
      outcomes.set(state.id, {
        id: state.id,
        ...ended,
        counters: entry.counters(),
        processedAt: work.settings.clock(),
        keepsRun: entry.keepsRun === true,
      });
    }
    if (slice.isLast) countEntry(work, slice, state.id, isDuplicate, ended);
  }
  assertWritten('raw entries', inserts.size, await insertEntries(work.tx, [...inserts.values()]));
  await restoreEntries(work.tx, [...restored.values()]);
  // Items rejected before but not this time: a lead, a connection or a newer version of the tool resolved them.
  await deleteRejects(work.tx, doneAgain, work.rejects);
  await updateEntries(work.tx, work.settings.runId, [...outcomes.values()]);
  return results;
}

/** Whether what was rejected before is known anew: of an entry that ended well, only by an application of all of it. */
function isWorthCleaning({ sections }: PreparedEntry, { status }: KnownState): boolean {
  return status !== 'processed' || sections.every(({ pending }) => pending === null);
}

/** A second replay of an entry that ended well, and ends so again, leaves no trace: rows that do not change are not written. */
function isWorthRecording(
  { refused }: PreparedEntry,
  { status: before, refused: refusedBefore }: KnownState,
  { status: after }: { status: EntryStatus; error: string | null },
): boolean {
  if (before !== 'pending' && before !== 'failed') {
    // Applied before anybody gave the secret: what is known of it must not be forgotten. `verify --check signatures` finds it.
    if (refused.some((path) => !refusedBefore.includes(path))) return false;
    if (refused.length < refusedBefore.length) return true;
  }
  // Done once, for all connections; now asked for another connection only (--connection).
  if (after === 'pending' && before !== 'pending' && before !== 'failed') return false;
  return before !== after || before === 'pending' || before === 'failed';
}

function restoredEntry(entry: PreparedEntry, id: string): RestoredEntry {
  const { provider, bytes: rawBody, fields, phoneNumberIds, chatIds } = entry;
  return { id, provider, rawBody, fields, phoneNumberIds, chatIds };
}

function rawLogRow(
  work: BatchWork,
  { entry }: EntrySlice,
  id: string,
  ended: { status: EntryStatus; error: string | null },
): RawLogRow {
  return {
    ...restoredEntry(entry, id),
    connectionScope: entry.connectionScope,
    sha256: entry.sha256,
    receivedAt: entry.receivedAt,
    ...ended,
    origin: entry.origin,
    counters: entry.counters(),
    runId: work.settings.runId,
    processedAt: work.settings.clock(),
  };
}

function countEntry(
  work: BatchWork,
  { entry }: EntrySlice,
  logId: string,
  isDuplicate: boolean,
  ended: { status: EntryStatus; error: string | null },
): void {
  const { entries } = work.tally;
  const isRecount = entry.storedId !== null;
  if (isRecount || (isDuplicate && ended.status !== 'pending')) {
    work.tally.resume(logId, { ended: ended.status, isRecount });
  }
  if (isWaiting(entry, ended)) {
    const items = waitingItems(entry);
    if (connectionsNamedBy(entry).length === 0) work.tally.nameless.add(entry.provider);
    const { origin, refused } = entry;
    const signatures = countSignatures(entry);
    const waiting = { origin, isDuplicate, reason: 'unknown_connection' as const, items, signatures };
    work.tally.wait(logId, { ...waiting, refused: refused.length });
  }
  work.tally.addSignatures(countSignatures(entry));
  entries.read += 1;
  entries[isDuplicate ? 'duplicate' : 'stored'] += 1;
  entries[ended.status] += 1;
  for (const path of entry.refused)
    work.tally.problem({ origin: entry.origin, path, reason: BAD_SIGNATURE, excerpt: WRONG_SIGNATURE });
  if (entry.failure !== null) {
    if (entry.failure.reason === BAD_SIGNATURE) return;
    work.tally.problem({
      origin: entry.origin,
      path: '$',
      reason: entry.failure.reason,
      excerpt: entry.failure.message,
    });
  } else if (ended.status === 'pending' && entry.isNarrowed !== true) {
    work.tally.problem({
      origin: entry.origin,
      path: '$',
      reason: ended.error ?? 'pending',
      excerpt: connectionsNamedBy(entry).join(', '),
    });
  }
  for (const strange of entry.unrecognized) {
    work.tally.problem({
      origin: entry.origin,
      path: strange.path,
      reason: strange.reason,
      excerpt: strange.excerpt,
    });
  }
}

/** The bodies of an entry by what their signatures say; nothing where nobody gave a secret. */
function countSignatures({ verdicts, unsigned }: PreparedEntry): SignatureCounts {
  const counts: SignatureCounts = { valid: 0, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 };
  if (verdicts === null) return counts;
  for (const verdict of verdicts.values()) counts[verdict] += 1;
  counts.unsigned = unsigned;
  return counts;
}

function isWaiting(entry: PreparedEntry, { error }: { error: string | null }): boolean {
  // Only an entry that waits as a whole: otherwise its other sections would be counted twice when it is replayed.
  return error === 'unknown_connection' && entry.sections.every(({ pending }) => pending !== null);
}

function waitingItems({ sections }: PreparedEntry): Map<Subject, number> {
  const items = new Map<Subject, number>();
  for (const { section } of sections) {
    for (const fact of section.facts) {
      const subject = subjectOf(fact);
      if (subject !== null) items.set(subject, (items.get(subject) ?? 0) + 1);
    }
  }
  return items;
}

/** By what an entry names its connections: Meta's by phone_number_ids, an event of WhatsApp Web by a session, if at all. */
function connectionsNamedBy({ phoneNumberIds, sections }: PreparedEntry): readonly string[] {
  if (phoneNumberIds.length > 0) return phoneNumberIds;
  const sessions = sections.flatMap(({ section }) => section.connection.sessionName ?? []);
  return [...new Set(sessions)].map((name) => `session ${cutText(name, SESSION_LENGTH)}`);
}
