import type { Context } from '../../context.js';
import { adviseImport } from './advise.js';
import type { Anchor } from './find-anchor.js';
import type { Imported } from './contact-import.js';
import { statusOf } from './outcome-status.js';
import type { FetchedGap } from './fetch-pages.js';
import type { AnchorView, FetchedGapView, ImportResult } from './result.js';

/** An import as its JSON tells it. Throws when its accounts do not balance. */
export function resultOf(
  ctx: Context,
  done: Imported,
  { runId, dryRun, startedAt }: { runId: string | null; dryRun: boolean; startedAt: number },
): ImportResult {
  const { outcome, reason, subject, connection, tally, cache, fetched, anchor } = done;
  const imbalance = tally.imbalance();
  if (imbalance !== null) throw new Error(`the accounts of the import do not balance: ${imbalance}`);
  const finishedAt = ctx.clock();
  const { lead } = subject;
  const { messages, leads, conversations } = tally.counters();
  const result: Omit<ImportResult, 'remedies'> = {
    schemaVersion: 1,
    command: 'import',
    runId,
    outcome,
    reason,
    status: statusOf(done),
    dryRun,
    startedAt: instant(startedAt),
    finishedAt: instant(finishedAt),
    durationMs: finishedAt - startedAt,
    contact: {
      typed: subject.typed,
      leadId: lead?.leadId ?? null,
      organization: lead?.organization ?? null,
      name: lead?.name ?? null,
      phone: lead?.phone ?? null,
    },
    connection:
      connection === null ? null : { id: connection.id, name: connection.name, kind: connection.kind },
    messages,
    leads,
    conversations,
    cache,
    fetch: {
      requests: fetched?.requests ?? 0,
      pages: fetched?.pages ?? [],
      gaps: (fetched?.gaps ?? []).map(gapViewOf),
      anchor: anchor === null ? null : viewOf(anchor),
    },
    oldestMessageAt: done.oldestMessageAt === null ? null : instant(done.oldestMessageAt),
    nextAllowedAt: done.nextAllowedAt === null ? null : instant(done.nextAllowedAt),
    problems: tally.problems,
    problemCount: tally.problemCount,
    database: ctx.store.location,
  };
  return { ...result, remedies: adviseImport(result) };
}

function viewOf({ id, fromMe, address, otherAddress, timestampMs }: Anchor): AnchorView {
  return { id, fromMe, address, otherAddress, timestamp: instant(timestampMs) };
}

function gapViewOf({ reason, anchor, behind, filled }: FetchedGap): FetchedGapView {
  return { reason, after: instant(behind.timestampMs), before: instant(anchor.timestampMs), filled };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}
