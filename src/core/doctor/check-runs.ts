import { isProcessAlive } from '../../store/locks/processes.js';
import { readRuns, type RunRow } from '../../store/report-runs.js';
import type { Sql } from '../../store/sql.js';
import type { DoctorOptions } from './options.js';
import type { DoctorCheck } from './result.js';
import { listed } from './words.js';
import { amount } from '../amount.js';

const RECENT_RUNS = 50;

/** Runs that did not come to their end, and that no later one has made good. */
export async function checkRuns(sql: Sql, options: DoctorOptions): Promise<DoctorCheck> {
  const unfinished: RunRow[] = [];
  const working: RunRow[] = [];
  for (const run of await readRuns(sql, RECENT_RUNS)) {
    if (run.status === 'running' && (await mayBeAlive(run, options))) working.push(run);
    else if (['running', 'interrupted', 'failed'].includes(run.status) && !run.isSucceeded)
      unfinished.push(run);
  }
  if (unfinished.length > 0) {
    return {
      name: 'runs',
      status: 'warn',
      message: `${amount(unfinished.length, 'run')} did not come to an end: ${listed(unfinished.map(wordsOf))}`,
      remedy: 'The same command, typed again, goes on where it stopped; nothing that was committed is lost.',
    };
  }
  if (working.length > 0) {
    return { name: 'runs', status: 'ok', message: `at work now: ${listed(working.map(wordsOf))}` };
  }
  return { name: 'runs', status: 'ok', message: 'every run has come to its end' };
}

/** Of a process on another machine nothing can be known from here: it is taken for alive. */
async function mayBeAlive({ host, pid }: RunRow, options: DoctorOptions): Promise<boolean> {
  return host !== options.host || (await isProcessAlive(pid));
}

function wordsOf({ command, host, pid, startedAt, status }: RunRow): string {
  const how = status === 'running' ? '' : `, ${status}`;
  return `${command} of ${new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC (${host}:${pid}${how})`;
}
