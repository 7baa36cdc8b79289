import type { Alert } from '../../audit/alert.js';
import type { ReportResult } from '../../commands/report/types.js';
import type { AdviceLine } from '../advice.js';
import { MARKS } from '../ui/terminal.js';
import { addUpDays } from '../views/day-chart.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { entryWords, minute, unexplainedRemedy } from '../views/report-words.js';
import { acknowledgementWords, headlineSeverity, headlineWords, severityMark } from '../views/alert-words.js';
import { dayBars } from './chart.js';
import { ledger } from './connection-card.js';
import { heatMap } from './heat-map.js';
import { age, command, html, name, type Markup } from './markup.js';
import { severityChip } from './status-table.js';

/** How bad it is, before anything else. */
export function verdictLine(result: ReportResult): Markup {
  const severity = headlineSeverity(result);
  const tone = { loss: 'lost', degraded: 'look', note: 'well' }[severity ?? 'note'];
  return html`<p class="verdict ${tone}">
    <span class="mark" aria-hidden="true">${MARKS[severityMark(severity)]}</span>${headlineWords(result)}
  </p>`;
}

/** Every alert with what to type, by connection. */
export function alertList(result: ReportResult, line: AdviceLine): Markup | null {
  const { alerts } = result;
  if (alerts.length === 0) return null;
  const groups = byConnection(alerts);
  return html`<section aria-labelledby="alerts">
    <h2 id="alerts">Alerts</h2>
    ${groups.map(
      ({ connection, alerts: own }) =>
        html`<div class="group">
          <h3>${connection === null ? 'The database' : name(connection)}</h3>
          <ul class="alerts">
            ${own.map((alert) => alertItem(alert, result.generatedAt, line))}
          </ul>
        </div>`,
    )}
  </section>`;
}

/** By connection, in the order in which the first alert of each stands: the worst first. */
function byConnection(alerts: readonly Alert[]): { connection: string | null; alerts: Alert[] }[] {
  const groups = new Map<string | null, { connection: string | null; alerts: Alert[] }>();
  for (const alert of alerts) {
    const key = alert.connectionId ?? alert.connection;
    const group = groups.get(key) ?? { connection: alert.connection, alerts: [] };
    groups.set(key, group);
    group.alerts.push(alert);
  }
  return [...groups.values()];
}

function alertItem(alert: Alert, generatedAt: string, line: AdviceLine): Markup {
  const { kind, severity, subject, message, since, remedy, id } = alert;
  // A finding is named by its check.
  const title = kind === 'finding' && subject !== null ? `${kind}: ${subject}` : kind;
  const accepted = acknowledgementWords(alert);
  const tone = accepted !== null ? 'seen' : { loss: 'grave', degraded: 'mild', note: 'slight' }[severity];
  return html`<li class="${tone}" data-kind="${kind}" data-severity="${severity}" data-id="${id}">
    <p class="head">
      ${accepted === null ? severityChip(severity) : html`<span class="chip">Acknowledged</span>`}
      <span class="who">${title.replaceAll('_', ' ')}</span>
      <span class="faint"
        >${since === null ? 'age unknown' : html`since ${minute(since)} UTC, ${age(since, generatedAt)}`}</span
      >
    </p>
    <p class="message">${message}</p>
    ${accepted !== null && html`<p class="kind">${severity}, ${accepted}</p>`}
    ${remedy !== null && accepted === null && command(line(remedy))}
    ${remedy !== null && accepted === null && html`<p class="faint">${remedy.why}</p>`}
  </li>`;
}

/** The few figures that say how large this is, and whether all of it is accounted for. */
export function keyFigures(result: ReportResult): Markup {
  const { connections, entries, accounts, pendingFacts } = result;
  const total = (of: (one: (typeof connections)[number]) => number): number =>
    connections.reduce((sum, one) => sum + of(one), 0);
  const stored = Object.values(entries).reduce((sum, count) => sum + count, 0);
  const unexplained = accounts?.unexplained ?? total((one) => one.accounts.unexplained);
  const isCompared = result.audit !== null || unexplained !== 0;
  const pending = entries['pending'] ?? 0;
  const conversations = formatAmount(
    total((one) => one.conversations),
    'conversation',
  );
  const tickets = formatAmount(
    total((one) => one.tickets.open),
    'open ticket',
  );
  return html`<dl class="sum">
      ${figure(
        'Messages',
        total((one) => one.messages.total),
        `in ${conversations}`,
      )}
      ${figure('Leads', result.leads, tickets)}
      ${figure('Raw entries', stored, pending === 0 ? 'none pending' : `${formatCount(pending)} pending`)}
      ${figure('Unexplained', isCompared ? unexplained : null, unexplainedNote(result, unexplained), unexplained !== 0)}
      ${pendingFacts > 0 && figure('Pending', pendingFacts, 'updates whose message is not received')}
    </dl>
    ${stored > 0 && html`<p class="meta entries">Entries of the raw log: ${entryWords(entries).join(', ')}.</p>`}`;
}

function unexplainedNote({ audit }: ReportResult, unexplained: number): string {
  if (unexplained !== 0) return 'items of the raw log';
  return audit === null ? 'not compared with the raw log' : 'every message accounted for';
}

/** `value`: null if nobody counted. */
function figure(label: string, value: number | null, note: string, isBad = false): Markup {
  const shown = html`${value === null ? '–' : formatCount(value)}<small>${note}</small>`;
  return html`<div>
    <dt>${label}</dt>
    <dd class="${isBad ? 'bad' : 'plain'}">${shown}</dd>
  </div>`;
}

/** The days and hours of all connections together; where there is one, its own card shows them. */
export function overview(
  { connections, timeZone, accounts, audit }: ReportResult,
  line: AdviceLine,
): Markup | null {
  if (connections.length < 2) return null;
  const days = addUpDays(connections);
  const isEmpty = days.every(({ inbound, outbound, gapIn }) => inbound + outbound + gapIn.length === 0);
  return html`<h2>All connections</h2>
    <section class="card">
      <div class="traffic">
        ${
          isEmpty
            ? html`<p class="empty">No messages in these ${formatAmount(days.length, 'day')}.</p>`
            : dayBars(days, {
                id: 'd0',
                title: 'Messages per day of all connections',
                zone: timeZone,
                several: true,
              })
        }
        ${heatMap(connections, { id: 'h0', title: 'Messages by hour of all connections', zone: timeZone })}
      </div>
      ${
        accounts !== undefined &&
        html`<div class="whole">
          <h3>Raw log against the database</h3>
          ${ledger(accounts, { isCompared: audit !== null, line: line(unexplainedRemedy(null)) })}
        </div>`
      }
    </section>`;
}
