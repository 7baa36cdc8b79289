import { z } from 'zod';
import { ConfigError } from '../../model/errors.js';
import { arrayLiteral } from '../array-literal.js';
import { booleanOf } from '../row.js';
import { firstInChain, sqlState } from '../sql-state.js';
import type { Sql } from '../sql.js';
import { quoted } from './tables.js';
import { OWN_SCHEMA } from '../own-schema.js';

const countRow = z.object({ rows: z.number() });

/** The tables that hold something, and how much. The organization that the migrations make is nothing. */
export async function readContent(
  tx: Sql,
  names: readonly string[],
): Promise<{ table: string; rows: number }[]> {
  const content: { table: string; rows: number }[] = [];
  for (const table of names) {
    const own =
      table === 'organizations'
        ? `where (id, slug, name) <> ('${DEFAULT_ID}'::uuid, 'default', 'Default')`
        : '';
    const [row] = await tx.query(
      `select count(*)::int as rows from (select from ${quoted(table)} ${own} limit ${MOST}) r`,
    );
    const { rows } = countRow.parse(row);
    if (rows > 0) content.push({ table, rows });
  }
  return content;
}

/** Enough to say that a database is not empty. */
const MOST = 100_000;
const DEFAULT_ID = '00000000-0000-7000-8000-000000000001';

/**
 * Makes room for the rows of a backup in tables that hold nothing. `dropping`: they are of a newer version than the backup, and are
 * made again as they were then, and so are the views on them. Emptied by truncating: a restore that was killed has left dead rows.
 */
export async function clearForRestore(
  tx: Sql,
  names: readonly string[],
  { dropping }: { dropping: { views: readonly string[] } | null },
): Promise<void> {
  if (names.length === 0) return;
  const list = names.map(quoted).join(', ');
  if (dropping !== null) {
    const { views } = dropping;
    try {
      if (views.length > 0) await tx.execute(`drop view if exists ${views.map(quoted).join(', ')}`);
      await tx.execute(`drop table ${list}`);
    } catch (error) {
      throw dependentsError(error) ?? error;
    }
    await tx.execute('delete from _prisma_migrations');
    return;
  }
  const here = `relname = any($1::text[]) and relnamespace = ${OWN_SCHEMA}`;
  // To truncate makes every file of every table and index anew: not for tables that have just been made. Another program's table
  // that refers to ours forbids it, even if both are empty.
  const [row = {}] = await tx.query(
    `select exists (select from pg_class where ${here} and relname <> 'organizations' and pg_relation_size(oid) > 0)
       and not exists (select from pg_constraint k
         join pg_class p on p.oid = k.confrelid and p.oid in (select oid from pg_class where ${here})
         where k.contype = 'f' and k.conrelid not in (select oid from pg_class where ${here})) as truncates`,
    [arrayLiteral(names)],
  );
  await tx.execute(booleanOf(row, 'truncates') ? `truncate ${list}` : 'delete from organizations');
}

const DEPENDENT_OBJECTS_STILL_EXIST = '2BP01';

/** Undefined for any other error. PostgreSQL names all of them, whatever they are: views, keys of other tables, functions. */
function dependentsError(error: unknown): ConfigError | undefined {
  if (sqlState(error) !== DEPENDENT_OBJECTS_STILL_EXIST) return undefined;
  const detail = firstInChain(error, (link) =>
    typeof link['detail'] === 'string' ? link['detail'] : undefined,
  );
  const named = detail === undefined ? '' : `: ${detail.split('\n').join('; ')}`;
  return new ConfigError(
    `The backup is of an older version, so the empty tables have to be made again, and objects of another program depend on them${named}.`,
    {
      code: 'database_shared',
      remedy:
        'Nothing was restored. Restore into a database without these objects, and create them there afterwards.',
      cause: error,
    },
  );
}
