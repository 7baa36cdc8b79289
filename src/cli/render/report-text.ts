import type { Alert } from '../../core/report/alert.js';
import type { Remedy } from '../../model/remedy.js';
import type { Accounts, ConnectionReport, ReportResult, RunReport } from '../../core/report/result.js';
import { addUpDays, dayChart, sparkline } from './day-chart.js';
import type { Look } from './look.js';
import { formatAmount, formatCount } from './quantities.js';
import {
  accountReason,
  entryWords,
  failureWords,
  historySentence,
  isBalanced,
  kindWords,
  minute,
  onboardedWords,
  quietWords,
  unexplainedRemedy,
  verdictWords,
} from './report-words.js';
import type { ReportStyle } from './report.js';
import { sanitize, truncate } from './sanitize.js';
import {
  acknowledgementWords,
  headlineSeverity,
  headlineWords,
  severityMark,
  severityPaint,
} from './severity.js';
import { isNarrow, renderTable } from './table.js';
import { cutText, widthOf, wrapText } from './text-width.js';

const INDENT = '  ';
const LABEL = 14;
const SHOWN_CONNECTIONS = 20;
const NAME_WIDTH = 24;

/** A report as a person takes it in: what needs a look first, then each connection, the days, the runs. */
export async function renderReport(result: ReportResult, style: ReportStyle, look: Look): Promise<string> {
  const sections = [
    headline(result, look),
    alertsSection(result, look),
    ...result.connections
      .slice(0, SHOWN_CONNECTIONS)
      .map((one) => connectionSection(one, { ...style, spark: result.connections.length > 1 }, look)),
    moreConnections(result, look),
    chartSection(result, style, look),
    entriesSection(result, look),
    await runsSection(result.runs, look),
    placeSection(result, look),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function headline(result: ReportResult, look: Look): string {
  const { connections, generatedAt } = result;
  const severity = headlineSeverity(result);
  const detail = `${formatAmount(connections.length, 'connection')}, ${minute(generatedAt)} UTC`;
  const verdict = `${severityMark(severity)} ${headlineWords(result)}`;
  const paint = (line: string): string => look.bold(severityPaint(severity, look)(line));
  return look.width < widthOf(verdict) + 2 + detail.length
    ? [...wrapText(verdict, look.width).map(paint), look.dim(detail)].join('\n')
    : `${paint(verdict)}  ${look.dim(detail)}`;
}

function alertsSection({ alerts }: ReportResult, look: Look): string {
  return section(
    'Alerts',
    alerts.flatMap((alert) => alertLines(alert, look)),
    look,
  );
}

/** One alert: what it is, how bad, since when, and what to type. */
export function alertLines(alert: Alert, look: Look): string[] {
  const { connection, kind, severity, message, since, remedy, id } = alert;
  const accepted = acknowledgementWords(alert);
  const paint = accepted === null ? severityPaint(severity, look) : look.dim;
  const name = connection === null ? '' : `${truncate(sanitize(connection), NAME_WIDTH)}: `;
  const text = wrapText(`${name}${sanitize(message)}`, look.width - 4);
  const when = since === null ? '' : ` since ${minute(since)} UTC`;
  const about = [
    `${severity}: ${kind.replaceAll('_', ' ')}${when} (${id})`,
    ...(accepted === null ? [] : [sanitize(accepted)]),
  ];
  return [
    ...text.map((line, index) => (index === 0 ? `${paint('!')} ${line}` : `  ${line}`)),
    ...about.flatMap((part) => wrapText(part, look.width - 4)).map((line) => `  ${look.dim(line)}`),
    // Never wrapped: it is to be pasted.
    ...(remedy === null || accepted !== null ? [] : [`  ${look.cyan(sanitize(look.line(remedy)))}`]),
  ];
}

type Paint = (text: string) => string;

/** One line under a connection's name; painted after it has been wrapped. */
interface Field {
  label: string;
  text: string;
  paint?: Paint;
  /** Not to be wrapped: a command that is to be pasted. */
  whole?: true;
}

function connectionSection(
  connection: ConnectionReport,
  style: ReportStyle & {
    /** Its days in one line; where it is the only one, the chart shows them. */ spark: boolean;
  },
  look: Look,
): string {
  const { name, phone, kind, organization, messages, tickets } = connection;
  const about = [
    ...(phone === null || phone === name ? [] : [sanitize(phone)]),
    kindWords(kind),
    ...(connection.archivedAt === null ? [] : [`archived ${connection.archivedAt.slice(0, 10)}`]),
    ...(organization === 'default' ? [] : [sanitize(organization)]),
  ].join('  ');
  const shownName = cutText(sanitize(name), look.width);
  const title =
    widthOf(shownName) + 2 + widthOf(about) > look.width
      ? [look.bold(shownName), ...wrapText(about, look.width)]
      : [`${look.bold(shownName)}  ${about}`];
  const { INBOUND, OUTBOUND } = messages.byDirection;
  const { live, history, app_echo } = messages.bySource;
  const fields: Field[] = [
    historyField(connection, look),
    { label: 'connected', text: onboardedWords(connection) },
    lastEventField(connection),
    { label: 'last sync', text: minute(connection.lastSyncAt) },
    {
      label: 'messages',
      text: `${formatCount(messages.total)}: ${formatCount(INBOUND)} in, ${formatCount(OUTBOUND)} out`,
    },
    {
      label: '',
      text: `${formatCount(live)} live, ${formatCount(history)} history, ${formatCount(app_echo)} from the app`,
    },
    {
      label: 'people',
      text: `${formatAmount(connection.leads, 'lead')}, ${formatAmount(connection.conversations, 'conversation')}`,
    },
    { label: 'tickets', text: `${formatCount(tickets.open)} open, ${formatCount(tickets.closed)} closed` },
    ...failureFields(connection, look),
    ...owedFields(connection),
    ...accountFields(connection.accounts, look, unexplainedRemedy(name)),
  ];
  const spark = sparkline(connection.days, look, style.blocks);
  const width = Math.max(20, look.width - INDENT.length - LABEL);
  return [
    ...title,
    ...fields.flatMap(({ label, text, paint = String, whole }) =>
      (whole === true ? [text] : wrapText(text, width)).map(
        (line, index) => `${INDENT}${look.dim((index === 0 ? label : '').padEnd(LABEL))}${paint(line)}`,
      ),
    ),
    ...(!style.spark || connection.messages.total === 0 || connection.days.length > width
      ? []
      : [`${INDENT}${look.dim('days'.padEnd(LABEL))}${spark}`]),
  ].join('\n');
}

function historyField(connection: ConnectionReport, look: Look): Field {
  const { missingChunks, status } = connection.historySync;
  const troubled = missingChunks.length > 0 || status === 'declined' || status === 'failed';
  const text = historySentence(connection);
  return { label: 'history', text, ...(troubled ? { paint: look.yellow } : {}) };
}

function lastEventField({ lastLiveEventAt, rhythm }: ConnectionReport): Field {
  const quiet = lastLiveEventAt === null ? '' : ` (${quietWords(rhythm)})`;
  return { label: 'last event', text: `${minute(lastLiveEventAt)}${quiet}` };
}

const SHOWN_FAILURES = 5;

/** Why messages were not delivered, by Meta's codes. */
function failureFields({ deliveryFailures }: ConnectionReport, look: Look): Field[] {
  const more = deliveryFailures.length - SHOWN_FAILURES;
  const texts = [
    ...deliveryFailures.slice(0, SHOWN_FAILURES).map(failureWords),
    ...(more > 0 ? [`and ${formatAmount(more, 'code')} more`] : []),
  ];
  return texts.map((text, index) => ({
    label: index === 0 ? 'not delivered' : '',
    text: sanitize(text),
    paint: look.yellow,
  }));
}

function owedFields({ mediaOwed: { waiting, expired }, pendingFacts }: ConnectionReport): Field[] {
  const owed = [
    ...(waiting === 0 ? [] : [`${formatCount(waiting)} may still come`]),
    ...(expired === 0 ? [] : [`${formatCount(expired)} too late (over 14 days)`]),
  ];
  return [
    ...(owed.length === 0 ? [] : [{ label: 'media owed', text: owed.join(', ') }]),
    ...(pendingFacts === 0
      ? []
      : [
          {
            label: 'pending',
            text: `${formatAmount(pendingFacts, 'status or edit', 'statuses or edits')}: target message not received`,
          },
        ]),
  ];
}

/** The raw log against the rows, with every difference; what is left unexplained says what to type. */
function accountFields(accounts: Accounts, look: Look, advice: Remedy): Field[] {
  const { items, saved, explained, unexplained } = accounts;
  const lost: Field[] = [
    { label: '', text: `${formatCount(unexplained)} unexplained`, paint: look.red },
    { label: '', text: look.line(advice), paint: look.cyan, whole: true },
  ];
  return [
    { label: 'raw log', text: `${formatAmount(items, 'message')}, ${formatCount(saved)} saved` },
    ...Object.entries(explained).map(([reason, count]) => ({
      label: '',
      text: `${formatCount(count)} ${sanitize(accountReason(reason))}`,
    })),
    ...(isBalanced(accounts) ? [] : lost),
  ];
}

function moreConnections({ connections }: ReportResult, look: Look): string {
  const more = connections.length - SHOWN_CONNECTIONS;
  return more > 0 ? look.dim(`and ${formatAmount(more, 'connection')} more (--json, --html FILE)`) : '';
}

function chartSection({ connections, timeZone }: ReportResult, style: ReportStyle, look: Look): string {
  if (connections.length === 0) return '';
  const days = addUpDays(connections);
  const empty = days.every(({ inbound, outbound, gapIn }) => inbound + outbound + gapIn.length === 0);
  const whose = connections.length > 1 && !isNarrow(look) ? ', all connections' : '';
  const title = `Messages per day${whose} (${timeZone})`;
  if (empty) {
    const newest = connections
      .flatMap(({ messages }) => messages.lastAt ?? [])
      .sort()
      .at(-1);
    const hint =
      newest === undefined
        ? 'no messages yet'
        : `none in these ${days.length} days; the newest is of ${newest.slice(0, 10)} (--until ${newest.slice(0, 10)})`;
    return section(title, [look.dim(hint)], look);
  }
  const label = (name: string): string =>
    connections.length === 1 || isNarrow(look) ? '' : `in ${truncate(sanitize(name), NAME_WIDTH)}`;
  return section(title, dayChart(days, look, { blocks: style.blocks, label }), look);
}

function entriesSection({ entries, accounts }: ReportResult, look: Look): string {
  const total = Object.values(entries).reduce((sum, count) => sum + count, 0);
  const parts = entryWords(entries).join(', ');
  const lines = wrapText(
    `${formatAmount(total, 'entry', 'entries')}${parts === '' ? '' : `: ${parts}`}`,
    look.width - INDENT.length,
  );
  if (accounts !== undefined) {
    lines.push(`${formatAmount(accounts.items, 'message')} in them, ${formatCount(accounts.saved)} saved`);
    if (!isBalanced(accounts)) lines.push(look.red(`${formatCount(accounts.unexplained)} unexplained`));
  }
  return section('Raw log', lines, look);
}

async function runsSection(runs: readonly RunReport[], look: Look): Promise<string> {
  if (runs.length === 0) return '';
  const room = Math.max(20, look.width - 50);
  const rows = runs.map((run) => [
    look.dim(minute(run.startedAt)),
    sanitize(run.command),
    runStatus(run.status, look),
    ...(isNarrow(look) ? [] : [truncate(sanitize(run.error ?? verdictWords(run)), room)]),
  ]);
  const columns = [{ heading: 'started (UTC)' }, { heading: 'command' }, { heading: 'status' }];
  const table = await renderTable(
    isNarrow(look) ? columns : [...columns, { heading: 'result' }],
    rows,
    look,
    INDENT,
  );
  return `${look.bold('Last runs')}\n${table}`;
}

function runStatus(status: RunReport['status'], look: Look): string {
  switch (status) {
    case 'completed':
      return look.green(status);
    case 'running':
      return look.cyan(status);
    case 'partial':
    case 'interrupted':
      return look.yellow(status);
    case 'failed':
    case 'died':
      return look.red(status);
  }
}

function placeSection({ database }: ReportResult, look: Look): string {
  const embedded = /^postgres/.test(database) ? '' : ` ${look.dim('(embedded)')}`;
  return `${look.bold('Data in')}   ${sanitize(database)}${embedded}`;
}

function section(title: string, lines: readonly string[], look: Look): string {
  return lines.length === 0 ? '' : [look.bold(title), ...lines.map((line) => `${INDENT}${line}`)].join('\n');
}
