import type { Accounts, ConnectionReport, ReportResult } from '../../commands/report/types.js';
import type { Cell, Grid } from '../ui/presentation.js';

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
    ...Object.entries(messages.byCrm ?? {}).map(([provider, count]) => row('messages', count, provider)),
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
