import { Damage } from '../../archive/damage.js';
import { readParts, type CheckedArchive } from '../../archive/read-archive.js';
import type { DumpedTable } from '../../archive/format.js';
import type { Context } from '../../context.js';
import { amount } from '../../model/amount.js';
import { ConfigError, EXIT, UserError } from '../../model/errors.js';
import {
  loadRows,
  readGuarded,
  restoreSequences,
  setConstraintsAside,
  type DumpedPart,
} from '../../store/dump/load-rows.js';
import { NotARow } from '../../store/dump/copy-of-ndjson.js';
import { clearForRestore, readContent } from '../../store/dump/empty.js';
import { readTables, type TableShape } from '../../store/dump/tables.js';
import { migrateWithin } from '../../store/migrations/migrate.js';
import {
  assertMigratable,
  ourViews,
  readMigrations,
  readStatus,
  type MigrationFile,
} from '../../store/migrations/status.js';
import { sqlState } from '../../store/sql-state.js';
import type { Sql } from '../../store/sql.js';
import { damaged, openArchive } from './check.js';
import { derivePart } from './derive-part.js';
import { figuresOf } from './figures.js';
import type { BackupSource, RestoreResult } from './types.js';

export interface RestoreOptions {
  source: BackupSource;
  /** Its bytes have been proved. */
  archive: CheckedArchive;
}

/**
 * Stores a proved backup in an empty database, in one transaction: tables of the backup's version, its rows, then the migrations
 * since. Throws ConfigError for a database that is not empty, before the first row.
 */
export async function restore(ctx: Context, { source, archive }: RestoreOptions): Promise<RestoreResult> {
  const known = await readMigrations();
  const { migrations } = archive.header;
  const last = migrations.at(-1) ?? '';
  assertKnown(archive, known);
  try {
    const migrated = await ctx.store.transaction(async (tx) => {
      await prepareTables(tx, known, last, ctx.store.location);
      await load(ctx, tx, { source, archive }, known);
      await migrateWithin(tx, known, ctx.store.location);
      // People of an organization are all there; those of a connection leave conversations on others behind.
      if (archive.header.scope?.connection !== undefined) await derivePart(tx, ctx.signal);
      return known.map(({ name }) => name).filter((name) => name > last);
    });
    return {
      schemaVersion: 1,
      command: 'restore',
      file: source.place,
      bytes: source.size,
      encrypted: source.isEncrypted,
      ...figuresOf(archive),
      database: ctx.store.location,
      backend: ctx.store.backend,
      migrated,
    };
  } catch (error) {
    if (error instanceof Damage) throw damaged(source.place, error);
    if (!ctx.signal.aborted) throw refusedRows(source.place, error) ?? error;
    throw new UserError('Interrupted: nothing was restored.', {
      code: 'interrupted',
      exitCode: EXIT.interrupted,
    });
  }
}

const CHANGED = 'Somebody changed it after it was written: use another backup.';

/** By the first two digits of the state: data that a type does not take, or that a constraint refuses. */
const REFUSED_ROWS: Readonly<Record<string, { why: string; advice: string }>> = {
  '22': { why: 'a value is none of its column', advice: CHANGED },
  '23': {
    why: 'they break a rule of the tables (a row twice, or one that refers to nothing)',
    advice:
      'The database that it was made of lacked the rule, which `backup` then says and exits with 4, or somebody changed the file: use another backup.',
  },
};

/** The error of a file that holds what no backup writes, although its hashes are right. */
function refusedRows(place: string, error: unknown): UserError | undefined {
  const refused =
    error instanceof NotARow
      ? { why: 'a line is not a valid row', advice: CHANGED }
      : REFUSED_ROWS[sqlState(error)?.slice(0, 2) ?? ''];
  if (refused === undefined) return undefined;
  return new UserError(`The rows of the backup ${place} are not those of a database: ${refused.why}.`, {
    code: 'backup_invalid',
    remedy: `Nothing of it was restored. ${refused.advice}`,
    cause: error,
  });
}

/** Proves a backup, before a database is opened or created for it. Throws what {@link restore} would throw about the file. */
export async function openForRestore(source: BackupSource): Promise<CheckedArchive> {
  const archive = await openArchive(source);
  assertKnown(archive, await readMigrations());
  return archive;
}

/** Throws ConfigError for the tables of a newer version: this one could neither fill nor read them. */
function assertKnown({ header }: CheckedArchive, known: readonly MigrationFile[]): void {
  const names = new Set(known.map(({ name }) => name));
  const unknown = header.migrations.filter((name) => !names.has(name));
  if (unknown.length === 0) return;
  throw new ConfigError(
    `The backup was written by wa-reconcile ${header.tool}, whose tables are newer: ${unknown.join(', ')}.`,
    {
      code: 'backup_newer',
      remedy: `Use the build of wa-reconcile ${header.tool} that wrote it, or a newer one.`,
    },
  );
}

