import { FORMAT, type Header } from '../../archive/format.js';
import { writeArchive } from '../../archive/write-archive.js';
import type { Context } from '../../context.js';
import { EXIT, UserError } from '../../model/errors.js';
import { recordAccess } from '../access/record-access.js';
import { ACCESS_LOG, COPYING } from '../../store/tables/access-log.js';
import { findScope } from './scope.js';
import { peopleOf, selectionOf } from '../../store/dump/scope.js';
import { readLackingRules } from '../../store/checks/restorable.js';
import { ALL_ROWS, readLines } from '../../store/dump/read-rows.js';
import { quoted, readTables, type TableShape } from '../../store/dump/tables.js';
import { readMigrations, readStatus } from '../../store/migrations/status.js';
import type { Sql } from '../../store/sql.js';
import { inSnapshot } from '../../store/transactions.js';
import { figuresOf } from './figures.js';
import type { BackupResult, BackupTarget } from './types.js';

export interface BackupOptions {
  target: BackupTarget;
  /** This program's version. */
  tool: string;
  /** Only this organization, by its slug. */
  organization?: string | undefined;
  /** Only this connection: its name, id, phone_number_id or phone. */
  connection?: string | undefined;
  /** Encrypts the bytes on their way to the target. */
  encrypt?: ((bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>) | undefined;
}

/**
 * Writes all rows, as they are at one moment, into one file. Writers go on meanwhile. It only reads, but for a
 * row of access_log that says so, which the file holds as well: a run would be a change of what it copies.
 */
export async function backup(ctx: Context, options: BackupOptions): Promise<BackupResult> {
  const { target } = options;
  try {
    const result = await writeBackup(ctx, options);
    await target.finish({ isDoubtful: result.lacking.length > 0 });
    return result;
  } catch (error) {
    await target.discard();
    throw error;
  }
}

async function writeBackup(ctx: Context, options: BackupOptions): Promise<BackupResult> {
  const { target, tool, encrypt } = options;
  const scope = await findScope(ctx, options);
  const known = await readMigrations();
  const there = (await readTables(ctx.store.sql, known)).map(({ name }) => name);
  const lacking = await readLackingRules(ctx.store.sql, known, there);
  const names = there.map(quoted);
  // A database of an older version has no such table, and no command that shows anything.
  if (names.includes(quoted(ACCESS_LOG))) {
    await recordAccess(ctx, {
      command: COPYING,
      shown: {
        copyOf:
          scope === null ? null : { connectionIds: scope.rows.connectionIds, people: peopleOf(scope.rows) },
      },
    });
  }
  return inSnapshot(
    ctx.store,
    async (tx): Promise<BackupResult> => {
      const tables = await readTables(tx, known);
      const header: Header = {
        format: FORMAT,
        tool,
        migrations: (await readStatus(tx, known)).applied.map(({ name }) => name),
        createdAt: new Date(ctx.clock()).toISOString(),
        ...(scope === null ? {} : { scope: scope.named }),
      };
      const part = scope === null ? null : { ...scope.rows, removesBodies: removesBodies(tables) };
      const done = { bytes: 0, rows: 0, messages: 0 };
      const archive = writeArchive(
        header,
        tables.map((table) => ({
          name: table.name,
          columns: [...table.columns],
          sequences: [...table.sequences],
          lines: readLines(tx, table, part === null ? ALL_ROWS : selectionOf(table, part)),
        })),
        ({ table, rows }) => {
          done.rows += rows;
          if (table === 'messages') done.messages += rows;
        },
      );
      const { value: manifest, bytes: plain } = capturing(archive);
      for await (const bytes of encrypt === undefined ? plain : encrypt(plain)) {
        ctx.signal.throwIfAborted();
        await target.write(bytes);
        done.bytes += bytes.length;
        ctx.emit({ event: 'progress', bytesRead: done.bytes, entries: done.rows, messages: done.messages });
      }
      return {
        schemaVersion: 1,
        command: 'backup',
        file: target.place,
        bytes: done.bytes,
        encrypted: encrypt !== undefined,
        ...figuresOf({ header, manifest: manifest() }),
        database: ctx.store.location,
        backend: ctx.store.backend,
        mediaFiles: tables.some(({ name }) => name === 'media_files') ? await countMediaFiles(tx) : 0,
        lacking,
        removed: [],
        later: [],
        abandoned: [],
      };
    },
    { holding: names },
  ).catch((error: unknown) => {
    if (!ctx.signal.aborted) throw error;
    throw new UserError('Interrupted: no backup was written.', {
      code: 'interrupted',
      exitCode: EXIT.interrupted,
    });
  });
}

function removesBodies(tables: readonly TableShape[]): boolean {
  return tables.some(
    ({ name, columns }) => name === 'webhook_log' && columns.some((column) => column.name === 'body_run_id'),
  );
}

/** The values of a generator, and what it returns in the end. */
function capturing<T, R>(generator: AsyncGenerator<T, R>): { bytes: AsyncGenerator<T>; value: () => R } {
  let returned: { value: R } | undefined;
  async function* through(): AsyncGenerator<T> {
    returned = { value: yield* generator };
  }
  return {
    bytes: through(),
    value: () => {
      if (returned === undefined) throw new Error('the archive was not read to its end');
      return returned.value;
    },
  };
}

async function countMediaFiles(tx: Sql): Promise<number> {
  const [row] = await tx.query(
    `select count(*)::int as files from media_files where state = 'fetched' and path is not null`,
  );
  return typeof row?.['files'] === 'number' ? row['files'] : 0;
}
