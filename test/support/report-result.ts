import { remedy } from '../../src/model/remedy.js';
import { countAlerts, worstOpen, type Alert } from '../../src/audit/alert.js';
import type {
  ConnectionReport,
  DayCount,
  ReportResult,
  RunPoint,
  RunReport,
} from '../../src/commands/report/types.js';

/** Names as strangers choose them. */
export const HOSTILE_NAME = '<script>alert(1)</script>"><img src=x onerror=alert(2)>';
export const REORDERING_NAME = 'Loja \u202egnp.exe\u202c & Cia';

export const NOW = Date.UTC(2026, 10, 20, 12, 0);

/** The last `count` days up to 20 November 2026, each with what `of` says. */
export function reportDays(count: number, of: (index: number) => Partial<DayCount>): DayCount[] {
  return Array.from({ length: count }, (_, index) => ({
    day: new Date(Date.UTC(2026, 10, 20 - (count - 1 - index))).toISOString().slice(0, 10),
    inbound: 0,
    outbound: 0,
    gap: false,
    ...of(index),
  }));
}

export function connectionReport(parts: Partial<ConnectionReport> = {}): ConnectionReport {
  return {
    id: '0199a000-0000-7000-8000-000000000001',
    name: 'loja',
    organization: 'default',
    kind: 'coexistence',
    phone: '+5511900000000',
    historySync: {
      status: 'completed',
      phase: 2,
      chunkOrder: 4,
      progress: 100,
      missingChunks: [],
      startedAt: '2026-09-01T12:00:00.000Z',
      completedAt: '2026-09-01T13:00:00.000Z',
    },
    historyRequest: null,
    onboardedAt: '2026-09-01T11:00:05.000Z',
    onboardedBy: 'evidence',
    lastLiveEventAt: '2026-11-20T11:42:00.000Z',
    lastSyncAt: '2026-11-20T11:50:00.000Z',
    archivedAt: null,
    leads: 1284,
    conversations: 1207,
    messages: {
      total: 84_211,
      byDirection: { INBOUND: 51_903, OUTBOUND: 32_308 },
      bySource: { live: 40_118, history: 38_770, app_echo: 5323 },
      firstAt: '2026-03-05T10:00:00.000Z',
      lastAt: '2026-11-20T11:42:00.000Z',
    },
    tickets: { open: 38, closed: 911 },
    mediaOwed: { waiting: 4, expired: 12 },
    mediaFiles: null,
    deliveryFailures: [],
    accounts: {
      items: 86_047,
      saved: 84_200,
      explained: { repeated: 1604, 'skipped.group': 201, 'skipped.system': 36, 'rejected.missing_id': 6 },
      unexplained: 0,
    },
    rhythm: { quietHours: 0.3, toleratedHours: 1, learnedFrom: 'weeks' },
    pendingFacts: 0,
    pending: 0,
    lastDay: { messages: 412, usual: 398 },
    severity: null,
    counts: { lost: 0, degraded: 0, notes: 0, acknowledged: 0 },
    days: reportDays(14, (index) => ({
      inbound: 220 + ((index * 97) % 160),
      outbound: 90 + ((index * 61) % 90),
    })),
    ...parts,
  };
}

export function runReport(parts: Partial<RunReport> = {}): RunReport {
  return {
    id: '0199a000-0000-7000-8000-00000000000a',
    command: 'replay',
    status: 'completed',
    verdict: 'completed: 83 entries, 59 messages created, 7 updated, 2 unchanged, 0 problems',
    startedAt: '2026-11-20T11:50:00.000Z',
    completedAt: '2026-11-20T11:50:02.000Z',
    host: 'crm-1',
    error: null,
    messages: { seen: 68, created: 59, updated: 7 },
    ...parts,
  };
}

export function runPoint(parts: Partial<RunPoint> = {}): RunPoint {
  return {
    id: '0199a000-0000-7000-8000-00000000000a',
    command: 'replay',
    status: 'completed',
    verdict: 'completed: 83 entries, 59 messages created, 7 updated, 2 unchanged, 0 problems',
    startedAt: '2026-11-20T11:50:00.000Z',
    durationMs: 2000,
    messages: 59,
    lost: null,
    degraded: null,
    duplicates: null,
    ...parts,
  };
}

