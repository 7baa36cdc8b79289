import { phoneEquivalents } from '../../identity/phone.js';
import type { BodyState, EntryStatus } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import type { Fact } from '../../model/facts.js';
import { retractOwnNumber } from '../../store/changes/own-number.js';
import { entryIdOf, isIdOf } from '../../store/entry-id.js';
import { RunChoices } from '../../rawlog/run-choices.js';
import { restoreHashes, restoreIds } from '../../store/tables/altered-entries.js';
import { readConnections } from '../../store/tables/connections.js';
import { BAD_SIGNATURE, NO_SCOPE, readKnownEntries } from '../../store/tables/webhook-log.js';
import { adoptUnscoped, rescopeEntries } from '../../store/tables/entry-scopes.js';
import {
  entryKey,
  refuse,
  renewScope,
  scopeOf,
  type Batch,
  type EntrySlice,
  type PreparedEntry,
  type PreparedSection,
} from '../batch/batch.js';
import type { ConnectionDirectory, Lesson } from '../batch/connection-directory.js';
import type { Filing } from '../batch/prepare-entry.js';
import { namesOnlyItsWaba } from '../batch/connection-resolver.js';
import { isForeignChunk } from '../../rules/connection-state.js';
import { subjectOf } from '../../rules/fact-traits.js';
import { isRefused, refusedBodies } from '../../rules/signatures.js';
import { isEnteredNumber, ownNumberReason } from '../batch/own-number.js';
import { withdrawUpdates } from './late-refusals.js';
import type { BatchWork, Item } from './work.js';

/**
 * Assigns each entry its id in webhook_log, and turns the batch's slices into items. Items already skipped or rejected,
 * or waiting for their connection, are counted here and go no further.
 */
export async function collectItems(work: BatchWork, batch: Batch): Promise<Map<string, KnownState>> {
  const known = await nameEntries(work, batch);
  await leaveToFirst(work, batch, known);
  for (const slice of batch.slices) {
    const logId = work.logIds.get(slice.entry.key);
    if (logId === undefined) throw new Error(`entry without id: ${slice.entry.origin}`);
    const { refused, verified } = known.get(slice.entry.key) ?? { refused: [], verified: [] };
    acquit(slice.entry, verified);
    refuseAgain(slice, refused);
    for (const { section, facts } of slice.parts) collectSection(work, slice, logId, section, facts);
  }
  await withdrawUpdates(work.tx, batch, known);
  return known;
}

/** What webhook_log held of an entry before this batch. */
export interface KnownState {
  id: string;
  /** False for entries that this batch stores. */
  isStored: boolean;
  status: EntryStatus | null;
  /** False if the stored bytes were changed since. */
  isIntact: boolean;
  /** Why its body was removed on purpose. */
  bodyState: BodyState | null;
  /** Pending although applied before. */
  isRequeued: boolean;
  runId: string | null;
  /** The bodies with a bad signature. */
  refused: readonly string[];
  /** Of these, the ones that were applied before. */
  unchecked: readonly string[];
  /** The bodies whose signature fitted a secret. */
  verified: readonly string[];
  included: readonly string[];
  /** The numbers whose connections stayed behind when it was copied. */
  elsewhere: readonly string[];
  /** What its counters say of a body from which erased people were taken. */
  erasedCounters: JsonObject | null;
  /** What it is found by; null for entries that this batch stores. */
  filing: Filing | null;
}

/**
 * An entry that names no connection is of the one that its run was given, and of no second one: a row that another run made of it
 * on another connection would have no evidence, because an entry is read in one way only.
 */
async function leaveToFirst(
  { tx }: BatchWork,
  { slices }: Batch,
  known: ReadonlyMap<string, KnownState>,
): Promise<void> {
  const told = slices.flatMap((slice) => {
    const { entry, parts } = slice;
    const state = known.get(entry.key);
    const isMine = entry.storedId === null && entry.connectionScope === NO_SCOPE;
    return isMine &&
      (state?.status === 'processed' || state?.status === 'partial') &&
      parts.some(({ section }) => isUnnamed(section))
      ? [{ slice, runId: state.runId, included: state.included }]
      : [];
  });
  if (told.length === 0) return;
  const choices = new RunChoices(tx, await readConnections(tx));
  await choices.load(told);
  for (const { slice, ...stored } of told) {
    const { connectionId } = choices.of(stored);
    for (const { section } of slice.parts) {
      if (connectionId === null || !isUnnamed(section) || section.connection?.id === connectionId) continue;
      section.connection = null;
      section.pending = 'other_connection';
    }
  }
}

