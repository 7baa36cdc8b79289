import type {
  ConnectionMedia,
  FetchedConnection,
  MediaFetchResult,
  MediaFileStatus,
  MediaStatusResult,
} from '../../commands/media/types.js';
import { remedy } from '../../model/remedy.js';
import {
  list,
  NONE,
  numbers,
  section,
  table,
  type Block,
  type Item,
  type Line,
  type Verdict,
} from '../ui/document.js';
import type { Presentation } from '../ui/presentation.js';
import { formatAmount, formatBytes, formatCount } from '../ui/quantities.js';
import { minute } from './report-words.js';

export function presentMediaFetch(result: MediaFetchResult): Presentation {
  const { connections, status, directory } = result;
  return {
    json: result,
    lines: connections,
    csv: {
      columns: [
        'connection',
        'fetched',
        'bytes',
        'expired',
        'denied',
        'mismatch',
        'failed',
        'owed',
        'stopped',
      ],
      rows: connections.map((one) => [
        one.connection.name,
        one.fetched,
        one.bytes,
        one.expired,
        one.denied,
        one.mismatch,
        one.failed,
        one.owed,
        one.stopped?.code ?? null,
      ]),
    },
    isNews: status !== 'completed',
    document: {
      verdict: fetchVerdict(result),
      blocks: [list(connections.map((one) => fetchedItem(one, result)))],
      ...(status === 'planned' || connections.every(({ owed }) => owed === 0)
        ? {}
        : { next: [remedy('media fetch', ['--to', directory], 'goes on with what is owed')] }),
    },
  };
}

function sumOf(
  connections: readonly FetchedConnection[],
  key: 'fetched' | 'owed' | 'owedSized' | 'owedBytes' | 'bytes',
): number {
  return connections.reduce((sum, one) => sum + one[key], 0);
}

function fetchVerdict(result: MediaFetchResult): Verdict {
  const { status, connections, directory } = result;
  const fetched = sumOf(connections, 'fetched');
  const here = `${formatAmount(fetched, 'file')} fetched (${formatBytes(sumOf(connections, 'bytes'))}) into ${directory}`;
  switch (status) {
    case 'planned':
      return {
        mark: 'note',
        text: `${formatAmount(sumOf(connections, 'owed'), 'file')} would be asked for; ${sizeWords(result)}`,
      };
    case 'completed':
      return { mark: 'good', text: here };
    case 'partial':
      return { mark: 'warn', text: `${here}; not all: run it again` };
    case 'failed':
      return { mark: 'bad', text: `${here}; not every connection could be asked` };
    case 'interrupted':
      return { mark: 'stopped', text: `Interrupted: ${here}` };
  }
}

/** What is known of the sizes: Meta says them only when it is asked. */
function sizeWords({ connections }: MediaFetchResult): string {
  const sized = sumOf(connections, 'owedSized');
  if (sized === 0)
    return `Meta says ${sumOf(connections, 'owed') === 1 ? 'its size' : 'their sizes'} only then`;
  const bytes = formatBytes(sumOf(connections, 'owedBytes'));
  const owed = sumOf(connections, 'owed');
  return sized === owed ? `${bytes} in all` : `${bytes} in the ${formatCount(sized)} whose size is known`;
}

function fetchedItem(one: FetchedConnection, { status }: MediaFetchResult): Item {
  const {
    connection,
    stopped,
    fetched,
    known,
    expired,
    denied,
    mismatch,
    otherSize,
    failed,
    gone,
    lost,
    owed,
  } = one;
  const parts: readonly (readonly [number, string])[] = [
    [lost, 'gone from the disk or altered'],
    [fetched, 'fetched'],
    [known, 'of them equal to one that was here'],
    [expired, 'expired'],
    [denied, 'refused by Meta'],
    [mismatch, 'not what was announced'],
    [otherSize, 'of another size'],
    [failed, 'failed for now'],
    [owed, status === 'planned' ? 'to fetch' : 'still owed'],
  ];
  const said = parts.filter(([count]) => count > 0).map(([count, words]) => `${formatCount(count)} ${words}`);
  return {
    // What was asked for is here; the rest waits for the next run.
    mark:
      stopped !== null && stopped.code !== 'max_bytes'
        ? 'bad'
        : lost + failed + mismatch + denied > 0
          ? 'warn'
          : 'good',
    label: connection.name,
    line: said.length === 0 ? 'nothing to fetch' : said.join(', '),
    under: [...(stopped === null ? [] : [stopped.message]), ...(gone === 0 ? [] : [goneWords(gone)])],
  };
}

