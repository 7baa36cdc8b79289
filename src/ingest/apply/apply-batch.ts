import { allOf, lockOrganizations, underWay } from '../../store/transactions.js';
import type { Sql } from '../../store/sql.js';
import {
  fillInConnections,
  insertConnections,
  readConnections,
  updateConnections,
  type ConnectionRow,
} from '../../store/tables/connections.js';
import { readConversationsOfLeads } from '../../store/tables/conversations.js';
import { insertRejects, relinkRejects } from '../../store/tables/rejects.js';
import { addToInitialContacts, insertSyncLogs } from '../../store/tables/sync-logs.js';
import {
  requeueEntriesOf,
  requeueExportsOf,
  requeueUnnumbered,
  requeueWaiting,
} from '../../store/tables/webhook-log.js';
import type { Batch } from '../batch/batch.js';
import type { ConnectionDirectory, Lesson } from '../batch/connection-directory.js';
import type { Tally } from '../batch/tally.js';
import { applyUndoably } from './apply-undoably.js';
import { collectItems, retractOwnNumbers, type KnownState } from './collect-items.js';
import { conversationOf, openConversations } from './conversations.js';
import { writeHistoryLedger } from './history-ledger.js';
import { EarlyEntries } from './early-entries.js';
import { foldMessages, type FoldedMessages } from './fold-messages.js';
import { nameHolders, namePeople } from './name-people.js';
import { holdersOf, resolveAgain, retractSharedWabas } from './shared-waba.js';
import { relinkMessages } from './relink-messages.js';
import { settleExpectations } from './settle-expectations.js';
import { writeMessages } from './write-messages.js';
import { BatchWork, type ApplySettings } from './work.js';
import { writeEntries, type SliceOutcome } from './write-entries.js';
import { settleLeads, writeNewLeads } from './write-leads.js';
import { writeTickets } from './write-tickets.js';

/** The result of a batch; counts only after its commit. */
export interface BatchResult {
  tally: Tally;
  slices: SliceOutcome[];
  /** Entries made due again by a merge of leads, or by new facts about a connection. */
  requeued: number;
  /** Connections with no stored rows about their own number. */
  withoutOwnNumber: ReadonlySet<ConnectionRow>;
  /** Rows that contradict entries which were applied before. */
  contested: ReadonlySet<string>;
  /** Connections whose key ids the batch restored. */
  withRightKeys: ReadonlySet<string>;
}

/**
 * Applies one batch inside a transaction: raw entries, identities, leads, conversations, messages, pending facts,
 * tickets, the history ledger and the accounts, all or nothing. Reads what is stored, merges in memory (src/rules),
 * writes set-based. Safe to rerun from the start if the transaction fails.
 */
export async function applyBatch(
  tx: Sql,
  settings: ApplySettings,
  directory: ConnectionDirectory,
  batch: Batch,
): Promise<BatchResult> {
  const work = new BatchWork(tx, settings);
  const lessons = await registerConnections(tx, directory, batch);
  resolveAgain(directory, batch);
  await lockOrganizations(tx, organizationsOf(directory, batch, lessons));
  const known = await collectItems(work, batch);
  const apply = (): Promise<BatchResult> => applyItems(work, directory, batch, { known, lessons });
  return settings.isUndoable === true ? applyUndoably(work, known, apply) : apply();
}

/** What a batch reads before it changes rows. */
interface Read {
  known: Map<string, KnownState>;
  lessons: readonly Lesson[];
}

async function applyItems(
  work: BatchWork,
  directory: ConnectionDirectory,
  batch: Batch,
  { known, lessons }: Read,
): Promise<BatchResult> {
  await retractOwnNumbers(work, directory, lessons);
  await retractSharedWabas(work, directory, batch, known);
  const early = new EarlyEntries(work, batch, known);
  try {
    return await mergeItems(work, batch, { known, lessons }, early);
  } finally {
    await early.stored();
  }
}

