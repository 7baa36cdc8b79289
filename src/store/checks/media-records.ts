import { columns, orNull, streamRowsOf, text, uuid, word, type RowOf } from '../columns.js';
import { readCount } from '../row.js';
import type { Sql } from '../sql.js';
import { faultyMedia, MEDIA_FAULTS } from '../tables/media-files.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';

const FAULTY = columns({
  connectionId: uuid,
  messageId: text,
  type: text,
  fault: word(MEDIA_FAULTS),
  /** Where the file may be all the same. */
  directory: orNull(text),
});

/** The record of a file that cannot be. */
export type FaultyMedia = RowOf<typeof FAULTY>;

export async function countMediaRecords(sql: Sql, scope: Scope): Promise<number> {
  return readCount(
    sql,
    `select count(*) as count from media_files where ${inScope('connection_id')} and ${sinceScope('tried_at')}`,
    scopeParameters(scope),
  );
}

/** By connection, oldest message first. Nothing is expected of an archived connection. */
export function streamFaultyMedia(
  tx: Sql,
  scope: Scope,
  now: number,
): AsyncGenerator<FaultyMedia[], void, undefined> {
  return streamRowsOf(
    tx,
    FAULTY,
    `select f.connection_id, f.message_id, f.type, f.fault, f.directory
     from (${faultyMedia(`${inScope('m.connection_id')} and ${sinceScope('m.timestamp')}`, '$3')}) f
     join connections c on c.id = f.connection_id and c.archived_at is null
     order by f.connection_id, f.at, f.message_id`,
    [...scopeParameters(scope), new Date(now)],
  );
}
