import type { RunDetail, RunList, RunView } from '../../commands/runs/runs.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatCount, formatDuration } from '../ui/quantities.js';
import { faint, fields, numbers, section, span, table, text, type Block, type Line } from '../ui/document.js';

/** Past runs in every format. */
export function presentRuns(result: RunList): Presentation {
  return {
    json: result,
    lines: result.runs,
    csv: runGrid(result.runs),
    document: { blocks: [result.runs.length === 0 ? text('No runs.') : runTable(result.runs)] },
  };
}

/** One run in every format. */
export function presentRun(result: RunDetail): Presentation {
  const { run, steps, journal, remedies } = result;
  return {
    json: result,
    lines: [result],
    csv: runGrid([run]),
    document: {
      blocks: [
        section(`${run.command} ${run.id}`, [fieldsOf(result)]),
        section('Steps', [runTable(steps)]),
        section('Changed rows', [
          table(
            ['table', numbers('rows')],
            journal.map(({ table: name, rows }) => [name, formatCount(rows)]),
          ),
        ]),
      ],
      next: remedies,
    },
  };
}

const CSV: readonly (readonly [column: string, of: (run: RunView) => string | number | boolean | null])[] = [
  ['id', ({ id }) => id],
  ['command', ({ command }) => command],
  ['status', ({ status }) => status],
  ['started_at', ({ startedAt }) => startedAt],
  ['completed_at', ({ completedAt }) => completedAt],
  ['duration_ms', ({ durationMs }) => durationMs],
  ['verdict', ({ verdict }) => verdict],
  ['error', ({ error }) => error],
  ['host', ({ host }) => host],
  ['pid', ({ pid }) => pid],
  ['parent_run_id', ({ parentRunId }) => parentRunId],
  ['resumed_run_id', ({ resumedRunId }) => resumedRunId],
  ['covered_by', ({ coveredBy }) => coveredBy],
  ['undid', ({ undid }) => undid],
  ['undone_by', ({ undoneBy }) => undoneBy],
  ['can_undo', ({ canUndo }) => canUndo],
];

function runGrid(runs: readonly RunView[]): Grid {
  return { columns: CSV.map(([column]) => column), rows: runs.map((run) => CSV.map(([, of]) => of(run))) };
}

function runTable(runs: readonly RunView[]): Block {
  return table(
    [
      'run',
      'command',
      'status',
      'started (UTC)',
      { heading: 'took', align: 'right', optional: true },
      { heading: 'verdict', optional: true },
    ],
    runs.map((run) => [
      run.id,
      `${run.parentRunId === null ? '' : '└ '}${run.command}`,
      statusOf(run),
      run.startedAt.slice(0, 16).replace('T', ' '),
      run.durationMs === null ? '–' : formatDuration(run.durationMs),
      run.verdict ?? '',
    ]),
  );
}

function statusOf(run: RunView): Line {
  if (run.undoneBy !== null) return faint('undone');
  switch (run.status) {
    case 'completed':
      return span('good', run.status);
    case 'partial':
    case 'running':
      return span('warn', run.status);
    case 'failed':
    case 'interrupted':
    case 'died':
      return run.coveredBy === null ? span('bad', run.status) : faint(`${run.status}, covered`);
  }
}

function fieldsOf({ run, resumedBy }: RunDetail): Block {
  return fields([
    ['status', run.status],
    ['verdict', run.verdict],
    ['error', run.error],
    ['started', run.startedAt],
    ['completed', run.completedAt],
    ['took', run.durationMs === null ? null : formatDuration(run.durationMs)],
    ['process', `${run.pid} on ${run.host}`],
    ['options', JSON.stringify(run.options)],
    ['step of', run.parentRunId],
    ['resumed', run.resumedRunId],
    ['resumed by', resumedBy],
    ['covered by', run.coveredBy],
    ['undid', run.undid],
    ['undone by', run.undoneBy],
  ]);
}
