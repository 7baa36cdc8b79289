import type { ConnectionReport, ReportResult } from '../../commands/report/types.js';
import { headlineSeverity } from './alert-words.js';

/** One figure, by its labels. */
interface Sample {
  labels?: Readonly<Record<string, string>>;
  value: number;
}

interface Metric {
  name: string;
  help: string;
  samples: readonly Sample[];
}

const PREFIX = 'wa_reconcile_';

/**
 * A report for Prometheus: text that is valid as OpenMetrics and as the older text format, which node_exporter's textfile
 * collector reads. All metrics are gauges, because a later report may have smaller figures (`undo`, `dedupe`), and carry no
 * timestamps, which the collector refuses. No contact stands in it: a connection goes by its name.
 */
export function openMetrics(result: ReportResult): string {
  const blocks = [...wholeMetrics(result), ...connectionMetrics(result.connections), ...runMetrics(result)]
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples }) =>
      [
        `# HELP ${PREFIX}${name} ${help}`,
        `# TYPE ${PREFIX}${name} gauge`,
        ...samples.map(({ labels, value }) => `${PREFIX}${name}${labelText(labels)} ${value}`),
      ].join('\n'),
    );
  return `${[...blocks, '# EOF'].join('\n')}\n`;
}

function wholeMetrics(result: ReportResult): Metric[] {
  const { generatedAt, counts, audit, entries, rejects, accounts } = result;
  const severity = headlineSeverity(result);
  return [
    metric('report_timestamp_seconds', 'When the report was made', seconds(generatedAt)),
    metric(
      'audited',
      '1 if the raw log was compared with the database, 0 with --no-audit',
      Number(audit !== null),
    ),
    metric(
      'severity',
      'Worst open alert: 0 none, 1 note, 2 degraded, 3 loss',
      { none: 0, note: 1, degraded: 2, loss: 3 }[severity ?? 'none'],
    ),
    metric('lost', 'Messages, entries and items that are lost, as open alerts count them', counts.lost),
    {
      name: 'alerts',
      help: 'Open alerts that are no loss, by severity, and acknowledged alerts of any severity',
      samples: [
        { labels: { state: 'degraded' }, value: counts.degraded },
        { labels: { state: 'note' }, value: counts.notes },
        { labels: { state: 'acknowledged' }, value: counts.acknowledged },
      ],
    },
    {
      name: 'audit',
      help: 'What comparing the raw log with the database found',
      samples: audit === null ? [] : byLabel('figure', { ...audit }),
    },
    { name: 'raw_entries', help: 'Entries of the raw log by status', samples: byLabel('status', entries) },
    { name: 'rejects', help: 'Rejected items on record by reason', samples: byLabel('reason', rejects) },
    metric('leads', 'Leads', result.leads),
    {
      name: 'unexplained',
      help: 'Messages of the raw log that are neither in the database nor on record',
      samples: accounts === undefined ? [] : [{ value: accounts.unexplained }],
    },
  ];
}

type Figure = number | null | Readonly<Record<string, number>>;

