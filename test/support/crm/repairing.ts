import { writePrune, writeRepair, type TextFile } from '../../../src/commands/compare/repair-files.js';
import type { CompareOptions, CrmName } from '../../../src/commands/compare/types.js';
import { splitStatements } from '../../../src/store/migrations/migrate.js';
import type { Store } from '../../../src/store/store.js';
import { compareAll, type Comparison } from './comparing.js';
import type { Sql } from './database.js';

/** The files of a repair, as they would stand on the disk. */
export interface Repair extends Comparison {
  sql: string;
  undo: string;
  ids: ReadonlySet<string>;
}

/** Compares and writes the repair, as `--repair` does. */
export async function makeRepair(
  store: Store,
  crm: CrmName,
  place: CompareOptions['place'],
  options: Partial<CompareOptions> = {},
): Promise<Repair> {
  const texts = { script: '', undo: '', ids: '' };
  const file = (name: keyof typeof texts): TextFile => ({
    path: `repair.${name}`,
    write: (text) => {
      texts[name] += text;
    },
  });
  const writer = await writeRepair(
    crm,
    { kind: 'sql', script: file('script'), undo: file('undo'), ids: file('ids') },
    { place: 'a test', from: place.kind, now: Date.now() },
  );
  const comparison = await compareAll(store, crm, place, { ...options, repair: writer });
  await writer.end();
  const ids = new Set(texts.ids.split('\n').flatMap((line) => line.split('\t')[1] ?? []));
  return { ...comparison, sql: texts.script, undo: texts.undo, ids };
}

/** Compares and writes the SQL that removes duplicates, as `--prune-duplicates` does. */
export async function makePrune(
  store: Store,
  crm: CrmName,
  place: CompareOptions['place'],
): Promise<Comparison & { sql: string; undo: string }> {
  const texts = { script: '', undo: '' };
  const file = (name: keyof typeof texts): TextFile => ({
    path: `prune.${name}`,
    write: (text) => {
      texts[name] += text;
    },
  });
  const writer = await writePrune(
    crm,
    { script: file('script'), undo: file('undo') },
    { place: 'a test', from: place.kind, now: Date.now() },
  );
  const comparison = await compareAll(store, crm, place, { onDoubled: writer.doubled });
  await writer.end();
  return { ...comparison, sql: texts.script, undo: texts.undo };
}

/** Runs a script as psql does: statement by statement, and no further after an error. */
export async function applyScript(sql: Sql, script: string): Promise<void> {
  try {
    for (const statement of splitStatements(script)) await sql(statement);
  } catch (error) {
    await sql('rollback');
    throw error;
  }
}

/** Every row of these tables, as text, in an order of its own. */
export async function dumpTables(sql: Sql, tables: readonly string[]): Promise<Record<string, string[]>> {
  const dump: Record<string, string[]> = {};
  for (const table of tables) {
    const rows = await sql(`select to_jsonb(t)::text as row from ${table} t order by 1`);
    dump[table] = rows.map(({ row }) => String(row));
  }
  return dump;
}
