import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Sqlite3Static, SQLite3Error, SqlValue } from '@sqlite.org/sqlite-wasm';

/** A row by its columns; a column without a value is null. */
export type SqliteRow = Readonly<Record<string, SqlValue>>;

/** An SQLite database that is only read. */
export interface SqliteFile {
  /** Rows one by one, in memory that does not grow with the file. */
  rows(sql: string, parameters?: readonly SqlValue[]): Generator<SqliteRow, void, undefined>;
  close(): void;
}

/** Pages kept in memory, in KiB. */
const CACHE_KIB = 8 * 1024;

const VFS = 'read-only-files';

/**
 * Why SQLite cannot read a database: a program was killed in a change, which only a writer can take back (`unfinished`); the operating
 * system refused (`refused`, with its own words); or the content is not as it should be (`content`).
 */
export class SqliteReadError extends Error {
  override readonly name = 'SqliteReadError';

  constructor(
    readonly kind: 'unfinished' | 'refused' | 'content',
    message: string,
    options: { cause: unknown },
  ) {
    super(message, options);
  }
}

interface Loaded {
  sqlite: Sqlite3Static;
  files: ReadOnlyFiles;
}

/**
 * SQLite's own build for WebAssembly, which is loaded here and only here, and once: to set it up takes longer than to read most
 * databases, and one is opened to know it and again to read it.
 */
let loaded: Promise<Loaded> | undefined;

async function loadSqlite(): Promise<Loaded> {
  const { default: load } = await import('@sqlite.org/sqlite-wasm');
  const sqlite = await load({ print: () => undefined, printErr: () => undefined });
  return { sqlite, files: installReadOnlyFiles(sqlite) };
}

/**
 * Opens an SQLite database to read it.
 * Writes nothing beside the file, takes no lock, and reads pages on demand: any file size and disk works. Includes what
 * a running writer has put into the file's write-ahead log (`-wal`); a database that expects one and has none is read as it is.
 *
 * A writer may change the file meanwhile: the caller compares its state before and after. Throws SqliteReadError.
 */
export async function openSqlite(path: string): Promise<SqliteFile> {
  const { sqlite, files } = await (loaded ??= loadSqlite());
  /** What SQLite does, it does at once: what the system refuses meanwhile is why it fails. */
  const attempt = <T>(act: () => T): T => {
    files.fault = undefined;
    try {
      return act();
    } catch (error) {
      if (error instanceof sqlite.SQLite3Error) throw explain(sqlite, error, files.fault);
      // What else is thrown may leave SQLite's memory in any state.
      loaded = undefined;
      throw error;
    }
  };
  const db = attempt(() => new sqlite.oo1.DB({ filename: path, flags: 'r', vfs: VFS }));
  const close = (): void => {
    db.close();
  };
  try {
    // Exclusive: the index of the write-ahead log is then made in memory instead of in a file that all readers share.
    attempt(() =>
      db.exec(
        `pragma locking_mode = exclusive; pragma cache_size = -${CACHE_KIB}; pragma temp_store = memory; pragma query_only = on`,
      ),
    );
  } catch (error) {
    close();
    throw error;
  }
  return {
    *rows(sql, parameters = []) {
      const statement = attempt(() => db.prepare(sql));
      try {
        attempt(() => parameters.length > 0 && statement.bind([...parameters]));
        while (attempt(() => statement.step())) yield attempt(() => statement.get({}));
      } finally {
        statement.finalize();
      }
    },
    close,
  };
}

function explain({ capi }: Sqlite3Static, error: SQLite3Error, fault: Error | undefined): SqliteReadError {
  if (error.resultCode === capi.SQLITE_READONLY_ROLLBACK)
    return new SqliteReadError('unfinished', error.message, { cause: error });
  return fault === undefined
    ? new SqliteReadError('content', error.message, { cause: error })
    : new SqliteReadError('refused', fault.message, { cause: fault });
}

/** An open file by its descriptor; a write-ahead log that does not exist is one without content. */
type OpenFile = number | 'empty';

interface ReadOnlyFiles {
  /** By SQLite's handle. */
  open: Map<unknown, OpenFile>;
  /** What the operating system refused last: SQLite only says that something failed. */
  fault: Error | undefined;
}

