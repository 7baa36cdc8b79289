import type { ReportResult } from '../../core/report/result.js';
import type { Presentation } from './presentation.js';
import { reportFigures, reportGrids } from './report-grids.js';
import { renderReport } from './report-text.js';

/** How the terminal draws. */
export interface ReportStyle {
  /** Block characters; else ASCII. */
  blocks: boolean;
}

/** A report in every format; NDJSON is one line per alert, connection and run, and one for the rest. */
export function presentReport(result: ReportResult, style: ReportStyle): Presentation {
  const { alerts, connections, runs, ...rest } = result;
  return {
    json: result,
    lines: [
      ...alerts.map((alert) => ({ type: 'alert', ...alert })),
      ...connections.map((connection) => ({ type: 'connection', ...connection })),
      ...runs.map((run) => ({ type: 'run', ...run })),
      { type: 'report', ...rest },
    ],
    csv: reportFigures(result),
    markdown: reportGrids(result),
    text: (look) => renderReport(result, style, look),
  };
}
