import { RUN_STATUSES, type RunStatus } from '../model/enumerations.js';
import { textOf, timeOf, timeOrNull, wordOf } from './row.js';
import type { Sql } from './sql.js';

/** How far the nightly reconcile has come. Times are ms since 1970. */
export interface LastNight {
  /** Everything stored or worked on before was accounted for; null before the first night that came to its end. */
  watermark: number | null;
  /** The newest night, if it did not come to its end: killed, interrupted or failed. */
  unfinished: { runId: string; startedAt: number; status: RunStatus } | null;
}

/**
 * How much is looked at twice: clocks of machines differ, and a transaction may commit after a later one began. Looking
 * again costs little and changes nothing.
 */
const OVERLAP = '1 hour';

/** The marks that earlier nights have left in sync_runs. */
export async function readLastNight(sql: Sql): Promise<LastNight> {
  const [mark] = await sql.query(
    // A mark that lies ahead was made by a clock that was wrong: until then, every night would look at nothing.
    `select max(made.mark) - interval '${OVERLAP}' as watermark
     from (
       select (counters ->> 'watermark')::timestamptz as mark from sync_runs where command = 'reconcile'
     ) made
     where made.mark <= clock_timestamp()`,
  );
  const [newest] = await sql.query(
    `select id, started_at, status from sync_runs where command = 'reconcile'
     order by started_at desc, id desc limit 1`,
  );
  const status = newest === undefined ? undefined : wordOf(newest, 'status', RUN_STATUSES);
  const ended = status === undefined || status === 'completed' || status === 'partial';
  return {
    watermark: mark === undefined ? null : timeOrNull(mark, 'watermark'),
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