function isUnnamed({ section, connection }: PreparedSection): boolean {
  const { phoneNumberId, displayPhoneNumber, wabaId } = section.connection;
  return connection !== null && (phoneNumberId ?? displayPhoneNumber ?? wabaId) === undefined;
}

/** A body found to be forged stays so when the same log is replayed, by anyone, until a secret fits. */
function refuseAgain(slice: EntrySlice, known: readonly string[]): void {
  const { entry } = slice;
  if (known.length === 0) return;
  refuse(entry, refusedBodies(entry.signed, known, entry.verdicts));
  slice.parts = slice.parts.filter(({ section }) => !isRefused(section.section, entry.refused));
}

/** What fitted a secret before is genuine, and applied: an entry that this run has read without it is left as it is stored. */
function acquit(entry: PreparedEntry, verified: readonly string[]): void {
  const genuine = entry.refused.filter((path) => verified.includes(path));
  if (genuine.length === 0) return;
  entry.refused = entry.refused.filter((path) => !genuine.includes(path));
  entry.verdicts = new Map(
    [...(entry.verdicts ?? [])].map(([path, verdict]) => [path, genuine.includes(path) ? 'valid' : verdict]),
  );
  if (entry.failure?.reason === BAD_SIGNATURE) entry.failure = null;
  entry.isCut = true;
}

async function nameEntries(work: BatchWork, batch: Batch): Promise<Map<string, KnownState>> {
  const states = new Map<string, KnownState>();
  const unknown = new Map<string, EntrySlice>();
  for (const { entry } of batch.slices) renewScope(entry);
  await returnStrays(work, batch);
  const brought = batch.slices.flatMap(({ entry }) => (entry.storedId === null ? entry : []));
  await adoptUnscoped(work.tx, brought);
  await restoreHashes(work.tx, brought);
  for (const slice of batch.slices) if (!states.has(slice.entry.key)) unknown.set(slice.entry.key, slice);
  const stored = await readStored(
    work,
    [...unknown.values()].map(({ entry }) => entry),
  );
  for (const row of stored) {
    const { id, status } = row;
    states.set(`${row.connectionScope} ${row.sha256}`, { ...row, isStored: true, filing: row });
    if (status === 'processed' || status === 'partial') work.repeated.add(id);
  }
  for (const [key, { entry }] of unknown) {
    if (states.has(key)) continue;
    states.set(key, {
      id: entryIdOf(work.settings.newId(), entry.sha256),
      isStored: false,
      status: null,
      isIntact: true,
      bodyState: null,
      isRequeued: false,
      runId: null,
      refused: [],
      unchecked: [],
      verified: [],
      included: [],
      elsewhere: [],
      erasedCounters: null,
      filing: null,
    });
  }
  for (const [key, state] of states) {
    work.logIds.set(key, state.id);
    if (unknown.get(key)?.entry.storedId === null) work.brought.add(state.id);
  }
  return states;
}

/**
 * Files stored entries whose connection does not exist under their own. Where the same bytes are there already, the entry stays: its
 * key is what the database says.
 */
async function returnStrays({ tx }: BatchWork, { slices }: Batch): Promise<void> {
  const strays = slices.flatMap(({ entry }) => {
    const { storedId: id, provider, sections, sha256 } = entry;
    return entry.isStray === true && id !== null
      ? [{ entry, id, sha256, connectionScope: scopeOf(provider, sections) }]
      : [];
  });
  const scopes = await rescopeEntries(tx, strays);
  for (const { entry, id } of strays) {
    entry.connectionScope = scopes.get(id) ?? entry.connectionScope;
    entry.key = entryKey(entry.connectionScope, entry.sha256);
  }
}

