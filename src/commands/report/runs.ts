import type { JsonValue } from '../../model/json.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import type { RunCountRow } from '../../store/tables/sync-runs.js';
import type { RunCount, RunReport } from './types.js';

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

/** Runs by command and by how they ended. `judged` says which of those that are recorded as running have died. */
export function countedRuns(rows: readonly RunCountRow[], judged: readonly JudgedRun[]): RunCount[] {
  return rows.flatMap(({ command, status, runs, lastStartedAt }) => {
    const died = judged.filter(({ row, status: found }) => found === 'died' && row.command === command);
    const counted = (as: RunCount['status'], count: number, startedAt: number): RunCount[] =>
      count > 0
        ? [{ command, status: as, runs: count, lastStartedAt: new Date(startedAt).toISOString() }]
        : [];
    if (status !== 'running') return counted(status, runs, lastStartedAt);
    return [
      ...counted('running', runs - died.length, lastStartedAt),
      ...counted('died', died.length, Math.max(...died.map(({ row }) => row.startedAt))),
    ];
  });
}
