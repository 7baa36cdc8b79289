import type { Accounts, ConnectionReport } from '../../commands/report/types.js';
import type { AdviceLine } from '../advice.js';
import { addUpDays } from '../views/day-chart.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import {
  accountReason,
  adoptedWords,
  failureWords,
  historySentence,
  isBalanced,
  kindWords,
  minute,
  onboardedWords,
  quietWords,
  unexplainedRemedy,
} from '../views/report-words.js';
import { historyWords } from '../views/words.js';
import { dayBars } from './chart.js';
import { heatMap } from './heat-map.js';
import { command, html, name, type Markup } from './markup.js';

/** One connection: who it is, its days, what it holds, and the raw log against the database. */
export function connectionCard(
  connection: ConnectionReport,
  { index, zone, isCompared, line }: { index: number; zone: string; isCompared: boolean; line: AdviceLine },
): Markup {
  const { phone, kind, organization } = connection;
  const about = [
    ...(phone === null || phone === connection.name ? [] : [phone]),
    kindWords(kind),
    ...(connection.archivedAt === null ? [] : [`archived ${connection.archivedAt.slice(0, 10)}`]),
    ...(organization === 'default' ? [] : [organization]),
  ];
  return html`<section class="card connection" aria-labelledby="c${index}">
    <header>
      <h2 id="c${index}">${name(connection.name)}</h2>
      <span class="sub">${about.map((part, i) => html`${i > 0 && ' · '}${name(part)}`)}</span>
      ${historyChip(connection)}
    </header>
    <div class="traffic">
      ${days(connection, index, zone)}
      ${heatMap([connection], { id: `h${index}`, title: `Messages by hour of ${connection.name}`, zone })}
    </div>
    <div class="columns">
      <div>
        <h3>What it holds</h3>
        ${facts(connection)}
      </div>
      <div>
        <h3>Raw log against the database</h3>
        ${ledger(connection.accounts, { isCompared, line: line(unexplainedRemedy(connection.name)) })}
      </div>
    </div>
  </section>`;
}

function historyChip({ historySync }: ConnectionReport): Markup {
  const tone = {
    completed: 'good',
    syncing: '',
    not_supported: '',
    pending_consent: 'warn',
    pending_history: 'warn',
    declined: 'warn',
    failed: 'bad',
  }[historySync.status];
  const gaps = historySync.missingChunks.length;
  const { missingFiles = 0 } = historySync;
  const words =
    historySync.status === 'not_supported' && missingFiles === 0
      ? 'no history sync'
      : `history ${historyWords(historySync)}`;
  return html`<span class="chip ${gaps + missingFiles > 0 ? 'warn' : tone}"
    >${words}${gaps > 0 && `, ${formatAmount(gaps, 'chunk')} missing`}</span
  >`;
}

function days(connection: ConnectionReport, index: number, zone: string): Markup {
  const together = addUpDays([connection]);
  const shown = together.some(({ inbound, outbound, gapIn }) => inbound + outbound + gapIn.length > 0);
  if (shown) {
    const title = `Messages per day of ${connection.name}`;
    return dayBars(together, { id: `d${index}`, title, zone, several: false });
  }
  const { lastAt } = connection.messages;
  return html`<p class="empty">
    ${
      lastAt === null
        ? 'No messages yet.'
        : `No messages in these ${formatAmount(together.length, 'day')}; the newest is of ${minute(lastAt)} UTC.`
    }
  </p>`;
}

function facts(connection: ConnectionReport): Markup {
  const { messages, tickets, mediaOwed, lastLiveEventAt, rhythm } = connection;
  const { INBOUND, OUTBOUND } = messages.byDirection;
  const { live, history, app_echo } = messages.bySource;
  const owed = [
    ...(mediaOwed.waiting === 0 ? [] : [`${formatCount(mediaOwed.waiting)} may still come`]),
    ...(mediaOwed.expired === 0 ? [] : [`${formatCount(mediaOwed.expired)} too late (over 14 days)`]),
  ];
  const failures = connection.deliveryFailures.map(failureWords);
  const rows: [label: string, value: string | null, more?: string][] = [
    ['Messages', formatCount(messages.total), `${formatCount(INBOUND)} in · ${formatCount(OUTBOUND)} out`],
    ['Source', `${formatCount(live)} live`, `${formatCount(history)} history · ${formatCount(app_echo)} app`],
    ['Adopted', adoptedWords(connection) || null],
    ['Leads', formatCount(connection.leads)],
    ['Conversations', formatCount(connection.conversations)],
    ['Tickets', `${formatCount(tickets.open)} open`, `${formatCount(tickets.closed)} closed`],
    ['Not delivered', failures.length === 0 ? null : failures.join(', ')],
    ['Media owed', owed.length === 0 ? null : owed.join(', ')],
    [
      'Pending',
      connection.pendingFacts === 0
        ? null
        : `${formatAmount(connection.pendingFacts, 'status or edit', 'statuses or edits')}: target message not received`,
    ],
    ['History', historySentence(connection), connection.historySync.error],
    ['Connected', onboardedWords(connection)],
    ['Last event', minute(lastLiveEventAt), quietWords(rhythm)],
    ['Last sync', minute(connection.lastSyncAt)],
  ];
  return html`<table class="facts">
    <tbody>
      ${rows
        .filter(([, value]) => value !== null)
        .map(
          ([label, value, more]) =>
            html`<tr>
              <th scope="row">${label}</th>
              <td class="value">
                ${value}${more !== undefined && more !== '' && html` <span class="faint">${more}</span>`}
              </td>
            </tr>`,
        )}
    </tbody>
  </table>`;
}

/**
 * What came in, what is there, and every difference by its reason, down to nothing unexplained. `isCompared`: the raw log was read;
 * without, the counters alone may tell of a difference, but not that there is none.
 */
export function ledger(
  accounts: Accounts,
  { isCompared, line }: { isCompared: boolean; line: string },
): Markup {
  const { items, saved, explained, unexplained } = accounts;
  return html`<table class="ledger">
      <tbody>
        <tr class="total">
          <th scope="row">Messages in the raw log</th>
          <td>${formatCount(items)}</td>
        </tr>
        <tr>
          <th scope="row">stored</th>
          <td>${formatCount(saved)}</td>
        </tr>
        ${Object.entries(explained).map(
          ([reason, count]) =>
            html`<tr>
              <th scope="row">${accountReason(reason)}</th>
              <td>${formatCount(count)}</td>
            </tr>`,
        )}
        <tr class="rest ${!isBalanced(accounts) && 'bad'}">
          <th scope="row">unexplained</th>
          <td>${isCompared || unexplained !== 0 ? formatCount(unexplained) : 'not compared'}</td>
        </tr>
      </tbody>
    </table>
    ${!isBalanced(accounts) && command(line)}`;
}
