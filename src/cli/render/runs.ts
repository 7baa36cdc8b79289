import type { RunDetail, RunList, RunView } from '../../core/runs/view.js';
import type { Look } from './look.js';
import type { Grid, Presentation } from './presentation.js';
import { formatCount, formatDuration } from './quantities.js';
import { sanitize, truncate } from './sanitize.js';
import { isNarrow, renderTable } from './table.js';

/** Enough of an id to tell runs of one moment apart. */
const SHORT_ID = 18;
/** What the columns before the verdict take. */
const BEFORE_VERDICT = 102;
const LEAST_VERDICT = 20;

/** Past runs in every format. */
export function presentRuns(result: RunList): Presentation {
  const grid = runGrid(result.runs);
  return {
    json: result,
    lines: result.runs,
    csv: grid,
    markdown: [{ title: 'Runs', ...grid }],
    text: (look) => (result.runs.length === 0 ? 'No runs.' : runTable(result.runs, look)),
  };
}

/** One run in every format. */
export function presentRun(result: RunDetail): Presentation {
  const { run, steps, journal } = result;
  const fields: Grid = {
    title: `Run ${run.id}`,
    columns: ['field', 'value'],
    rows: fieldsOf(result).map(([name, value]) => [name, value]),
  };
  return {
    json: result,
    lines: [result],
    csv: runGrid([run]),
    markdown: [
      fields,
      ...(steps.length === 0 ? [] : [{ title: 'Steps', ...runGrid(steps) }]),
      ...(journal.length === 0
        ? []
        : [
            {
              title: 'Changed rows',
              columns: ['table', 'rows'],
              rows: journal.map(({ table, rows }) => [table, rows]),
            },
          ]),
    ],
    text: (look) => describeRun(result, look),
  };
}

function runGrid(runs: readonly RunView[]): Grid {
  return {
    columns: [
      'id',
      'command',
      'status',
      'started_at',
      'completed_at',
      'duration_ms',
      'verdict',
      'error',
      'host',
      'pid',
      'parent_run_id',
      'resumed_run_id',
      'covered_by',
      'undid',
      'undone_by',
      'can_undo',
    ],
    rows: runs.map((run) => [
      run.id,
      run.command,
      run.status,
      run.startedAt,
      run.completedAt,
      run.durationMs,
      run.verdict,
      run.error,
      run.host,
      run.pid,
      run.parentRunId,
      run.resumedRunId,
      run.coveredBy,
      run.undid,
      run.undoneBy,
      run.canUndo,
    ]),
  };
}

function runTable(runs: readonly RunView[], look: Look, indent = ''): Promise<string> {
  const narrow = isNarrow(look);
  const columns: [heading: string, cell: (run: RunView) => string][] = [
    ['run', ({ id }) => (narrow ? id.slice(0, SHORT_ID) : id)],
    ['command', (run) => sanitize(`${run.parentRunId === null ? '' : '└ '}${run.command}`)],
    ['status', (run) => statusText(run, look)],
    ['started (UTC)', ({ startedAt }) => minute(startedAt)],
  ];
  if (!narrow) {
    columns.push(['took', ({ durationMs }) => (durationMs === null ? '–' : formatDuration(durationMs))]);
    const room = look.width - BEFORE_VERDICT;
    if (room >= LEAST_VERDICT) {
      columns.push(['verdict', ({ verdict }) => truncate(sanitize(verdict ?? ''), room)]);
    }
  }
  return renderTable(
    columns.map(([heading]) => ({ heading })),
    runs.map((run) => columns.map(([, cell]) => cell(run))),
    look,
    indent,
  );
}

function statusText(run: RunView, look: Look): string {
  if (run.undoneBy !== null) return look.dim('undone');
  switch (run.status) {
    case 'completed':
      return look.green(run.status);
    case 'partial':
    case 'running':
      return look.yellow(run.status);
    case 'failed':
    case 'interrupted':
    case 'died':
      return run.coveredBy === null ? look.red(run.status) : look.dim(`${run.status}, covered`);
  }
}

async function describeRun(result: RunDetail, look: Look): Promise<string> {
  const { run, steps, journal, remedies } = result;
  const parts = [
    look.bold(sanitize(`${run.command} ${run.id}`)),
    ...fieldsOf(result)
      .slice(2)
      .map(([name, value]) => `  ${look.dim(name.padEnd(14))}${sanitize(value)}`),
  ];
  if (steps.length > 0) parts.push('', look.bold('Steps'), await runTable(steps, look, '  '));
  if (journal.length > 0) {
    parts.push(
      '',
      look.bold('Changed rows'),
      ...journal.map(({ table, rows }) => `  ${table.padEnd(20)}${formatCount(rows)}`),
    );
  }
  if (remedies.length > 0) {
    parts.push(
      '',
      look.bold('Next'),
      ...remedies.map((one) => `  ${look.cyan(look.line(one))}\n    ${look.dim(one.why)}`),
    );
  }
  return parts.join('\n');
}

function fieldsOf({ run, resumedBy }: RunDetail): [name: string, value: string][] {
  const fields: [string, string | null][] = [
    ['id', run.id],
    ['command', run.command],
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
  ];
  return fields.flatMap(([name, value]): [string, string][] => (value === null ? [] : [[name, value]]));
}

function minute(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}
