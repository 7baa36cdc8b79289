import { arrayLiteral } from './array-literal.js';
import { integerOf, textOf, textOrNull } from './row.js';
import type { Sql } from './sql.js';

/**
 * The messages of raw entries that were stored within the same quarter of an hour, as one value: when nothing of it has
 * changed, none of them has. What depends on no entry has blocks of its own.
 */
export interface MessageBlock {
  /** The beginning of the entries' ids; `day <date>` for messages of other programs, else a table. */
  block: string;
  rows: number;
  digest: string;
  /** How far statuses, edits and revokes have come; rules M3 and M5 never let it go back. */
  advance: number;
}

/** Digits of an entry's id that stand for 17 minutes: ids begin with the time, in milliseconds, of 12 digits. */
const BLOCK_DIGITS = 7;

/** SQL: the block of a raw entry, by its id. */
export function blockSql(id: string): string {
  return `left(${id}::text, ${BLOCK_DIGITS})`;
}

export function blockOfEntry(id: string): string {
  return id.slice(0, BLOCK_DIGITS);
}

const LADDER = `array['pending', 'sent', 'failed', 'delivered', 'read', 'played']`;

/** The id of the entry that was stored last; null without entries. */
export async function readLastEntryId(sql: Sql): Promise<string | null> {
  const [row] = await sql.query(`select id from webhook_log order by id desc limit 1`);
  return row === undefined ? null : textOrNull(row, 'id');
}

/**
 * All messages of entries up to `through`, block by block, in one pass over the table. A row is hashed as a whole: a column
 * that a later version adds is in it, too, and its first verification looks at everything.
 */
export async function readMessageBlocks(tx: Sql, through: string | null): Promise<MessageBlock[]> {
  // A row's text must not depend on the settings of the machine.
  await tx.query(`select set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO', true)`);
  const rows = await tx.query(
    `select block, count(*) as rows, sum(hashtextextended(whole, 0))::text as digest, sum(advance) as advance
     from (
       select case when m.batch_id is null then 'day ' || to_char(m.timestamp, 'YYYYMMDD') else ${blockSql('m.batch_id')} end as block,
         m::text as whole,
         coalesce(array_position(${LADDER}, m.status), 0) + coalesce(array_position(${LADDER}, m.history_status), 0)
           + (m.edited_at is not null)::int + (m.deleted_at is not null)::int as advance
       from messages m where m.batch_id is null or m.batch_id <= $1::uuid
     ) hashed
     group by block
     union all
     select 'message_reactions', count(*), '', 0 from message_reactions
     union all
     select 'message_revisions', count(*), '', 0 from message_revisions`,
    [through],
  );
  return rows.map(blockOf);
}

/** What the last verification has proven. */
export async function readProvenBlocks(sql: Sql): Promise<MessageBlock[]> {
  return (await sql.query(`select block, rows, digest, advance from proven_blocks`)).map(blockOf);
}

/** Remembers what was proven, instead of everything that was proven before. */
export async function replaceProvenBlocks(tx: Sql, blocks: readonly MessageBlock[]): Promise<void> {
  await tx.execute(`delete from proven_blocks where not block = any($1::text[])`, [
    arrayLiteral(blocks.map(({ block }) => block)),
  ]);
  await tx.execute(
    `insert into proven_blocks (block, rows, digest, advance)
     select * from unnest($1::text[], $2::bigint[], $3::text[], $4::bigint[])
     on conflict (block) do update set rows = excluded.rows, digest = excluded.digest, advance = excluded.advance
     where (proven_blocks.rows, proven_blocks.digest, proven_blocks.advance)
       is distinct from (excluded.rows, excluded.digest, excluded.advance)`,
    [
      arrayLiteral(blocks.map(({ block }) => block)),
      arrayLiteral(blocks.map(({ rows }) => rows)),
      arrayLiteral(blocks.map(({ digest }) => digest)),
      arrayLiteral(blocks.map(({ advance }) => advance)),
    ],
  );
}

function blockOf(row: Parameters<typeof textOf>[0]): MessageBlock {
  return {
    block: textOf(row, 'block'),
    rows: integerOf(row, 'rows'),
    digest: textOf(row, 'digest'),
    advance: integerOf(row, 'advance'),
  };
}
