import { ENFORCE_VALUES_REMEDY } from '../../audit/derived-rows.js';
import { ConfigError } from '../../model/errors.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { worstSeverity } from '../../model/enumerations.js';
import { inSnapshot } from '../../store/transactions.js';
import { sqlState } from '../../store/sql-state.js';
import type { Sql } from '../../store/sql.js';
import { readConnections, type ConnectionRow } from '../../store/tables/connections.js';
import type { LogAudit } from '../../audit/losses.js';
import { areTooMany } from '../dedupe/dedupe.js';
import { findConnection } from '../connections/find.js';
import type { Context } from '../../context.js';
import { readAccepted, withAccepted, type Accepted } from './acknowledged.js';
import {
  DEDUPE_MANY_REMEDY,
  DEDUPE_REMEDY,
  ENFORCE_INDEX_REMEDY,
  RELINK_REMEDY,
  REPLAY_ALL_REMEDY,
  RESTORE_COPIES_REMEDY,
  RESTORE_IDS_REMEDY,
  type VerifyView,
} from './check.js';
import { runCheck } from './checks.js';
import { enforce } from './enforce.js';
import { BY_HAND } from './ticket-rules.js';
import { readProof, type Proof } from './proof.js';
import {
  CHECK_NAMES,
  type CheckName,
  type CheckResult,
  type EnforcedIndex,
  type VerifyOptions,
  type VerifyResult,
} from './types.js';

/** A verification, with what its callers need next. */
export interface Verified {
  result: VerifyResult;
  /** The checks without acknowledgements: the input of the alerts. */
  checks: readonly CheckResult[];
  /** Null if `raw_log` did not run. */
  audit: LogAudit | null;
  /** Null without `remember`. */
  proof: Proof | null;
  /** Entries with a bad signature that is not on record: replaying them records it. With `more`, there are others. */
  forged: { ids: string[]; more: boolean };
}

/** More entries than these are not named: replaying everything is simpler. */
const MOST_FORGED = 20_000;

/** See {@link verifyAll}. */
export async function verify(ctx: Context, options: VerifyOptions): Promise<VerifyResult> {
  return (await verifyAll(ctx, options)).result;
}

/**
 * Runs the checks on one read-only snapshot of the database, so that a concurrent replay cannot look like a fault. With
 * `enforce`, first creates missing or invalid unique indexes, and corrects wrong derived values. Throws ConfigError for
 * an unknown connection.
 */
export async function verifyAll(ctx: Context, options: VerifyOptions): Promise<Verified> {
  const startedAt = ctx.clock();
  const connectionId =
    options.connection === undefined ? null : (await findConnection(ctx, options.connection)).id;
  const {
    runId,
    indexes: enforced,
    recomputed,
  } = !options.enforce
    ? NOTHING_ENFORCED
    : await enforce(ctx, {
        scope: {
          connectionIds: connectionId === null ? null : [connectionId],
          since: options.since ?? null,
        },
        checks: options.checks,
        recordedOptions: options.recordedOptions ?? { enforce: true },
      }).catch(rethrowAltered);
  const { results, accepted, connections, areMany, ...found } = await inSnapshot(
    ctx.store,
    (sql) => runChecks(ctx, sql, options, connectionId),
    { findsMessages: options.checks.has('raw_log') },
  ).catch(rethrowAltered);
  const raw = results.map((check) => {
    const first = dedupeFirst(restoreFirst(withoutDeadEnd(check, enforced), results), results);
    return forced(ifRestorable(first, results), areMany);
  });
  const checks = raw.map((check) => withAccepted(check, accepted.get(check.check)));
  const finishedAt = ctx.clock();
  const byName = (name: CheckName): CheckResult | undefined => raw.find(({ check }) => check === name);
  const rawLog = byName('raw_log');
  const duplicates = byName('duplicate_ids');
  const result: VerifyResult = {
    schemaVersion: 1,
    command: 'verify',
    runId,
    status: ctx.signal.aborted ? 'interrupted' : 'completed',
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(finishedAt).toISOString(),
    durationMs: finishedAt - startedAt,
    checks,
    connections,
    findings: checks.reduce((sum, { status, found }) => sum + (status === 'findings' ? found : 0), 0),
    acknowledged: checks.reduce((sum, { acknowledged = 0 }) => sum + acknowledged, 0),
    severity: worstSeverity(
      checks.flatMap(({ severity, notes = 0 }) => [
        ...(severity === null ? [] : [severity]),
        ...(notes > 0 ? (['note'] as const) : []),
      ]),
    ),
    messages: rawLog?.checked ?? null,
    missing: rawLog?.missing ?? null,
    doubled: duplicates === undefined ? null : duplicates.found + (byName('missing_ids')?.copies ?? 0),
    enforced: enforced.map((index) => forced(index, areMany)),
    recomputed,
    database: ctx.store.location,
  };
  return { result, checks: raw, ...found };
}

