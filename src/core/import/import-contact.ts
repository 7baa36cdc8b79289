import type { ConnectionRow } from '../../store/connections.js';
import { readConnections } from '../../store/connections.js';
import { finishRun, insertRun } from '../../store/runs.js';
import type { Sql } from '../../store/sql.js';
import { createIdGenerator } from '../../store/uuid.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../context.js';
import { importOne, type Imported } from './contact-import.js';
import type { ImportOptions } from './options.js';
import { statusOf } from './outcome-status.js';
import type { Phones } from './phone.js';
import { resultOf } from './import-result.js';
import type { ImportResult } from './result.js';

/** Thrown to roll a dry run back once everything has been counted. */
class DryRunDone extends Error {
  constructor(readonly result: ImportResult) {
    super('dry run');
  }
}

/**
 * Brings one contact's history into the database: from the raw log first, from WhatsApp only if that gives nothing, over the
 * tool's own linked device and nobody else's. Every way in which it can end is an outcome of the result; what is thrown is a
 * wrong contact, connection or key, a lock, or a bug. Pages that came are kept whatever happens later.
 */
export async function importContact(
  ctx: Context,
  options: ImportOptions,
  phones: Phones,
): Promise<ImportResult> {
  try {
    const named = await namedConnection(ctx, options.connection);
    if (!options.dryRun) return await run(ctx, options, phones, named, ctx.store.sql);
    return await ctx.store.transaction(async (tx) => {
      throw new DryRunDone(await run(ctx, options, phones, named, tx));
    });
  } catch (error) {
    if (error instanceof DryRunDone) return error.result;
    throw error;
  } finally {
    await phones.close();
  }
}

async function run(
  ctx: Context,
  options: ImportOptions,
  phones: Phones,
  named: ConnectionRow | null,
  sql: Sql,
): Promise<ImportResult> {
  const newId = createIdGenerator(ctx.clock);
  const runId = newId();
  const startedAt = ctx.clock();
  const { dryRun, batchSize } = options;
  await startRun(ctx, sql, runId, startedAt, options.recordedOptions);
  ctx.emit({ event: 'run_started', runId, command: 'import', dryRun });
  const applier = { runId, newId, batchSize, target: { sql, dryRun } };
  try {
    const done = await importOne(ctx, { applier, phones, options, named }, options.contact);
    const result = resultOf(ctx, done, { runId: dryRun ? null : runId, dryRun, startedAt });
    await endRun(ctx, sql, runId, done);
    ctx.emit({ event: 'run_finished', runId, status: result.status });
    return result;
  } catch (error) {
    if (!dryRun) await failRun(ctx, sql, runId, error).catch(() => undefined);
    throw error;
  }
}

/** The connection that was named, as a row. Throws ConfigError when there is none. */
export async function namedConnection(
  ctx: Context,
  reference: string | undefined,
): Promise<ConnectionRow | null> {
  if (reference === undefined) return null;
  const { id } = await findConnection(ctx, reference);
  return (await readConnections(ctx.store.sql)).find((row) => row.id === id) ?? null;
}

export async function startRun(
  ctx: Context,
  sql: Sql,
  runId: string,
  startedAt: number,
  options: ImportOptions['recordedOptions'],
): Promise<void> {
  const { host, pid } = ctx;
  await insertRun(sql, { id: runId, command: 'import', options, host, pid, startedAt, resumed: null });
}

async function endRun(ctx: Context, sql: Sql, runId: string, done: Imported): Promise<void> {
  const { created, updated, unchanged } = done.tally.messages;
  await finishRun(sql, {
    id: runId,
    status: statusOf(done),
    counters: { messages: { created, updated, unchanged } },
    verdict: `${done.outcome}: ${created} messages created, ${updated} updated, ${unchanged} unchanged`,
    completedAt: ctx.clock(),
    error: null,
    clearCheckpoint: true,
  });
}

export async function failRun(ctx: Context, sql: Sql, runId: string, error: unknown): Promise<void> {
  await finishRun(sql, {
    id: runId,
    status: 'failed',
    counters: {},
    verdict: 'failed',
    completedAt: ctx.clock(),
    error: error instanceof Error ? error.message : String(error),
    clearCheckpoint: false,
  });
}
