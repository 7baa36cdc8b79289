import { isGreen } from '../../model/enumerations.js';
import type {
  Accounts,
  ConnectionReport,
  DayCount,
  RejectSample,
  ReportResult,
  RunReport,
} from '../../commands/report/types.js';
import type { Format } from '../ui/formats.js';
import type { Presentation } from '../ui/presentation.js';
import { remedy } from '../../model/remedy.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import {
  countOf,
  drawing,
  faint,
  fields,
  list,
  numbers,
  section,
  span,
  table,
  text,
  type Block,
  type Line,
} from '../ui/document.js';
import { alertItem, alertSteps } from './alerts.js';
import { hasNoConnection, headlineSeverity, headlineWords, severityMark } from './alert-words.js';
import { addUpDays, dayChart, sparkline } from './day-chart.js';
import { openMetrics } from './openmetrics.js';
import { reportFigures } from './report-figures.js';
import {
  accountReason,
  adoptedWords,
  entryWords,
  failureWords,
  historySentence,
  isBalanced,
  kindWords,
  mediaFilesWords,
  minute,
  newestDayWords,
  onboardedWords,
  quietWords,
  unexplainedRemedy,
  verdictWords,
} from './report-words.js';
import { databaseLine } from './words.js';

const SHOWN_CONNECTIONS = 20;
const SHOWN_FAILURES = 5;

/** How the terminal draws. */
export interface ReportStyle {
  /** Block characters; else ASCII. */
  blocks: boolean;
}

/** A report in every format; NDJSON is one line per alert, connection and run, and one for the rest. */
export function presentReport(result: ReportResult, style: ReportStyle): Presentation {
  const { alerts, connections, runs, ...rest } = result;
  const more = connections.length - SHOWN_CONNECTIONS;
  return {
    json: result,
    isNews: hasNoConnection(result) || !isGreen(result.severity),
    lines: [
      ...alerts.map((alert) => ({ type: 'alert', ...alert })),
      ...connections.map((connection) => ({ type: 'connection', ...connection })),
      ...runs.map((run) => ({ type: 'run', ...run })),
      { type: 'report', ...rest },
    ],
    csv: reportFigures(result),
    metrics: () => openMetrics(result),
    document: {
      verdict: {
        mark: severityMark(headlineSeverity(result)),
        text: headlineWords(result),
        detail: `${formatAmount(connections.length, 'connection')}, ${minute(result.generatedAt)} UTC`,
      },
      blocks: [
        section('Alerts', [list(alerts.map(alertItem))]),
        ...connections
          .slice(0, SHOWN_CONNECTIONS)
          .map((connection) => connectionSection(connection, style, connections.length > 1)),
        text(
          ...(more > 0 ? [faint(`and ${formatAmount(more, 'connection')} more (--json, --html FILE)`)] : []),
        ),
        daysSection(result, style),
        rawLogSection(result),
        rejectedSection(result),
        section('Last runs', [runTable(runs)]),
        fields([['database', databaseLine(result.database)]]),
      ],
      next: [
        ...alertSteps(alerts),
        ...(connections.length === 0
          ? [remedy('replay', ['LOG', '--register'], 'imports a webhook log, and adds its connections')]
          : []),
      ],
    },
  };
}

/** The rejected items of which a form of the result shows how they begin; for people, the page does, and nothing else. */
export function rejectsIn(
  format: Format,
  { rejected }: Pick<ReportResult, 'rejected'>,
): readonly RejectSample[] {
  return format === 'json' || format === 'ndjson' ? rejected : [];
}

function connectionSection(connection: ConnectionReport, style: ReportStyle, isOneOfMany: boolean): Block {
  const { name, phone, kind, organization, messages, tickets } = connection;
  const about = [
    ...(phone === null || phone === name ? [] : [phone]),
    kindWords(kind),
    ...(connection.archivedAt === null ? [] : [`archived ${connection.archivedAt.slice(0, 10)}`]),
    ...(organization === 'default' ? [] : [organization]),
  ].join('  ');
  const { INBOUND, OUTBOUND } = messages.byDirection;
  const { live, history, app_echo } = messages.bySource;
  const { missingChunks, missingFiles = 0, status } = connection.historySync;
  const troubled = missingChunks.length + missingFiles > 0 || status === 'declined' || status === 'failed';
  const sentence = historySentence(connection);
  const quiet = connection.lastLiveEventAt === null ? '' : ` (${quietWords(connection.rhythm)})`;
  // Where it is the only one, the chart shows its days.
  const sparks =
    isOneOfMany && messages.total > 0
      ? [drawing((look) => sparkLines(connection.days, style, look), [])]
      : [];
  return section(
    name,
    [
      fields([
        ['history', troubled ? span('warn', sentence) : sentence],
        ['connected', onboardedWords(connection)],
        ['last event', `${minute(connection.lastLiveEventAt)}${quiet}`],
        ['last sync', minute(connection.lastSyncAt)],
        ['messages', sum(messages.total, [INBOUND, 'in'], [OUTBOUND, 'out'])],
        ['', parts([live, 'live'], [history, 'history'], [app_echo, 'from the app'])],
        ['', adoptedWords(connection)],
        [
          'people',
          `${formatAmount(connection.leads, 'lead')}, ${formatAmount(connection.conversations, 'conversation')}`,
        ],
        ['tickets', parts([tickets.open, 'open'], [tickets.closed, 'closed'])],
        ...failureFields(connection),
        ...pendingFields(connection),
        ...accountFields(connection.accounts, name),
      ]),
      ...sparks,
    ],
    about,
  );
}

type Part = readonly [count: number, words: string];

