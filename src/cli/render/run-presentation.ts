import type { Remedy } from '../../model/remedy.js';
import type { RunResult } from '../../model/run-result.js';
import type { Grid, Presentation } from './presentation.js';
import { listFigures } from './run-sections.js';
import { renderRunSummary } from './run-summary.js';

/**
 * A run in every format. JSON and NDJSON hold exactly the run's result; one run is one line. `nothingRead` says why no
 * entry came in, where none did.
 */
export function presentRun(
  result: RunResult,
  next: readonly Remedy[],
  nothingRead = 'no entry was found',
): Presentation {
  const figures = {
    columns: ['subject', 'figure', 'reason', 'count'],
    rows: listFigures(result).map(({ subject, figure, reason, count }) => [subject, figure, reason, count]),
  };
  return {
    json: result,
    lines: [result],
    text: (look) => renderRunSummary(result, next, look, nothingRead),
    csv: figures,
    markdown: withRows([
      {
        title: `${result.command} ${result.runId}`,
        columns: ['status', 'dry run', 'started', 'duration (ms)', 'database'],
        rows: [[result.status, result.dryRun, result.startedAt, result.durationMs, result.database]],
      },
      { title: 'Figures', ...figures, rows: figures.rows.filter((row) => row[3] !== 0) },
      {
        title: 'Connections',
        columns: ['name', 'messages', 'new', 'history', 'progress', 'missing chunks'],
        rows: result.connections.map(({ name, messages, historySync }) => [
          name,
          messages.seen,
          messages.created,
          historySync.status,
          historySync.progress,
          historySync.missingChunks.join(' '),
        ]),
      },
      {
        title: `Problems (${result.problemCount})`,
        columns: ['origin', 'path', 'reason', 'excerpt'],
        rows: result.problems.map(({ origin, path, reason, excerpt }) => [origin, path, reason, excerpt]),
      },
      {
        title: 'Next',
        columns: ['command', 'why'],
        rows: next.map((step) => [step, step.why]),
      },
    ]),
  };
}

function withRows(grids: readonly Grid[]): Grid[] {
  return grids.filter((grid) => grid.rows.length > 0);
}
