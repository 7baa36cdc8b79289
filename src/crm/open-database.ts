import pg from 'pg';
import { ConfigError } from '../model/errors.js';
import { translateDatabaseError } from '../store/database-errors.js';
import { parseDatabaseUrl, type DatabaseUrl } from '../store/database-url.js';
import { sqlState } from '../store/sql-state.js';
import { connectClient } from '../store/backends/postgresql-client.js';
import { setForTransaction } from '../store/backends/value-settings.js';
import type { CrmRecord, Dialect, HasColumn } from './crm.js';
import { textIn, textsIn } from './record.js';
import type { CrmSource, ReadPair } from './source.js';

/** Rows per page: large enough that round trips cost nothing, small enough for memory. */
const PAGE = 5_000;

/** A page is read by an index; a slower one only delays the CRM. */
const STATEMENT_TIMEOUT_MS = 120_000;

/**
 * Opens a CRM's PostgreSQL for reading, in one read-only snapshot transaction. Timestamps are read as text: these CRMs
 * store UTC without a zone, which the driver would take for the zone of this machine. Throws UserError if it is
 * unreachable, ConfigError if it is not this CRM.
 */
export async function openCrmDatabase(url: string, known: Dialect): Promise<CrmSource> {
  refuseMysql(url, known);
  const target = parseDatabaseUrl(url);
  const client = await connectClient(target);
  const query = async (text: string, values: readonly unknown[] = []): Promise<CrmRecord[]> => {
    try {
      return (await client.query<Record<string, unknown>>({ text, values: [...values], types: TYPES })).rows;
    } catch (error) {
      if (sqlState(error) === PERMISSION_DENIED) throw notPermitted(known, target, client.user, error);
      throw translateDatabaseError(error, target.location) ?? error;
    }
  };
  const close = (): Promise<void> => client.end().catch(() => undefined);
  try {
    await query('begin transaction isolation level repeatable read read only');
    await query(setForTransaction());
    await query(
      `select set_config('search_path', $1, true),
         set_config('statement_timeout', $2, true), set_config('cursor_tuple_fraction', '1', true),
         set_config('synchronize_seqscans', 'off', true)`,
      [pg.escapeIdentifier(target.schema), String(STATEMENT_TIMEOUT_MS)],
    );
    const has = await recognize(query, known, target, client.user);
    const dialect = known.version?.(has) ?? known;
    const connections = (await query(dialect.connectionsQuery(has))).map(dialect.readConnection);
    return {
      dialect,
      location: target.location,
      missingContacts: [],
      passedOver: [],
      mayRepeatRows: false,
      connections,
      rows: async function* (keys) {
        for await (const page of pagesOf(query, dialect, dialect.messagesQuery(has), keys)) {
          yield page.map((record) => ({ row: dialect.readRow(record), record }));
        }
      },
      pairs: () => pairsOf(query, dialect, has),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Query = (text: string, values?: readonly unknown[]) => Promise<CrmRecord[]>;

/** The rows of these connections: a page after the cursor of the one before, or from a cursor that the server keeps. */
async function* pagesOf(
  query: Query,
  { isReadAtOnce }: Dialect,
  text: string,
  keys: readonly string[],
): AsyncGenerator<CrmRecord[], void, undefined> {
  if (isReadAtOnce === true) {
    await query(`declare wa_crm_messages no scroll cursor for ${text}`, [[...keys]]);
    for (;;) {
      const records = await query(`fetch ${PAGE} from wa_crm_messages`);
      if (records.length === 0) break;
      yield records;
    }
    await query('close wa_crm_messages');
    return;
  }
  let cursor: string[] | null = null;
  for (;;) {
    const records: CrmRecord[] = await query(text, [[...keys], cursor, PAGE]);
    const last = records.at(-1);
    if (last === undefined) return;
    yield records;
    if (records.length < PAGE) return;
    cursor = textsIn(last, 'cursor');
  }
}

async function* pairsOf(
  query: Query,
  { pairsQuery, readPair }: Dialect,
  has: HasColumn,
): AsyncGenerator<ReadPair[], void, undefined> {
  const text = pairsQuery?.(has) ?? null;
  if (text === null || readPair === undefined) return;
  let after: string | null = null;
  for (;;) {
    const records: CrmRecord[] = await query(text, [after, PAGE]);
    const last = records.at(-1);
    if (last === undefined) return;
    yield records.map((record) => ({ person: readPair(record), record }));
    after = textIn(last, 'id');
  }
}

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
    inProgram: `Export the tables of ${title} as CSV or NDJSON, and give paths to the files instead of crmUrl.`,
  });
}

