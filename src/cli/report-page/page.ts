import type { ReportResult } from '../../commands/report/types.js';
import type { AdviceLine } from '../advice.js';
import { minute, newestDayWords } from '../views/report-words.js';
import { connectionCard } from './connection-card.js';
import { age, html, Markup } from './markup.js';
import { pageHead } from './page-head.js';
import { STYLE } from './style.js';
import { alertList, keyFigures, overview, verdictLine } from './summary.js';
import { SCRIPT } from './script.js';
import { statusTable } from './status-table.js';
import { comparisonsTable, contactsTable, rejectedTable, runsTable } from './tables.js';
import { runTrend } from './trend.js';

/** A page older than this is no picture of today, unless it is written again and again. */
const FRESH_MS = 3 * 3_600_000;

export interface PageOptions {
  /** How commands that are advised are written. */
  line: AdviceLine;
  /** The page is written again so often, and reloads itself. */
  everyMs?: number | undefined;
}

/**
 * A report as one self-contained page: opened from disk, sent by mail, printed. Its policy blocks loading anything and
 * running other scripts, and all outside words are text. It is complete without the script.
 */
export function renderReportPage(result: ReportResult, { line, everyMs }: PageOptions): string {
  const { connections, generatedAt, timeZone } = result;
  const opened = newestDayWords(result);
  const page = html`<!doctype html>
    <html lang="en">
      ${pageHead({ title: `Sync report, ${minute(generatedAt)} UTC`, style: STYLE, script: SCRIPT, refreshMs: everyMs })}
      <body>
        <main class="page">
          <header>
            <h1>Sync report</h1>
            <p class="meta made" data-fresh-ms="${everyMs === undefined ? FRESH_MS : 3 * everyMs}">
              Generated ${age(generatedAt, generatedAt)}, ${minute(generatedAt)} UTC · ${result.database}
            </p>
            ${opened !== null && html`<p class="meta">${opened}</p>`}
          </header>
          ${verdictLine(result)} ${keyFigures(result)} ${statusTable(result)} ${alertList(result, line)}
          ${contactsTable(result, line)} ${comparisonsTable(result, line)} ${overview(result, line)}
          ${runTrend(result.trend)}
          <h2>${connections.length === 1 ? 'The connection' : 'Connections'}</h2>
          ${connections.length === 0 && html`<p class="empty">There are none yet.</p>`}
          ${connections.map((one, index) => connectionCard(one, { index: index + 1, zone: timeZone, isCompared: result.audit !== null, line }))}
          ${rejectedTable(result)} ${runsTable(result.runs)}
          <footer>
            <p>Written by wa-reconcile report. Times are UTC; days are those of ${timeZone}.</p>
          </footer>
        </main>
        ${new Markup(`<script>${SCRIPT}</script>`)}
      </body>
    </html> `;
  return page.source;
}
