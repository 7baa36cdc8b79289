import { arrayLiteral } from './array-literal.js';
import { OWN_SCHEMA } from './own-schema.js';
import { textOf } from './row.js';
import type { Sql } from './sql.js';

/**
 * Writes tables anew, with their indexes, without the rows that were deleted or replaced: their space goes back to the file system, and
 * what was in them leaves the tables' files, but for what an older transaction of somebody still sees. Nobody else reads a table meanwhile.
 * False if one of them is as it was: a role that does not own a table is only warned. Outside of a transaction.
 */
export async function vacuumFully(sql: Sql, tables: readonly string[]): Promise<boolean> {
  const before = await filesOf(sql, tables);
  if (before.size === 0) return true;
  await sql.execute(`vacuum (full, analyze) ${[...before.keys()].join(', ')}`);
  const after = await filesOf(sql, tables);
  return [...before].every(([name, file]) => after.get(name) !== file);
}

/** Of those that exist, by their names as SQL takes them. A table that was written anew has another file. */
async function filesOf(sql: Sql, tables: readonly string[]): Promise<Map<string, string>> {
  const rows = await sql.query(
    `select quote_ident(relname) as name, pg_relation_filenode(oid)::text as file from pg_class
     where relnamespace = ${OWN_SCHEMA} and relkind = 'r' and relname = any($1::text[])`,
    [arrayLiteral(tables)],
  );
  return new Map(rows.map((row) => [textOf(row, 'name'), textOf(row, 'file')]));
}
