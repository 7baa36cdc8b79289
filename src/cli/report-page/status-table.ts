import type { ConnectionReport, ReportResult } from '../../commands/report/types.js';
import type { Severity } from '../../model/enumerations.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { historySentence } from '../views/report-words.js';
import { age, html, name, type Markup } from './markup.js';
import { table, type Row } from './tables.js';

/** Where the filter is worth its room. */
const MANY = 3;

/** How bad it is, in a word: never by color alone. */
export const SEVERITY_WORDS: Readonly<Record<Severity | 'none', string>> = {
  loss: 'Loss',
  degraded: 'Degraded',
  note: 'Note',
  none: 'OK',
};
const TONES: Readonly<Record<Severity | 'none', string>> = {
  loss: 'bad',
  degraded: 'warn',
  note: 'plain',
  none: 'good',
};
/** The worst first when it is sorted. */
const RANKS: Readonly<Record<Severity | 'none', number>> = { loss: 3, degraded: 2, note: 1, none: 0 };

/** A severity as a chip. */
export function severityChip(severity: Severity | null): Markup {
  const key = severity ?? 'none';
  return html`<span class="chip ${TONES[key]}">${SEVERITY_WORDS[key]}</span>`;
}

/** One row for each connection, the worst first; the script adds a filter and sorting. */
export function statusTable(result: ReportResult): Markup | null {
  const { connections } = result;
  if (connections.length === 0) return null;
  const rows = connections
    .map((connection, index) => ({ connection, row: statusRow(connection, index + 1, result) }))
    .sort((a, b) => rankOf(b.connection) - rankOf(a.connection))
    .map(({ row }) => row);
  const headings = ['connection', 'status', 'last event', 'last 24 h', 'history', 'lost', 'pending'];
  return html`<section aria-labelledby="status">
    <h2 id="status">Status</h2>
    ${connections.length >= MANY && controls()} ${table('status sortable', headings, rows)}
  </section>`;
}

function controls(): Markup {
  return html`<p class="controls" hidden>
    <label>Filter <input type="search" placeholder="name or number" autocomplete="off" /></label>
    <label
      >Status
      <select>
        <option value="">any</option>
        ${Object.entries(SEVERITY_WORDS).map(([key, word]) => html`<option value="${key}">${word}</option>`)}
      </select></label
    >
    <output></output>
  </p>`;
}

function rankOf({ severity }: ConnectionReport): number {
  return RANKS[severity ?? 'none'];
}

function statusRow(
  connection: ConnectionReport,
  index: number,
  { generatedAt, audit }: Pick<ReportResult, 'generatedAt' | 'audit'>,
): Row {
  const { counts, pending, lastLiveEventAt, lastDay, historySync, archivedAt, severity } = connection;
  const acknowledged =
    counts.acknowledged > 0 && html` <span class="faint">${counts.acknowledged} acknowledged</span>`;
  return {
    severity: severity ?? 'none',
    cells: [
      { value: html`<a href="#c${index}">${name(connection.name)}</a>`, free: true },
      {
        value: html`${severityChip(severity)}${archivedAt !== null && html` <span class="faint">archived</span>`}${acknowledged}`,
        sort: rankOf(connection),
      },
      {
        value: lastLiveEventAt === null ? 'never' : age(lastLiveEventAt, generatedAt),
        sort: lastLiveEventAt === null ? 0 : Date.parse(lastLiveEventAt),
      },
      { value: lastDayWords(lastDay), sort: lastDay.messages },
      { value: historyWords(connection), free: true, sort: historySync.progress ?? -1 },
      {
        value:
          audit === null && counts.lost === 0
            ? html`<span class="faint">not compared</span>`
            : countWords(counts.lost, 'bad'),
        sort: counts.lost,
      },
      { value: countWords(pending, 'warn'), sort: pending },
    ],
  };
}

/** `412 of 398 usual`. */
function lastDayWords({ messages, usual }: ConnectionReport['lastDay']): Markup {
  const isLow = usual !== null && usual > 0 && messages < usual / 2;
  const count = html`<span class="${isLow ? 'warn' : 'plain'}">${formatCount(messages)}</span>`;
  return html`${count}${usual !== null && html` <span class="faint">usual ${formatCount(usual)}</span>`}`;
}

function historyWords(connection: ConnectionReport): Markup {
  const { status, progress, missingChunks, missingFiles = 0 } = connection.historySync;
  if (status === 'not_supported' && missingFiles === 0) return html`<span class="faint">none</span>`;
  const words =
    missingChunks.length > 0
      ? html`<span class="warn">${formatAmount(missingChunks.length, 'chunk')} missing</span>`
      : html`<span class="${missingFiles > 0 ? 'warn' : 'plain'}">${historySentence(connection)}</span>`;
  const bar = progress !== null && status !== 'completed';
  return html`${words}${
    bar &&
    html` <progress max="100" value="${progress}" aria-label="history, percent">${progress} %</progress>`
  }`;
}

function countWords(count: number, tone: 'bad' | 'warn'): Markup {
  return html`<span class="${count === 0 ? 'faint' : tone}">${formatCount(count)}</span>`;
}
