import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import type { z } from 'zod';
import { addConnection as addConnectionTo, type AddConnectionResult } from '../commands/connections/save.js';
import { listConnections as listConnectionsOf, type ConnectionList } from '../commands/connections/list.js';
import { compare as runCompare } from '../commands/compare/compare.js';
import type { ComparedItem, CompareResult } from '../commands/compare/types.js';
import { dedupe as runDedupe } from '../commands/dedupe/dedupe.js';
import type { DedupeResult } from '../commands/dedupe/result.js';
import { explain as runExplain } from '../commands/explain/explain.js';
import type { ExplainResult } from '../commands/explain/result.js';
import { readMessages as readPage } from '../commands/messages/read-messages.js';
import type { MessagesResult } from '../commands/messages/result.js';
import { showReconcile } from '../commands/reconcile/show-reconcile.js';
import type { ReconcileResult } from '../commands/reconcile/types.js';
import type { ReplayInput } from '../commands/replay/options.js';
import { showReplay } from '../commands/replay/show-replay.js';
import { showReport } from '../commands/report/show-report.js';
import { alertLimitsOf, type ReportResult } from '../commands/report/types.js';
import {
  listRuns as listRunsOf,
  showRun as showRunOf,
  type RunDetail,
  type RunList,
} from '../commands/runs/runs.js';
import { undo as runUndo } from '../commands/undo/undo.js';
import type { UndoResult } from '../commands/undo/types.js';
import type { VerifiedItem, VerifyResult } from '../commands/verify/types.js';
import { verify as runVerify } from '../commands/verify/verify.js';
import { resolveInputs } from '../inputs/resolve-inputs.js';
import { ConfigError } from '../model/errors.js';
import type { RunResult } from '../model/run-result.js';
import { underLock, type LibraryContext } from './create-context.js';
import { OPTIONS, readOptions, recordedOf, type Given } from './options.js';

/**
 * The use-cases of the command line as functions: the same defaults, the same locks, the results that `--json` prints.
 * Each throws UserError (with a `code`) for errors caused by its caller or the database; any other exception is a bug.
 */

/**
 * Replays logs (`paths` or `input`) into leads, conversations, messages and tickets; stored entries, where neither is given.
 * Repeating it, in any order, changes nothing. Takes the shared lock: several may run at once.
 */
export async function replay(ctx: LibraryContext, given: Given<'replay'> = {}): Promise<RunResult> {
  const options = readOptions('replay', OPTIONS.replay, given);
  const source = await inputOf(options);
  const { connection, register, tickets, dryRun, strict, maxErrors, batchSize, resume } = options;
  return underLock(ctx, 'replay', 'shared', (held) =>
    showReplay(held, {
      input: source,
      connection,
      register,
      tickets,
      include: new Set(options.include),
      dryRun,
      strict,
      maxErrors,
      batchSize,
      resume,
      recordedOptions: {
        ...recordedOf({ ...given, cwd: undefined, resume: undefined, noResume: !resume }),
        ...(options.paths.length === 0 ? {} : { directory: resolve(options.cwd ?? '.') }),
      },
    }),
  );
}

/** Finds duplicates; with `apply` merges them, under the exclusive lock. */
export async function dedupe(ctx: LibraryContext, given: Given<'dedupe'> = {}): Promise<DedupeResult> {
  const { classes, ...options } = readOptions('dedupe', OPTIONS.dedupe, given);
  const { classes: named, ...others } = given;
  return underLock(ctx, 'dedupe', options.apply ? 'exclusive' : undefined, (held) =>
    runDedupe(held, {
      ...options,
      classes: new Set(classes),
      recordedOptions: recordedOf({ ...others, class: named }),
    }),
  );
}

/** Reverts what a run of `dedupe`, or of `verify` with `enforce`, changed: all of it, or with `force` what can be. */
export async function undo(ctx: LibraryContext, given: Given<'undo'>): Promise<UndoResult> {
  const options = readOptions('undo', OPTIONS.undo, given);
  return underLock(ctx, 'undo', 'exclusive', (held) =>
    runUndo(held, { ...options, recordedOptions: recordedOf(given) }),
  );
}

/**
 * Compares the raw log with the database and checks every other rule; only reads, except with `enforce`. `onItem` receives
 * every item that was compared.
 */
export async function verify(
  ctx: LibraryContext,
  { onItem, ...given }: Given<'verify'> & { onItem?: (item: VerifiedItem) => Promise<void> | void } = {},
): Promise<VerifyResult> {
  const { checks, ...options } = readOptions('verify', OPTIONS.verify, given);
  const { checks: named, ...others } = given;
  return underLock(ctx, 'verify', options.enforce ? 'exclusive' : undefined, (held) =>
    runVerify(held, {
      ...options,
      checks: new Set(checks),
      onItem,
      recordedOptions: recordedOf({ ...others, check: named }),
    }),
  );
}

/** What was synchronized, lost and why: figures, accounts and alerts. Read-only. */
export async function report(ctx: LibraryContext, given: Given<'report'> = {}): Promise<ReportResult> {
  const { historyAfterMs, silentAfterMs, ...options } = readOptions('report', OPTIONS.report, given);
  return underLock(ctx, 'report', undefined, (held) =>
    showReport(held, { ...options, ...alertLimitsOf(historyAfterMs, silentAfterMs) }),
  );
}

