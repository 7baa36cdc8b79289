import { expect, it } from 'vitest';
import type { DumpedTable } from '../../src/archive/format.js';
import { checkArchive, readParts } from '../../src/archive/read-archive.js';
import { writeArchive } from '../../src/archive/write-archive.js';
import { UserError } from '../../src/model/errors.js';
import type { Store } from '../../src/store/store.js';
import { backUp, memorySource, restoreOn, tableDigests } from '../support/backups.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { live } from '../support/webhooks.js';

type Forge = (tables: Forged[]) => Forged[];
type Forged = Omit<DumpedTable, 'rows' | 'parts'> & { lines: string[] };

/** The same backup with other tables, and right hashes. */
async function forged(bytes: Buffer, forge: Forge): Promise<Buffer> {
  const source = memorySource(bytes);
  const { header, manifest } = await checkArchive(source.open());
  const lines = new Map<string, string[]>();
  for await (const { table, ndjson } of readParts(source.open(), manifest)) {
    const own = lines.get(table.name) ?? [];
    lines.set(table.name, [...own, ...ndjson.toString('utf8').split('\n').slice(0, -1)]);
  }
  const tables = forge(
    manifest.tables.map(({ name, columns, sequences }) => ({
      name,
      columns,
      sequences,
      lines: lines.get(name) ?? [],
    })),
  );
  const pieces: Uint8Array[] = [];
  const written = tables.map((table) => ({ ...table, lines: inOneBatch(table.lines) }));
  for await (const piece of writeArchive(header, written, () => undefined)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* inOneBatch(lines: string[]): AsyncGenerator<{ ndjson: Buffer; rows: number }> {
  const ndjson = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  if (lines.length > 0) yield await Promise.resolve({ ndjson, rows: lines.length });
}

const ghost = (name: string): Forged => ({
  name,
  columns: [{ name: 'id', type: 'integer', asText: false }],
  sequences: [],
  lines: ['{"id":1}'],
});

const on =
  (name: string, change: (table: Forged) => Forged): Forge =>
  (tables) =>
    tables.map((table) => (table.name === name ? change(table) : table));

const CASES: readonly [string, Forge, string][] = [
  ['a table that there is not', (tables) => [...tables, ghost('ghosts')], 'backup_invalid'],
  [
    'a table with a name of SQL',
    (tables) => [...tables, ghost('x"; drop table deals; --')],
    'backup_damaged',
  ],
  ['another program’s table', (tables) => [...tables, ghost('deals')], 'backup_invalid'],
  ['the table of migrations', (tables) => [...tables, ghost('_prisma_migrations')], 'backup_invalid'],
  ['a table less', (tables) => tables.filter(({ name }) => name !== 'tickets'), 'backup_invalid'],
  [
    'a table twice',
    (tables) => [...tables, ...tables.filter(({ name }) => name === 'erasures')],
    'backup_invalid',
  ],
  [
    'a sequence of another program',
    on('change_journal', (table) => ({
      ...table,
      sequences: [{ name: 'deals_id_seq', lastValue: '77', isCalled: true }],
    })),
    'backup_invalid',
  ],
  [
    'a sequence beyond its end',
    on('change_journal', (table) => ({
      ...table,
      sequences: table.sequences.map((sequence) => ({ ...sequence, lastValue: '9'.repeat(30) })),
    })),
    'backup_invalid',
  ],
  [
    'a column of another type',
    on('leads', (table) => ({
      ...table,
      columns: table.columns.map((column) => ({ ...column, type: `${column.type}; select 1` })),
    })),
    'backup_columns',
  ],
  [
    'a row that is no JSON',
    on('leads', (table) => ({ ...table, lines: table.lines.map(() => '{"id":') })),
    'backup_invalid',
  ],
  [
    'a row without its key',
    on('leads', (table) => ({ ...table, lines: table.lines.map(() => '{}') })),
    'backup_invalid',
  ],
  [
    'a row that is no row',
    on('leads', (table) => ({ ...table, lines: table.lines.map(() => '7') })),
    'backup_invalid',
  ],
];

/** Another program's table, beside ours. */
async function withDeals(store: Store): Promise<void> {
  await store.sql.execute('create table if not exists deals (id serial primary key)');
}

describeOnServer('a backup that somebody has changed, with its hashes', (backend) => {
  it.each(CASES)('is told as that, and changes nothing: %s', async (_, forge, code) => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    const { bytes } = await backUp(store);
    const target = await backend.open(withDeals);
    const before = await tableDigests(target);
    const error: unknown = await restoreOn(target, await forged(bytes, forge)).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code });
    expect(await tableDigests(target)).toEqual(before);
    expect(await target.sql.query('select last_value from deals_id_seq')).toEqual([{ last_value: 1n }]);
    // The same file as it was written is taken.
    await restoreOn(target, await forged(bytes, (tables) => tables));
  });
});
