import { createHash } from 'node:crypto';
import type { ReportResult } from '../../commands/report/types.js';
import { adviceLine } from '../advice.js';
import { minute } from '../views/report-words.js';
import { connectionCard } from './connection-card.js';
import { html, Markup } from './markup.js';
import { STYLE } from './style.js';
import { alertList, keyFigures, overview } from './summary.js';
import { rejectedTable, runsTable } from './tables.js';

/**
 * A report as one page that needs nothing else: opened from disk, sent by mail, printed. It loads nothing (its policy forbids
 * it), runs nothing, and every word from outside is text. `flags`: those that said which database; commands that are
 * advised have them, too.
 */
export function renderReportPage(result: ReportResult, flags: readonly string[]): string {
  const { connections, generatedAt, timeZone } = result;
  const line = adviceLine(flags);
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy()}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>Sync report, ${minute(generatedAt)} UTC</title>
        <link rel="icon" href="data:," />
        ${new Markup(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main class="page">
          <header>
            <h1>Sync report</h1>
            <p class="meta">
              <time datetime="${generatedAt}">${minute(generatedAt)} UTC</time> · ${result.database}
            </p>
          </header>
          ${alertList(result, line)} ${keyFigures(result)} ${overview(result, line)}
          <h2>${connections.length === 1 ? 'The connection' : 'Connections'}</h2>
          ${connections.length === 0 && html`<p class="empty">There are none yet.</p>`}
          ${connections.map((one, index) => connectionCard(one, { index: index + 1, zone: timeZone, line }))}
          ${rejectedTable(result)} ${runsTable(result.runs)}
          <footer>
            <p>Written by wa-reconcile report. Times are UTC; days are those of ${timeZone}.</p>
          </footer>
        </main>
      </body>
    </html> `;
  return page.source;
}

/** Nothing may be loaded or run; the one style is known by its hash, so not a space may be put around it. */
function policy(): string {
  const hash = createHash('sha256').update(STYLE).digest('base64');
  return `default-src 'none'; style-src 'sha256-${hash}'; img-src data:; base-uri 'none'; form-action 'none'`;
}
