import type { Accounts, ConnectionReport, ReportResult } from '../../core/report/result.js';
import type { Cell, Grid } from './presentation.js';
import { accountReason } from './report-words.js';
import { acknowledgementWords, headlineWords } from './severity.js';

/** Every figure of a report in one flat list, so that two reports can be laid side by side. */
export function reportFigures(result: ReportResult): Grid {
  return {
    columns: ['subject', 'connection', 'figure', 'detail', 'value'],
    rows: [
      ...result.alerts.map(({ kind, connection, message, count }): Cell[] => [
        'alert',
        connection,
        kind,
        message,
        count,
      ]),
      ...alertFigures(result),
      ...result.connections.flatMap(connectionFigures),
      ...(result.accounts === undefined ? [] : accountFigures(null, result.accounts)),
      ...Object.entries(result.entries).map(([status, count]): Cell[] => [
        'entries',
        null,
        status,
        null,
        count,
      ]),
      ...Object.entries(result.rejects).map(([reason, count]): Cell[] => [
        'rejects',
        null,
        reason,
        null,
        count,
      ]),
      ['leads', null, 'total', null, result.leads],
      ['pending_facts', null, 'total', null, result.pendingFacts],
      ...result.runs.map(({ id, command, status, startedAt }): Cell[] => [
        'run',
        null,
        command,
        `${status} ${startedAt}`,
        id,
      ]),
    ],
  };
}

/** How many alerts there are, and what comparing the raw log has found. */
function alertFigures({ severity, counts, audit }: ReportResult): Cell[][] {
  return [
    ['alerts', null, 'severity', null, severity],
    ...Object.entries(counts).map(([figure, count]: [string, number]): Cell[] => [
      'alerts',
      null,
      figure,
      null,
      count,
    ]),
    ...Object.entries(audit ?? {}).map(([figure, count]: [string, number]): Cell[] => [
      'audit',
      null,
      figure,
      null,
      count,
    ]),
  ];
}

function connectionFigures(connection: ConnectionReport): Cell[][] {
  const { name, messages, tickets, mediaOwed, historySync, days } = connection;
  const row = (figure: string, value: Cell, detail: Cell = null): Cell[] => [
    'connection',
    name,
    figure,
    detail,
    value,
  ];
  return [
    row('kind', connection.kind),
    row('organization', connection.organization),
    row('phone', connection.phone),
    row('history_status', historySync.status, historySync.error ?? null),
    row('history_phase', historySync.phase),
    row('history_progress', historySync.progress),
    row('history_missing_chunks', historySync.missingChunks.length, historySync.missingChunks.join(' ')),
    row('onboarded_at', connection.onboardedAt, connection.onboardedBy),
    row('last_live_event_at', connection.lastLiveEventAt),
    row('last_sync_at', connection.lastSyncAt),
    row('archived_at', connection.archivedAt),
    row('quiet_hours', connection.rhythm.quietHours),
    row('tolerated_hours', connection.rhythm.toleratedHours, connection.rhythm.learnedFrom),
    row('leads', connection.leads),
    row('conversations', connection.conversations),
    row('messages', messages.total),
    row('messages', messages.byDirection.INBOUND, 'inbound'),
    row('messages', messages.byDirection.OUTBOUND, 'outbound'),
    row('messages', messages.bySource.live, 'live'),
    row('messages', messages.bySource.history, 'history'),
    row('messages', messages.bySource.app_echo, 'app_echo'),
    row('tickets', tickets.open, 'open'),
    row('tickets', tickets.closed, 'closed'),
    row('media_owed', mediaOwed.waiting, 'waiting'),
    row('media_owed', mediaOwed.expired, 'expired'),
    ...connection.deliveryFailures.map(({ code, title, messages: failed }) =>
      row('not_delivered', failed, [code, title].filter((part) => part !== null).join(' ')),
    ),
    row('pending_facts', connection.pendingFacts),
    ...accountFigures(name, connection.accounts),
    ...days.flatMap(({ day, inbound, outbound, gap }) => [
      row('day_inbound', inbound, day),
      row('day_outbound', outbound, day),
      ...(gap ? [row('day_gap', true, day)] : []),
    ]),
  ];
}

