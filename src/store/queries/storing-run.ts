import { columns, jsonObject, orNull, rowOf, text, time, uuid, type RowOf } from '../columns.js';
import { textOf } from '../row.js';
import type { Sql } from '../sql.js';

const STORING_RUN = columns({
  id: uuid,
  command: text,
  options: jsonObject,
  startedAt: time,
  /** The current name of the `--connection` connection. */
  connection: orNull(text),
});

/** A run that stored raw entries in the log. Times are ms since 1970. */
export type StoringRun = RowOf<typeof STORING_RUN>;

/** A run that only reread the log stores nothing. */
const STORES = `(r.options ? 'paths' or r.command in ('import', 'link') or r.options ? 'adopt')`;

/**
 * The run that stored a raw entry, even one that is gone: the one that it names, if that run stored anything; else the
 * last one started before the entry's id was made. Ids contain their time.
 */
export async function readStoringRun(
  sql: Sql,
  { runId, entryId }: { runId: string | null; entryId: string },
): Promise<StoringRun | null> {
  const latest = `${entryId.slice(0, 13)}-ffff-ffff-ffffffffffff`;
  const [row] = await sql.query(
    `select r.id, r.command, r.options, r.started_at,
       coalesce(c.name, r.options ->> 'connection') as connection
     from sync_runs r left join connections c on c.id::text = r.options ->> 'connectionId'
     where ${STORES} and (r.id = $1::uuid or r.id <= $2::uuid)
     order by (r.id is not distinct from $1::uuid) desc, r.id desc limit 1`,
    [runId, latest],
  );
  return row === undefined ? null : rowOf(STORING_RUN, row);
}

/** The lead of a message that names a raw entry, even one that is gone; null if none does. */
export async function readLeadOfEntry(sql: Sql, entryId: string): Promise<string | null> {
  const [row] = await sql.query(
    'select lead_id from messages where batch_id = $1::uuid order by id limit 1',
    [entryId],
  );
  return row === undefined ? null : textOf(row, 'lead_id');
}