/** As `report` waits where nothing else is said. */
const HISTORY_MINUTES = 60;

const NOTHING_ENFORCED = {
  runId: null,
  indexes: [],
  recomputed: { messages: 0, conversations: 0, leads: 0, tickets: 0, malformed: 0 },
};

/** If `--enforce` was just blocked, the remedy is what unblocks it. */
function withoutDeadEnd(check: CheckResult, enforced: readonly EnforcedIndex[]): CheckResult {
  const blocked = enforced.filter(({ outcome }) => outcome === 'blocked');
  if (check.check !== 'unique_index' || blocked.length === 0) return check;
  return {
    ...check,
    remedy: blocked.find(({ remedy }) => remedy !== undefined && remedy !== null)?.remedy ?? null,
  };
}

const RESTORE_FIRST = remedy('replay', ['--all'], 'restores the messages; verify again for what is left');

/**
 * Missing messages can make derived values wrong: a restore corrects them, too. `--enforce` is for the rest, and so is
 * a person's decision about tickets without their messages.
 */
function restoreFirst(check: CheckResult, results: readonly CheckResult[]): CheckResult {
  const isLost = results.some(
    ({ check: name, remedy }) =>
      name === 'raw_log' && (remedy === REPLAY_ALL_REMEDY || remedy === RELINK_REMEDY),
  );
  const isTickets = check.check === 'ticket_rules' && check.status === 'findings';
  if (isLost && (check.remedy === ENFORCE_VALUES_REMEDY || isTickets))
    return ticketsLast(check, RESTORE_FIRST);
  const nameless = results.find(
    ({ check: name, status, remedy }) =>
      status === 'findings' &&
      remedy !== null &&
      (name === 'raw_entry' || (name === 'missing_ids' && remedy === DEDUPE_REMEDY)),
  );
  // A row that lost its id and its entry is not a message that a ticket can name.
  return isTickets && nameless !== undefined ? ticketsLast(check, nameless.remedy) : check;
}

function ticketsLast(check: CheckResult, first: Remedy | null): CheckResult {
  return { ...check, summary: check.summary.replace(BY_HAND, ''), remedy: first };
}

/** If `dedupe --apply` refuses, it needs `--force`. */
function forced<T extends { remedy?: Remedy | null }>(advised: T, areMany: boolean): T {
  return areMany && advised.remedy === DEDUPE_REMEDY ? { ...advised, remedy: DEDUPE_MANY_REMEDY } : advised;
}

/** Duplicates block a unique index: merge them first. */
function dedupeFirst(check: CheckResult, results: readonly CheckResult[]): CheckResult {
  if (check.remedy !== ENFORCE_INDEX_REMEDY) return check;
  // A replay makes duplicates of the copies.
  const hasCopies = results.some(({ remedy }) => remedy === RESTORE_COPIES_REMEDY);
  if (hasCopies) return { ...check, remedy: RESTORE_COPIES_REMEDY };
  const hasDuplicates = results.some(({ check: name, found }) => name === 'duplicate_ids' && found > 0);
  return hasDuplicates ? { ...check, remedy: DEDUPE_REMEDY } : check;
}

