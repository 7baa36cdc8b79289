import type { RunDetail, RunList, RunView } from '../../commands/runs/runs.js';
import type { Grid, Presentation } from '../ui/presentation.js';
import { formatCount, formatDuration } from '../ui/quantities.js';
import {
  faint,
  fields,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Item,
  type Mark,
} from '../ui/document.js';

/** Past runs in every format. */
export function presentRuns(result: RunList): Presentation {
  return {
    json: result,
    lines: result.runs,
    csv: runGrid(result.runs),
    document: { blocks: [result.runs.length === 0 ? text('No runs.') : list(result.runs.map(runItem))] },
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
        section('Steps', [list(steps.map(runItem))]),
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

/** A run and how it ended; its id and its verdict under it, whole, so that they can be copied on any terminal. */
function runItem(run: RunView): Item {
  const began = run.startedAt.slice(0, 16).replace('T', ' ');
  const took = run.durationMs === null ? '' : `, ${formatDuration(run.durationMs)}`;
  const status = statusWords(run);
  return {
    mark: markOf(run),
    line: [
      span('strong', run.command),
      ...(run.parentRunId === null ? [] : [' (a step)']),
      ` ${began} UTC${took}`,
      ...(status === null ? [] : [`, ${status}`]),
    ],
    under: [...(run.verdict === null ? [] : [run.verdict]), faint(run.id)],
  };
}

function markOf({ undoneBy, status, coveredBy }: RunView): Mark {
  if (undoneBy !== null) return 'note';
  switch (status) {
    case 'completed':
      return 'good';
    case 'partial':
    case 'running':
      return 'warn';
    case 'failed':
    case 'interrupted':
    case 'died':
      return coveredBy === null ? 'bad' : 'note';
  }
}

/** Null for the usual end. */
function statusWords({ undoneBy, status, coveredBy }: RunView): string | null {
  if (undoneBy !== null) return 'undone';
  if (status === 'completed') return null;
  return coveredBy === null ? status : `${status}, covered by a later run`;
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
