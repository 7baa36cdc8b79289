import { readLockHolders } from '../../store/locks/holders.js';
import { isProcessAlive } from '../../store/locks/processes.js';
import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';
import type { RunRow, UnfinishedRun } from '../../store/tables/sync-runs.js';
import type { Context } from '../../context.js';

/** A run with its state. `died`: recorded as running, but its process is gone. */
export interface JudgedRun {
  row: RunRow;
  status: RunRow['status'] | 'died';
}

/** Who holds the run lock; null if only this process can. See src/store/locks/holders.ts. */
type Holders = readonly (string | null)[] | null;

/** The asking process. */
export type Onlooker = Pick<Context, 'host' | 'pid' | 'processStartedAt'>;

/** Determines which runs recorded as running still are. */
export async function judgeRuns(
  onlooker: Onlooker,
  rows: readonly RunRow[],
  sql: Sql,
  backend: Store['backend'],
): Promise<JudgedRun[]> {
  const hasRunning = rows.some(({ status }) => status === 'running');
  const holders = hasRunning ? await readLockHolders(sql, backend) : null;
  return Promise.all(
    rows.map(async (row): Promise<JudgedRun> => {
      const died = row.status === 'running' && !(await isRunning(onlooker, row, holders));
      return { row, status: died ? 'died' : row.status };
    }),
  );
}

/** A run with a live process is not resumed: both would do the same work, harmlessly but twice. */
export async function isRunAlive(ctx: Context, run: UnfinishedRun, sql: Sql): Promise<boolean> {
  // Of this process's own runs only the asking one is active.
  if (run.status !== 'running' || (run.host === ctx.host && run.pid === ctx.pid)) return false;
  return isRunning(ctx, run, await readLockHolders(sql, ctx.store.backend));
}

/**
 * A run holds the database's lock from before it is recorded until after its end. So it is alive if it is this
 * process's, or if a session with its name holds the lock; it is dead if its process, on this machine, is dead, or if
 * no session holds the lock. A session with an unreadable name counts as the run's.
 */
async function isRunning(
  { host, pid, processStartedAt = 0 }: Onlooker,
  row: Pick<RunRow, 'host' | 'pid' | 'startedAt'>,
  holders: Holders,
): Promise<boolean> {
  const isHere = row.host === host;
  // A run older than this process had the same process id before it: in a container every process may be 1.
  if (isHere && row.pid === pid) return row.startedAt >= processStartedAt;
  if (holders === null) return false;
  if (isHere && !(await isProcessAlive(row.pid))) return false;
  return holders.some((name) => name === null || couldBe(name, row));
}

/** The server cuts names at 63 bytes, which may cost the process id. */
function couldBe(name: string, { host, pid }: Pick<RunRow, 'host' | 'pid'>): boolean {
  const whose = `${host}:${pid}`;
  if (name.endsWith(` ${whose}`)) return true;
  const host63 = /^wa-reconcile .*? (\S+)$/.exec(name)?.[1];
  return Buffer.byteLength(name) >= 63 && host63 !== undefined && whose.startsWith(host63);
}
