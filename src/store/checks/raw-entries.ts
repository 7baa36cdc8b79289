import { textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import { streamRows } from '../stream-rows.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

/** A message whose raw entry is not in webhook_log. */
export interface MessageFromElsewhere {
  id: string;
  connectionId: string;
  externalId: string | null;
  /** The entry that it names; null when it names none. */
  batchId: string | null;
  /** The run that stored the message. */
  runId: string | null;
}

/** Messages that name no raw entry, or one that is not there. */
export async function* streamMessagesFromElsewhere(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<MessageFromElsewhere[], void, undefined> {
  const pages = streamRows(
    tx,
    // Fenced: a join left free reads webhook_log, bodies included, to know which ids there are.
    `select m.id, m.connection_id, m.external_id, m.batch_id, m.run_id from messages m
     left join lateral (select true as is_there from webhook_log w where w.id = m.batch_id limit 1) entry on true
     where entry.is_there is null and ${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`,
    scopeParameters(scope),
  );
  for await (const page of pages) {
    yield page.map((row) => ({
      id: textOf(row, 'id'),
      connectionId: textOf(row, 'connection_id'),
      externalId: textOrNull(row, 'external_id'),
      batchId: textOrNull(row, 'batch_id'),
      runId: textOrNull(row, 'run_id'),
    }));
  }
}

/** The paths that a run read; none for one that read no files. */
export async function readPathsOfRun(tx: Sql, runId: string): Promise<string[]> {
  const rows = await tx.query(
    `select p.path from sync_runs r
     cross join lateral jsonb_array_elements_text(
       case when jsonb_typeof(r.options->'paths') = 'array' then r.options->'paths' else '[]' end
     ) as p (path)
     where r.id = $1::uuid`,
    [runId],
  );
  return rows.map((row) => textOf(row, 'path'));
}
