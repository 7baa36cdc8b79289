import { z } from 'zod';
import { HISTORY_SYNC_STATUSES } from '../../src/model/enumerations.js';
import type { RunResult } from '../../src/model/run-result.js';
import { assertBalanced } from '../support/accounts.js';

const count = z.int().nonnegative();
const byReason = z.record(z.string(), z.int().positive());
const messages = z.strictObject({
  seen: count,
  created: count,
  updated: count,
  unchanged: count,
  skipped: byReason,
  rejected: byReason,
});
const amendments = z.strictObject({
  seen: count,
  applied: count,
  unchanged: count,
  pending: count,
  skipped: byReason,
  rejected: byReason,
});
const place = z.int().nullable();

/** The documented JSON of a run, field by field: what scripts rely on. A field that nobody documented fails here. */
const runSchema = z.strictObject({
  schemaVersion: z.literal(1),
  command: z.string(),
  runId: z.uuid(),
  status: z.enum(['completed', 'partial', 'failed', 'interrupted']),
  dryRun: z.boolean(),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  durationMs: count,
  entries: z.strictObject({
    read: count,
    stored: count,
    duplicate: count,
    processed: count,
    partial: count,
    failed: count,
    unrecognized: count,
    ignored: count,
    pending: count,
  }),
  messages,
  statuses: amendments,
  edits: amendments,
  revokes: amendments,
  reactions: amendments,
  contacts: z.strictObject({ seen: count, skipped: byReason, rejected: byReason }),
  leads: z.strictObject({ created: count, updated: count, merged: count }),
  conversations: z.strictObject({ created: count }),
  tickets: z.strictObject({ opened: count, refreshed: count }),
  ownNumberRemoved: z.strictObject({ leads: count, conversations: count, messages: count, tickets: count }),
  events: byReason,
  connections: z.array(
    z.strictObject({
      id: z.uuid(),
      name: z.string(),
      registered: z.boolean(),
      historySync: z.strictObject({
        status: z.enum(HISTORY_SYNC_STATUSES),
        phase: place,
        chunkOrder: place,
        progress: place,
        missingChunks: z.array(z.string()),
        error: z.string().exactOptional(),
      }),
      messages,
    }),
  ),
  problems: z.array(
    z.strictObject({ origin: z.string(), path: z.string(), reason: z.string(), excerpt: z.string() }),
  ),
  problemCount: count,
  chatterLines: count,
  resumedFrom: z
    .strictObject({ runId: z.uuid(), entriesSkipped: count, problems: count, origin: z.string() })
    .exactOptional(),
  database: z.string(),
  error: z.string().exactOptional(),
});

/** Reads what `--json` printed: one document, complete, as documented, and balanced. */
export function parseRun(stdout: string): RunResult {
  const result = runSchema.parse(JSON.parse(stdout));
  assertBalanced(result);
  return result;
}

/** What a run counted, without what differs from run to run. */
export function countersOf(result: RunResult): Partial<RunResult> {
  const { entries, messages, statuses, edits, revokes, reactions, contacts, leads, conversations, tickets } =
    result;
  const { events, problems, problemCount } = result;
  return {
    entries,
    messages,
    statuses,
    edits,
    revokes,
    reactions,
    contacts,
    leads,
    conversations,
    tickets,
    events,
    problems,
    problemCount,
  };
}
