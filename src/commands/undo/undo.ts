import type { Context } from '../../context.js';
import { rehearse } from '../../ingest/runs/in-batch.js';
import { withRun, type Ended, type Run } from '../../ingest/runs/with-run.js';
import { UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { putBack, type PutBack } from '../../store/journal/put-back.js';
import {
  countUnrestored,
  invertJournal,
  leaveTouched,
  readLaterRuns,
  readTouched,
  type TouchedRow,
} from '../../store/journal/undo-journal.js';
import { violatedConstraint } from '../../store/sql-state.js';
import type { Sql } from '../../store/sql.js';
import { endUndoneRun, type RunRow } from '../../store/tables/sync-runs.js';
import { chooseRun } from './choose-run.js';
import type { LeftRow, UndoOptions, UndoResult } from './types.js';

/** So many of the rows that were touched since are listed; all are counted. */
const LISTED = 50;

/**
 * Puts back exactly what a run of `dedupe` (or of `verify --enforce`, or an undo) changed, in one transaction: afterwards every row is what it was
 * before, or, if one cannot be, nothing has happened. What somebody touched since is never overwritten: without `force`
 * it keeps everything from being put back, with it those columns, and the rows that went or came back, stay as they are. The undo is a run with a journal of its own.
 *
 * Throws ConfigError for a run that does not exist or has nothing to put back, UserError for one that was undone already
 * and where an index or a foreign key that came since is in the way.
 */
export async function undo(ctx: Context, options: UndoOptions): Promise<UndoResult> {
  const startedAt = ctx.clock();
  const run = await chooseRun(ctx.store.sql, options.run);
  const { undoId, ...done } = await rehearse(
    ctx.store,
    // The run is recorded in the same transaction: of an undo that is killed nothing is left, not even its beginning.
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
  const tables = await putBack(tx, undoId);
  const wrong = await countUnrestored(tx, undoId);
  if (wrong > 0) throw new Error(`${wrong} rows could not be put back as they were; nothing was changed`);
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
  const rest = left === 0 ? '' : `, ${left} left because they were touched since`;
  return `Undid ${run.command} ${run.id}: ${rows} rows put back${rest}`;
}

/**
 * What the database would not take back, as an error that says why and what to do. Undefined for every other error.
 * An index that came after the run: doubles cannot come back where they are forbidden.
 */
export function refusedByDatabase(error: unknown, force: boolean): UserError | undefined {
  const violated = violatedConstraint(error);
  if (violated === undefined) return undefined;
  const { kind, name } = violated;
  if (name === 'webhook_log_connection_scope_sha256_key') {
    return new UserError('Some of the raw entries were stored again since; nothing was changed.', {
      code: 'stored_again',
      remedy:
        'A replay of the same files stores the others again as well. To undo the discard itself, discard the new entries first.',
      cause: error,
    });
  }
  if (kind === 'unique') {
    return new UserError(
      `The unique index ${name} does not allow the rows as they were before; nothing was changed.`,
      {
        code: 'index_in_the_way',
        remedy: [
          `If it was made after that run and the duplicates are to come back: drop index ${name}; then undo again.`,
          remedy('verify', ['--enforce'], 'makes the index again later; until then verify misses it'),
        ],
        cause: error,
      },
    );
  }
  return new UserError(
    `The rows cannot be put back as they were: ${name} is in the way, because rows that they belong to were touched since; nothing was changed.`,
    {
      code: 'touched_since',
      remedy: force
        ? 'Undo the later runs first, the newest first.'
        : 'Undo the later runs first, the newest first; --force puts back what still can be.',
      cause: error,
    },
  );
}