function connectionMetrics(connections: readonly ConnectionReport[]): Metric[] {
  const each = (name: string, help: string, of: (one: ConnectionReport) => Figure, label = ''): Metric => ({
    name: `connection_${name}`,
    help,
    samples: connections.flatMap((one) => {
      const figure = of(one);
      const named = { connection: one.name, organization: one.organization };
      if (figure === null) return [];
      if (typeof figure === 'number') return [{ labels: named, value: figure }];
      return byLabel(label, figure).map(({ labels, value }) => ({ labels: { ...named, ...labels }, value }));
    }),
  });
  return [
    each(
      'messages',
      'Messages by direction',
      ({ messages }) => lowerCased(messages.byDirection),
      'direction',
    ),
    each('messages_by_source', 'Messages by source', ({ messages }) => messages.bySource, 'source'),
    each('messages_last_day', 'Messages of the last 24 hours', ({ lastDay }) => lastDay.messages),
    each(
      'messages_usual_day',
      'Median of the same 24 hours of up to four earlier weeks',
      ({ lastDay }) => lastDay.usual,
    ),
    each('lost', 'Messages and items that are lost, as open alerts count them', ({ counts }) => counts.lost),
    each('degraded', 'Open alerts of severity degraded', ({ counts }) => counts.degraded),
    each('pending', 'Messages and updates that are to be applied later', ({ pending }) => pending),
    each(
      'unexplained',
      'Messages of the raw log that are neither in the database nor on record',
      ({ accounts }) => accounts.unexplained,
    ),
    each('last_event_timestamp_seconds', 'When the last live event came', ({ lastLiveEventAt }) =>
      optionalSeconds(lastLiveEventAt),
    ),
    each('silence_limit_seconds', 'After so long without a live event an alert is raised', ({ rhythm }) =>
      rhythm.toleratedHours === null ? null : rhythm.toleratedHours * 3600,
    ),
    each('last_sync_timestamp_seconds', 'When the connection was last synchronized', ({ lastSyncAt }) =>
      optionalSeconds(lastSyncAt),
    ),
    each(
      'history_status',
      '1 for the status of the history sync',
      ({ historySync }) => ({ [historySync.status]: 1 }),
      'status',
    ),
    each('history_progress_ratio', 'How much of the history has come, 0 to 1', ({ historySync }) =>
      historySync.progress === null ? null : historySync.progress / 100,
    ),
    each(
      'history_missing_chunks',
      'Chunks of history that are missing',
      ({ historySync }) => historySync.missingChunks.length,
    ),
    each('conversations', 'Conversations', ({ conversations }) => conversations),
    each('tickets', 'Tickets by status', ({ tickets }) => ({ ...tickets }), 'status'),
    each(
      'media_owed',
      'History media announced and not delivered',
      ({ mediaOwed }) => ({ ...mediaOwed }),
      'state',
    ),
    each(
      'delivery_failures',
      'Messages that were not delivered, by the error code of WhatsApp',
      ({ deliveryFailures }) => failuresByCode(deliveryFailures),
      'code',
    ),
    each('archived', '1 for a connection of which nothing is expected any more', ({ archivedAt }) =>
      Number(archivedAt !== null),
    ),
  ];
}

function runMetrics({ runCounts }: ReportResult): Metric[] {
  return [
    {
      name: 'runs',
      help: 'Runs on record by command and status',
      samples: runCounts.map(({ command, status, runs }) => ({ labels: { command, status }, value: runs })),
    },
    {
      name: 'run_last_started_timestamp_seconds',
      help: 'When the newest run of a command that ended so was started',
      samples: runCounts.map(({ command, status, lastStartedAt }) => ({
        labels: { command, status },
        value: seconds(lastStartedAt),
      })),
    },
  ];
}

/** One code has several titles, in several languages. */
function failuresByCode(failures: ConnectionReport['deliveryFailures']): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { code, messages } of failures) {
    const word = code === null ? 'none' : String(code);
    counts[word] = (counts[word] ?? 0) + messages;
  }
  return counts;
}

function metric(name: string, help: string, value: number): Metric {
  return { name, help, samples: [{ value }] };
}

function byLabel(label: string, figures: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(figures).map(([word, value]) => ({ labels: { [label]: word }, value }));
}

function lowerCased(figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([word, value]) => [word.toLowerCase(), value]));
}

function seconds(instant: string): number {
  return Date.parse(instant) / 1000;
}

function optionalSeconds(instant: string | null): number | null {
  return instant === null ? null : seconds(instant);
}

function labelText(labels: Sample['labels']): string {
  const parts = Object.entries(labels ?? {}).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

/** Names come from outside: a quote or a line feed in one must not end the label or the line. */
function escapeLabel(value: string): string {
  return value.toWellFormed().replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
