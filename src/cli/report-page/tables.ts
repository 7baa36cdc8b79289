import type { RejectSample, ReportResult, RunReport } from '../../commands/report/types.js';
import { formatCount } from '../ui/quantities.js';
import { reasonInWords } from '../views/reasons.js';
import { minute, verdictWords } from '../views/report-words.js';
import { html, name, type Markup } from './markup.js';

/** What was rejected last, with where it stands. */
export function rejectedTable({ rejected, rejects }: ReportResult): Markup | null {
  if (rejected.length === 0) return null;
  const total = Object.values(rejects).reduce((sum, count) => sum + count, 0);
  const part = html` <span class="faint">the newest ${rejected.length} of ${formatCount(total)}</span>`;
  return html`<h2>Rejected${rejected.length < total && part}</h2>
    ${table('rejected', ['connection', 'where', 'why', 'excerpt'], rejected.map(rejectCells))}`;
}

function rejectCells(item: RejectSample): Cell[] {
  const { connection, origin, entry, path, subject, reason, excerpt } = item;
  return [
    { value: connection === null ? '' : name(connection), free: true },
    { value: html`${origin ?? entry}<br /><span class="faint">${path}</span>`, free: true },
    { value: `${subject} ${reasonInWords(reason)}`, free: true },
    { value: html`<span class="faint">${excerpt}</span>`, free: true },
  ];
}

export function runsTable(runs: readonly RunReport[]): Markup | null {
  if (runs.length === 0) return null;
  const headings = ['started (UTC)', 'command', 'status', 'result', 'host'];
  return html`<h2>Last runs</h2>
    ${table('runs', headings, runs.map(runCells))}`;
}

function runCells(run: RunReport): Cell[] {
  const { startedAt, command, status, error, host } = run;
  return [
    { value: html`<time datetime="${startedAt}">${minute(startedAt)}</time>` },
    { value: command },
    { value: html`<span class="${statusTone(status)}">${status}</span>` },
    { value: error ?? verdictWords(run), free: true },
    { value: html`<span class="faint">${host}</span>` },
  ];
}

interface Cell {
  value: string | Markup;
  /** May be broken anywhere: paths and excerpts have no spaces. */
  free?: true;
}

/** On a phone each row becomes a block, with the headings before the values. */
function table(kind: string, headings: readonly string[], rows: readonly (readonly Cell[])[]): Markup {
  const cell = ({ value, free }: Cell, index: number): Markup =>
    html`<td
      data-label="${headings[index]}"
      class="${value === '' ? 'none' : free === true ? 'free' : 'short'}"
    >
      <span>${value}</span>
    </td>`;
  return html`<div class="panel">
    <table class="list ${kind}">
      <thead>
        <tr>
          ${headings.map((heading) => html`<th scope="col">${heading}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (cells) =>
            html`<tr>
              ${cells.map(cell)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

function statusTone(status: RunReport['status']): string {
  switch (status) {
    case 'completed':
    case 'running':
      return 'plain';
    case 'partial':
    case 'interrupted':
      return 'warn';
    case 'failed':
    case 'died':
      return 'bad';
  }
}