function accountFigures(name: string | null, accounts: Accounts): Cell[][] {
  const row = (figure: string, value: Cell, detail: Cell = null): Cell[] => [
    'raw_log',
    name,
    figure,
    detail,
    value,
  ];
  return [
    row('items', accounts.items),
    row('saved', accounts.saved),
    ...Object.entries(accounts.explained).map(([reason, count]) => row('explained', count, reason)),
    row('unexplained', accounts.unexplained),
  ];
}

/** The same content as tables, for Markdown; tables without rows are left out. */
export function reportGrids(result: ReportResult): Grid[] {
  const { alerts, connections, runs, rejected } = result;
  const withGaps = connections.flatMap(({ name, days }) =>
    days.map(({ day, inbound, outbound, gap }): Cell[] => [day, name, inbound, outbound, gap ? 'gap' : '']),
  );
  return [
    {
      title: `Report of ${result.generatedAt}`,
      columns: ['result', 'connections', 'database'],
      rows: [[headlineWords(result), connections.length, result.database]],
    },
    {
      title: `Alerts (${alerts.length})`,
      columns: ['severity', 'connection', 'kind', 'since', 'message', 'what to type', 'acknowledged'],
      rows: alerts.map((alert) => [
        alert.severity,
        alert.connection,
        alert.kind,
        alert.since,
        alert.message,
        alert.remedy,
        acknowledgementWords(alert),
      ]),
    },
    {
      title: 'Connections',
      columns: [
        'name',
        'kind',
        'phone',
        'history',
        'progress',
        'missing chunks',
        'onboarded',
        'last live event',
        'last sync',
      ],
      rows: connections.map((one) => [
        one.name,
        one.kind,
        one.phone,
        one.historySync.status,
        one.historySync.progress,
        one.historySync.missingChunks.join(' '),
        one.onboardedAt,
        one.lastLiveEventAt,
        one.lastSyncAt,
      ]),
    },
    {
      title: 'What they hold',
      columns: [
        'name',
        'leads',
        'conversations',
        'messages',
        'inbound',
        'outbound',
        'live',
        'history',
        'app echo',
        'open tickets',
        'closed',
        'media owed',
        'too late',
        'waiting facts',
      ],
      rows: connections.map((one) => [
        one.name,
        one.leads,
        one.conversations,
        one.messages.total,
        one.messages.byDirection.INBOUND,
        one.messages.byDirection.OUTBOUND,
        one.messages.bySource.live,
        one.messages.bySource.history,
        one.messages.bySource.app_echo,
        one.tickets.open,
        one.tickets.closed,
        one.mediaOwed.waiting,
        one.mediaOwed.expired,
        one.pendingFacts,
      ]),
    },
    {
      title: 'Delivery failures by code',
      columns: ['connection', 'code', 'title', 'messages'],
      rows: connections.flatMap(({ name, deliveryFailures }) =>
        deliveryFailures.map(({ code, title, messages }): Cell[] => [name, code, title, messages]),
      ),
    },
    {
      title: 'Raw log against the database',
      columns: ['connection', 'messages', 'what became of them'],
      rows: connections.flatMap(({ name, accounts }) => accountRows(name, accounts)),
    },
    {
      title: 'Entries of the raw log',
      columns: ['status', 'count'],
      rows: Object.entries(result.entries).filter(([, count]) => count > 0),
    },
    {
      title: 'Rejected (newest)',
      columns: ['connection', 'origin', 'path', 'what', 'reason', 'excerpt'],
      rows: rejected.map(({ connection, origin, entry, path, subject, reason, excerpt }) => [
        connection,
        origin ?? entry,
        path,
        subject,
        reason,
        excerpt,
      ]),
    },
    {
      title: `Messages per day (${result.timeZone})`,
      columns: ['day', 'connection', 'inbound', 'outbound', ''],
      rows: withGaps,
    },
    {
      title: 'Last runs',
      columns: ['started', 'command', 'status', 'verdict', 'host', 'id'],
      rows: runs.map(({ startedAt, command, status, verdict, error, host, id }) => [
        startedAt,
        command,
        status,
        error ?? verdict,
        host,
        id,
      ]),
    },
  ].filter(({ rows }) => rows.length > 0);
}

function accountRows(name: string, { items, saved, explained, unexplained }: Accounts): Cell[][] {
  return [
    [name, items, 'in the raw log'],
    [name, saved, 'saved'],
    ...Object.entries(explained).map(([reason, count]): Cell[] => [name, count, accountReason(reason)]),
    [name, unexplained, 'unexplained'],
  ];
}
