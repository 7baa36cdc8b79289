import { findHolders } from '../../audit/find-holders.js';
import type { Context } from '../../context.js';
import { rehearse } from '../../ingest/runs/in-batch.js';
import { withRun, type Ended, type Run } from '../../ingest/runs/with-run.js';
import { amount } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { RawLog } from '../../rawlog/raw-log.js';
import { journaled } from '../../store/journal/journal.js';
import { putBack, type PutBack } from '../../store/journal/put-back.js';
import {
  countUnrestored,
  invertJournal,
  leaveEntries,
  leaveTouched,
  readBereft,
  readLaterRuns,
  readTouched,
  type BereftMessage,
  type TouchedRow,
} from '../../store/journal/undo-journal.js';
import { violatedConstraint } from '../../store/sql-state.js';
import type { Sql } from '../../store/sql.js';
import { recomputeConversations, updateConversations } from '../../store/tables/conversations.js';
import { linkMessages } from '../../store/tables/messages.js';
import { endUndoneRun, type RunRow } from '../../store/tables/sync-runs.js';
import { chooseRun } from './choose-run.js';
import type { LeftRow, UndoOptions, UndoResult } from './types.js';

/** This many rows changed since are listed; all are counted. */
const LISTED = 50;

/**
 * Restores exactly what a run of `dedupe`, `verify --enforce`, `raw discard`, `undo` or an adoption changed, in one
 * transaction: either every row returns to its earlier state, or nothing changes. Later changes are never overwritten:
 * without `force` they block the undo; with it, the changed columns, and rows deleted or reinserted, stay. The undo is
 * a run with its own journal. A message that stays keeps a raw entry: another one that holds it, else the one it names.
 *
 * Throws ConfigError for a run that does not exist or has nothing to restore, UserError for one already undone and if a
 * newer index or foreign key prevents it.
 */
export async function undo(ctx: Context, options: UndoOptions): Promise<UndoResult> {
  const startedAt = ctx.clock();
  const run = await chooseRun(ctx.store.sql, options.run);
  const { undoId, ...done } = await rehearse(
    ctx.store,
    // The run is recorded in the same transaction: a killed undo leaves nothing behind, not even its record.
    (sql) =>
      withRun(
        ctx,
        {
          command: 'undo',
          options: { ...options.recordedOptions, undoes: run.id },
          target: { sql, dryRun: options.dryRun },
          startedAt,
        },
        (undoing) => work(ctx, sql, options, run, undoing),
      ),
    { retries: 2, keeps: ({ status }) => !options.dryRun && status !== 'failed' },
  ).catch((error: unknown) => {
    throw refusedByDatabase(error, options.force) ?? error;
  });
  const finishedAt = ctx.clock();
  return {
    schemaVersion: 1,
    command: 'undo',
    runId: options.dryRun || done.status === 'failed' ? null : undoId,
    undone: { runId: run.id, command: run.command, startedAt: new Date(run.startedAt).toISOString() },
    status: done.status,
    dryRun: options.dryRun,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - startedAt,
    tables: done.tables,
    rows: done.tables.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0),
    left: done.left,
    database: ctx.store.location,
  };
}

type Done = Pick<UndoResult, 'status' | 'tables' | 'left'> & { undoId: string };

async function work(
  ctx: Context,
  tx: Sql,
  options: UndoOptions,
  run: RunRow,
  { id: undoId }: Run,
): Promise<Ended<Done>> {
  await invertJournal(tx, run.id, undoId);
  const touched = await readTouched(tx, undoId);
  const left = { found: touched.length, rows: await describe(tx, undoId, run.id, touched.slice(0, LISTED)) };
  if (touched.length > 0 && !options.force) {
    return {
      result: { undoId, status: 'failed', tables: [], left },
      end: { status: 'failed', counters: {}, verdict: 'failed' },
    };
  }
  if (touched.length > 0) await leaveTouched(tx, touched);
  const bereft = await readBereft(tx, undoId);
  const links = await findOtherEntries(tx, undoId, bereft);
  const tables = await putBack(tx, undoId);
  const wrong = await countUnrestored(tx, undoId);
  if (wrong > 0) throw new Error(`${wrong} rows were not restored exactly; nothing was changed`);
  await settleBereft(tx, undoId, bereft, links);
  const status = touched.length > 0 ? 'partial' : 'completed';
  await endUndoneRun(tx, run.id, ctx.clock());
  return {
    result: { undoId, status, tables, left },
    end: {
      status,
      counters: { tables: tables.map((table) => ({ ...table })), left: touched.length },
      verdict: verdictOf(tables, touched.length, run),
    },
  };
}