/** A message gets its id back only if the raw log holds one that is not in the database. */
function ifRestorable(check: CheckResult, results: readonly CheckResult[]): CheckResult {
  const isWhole = results.some(({ check: name, missing }) => name === 'raw_log' && missing === 0);
  return isWhole && check.remedy === RESTORE_IDS_REMEDY ? { ...check, remedy: null } : check;
}

/** Tables or columns are gone although the migrations are recorded as applied: no check can be trusted. */
function rethrowAltered(error: unknown): never {
  const [undefinedTable, undefinedColumn] = ['42P01', '42703'];
  const state = sqlState(error);
  if (state !== undefinedTable && state !== undefinedColumn) throw error;
  throw new ConfigError('A table or column that the migrations created is missing.', {
    code: 'database_altered',
    remedy: 'Restore it from a backup, or restore its structure as in prisma/migrations. --debug names it.',
    inProgram:
      'Restore it from a backup, or restore its structure as in prisma/migrations. The cause names it.',
    cause: error,
  });
}

async function runChecks(
  ctx: Context,
  sql: Sql,
  options: VerifyOptions,
  connectionId: string | null,
): Promise<
  Pick<Verified, 'audit' | 'proof' | 'forged'> & {
    results: CheckResult[];
    accepted: Map<CheckName, Accepted>;
    connections: number;
    areMany: boolean;
  }
> {
  const doubled = new Map<string, number>();
  const found: { audit: LogAudit | null } = { audit: null };
  const forged = new Set<string>();
  const proof = options.remember === true ? await readProof(sql, options.provenBefore ?? null) : null;
  const view: VerifyView = {
    ...viewOf(ctx, sql, options, await readConnections(sql), connectionId),
    ...scopeOfProof(proof, options),
    audited: (audit) => {
      found.audit = audit;
    },
    forged: (entryId) => {
      if (forged.size <= MOST_FORGED) forged.add(entryId);
    },
    doubled: (id, rows) => {
      doubled.set(id, (doubled.get(id) ?? 0) + rows);
    },
  };
  const results: CheckResult[] = [];
  const wanted = CHECK_NAMES.filter(
    (name) => options.checks.has(name) && (name !== 'signatures' || view.appSecrets.length > 0),
  );
  for (const [index, name] of wanted.entries()) {
    ctx.emit({ event: 'step', step: name, number: index + 1, of: wanted.length });
    const result = await runCheck(name, view);
    // An interrupted check proves nothing: the faults may be in the part it did not reach.
    if (ctx.signal.aborted) break;
    results.push(result);
  }
  const accepted = await readAccepted(view, results, found.audit);
  return {
    results,
    accepted,
    audit: found.audit,
    proof,
    forged: { ids: [...forged].slice(0, MOST_FORGED), more: forged.size > MOST_FORGED },
    connections: view.connections.length,
    areMany: await areTooMany(sql, doubled),
  };
}

function scopeOfProof(
  proof: Proof | null,
  { provenBefore }: VerifyOptions,
): Pick<VerifyView, 'touchedSince'> {
  return proof?.unproven.kind === 'new' && provenBefore !== undefined
    ? { touchedSince: provenBefore.since }
    : { touchedSince: null };
}

function viewOf(
  ctx: Context,
  sql: Sql,
  options: VerifyOptions,
  connections: readonly ConnectionRow[],
  connectionId: string | null,
): VerifyView {
  return {
    sql,
    connections: connections.filter(({ id }) => connectionId === null || id === connectionId),
    restricted: connectionId !== null,
    since: options.since ?? null,
    touchedSince: null,
    checks: options.checks,
    appSecrets: ctx.appSecrets ?? [],
    now: ctx.clock(),
    historyMinutes: options.historyMinutes ?? HISTORY_MINUTES,
    signal: ctx.signal,
    wantsItems: options.onItem !== undefined,
    item: options.onItem ?? ((): void => undefined),
  };
}