/** Tables of the backup's version, without a row. */
async function prepareTables(
  tx: Sql,
  known: readonly MigrationFile[],
  last: string,
  location: string,
): Promise<void> {
  const status = await readStatus(tx, known);
  assertMigratable(status, location);
  const tables = await readTables(tx, known);
  const names = tables.map(({ name }) => name);
  const content = await readContent(tx, names);
  if (content.length > 0) {
    throw new ConfigError(
      `The database ${location} is not empty: it has ${content.map(({ table, rows }) => `${table} (${amount(rows, 'row')})`).join(', ')}.`,
      {
        code: 'database_not_empty',
        remedy: 'A backup is restored into an empty database: give another --home or DATABASE_URL.',
        inProgram: 'A backup is restored into an empty database: give another home or databaseUrl.',
      },
    );
  }
  const isNewer = status.applied.some(({ name }) => name > last);
  await clearForRestore(tx, names, { dropping: isNewer ? { views: ourViews(known) } : null });
  await migrateWithin(tx, known, location, last);
}

async function load(
  ctx: Context,
  tx: Sql,
  { source, archive: { manifest } }: RestoreOptions,
  known: readonly MigrationFile[],
): Promise<void> {
  const tables = await readTables(tx, known);
  assertTables(source.place, manifest.tables, tables);
  assertColumns(manifest.tables, tables);
  const names = tables.map(({ name }) => name);
  assertUnguarded(await readGuarded(tx, names));
  await clearForRestore(tx, names, { dropping: null });
  const aside = await setConstraintsAside(tx, names);
  const done = { bytes: 0, rows: 0, messages: 0 };
  const parts = readParts(source.open(), manifest);
  async function* partsOf(table: DumpedTable): AsyncGenerator<DumpedPart> {
    for (const expected of table.parts) {
      ctx.signal.throwIfAborted();
      await ctx.store.assertSpace();
      const { name, rows, size } = expected;
      const next = await parts.next();
      if (next.done === true || next.value.part.name !== name)
        throw new Damage(name, 'it is not where it was');
      yield {
        ndjson: next.value.ndjson,
        rows,
        refuse: (found) => {
          throw new Damage(name, `it has ${found} rows instead of ${rows}`);
        },
      };
      done.bytes += size;
      done.rows += rows;
      if (table.name === 'messages') done.messages += rows;
      ctx.emit({
        event: 'progress',
        bytesRead: done.bytes,
        bytesTotal: source.size,
        entries: done.rows,
        messages: done.messages,
      });
    }
  }
  try {
    for (const table of manifest.tables) {
      const rows = await loadRows(tx, table, partsOf(table));
      if (rows !== table.rows) throw new Damage(table.name, `${rows} rows of ${table.rows} were stored`);
      await restoreSequences(tx, table.sequences);
    }
  } finally {
    await parts.return(undefined);
  }
  await aside.putBack();
}

/** Throws ConfigError where somebody has set policies for the owner of a table as well. */
function assertUnguarded([guarded]: readonly string[]): void {
  if (guarded === undefined) return;
  throw new ConfigError(
    `Row-level security of the table ${guarded} holds for this role, and forbids to load rows.`,
    {
      code: 'restore_row_security',
      remedy: 'Restore as a role with BYPASSRLS, or turn it off for the time of the restore.',
    },
  );
}

/**
 * Throws UserError for a file that has other tables than its own version makes, or another table's sequences: no backup is so, whatever
 * its hashes say.
 */
function assertTables(
  place: string,
  dumped: readonly DumpedTable[],
  tables: readonly Pick<TableShape, 'name' | 'sequences'>[],
): void {
  const here = new Map(tables.map((table) => [table.name, table.sequences.map(({ name }) => name)]));
  const there = new Set(dumped.map(({ name }) => name));
  const [strange] = dumped.filter(({ name }) => !here.has(name));
  const [lacking] = tables.filter(({ name }) => !there.has(name));
  const [foreign] = dumped.flatMap(({ name, sequences }) =>
    sequences.flatMap((sequence) => (here.get(name)?.includes(sequence.name) === true ? [] : sequence.name)),
  );
  const what =
    strange !== undefined
      ? `it has a table ${strange.name}, which its version does not make`
      : lacking !== undefined
        ? `it lacks the table ${lacking.name}, which its version makes`
        : foreign !== undefined
          ? `it sets the sequence ${foreign}, which is none of its tables'`
          : there.size < dumped.length
            ? 'it has a table twice'
            : null;
  if (what === null) return;
  throw new UserError(`The backup ${place} is not as any version of this tool writes it: ${what}.`, {
    code: 'backup_invalid',
    remedy:
      'Nothing of it was restored. Somebody changed it, or another build wrote it: use another backup, or the build that wrote it.',
  });
}

/** Throws ConfigError for columns that another program had added: their values would be lost. */
function assertColumns(
  dumped: readonly DumpedTable[],
  tables: readonly { name: string; columns: readonly { name: string; type: string }[] }[],
): void {
  const there = new Map(
    tables.flatMap((table) =>
      table.columns.map(({ name, type }) => [`${table.name}.${name}`, type] as const),
    ),
  );
  const lacking = dumped.flatMap((table) =>
    table.columns
      .filter(({ name, type }) => there.get(`${table.name}.${name}`) !== type)
      .map(({ name, type }) => `${table.name}.${name} (${type})`),
  );
  if (lacking.length === 0) return;
  throw new ConfigError(
    `The backup has columns that this tool’s tables lack; another program had added them: ${lacking.join(', ')}.`,
    {
      code: 'backup_columns',
      remedy: 'Create the tables with `db migrate`, add these columns, and restore again.',
    },
  );
}
