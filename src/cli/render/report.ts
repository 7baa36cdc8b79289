import type { ReportResult } from '../../core/report/result.js';
import { quoteForShell } from '../shell-words.js';
import type { Presentation } from './presentation.js';
import { reportFigures, reportGrids } from './report-grids.js';
import { renderReport } from './report-text.js';

/** A result whose remedies work on the database that was reported on, whichever flags said which. */
export function withDatabaseFlags(result: ReportResult, flags: readonly string[]): ReportResult {
  if (flags.length === 0) return result;
  const words = flags.map(quoteForShell).join(' ');
  return {
    ...result,
    alerts: result.alerts.map((alert) =>
      alert.remedy?.startsWith('wa-reconcile ') === true
        ? { ...alert, remedy: `${alert.remedy} ${words}` }
        : alert,
    ),
  };
}

/** How the terminal draws. */
export interface ReportStyle {
  /** Block characters; else ASCII. */
  blocks: boolean;
  /** The flags that said which database: commands that are advised have them, too. */
  database: readonly string[];
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
