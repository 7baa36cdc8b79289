import type { Context } from '../../context.js';
import { textOfBytes } from '../../decode/parse-json.js';
import { CAME_LIVE_SQL } from '../../rules/evidence.js';
import {
  emptyOrphanedRejects,
  eraseFromJournal,
  eraseMessages,
  eraseRest,
  rewriteOrigins,
  rewriteTexts,
  type Gone,
} from '../../store/changes/erase-person.js';
import type { TableRows } from '../../store/queries/erasure.js';
import type { Sql } from '../../store/sql.js';
import { settleLeads } from '../dedupe/settle-leads.js';
import { findMisfiled } from './chats-by-id.js';
import { eraseBodies, isOfBodies, type ErasedBodies } from './erase-bodies.js';
import type { FoundPerson } from './find-person.js';
import { isNamedIn, redactText, redactTexts } from './redact-text.js';

/** Where what is removed goes on record, and what touches more than the database. */
export interface Removing {
  runId: string;
  /** Messages that are removed in one transaction. */
  batchSize: number;
  /** Gets the rows of each batch in its transaction; of the last one, when that was. */
  record: (tx: Sql, gone: Gone, completedAt: number | null) => Promise<void>;
  /** Removes files on disk. */
  unlink: (paths: readonly string[]) => Promise<void>;
}

/** What is removed so far. */
export interface Removed {
  rows: number;
  messages: number;
  bodies: ErasedBodies | null;
  /** Nothing is left. */
  isDone: boolean;
}

/**
 * Removes a person: the raw log, the journal, messages, the rest, and with it the names by which they are found; so that a kill at any
 * moment leaves nothing that brings them back. One transaction per batch. `removed` is kept up to date, and tells an end by the signal.
 */
export async function removePerson(
  ctx: Context,
  { rows: found, person }: FoundPerson,
  { runId, batchSize, record, unlink }: Removing,
  removed: Removed,
): Promise<void> {
  removed.bodies = await eraseBodies(ctx, runId, person, async (tx, gone) => {
    await record(tx, gone, null);
    removed.rows += sumOf(gone);
  });
  if (isStopped()) return;
  const rows = { ...found, misfiled: await findMisfiled(ctx.store.sql, found) };
  await inBatch((tx) => eraseFromJournal(tx, rows, (body) => isNamedIn(textOfBytes(body), person)));
  for (let more = true; more;) {
    if (isStopped()) return;
    const gone = await inBatch((tx) =>
      eraseMessages(tx, rows, batchSize, { unlink, settle: settleLeads, cameLive: CAME_LIVE_SQL }),
    );
    more = (gone['messages'] ?? 0) > 0;
  }
  if (isStopped()) return;
  await inBatch(async (tx) => {
    const { leadIds } = rows;
    const { words } = person;
    const redact = (texts: string): string | null => redactTexts(texts, person);
    // Rows that go are not written anew before.
    const gone = await eraseRest(tx, rows);
    await rewriteOrigins(tx, words, (file) => redactText(file, person));
    const emptied = await emptyOrphanedRejects(tx, words, (texts) => redact(texts) !== null);
    const rewritten = await rewriteTexts(tx, { words, leadIds, numbers: rows.words }, redact);
    return [gone, { rejects: emptied }, rewritten].reduce(withMore, {});
  }, ctx.clock());
  removed.isDone = true;

  function isStopped(): boolean {
    return ctx.signal.aborted;
  }

  async function inBatch(work: (tx: Sql) => Promise<Gone>, completedAt: number | null = null): Promise<Gone> {
    await ctx.store.assertSpace();
    const gone = await ctx.store.transaction(async (tx) => {
      const done = await work(tx);
      await record(tx, done, completedAt);
      return done;
    });
    removed.rows += sumOf(gone);
    removed.messages += gone['messages'] ?? 0;
    const entries = (removed.bodies?.erased ?? 0) + (removed.bodies?.redacted ?? 0);
    ctx.emit({ event: 'progress', bytesRead: 0, entries, messages: removed.messages });
    return gone;
  }
}

export function nothingRemoved(): Removed {
  return { rows: 0, messages: 0, bodies: null, isDone: false };
}

/** Both together, table by table. */
export function withMore(gone: Gone, more: Gone): Gone {
  const sum = { ...gone };
  for (const [table, rows] of Object.entries(more)) sum[table] = (sum[table] ?? 0) + rows;
  return sum;
}

/** The order in which tables are shown: the person first, then what depends on them. */
const SHOWN = [
  'leads',
  'lead_identities',
  'conversations',
  'messages',
  'message_revisions',
  'message_reactions',
  'tickets',
  'sync_logs',
  'media_files',
  'rejects',
  'change_journal',
  'pending_facts',
];

/** What of a person is gone, or would be, of each table that had anything. */
export function tablesOf(gone: Readonly<Record<string, unknown>>): TableRows[] {
  const place = (table: string): number => (SHOWN.indexOf(table) + 1 || SHOWN.length + 1) - 1;
  return Object.entries(gone)
    .flatMap(([table, rows]) =>
      typeof rows === 'number' && rows > 0 && !isOfBodies(table) ? [{ table, rows }] : [],
    )
    .sort((a, b) => place(a.table) - place(b.table) || (a.table < b.table ? -1 : 1));
}

function sumOf(gone: Gone): number {
  return Object.entries(gone).reduce((sum, [table, rows]) => (isOfBodies(table) ? sum : sum + rows), 0);
}
