import { LockedError, UserError } from '../../model/errors.js';
import { migrationStatus } from '../../store/migrations/migrate.js';
import type { Store } from '../../store/store.js';
import { withDatabase, type DatabaseConfig } from '../database.js';
import { checkConfiguration, checkLocalClock, checkServerClock, checkNode } from './check-machine.js';
import {
  checkDirectory,
  checkEmbeddedDisk,
  checkServerDisk,
  checkEmbeddedLock,
  checkServerLock,
} from './check-place.js';
import {
  checkRuns,
  checkPooler,
  checkServer,
  checkIndexes,
  checkMigrations,
  checkRights,
} from './check-store.js';
import {
  DOCTOR_CHECKS,
  remedyOf,
  type DoctorOptions,
  type DoctorCheck,
  type DoctorCheckName,
  type DoctorResult,
} from './types.js';

/**
 * Checks the installation from the outside in, and reports the state of each part and what fixes it. Never throws for what
 * it finds; writes nothing: no database is created, migrated or taken over.
 */
export async function doctor(options: DoctorOptions): Promise<DoctorResult> {
  const { clock, nodeVersion, database } = options;
  const checks: DoctorCheck[] = [checkNode(nodeVersion, clock()), await checkConfiguration(options)];
  if (!(database instanceof Error)) checks.push(...(await checkDatabase(database, options)));
  if (!checks.some(({ name }) => name === 'clock')) checks.push(checkLocalClock(clock()));
  checks.sort((a, b) => DOCTOR_CHECKS.indexOf(a.name) - DOCTOR_CHECKS.indexOf(b.name));
  const has = (status: DoctorCheck['status']): boolean => checks.some((check) => check.status === status);
  return {
    schemaVersion: 1,
    command: 'doctor',
    status: has('fail') ? 'fail' : has('warn') ? 'warn' : 'ok',
    checks,
    settings: [...options.settings],
  };
}

async function checkDatabase(config: DatabaseConfig, options: DoctorOptions): Promise<DoctorCheck[]> {
  const checks: DoctorCheck[] = [];
  if (config.kind === 'pglite') {
    checks.push(await attempt('disk', () => checkEmbeddedDisk(config.directory)));
    const place = await attempt('database', () => checkDirectory(config.directory, options.looked));
    if (place !== null) return [...checks, place];
    const lock = await checkEmbeddedLock(config.directory, options);
    checks.push(lock.check);
    // Two processes in one directory lose rows: while another one has it open, nothing else can be checked.
    if (!lock.isFree) return checks;
  }
  try {
    checks.push(...(await withDatabase(config, opening(options), (store) => checkStore(store, options))));
  } catch (error) {
    checks.push(failureOf('database', error));
  }
  return checks;
}

function opening({ host, pid, signal }: DoctorOptions): Parameters<typeof withDatabase>[1] {
  return { command: 'doctor', host, pid, signal, unmigrated: true, asItIs: true };
}

async function checkStore(store: Store, options: DoctorOptions): Promise<DoctorCheck[]> {
  const isServer = store.backend === 'postgresql';
  const kind = isServer ? 'PostgreSQL' : 'embedded PostgreSQL';
  const checks: DoctorCheck[] = [{ name: 'database', status: 'ok', message: `${store.location} (${kind})` }];
  checks.push(await attempt('server', () => checkServer(store)));
  const pooler = checkPooler(store);
  if (pooler !== null) checks.push(pooler);
  if (isServer) {
    checks.push(await attempt('disk', () => checkServerDisk(store)));
    checks.push(await attempt('clock', () => checkServerClock(store.sql, options.clock)));
    checks.push(await attempt('lock', () => checkServerLock(store, options)));
  }
  const migrations = await attempt('migrations', () => checkMigrations(store));
  checks.push(migrations);
  // What follows speaks of our tables: of none, or of another program's, there is nothing to say.
  if (migrations.status === 'fail' || !(await isMigrated(store))) return checks;
  if (isServer) checks.push(await attempt('rights', () => checkRights(store.sql)));
  checks.push(await attempt('indexes', () => checkIndexes(store.sql)));
  checks.push(await attempt('runs', () => checkRuns(store, options)));
  return checks;
}

async function isMigrated(store: Store): Promise<boolean> {
  return (await migrationStatus(store)).pending.length === 0;
}

/** A check that cannot be made is a failure of its own, and costs no other one. */
async function attempt<T extends DoctorCheck | null>(
  name: DoctorCheckName,
  check: () => Promise<T>,
): Promise<T | DoctorCheck> {
  try {
    return await check();
  } catch (error) {
    return failureOf(name, error);
  }
}

function failureOf(name: DoctorCheckName, error: unknown): DoctorCheck {
  if (error instanceof LockedError) {
    return { name: 'lock', status: 'warn', message: error.message, ...remedyOf(error) };
  }
  if (error instanceof UserError) return { name, status: 'fail', message: error.message, ...remedyOf(error) };
  const words = error instanceof Error ? error.message : String(error);
  return { name, status: 'fail', message: `could not be checked: ${words}` };
}
