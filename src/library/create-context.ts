import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { embeddedIn, withRunLock, type DatabaseConfig, type RunLockChoice } from '../commands/database.js';
import { SecretKey } from '../commands/devices/secret-key.js';
import { ownProcess, type Context, type ProgressEvent } from '../context.js';
import { ConfigError } from '../model/errors.js';
import { translateDatabaseError } from '../store/database-errors.js';
import { assertMigrated, migrate } from '../store/migrations/migrate.js';
import { openStore } from '../store/open-store.js';
import { inProgram } from './in-program.js';
import { CONTEXT_OPTIONS, readOptions } from './options.js';

interface CommonOptions {
  /** Aborts whatever runs: it finishes its batch, commits and returns. */
  signal?: AbortSignal;
  /** A pino logger; absent: no logging. */
  logger?: Logger;
  /** Progress, steps and notices as they happen. */
  onProgress?: (event: ProgressEvent) => void;
  /** How long to wait for another run to end, in milliseconds (default 0: refuse at once). */
  lockWaitMs?: number;
  /** Who looks at messages, for the access log, where the operating system's user says too little. */
  actor?: string;
  /** The secret key (32 bytes in base64), where people were erased and entries from outside have to leave them out. */
  secretKey?: string;
  /** Milliseconds since 1970 (default `Date.now`). */
  clock?: () => number;
}

/** A PostgreSQL server. */
export interface ServerOptions extends CommonOptions {
  /** `postgresql://user:password@host:5432/database`, as in DATABASE_URL. */
  databaseUrl: string;
  /** The same database past a connection pooler, as in DIRECT_URL. */
  directUrl?: string;
  /** Applies pending migrations first. Otherwise an outdated database is an error. */
  migrate?: boolean;
  home?: never;
}

/** The embedded database. */
export interface HomeOptions extends CommonOptions {
  /** The directory that holds it, as in --home. */
  home: string;
  /** Creates a missing database; otherwise it is the error `database_missing`. */
  create?: boolean;
  databaseUrl?: never;
}

/** An open database with everything a use-case needs. Close it when you are done. */
export interface LibraryContext extends Context {
  readonly database: DatabaseConfig;
  readonly lockWaitMs: number;
  /** Closes the database; the context cannot be used afterwards. */
  close: () => Promise<void>;
  /** For `await using`. */
  [Symbol.asyncDispose]: () => Promise<void>;
}

/** The name of an open database shown to waiting processes. */
const HOLDER = 'a program that uses wa-reconcile as a library';

/**
 * Opens a database for the functions of this library. Throws UserError: `database_missing`, `database_unreachable`,
 * `locked` (another process has the embedded database open), `migrations_pending`, `invalid_option`.
 */
export async function createContext(options: ServerOptions | HomeOptions): Promise<LibraryContext> {
  return inProgram(() => open(options));
}

async function open(options: ServerOptions | HomeOptions): Promise<LibraryContext> {
  const {
    clock,
    lockWaitMs,
    onProgress = () => undefined,
    ...given
  } = readOptions('createContext', CONTEXT_OPTIONS, options);
  const { signal = new AbortController().signal } = given;
  const database = databaseOf(given);
  const own = ownProcess();
  const store = await openStore(database, {
    command: HOLDER,
    host: own.host,
    pid: own.pid,
    waitMs: lockWaitMs,
    signal,
    creates: given.home !== undefined && given.create === true,
    // A program asked for it by name; it need not be full.
    keepsBlank: true,
  });
  try {
    if (given.databaseUrl !== undefined && given.migrate === true) await migrate(store);
    await assertMigrated(store);
    const log = given.logger ?? (await silentLogger());
    const close = (): Promise<void> => store.close();
    return {
      ...own,
      ...(options.actor === undefined ? {} : { actor: options.actor }),
      ...(options.secretKey === undefined ? {} : secretOf(options.secretKey)),
      store,
      log,
      clock,
      signal,
      emit: onProgress,
      database,
      lockWaitMs,
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await store.close();
    throw translateDatabaseError(error, store.location) ?? error;
  }
}

type GivenDatabase = Pick<z.output<typeof CONTEXT_OPTIONS>, 'databaseUrl' | 'directUrl' | 'home'>;

/** Throws ConfigError `invalid_option` if neither is given. */
function databaseOf({ databaseUrl, directUrl, home }: GivenDatabase): DatabaseConfig {
  const given = [databaseUrl, home].filter((value) => value !== undefined);
  // Types forbid it; an untyped program must not use the wrong database.
  if (given.length > 1) {
    throw new ConfigError('createContext was given databaseUrl and home.', {
      code: 'invalid_option',
      remedy: 'Give one of them.',
    });
  }
  if (databaseUrl !== undefined && databaseUrl !== '') {
    return { kind: 'postgresql', url: databaseUrl, ...(directUrl === undefined ? {} : { directUrl }) };
  }
  if (home !== undefined && home !== '') {
    return embeddedIn(resolve(home));
  }
  throw new ConfigError('createContext needs databaseUrl or home.', {
    code: 'invalid_option',
    remedy: 'Give databaseUrl (PostgreSQL) or home (the directory of the embedded database).',
  });
}

function secretOf(text: string): Pick<Context, 'secretKey'> {
  return { secretKey: () => SecretKey.parse(text, 'secretKey') };
}

async function silentLogger(): Promise<Logger> {
  const { pino } = await import('pino');
  return pino({ level: 'silent' });
}

/** Does `work` under the lock that it needs; it is stopped if the lock is lost. */
export async function underLock<T>(
  ctx: LibraryContext,
  command: string,
  lock: RunLockChoice['lock'],
  work: (ctx: LibraryContext) => Promise<T>,
): Promise<T> {
  const { store, database, host, pid, lockWaitMs, signal } = ctx;
  const choice = { command, host, pid, waitMs: lockWaitMs, signal, lock };
  return inProgram(() => withRunLock(store, database, choice, (held) => work({ ...ctx, signal: held })));
}
