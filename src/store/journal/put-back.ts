import { textOf } from '../row.js';
import type { Sql } from '../sql.js';
import { expectMessages, releaseMessages } from '../tables/expected-messages.js';
import {
  JOURNALED_TABLES,
  JSON_NULL,
  type JournaledTable,
  type JournaledTableName,
} from './journaled-tables.js';
import { OWN_SCHEMA } from '../own-schema.js';

/** How many rows of a table were restored, by action. */
export interface PutBack {
  table: JournaledTableName;
  /** Had been removed. */
  inserted: number;
  /** Had been changed. */
  updated: number;
  /** Had been made. */
  deleted: number;
}

type Step = 'insert' | 'update' | 'delete' | 'park';

/**
 * The order of the work. Parents come before children and go after them (foreign keys are checked at the end of every
 * statement); unique values to be released are parked first, so that two rows can swap theirs.
 */
const STEPS: readonly (readonly [JournaledTableName, Step])[] = [
  ['leads', 'park'],
  ['leads', 'insert'],
  ['conversations', 'insert'],
  // Messages follow a conversation to its lead by foreign-key cascade.
  ['conversations', 'update'],
  ['messages', 'delete'],
  ['messages', 'park'],
  ['messages', 'update'],
  ['messages', 'insert'],
  ...stepsOf('message_revisions'),
  ...stepsOf('message_reactions'),
  ...stepsOf('pending_facts'),
  ['tickets', 'delete'],
  ['tickets', 'park'],
  ['tickets', 'update'],
  ['tickets', 'insert'],
  ...stepsOf('lead_identities'),
  ...stepsOf('sync_logs'),
  ...stepsOf('rejects'),
  ...stepsOf('webhook_log'),
  ['conversations', 'delete'],
  ['leads', 'delete'],
  ['leads', 'update'],
];

function stepsOf(table: JournaledTableName): (readonly [JournaledTableName, Step])[] {
  return [
    [table, 'delete'],
    [table, 'update'],
    [table, 'insert'],
  ];
}

/** Values under a unique index, released during the work; `e` is the entry, `t` the row. */
const PARKING: Partial<Record<JournaledTableName, { set: string; where: string }>> = {
  leads: {
    set: 'phone_number = null',
    where: `e.after is null or e.after -> 'phone_number' is distinct from e.before -> 'phone_number'`,
  },
  messages: {
    set: 'external_id = null',
    where: `e.after -> 'external_id' is distinct from e.before -> 'external_id'`,
  },
  tickets: { set: `status = 'closed', closed_at = opened_at`, where: `e.before ->> 'status' = 'open'` },
};

/**
 * Sets every row of the journal `undoId` to its entry's `after`: inserts missing rows, updates existing ones, deletes
 * created ones. Set-based, one statement per table and step. Unique and foreign-key violations surface as the
 * database's errors.
 */
export async function putBack(tx: Sql, undoId: string): Promise<PutBack[]> {
  const columns = await readColumns(tx);
  const done = new Map<JournaledTableName, PutBack>();
  for (const [name, step] of STEPS) {
    // Entries without their bodies expect what names them afterwards; before those come back that keep their own number.
    if (name === 'messages' && step === 'delete') await releaseMessages(tx, JOURNALED_MESSAGES, [undoId]);
    const rows = await tx.execute(statement(JOURNALED_TABLES[name], step, columns.get(name) ?? []), [undoId]);
    if (name === 'messages' && step === 'insert') await expectMessages(tx, JOURNALED_MESSAGES, [undoId]);
    const counts = done.get(name) ?? { table: name, inserted: 0, updated: 0, deleted: 0 };
    done.set(name, counts);
    if (step === 'insert') counts.inserted += rows;
    if (step === 'update') counts.updated += rows;
    if (step === 'delete') counts.deleted += rows;
  }
  return [...done.values()].filter(({ inserted, updated, deleted }) => inserted + updated + deleted > 0);
}

/** The actual columns: a program that shares the tables may have added its own, and they are journaled, too. */
async function readColumns(tx: Sql): Promise<Map<string, string[]>> {
  const rows = await tx.query(
    `select c.relname::text as name, a.attname::text as column
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relkind in ('r', 'p') and c.relnamespace = ${OWN_SCHEMA} and a.attgenerated = ''
     order by c.relname, a.attnum`,
  );
  const columns = new Map<string, string[]>();
  for (const row of rows) {
    const name = textOf(row, 'name');
    columns.set(name, [...(columns.get(name) ?? []), textOf(row, 'column')]);
  }
  return columns;
}

