import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { CompareOptions } from '../../../src/commands/compare/types.js';
import { resolveInputs } from '../../../src/inputs/resolve-inputs.js';
import { temporaryDirectory } from '../../cli/run-cli.js';
import type { Sql } from './database.js';

/** Tables of a CRM as files of CSV, as psql's `\copy … to FILE csv header` writes them. */
export async function exportTables(sql: Sql, tables: readonly string[]): Promise<CompareOptions['place']> {
  const directory = await temporaryDirectory();
  const paths: string[] = [];
  for (const table of tables) {
    const path = join(directory, `${table}.csv`);
    await writeFile(path, await exported(sql, table));
    paths.push(path);
  }
  return {
    kind: 'files',
    inputs: await resolveInputs(paths, { cwd: directory }),
    stdin: Readable.from([]),
  };
}

async function exported(sql: Sql, table: string): Promise<string> {
  const columns = await sql(
    `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [`"${table}"`],
  );
  const names = columns.map(({ name }) => String(name));
  const rows = await sql(`select ${names.map((name) => `"${name}"::text`).join(', ')} from "${table}"`);
  return [names, ...rows.map((row) => names.map((name) => row[name]))]
    .map((row) => `${row.map(cellOf).join(',')}\n`)
    .join('');
}

/** Nothing is an empty cell, an empty text a quoted one. */
function cellOf(value: unknown): string {
  return typeof value !== 'string' ? '' : `"${value.replaceAll('"', '""')}"`;
}
