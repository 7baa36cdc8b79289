import type { Remedy } from '../../model/remedy.js';
import type { Store } from '../../store/store.js';
import { readRecentRuns } from '../../store/tables/sync-runs.js';
import { amount } from '../../model/amount.js';
import { commandOfRun } from '../../ingest/runs/recorded-command.js';
import { judgeRuns, type JudgedRun, type Onlooker } from '../../ingest/runs/judge.js';
import type { DoctorCheck } from './result.js';
import { listed } from './words.js';

const RECENT_RUNS = 50;
const NAMED_RUNS = 3;

/** Runs that did not come to their end, and that no later one has made good. */
export async function checkRuns({ sql, backend }: Store, onlooker: Onlooker): Promise<DoctorCheck> {
  const runs = await judgeRuns(onlooker, await readRecentRuns(sql, RECENT_RUNS), sql, backend);
  const working = runs.filter(({ status }) => status === 'running');
  const unfinished = runs.filter(
    ({ row, status }) => ['died', 'interrupted', 'failed'].includes(status) && row.coveredBy === null,
  );
  if (unfinished.length > 0) {
    return {
      name: 'runs',
      status: 'warn',
      message: `${amount(unfinished.length, 'run')} did not come to an end: ${listed(unfinished.map(wordsOf))}`,
      remedy: [
        'Run the same command again to resume; nothing that was committed is lost.',
        ...againOf(unfinished),
      ],
    };
  }
  if (working.length > 0) {
    return { name: 'runs', status: 'ok', message: `at work now: ${listed(working.map(wordsOf))}` };
  }
  return { name: 'runs', status: 'ok', message: 'every run has finished' };
}

/** The commands that take up the newest of them, each once. */
function againOf(unfinished: readonly JudgedRun[]): Remedy[] {
  const commands = unfinished.map(({ row }) => commandOfRun(row.command, row.options, 'goes on'));
  return [...new Map(commands.map((one) => [JSON.stringify(one), one])).values()].slice(0, NAMED_RUNS);
}

function wordsOf({ row: { command, host, pid, startedAt }, status }: JudgedRun): string {
  const how = status === 'running' || status === 'died' ? '' : `, ${status}`;
  return `${command} of ${new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC (${host}:${pid}${how})`;
}
