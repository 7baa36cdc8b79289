import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import { ourTables, readStatus, type MigrationFile } from '../migrations/status.js';
import type { Sql } from '../sql.js';
import { readConstraintStates, readKeyStates } from './schema.js';

/**
 * What the tables lack of what the migrations make and a restore makes again: unique indexes, foreign keys and checks. Rows that break one
 * of them can be copied out of this database and not into another. Empty for a database that is not up to date, which has others.
 *
 * Throws ConfigError `database_altered` for a whole table that another program dropped: a copy without it is no backup.
 */
export async function readLackingRules(
  sql: Sql,
  known: readonly MigrationFile[],
  tables: readonly string[],
): Promise<string[]> {
  const { applied, pending } = await readStatus(sql, known);
  const done = new Set(applied.map(({ name }) => name));
  const there = new Set(tables);
  const dropped = ourTables(known.filter(({ name }) => done.has(name))).filter((name) => !there.has(name));
  if (dropped.length > 0) throw lacksTables(dropped);
  if (pending.length > 0) return [];
  const keys = [...(await readKeyStates(sql))].flatMap(([key, state]) =>
    state.state === 'sound'
      ? []
      : `${key.index} (${state.state === 'wrong' ? state.why : `on ${key.columns.join(', ')}`})`,
  );
  const constraints = (await readConstraintStates(sql)).flatMap(({ what, fault }) =>
    fault === null ? [] : `${what} (${fault})`,
  );
  return [...keys, ...constraints];
}

function lacksTables(dropped: readonly string[]): ConfigError {
  return new ConfigError(
    `Nothing was written: the database lacks ${dropped.length === 1 ? 'a table' : 'tables'} that the migrations created: ${dropped.join(', ')}. No backup without it could be restored.`,
    {
      code: 'database_altered',
      remedy: [
        'Restore an older backup into an empty database, or restore the structure as in prisma/migrations.',
        remedy('verify', [], 'then names what else is missing'),
      ],
    },
  );
}
