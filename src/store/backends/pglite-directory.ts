import type { PGlite } from '@electric-sql/pglite';
import {
  access,
  constants,
  mkdir,
  readdir,
  readFile,
  realpath,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigError, UserError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { translateDatabaseError } from '../database-errors.js';
import {
  assertFree,
  freeBytesOf,
  type FreeBytes,
  absenceWords,
  creationMark,
  lookAtPlace,
  versionFile,
  type Absence,
} from './embedded-place.js';
import { acquireDirectoryLock } from '../locks/directory-lock.js';
import { migrate } from '../migrations/migrate.js';
import type { OpenStoreOptions } from '../open-store.js';
import type { Sql } from '../sql.js';
import type { Store } from '../store.js';
import { createPgliteStore, startPglite } from './pglite.js';

/** The PostgreSQL version of PGlite 0.5; its data directories have this version and no other. */
export const EMBEDDED_MAJOR = '18';

/** Less than a write-ahead log segment: PostgreSQL may be unable to start. */
const NEEDED_BYTES = 16 * 1024 * 1024;

/** Emscripten throws its own error, with a WASI number instead of a name. */
const WASI_ERRORS: Readonly<Record<number, string>> = { 2: 'EACCES', 51: 'ENOSPC', 63: 'EPERM', 69: 'EROFS' };

/**
 * Opens the embedded database in a directory and migrates it; creates it only if the options say so. Takes the lock
 * before anything in the directory is opened, and keeps it until the store is closed.
 *
 * Facts about PGlite 0.5: it never syncs to disk (`fsync` off), so killing the process loses no committed data, but a
 * power cut may; closing it writes a checkpoint; opening a directory takes 0.2 s, creating one 3 s.
 */
export async function openPgliteDirectory(directory: string, options: OpenStoreOptions): Promise<Store> {
  const { freeBytes = freeBytesOf } = options;
  const mayCreate = options.creates === true;
  const { path, made } = mayCreate
    ? await makeDirectory(directory)
    : { path: await findDirectory(directory), made: undefined };
  const lock = await acquireDirectoryLock(`${path}.lock`, options, options).catch((error: unknown) => {
    throw explain(error, path);
  });
  let store: Store;
  try {
    const { pglite, isNew } = await start(path, mayCreate, freeBytes);
    const closing = { isBlank: false };
    const opened = createPgliteStore(
      pglite,
      path,
      async () => {
        // Before the lock is released: a waiting process recreates the database.
        if (closing.isBlank) await removeContent(path);
        await lock.release();
        if (closing.isBlank && made !== undefined) await removeEmpty(path, made);
      },
      () => assertFree(path, freeBytes),
    );
    store =
      isNew && options.keepsBlank !== true
        ? {
            ...opened,
            close: async () => {
              closing.isBlank = await isBlank(opened.sql);
              await opened.close();
            },
          }
        : opened;
  } catch (error) {
    await lock.release();
    throw explain(error, path);
  }
  try {
    if (options.asItIs !== true) await migrate(store);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * The directory, created if missing, by its real name: two spellings of one directory must share one lock file. `made`:
 * the topmost directory created.
 */
async function makeDirectory(directory: string): Promise<{ path: string; made: string | undefined }> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    return { path: await openable(directory), made };
  } catch (error) {
    throw explain(error, directory);
  }
}

/** The directory of an existing database; if there is none, creates nothing, not even a lock file. */
async function findDirectory(directory: string): Promise<string> {
  try {
    const place = await lookAtPlace(directory);
    // One being created right now is waited for, like any that another process has open.
    if (place.state !== 'database' && place.state !== 'unfinished') throw missing(directory, place);
    return await openable(directory);
  } catch (error) {
    throw explain(error, directory);
  }
}

async function openable(directory: string): Promise<string> {
  const path = await realpath(directory);
  await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  return path;
}

function missing(path: string, place: Absence): ConfigError {
  return new ConfigError(`There is no database: ${path} ${absenceWords(place)}.`, {
    code: 'database_missing',
    remedy: [
      'Set DATABASE_URL, or give --home or --database-url-file.',
      remedy('replay', ['LOG', '--register'], 'creates one there, and imports a log'),
      remedy('connection add', [], 'creates one there, and adds a connection'),
    ],
    inProgram: 'Give another home, or create: true, which creates one there.',
  });
}

/**
 * Creating a database takes seconds, and one left half made by a kill cannot be opened. A marker beside the directory
 * lasts until it is complete; the next process that finds the marker starts over.
 */
async function start(
  path: string,
  mayCreate: boolean,
  freeBytes: FreeBytes,
): Promise<{ pglite: PGlite; isNew: boolean }> {
  const place = await lookAtPlace(path);
  if (place.state === 'database') return { pglite: await launch(path, freeBytes), isNew: false };
  if (!mayCreate) throw missing(path, place);
  const mark = creationMark(path);
  if (place.state === 'unfinished') await removeContent(path);
  if (place.state === 'foreign') throw foreign(path, place.holds);
  await assertFree(path, freeBytes);
  await writeFile(mark, '', { mode: 0o600 });
  const pglite = await launch(path, freeBytes);
  await rm(mark);
  return { pglite, isNew: true };
}

async function launch(path: string, freeBytes: FreeBytes): Promise<PGlite> {
  // Starting writes, too, and fails with the same error whatever is wrong: rule out a full disk first.
  await assertFree(path, freeBytes, NEEDED_BYTES);
  try {
    return await startPglite({ dataDir: path });
  } catch (error) {
    if (systemCodeOf(error) !== undefined) throw error;
    throw await describeDamage(path, error);
  }
}

function foreign(path: string, holds: string): ConfigError {
  return new ConfigError(`${path} is not an embedded database: it contains other files, such as ${holds}.`, {
    code: 'database_foreign',
    remedy: 'Use an empty or a new directory.',
  });
}

async function describeDamage(path: string, cause: unknown): Promise<UserError> {
  const version = (await readFile(versionFile(path), 'utf8').catch(() => '')).trim();
  if (version !== '' && version !== EMBEDDED_MAJOR) {
    return new ConfigError(
      `The embedded database ${path} was created by PostgreSQL ${version}; this version of wa-reconcile embeds PostgreSQL ${EMBEDDED_MAJOR}.`,
      {
        code: 'database_version',
        remedy:
          'Open it with the version of wa-reconcile that created it, or replay the logs into a new directory.',
        cause,
      },
    );
  }
  // What PGlite says, which is of no use to most, tells a maintainer a crash of it from damage.
  const said = cause instanceof Error ? ` (${cause.name}: ${cause.message.split('\n')[0] ?? ''})` : '';
  return new UserError(
    `The embedded database ${path} cannot be opened: its files are damaged or incomplete${said}.`,
    {
      code: 'database_damaged',
      remedy:
        'Restore the directory from a backup, or move it away and replay the logs: a new one is created on first use.',
      cause,
    },
  );
}

/** Turns a file system error into advice for the user; other errors pass unchanged. */
function explain(error: unknown, path: string): unknown {
  if (error instanceof UserError) return error;
  const code = systemCodeOf(error);
  if (code === 'EACCES' || code === 'EPERM') {
    return new ConfigError(`No permission to write the embedded database: ${path}.`, {
      code: 'database_permission_denied',
      remedy: 'Grant write access to the directory and its parent, or choose another with --home.',
      inProgram: 'Grant write access to the directory and its parent, or give another home.',
      cause: error,
    });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') {
    return new ConfigError(
      `The embedded database needs a directory, and ${path} is or passes through a file.`,
      {
        code: 'database_not_a_directory',
        remedy: 'Choose another place with --home.',
        inProgram: 'Give another home.',
        cause: error,
      },
    );
  }
  // PGlite's own file system reports numbers, which are mapped here to the names that the translation knows.
  return translateDatabaseError({ code, cause: error }, path) ?? error;
}

function systemCodeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return 'errno' in error && typeof error.errno === 'number' ? WASI_ERRORS[error.errno] : undefined;
}

/**
 * Whether the database is still empty. A new one that stays empty is removed on close: otherwise, after a dry run or a
 * failed command, the next one would find it in perfect order.
 */
async function isBlank(sql: Sql): Promise<boolean> {
  // A restore that failed has rolled its tables back, too.
  const [tables] = await sql.query(`select to_regclass('webhook_log') is null as is_missing`).catch(() => []);
  if (tables?.['is_missing'] === true) return true;
  const rows = await sql
    .query('select (select count(*) from webhook_log) + (select count(*) from connections) = 0 as is_blank')
    .catch(() => []);
  return rows[0]?.['is_blank'] === true;
}

/** Removes empty directories from `path` up to `top`. */
async function removeEmpty(path: string, top: string): Promise<void> {
  for (let directory = path; directory.startsWith(top); directory = dirname(directory)) {
    const isRemoved = await rmdir(directory).then(
      () => true,
      () => false,
    );
    if (!isRemoved) return;
  }
}

async function removeContent(path: string): Promise<void> {
  const names = await readdir(path);
  await Promise.all(names.map((name) => rm(join(path, name), { recursive: true, force: true })));
}
