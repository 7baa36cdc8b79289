import { arrayLiteral } from '../array-literal.js';
import { bigint, columnNames, columns, insertRows, rowsOf, text, type RowOf } from '../columns.js';
import { textOf, integerOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';
import { INCLUDED_SQL, REFUSED_SQL } from './webhook-log.js';

const BLOCK = columns({
  /** See {@link blockSql}, FOREIGN, NAMES and TABLE. */
  block: text,
  rows: bigint,
  digest: text,
});

/** Rows as one value: if it is equal, none of them has changed. */
export type StoredBlock = RowOf<typeof BLOCK>;

/** Digits of a generated id covering 17 minutes: ids begin with the time in milliseconds, in 12 digits. */
const BLOCK_DIGITS = 7;

/** Messages of one day of other programs, which name no raw entry. */
export const FOREIGN = 'day ';
/** The names of the people first seen in the same 17 minutes. */
export const NAMES = 'names ';
/** A whole table, as far as comparing the raw log depends on it. */
const TABLE = 'table ';

/** SQL: the messages of raw entries stored within the same 17 minutes, by the id of their entry. */
function blockSql(id: string): string {
  return `left(${id}::text, ${BLOCK_DIGITS})`;
}

/**
 * The other tables that decide how the raw log compares, and what is hashed of each row `t`. What runs change without a meaning
 * for that is left out.
 */
const TABLES: readonly { table: string; hashed: string }[] = [
  { table: 'message_reactions', hashed: 't::text' },
  { table: 'message_revisions', hashed: 't::text' },
  { table: 'pending_facts', hashed: 't::text' },
  { table: 'rejects', hashed: `(t.webhook_log_id, t.path, t.subject, t.reason, t.external_id)::text` },
  { table: 'history_chunks', hashed: `(t.connection_id, t.phase, t.chunk_order)::text` },
  {
    table: 'connections',
    hashed: `(t.id, t.organization_id, t.name, t.kind, t.phone_number_id, t.waba_id, t.waba_ids, t.display_phone_number,
      t.numbers)::text`,
  },
];

/** What of a raw entry decides how it is read: that of the run that stored it, too. */
const HASHED_ENTRY = `(w.id, w.connection_scope, w.received_at, w.status, w.refused, w.included, w.provider, w.fields, w.phone_number_ids, w.chat_ids,
  r.options -> 'include', r.options -> 'connection', r.options -> 'connectionId')::text`;

const HASH = (row: string): string => `hashtextextended(${row}, 0)`;
const SUM = (hash: string): string => `coalesce(sum(${hash}), 0)::text`;

/**
 * Everything that comparing the raw log depends on, by block: of messages and entries those up to the entry `before`, to compare
 * with the remembered values, and those up to `through`, to remember. One pass over each table for both. Hashes whole messages: a
 * column added by a later version is included, so the first verification after it compares everything.
 */
export async function readBlocks(
  tx: Sql,
  { before, through }: { before: string | null; through: string | null },
): Promise<{ before: StoredBlock[]; through: StoredBlock[] }> {
  const sums = (name: string): string =>
    `count(*) filter (where is_${name}) as ${name}_rows,
     coalesce(sum(hash) filter (where is_${name}), 0)::text as ${name}_digest`;
  const whole = (hash: string): string => `count(*), ${SUM(hash)}, count(*), ${SUM(hash)}`;
  const rows = await tx.query(
    `select block, ${sums('before')}, ${sums('through')}
     from (
       select case when m.batch_id is null then '${FOREIGN}' || to_char(m.timestamp, 'YYYYMMDD') else ${blockSql('m.batch_id')} end as block,
         ${HASH('m::text')} as hash,
         (m.batch_id is null or m.batch_id <= $1::uuid) is true as is_before,
         (m.batch_id is null or m.batch_id <= $2::uuid) is true as is_through
       from messages m
       union all
       select '${TABLE}webhook_log', ${HASH(HASHED_ENTRY)}, (w.id <= $1::uuid) is true, (w.id <= $2::uuid) is true
       from (
         select id, connection_scope, received_at, status, run_id, provider, fields, phone_number_ids, chat_ids, ${REFUSED_SQL} as refused, ${INCLUDED_SQL} as included
         from webhook_log
       ) w left join sync_runs r on r.id = w.run_id
     ) hashed
     group by block
     union all
     select '${NAMES}' || ${blockSql('i.person_id')}, ${whole(HASH(`(i.organization_id, i.kind, i.value, i.person_id, l.id)::text`))}
     from lead_identities i left join leads l on l.id = i.lead_id
     group by 1
     ${TABLES.map(({ table, hashed }) => `union all select '${TABLE}${table}', ${whole(HASH(hashed))} from ${table} t`).join('\n')}`,
    [before, through],
  );
  return {
    before: rows.map((row) => blockOf(row, 'before_')).filter(({ rows: count }) => count > 0),
    through: rows.map((row) => blockOf(row, 'through_')).filter(({ rows: count }) => count > 0),
  };
}

/** How many messages these blocks are about. */
export function messagesIn(blocks: readonly StoredBlock[]): number {
  const isOfMessages = ({ block }: StoredBlock): boolean =>
    !block.startsWith(NAMES) && !block.startsWith(TABLE);
  return blocks.filter(isOfMessages).reduce((sum, { rows }) => sum + rows, 0);
}

/** What the last verification proved. */
export async function readProvenBlocks(sql: Sql): Promise<StoredBlock[]> {
  return rowsOf(BLOCK, await sql.query(`select ${columnNames(BLOCK)} from proven_blocks`));
}

/** Remembers what was proved, replacing everything proved before. */
export async function replaceProvenBlocks(tx: Sql, blocks: readonly StoredBlock[]): Promise<void> {
  await tx.execute(`delete from proven_blocks where not block = any($1::text[])`, [
    arrayLiteral(blocks.map(({ block }) => block)),
  ]);
  await insertRows(
    tx,
    'proven_blocks',
    BLOCK,
    blocks,
    `on conflict (block) do update set rows = excluded.rows, digest = excluded.digest
     where (proven_blocks.rows, proven_blocks.digest) is distinct from (excluded.rows, excluded.digest)`,
    // Of earlier versions.
    { advance: '0' },
  );
}

function blockOf(row: SqlRow, prefix: string): StoredBlock {
  return {
    block: textOf(row, 'block'),
    rows: integerOf(row, `${prefix}rows`),
    digest: textOf(row, `${prefix}digest`),
  };
}
