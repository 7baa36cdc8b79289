import { cutText } from '../../decode/read.js';
import type { EntryStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import type { Subject } from '../../model/facts.js';
import { assertWritten } from '../../store/transactions.js';
import { deleteRejects } from '../../store/tables/rejects.js';
import {
  BAD_SIGNATURE,
  correctEntries,
  insertEntries,
  restoreEntries,
  UNFINISHED,
  updateEntries,
  type EntryOutcome,
  type RawLogRow,
  type RestoredEntry,
} from '../../store/tables/webhook-log.js';
import type { SignatureCounts } from '../../model/run-result.js';
import { isMisfiled, isUnread, type Filing } from '../batch/prepare-entry.js';
import { withErased } from '../batch/entry-counters.js';
import { entryStatus, type Batch, type EntrySlice, type PreparedEntry } from '../batch/batch.js';
import { holdsMoreThan } from '../../rawlog/removed-items.js';
import { subjectOf } from '../../rules/fact-traits.js';
import { WRONG_SIGNATURE } from '../../rules/signatures.js';
import { isErased, type KnownState } from './collect-items.js';
import { newlyRefused, newlyVerified, uncheckedIn, wasApplied } from './late-refusals.js';
import { losesItems, rewriteEntries, type RewrittenEntry } from './rewrite-entries.js';
import type { BatchWork } from './work.js';

/** Enough of a name to recognize a session. */
const SESSION_LENGTH = 64;

/** What an entry's progress becomes once the batch has committed. */
export interface SliceOutcome {
  slice: EntrySlice;
  logId: string;
  isDuplicate: boolean;
  rejected: number;
}

/**
 * Stores the batch's raw entries and their outcomes, counts them, and lists the items in an unknown format. An entry
 * that continues in the next batch stays `pending` until its last slice. `early`: the rows that are stored already, by entry key.
 */
export async function writeEntries(
  work: BatchWork,
  batch: Batch,
  known: ReadonlyMap<string, KnownState>,
  early: ReadonlyMap<string, RawLogRow>,
): Promise<SliceOutcome[]> {
  const inserts = new Map<string, RawLogRow>();
  const outcomes = new Map<string, EntryOutcome>();
  const doneAgain: string[] = [];
  const restored = new Map<string, RestoredEntry>();
  const rewritten = new Map<string, RewrittenEntry>();
  const results: SliceOutcome[] = [];
  for (const slice of batch.slices) {
    const { entry, progress } = slice;
    const state = known.get(entry.key);
    if (state === undefined) throw new Error(`entry without state: ${entry.origin}`);
    const rejected = progress.rejected + (work.rejectedBySlice.get(slice) ?? 0);
    const isBack = slice.isLast && bringsBack(entry, state);
    const ended = endOf(slice, isBack ? { ...state, bodyState: null } : state, rejected);
    const firstHere = inserts.get(entry.key);
    const isDuplicate = slice.isFirst ? state.isStored || firstHere !== undefined : progress.isDuplicate;
    results.push({ slice, logId: state.id, isDuplicate, rejected });
    // Changed bytes say nothing about the entry: its record stays.
    const isRead = entry.failure === null || !isUnread(entry.failure);
    const isWhole = entry.isNarrowed !== true && entry.isCut !== true && isRead;
    const filing = isBack || (!state.isIntact && entry.storedId === null) ? entry : refiled(entry, state);
    // A body that was removed on purpose does not come back with its file, if only more of its chats are brought in.
    const keepsBody = state.isIntact && state.bodyState !== null && !isBack;
    const loses = losesItems(slice, state);
    if (filing !== null && !loses) restored.set(state.id, { ...foundBy(entry, state.id, filing), keepsBody });
    const isWithout = !state.isStored || loses || (filing !== null && !keepsBody);
    if (entry.bodyState !== undefined && isWithout) {
      const { bodyState } = entry;
      rewritten.set(state.id, { entry, state, bodyState, counters: countersNow(slice, state) });
    }
    if (slice.isFirst && state.isStored && isWhole && isWorthCleaning(entry, state)) doneAgain.push(state.id);
    if (!state.isStored) {
      // The same bytes twice in one batch are one row; the later one sets the outcome.
      if (firstHere !== undefined) Object.assign(firstHere, ended);
      else {
        const stored = early.get(entry.key);
        inserts.set(
          entry.key,
          stored === undefined ? rawLogRow(work, entry, state.id, ended) : { ...stored, ...ended },
        );
      }
    } else if (slice.isLast && isWhole && (isBack || isWorthRecording(entry, state, ended))) {
      outcomes.set(state.id, {
        id: state.id,
        ...ended,
        counters: countersNow(slice, state),
        processedAt: work.settings.clock(),
        // A run that brings in more chats, or that finds a bad signature, says nothing of how the entry is read otherwise.
        keepsRun:
          entry.keepsRun === true ||
          ((isBack || bringsMore(entry, state) || newlyVerified(entry, state)) &&
            state.status === ended.status) ||
          uncheckedIn(entry, state).length > state.unchecked.length,
      });
    }
    if (slice.isLast) countEntry(work, slice, state.id, isDuplicate, ended);
  }
  const due = [...inserts].flatMap(([key, row]) => (early.has(key) ? [] : row));
  assertWritten('raw entries', due.length, await insertEntries(work.tx, due));
  const other = corrected(inserts, early);
  assertWritten('raw entries', other.length, await correctEntries(work.tx, other));
  await restoreEntries(work.tx, [...restored.values()]);
  await rewriteEntries(work.tx, work.settings.runId, [...rewritten.values()]);
  // Items rejected before but not this time: a lead, a connection or a newer version resolved them.
  await deleteRejects(work.tx, doneAgain, work.rejects);
  await updateEntries(work.tx, work.settings.runId, [...outcomes.values()]);
  return results;
}

/**
 * What the entry is to be found by from now on: what its body says, if another program changed that, and more if this run brings in
 * more of its chats. Null if it is right. Only the log says with which options all of it was read.
 */
function refiled(entry: PreparedEntry, state: KnownState): Filing | null {
  const { filing, id } = state;
  if (filing === null || entry.failure !== null || !state.isIntact) return null;
  if (entry.storedId !== null)
    return isMisfiled({ ...filing, id, sha256: entry.sha256 }, entry) ? entry : null;
  if (!bringsMore(entry, state)) return null;
  return { ...filing, chatIds: [...new Set([...filing.chatIds, ...entry.chatIds])] };
}

/** Whether earlier rejects are replaced: for an entry that ended well, only if all of it is applied. */
function isWorthCleaning({ sections }: PreparedEntry, { status }: KnownState): boolean {
  return status !== 'processed' || sections.every(({ pending }) => pending === null);
}

/** A second replay with the same good outcome leaves no trace: unchanged rows are not written. */
function isWorthRecording(
  entry: PreparedEntry,
  state: KnownState,
  { status: after }: { status: EntryStatus; error: string | null },
): boolean {
  const { status: before, refused: refusedBefore } = state;
  // A verdict on a signature is news, whenever it comes: every later command has to know of it.
  if (newlyRefused(entry, state).length > 0 || entry.refused.length < refusedBefore.length) return true;
  // Done before for all connections; now requested for another connection only (--connection).
  if (after === 'pending' && before !== 'pending' && before !== 'failed') return false;
  const isUnsettled = before === 'pending' || before === 'failed';
  return before !== after || isUnsettled || bringsMore(entry, state) || newlyVerified(entry, state);
}

/** Whether `--include` brought in chats of the entry that no earlier run did: verify would not miss them otherwise. */
function bringsMore({ included }: PreparedEntry, { included: before }: KnownState): boolean {
  return included.some((chat) => !before.includes(chat));
}

/**
 * Whether an entry comes with items of a person who was taken out of its stored body, and whose erasure was lifted since: they are
 * applied, and only their body proves them. Nothing else tells that: a body may have lost what only the erasure itself knew.
 */
function bringsBack(entry: PreparedEntry, { erasedCounters, isIntact }: KnownState): boolean {
  if (erasedCounters === null || !isIntact || entry.storedId !== null) return false;
  return entry.isNarrowed !== true && entry.isCut !== true && holdsMoreThan(entry.counters(), erasedCounters);
}

/** Entries that end otherwise than they were stored with before their messages were merged. */
function corrected(rows: ReadonlyMap<string, RawLogRow>, early: ReadonlyMap<string, RawLogRow>): RawLogRow[] {
  return [...early].flatMap(([key, stored]) => {
    const row = rows.get(key);
    return row === undefined || (row.status === stored.status && row.error === stored.error) ? [] : row;
  });
}

/**
 * How an entry ends with this slice: it is pending until its last one. An emptied one has nothing left to be applied, or to be
 * read. One that was applied, and of which a body is now known to be forged, does not wait again because this run is about another
 * connection.
 */
export function endOf(
  { entry, isLast }: EntrySlice,
  state: KnownState,
  rejected: number,
): { status: EntryStatus; error: string | null } {
  if (!isLast) return { status: 'pending', error: UNFINISHED };
  if (entry.isCut === true && state.status !== null) return { status: state.status, error: null };
  const isEmptied = entry.bodyState === 'erased' || (entry.storedId === null && state.bodyState === 'erased');
  if (isEmptied && entry.refused.length === 0) return { status: 'processed', error: null };
  const ended = entryStatus(entry, rejected);
  return ended.status === 'pending' && wasApplied(state) && newlyRefused(entry, state).length > 0
    ? { status: 'partial', error: BAD_SIGNATURE }
    : ended;
}

/** What an entry held, and what later runs must know of it. */
function countersNow({ entry, isFirst }: EntrySlice, state: KnownState): JsonObject | null {
  const { storedId, bodyState } = entry;
  // The file that it came from tells what is gone; what is left of it, does not.
  if (storedId === null) return withHistory(entry.counters(), entry, state);
  // The first part of a long entry has put it on record.
  const isTold = bodyState !== undefined && !isFirst;
  return withHistory(
    isTold ? state.erasedCounters : withErased(entry.counters(), state.erasedCounters),
    entry,
    state,
  );
}

/** The counters, with what later runs must know of earlier ones: the chats of every run, bodies that were applied unchecked, connections that stayed behind. */
function withHistory(
  counters: JsonObject | null,
  entry: PreparedEntry,
  state: KnownState,
): JsonObject | null {
  const include = [...new Set([...state.included, ...entry.included])].sort();
  const unchecked = uncheckedIn(entry, state);
  const verified = [...new Set([...state.verified, ...entry.verified])].sort();
  const { elsewhere } = state;
  return include.length + unchecked.length + verified.length + elsewhere.length === 0
    ? counters
    : {
        ...counters,
        ...(include.length === 0 ? {} : { include }),
        ...(unchecked.length === 0 ? {} : { unchecked }),
        ...(verified.length === 0 ? {} : { verified }),
        ...(elsewhere.length === 0 ? {} : { elsewhere: [...elsewhere] }),
      };
}

function foundBy(
  { bytes: rawBody }: PreparedEntry,
  id: string,
  filing: Filing,
): Omit<RestoredEntry, 'keepsBody'> {
  const { provider, fields, phoneNumberIds, chatIds } = filing;
  return { id, provider, rawBody, fields, phoneNumberIds, chatIds };
}

/** The row of a new entry. */
export function rawLogRow(
  work: BatchWork,
  entry: PreparedEntry,
  id: string,
  ended: { status: EntryStatus; error: string | null },
): RawLogRow {
  // Spelled out, as in prepare-entry.ts.
  return {
    id,
    provider: entry.provider,
    rawBody: entry.bytes,
    fields: entry.fields,
    phoneNumberIds: entry.phoneNumberIds,
    chatIds: entry.chatIds,
    connectionScope: entry.connectionScope,
    sha256: entry.sha256,
    receivedAt: entry.receivedAt,
    status: ended.status,
    error: ended.error,
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

/** The bodies of an entry by signature verdict; nothing without a secret. */
function countSignatures({ verdicts, unsigned }: PreparedEntry): SignatureCounts {
  const counts: SignatureCounts = { valid: 0, bad: 0, uncheckable: 0, sha1: 0, unsigned: 0 };
  if (verdicts === null) return counts;
  for (const verdict of verdicts.values()) counts[verdict] += 1;
  counts.unsigned = unsigned;
  return counts;
}

function isWaiting(entry: PreparedEntry, { error }: { error: string | null }): boolean {
  // Only an entry that waits entirely: otherwise its other sections would be counted twice on replay.
  return error === 'unknown_connection' && entry.sections.every(({ pending }) => pending !== null);
}

function waitingItems({ sections }: PreparedEntry): Map<Subject, number> {
  const items = new Map<Subject, number>();
  for (const { section } of sections) {
    for (const fact of section.facts) {
      const subject = isErased(fact) ? null : subjectOf(fact);
      if (subject !== null) items.set(subject, (items.get(subject) ?? 0) + 1);
    }
  }
  return items;
}

/** How an entry names its connections: Meta's by phone_number_ids, a WhatsApp Web event by a session, if at all. */
function connectionsNamedBy({ phoneNumberIds, sections }: PreparedEntry): readonly string[] {
  if (phoneNumberIds.length > 0) return phoneNumberIds;
  const sessions = sections.flatMap(({ section }) => section.connection.sessionName ?? []);
  return [...new Set(sessions)].map((name) => `session ${cutText(name, SESSION_LENGTH)}`);
}