interface EntryLink {
  messageId: string;
  claimedId: string;
  logId: string;
}

/**
 * For each message that stays while its raw entry goes, another one that holds it. If there is none, the entry stays with
 * the message: nothing else proves it.
 */
async function findOtherEntries(
  tx: Sql,
  undoId: string,
  bereft: readonly BereftMessage[],
): Promise<EntryLink[]> {
  if (bereft.length === 0) return [];
  const holders = await findHolders(
    tx,
    await RawLog.open(tx),
    bereft.map(({ messageId }) => messageId),
    { except: new Set(bereft.map(({ entryId }) => entryId)) },
  );
  const needed = bereft.filter(({ messageId }) => !holders.has(messageId));
  await leaveEntries(tx, undoId, [...new Set(needed.map(({ entryId }) => entryId))]);
  return bereft.flatMap(({ messageId, entryId: claimedId }) => {
    const logId = holders.get(messageId);
    return logId === undefined ? [] : [{ messageId, claimedId, logId }];
  });
}

/** Links these messages to their other entries; their conversations begin and end with what is left. */
async function settleBereft(
  tx: Sql,
  undoId: string,
  bereft: readonly BereftMessage[],
  links: readonly EntryLink[],
): Promise<void> {
  if (bereft.length === 0) return;
  const bareMessageIds = links.map(({ messageId }) => messageId);
  const conversationIds = [...new Set(bereft.map(({ conversationId }) => conversationId))];
  await journaled(tx, undoId, { bareMessageIds, conversationIds }, async () => {
    await linkMessages(tx, links);
    await updateConversations(tx, await recomputeConversations(tx, conversationIds));
  });
}

async function describe(
  tx: Sql,
  undoId: string,
  undoneId: string,
  touched: readonly TouchedRow[],
): Promise<LeftRow[]> {
  const keyOf = (table: string, key: unknown): string => `${table} ${JSON.stringify(key)}`;
  const later = await readLaterRuns(
    tx,
    undoId,
    undoneId,
    touched.map((row) => row.entryId),
  );
  const byRow = new Map(later.map((run) => [keyOf(run.table, run.key), run]));
  return touched.map(({ table, key, how, columns }) => {
    const run = byRow.get(keyOf(table, key));
    const by =
      run === undefined
        ? null
        : { runId: run.runId, command: run.command ?? 'unknown', at: new Date(run.at).toISOString() };
    return { table, key, how, columns, by };
  });
}

function verdictOf(tables: readonly PutBack[], left: number, run: RunRow): string {
  const rows = tables.reduce((sum, { inserted, updated, deleted }) => sum + inserted + updated + deleted, 0);
  const rest = left === 0 ? '' : `, ${amount(left, 'row')} changed since and kept`;
  return `Undid ${run.command} ${run.id}: ${amount(rows, 'row')} restored${rest}`;
}

/**
 * Turns a constraint that rejects the earlier rows into an error with advice: duplicates cannot return if an index
 * newer than the run forbids them. Undefined for any other error.
 */
function refusedByDatabase(error: unknown, force: boolean): UserError | undefined {
  const violated = violatedConstraint(error);
  if (violated === undefined) return undefined;
  const { kind, name } = violated;
  if (name === 'webhook_log_connection_scope_sha256_key') {
    return new UserError('Some of the raw entries have been imported again; nothing was changed.', {
      code: 'stored_again',
      remedy:
        'A replay of the same files restores the others, too. To undo the discard itself, discard the new entries first.',
      cause: error,
    });
  }
  if (kind === 'unique') {
    return new UserError(`The unique index ${name} does not allow the earlier rows; nothing was changed.`, {
      code: 'index_in_the_way',
      remedy: [
        `If the index was created after that run and you want the duplicates back: drop index ${name}; then run undo again.`,
        remedy(
          'verify',
          ['--enforce'],
          'creates the index again later; until then verify reports it as missing',
        ),
      ],
      cause: error,
    });
  }
  return new UserError(
    `The rows cannot be restored: ${name} prevents it, because rows that they belong to have changed since; nothing was changed.`,
    {
      code: 'touched_since',
      remedy: force
        ? 'Undo the later runs first, the newest first.'
        : 'Undo the later runs first, the newest first; --force restores what still can be restored.',
      inProgram: force
        ? 'Undo the later runs first, the newest first.'
        : 'Undo the later runs first, the newest first; force restores what still can be restored.',
      cause: error,
    },
  );
}
