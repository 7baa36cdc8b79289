import { integerOf, textOf } from '../row.js';
import type { Sql } from '../sql.js';
import type { UniqueKey } from './unique-keys.js';

/** Rows that share a key which only one of them may have. */
export interface DoubledKeys {
  groups: number;
  /** Rows too many. */
  rows: number;
  /** The key of the first few groups, its parts separated by spaces. */
  samples: string[];
}

/**
 * What keeps a unique index from being made. Groups the whole table: only for tables whose index is missing, where nothing
 * else can tell.
 */
export async function readDoubledKeys(sql: Sql, key: UniqueKey, samples: number): Promise<DoubledKeys> {
  const columns = key.columns.join(', ');
  // A unique index takes absent values for different; a primary key does not take them at all.
  const present = key.columns.map((column) => `${column} is not null`).join(' and ');
  const condition = key.where === undefined ? present : `${present} and ${key.where}`;
  const shown = key.columns
    .map((column) => (column === 'sha256' ? `encode(${column}, 'hex')` : `${column}::text`))
    .join(`, `);
  const rows = await sql.query(
    `select count(*) over () as groups, (sum(copies - 1) over ())::bigint as rows, concat_ws(' ', ${shown}) as shown
     from (
       select ${columns}, count(*) as copies from ${key.table} where ${condition} group by ${columns} having count(*) > 1
     ) doubled
     order by ${columns} limit ${samples}`,
  );
  const [first] = rows;
  if (first === undefined) return { groups: 0, rows: 0, samples: [] };
  return {
    groups: integerOf(first, 'groups'),
    rows: integerOf(first, 'rows'),
    samples: rows.map((row) => textOf(row, 'shown')),
  };
}

/** Rows without a part of a primary key, which a primary key cannot be made over. */
export async function countAbsentKeys(sql: Sql, key: UniqueKey): Promise<number> {
  const absent = key.columns.map((column) => `${column} is null`).join(' or ');
  const [row] = await sql.query(`select count(*) as rows from ${key.table} where ${absent}`);
  return row === undefined ? 0 : integerOf(row, 'rows');
}