/** `3 open, 1 closed`; what is zero is left out. */
function parts(...all: readonly Part[]): string {
  return all
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${formatCount(count)} ${words}`)
    .join(', ');
}

function sum(total: number, ...all: readonly Part[]): string {
  return total === 0 ? 'none' : `${formatCount(total)}: ${parts(...all)}`;
}

function sparkLines(
  days: readonly DayCount[],
  { blocks }: ReportStyle,
  look: Parameters<typeof sparkline>[1],
) {
  const label = 'days  ';
  return days.length > look.width - label.length - 2 ? [] : [look.dim(label) + sparkline(days, look, blocks)];
}

type Field = readonly [label: string, value: Line];

/** Why messages were not delivered, by Meta's codes. */
function failureFields({ deliveryFailures }: ConnectionReport): Field[] {
  const more = deliveryFailures.length - SHOWN_FAILURES;
  const texts = [
    ...deliveryFailures.slice(0, SHOWN_FAILURES).map(failureWords),
    ...(more > 0 ? [`and ${formatAmount(more, 'code')} more`] : []),
  ];
  return texts.map((words, index): Field => [index === 0 ? 'not delivered' : '', span('warn', words)]);
}

function pendingFields({
  mediaOwed: { waiting, expired },
  mediaFiles,
  pendingFacts,
}: ConnectionReport): Field[] {
  return [
    ['media files', mediaFiles === null ? '' : mediaFilesWords(mediaFiles)],
    ['missing media', parts([waiting, 'may still arrive'], [expired, 'too late (over 14 days)'])],
    [
      'pending',
      pendingFacts === 0
        ? ''
        : `${formatAmount(pendingFacts, 'status or edit', 'statuses or edits')}: target message not received`,
    ],
  ];
}

/** The raw log against the rows, with every difference; what is left unexplained says what to type. */
function accountFields(accounts: Accounts, connection: string): Field[] {
  const { items, saved, explained, unexplained } = accounts;
  const lost: Field[] = [
    ['', span('bad', `${formatAmount(unexplained, 'item')} unexplained`)],
    ['', unexplainedRemedy(connection)],
  ];
  return [
    ['raw log', items === 0 ? '' : `${formatAmount(items, 'message item')}, ${formatCount(saved)} stored`],
    ...Object.entries(explained).map(([reason, count]): Field => [
      '',
      `${formatCount(count)} ${accountReason(reason)}`,
    ]),
    ...(isBalanced(accounts) ? [] : lost),
  ];
}

function daysSection(result: ReportResult, style: ReportStyle): Block {
  const { connections, timeZone } = result;
  if (connections.length === 0) return text();
  const days = addUpDays(connections);
  const title = `Messages per day (${timeZone})`;
  if (days.every(({ inbound, outbound, gapIn }) => inbound + outbound + gapIn.length === 0)) {
    const newest = connections
      .flatMap(({ messages }) => messages.lastAt ?? [])
      .sort()
      .at(-1);
    const hint =
      newest === undefined
        ? 'no messages yet'
        : `none in these ${days.length} days; the newest is of ${newest.slice(0, 10)} (--until ${newest.slice(0, 10)})`;
    return section(title, [text(faint(hint))]);
  }
  const chart = drawing(
    (look) =>
      dayChart(days, look, {
        blocks: style.blocks,
        label: (name) => (connections.length === 1 ? '' : `in ${name}`),
      }),
    [
      table(
        ['day', numbers('inbound'), numbers('outbound'), 'gap'],
        days.map(({ day, inbound, outbound, gapIn }) => [
          day,
          countOf(inbound),
          countOf(outbound),
          gapIn.join(', '),
        ]),
      ),
    ],
  );
  const opened = newestDayWords(result);
  return section(
    title,
    [...(opened === null ? [] : [text(faint(opened))]), chart],
    connections.length > 1 ? 'all connections' : '',
  );
}

function rawLogSection({ entries, accounts }: ReportResult): Block {
  const total = Object.values(entries).reduce((all, count) => all + count, 0);
  const words = entryWords(entries).join(', ');
  return section('Raw log', [
    text(
      `${formatAmount(total, 'entry', 'entries')}${words === '' ? '' : `: ${words}`}`,
      ...(accounts === undefined
        ? []
        : [`${formatAmount(accounts.items, 'message item')} in them, ${formatCount(accounts.saved)} stored`]),
      ...(accounts === undefined || isBalanced(accounts)
        ? []
        : [span('bad', `${formatCount(accounts.unexplained)} unexplained`)]),
    ),
  ]);
}

function rejectedSection({ rejected }: ReportResult): Block {
  return section('Rejected (newest)', [
    list(
      rejected.map(({ connection, origin, entry, path, subject, reason }) => ({
        line: [
          span('place', `${origin ?? entry}${path === '$' ? '' : `  ${path}`}`),
          `  ${subject}: ${accountReason(reason)}${connection === null ? '' : ` (${connection})`}`,
        ],
      })),
    ),
  ]);
}

function runTable(runs: readonly RunReport[]): Block {
  return table(
    ['started (UTC)', 'command', 'status', { heading: 'result', optional: true }],
    runs.map((run) => [
      faint(minute(run.startedAt)),
      run.command,
      statusOf(run.status),
      run.error ?? verdictWords(run),
    ]),
  );
}

function statusOf(status: RunReport['status']): Line {
  switch (status) {
    case 'completed':
      return span('good', status);
    case 'running':
      return span('place', status);
    case 'partial':
    case 'interrupted':
      return span('warn', status);
    case 'failed':
    case 'died':
      return span('bad', status);
  }
}
