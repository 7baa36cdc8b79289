import pg from 'pg';
import { ConfigError } from '../model/errors.js';
import { translateDatabaseError } from '../store/database-errors.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../store/database-url.js';
import { connectClient } from '../store/backends/postgresql-client.js';
import type { CrmRecord, Dialect } from './crm.js';
import { textIn, textsIn } from './record.js';
import type { CrmSource } from './source.js';

/** Rows per page: large enough that round trips cost nothing, small enough for memory. */
const PAGE = 5_000;

/** A page is read by an index; one that takes longer than this holds up the CRM for nothing. */
const STATEMENT_TIMEOUT_MS = 120_000;

/**
 * Opens a CRM's PostgreSQL for reading, in one transaction that sees one moment and can write nothing. Timestamps are read as
 * text: these CRMs store UTC without a zone, which the driver would take for the zone of this machine.
 * Throws UserError when it cannot be reached, ConfigError when it is no such CRM.
 */
export async function openCrmDatabase(url: string, dialect: Dialect): Promise<CrmSource> {
  refuseMysql(url, dialect);
  const target = parseDatabaseUrl(url);
  const client = await connectClient(target);
  const query = async (text: string, values: readonly unknown[] = []): Promise<CrmRecord[]> => {
    try {
      return (await client.query<Record<string, unknown>>({ text, values: [...values], types: TYPES })).rows;
    } catch (error) {
      throw translateDatabaseError(error, target.location) ?? error;
    }
  };
  const close = (): Promise<void> => client.end().catch(() => undefined);
  try {
    await query('begin transaction isolation level repeatable read read only');
    await query(
      `select set_config('search_path', $1, true), set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
         set_config('statement_timeout', $2, true)`,
      [pg.escapeIdentifier(target.schema), String(STATEMENT_TIMEOUT_MS)],
    );
    await recognise(query, dialect, target);
    const connections = (await query(dialect.connectionsQuery)).map(dialect.readConnection);
    return {
      dialect,
      location: target.location,
      connections,
      rows: async function* (keys) {
        let cursor: string[] | null = null;
        for (;;) {
          const records: CrmRecord[] = await query(dialect.messagesQuery, [[...keys], cursor, PAGE]);
          const last = records.at(-1);
          if (last === undefined) return;
          yield records.map((record) => ({ row: dialect.readRow(record), record }));
          if (records.length < PAGE) return;
          cursor = textsIn(last, 'cursor');
        }
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<CrmRecord[]>;

/** Every date and time as the server writes it. */
const TYPES = new pg.TypeOverrides();
for (const type of [pg.types.builtins.DATE, pg.types.builtins.TIMESTAMP, pg.types.builtins.TIMESTAMPTZ]) {
  TYPES.setTypeParser(type, (text: string) => text);
}

function refuseMysql(url: string, { title }: Dialect): void {
  if (!/^(?:mysql|mariadb)2?:/i.test(url)) return;
  throw new ConfigError(`This is a MySQL database; a CRM's tables are read from PostgreSQL only.`, {
    code: 'crm_mysql',
    remedy: `Export the tables of ${title} as CSV or NDJSON, and give the files instead of --crm-url.`,
  });
}

/** Throws ConfigError, with what was looked for, where a table or column of the dialect is missing. */
async function recognise(query: Query, dialect: Dialect, target: DatabaseUrl): Promise<void> {
  const wanted = [dialect.messages, ...dialect.tables];
  const records = await query(
    `select c.relname as table_name, a.attname as column_name
     from pg_class c join pg_attribute a on a.attrelid = c.oid
     where c.oid = any(select to_regclass(quote_ident(name)) from unnest($1::text[]) as names (name))
       and a.attnum > 0 and not a.attisdropped`,
    [wanted.map(({ table }) => table)],
  );
  const columns = new Map<string, Set<string>>();
  for (const record of records) {
    const table = textIn(record, 'table_name') ?? '';
    const known = columns.get(table) ?? new Set();
    columns.set(table, known.add(textIn(record, 'column_name') ?? ''));
  }
  const missing = wanted.flatMap(({ table, columns: names }) => {
    const known = columns.get(table);
    if (known === undefined) return [`the table "${table}"`];
    return names.filter((name) => !known.has(name)).map((name) => `the column "${name}" of "${table}"`);
  });
  if (missing.length === 0) return;
  const looked = wanted.map(({ table, columns: names }) => `"${table}" (${names.join(', ')})`);
  throw new ConfigError(
    `${target.location} does not look like ${dialect.title}: it has not ${missing.slice(0, 3).join(', ')}.`,
    {
      code: 'crm_unknown',
      remedy: `Looked in the schema ${target.schema} for: ${looked.join('; ')}. Name the schema with ?schema=NAME, or another CRM.`,
    },
  );
}
