import type { ConnectionCounts } from '../../core/connections/list.js';
import type { ConnectionView } from '../../core/connections/view.js';
import type { Look } from './look.js';
import type { Grid } from './presentation.js';
import { formatCount } from './quantities.js';
import { historyWords } from '../views/words.js';
import { sanitize, truncate } from './sanitize.js';
import { isNarrow, renderTable } from './table.js';

/** Connections as rows, for CSV and Markdown. */
export function connectionGrid(connections: readonly ConnectionView[]): Grid {
  return {
    columns: [
      'id',
      'organization',
      'name',
      'kind',
      'phone',
      'phone_number_id',
      'waba_id',
      'history_status',
      'history_progress',
      'missing_chunks',
      'last_sync_at',
      'last_live_event_at',
      'archived_at',
    ],
    rows: connections.map((connection) => [
      connection.id,
      connection.organization,
      connection.name,
      connection.kind,
      connection.phone,
      connection.phoneNumberId,
      connection.wabaId,
      connection.historySync.status,
      connection.historySync.progress,
      connection.historySync.missingChunks.join(' '),
      connection.lastSyncAt,
      connection.lastLiveEventAt,
      connection.archivedAt,
    ]),
  };
}

/** One line per connection. The organization is shown only where there are several; a narrow terminal shows less. */
export async function renderConnectionTable(
  connections: readonly ConnectionView[],
  look: Look,
): Promise<string> {
  const several = new Set(connections.map(({ organization }) => organization)).size > 1;
  const columns: [heading: string, cell: (connection: ConnectionView) => string][] = [
    ['name', ({ name }) => look.bold(truncate(sanitize(name), 24))],
    ['phone', ({ phone }) => sanitize(phone ?? '–')],
    ['history', (connection) => historyCell(connection, look)],
  ];
  if (several) columns.splice(1, 0, ['organization', (c) => truncate(sanitize(c.organization), 16)]);
  if (!isNarrow(look)) {
    columns.splice(-2, 0, ['kind', ({ kind }) => kind]);
    columns.push([
      'last event (UTC)',
      ({ lastLiveEventAt }) => lastLiveEventAt?.slice(0, 16).replace('T', ' ') ?? look.dim('never'),
    ]);
  }
  return renderTable(
    columns.map(([heading]) => ({ heading })),
    connections.map((connection) => columns.map(([, cell]) => cell(connection))),
    look,
  );
}

function historyCell({ historySync, archivedAt }: ConnectionView, look: Look): string {
  if (archivedAt !== null) return look.dim(`archived ${archivedAt.slice(0, 10)}`);
  const words = historyWords(historySync);
  const gaps = historySync.missingChunks.length;
  if (gaps > 0) return look.yellow(`${words}, ${gaps} missing`);
  return historySync.status === 'declined' || historySync.status === 'failed' ? look.yellow(words) : words;
}

/** One connection, field by field. */
export function renderConnection(connection: ConnectionView, look: Look, counts?: ConnectionCounts): string {
  const { historySync } = connection;
  const fields: [name: string, value: string | null | undefined][] = [
    ['organization', connection.organization],
    ['kind', connection.kind],
    ['phone', connection.phone],
    ['phone_number_id', connection.phoneNumberId],
    ['waba_id', connection.wabaId],
    ['history', historyWords(historySync)],
    ['  phase', historySync.phase?.toString()],
    ['  error', historySync.error],
    [
      '  missing chunks',
      historySync.missingChunks.length > 0 ? historySync.missingChunks.join(' ') : undefined,
    ],
    ['  started', historySync.startedAt],
    ['  completed', historySync.completedAt],
    ['last replay', connection.lastSyncAt ?? 'never'],
    ['last live event', connection.lastLiveEventAt ?? 'never'],
    ['archived', connection.archivedAt],
    ['conversations', counts === undefined ? undefined : formatCount(counts.conversations)],
    ['messages', counts === undefined ? undefined : formatCount(counts.messages)],
    ['open tickets', counts === undefined ? undefined : formatCount(counts.openTickets)],
    ['history chunks', counts === undefined ? undefined : formatCount(counts.historyChunks)],
    [
      'pending updates',
      counts === undefined || counts.pendingFacts === 0 ? undefined : formatCount(counts.pendingFacts),
    ],
    ['id', connection.id],
  ];
  return [
    look.bold(sanitize(connection.name)),
    ...fields
      .filter((field): field is [string, string] => field[1] !== null && field[1] !== undefined)
      .map(([name, value]) => `  ${look.dim(name.padEnd(18))}${sanitize(value)}`),
  ].join('\n');
}
