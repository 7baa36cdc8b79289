import type { AmendmentCounts, MessageCounts, RunResult } from '../../src/model/run-result.js';

export function messageCounts(counts: Partial<MessageCounts> = {}): MessageCounts {
  return { seen: 0, created: 0, updated: 0, unchanged: 0, skipped: {}, rejected: {}, ...counts };
}

export function amendmentCounts(counts: Partial<AmendmentCounts> = {}): AmendmentCounts {
  return { seen: 0, applied: 0, unchanged: 0, pending: 0, skipped: {}, rejected: {}, ...counts };
}

/** The result of a run in which a little of everything happened; `changes` replace whole fields. */
export function runResult(changes: Partial<RunResult> = {}): RunResult {
  return {
    schemaVersion: 1,
    command: 'replay',
    runId: '0193a8c0-0000-7000-8000-000000000001',
    status: 'completed',
    dryRun: false,
    startedAt: '2026-11-03T10:00:00.000Z',
    finishedAt: '2026-11-03T10:00:02.400Z',
    durationMs: 2400,
    entries: {
      read: 214,
      stored: 201,
      duplicate: 13,
      processed: 214,
      partial: 0,
      failed: 0,
      unrecognized: 0,
      ignored: 0,
      pending: 0,
    },
    messages: messageCounts({
      seen: 1873,
      created: 1640,
      updated: 12,
      unchanged: 200,
      skipped: { group: 18 },
      rejected: { missing_id: 3 },
    }),
    statuses: amendmentCounts({ seen: 342, applied: 340, pending: 2 }),
    edits: amendmentCounts({ seen: 1, applied: 1 }),
    revokes: amendmentCounts(),
    reactions: amendmentCounts(),
    contacts: { seen: 40, skipped: {}, rejected: {} },
    leads: { created: 120, updated: 3, merged: 1 },
    conversations: { created: 118 },
    tickets: { opened: 8, refreshed: 2 },
    ownNumberRemoved: { leads: 0, conversations: 0, messages: 0, tickets: 0 },
    events: {},
    connections: [
      {
        id: '0193a8c0-0000-7000-8000-000000000002',
        name: 'main',
        registered: true,
        historySync: { status: 'syncing', phase: 1, chunkOrder: 4, progress: 42, missingChunks: [] },
        messages: messageCounts({ seen: 1873, created: 1640, updated: 12, unchanged: 221 }),
      },
    ],
    problems: [],
    problemCount: 0,
    chatterLines: 0,
    database: '/home/ana/.local/share/wa-reconcile/database',
    ...changes,
  };
}
