import { EXIT, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { countMarked } from '../../store/checks/messages.js';
import { countLeads } from '../../store/checks/conversations.js';
import {
  countAdopted,
  countPeople,
  readPendingFactGroups,
  countTickets,
  countJournaledRemovals,
  readCreatedByRuns,
  readEntryGroups,
  countSavedFromPending,
  readDeliveryFailures,
  readLiveRhythm,
  readMessageFigures,
  readTraffic,
} from '../../store/queries/report.js';
import { readOverdueTargets, readPendingContacts } from '../../store/queries/contacts-at-risk.js';
import { inSnapshot } from '../../store/transactions.js';
import type { Sql } from '../../store/sql.js';
import { readAlertAcks } from '../../store/tables/alert-acks.js';
import { readConnections, readConnectionTimes } from '../../store/tables/connections.js';
import { readMissingChunks, readOwedHistory } from '../../store/tables/history.js';
import { readNewestRejects, readRejectGroups } from '../../store/tables/rejects.js';
import { readHistoryRequests } from '../../store/tables/graph.js';
import { ALL_MEDIA, countMedia, isFetchingMedia, readMediaRuns } from '../../store/tables/media-files.js';
import { readSavedComparisons } from '../../store/tables/saved-comparisons.js';
import { countRuns, readRecentRuns, readTopRuns } from '../../store/tables/sync-runs.js';
import { readUnclaimed } from '../../audit/unclaimed-waba.js';
import { markReadable } from '../../audit/readable-again.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { judgeRuns } from '../../ingest/runs/judge.js';
import { readAccountEvents, withConnecting } from '../../rawlog/account-events.js';
import { OVERDUE_MS } from '../../rules/amendments.js';
import { contentRank, IS_ADOPTED_SQL } from '../../rules/evidence.js';
import { CHECK_NAMES } from '../verify/types.js';
import { verifyAll, type Verified } from '../verify/verify.js';
import { calendarOf } from './days.js';
import type { ReportOptions, ReportResult } from './types.js';
import { summarize, type ReportData } from './summarize.js';
import { trafficBounds } from './traffic.js';

const REJECTS_SHOWN = 20;
const TREND_RUNS = 60;
const CONTACTS_READ = 1000;

/** Meta sends history media only up to this age (by the placeholder's own time). */
const MEDIA_WINDOW_MS = 14 * 86_400_000;

/** Content of this rank or more is complete; `messages.evidence` holds the rank of the type in its bits 4-7. */
const WHOLE = contentRank('content', 'echo');

/**
 * True for media announced by the history and never delivered: a placeholder, or media without an id. WhatsApp Web
 * media have no such id and are not owed: only what Meta sent (a wamid) is. Revoked media are no longer owed.
 */
const MEDIA_OWED_SQL = `source = 'history' and deleted_at is null and (evidence >> 4 & 15) < ${WHOLE}
  and (type = 'media_placeholder'
    or (type in ('image', 'video', 'audio', 'document', 'sticker', 'voice') and external_id like 'wamid.%'))`;

/**
 * What was synchronized, what was lost and why, per connection; what to check; and the last runs. Read-only: with
 * `audit` reads the whole raw log, then the figures from one snapshot of the database, in a few passes over the tables.
 * Needs no lock. Throws ConfigError when `options.connection` names no connection, and UserError when interrupted.
 */
export async function report(ctx: Context, options: ReportOptions): Promise<ReportResult> {
  const only = options.connection === undefined ? null : (await findConnection(ctx, options.connection)).id;
  const verified = options.verified ?? (options.audit ? await compareLog(ctx, options) : null);
  const now = ctx.clock();
  const data = await inSnapshot(ctx.store, (sql) => read(sql, ctx, options, { now, only }));
  return summarize(ctx, options, { ...data, verified });
}

/** Compares the raw log with the database, item by item, and runs the other checks. */
async function compareLog(ctx: Context, { connection, historyMinutes }: ReportOptions): Promise<Verified> {
  const verified = await verifyAll(ctx, {
    // All of them, as in `verify` and `reconcile`: two different answers to one question would not be believed.
    checks: new Set(CHECK_NAMES),
    enforce: false,
    historyMinutes,
    ...(connection === undefined ? {} : { connection }),
  });
  if (verified.result.status !== 'interrupted') return verified;
  // Half a comparison proves nothing: what it did not find may be in the other half.
  throw new UserError('Interrupted before the raw log was compared.', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
    remedy: remedy('report', ['--no-audit'], 'is quick, and says nothing about losses'),
  });
}

