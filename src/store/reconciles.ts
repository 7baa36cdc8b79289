import { RUN_STATUSES, type RunStatus } from '../model/enumerations.js';
import { textOf, textOrNull, timeOf, timeOrNull, wordOf } from './row.js';
import type { Sql } from './sql.js';

/** How far reconciling has come. Times are ms since 1970. */
export interface LastReconcile {
  /** Up to where everything was accounted for; null before the first run that came to its end. */
  proven: { since: number; through: string | null } | null;
  /** The newest run, if it did not come to its end: killed, interrupted or failed. */
  unfinished: { runId: string; startedAt: number; status: RunStatus } | null;
}

/**
 * How much is looked at twice: clocks of machines differ, and a transaction may commit after a later one began. Looking
 * again costs little and changes nothing.
 */
const OVERLAP = '1 hour';

/** The marks that earlier runs have left in sync_runs: when they began, and the last entry that they saw. */
export async function readLastReconcile(sql: Sql): Promise<LastReconcile> {
  const [mark] = await sql.query(
    // A mark that lies ahead was made by a clock that was wrong: until then, every run would look at nothing.
    `select mark - interval '${OVERLAP}' as since, through
     from (
       select (counters ->> 'watermark')::timestamptz as mark, counters ->> 'through' as through
       from sync_runs where command = 'reconcile' and counters ? 'watermark'
     ) made
     where made.mark <= clock_timestamp() order by made.mark desc limit 1`,
  );
  const [newest] = await sql.query(
    `select id, started_at, status from sync_runs where command = 'reconcile'
     order by started_at desc, id desc limit 1`,
  );
  const status = newest === undefined ? undefined : wordOf(newest, 'status', RUN_STATUSES);
  const ended = status === undefined || status === 'completed' || status === 'partial';
  const since = mark === undefined ? null : timeOrNull(mark, 'since');
  return {
    proven: mark === undefined || since === null ? null : { since, through: textOrNull(mark, 'through') },
    unfinished:
      newest === undefined || ended
        ? null
        : {
            runId: textOf(newest, 'id'),
            startedAt: timeOf(newest, 'started_at'),
            status: wordOf(newest, 'status', RUN_STATUSES),
          },
  };
}
