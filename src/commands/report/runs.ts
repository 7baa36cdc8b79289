import type { JsonValue } from '../../model/json.js';
import type { JudgedRun } from '../../ingest/runs/judge.js';
import type { RunReport } from './types.js';

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
