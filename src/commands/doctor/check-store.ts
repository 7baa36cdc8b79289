import { judgeRuns, type JudgedRun, type Onlooker } from '../../ingest/runs/judge.js';
import { finishRun } from '../../audit/run-remedy.js';
import { amount } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { readKeyStates, UNIQUE_KEYS } from '../../store/checks/schema.js';
import { migrationStatus } from '../../store/migrations/migrate.js';
import { assertMigratable } from '../../store/migrations/status.js';
import { readMissingRights, readRole, readServerFacts } from '../../store/server.js';
import type { Sql } from '../../store/sql.js';
import { minuteOf } from '../../model/time.js';
import type { Store } from '../../store/store.js';
import { readRecentRuns } from '../../store/tables/sync-runs.js';
import { fail, listed, ok, warn, type Found } from './types.js';

/** Whether the server can store this tool's data. */
export async function checkServer(store: Store): Promise<Found> {
  const facts = await readServerFacts(store.sql);
  const message = `PostgreSQL ${facts.version}`;
  if (facts.encoding !== 'UTF8') {
    return fail(
      `${message}, encoding ${facts.encoding}: it cannot store emoji and most languages`,
      `Create the database again: create database … encoding 'UTF8' template template0`,
    );
  }
  if (facts.readOnly) {
    return fail(
      `${message}, read-only: a standby, or a role that may not write`,
      'Name the primary server in the database URL.',
    );
  }
  if (store.backend === 'postgresql' && !facts.autovacuum) {
    return warn(
      `${message}, with autovacuum switched off: tables bloat and queries slow down`,
      'On the server: alter system set autovacuum = on; select pg_reload_conf();',
    );
  }
  return ok(message);
}

/** What a connection pooler between here and the server changes; null if there is none, or none in use. */
export function checkPooler(store: Store): Found | null {
  if (!store.pooled) return null;
  return ok(
    'connected through a pooler: a run holds its lock in an open transaction, and statements are ' +
      'planned each time. With DIRECT_URL, the address of the server itself, runs are faster; verify --enforce needs it',
  );
}

/** Whether the tables are this tool's, at this version. */
export async function checkMigrations(store: Store): Promise<Found> {
  const status = await migrationStatus(store);
  try {
    assertMigratable(status, store.location);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return fail(error.message, error.remedy);
  }
  const { applied, pending } = status;
  if (pending.length === 0) return ok(`${applied.length} applied, none pending`);
  const message =
    applied.length === 0
      ? 'the database is empty: its tables have not been created yet'
      : `${amount(pending.length, 'migration')} pending: ${listed(pending)}`;
  // The embedded database migrates itself.
  if (store.backend === 'pglite') {
    return ok(`${message}; the next command applies them`);
  }
  return fail(message, remedy('db migrate', [], 'applies them'));
}

/** Whether this role has the rights that commands need. */
export async function checkRights(sql: Sql): Promise<Found> {
  const tables = [...new Set(UNIQUE_KEYS.map(({ table }) => table))];
  const missing = await readMissingRights(sql, tables);
  if (missing.length === 0) return ok('this role may read and write every table');
  const { readsAll, writesAny, records } = await readRole(sql, tables);
  // On purpose: nobody grants select on every table and forgets all the rest.
  if (readsAll && !writesAny) {
    return records
      ? ok(
          'this role only reads: it can look at everything, and its looks are recorded; it imports and repairs nothing',
        )
      : warn(
          'this role only reads, and may not write to access_log: it is shown nothing that people wrote',
          'As the owner: grant insert on access_log to …',
        );
  }
  return fail(
    `this role lacks rights on ${listed(missing)}`,
    'As the owner: grant select, insert, update, delete on all tables in schema … to …',
  );
}

/** Whether unique indexes prevent duplicates. */
export async function checkIndexes(sql: Sql): Promise<Found> {
  const states = await readKeyStates(sql);
  const bad = [...states].flatMap(([key, { state }]) =>
    state === 'sound' ? [] : [state === 'table_missing' ? `${key.index} (no table ${key.table})` : key.index],
  );
  if (bad.length === 0) {
    return ok(`all ${states.size} unique indexes present and valid`);
  }
  return fail(`${amount(bad.length, 'unique index', 'unique indexes')} missing or invalid: ${listed(bad)}`, [
    remedy('verify', [], 'shows what prevents them'),
    remedy('verify', ['--enforce'], 'creates them'),
  ]);
}

const RECENT_RUNS = 50;
const NAMED_RUNS = 3;

/** Runs that did not finish, and that no later run made up for. */
export async function checkRuns({ sql, backend }: Store, onlooker: Onlooker): Promise<Found> {
  const runs = await judgeRuns(onlooker, await readRecentRuns(sql, RECENT_RUNS), sql, backend);
  const working = runs.filter(({ status }) => status === 'running');
  const unfinished = runs.filter(
    ({ row, status }) => ['died', 'interrupted', 'failed'].includes(status) && row.coveredBy === null,
  );
  if (unfinished.length > 0) {
    return warn(`${amount(unfinished.length, 'run')} did not finish: ${listed(unfinished.map(wordsOf))}`, [
      'Run the same command again to resume; nothing that was committed is lost.',
      ...againOf(unfinished),
    ]);
  }
  if (working.length > 0) {
    return ok(`running now: ${listed(working.map(wordsOf))}`);
  }
  return ok('every run has finished');
}

/** The commands that resume the newest of them, each once. */
function againOf(unfinished: readonly JudgedRun[]): Remedy[] {
  const commands = unfinished.map(
    ({ row }) => finishRun(row, 'resumes it') ?? remedy('runs show', [row.id], 'shows what is known of it'),
  );
  return [...new Map(commands.map((one) => [JSON.stringify(one), one])).values()].slice(0, NAMED_RUNS);
}

function wordsOf({ row: { command, host, pid, startedAt }, status }: JudgedRun): string {
  const how = status === 'running' || status === 'died' ? '' : `, ${status}`;
  return `${command} of ${minuteOf(startedAt)} (${host}:${pid}${how})`;
}