interface Moment {
  now: number;
  /** Id of the only requested connection. */
  only: string | null;
}

async function read(
  sql: Sql,
  ctx: Context,
  options: ReportOptions,
  { now, only }: Moment,
): Promise<Omit<ReportData, 'verified'>> {
  const connections = await readConnections(sql);
  const chosen = connections.filter(({ id }) => only === null || id === only);
  const ids = chosen.map(({ id }) => id);
  const { entries, rejects } = await markReadable(sql, {
    entries: await readEntryGroups(sql, null),
    rejects: await readRejectGroups(sql, null),
  });
  const hasPending = entries.some(({ status }) => status === 'pending');
  const { calendar, messages, newestDay } = await readDays(sql, ids, options, now);
  const runs = await readRecentRuns(sql, options.runs, ctx.parentRunId ?? null);
  const bounds = trafficBounds(now, options.hours === true ? calendar : null);
  const newest = await readTopRuns(sql, TREND_RUNS);
  const accountEvents = await readAccountEvents(
    sql,
    entries.flatMap(({ accountUpdates }) => accountUpdates),
  );
  return {
    now,
    calendar,
    connections,
    chosen,
    entries,
    unclaimed: hasPending ? await readUnclaimed(sql, connections) : null,
    times: withConnecting(await readConnectionTimes(sql), connections, accountEvents),
    missingChunks: await readMissingChunks(sql, ids),
    messages,
    newestDay,
    // The raw log has already shown whether there are any.
    adopted: entries.some(({ provider }) => provider.startsWith('crm:'))
      ? await countAdopted(sql, ids, IS_ADOPTED_SQL)
      : [],
    failures: await readDeliveryFailures(sql, ids),
    rhythms: await readLiveRhythm(sql, chosen),
    traffic: { bounds, slices: await readTraffic(sql, ids, bounds) },
    leads: await countLeads(sql),
    people: await countPeople(sql, ids),
    tickets: await countTickets(sql, ids),
    pendingFacts: await readPendingFactGroups(sql, now - OVERDUE_MS),
    rejects,
    rejected: await readNewestRejects(sql, only, REJECTS_SHOWN),
    savedFromPending: hasPending ? await countSavedFromPending(sql, ids) : new Map<string, number>(),
    created: await readCreatedByRuns(sql),
    journaled: await countJournaledRemovals(sql),
    accountEvents,
    acks: await readAlertAcks(sql),
    saved: await readSavedComparisons(sql),
    historyRequests: await readHistoryRequests(sql),
    owedHistory: await readOwedHistory(sql),
    mediaRuns: await readMediaRuns(sql),
    // Counting everything that messages name takes a pass over them.
    media: (await isFetchingMedia(sql))
      ? await countMedia(sql, { ...ALL_MEDIA, connectionId: only }, now)
      : [],
    runs: await judgeRuns(ctx, runs, sql, ctx.store.backend),
    marked: await countMarked(sql),
    runCounts: await countRuns(sql),
    trend: await judgeRuns(ctx, newest, sql, ctx.store.backend),
    pendingContacts: await readPendingContacts(sql, now - OVERDUE_MS, CONTACTS_READ),
    overdueTargets: await readOverdueTargets(sql, now - OVERDUE_MS, CONTACTS_READ),
  };
}

/**
 * The requested days, with their messages. If no last day was given and the days up to today hold no message, they end
 * with the newest day that has one: an empty chart would say nothing about the data.
 */
async function readDays(
  sql: Sql,
  connectionIds: readonly string[],
  { until, timeZone, days }: ReportOptions,
  now: number,
): Promise<Pick<ReportData, 'calendar' | 'messages' | 'newestDay'>> {
  const readUpTo = async (last: number): Promise<Pick<ReportData, 'calendar' | 'messages'>> => {
    const calendar = calendarOf(now, last, timeZone, days);
    const messages = await readMessageFigures(sql, connectionIds, {
      days: calendar.begins,
      owed: MEDIA_OWED_SQL,
      expiredBefore: now - MEDIA_WINDOW_MS,
    });
    return { calendar, messages };
  };
  const asked = await readUpTo(Math.min(until ?? now, now));
  const begin = asked.calendar.begins[asked.calendar.firstShown] ?? now;
  const newestAt = Math.max(...asked.messages.groups.map(({ lastAt }) => lastAt));
  if (until !== undefined || !Number.isFinite(newestAt) || newestAt >= begin) {
    return { ...asked, newestDay: null };
  }
  const newest = await readUpTo(newestAt);
  return { ...newest, newestDay: newest.calendar.labels.at(-1) ?? null };
}