export function alertOf(parts: Partial<Alert> = {}): Alert {
  return {
    id: 'silent-0f3a9c1d',
    kind: 'silent',
    severity: 'degraded',
    connection: 'loja',
    connectionId: null,
    subject: null,
    state: '7c0e1b2a',
    acknowledged: null,
    since: '2026-11-19T18:20:00.000Z',
    count: null,
    message: 'No live event came for 18 hours; at this time of the week up to 2 hours would be usual.',
    remedy: null,
    ...parts,
  };
}

export function reportResult(parts: Partial<ReportResult> = {}): ReportResult {
  const connections = parts.connections ?? [connectionReport()];
  const [first] = connections;
  const alerts = parts.alerts ?? [];
  return {
    schemaVersion: 1,
    command: 'report',
    generatedAt: new Date(NOW).toISOString(),
    timeZone: 'America/Sao_Paulo',
    newestDay: null,
    entries: { pending: 0, processed: 41_876, partial: 6, failed: 0, unrecognized: 0, ignored: 212 },
    rejects: {},
    leads: connections.reduce((sum, { leads }) => sum + leads, 0),
    pendingFacts: 0,
    rejected: [],
    runs: [runReport()],
    trend: [runPoint()],
    contactsAtRisk: [],
    contactsAtRiskTotal: 0,
    comparisons: [],
    runCounts: [
      { command: 'replay', status: 'completed', runs: 41, lastStartedAt: '2026-11-20T11:50:00.000Z' },
    ],
    alerts,
    severity: worstOpen(alerts),
    counts: countAlerts(alerts),
    audit: {
      entries: 42_094,
      items: 95_178,
      missing: 0,
      different: 0,
      unapplied: 0,
      unfounded: 0,
      doubled: 0,
      damaged: 0,
      unchanged: 0,
    },
    database: 'postgresql://db.internal:5432/crm',
    ...(first === undefined ? {} : { accounts: first.accounts }),
    ...parts,
    connections: connections.map((connection) => {
      const own = alerts.filter((alert) => alert.connection === connection.name);
      return { ...connection, severity: worstOpen(own), counts: countAlerts(own) };
    }),
  };
}