/** What is left to do where WhatsApp has a file of WhatsApp Web no more. */
function goneWords(gone: number): string {
  const [those, them] = gone === 1 ? ['1 file', 'it'] : [formatAmount(gone, 'file'), 'them'];
  return `WhatsApp does not have ${those} of WhatsApp Web any more: save ${them} on the phone, which may still have ${them}.`;
}

export function presentMediaStatus(result: MediaStatusResult): Presentation {
  const { connections } = result;
  const owed = connections.reduce((sum, one) => sum + filesOf(one, 'owed'), 0);
  return {
    json: result,
    ...(isListed(result) ? listedRows(connections) : countedRows(connections)),
    isNews: true,
    document: {
      verdict:
        owed === 0
          ? { mark: 'good', text: 'No files to fetch' }
          : { mark: 'note', text: `${formatAmount(owed, 'file is', 'files are')} owed` },
      blocks: [list(connections.map(statusItem)), ...connections.flatMap(fileTable)],
      ...(owed === 0
        ? {}
        : { next: [remedy('media fetch', [], owed === 1 ? 'fetches it' : 'fetches them')] }),
    },
  };
}

function isListed({ connections }: MediaStatusResult): boolean {
  return connections.some(({ files }) => files !== undefined);
}

type Rows = Pick<Presentation, 'lines' | 'csv'>;

function countedRows(connections: readonly ConnectionMedia[]): Rows {
  return {
    lines: connections,
    csv: {
      columns: ['connection', 'state', 'files', 'bytes', 'next_expiry_at'],
      rows: connections.flatMap(({ connection, states, nextExpiryAt }) =>
        states.map(({ state, files, bytes }) => [
          connection.name,
          state,
          files,
          bytes,
          state === 'owed' ? nextExpiryAt : null,
        ]),
      ),
    },
  };
}

/** A line for each file. */
function listedRows(connections: readonly ConnectionMedia[]): Rows {
  const all = connections.flatMap(({ connection, files = [] }) =>
    files.map((file) => ({ connection, file })),
  );
  return {
    lines: all.map(({ connection, file }) => ({ connection: connection.name, ...file })),
    csv: {
      columns: [
        'connection',
        'media_id',
        'state',
        'expires_at',
        'message_id',
        'type',
        'sent_at',
        'size',
        'path',
        'error',
      ],
      rows: all.map(({ connection, file }) => [
        ...[
          connection.name,
          file.mediaId,
          file.state,
          file.expiresAt,
          file.messageId,
          file.type,
          file.sentAt,
        ],
        ...[file.size, file.path, file.error],
      ]),
    },
  };
}

function fileTable({ connection, files = [] }: ConnectionMedia): Block[] {
  if (files.length === 0) return [];
  const columns = ['state', 'expires (UTC)', 'type', 'sent (UTC)', 'message', numbers('size')];
  return [section(connection.name, [table(columns, files.map(fileRow))])];
}

function fileRow({ state, expiresAt, type, sentAt, messageId, size }: MediaFileStatus): Line[] {
  // What is here does not expire.
  const end = expiresAt === null || state === 'fetched' ? NONE : minute(expiresAt);
  return [state, end, type, minute(sentAt), messageId, size === null ? NONE : formatBytes(size)];
}

function filesOf({ states }: ConnectionMedia, wanted: string): number {
  return states.find(({ state }) => state === wanted)?.files ?? 0;
}

function statusItem(one: ConnectionMedia): Item {
  const { connection, states, nextExpiryAt, due, lastFetchAt } = one;
  const said = states.map(
    ({ state, files, bytes }) =>
      `${formatCount(files)} ${state}${state === 'fetched' ? ` (${formatBytes(bytes)})` : ''}`,
  );
  return {
    mark: due > 0 ? 'warn' : 'good',
    label: connection.name,
    line: said.length === 0 ? 'no messages with files' : said.join(', '),
    under: [
      ...(nextExpiryAt === null ? [] : [`the next one expires ${minute(nextExpiryAt)} UTC`]),
      ...(lastFetchAt === null
        ? []
        : [`${filesOf(one, 'fetched') === 0 ? 'last tried' : 'last fetched'} ${minute(lastFetchAt)} UTC`]),
    ],
  };
}
