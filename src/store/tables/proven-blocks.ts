import { arrayLiteral } from '../array-literal.js';
import { bigint, columnNames, columns, insertRows, rowsOf, text, type RowOf } from '../columns.js';
import { textOf, integerOf } from '../row.js';
import type { Sql, SqlRow } from '../sql.js';

const BLOCK = columns({
  /** The start of the entries' ids; `day <date>` for messages of other programs, else a table. */
  block: text,
  /** Of messages. */
  rows: bigint,
  digest: text,
  /** How far statuses, edits and revokes have advanced; rules M3 and M5 never let it go back. */
  advance: bigint,
});

/**
 * The messages of raw entries stored within the same quarter hour, and what these entries are found by, as one value: if it is
 * equal, none of them has changed. Data without an entry has its own blocks.
 */
export type MessageBlock = RowOf<typeof BLOCK>;

/** Digits of an entry's id covering 17 minutes: ids begin with the time in milliseconds, in 12 digits. */
const BLOCK_DIGITS = 7;

/** SQL: the block of a raw entry, by its id. */
export function blockSql(id: string): string {
  return `left(${id}::text, ${BLOCK_DIGITS})`;
}

const LADDER = `array['pending', 'sent', 'failed', 'delivered', 'read', 'played']`;

/**
 * All messages by block: those of entries up to `before`, to compare with the remembered values, and those of entries
 * up to `through`, to remember. One pass over the table for both. Hashes whole rows: a column added by a later version
 * is included, so the first verification after it compares everything.
 */
export async function readMessageBlocks(
  tx: Sql,
  { before, through }: { before: string | null; through: string | null },
): Promise<{ before: MessageBlock[]; through: MessageBlock[] }> {
  // A row's text must not depend on session settings.
  await tx.query(`select set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true)`);
  const sums = (name: string): string =>
    `count(*) filter (where ${name} and is_message) as ${name}_rows, coalesce(sum(hash) filter (where ${name}), 0)::text as ${name}_digest,
       coalesce(sum(advance) filter (where ${name}), 0) as ${name}_advance`;
  const rows = await tx.query(
    `select block, ${sums('before')}, ${sums('through')}
     from (
       select case when m.batch_id is null then 'day ' || to_char(m.timestamp, 'YYYYMMDD') else ${blockSql('m.batch_id')} end as block,
         hashtextextended(m::text, 0) as hash,
         coalesce(array_position(${LADDER}, m.status), 0) + coalesce(array_position(${LADDER}, m.history_status), 0)
           + (m.edited_at is not null)::int + (m.deleted_at is not null)::int as advance,
         (m.batch_id is null or m.batch_id <= $1::uuid) is true as before,
         (m.batch_id is null or m.batch_id <= $2::uuid) is true as through,
         true as is_message
       from messages m
       union all
       select ${blockSql('w.id')}, hashtextextended(row(w.id, w.provider, w.fields, w.phone_number_ids, w.chat_ids)::text, 0), 0,
         (w.id <= $1::uuid) is true, (w.id <= $2::uuid) is true, false
       from webhook_log w
     ) hashed
     group by block
     union all
     select 'message_reactions', count(*), '', 0, count(*), '', 0 from message_reactions
     union all
     select 'message_revisions', count(*), '', 0, count(*), '', 0 from message_revisions
     union all
     select 'message_history_chunks', count(*), '', 0, count(*), '', 0 from history_chunks`,
    [before, through],
  );
  return {
    before: rows.map((row) => blockOf(row, 'before_')).filter(isFilled),
    through: rows.map((row) => blockOf(row, 'through_')).filter(isFilled),
  };
}

/** What the last verification proved. */
export async function readProvenBlocks(sql: Sql): Promise<MessageBlock[]> {
  return rowsOf(BLOCK, await sql.query(`select ${columnNames(BLOCK)} from proven_blocks`));
}

/** Remembers what was proved, replacing everything proved before. */
export async function replaceProvenBlocks(tx: Sql, blocks: readonly MessageBlock[]): Promise<void> {
  await tx.execute(`delete from proven_blocks where not block = any($1::text[])`, [
    arrayLiteral(blocks.map(({ block }) => block)),
  ]);
  await insertRows(
    tx,
    'proven_blocks',
    BLOCK,
    blocks,
    `on conflict (block) do update set rows = excluded.rows, digest = excluded.digest, advance = excluded.advance
     where (proven_blocks.rows, proven_blocks.digest, proven_blocks.advance)
       is distinct from (excluded.rows, excluded.digest, excluded.advance)`,
  );
}

/** Entries without a message fill a block, too. */
function isFilled({ rows, digest }: MessageBlock): boolean {
  return rows > 0 || (digest !== '0' && digest !== '');
}

function blockOf(row: SqlRow, prefix: string): MessageBlock {
  return {
    block: textOf(row, 'block'),
    rows: integerOf(row, `${prefix}rows`),
    digest: textOf(row, `${prefix}digest`),
    advance: integerOf(row, `${prefix}advance`),
  };
}
