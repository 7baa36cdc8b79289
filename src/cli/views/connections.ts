import type { AddConnectionResult, EditConnectionResult } from '../../commands/connections/save.js';
import type {
  ConnectionCounts,
  ConnectionDetails,
  ConnectionList,
  ConnectionView,
} from '../../commands/connections/list.js';
import type { RemoveConnectionResult } from '../../commands/connections/remove.js';
import type { CheckedConnection } from '../../commands/graph/types.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import type { Cell, Grid, Presentation } from '../ui/presentation.js';
import { formatAmount, formatCount } from '../ui/quantities.js';
import { faint, fields, NONE, section, span, table, text, type Block, type Line } from '../ui/document.js';
import { checkedWords, checkList } from './graph-check.js';
import { utc } from './report-words.js';
import { historyWords } from './words.js';

/** `checked`: what Meta says of them, where it was asked. */
export function presentConnections(
  result: ConnectionList,
  checked?: readonly CheckedConnection[],
): Presentation {
  const { connections } = result;
  const checkOf = new Map(checked?.map((one) => [one.connection.id, one]));
  const views =
    checked === undefined
      ? connections
      : connections.map((connection) => ({ ...connection, check: checkOf.get(connection.id) ?? null }));
  const grid = gridOf(connections);
  return {
    json: { ...result, connections: views },
    lines: views,
    csv:
      checked === undefined
        ? grid
        : {
            columns: [...grid.columns, 'check', 'findings'],
            rows: grid.rows.map((row, index) => {
              const check = checkOf.get(connections[index]?.id ?? '');
              return [...row, check?.status ?? null, findingsOf(check)];
            }),
          },
    document:
      connections.length === 0
        ? {
            blocks: [text('There are no connections yet.')],
            next: [
              remedy('replay', ['LOG', '--register'], 'replays a log, and creates the connections it names'),
              remedy('connection add', [], 'adds one by hand'),
            ],
          }
        : {
            blocks: [
              connectionTable(connections, checked === undefined ? null : checkOf),
              ...(checked ?? [])
                .filter(({ status }) => status !== 'ok')
                .map(({ connection, checks }) =>
                  section(connection.name, [checkList(checks.filter(({ status }) => status === 'finding'))]),
                ),
            ],
          },
  };
}

function findingsOf(checked: CheckedConnection | undefined): string | null {
  if (checked === undefined) return null;
  return checked.checks.flatMap(({ check, status }) => (status === 'finding' ? [check] : [])).join(' ');
}

export function presentConnection(result: ConnectionDetails): Presentation {
  const { columns, rows } = gridOf([result.connection]);
  const counts = Object.entries<number>({ ...result.counts });
  return {
    json: result,
    lines: [result],
    csv: {
      columns: [...columns, ...counts.map(([name]) => name)],
      rows: rows.map((row) => [...row, ...counts.map(([, count]) => count)]),
    },
    document: { blocks: [connectionSection(result.connection, result.counts)] },
  };
}

export function presentAdded(result: AddConnectionResult): Presentation {
  const { connection, organizationCreated, waiting } = result;
  const besides = organizationCreated ? `, and the organization ${connection.organization}` : '';
  return {
    json: result,
    lines: [result],
    csv: gridOf([connection]),
    document: {
      verdict: {
        mark: 'good',
        text: `Connection added${besides}.`,
        remarks: [waitingWords(waiting)],
      },
      blocks: [connectionSection(connection)],
      next: [replayStep(waiting, connection)],
    },
  };
}

export function presentEdited(result: EditConnectionResult): Presentation {
  const { connection, changed, waiting } = result;
  const isWaitedFor = waiting.named > 0;
  return {
    json: result,
    lines: [result],
    csv: gridOf([connection]),
    document: {
      verdict: {
        mark: 'good',
        text: changed.length === 0 ? 'Nothing changed.' : `Changed: ${changed.join(', ')}.`,
        remarks: isWaitedFor ? [waitingWords(waiting)] : [],
      },
      blocks: [connectionSection(connection)],
      next: isWaitedFor ? [replayStep(waiting, connection)] : [],
    },
  };
}

export function presentArchived(
  result: { connection: ConnectionView; changed: boolean },
  archived: boolean,
): Presentation {
  const done = archived ? 'Archived.' : 'No longer archived.';
  return {
    json: result,
    lines: [result],
    csv: gridOf([result.connection]),
    document: {
      verdict: { mark: 'good', text: result.changed ? done : 'Nothing changed.' },
      blocks: [connectionSection(result.connection)],
    },
  };
}

export function presentRemoved(result: RemoveConnectionResult): Presentation {
  return {
    json: result,
    lines: [result],
    csv: gridOf([result.removed]),
    document: {
      verdict: { mark: 'good', text: `Connection '${result.removed.name}' removed.` },
      blocks: [],
    },
  };
}

type Waiting = AddConnectionResult['waiting'];

