import { arrayLiteral } from './array-literal.js';
import { booleanOf, integerOf, textOf } from './row.js';
import type { Sql } from './sql.js';
import { ConfigError } from '../model/errors.js';
import { ACCESS_LOG } from './tables/access-log.js';

/** The server's own facts. */
interface ServerFacts {
  /** `18.4`. */
  version: string;
  /** `180004`. */
  versionNumber: number;
  encoding: string;
  /** A standby, or a read-only session. */
  readOnly: boolean;
  autovacuum: boolean;
  databaseBytes: number;
}

export async function readServerFacts(sql: Sql): Promise<ServerFacts> {
  const [row = {}] = await sql.query(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
       current_setting('server_encoding') as encoding,
       pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as read_only,
       current_setting('autovacuum')::boolean as autovacuum, pg_database_size(current_database()) as bytes`,
  );
  return {
    version: textOf(row, 'version').split(' ')[0] ?? '',
    versionNumber: integerOf(row, 'number'),
    encoding: textOf(row, 'encoding'),
    readOnly: booleanOf(row, 'read_only'),
    autovacuum: booleanOf(row, 'autovacuum'),
    databaseBytes: integerOf(row, 'bytes'),
  };
}

/** The server's clock, in ms since 1970. */
export async function readServerClock(sql: Sql): Promise<number> {
  const [row = {}] = await sql.query(`select (extract(epoch from clock_timestamp()) * 1000)::bigint as now`);
  return integerOf(row, 'now');
}

/**
 * Those of `tables` that this role may not read and write, with the missing rights: `messages (insert, update)`. Others
 * in the schema may belong to other programs and are not checked; a missing table is found by its indexes.
 */
export async function readMissingRights(sql: Sql, tables: readonly string[]): Promise<string[]> {
  const rows = await sql.query(
    `select c.relname::text as name, string_agg(wanted.word, ', ' order by wanted.nth) as lacking
     from pg_class c
     join pg_namespace n on n.oid = c.relnamespace
     cross join unnest(array['select', 'insert', 'update', 'delete']) with ordinality as wanted (word, nth)
     where n.nspname = current_schema() and c.relkind in ('r', 'p') and c.relname = any($1::text[])
       and not has_table_privilege(c.oid, wanted.word)
     group by c.relname order by c.relname`,
    [arrayLiteral(tables)],
  );
  return rows.map((row) => `${textOf(row, 'name')} (${textOf(row, 'lacking')})`);
}

/** What this role may do with all of these tables together. */
export async function readRole(
  sql: Sql,
  tables: readonly string[],
): Promise<{ readsAll: boolean; writesAny: boolean; records: boolean }> {
  const [row = {}] = await sql.query(
    `select coalesce(bool_and(has_table_privilege(c.oid, 'select')), false) as reads_all,
       coalesce(bool_or(has_table_privilege(c.oid, 'insert, update, delete')) filter (where c.relname <> $2), false) as writes_any,
       coalesce(bool_or(has_table_privilege(c.oid, 'insert')) filter (where c.relname = $2), false) as records
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = current_schema() and c.relkind in ('r', 'p') and c.relname = any($1::text[])`,
    [arrayLiteral([...tables, ACCESS_LOG]), ACCESS_LOG],
  );
  return {
    readsAll: booleanOf(row, 'reads_all'),
    writesAny: booleanOf(row, 'writes_any'),
    records: booleanOf(row, 'records'),
  };
}

/** PostgreSQL 13: the oldest with the features used here, and the oldest recently supported by its makers. */
const OLDEST = 130_000;

/** Throws ConfigError unless the server is PostgreSQL 13 or newer. `query` runs one statement and returns its rows. */
export async function assertServerVersion(
  query: (text: string) => Promise<Record<string, unknown>[]>,
): Promise<void> {
  const [row] = await query(
    "select version() as version, current_setting('server_version_num', true) as number",
  );
  const version = typeof row?.version === 'string' ? row.version : 'unknown';
  const number = Number(row?.number);
  if (!version.startsWith('PostgreSQL ') || !Number.isInteger(number)) {
    throw new ConfigError(`The server is not PostgreSQL but ${version.split(/[ (,]/)[0] ?? 'unknown'}.`, {
      code: 'database_not_postgresql',
      remedy:
        'PostgreSQL 13 or newer is required; servers that only speak its protocol lack features that the tool needs.',
    });
  }
  if (number < OLDEST) {
    throw new ConfigError(
      `PostgreSQL 13 or newer is required; the server is ${version.split(' ').slice(0, 2).join(' ')}.`,
      {
        code: 'database_too_old',
        remedy: 'Upgrade the server, or give no URL to use the embedded database.',
      },
    );
  }
}
