import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterEach, inject } from 'vitest';
import { withDatabase } from '../server-url.js';
import type { Day } from './day.js';
import type { Bug, Expectation, FillOptions } from './expectation.js';

/** Runs one statement and gives its rows. */
export type Sql = (text: string, values?: readonly unknown[]) => Promise<Record<string, unknown>[]>;

/** The database of a CRM: empty when made, on the tests' own server. */
export interface CrmDatabase {
  /** As a superuser. */
  url: string;
  /** As a role that may only select. */
  readOnlyUrl: string;
  sql: Sql;
  remove: () => Promise<void>;
}

/** Fills an empty database as a CRM has it after a day, and says what a comparison has to find. */
export type Fill = (sql: Sql, day: Day, options: FillOptions) => Promise<Expectation>;

export interface CrmDatabases {
  empty: () => Promise<CrmDatabase>;
  filled: (
    fill: Fill,
    day: Day,
    bugs?: readonly Bug[],
  ) => Promise<{ crm: CrmDatabase; expectation: Expectation }>;
}

/** Databases of CRMs for the tests of a file; they are removed after each of them. */
export function useCrmDatabases(): CrmDatabases {
  const open: CrmDatabase[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((database) => database.remove()));
  });
  const empty = async (): Promise<CrmDatabase> => {
    const crm = await createCrmDatabase();
    open.push(crm);
    return crm;
  };
  return {
    empty,
    filled: async (fill, day, bugs = []) => {
      const crm = await empty();
      return { crm, expectation: await fill(crm.sql, day, { bugs: new Set(bugs), seed: 3 }) };
    },
  };
}

/** A fresh database with nothing in it. */
async function createCrmDatabase(): Promise<CrmDatabase> {
  const { serverUrl, prefix } = inject('databases');
  const name = `${prefix}_${randomBytes(6).toString('hex')}`;
  const reader = `${name}_reader`;
  const server = await connect(serverUrl);
  await server.sql(`create database ${name} template template0`);
  await server.sql(`create role ${reader} login password 'reader'`);
  await server.sql(`revoke temporary on database ${name} from public`);

  const url = withDatabase(serverUrl, name);
  const database = await connect(url);
  // PostgreSQL 14 and older let everybody create tables there.
  await database.sql('revoke create on schema public from public');
  // Also of the tables that are still to be created.
  await database.sql(`alter default privileges in schema public grant select on tables to ${reader}`);

  async function remove(): Promise<void> {
    await database.end();
    await server.sql(`drop database if exists ${name} with (force)`);
    await server.sql(`drop role ${reader}`);
    await server.end();
  }
  return { url, readOnlyUrl: asReader(url, reader), sql: database.sql, remove };
}

function asReader(url: string, reader: string): string {
  const parts = new URL(url);
  parts.username = reader;
  parts.password = 'reader';
  return parts.toString();
}

async function connect(url: string): Promise<{ sql: Sql; end: () => Promise<void> }> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const sql: Sql = async (text, values) => {
    const { rows } = await client.query<Record<string, unknown>>(
      text,
      values === undefined ? [] : [...values],
    );
    return rows;
  };
  return { sql, end: () => client.end() };
}

/** Rows in one statement; all of them name the columns that the first one names. The table's other columns take their defaults. */
export async function insertRows(sql: Sql, table: string, rows: readonly object[]): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const name = pg.escapeIdentifier(table);
  const columns = Object.keys(first).map(pg.escapeIdentifier).join(', ');
  for (let start = 0; start < rows.length; start += 10_000) {
    await sql(
      `insert into ${name} (${columns}) select ${columns} from json_populate_recordset(null::${name}, $1::json)`,
      [JSON.stringify(rows.slice(start, start + 10_000))],
    );
  }
}

/** Lets the next row that is inserted without an id get the one after the highest. */
export async function continueSequence(sql: Sql, table: string): Promise<void> {
  const name = pg.escapeIdentifier(table);
  await sql(
    `select setval(pg_get_serial_sequence($1, 'id'), (select coalesce(max(id), 0) + 1 from ${name}), false)`,
    [name],
  );
}
