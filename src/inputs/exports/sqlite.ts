import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Sqlite3Static, SqlValue } from '@sqlite.org/sqlite-wasm';

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
 * Opens an SQLite database to read it, through SQLite's own build for WebAssembly, which is loaded here and only here.
 * Writes nothing beside the file, takes no lock, and reads pages on demand: any file size and disk works. Includes what
 * a running writer has put into the file's write-ahead log (`-wal`).
 *
 * A writer may change the file meanwhile: the caller compares its state before and after. Throws what SQLite throws.
 */
export async function openSqlite(path: string): Promise<SqliteFile> {
  const { default: load } = await import('@sqlite.org/sqlite-wasm');
  const sqlite = await load({ print: () => undefined, printErr: () => undefined });
  const files = installReadOnlyFiles(sqlite);
  const db = new sqlite.oo1.DB({ filename: path, flags: 'r', vfs: VFS });
  try {
    // Exclusive: the index of the write-ahead log is then made in memory instead of in a file that all readers share.
    db.exec(`pragma locking_mode = exclusive; pragma cache_size = -${CACHE_KIB}; pragma query_only = on`);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    *rows(sql, parameters = []) {
      const statement = db.prepare(sql);
      try {
        if (parameters.length > 0) statement.bind([...parameters]);
        while (statement.step()) yield statement.get({});
      } finally {
        statement.finalize();
      }
    },
    close() {
      db.close();
      for (const descriptor of files.values()) closeSync(descriptor);
    },
  };
}

/** Registers a file system for SQLite that can only read. Returns the open files by SQLite's handle. */
function installReadOnlyFiles({ capi, vfs, wasm }: Sqlite3Static): Map<unknown, number> {
  const descriptors = new Map<unknown, number>();
  const ok = capi.SQLITE_OK;
  const refused = (): number => capi.SQLITE_READONLY;
  const done = (): number => ok;
  const io = Object.assign(new capi.sqlite3_io_methods(), { $iVersion: 1 });
  const files = Object.assign(new capi.sqlite3_vfs(), {
    $iVersion: 2,
    $szOsFile: new capi.sqlite3_file().structInfo.sizeof,
    $mxPathname: 4096,
  });
  vfs.installVfs({
    io: {
      struct: io,
      methods: {
        xClose(file) {
          const descriptor = descriptors.get(file);
          if (descriptor !== undefined) closeSync(descriptor);
          descriptors.delete(file);
          return ok;
        },
        xRead(file, target, length, offset) {
          const descriptor = descriptors.get(file);
          if (descriptor === undefined) return capi.SQLITE_IOERR_READ;
          const bytes = wasm.heap8u().subarray(target, target + length);
          try {
            const read = readFully(descriptor, bytes, offset);
            bytes.fill(0, read);
            return read === length ? ok : capi.SQLITE_IOERR_SHORT_READ;
          } catch {
            return capi.SQLITE_IOERR_READ;
          }
        },
        xFileSize(file, result) {
          const descriptor = descriptors.get(file);
          if (descriptor === undefined) return capi.SQLITE_IOERR_FSTAT;
          wasm.poke64(result, BigInt(fstatSync(descriptor).size));
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
      struct: files,
      name: VFS,
      methods: {
        xOpen(_, name, file, flags, result) {
          const path = wasm.cstrToJs(name);
          // A temporary file has no name. Sorting and the like stay in memory at this size.
          if (path === null) return capi.SQLITE_CANTOPEN;
          try {
            descriptors.set(file, openSync(path, 'r'));
          } catch {
            return capi.SQLITE_CANTOPEN;
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
  return descriptors;
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
