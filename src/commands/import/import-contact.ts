import { type ConnectionRow, readConnections } from '../../store/tables/connections.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { rehearse } from '../../ingest/runs/rehearse.js';
import { withRun, type RunEnd, type Target } from '../../ingest/runs/with-run.js';
import { importOne, type Imported } from './contact-import.js';
import { resultOf } from './import-result.js';
import type { ImportOptions } from './options.js';
import { statusOf } from './outcome-status.js';
import type { Phones } from './phone.js';
import type { ImportResult } from './result.js';

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
    return options.dryRun
      ? await rehearse(ctx.store, (sql) => importInto(ctx, options, phones, named, { sql, dryRun: true }))
      : await importInto(ctx, options, phones, named, { sql: ctx.store.sql, dryRun: false });
  } finally {
    await phones.close();
  }
}

function importInto(
  ctx: Context,
  options: ImportOptions,
  phones: Phones,
  named: ConnectionRow | null,
  target: Target,
): Promise<ImportResult> {
  const { dryRun, batchSize, recordedOptions } = options;
  return withRun(ctx, { command: 'import', options: recordedOptions, target }, async (run) => {
    const applier = { runId: run.id, newId: run.newId, batchSize, target };
    const done = await importOne(ctx, { applier, phones, options, named }, options.contact);
    const { startedAt } = run;
    return {
      result: resultOf(ctx, done, { runId: dryRun ? null : run.id, dryRun, startedAt }),
      end: endOf(done),
    };
  });
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

function endOf(done: Imported): RunEnd {
  const { created, updated, unchanged } = done.tally.messages;
  return {
    status: statusOf(done),
    counters: { messages: { created, updated, unchanged } },
    verdict: `${done.outcome}: ${created} messages created, ${updated} updated, ${unchanged} unchanged`,
  };
}