async function mergeItems(
  work: BatchWork,
  batch: Batch,
  { known, lessons }: Read,
  early: EarlyEntries,
): Promise<BatchResult> {
  const { tx, settings } = work;
  const named = await namePeople(work);
  const merged = named.flatMap((people) => people.mergedConversations);
  const conversations = await openConversations(work, named);
  conversations.markStale(merged);
  // What was applied before comes again to be put right: a lead must not follow an end that another program changed.
  if (work.repeated.size > 0) conversations.markAllStale();
  const folded = await foldMessages(work, (item) => conversationOf(work, conversations, item), merged, {
    loadHolders: async (holders) => {
      await nameHolders(work, named, holders);
      const leadIds = holders.map((holder) => holder.leadId);
      conversations.load(await readConversationsOfLeads(tx, leadIds));
    },
    hasRead: () => early.begin(),
  });
  conversations.absorb(folded.book.all());

  const newLeads = await writeNewLeads(work, named, conversations);
  // The longest statement of a batch comes first: meanwhile the others are put together, and the next batch is decoded.
  const { part: messages } = await underWay(writeMessages(work, folded));
  const entries = writeEntries(work, batch, known, early.rows);
  const settled = settleLeads(work, named, conversations, messages);
  const [, slices, leads] = await allOf([messages, entries, settled]);
  await writeTickets(work, folded, leads, newLeads);
  await writeContactLogs(work, folded, newLeads);
  await writeNews(work, batch);
  const stored = new Set([...known.values()].flatMap(({ id, isStored }) => (isStored ? id : [])));
  await relinkRejects(
    tx,
    work.rejects.filter(({ webhookLogId }) => !stored.has(webhookLogId)),
  );
  await insertRejects(tx, work.rejects);
  work.requeued += await requeueEntriesOf(tx, [...work.displacedLeads]);
  work.requeued += await requeueExportsOf(tx, [...work.withMovedMessages].sort(), 'whatsapp_chat_exporter');
  work.requeued += await requeueExportsOf(tx, [...work.withoutCut].sort(), 'crm:chat-export');
  if (lessons.length > 0 && settings.takesUpWaiting !== false) {
    const numbers = lessons.flatMap(({ row }) => row.phoneNumberId ?? []);
    work.requeued += await requeueWaiting(tx, numbers);
  }
  for (const wabaId of new Set(lessons.flatMap(({ row, waba }) => (waba ? row.wabaIds : [])))) {
    work.requeued += await requeueUnnumbered(tx, wabaId);
  }
  await settleExpectations(work, batch, known, folded);
  await relinkMessages(work, folded);
  const { tally, requeued, withoutOwnNumber, contested, withRightKeys } = work;
  return { tally, slices, requeued, withoutOwnNumber, contested, withRightKeys };
}

/**
 * Stores the connections that `--register` found in the batch, and what entries say about others (H1); if another run
 * was faster, its row counts.
 */
async function registerConnections(
  tx: Sql,
  directory: ConnectionDirectory,
  batch: Batch,
): Promise<readonly Lesson[]> {
  const fresh = directory.unsaved(batch);
  if (fresh.length > 0) {
    await insertConnections(tx, fresh);
    directory.adopt(await readConnections(tx), fresh);
  }
  const lessons = directory.learned();
  await fillInConnections(
    tx,
    lessons.map(({ row }) => row),
  );
  return lessons;
}

function organizationsOf(directory: ConnectionDirectory, batch: Batch, lessons: readonly Lesson[]): string[] {
  const ids = new Set(lessons.map(({ row }) => row.organizationId));
  for (const slice of batch.slices) {
    for (const { section } of slice.parts) {
      if (section.pending === null && section.connection !== null) ids.add(section.connection.organizationId);
      for (const { organizationId } of holdersOf(directory, section)) ids.add(organizationId);
    }
  }
  return [...ids];
}

/** One initial_contact log per lead first seen by this run, updated as more of its messages come. */
async function writeContactLogs(
  work: BatchWork,
  folded: FoldedMessages,
  newLeads: ReadonlySet<string>,
): Promise<void> {
  const { runId, clock, newId } = work.settings;
  const now = clock();
  const created = [...folded.created.values()];
  const first = new Map<string, { leadId: string; connectionId: string; messages: number }>();
  for (const { fact, connection } of work.items) {
    const identities =
      'counterpart' in fact ? fact.counterpart : fact.kind === 'address_book' ? fact.who : null;
    if (identities === null) continue;
    const person = work.personOf(connection, identities);
    if (person === null || !newLeads.has(person.id)) continue;
    const key = `${person.id} ${connection.id}`;
    if (!first.has(key)) first.set(key, { leadId: person.id, connectionId: connection.id, messages: 0 });
  }
  for (const row of created) {
    const log = first.get(`${row.leadId} ${row.connectionId}`);
    if (log !== undefined) log.messages = row.messages;
  }
  await insertSyncLogs(
    work.tx,
    [...first.values()].map(({ leadId, connectionId, messages }) => ({
      id: newId(),
      runId,
      connectionId,
      leadId,
      syncType: 'initial_contact',
      messagesImported: messages,
      counters: null,
      status: 'completed',
      startedAt: now,
      completedAt: now,
    })),
  );
  await addToInitialContacts(
    work.tx,
    runId,
    created.filter((row) => !newLeads.has(row.leadId)),
  );
}

/** The history ledger and the connections' own state (H2). Reread under the lock: another run may have written it. */
async function writeNews(work: BatchWork, batch: Batch): Promise<void> {
  if (work.news.size === 0) return;
  await writeHistoryLedger(work, batch);
  const rows = await readConnections(work.tx);
  const updates = rows.flatMap((row) => {
    const entry = work.news.get(row.id);
    return entry === undefined ? [] : [entry.news.applyTo(row)];
  });
  await updateConnections(work.tx, updates);
}
