import type { Context } from '../../context.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { linkAgain } from '../../audit/owed-history.js';
import type { RunResult } from '../../model/run-result.js';
import type { Imported } from './import-contact.js';
import type { FetchedGap } from './fetch-pages.js';
import type { Anchor } from './find-anchor.js';
import type { AnchorView, FetchedGapView, ImportResult, ImportOutcome } from './types.js';

/** An import as JSON. Throws when its accounts do not balance. */
export function resultOf(
  ctx: Context,
  done: Imported,
  { runId, dryRun, startedAt }: { runId: string | null; dryRun: boolean; startedAt: number },
): ImportResult {
  const { outcome, reason, subject, connection, tally, cache, fetched, anchor } = done;
  const imbalance = tally.imbalance();
  if (imbalance !== null) throw new Error(`the counters of the import do not add up: ${imbalance}`);
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
      gaps: done.gaps.map(gapViewOf),
      unconfirmedEnd:
        fetched === null || fetched.unconfirmedEnd === null ? null : instant(fetched.unconfirmedEnd),
      anchor: anchor === null ? null : viewOf(anchor),
    },
    oldestMessageAt: done.oldestMessageAt === null ? null : instant(done.oldestMessageAt),
    nextAllowedAt: done.nextAllowedAt === null ? null : instant(done.nextAllowedAt),
    problems: tally.problems,
    problemCount: tally.problemCount,
    owedFiles: done.owedFiles,
    database: ctx.store.location,
  };
  return { ...result, remedies: adviseImport(result) };
}

function viewOf({ id, fromMe, address, otherAddress, timestampMs }: Anchor): AnchorView {
  return { id, fromMe, address, otherAddress, timestamp: instant(timestampMs) };
}

function gapViewOf({ reason, anchor, behind, filled }: FetchedGap): FetchedGapView {
  const after = behind === null ? null : instant(behind.timestampMs);
  return { reason, after, before: instant(anchor.timestampMs), filled };
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Whether the contact is as complete as requested. */
function isGood(outcome: ImportOutcome): boolean {
  switch (outcome) {
    case 'cache':
    case 'fetched':
    case 'end_of_history':
    case 'empty':
    case 'would_fetch':
      return true;
    case 'silent':
    case 'no_anchor':
    case 'throttled':
    case 'not_linked':
    case 'conflict':
    case 'logged_out':
    case 'offline':
    case 'download_failed':
    case 'interrupted':
      return false;
  }
}

/**
 * How an import ended, in the words of a run: `partial` if messages came before the failure, or if something in them was
 * rejected or an answer left a part out. Old rejects in the raw log are listed, but are not a fault of this import.
 */
export function statusOf({ outcome, fetched, gaps, tally }: Imported): RunResult['status'] {
  if (outcome === 'interrupted') return 'interrupted';
  const isIncomplete = gaps.some(({ filled }) => !filled);
  if (isGood(outcome)) return (fetched?.problems ?? 0) > 0 || isIncomplete ? 'partial' : 'completed';
  const { created, updated } = tally.messages;
  return (fetched?.pages.length ?? 0) > 0 || created + updated > 0 ? 'partial' : 'failed';
}

/** Outcomes of imports that were cut short: the same command must be allowed again at once. */
const CUT_SHORT: ReadonlySet<ImportOutcome> = new Set(['offline', 'conflict', 'logged_out', 'interrupted']);

/** When the phone was asked, if that still blocks the next import; null if nothing does. */
export function askedAtOf(outcome: ImportOutcome, askedAt: number | null): number | null {
  return CUT_SHORT.has(outcome) ? null : askedAt;
}

/** Next steps after an import, most useful first. */
function adviseImport(result: Omit<ImportResult, 'remedies'>): Remedy[] {
  const { contact, fetch, connection } = result;
  const remedies = adviseOutcome(result);
  const others = fetch.pages.reduce((sum, page) => sum + page.ofOthers, 0);
  const gaps = fetch.gaps.some(({ filled }) => !filled)
    ? [
        remedy(
          'import',
          [contact.typed, '--phase', 'fetch', '--force'],
          'requests the missing messages again',
        ),
      ]
    : [];
  // One request asks for both.
  if (gaps.length > 0 && asksAgain(result.outcome)) remedies.shift();
  // Without a device no import can have anything; the link downloads the missing files, too.
  if (needsLink(result.outcome)) remedies.push(...gaps);
  else
    remedies.unshift(
      ...gaps,
      ...(result.owedFiles > 0 && connection !== null ? [linkAgain(connection.name)] : []),
    );
  if (others > 0)
    remedies.push(remedy('replay', [], 'imports the messages of other people that came with the answer'));
  return remedies;
}

/** Whether the advice is to ask for the same page again. */
function asksAgain(outcome: ImportOutcome): boolean {
  return outcome === 'silent' || outcome === 'download_failed' || outcome === 'cache';
}

/** Whether a phone must be linked before another import can ask it. */
function needsLink(outcome: ImportOutcome): boolean {
  return outcome === 'not_linked' || outcome === 'logged_out';
}

function adviseOutcome({ outcome, connection, contact, dryRun }: Omit<ImportResult, 'remedies'>): Remedy[] {
  switch (outcome) {
    case 'not_linked':
    case 'logged_out':
      return connection === null || connection.kind === 'cloud_api'
        ? []
        : [remedy('link', ['--connection', connection.name], 'links the phone; import again afterwards')];
    case 'cache':
      return dryRun
        ? []
        : [remedy('import', [contact.typed, '--phase', 'fetch'], 'asks the phone for older messages')];
    case 'fetched':
      return [
        remedy(
          'import',
          [contact.typed, '--phase', 'fetch', '--pages', '10', '--force'],
          'goes further back; without --force only after five minutes',
        ),
      ];
    case 'silent':
    case 'download_failed':
      return [
        remedy(
          'import',
          [contact.typed, '--phase', 'fetch', '--force'],
          'asks again now; without --force only after five minutes',
        ),
      ];
    case 'throttled':
      return [remedy('import', [contact.typed, '--force'], 'asks anyway')];
    case 'no_anchor':
      return [remedy('explain', [contact.typed], 'shows what is known about this contact')];
    case 'end_of_history':
    case 'empty':
    case 'conflict':
    case 'offline':
    case 'interrupted':
    case 'would_fetch':
      return [];
  }
}
