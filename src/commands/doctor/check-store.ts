import { judgeRuns, type JudgedRun, type Onlooker } from '../../ingest/runs/judge.js';
import { commandOfRun } from '../../ingest/runs/recorded-command.js';
import { amount } from '../../model/amount.js';
import { UserError } from '../../model/errors.js';
import { remedy, type Remedy } from '../../model/remedy.js';
import { readKeyStates, UNIQUE_KEYS } from '../../store/checks/schema.js';
import { migrationStatus } from '../../store/migrations/migrate.js';
import { assertMigratable } from '../../store/migrations/status.js';
import { readMissingRights, readServerFacts } from '../../store/server.js';
import type { Sql } from '../../store/sql.js';
import type { Store } from '../../store/store.js';
import { readRecentRuns } from '../../store/tables/sync-runs.js';
import { listed, remedyOf, type DoctorCheck } from './types.js';

/** Whether the server can hold what is stored in it. */
export async function checkServer(store: Store): Promise<DoctorCheck> {
  const facts = await readServerFacts(store.sql);
  const name = 'server' as const;
  const message = `PostgreSQL ${facts.version}`;
  if (facts.encoding !== 'UTF8') {
    return {
      name,
      status: 'fail',
      message: `${message}, encoding ${facts.encoding}: it cannot store emoji and most languages`,
      remedy: `Create the database again: create database … encoding 'UTF8' template template0`,
    };
  }
  if (facts.readOnly) {
    return {
      name,
      status: 'fail',
      message: `${message}, read-only: a standby, or a role that may not write`,
      remedy: 'Name the primary server in the database URL.',
    };
  }
  if (store.backend === 'postgresql' && !facts.autovacuum) {
    return {
      name,
      status: 'warn',
      message: `${message}, with autovacuum switched off: tables bloat and queries slow down`,
      remedy: 'On the server: alter system set autovacuum = on; select pg_reload_conf();',
    };
  }
  return { name, status: 'ok', message };
}

/** What a connection pooler between here and the server changes; null where there is none, or none in use. */
export function checkPooler(store: Store): DoctorCheck | null {
  if (!store.pooled) return null;
  return {
    name: 'pooler',
    status: 'ok',
    message:
      'a connection pooler stands before the server: a run holds its lock in an open transaction, and statements are ' +
      'planned each time. With DIRECT_URL, the address of the server itself, runs are quicker; verify --enforce needs it',
  };
}

/** Whether the tables are ours, and of this version. */
export async function checkMigrations(store: Store): Promise<DoctorCheck> {
  const name = 'migrations' as const;
  const status = await migrationStatus(store);
  try {
    assertMigratable(status, store.location);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, status: 'fail', message: error.message, ...remedyOf(error) };
  }
  const { applied, pending } = status;
  if (pending.length === 0) return { name, status: 'ok', message: `${applied.length} applied, none pending` };
  const message =
    applied.length === 0
      ? 'the database is empty: its tables have not been created yet'
      : `${amount(pending.length, 'migration')} pending: ${listed(pending)}`;
  // The embedded database migrates itself.
  if (store.backend === 'pglite') {
    return { name, status: 'ok', message: `${message}; the next command applies them` };
  }
  return { name, status: 'fail', message, remedy: remedy('db migrate', [], 'applies them') };
}

/** Whether this role may do what commands do. */
export async function checkRights(sql: Sql): Promise<DoctorCheck> {
  const missing = await readMissingRights(sql, [...new Set(UNIQUE_KEYS.map(({ table }) => table))]);
  if (missing.length === 0)
    return { name: 'rights', status: 'ok', message: 'this role may read and write every table' };
  return {
    name: 'rights',
    status: 'fail',
    message: `this role lacks rights on ${listed(missing)}`,
    remedy: 'As the owner: grant select, insert, update, delete on all tables in schema … to …',
  };
}

/** Whether unique indexes prevent duplicates. */
export async function checkIndexes(sql: Sql): Promise<DoctorCheck> {
  const states = await readKeyStates(sql);
  const bad = [...states].flatMap(([key, { state }]) =>
    state === 'sound' ? [] : [state === 'table_missing' ? `${key.index} (no table ${key.table})` : key.index],
  );
  if (bad.length === 0) {
    return { name: 'indexes', status: 'ok', message: `all ${states.size} unique indexes present and valid` };
  }
  return {
    name: 'indexes',
    status: 'fail',
    message: `${amount(bad.length, 'unique index', 'unique indexes')} missing or invalid: ${listed(bad)}`,
    remedy: [
      remedy('verify', [], 'shows what prevents them'),
      remedy('verify', ['--enforce'], 'creates them'),
    ],
  };
}

const RECENT_RUNS = 50;
const NAMED_RUNS = 3;

/** Runs that did not come to their end, and that no later one has made good. */
export async function checkRuns({ sql, backend }: Store, onlooker: Onlooker): Promise<DoctorCheck> {
  const runs = await judgeRuns(onlooker, await readRecentRuns(sql, RECENT_RUNS), sql, backend);
  const working = runs.filter(({ status }) => status === 'running');
  const unfinished = runs.filter(
    ({ row, status }) => ['died', 'interrupted', 'failed'].includes(status) && row.coveredBy === null,
  );
  if (unfinished.length > 0) {
    return {
      name: 'runs',
      status: 'warn',
      message: `${amount(unfinished.length, 'run')} did not finish: ${listed(unfinished.map(wordsOf))}`,
      remedy: [
        'Run the same command again to resume; nothing that was committed is lost.',
        ...againOf(unfinished),
      ],
    };
  }
  if (working.length > 0) {
    return { name: 'runs', status: 'ok', message: `running now: ${listed(working.map(wordsOf))}` };
  }
  return { name: 'runs', status: 'ok', message: 'every run has finished' };
}

/** The commands that take up the newest of them, each once. */
function againOf(unfinished: readonly JudgedRun[]): Remedy[] {
  const commands = unfinished.map(({ row }) => commandOfRun(row.command, row.options, 'resumes it'));
  return [...new Map(commands.map((one) => [JSON.stringify(one), one])).values()].slice(0, NAMED_RUNS);
}

function wordsOf({ row: { command, host, pid, startedAt }, status }: JudgedRun): string {
  const how = status === 'running' || status === 'died' ? '' : `, ${status}`;
  return `${command} of ${new Date(startedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC (${host}:${pid}${how})`;
}
