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
import { checkGraph } from './check-graph.js';
import { checkSecrets } from './check-secrets.js';
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
  fail,
  ok,
  warn,
  type DoctorCheck,
  type DoctorCheckName,
  type DoctorOptions,
  type DoctorResult,
  type Found,
} from './types.js';

/**
 * Checks the installation from the outside in, and reports the state of each part and its fix. Never throws for what it
 * finds; writes nothing: creates, migrates or takes over no database.
 */
export async function doctor(options: DoctorOptions): Promise<DoctorResult> {
  const { clock, nodeVersion, database } = options;
  const checks: DoctorCheck[] = [
    { name: 'node', ...checkNode(nodeVersion, clock()) },
    { name: 'configuration', ...(await checkConfiguration(options)) },
    ...(database instanceof Error ? [] : await checkDatabase(database, options)),
  ];
  if (!checks.some(({ name }) => name === 'clock'))
    checks.push({ name: 'clock', ...checkLocalClock(clock()) });
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
    checks.push(...(await attempt('disk', () => checkEmbeddedDisk(config.directory))));
    const place = await attempt('database', () => checkDirectory(config.directory, options.looked));
    if (place.length > 0) return [...checks, ...place];
    const lock = await checkEmbeddedLock(config.directory, options);
    checks.push({ name: 'lock', ...lock.check });
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

/** How the doctor opens a database: as it is, and without waiting for anybody. */
export function opening({ host, pid, signal }: DoctorOptions): Parameters<typeof withDatabase>[1] {
  return { command: 'doctor', host, pid, signal, unmigrated: true, asItIs: true };
}

/** The checks of an open database. Later ones need what earlier ones establish. */
async function checkStore(store: Store, options: DoctorOptions): Promise<DoctorCheck[]> {
  const { sql } = store;
  const isServer = store.backend === 'postgresql';
  const checks: DoctorCheck[] = [];
  const add = async (name: DoctorCheckName, check: () => Found | null | Promise<Found | null>) => {
    checks.push(...(await attempt(name, check)));
  };
  await add('database', () => ok(`${store.location} (${isServer ? 'PostgreSQL' : 'embedded PostgreSQL'})`));
  await add('server', () => checkServer(store));
  await add('pooler', () => checkPooler(store));
  if (isServer) {
    await add('disk', () => checkServerDisk(store));
    await add('clock', () => checkServerClock(sql, options.clock));
    await add('lock', () => checkServerLock(store, options));
  }
  await add('migrations', () => checkMigrations(store));
  // The remaining checks are about this tool's tables, which may not exist yet, or belong to another program.
  if (checks.at(-1)?.status === 'fail' || (await migrationStatus(store)).pending.length > 0) return checks;
  if (isServer) await add('rights', () => checkRights(sql));
  await add('indexes', () => checkIndexes(sql));
  await add('runs', () => checkRuns(store, options));
  await add('secrets', () => checkSecrets(sql, options.secretKey));
  await add('graph', () => checkGraph(sql, options.clock()));
  return checks;
}

/** A named check, or nothing if it does not apply. If one throws, only it fails, and the others continue. */
async function attempt(
  name: DoctorCheckName,
  check: () => Found | null | Promise<Found | null>,
): Promise<DoctorCheck[]> {
  try {
    const found = await check();
    return found === null ? [] : [{ name, ...found }];
  } catch (error) {
    return [failureOf(name, error)];
  }
}

function failureOf(name: DoctorCheckName, error: unknown): DoctorCheck {
  if (error instanceof LockedError) return { name: 'lock', ...warn(error.message, error.remedy) };
  if (error instanceof UserError) return { name, ...fail(error.message, error.remedy) };
  const words = error instanceof Error ? error.message : String(error);
  return { name, ...fail(`could not be checked: ${words}`) };
}