function statement(table: JournaledTable, step: Step, all: readonly string[]): string {
  if (table.name === JOURNALED_TABLES.webhook_log.name) {
    if (step === 'delete') return TAKE_ENTRIES_OUT;
    if (step === 'insert') return putEntriesBack(table, all);
  }
  const columns = table.columns ?? all;
  const same = table.key.map(({ name }) => `x.${name} = r.${name}`).join(' and ');
  switch (step) {
    case 'insert':
      return `insert into ${table.name} (${columns.join(', ')})
              select ${columns.map((name) => valueOf(table, name)).join(', ')}
              from change_journal e cross join lateral jsonb_populate_record(null::${table.name}, e.after) r
              where ${entries(table)} and e.before is null and e.after is not null`;
    case 'update':
      return `update ${table.name} x set ${columns.map((name) => `${name} = r.${name}`).join(', ')}
              from (
                select ${columns.map((name) => `${valueOf(table, name)} as ${name}`).join(', ')}
                from change_journal e cross join ${wholeRow(table)}
                -- Over the row as it is: an entry may hold a part of it.
                cross join lateral jsonb_populate_record(t.row, e.after) r
                where ${entries(table)} and e.before is not null and e.after is not null offset 0
              ) r
              where ${same}`;
    case 'delete':
      return `delete from ${table.name} x
              using (
                select ${table.key.map(({ name, type }) => `(e.key ->> '${name}')::${type} as ${name}`).join(', ')}
                from change_journal e where ${entries(table)} and e.after is null offset 0
              ) r
              where ${same}`;
    case 'park': {
      const parking = PARKING[nameOf(table)];
      if (parking === undefined) throw new Error(`nothing to park in ${table.name}`);
      return `update ${table.name} x set ${parking.set}
              from (
                select (e.key ->> 'id')::uuid as id from change_journal e
                where ${entries(table)} and e.before is not null and (${parking.where}) offset 0
              ) r
              where ${same}`;
    }
  }
}

/** The messages of a journal: those that are there before the work, or after it. */
const JOURNALED_MESSAGES = `select (e.key ->> 'id')::uuid from change_journal e
  where e.run_id = $1::uuid and e.table_name = 'messages'`;

/** Removed raw entries leave their bytes in discarded_bodies. */
const TAKE_ENTRIES_OUT = `
  with gone as (
    delete from webhook_log x
    using (
      select (e.key ->> 'id')::uuid as id from change_journal e
      where e.run_id = $1::uuid and e.table_name = 'webhook_log' and e.after is null offset 0
    ) r
    where x.id = r.id returning x.id, x.raw_body
  )
  insert into discarded_bodies (webhook_log_id, run_id, raw_body) select id, $1::uuid, raw_body from gone`;

/** Restored raw entries take their bytes back. */
function putEntriesBack(table: JournaledTable, all: readonly string[]): string {
  const values = all.map((name) => (name === 'raw_body' ? 'body.raw_body' : valueOf(table, name)));
  return `
    with back as (
      select (e.key ->> 'id')::uuid as id, e.after from change_journal e
      where ${entries(table)} and e.before is null and e.after is not null
    ),
    body as (
      delete from discarded_bodies b using back where b.webhook_log_id = back.id
      returning b.webhook_log_id as id, b.raw_body
    )
    insert into webhook_log (${all.join(', ')})
    select ${values.join(', ')}
    from back join body on body.id = back.id cross join lateral jsonb_populate_record(null::webhook_log, back.after) r`;
}

function nameOf(table: JournaledTable): JournaledTableName {
  const name = Object.values(JOURNALED_TABLES).find((other) => other.name === table.name)?.name;
  if (name === undefined) throw new Error(`${table.name} is not journaled`);
  return name;
}

function entries(table: JournaledTable): string {
  return `e.run_id = $1::uuid and e.table_name = '${table.name}'`;
}

/** A column of the populated record `r`. */
function valueOf(table: JournaledTable, name: string): string {
  return table.json.includes(name)
    ? `case when r.${name} = '${JSON_NULL}'::jsonb then 'null'::jsonb else r.${name} end`
    : `r.${name}`;
}

/** An entry's row as one value of its table's type. */
function wholeRow(table: JournaledTable): string {
  const conditions = table.key.map(({ name, type }) => `c.${name} = (e.key ->> '${name}')::${type}`);
  return `lateral (select c as row from ${table.name} c where ${conditions.join(' and ')} limit 1) t`;
}