/**
 * Which columns the tables have. Throws ConfigError, with what was looked for, where a table or column of the dialect is missing.
 */
async function recognize(
  query: Query,
  dialect: Dialect,
  target: DatabaseUrl,
  user: string | undefined,
): Promise<HasColumn> {
  const wanted = [dialect.messages, ...dialect.tables];
  const looked = [...wanted, ...(dialect.optionalTables ?? [])];
  const records = await query(
    `select wanted.name, a.attname as column_name
     from unnest($1::text[], $2::text[]) as wanted (name, schema)
     join pg_attribute a
       on a.attrelid = to_regclass(coalesce(quote_ident(wanted.schema) || '.', '') || quote_ident(wanted.name))
     where a.attnum > 0 and not a.attisdropped`,
    [looked.map(({ table }) => table), looked.map(({ schema }) => schema ?? null)],
  );
  const columns = new Map<string, Set<string>>();
  for (const record of records) {
    const table = textIn(record, 'name') ?? '';
    const known = columns.get(table) ?? new Set();
    columns.set(table, known.add(textIn(record, 'column_name') ?? ''));
  }
  const missing = wanted.flatMap(({ table, columns: names }) => {
    const known = columns.get(table);
    if (known === undefined) return [`the table "${table}"`];
    return names.filter((name) => !known.has(name)).map((name) => `the column "${name}" of "${table}"`);
  });
  if (missing.length > 0) {
    // A schema that a role may not use shows no tables.
    const [schema] = await query(
      `select has_schema_privilege(oid, 'usage') as may_use from pg_namespace where nspname = $1`,
      [dialect.messages.schema ?? target.schema],
    );
    if (schema?.may_use === false) throw notPermitted(dialect, target, user);
    throw unknownCrm(dialect, target, missing);
  }
  return (table, column) => columns.get(table)?.has(column) === true;
}

const PERMISSION_DENIED = '42501';

/** The role may not read what a comparison needs: the grants for the tables' owner to run. */
function notPermitted(
  { title, messages, tables, optionalTables = [] }: Dialect,
  { location, schema }: DatabaseUrl,
  user: string | undefined,
  cause?: unknown,
): ConfigError {
  const role = pg.escapeIdentifier(user ?? 'ROLE');
  const read = [messages, ...tables].map((one) => nameOf(one, schema));
  const optional = optionalTables.map((one) => nameOf(one, schema));
  return new ConfigError(`${user ?? 'This role'} may not read the tables of ${title} in ${location}.`, {
    code: 'crm_not_permitted',
    remedy: [
      'As the owner of the tables, or a superuser, run:',
      `grant usage on schema ${pg.escapeIdentifier(messages.schema ?? schema)} to ${role};`,
      `grant select on ${read.join(', ')} to ${role};`,
      ...(optional.length === 0
        ? []
        : [`And, of those that are there: grant select on ${optional.join(', ')} to ${role};`]),
    ],
    ...(cause === undefined ? {} : { cause }),
  });
}

function nameOf({ table, schema }: { table: string; schema?: string | undefined }, usual: string): string {
  return `${pg.escapeIdentifier(schema ?? usual)}.${pg.escapeIdentifier(table)}`;
}

function unknownCrm(
  { title, messages, tables }: Dialect,
  { location, schema }: DatabaseUrl,
  missing: readonly string[],
): ConfigError {
  const wanted = [messages, ...tables].map(({ table, columns }) => `"${table}" (${columns.join(', ')})`);
  return new ConfigError(
    `${location} does not look like ${title}: it has not ${missing.slice(0, 3).join(', ')}.`,
    {
      code: 'crm_unknown',
      remedy: `Looked in the schema ${messages.schema ?? schema} for: ${wanted.join('; ')}. Name the schema with ?schema=NAME, or another CRM.`,
    },
  );
}
