import type { RejectSample, ReportResult, RunReport } from '../../commands/report/types.js';
import { remedy } from '../../model/remedy.js';
import { formatCount } from '../ui/quantities.js';
import { reasonInWords } from '../views/reasons.js';
import { minute, verdictWords } from '../views/report-words.js';
import type { AdviceLine } from '../advice.js';
import { age, command, html, name, type Markup } from './markup.js';

/** What was rejected last, with where it stands. */
export function rejectedTable({ rejected, rejects }: ReportResult): Markup | null {
  if (rejected.length === 0) return null;
  const total = Object.values(rejects).reduce((sum, count) => sum + count, 0);
  const part = html` <span class="faint">the newest ${rejected.length} of ${formatCount(total)}</span>`;
  return html`<h2>Rejected${rejected.length < total && part}</h2>
    ${table(
      'rejected',
      ['connection', 'where', 'why', 'excerpt'],
      rejected.map((one) => ({ cells: rejectCells(one) })),
    )}`;
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
    ${table(
      'runs',
      headings,
      runs.map((run) => ({ cells: runCells(run) })),
    )}`;
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

/** Contacts whose conversation is not whole, each with the command that tells what became of it. */
export function contactsTable(
  { contactsAtRisk, contactsAtRiskTotal, generatedAt }: ReportResult,
  line: AdviceLine,
): Markup | null {
  if (contactsAtRisk.length === 0) return null;
  const more = contactsAtRiskTotal - contactsAtRisk.length;
  const rows = contactsAtRisk.map(({ connection, contact, lost, pending, since, remedy }): Row => ({
    cells: [
      { value: name(contact), free: true },
      {
        value: connection === null ? html`<span class="faint">not known</span>` : name(connection),
        free: true,
      },
      { value: html`<span class="${lost > 0 ? 'bad' : 'faint'}">${formatCount(lost)}</span>` },
      { value: html`<span class="${pending > 0 ? 'warn' : 'faint'}">${formatCount(pending)}</span>` },
      { value: since === null ? 'unknown' : age(since, generatedAt) },
      { value: command(line(remedy)), free: true },
    ],
  }));
  const part = html` <span class="faint"
    >the worst ${contactsAtRisk.length} of ${formatCount(contactsAtRiskTotal)}</span
  >`;
  return html`<h2>Contacts at risk${more > 0 && part}</h2>
    ${table('contacts', ['contact', 'connection', 'lost', 'pending', 'since', 'what became of it'], rows)}`;
}

/** CRMs whose own tables are compared every night. */
export function comparisonsTable(
  { comparisons, generatedAt }: ReportResult,
  line: AdviceLine,
): Markup | null {
  if (comparisons.length === 0) return null;
  const bad = (count: number | undefined): Cell => ({
    value: html`<span class="${(count ?? 0) > 0 ? 'bad' : 'faint'}">${formatCount(count ?? 0)}</span>`,
  });
  const headings = [
    'CRM',
    'compared',
    'same',
    'lost',
    'different',
    'other contact',
    'duplicated',
    'only there',
    '',
  ];
  const rows = comparisons.map(({ name: saved, crm, comparedAt, error, counts }): Row => ({
    cells: [
      { value: html`${name(saved)} <span class="faint">${crm}</span>`, free: true },
      {
        value:
          error === null
            ? comparedAt === null
              ? html`<span class="warn">never</span>`
              : age(comparedAt, generatedAt)
            : html`<span class="bad">failed: ${error}</span>`,
        free: true,
      },
      { value: formatCount(counts?.same ?? 0) },
      bad(counts?.lost),
      bad(counts?.differs),
      bad(counts?.other_contact),
      bad(counts?.doubled),
      { value: formatCount(counts?.only_in_crm ?? 0) },
      { value: command(line(remedy('compare', [saved], ''))), free: true },
    ],
  }));
  return html`<h2>CRMs</h2>
    ${table('comparisons', headings, rows)}`;
}

interface Cell {
  value: string | Markup;
  /** May be broken anywhere: paths and excerpts have no spaces. */
  free?: true;
  /** What it is sorted by, where its words are no good for that. */
  sort?: number;
}

export interface Row {
  cells: readonly Cell[];
  severity?: string;
}

/** On a phone each row becomes a block, with the headings before the values. */
export function table(kind: string, headings: readonly string[], rows: readonly Row[]): Markup {
  const cell = ({ value, free, sort }: Cell, index: number): Markup =>
    html`<td
      data-label="${headings[index]}"
      class="${value === '' ? 'none' : free === true ? 'free' : 'short'}"
      ${sort !== undefined && html`data-sort="${sort}"`}
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
          ({ cells, severity }) =>
            html`<tr ${severity !== undefined && html`data-severity="${severity}"`}>
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
