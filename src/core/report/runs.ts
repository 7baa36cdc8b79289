import type { JsonValue } from '../../model/json.js';
import { isProcessAlive } from '../../store/locks/processes.js';
import type { RunRow } from '../../store/report-runs.js';
import type { Context } from '../context.js';
import type { RunReport } from './result.js';

/** A run with what became of it. */
export interface JudgedRun {
  row: RunRow;
  status: RunReport['status'];
}

/** Who holds the lock of a run; null where nobody but this process can. See src/store/locks/holders.ts. */
export type Holders = readonly (string | null)[] | null;

/** Finds out which of the runs that are recorded as running still do. */
export async function judgeRuns(
  ctx: Context,
  rows: readonly RunRow[],
  holders: Holders,
): Promise<JudgedRun[]> {
  return Promise.all(
    rows.map(async (row): Promise<JudgedRun> => {
      const died = row.status === 'running' && !(await isRunning(ctx, row, holders));
      return { row, status: died ? 'died' : row.status };
    }),
  );
}

/**
 * A run holds the database's lock from before it is recorded until after its end. So it runs if it is ours, or if a session
 * of its name holds the lock; it does not if its process, on this machine, is dead, or if nobody holds the lock. A session
 * whose name cannot be read may be it: then it is believed.
 */
async function isRunning(ctx: Context, row: RunRow, holders: Holders): Promise<boolean> {
  const isHere = row.host === ctx.host;
  if (isHere && row.pid === ctx.pid) return true;
  if (holders === null) return false;
  if (isHere && !(await isProcessAlive(row.pid))) return false;
  return holders.some((name) => name === null || couldBe(name, row));
}

/** The server cuts names at 63 bytes, which may cost the process id. */
function couldBe(name: string, { host, pid }: RunRow): boolean {
  const whose = `${host}:${pid}`;
  if (name.endsWith(` ${whose}`)) return true;
  const host63 = /^wa-reconcile .*? (\S+)$/.exec(name)?.[1];
  return Buffer.byteLength(name) >= 63 && host63 !== undefined && whose.startsWith(host63);
}

export function reportRun({ row, status }: JudgedRun): RunReport {
  return {
    id: row.id,
    command: row.command,
    status,
    verdict: row.verdict,
    startedAt: new Date(row.startedAt).toISOString(),
    completedAt: row.completedAt === null ? null : new Date(row.completedAt).toISOString(),
    host: row.host,
    error: row.error,
    messages: messagesOf(row.counters?.['messages']),
  };
}

function messagesOf(counters: JsonValue | undefined): RunReport['messages'] {
  if (typeof counters !== 'object' || counters === null || Array.isArray(counters)) return null;
  const { seen, created, updated } = counters;
  return typeof seen === 'number' && typeof created === 'number' && typeof updated === 'number'
    ? { seen, created, updated }
    : null;
}