/** A report in which everything happens: several connections, alerts of many kinds, rejects, and names of strangers. */
export function troubledReport(): ReportResult {
  const weekend = (index: number): boolean => [1, 2, 8, 9].includes(index);
  const accounts = {
    items: 9120,
    saved: 8700,
    explained: { repeated: 371, 'pending.requeued': 22, 'skipped.group': 20, 'rejected.id_collision': 4 },
    unexplained: 3,
  };
  return reportResult({
    connections: [
      connectionReport(),
      connectionReport({
        id: '0199a000-0000-7000-8000-000000000002',
        name: HOSTILE_NAME,
        kind: 'cloud_api',
        phone: '+15550783881',
        historySync: {
          status: 'not_supported',
          phase: null,
          chunkOrder: null,
          progress: null,
          missingChunks: [],
          startedAt: null,
          completedAt: null,
        },
        leads: 210,
        conversations: 210,
        messages: {
          total: 8711,
          byDirection: { INBOUND: 5020, OUTBOUND: 3691 },
          bySource: { live: 8711, history: 0, app_echo: 0 },
          firstAt: '2026-05-05T10:00:00.000Z',
          lastAt: '2026-11-19T18:20:00.000Z',
        },
        mediaOwed: { waiting: 0, expired: 0 },
        deliveryFailures: [],
        pendingFacts: 17,
        accounts,
        rhythm: { quietHours: 17.7, toleratedHours: 2, learnedFrom: 'weeks' },
        lastLiveEventAt: '2026-11-19T18:20:00.000Z',
        days: reportDays(14, (index) => ({
          inbound: weekend(index) || index === 11 || index === 13 ? 0 : 60 + ((index * 31) % 50),
          outbound: weekend(index) || index === 11 || index === 13 ? 0 : 24 + ((index * 17) % 40),
          gap: index === 11,
        })),
      }),
      connectionReport({
        id: '0199a000-0000-7000-8000-000000000003',
        name: REORDERING_NAME,
        kind: 'baileys',
        organization: 'segunda-org',
        phone: null,
        historySync: {
          status: 'syncing',
          phase: 1,
          chunkOrder: 5,
          progress: 55,
          missingChunks: ['1/3', '1/4'],
          startedAt: '2026-11-18T12:00:00.000Z',
          completedAt: null,
        },
        leads: 3,
        conversations: 2,
        messages: {
          total: 11,
          byDirection: { INBOUND: 9, OUTBOUND: 2 },
          bySource: { live: 0, history: 11, app_echo: 0 },
          firstAt: '2026-05-05T10:00:00.000Z',
          lastAt: '2026-06-19T18:20:00.000Z',
        },
        tickets: { open: 0, closed: 0 },
        accounts: { items: 11, saved: 11, explained: {}, unexplained: 0 },
        rhythm: { quietHours: null, toleratedHours: null, learnedFrom: 'little' },
        lastLiveEventAt: null,
        days: reportDays(14, () => ({})),
      }),
    ],
    accounts: {
      items: 95_178,
      saved: 92_911,
      explained: {
        repeated: 1975,
        'skipped.group': 221,
        'skipped.system': 36,
        'pending.requeued': 22,
        'rejected.missing_id': 6,
        'rejected.id_collision': 4,
      },
      unexplained: 3,
    },
    entries: { pending: 12, processed: 41_876, partial: 6, failed: 1, unrecognized: 2, ignored: 212 },
    rejects: { missing_id: 6, id_collision: 4 },
    pendingFacts: 17,
    rejected: [
      {
        connection: HOSTILE_NAME,
        origin:
          '/var/log/webhooks/2026-11-19/very-long-file-name-of-a-log-that-somebody-exported.ndjson.gz:18231',
        entry: 'log:0199a000-0000-7000-8000-0000000000aa',
        path: '$.entry[0].changes[0].value.messages[0]',
        subject: 'message',
        reason: 'missing_id',
        excerpt: '{"from":"5511900000010","type":"text","text":{"body":"</td><script>alert(3)</script>"}}',
        at: '2026-11-19T10:00:00.000Z',
      },
    ],
    runs: [
      runReport(),
      runReport({
        id: '0199a000-0000-7000-8000-00000000000b',
        command: 'reconcile',
        status: 'died',
        verdict: null,
        completedAt: null,
        startedAt: '2026-11-20T03:00:00.000Z',
        messages: null,
      }),
      runReport({
        id: '0199a000-0000-7000-8000-00000000000c',
        status: 'partial',
        verdict: 'partial: 12,004 entries, 8,111 messages created, 7 updated, 2 unchanged, 10 problems',
        startedAt: '2026-11-19T03:00:00.000Z',
      }),
    ],
    alerts: [
      alertOf({ connection: HOSTILE_NAME, remedy: null }),
      alertOf({
        kind: 'run_died',
        connection: null,
        since: '2026-11-20T03:00:00.000Z',
        message:
          'The reconcile of 2026-11-20 03:00 UTC died (process 4242 on crm-1). What it had committed is stored; the same command goes on from there.',
        remedy: remedy('reconcile', ['--apply', '--lock-wait', '30m'], 'goes on from there'),
      }),
      alertOf({
        kind: 'chunk_missing',
        connection: REORDERING_NAME,
        count: 2,
        since: '2026-11-18T12:40:00.000Z',
        message:
          '2 chunks of history missing (phase/chunk): 1/3, 1/4. A log that holds them can still be replayed.',
        remedy: remedy(
          'verify',
          ['--check', 'history_ledger', '--connection', 'Loja & Cia'],
          'lists the missing chunks',
        ),
      }),
      alertOf({
        kind: 'entries_pending',
        connection: null,
        count: 12,
        since: '2026-11-19T09:00:00.000Z',
        message: '12 entries wait for a connection that does not exist yet: phone_number_id 800000000000077.',
        remedy: remedy('replay', ['--register'], 'creates the connections and replays the entries'),
      }),
      alertOf({
        kind: 'rejects',
        severity: 'loss',
        connection: HOSTILE_NAME,
        count: 10,
        since: '2026-11-19T10:00:00.000Z',
        message:
          '10 items were rejected (6 without an id, 4 its id is taken by a message in another conversation).',
        remedy: remedy('explain', ['log:0199a000-0000-7000-8000-0000000000aa'], 'shows the entry'),
      }),
    ],
  });
}
