import { asObject } from '../../decode/read.js';
import type { JsonValue } from '../../model/json.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import type { RunCountRow } from '../../store/tables/sync-runs.js';
import type { RunCount, RunPoint, RunReport } from './types.js';
import { rfc3339 } from '../../model/time.js';

export function reportRun({ row, status }: JudgedRun): RunReport {
  return {
    id: row.id,
    command: row.command,
    status,
    verdict: row.verdict,
    startedAt: new Date(row.startedAt).toISOString(),
    completedAt: rfc3339(row.completedAt),
    host: row.host,
    error: row.error,
    messages: messagesOf(row.counters?.['messages']),
  };
}

function messagesOf(counters: JsonValue | undefined): RunReport['messages'] {
  const { seen, created, updated } = asObject(counters) ?? {};
  return typeof seen === 'number' && typeof created === 'number' && typeof updated === 'number'
    ? { seen, created, updated }
    : null;
}

/** A run as a point of a trend. Each command names its own counters. */
export function runPoint({ row, status }: JudgedRun): RunPoint {
  const counters = row.counters ?? {};
  const figure = (name: string): number | null => numberIn(counters[name]);
  const { id, command, verdict, startedAt, completedAt } = row;
  const reconciled = command === 'reconcile';
  return {
    id,
    command,
    status,
    verdict,
    startedAt: new Date(startedAt).toISOString(),
    durationMs: completedAt === null ? null : Math.max(0, completedAt - startedAt),
    messages: reconciled
      ? sum([figure('created'), figure('restored')])
      : numberIn(asObject(counters['messages'])?.['created']),
    lost: reconciled ? figure('lost') : null,
    degraded: reconciled ? figure('degraded') : null,
    duplicates: reconciled
      ? sum([figure('doubled'), figure('merged')])
      : command === 'dedupe'
        ? sum(Object.values(counters).map((part) => numberIn(asObject(part)?.['rows'])))
        : null,
  };
}

function numberIn(value: JsonValue | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

/** Null if none of them is known. */
function sum(figures: readonly (number | null)[]): number | null {
  return figures.reduce((all, figure) => (figure === null ? all : (all ?? 0) + figure), null);
}

/** Runs by command and outcome. `judged` says which runs recorded as running have died. */
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