/** Replays what is pending, counts or merges duplicates, verifies, restores what is missing, and reports: the nightly run. */
export async function reconcile(
  ctx: LibraryContext,
  given: Given<'reconcile'> = {},
): Promise<ReconcileResult> {
  const { include, historyAfterMs, silentAfterMs, ...options } = readOptions(
    'reconcile',
    OPTIONS.reconcile,
    given,
  );
  const { historyAfterMs: historyAfter, silentAfterMs: silentAfter, timeZone: tz, ...others } = given;
  return underLock(ctx, 'reconcile', options.dryRun ? 'shared' : 'exclusive', (held) =>
    showReconcile(held, {
      ...options,
      include: new Set(include),
      ...alertLimitsOf(historyAfterMs, silentAfterMs),
      recordedOptions: recordedOf({ ...others, historyAfter, silentAfter, tz }),
    }),
  );
}

/**
 * One page of a contact's messages, newest first. `pagination.cursor` gives the next, older page. Throws ConfigError
 * `invalid_contact` (not a phone, JID, LID, BSUID or lead id), `unknown_contact` (no lead has it) or
 * `ambiguous_contact`.
 */
export async function readMessages(
  ctx: LibraryContext,
  given: Given<'readMessages'>,
): Promise<MessagesResult> {
  const { since: from, until: to, ...options } = readOptions('readMessages', OPTIONS.readMessages, given);
  return underLock(ctx, 'messages', undefined, (held) => readPage(held, { ...options, from, to }));
}

/**
 * Compares a CRM's tables (`crmUrl`, or exports of them in `paths`) with the database, and classifies every message.
 * Read-only on both sides. `onItem` receives every message and row.
 */
export async function compare(
  ctx: LibraryContext,
  { onItem, ...given }: Given<'compare'> & { onItem?: (item: ComparedItem) => Promise<void> | void },
): Promise<CompareResult> {
  const { crmUrl, crmTable, paths, cwd, ...options } = readOptions('compare', OPTIONS.compare, given);
  if ((crmUrl === undefined) === (paths.length === 0)) throw excludingOne('compare', 'crmUrl', 'paths');
  return underLock(ctx, 'compare', undefined, async (held) =>
    runCompare(held, {
      ...options,
      place:
        crmUrl === undefined
          ? {
              kind: 'files',
              inputs: await resolveInputs(paths, { cwd: cwd ?? '.' }),
              stdin: Readable.from([]),
              signal: held.signal,
            }
          : { kind: 'database', url: crmUrl, table: crmTable },
      onItem,
    }),
  );
}

/** Explains where a message, a contact, a raw entry or a run came from, and where a missing one went. Read-only. */
export async function explain(ctx: LibraryContext, given: Given<'explain'>): Promise<ExplainResult> {
  const options = readOptions('explain', OPTIONS.explain, given);
  return underLock(ctx, 'explain', undefined, (held) => runExplain(held, { ...options, shows: 'result' }));
}

/** Past runs and those at work, the newest first. */
export async function listRuns(ctx: LibraryContext, given: Given<'listRuns'> = {}): Promise<RunList> {
  const options = readOptions('listRuns', OPTIONS.listRuns, given);
  return underLock(ctx, 'runs list', undefined, (held) => listRunsOf(held, options));
}

/** One run, by its id or a prefix. Throws ConfigError if none or several match. */
export async function showRun(ctx: LibraryContext, run: string): Promise<RunDetail> {
  const id = readOptions('showRun', OPTIONS.showRun, run);
  return underLock(ctx, 'runs show', undefined, (held) => showRunOf(held, id));
}

/** The connections, or those of one organization (by its slug). */
export async function listConnections(
  ctx: LibraryContext,
  given: Given<'listConnections'> = {},
): Promise<ConnectionList> {
  const { organization } = readOptions('listConnections', OPTIONS.listConnections, given);
  return underLock(ctx, 'connection list', undefined, (held) => listConnectionsOf(held, organization));
}

/** Adds a connection to an organization (`default` without one). Throws ConfigError for fields that are wrong or taken. */
export async function addConnection(
  ctx: LibraryContext,
  given: Given<'addConnection'>,
): Promise<AddConnectionResult> {
  const fields = readOptions('addConnection', OPTIONS.addConnection, given);
  return underLock(ctx, 'connection add', undefined, (held) => addConnectionTo(held, fields));
}

/** What to replay. Throws ConfigError for a path without input, and for contradictory options. */
async function inputOf(options: z.output<typeof OPTIONS.replay>): Promise<ReplayInput> {
  const { paths, input, cwd, all, failed, since, until, field, contact, maxEntryBytes } = options;
  const picks = [since, until, field, contact].some((value) => value !== undefined);
  if (input === undefined && paths.length === 0) {
    if (all && failed) throw excluding('all', 'failed');
    const which = failed ? 'failed' : all || picks ? 'all' : 'pending';
    return { kind: 'log', which, since, until, field, contact };
  }
  if (input !== undefined && paths.length > 0) throw excluding('input', 'paths');
  if (all || failed || picks)
    throw excluding(input === undefined ? 'paths' : 'input', 'all, failed, since, until, field and contact');
  return {
    kind: 'paths',
    inputs: input === undefined ? await resolveInputs(paths, { cwd: cwd ?? '.' }) : [{ kind: 'stdin' }],
    stdin: input ?? Readable.from([]),
    maxEntryBytes,
  };
}

function excludingOne(useCase: string, one: string, other: string): ConfigError {
  return new ConfigError(`${useCase}: give ${one} or ${other}.`, { code: 'invalid_option' });
}

function excluding(one: string, other: string): ConfigError {
  return new ConfigError(`replay: ${one} and ${other} exclude each other.`, { code: 'invalid_option' });
}