/** How many stored entries a replay can file now. */
function waitingWords({ named, possible }: Waiting): string {
  const pending = (count: number): string =>
    `${formatAmount(count, 'stored entry', 'stored entries')} ${count === 1 ? 'is' : 'are'} pending`;
  if (named > 0) return `${pending(named)} for it.`;
  if (possible === 0) return 'No stored entry is pending for it.';
  return `${pending(possible)}; the next replay files those of this number.`;
}

function replayStep({ named, possible }: Waiting, { kind, name }: ConnectionView): Remedy {
  const why = 'replays them';
  if (named > 0) return remedy('replay', [], why);
  if (possible === 0) return remedy('replay', ['LOG'], 'replays a log');
  return remedy('replay', kind === 'baileys' ? ['--connection', name] : [], why);
}

/** One row per connection. The organization is shown only where there are several. */
function connectionTable(
  connections: readonly ConnectionView[],
  checks: ReadonlyMap<string, CheckedConnection> | null,
): Block {
  const several = new Set(connections.map(({ organization }) => organization)).size > 1;
  return table(
    [
      'name',
      ...(several ? ['organization'] : []),
      { heading: 'kind', optional: true },
      'phone',
      'history',
      { heading: 'last event (UTC)', optional: true },
      ...(checks === null ? [] : ['at Meta']),
    ],
    connections.map((connection): Line[] => [
      span('strong', connection.name),
      ...(several ? [connection.organization] : []),
      connection.kind,
      connection.phone ?? '–',
      historyCell(connection),
      connection.lastLiveEventAt?.slice(0, 16).replace('T', ' ') ?? faint('never'),
      ...(checks === null ? [] : [checkCell(checks.get(connection.id))]),
    ]),
  );
}

function checkCell(checked: CheckedConnection | undefined): Line {
  return checked === undefined ? NONE : checkedWords(checked);
}

function historyCell({ historySync, archivedAt }: ConnectionView): Line {
  if (archivedAt !== null) return faint(`archived ${archivedAt.slice(0, 10)}`);
  const words = historyWords(historySync);
  const gaps = historySync.missingChunks.length;
  if (gaps > 0) return span('warn', `${words}, ${gaps} missing`);
  return historySync.status === 'declined' ||
    historySync.status === 'failed' ||
    (historySync.missingFiles ?? 0) > 0
    ? span('warn', words)
    : words;
}

/** One connection, field by field. */
function connectionSection(connection: ConnectionView, counts?: ConnectionCounts): Block {
  const { historySync } = connection;
  const counted: [string, Line | null][] =
    counts === undefined
      ? []
      : [
          ['conversations', formatCount(counts.conversations)],
          ['messages', formatCount(counts.messages)],
          ['open tickets', formatCount(counts.openTickets)],
          ['history chunks', formatCount(counts.historyChunks)],
          ['pending updates', counts.pendingFacts === 0 ? null : formatCount(counts.pendingFacts)],
        ];
  return section(connection.name, [
    fields([
      ['organization', connection.organization],
      ['kind', connection.kind],
      ['phone', connection.phone],
      ['phone_number_id', connection.phoneNumberId],
      ['waba_id', connection.wabaId],
      ['history', historyWords(historySync)],
      ['  phase', historySync.phase?.toString()],
      ['  error', historySync.error],
      ['  missing chunks', historySync.missingChunks.join(' ')],
      ['  started', utc(historySync.startedAt)],
      ['  completed', utc(historySync.completedAt)],
      ['last replay', utc(connection.lastSyncAt) ?? 'never'],
      ['last live event', utc(connection.lastLiveEventAt) ?? 'never'],
      ['archived', utc(connection.archivedAt)],
      ...counted,
      ['id', connection.id],
    ]),
  ]);
}

const CSV: readonly (readonly [column: string, of: (connection: ConnectionView) => Cell])[] = [
  ['id', ({ id }) => id],
  ['organization', ({ organization }) => organization],
  ['name', ({ name }) => name],
  ['kind', ({ kind }) => kind],
  ['phone', ({ phone }) => phone],
  ['phone_number_id', ({ phoneNumberId }) => phoneNumberId],
  ['waba_id', ({ wabaId }) => wabaId],
  ['history_status', ({ historySync }) => historySync.status],
  ['history_progress', ({ historySync }) => historySync.progress],
  ['missing_chunks', ({ historySync }) => historySync.missingChunks.join(' ')],
  ['last_sync_at', ({ lastSyncAt }) => lastSyncAt],
  ['last_live_event_at', ({ lastLiveEventAt }) => lastLiveEventAt],
  ['archived_at', ({ archivedAt }) => archivedAt],
];

function gridOf(connections: readonly ConnectionView[]): Grid {
  return {
    columns: CSV.map(([column]) => column),
    rows: connections.map((connection) => CSV.map(([, of]) => of(connection))),
  };
}
