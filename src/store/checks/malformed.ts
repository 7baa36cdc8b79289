import { arrayLiteral } from '../array-literal.js';
import { boolean, columns, list, orNull, rowsOf, streamRowsOf, text, uuid, type RowOf } from '../columns.js';
import { TIMES } from '../../model/moment.js';
import type { Sql } from '../sql.js';
import { NO_SCOPE } from '../tables/webhook-log.js';
import { UNIQUE_KEYS } from './schema.js';
import { inScope, scopeParameters, sinceScope, type Scope } from './scope.js';
import { OWN_SCHEMA } from '../own-schema.js';

/**
 * Not the journal: what it holds is what `undo` puts back, broken or not. And not the keys of devices, which have no such columns
 * and the largest rows.
 */
const UNCHECKED = new Set(['change_journal', 'linked_device_keys']);

const KEYS = UNIQUE_KEYS.filter(({ primary, table }) => primary && !UNCHECKED.has(table));

const CHECKED_TABLE = columns({
  name: text,
  times: list(','),
  objects: list(','),
  /** Those of them that cannot be null. */
  required: list(','),
  hasConnection: boolean,
});

type CheckedTable = RowOf<typeof CHECKED_TABLE> & { key: readonly string[] };

/**
 * The tables with columns that can hold what no reader takes: times, and JSON of another shape than an object. From the catalog, so
 * that no column is left out. Errors of messages are a list, of which anything else is ignored.
 */
async function readCheckedTables(sql: Sql): Promise<CheckedTable[]> {
  const rows = await sql.query(
    `select c.relname as name,
       string_agg(a.attname, ',' order by a.attnum) filter (where a.atttypid = 'timestamptz'::regtype) as times,
       string_agg(a.attname, ',' order by a.attnum) filter (where a.atttypid = 'jsonb'::regtype) as objects,
       string_agg(a.attname, ',') filter (where a.attnotnull) as required,
       bool_or(a.attname = 'connection_id') as has_connection
     from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relnamespace = ${OWN_SCHEMA} and c.relname = any($1::text[])
       and (c.relname, a.attname) <> ('messages', 'errors')
     group by c.relname order by c.relname`,
    [arrayLiteral(KEYS.map(({ table }) => table))],
  );
  const keys = new Map(KEYS.map(({ table, columns: key }) => [table, key]));
  return rowsOf(CHECKED_TABLE, rows).flatMap((table) => {
    const key = keys.get(table.name) ?? [];
    // A key's own column names the row.
    const times = table.times.filter((name) => !key.includes(name));
    return times.length + table.objects.length === 0 ? [] : [{ ...table, times, key }];
  });
}

const isNoTime = (column: string): string =>
  `not (${column} >= '${TIMES.from}' and ${column} < '${TIMES.before}')`;
const isNoObject = (column: string): string => `jsonb_typeof(${column}) not in ('object', 'null')`;

/** A phone as `leads_phone_number_check` has it; other names are of any form, but not empty. */
const isNoName = (of: string): string =>
  `(${of}.value = '' or ${of}.kind = 'phone' and ${of}.value !~ '^\\+[0-9]{4,15}$')`;

interface Fault {
  column: string;
  condition: string;
  /** What stands in its place from then on: as src/store/row.ts reads it. */
  instead: string;
}

function faultsOf({ name, times, objects, required }: CheckedTable): Fault[] {
  // A closed ticket has a time of closing, by a constraint.
  const isRequired = (column: string): boolean =>
    required.includes(column) || (name === 'tickets' && column === 'closed_at');
  return [
    ...times.map((column) => {
      const instead = isRequired(column) ? `'epoch'` : 'null';
      return { column, condition: isNoTime(column), instead };
    }),
    ...objects.map((column) => {
      const instead = isRequired(column) ? `'{}'` : 'null';
      return { column, condition: isNoObject(column), instead };
    }),
  ];
}

function connectionOf({ name, hasConnection }: CheckedTable): string {
  if (name === 'webhook_log') return `nullif(connection_scope, '${NO_SCOPE}')`;
  if (name === 'connections') return 'id';
  return hasConnection ? 'connection_id' : 'null::uuid';
}

/** Which rows of a table are in the scope: any time, because the time may be the fault. */
const scopeOf = (table: CheckedTable): string =>
  `${inScope(connectionOf(table))} and ${sinceScope('current_timestamp')}`;

const MALFORMED_ROW = columns({
  connectionId: orNull(uuid),
  /** The table and the key. */
  subject: text,
  /** One sentence without its subject. */
  detail: text,
});

type MalformedRow = RowOf<typeof MALFORMED_ROW>;

/**
 * Rows that hold what no reader takes: other programs wrote it. Such a value reads as absent (src/store/row.ts), so that
 * commands go on with the others; here the row is named.
 */
export async function* streamMalformed(
  tx: Sql,
  scope: Scope,
): AsyncGenerator<MalformedRow[], void, undefined> {
  const parts = (await readCheckedTables(tx)).map((table) => {
    const faults = faultsOf(table);
    const named = faults.map(({ column, condition }) => `case when ${condition} then '${column}' end`);
    return `select ${connectionOf(table)} as connection_id, concat_ws(' ', '${table.name}', ${table.key.join(', ')}) as subject,
         'holds a value that cannot be read: ' || concat_ws(', ', ${named.join(', ')}) as detail
       from ${table.name} where (${faults.map(({ condition }) => condition).join(' or ')}) and ${scopeOf(table)}`;
  });
  const names = `select null::uuid, 'lead_identities ' || i.kind || ' "' || i.value || '" of ' || i.person_id,
      case when i.value = '' then 'is a name without text' else 'is no phone' end
    from lead_identities i where ${isNoName('i')} and $1::uuid[] is null and ${sinceScope('current_timestamp')}`;
  yield* streamRowsOf(tx, MALFORMED_ROW, [...parts, names].join(' union all '), scopeParameters(scope));
}

/**
 * Takes out what {@link streamMalformed} names, and returns the number of changed rows. Not journaled: nothing is lost with such a
 * value, and `undo` must not bring it back. A replay restores what the log says in its place.
 */
export async function clearMalformed(tx: Sql, scope: Scope): Promise<number> {
  let cleared = 0;
  for (const table of await readCheckedTables(tx)) {
    const faults = faultsOf(table);
    const changes = faults.map(
      ({ column, condition, instead }) =>
        `${column} = case when ${condition} then ${instead} else ${column} end`,
    );
    cleared += await tx.execute(
      `update ${table.name} set ${changes.join(', ')}
       where (${faults.map(({ condition }) => condition).join(' or ')}) and ${scopeOf(table)}`,
      scopeParameters(scope),
    );
  }
  return scope.connectionIds === null ? cleared + (await clearNames(tx)) : cleared;
}

/** The lead's own phone says which name it was, unless the name is there, or another lead's; then the broken one only goes. */
async function clearNames(tx: Sql): Promise<number> {
  const named = await tx.execute(
    `update lead_identities set value = due.phone_number
     from (
       select distinct on (l.id) i.organization_id, i.kind, i.value, l.phone_number
       from lead_identities i join leads l on l.id = i.lead_id
       where i.kind = 'phone' and ${isNoName('i')} and l.phone_number is not null
         and not exists (
           select from lead_identities other
           where other.organization_id = i.organization_id and other.kind = 'phone' and other.value = l.phone_number
         )
       order by l.id, i.value
     ) due
     where (lead_identities.organization_id, lead_identities.kind, lead_identities.value)
       = (due.organization_id, due.kind, due.value)`,
  );
  return named + (await tx.execute(`delete from lead_identities i where ${isNoName('i')}`));
}