/** Registers a file system for SQLite that can only read. */
function installReadOnlyFiles({ capi, vfs, wasm }: Sqlite3Static): ReadOnlyFiles {
  const state: ReadOnlyFiles = { open: new Map(), fault: undefined };
  const files = state.open;
  const failed = (code: number, error: unknown): number => {
    if (error instanceof Error) state.fault = error;
    return code;
  };
  const ok = capi.SQLITE_OK;
  const refused = (): number => capi.SQLITE_READONLY;
  const done = (): number => ok;
  const io = Object.assign(new capi.sqlite3_io_methods(), { $iVersion: 1 });
  const system = Object.assign(new capi.sqlite3_vfs(), {
    $iVersion: 2,
    $szOsFile: new capi.sqlite3_file().structInfo.sizeof,
    $mxPathname: 4096,
  });
  vfs.installVfs({
    io: {
      struct: io,
      methods: {
        xClose(file) {
          closeFile(files.get(file));
          files.delete(file);
          return ok;
        },
        xRead(file, target, length, offset) {
          const opened = files.get(file);
          if (opened === undefined) return capi.SQLITE_IOERR_READ;
          const bytes = wasm.heap8u().subarray(target, target + length);
          try {
            const read = opened === 'empty' ? 0 : readFully(opened, bytes, offset);
            bytes.fill(0, read);
            return read === length ? ok : capi.SQLITE_IOERR_SHORT_READ;
          } catch (error) {
            return failed(capi.SQLITE_IOERR_READ, error);
          }
        },
        xFileSize(file, result) {
          const opened = files.get(file);
          if (opened === undefined) return capi.SQLITE_IOERR_FSTAT;
          wasm.poke64(result, opened === 'empty' ? 0n : BigInt(fstatSync(opened).size));
          return ok;
        },
        xCheckReservedLock(_, result) {
          wasm.poke32(result, 0);
          return ok;
        },
        xWrite: refused,
        xTruncate: refused,
        xSync: done,
        xLock: done,
        xUnlock: done,
        xFileControl: () => capi.SQLITE_NOTFOUND,
        xSectorSize: () => 4096,
        xDeviceCharacteristics: () => 0,
      },
    },
    vfs: {
      struct: system,
      name: VFS,
      methods: {
        xOpen(_, name, file, flags, result) {
          const path = wasm.cstrToJs(name);
          // A temporary file has no name. Sorting and the like stay in memory at this size.
          if (path === null) return capi.SQLITE_CANTOPEN;
          try {
            files.set(file, openToRead(path, (flags & capi.SQLITE_OPEN_WAL) !== 0));
          } catch (error) {
            return failed(capi.SQLITE_CANTOPEN, error);
          }
          const handle = new capi.sqlite3_file(file);
          handle.$pMethods = io.pointer;
          handle.dispose();
          const writable = capi.SQLITE_OPEN_READWRITE | capi.SQLITE_OPEN_CREATE;
          if (result !== 0) wasm.poke32(result, (flags & ~writable) | capi.SQLITE_OPEN_READONLY);
          return ok;
        },
        xDelete: refused,
        xAccess(_, name, __, result) {
          wasm.poke32(result, existsSync(wasm.cstrToJs(name) ?? '') ? 1 : 0);
          return ok;
        },
        xFullPathname(_, name, size, target) {
          return wasm.cstrncpy(target, name, size) < size ? ok : capi.SQLITE_CANTOPEN;
        },
        xRandomness(_, length, target) {
          randomFillSync(wasm.heap8u().subarray(target, target + length));
          return length;
        },
        xSleep: (_, microseconds) => microseconds,
        xGetLastError: () => undefined,
        xCurrentTime(_, result) {
          wasm.poke(result, DAYS_BEFORE_1970 + Date.now() / DAY_MS, 'double');
          return ok;
        },
      },
    },
  });
  return state;
}

/**
 * SQLite removes the write-ahead log of a database when the last program closes it, and a reader makes an empty one. Here it is
 * empty without being made.
 */
function openToRead(path: string, isLog: boolean): OpenFile {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if (isLog && error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'empty';
    throw error;
  }
}

function closeFile(file: OpenFile | undefined): void {
  if (typeof file === 'number') closeSync(file);
}

/** SQLite counts days since noon of 24 November of the year -4713. */
const DAYS_BEFORE_1970 = 2_440_587.5;
const DAY_MS = 86_400_000;

/** `offset`: SQLite gives 64 bits, whatever the declaration says. */
function readFully(descriptor: number, bytes: Uint8Array, offset: number | bigint): number {
  const start = Number(offset);
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(descriptor, bytes, filled, bytes.length - filled, start + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}