/** What is stored of these entries; one that has another id than it was stored under gets its own back. */
async function readStored(
  { tx, settings }: BatchWork,
  entries: readonly PreparedEntry[],
): ReturnType<typeof readKnownEntries> {
  const stored = await readKnownEntries(tx, entries);
  const brought = new Map(entries.flatMap((entry) => (entry.storedId === null ? [[entry.key, entry]] : [])));
  const renamed = stored.flatMap(({ id, connectionScope, sha256: hex }) => {
    const sha256 = brought.get(`${connectionScope} ${hex}`)?.sha256;
    if (sha256 === undefined || isIdOf(id, sha256)) return [];
    return [{ id, sha256, fitting: entryIdOf(settings.newId(), sha256) }];
  });
  return (await restoreIds(tx, renamed)) ? readKnownEntries(tx, entries) : stored;
}

function collectSection(
  work: BatchWork,
  slice: EntrySlice,
  logId: string,
  section: PreparedSection,
  facts: readonly Fact[],
): void {
  if (section.pending !== null) {
    for (const fact of facts) {
      const subject = subjectOf(fact);
      if (subject !== null) work.tally.skip(subject, isErased(fact) ? 'erased' : section.pending, null);
    }
    return;
  }
  const { connection } = section;
  if (connection === null) {
    // Sections that only count (account events, templates) need no connection.
    for (const fact of facts) countEvent(work, fact);
    return;
  }
  const news = work.newsOf(connection);
  // One that names only the WABA may turn out to be about another number, and the kind is never reverted.
  if (section.section.isCoexistence === true && !namesOnlyItsWaba(section.section.connection))
    news.markCoexistence();
  const entry = { receivedAt: slice.entry.receivedAt, webhookLogId: logId, now: work.settings.clock() };
  for (const fact of facts) {
    const item: Item = { fact, connection, slice, logId, field: section.section.field };
    // Also for the own number: that something came live is true either way.
    if (!isForeignChunk(fact, connection, section.section.field)) news.addFact(fact, entry);
    const own = ownNumberReason(work.ownNumbers, fact, connection);
    if (own !== null) {
      work.skip(item, own.subject, own.reason);
      work.withOwnNumber.add(connection);
      continue;
    }
    switch (fact.kind) {
      case 'skipped':
        work.skip(item, fact.subject, fact.reason);
        break;
      case 'rejected':
        work.reject(item, fact.subject, { ...fact, externalId: null });
        break;
      case 'event':
        work.tally.event(fact.name);
        break;
      case 'history_chunk':
      case 'history_state':
        break;
      case 'address_book':
        work.tally.contact();
        work.items.push(item);
        break;
      default:
        work.items.push(item);
    }
  }
}

function countEvent(work: BatchWork, fact: Fact): void {
  if (fact.kind === 'event') work.tally.event(fact.name);
  else {
    const subject = subjectOf(fact);
    if (subject !== null) work.tally.skip(subject, isErased(fact) ? 'erased' : 'unknown_connection', null);
  }
}

/** Whether nothing is left of an item but that it was there, so that it waits for nothing. */
export function isErased(fact: Fact): boolean {
  return fact.kind === 'skipped' && fact.reason === 'erased';
}

/**
 * Rule I4 for numbers that became known late: removes what was stored meanwhile about a connection's own number.
 * Checked when an entry makes a number known, and once per run when an item is skipped for one that a person may have entered
 * meanwhile. Nothing is removed for any other number: nobody has said that it is the connection's.
 */
export async function retractOwnNumbers(
  work: BatchWork,
  directory: ConnectionDirectory,
  lessons: readonly Lesson[],
): Promise<void> {
  const news = new Map(lessons.flatMap(({ row, numbers }) => (numbers.size > 0 ? [[row, numbers]] : [])));
  const met = [...work.withOwnNumber].filter((connection) => directory.mayHoldOwnNumber(connection));
  for (const connection of new Set([...news.keys(), ...met])) {
    const said = news.get(connection);
    const own = work.ownNumbers
      .of(connection)
      .filter((one) => said?.has(one) === true || isEnteredNumber(connection, one));
    if (own.length === 0) continue;
    const { requeued, removed } = await retractOwnNumber(work.tx, work.settings.runId, {
      connectionId: connection.id,
      organizationId: connection.organizationId,
      phoneNumberId: connection.phoneNumberId,
      phones: own.flatMap((one) => [one, ...phoneEquivalents(one)]),
      isNew: news.has(connection),
    });
    work.requeued += requeued;
    work.tally.removeOwnNumber(removed);
    work.withoutOwnNumber.add(connection);
  }
}
