import { arrayLiteral } from '../array-literal.js';
import {
  columnNames,
  time,
  unnestParameters,
  unnestTable,
  columns,
  uuid,
  text,
  jsonObject,
  orNull,
  type RowOf,
  rowsOf,
} from '../columns.js';
import { insertRows } from '../insert-rows.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey, media } from './messages.js';

const REACTION_COLUMNS = columns({
  connectionId: uuid,
  targetExternalId: text,
  reactor: text,
  emoji: orNull(text),
  at: time,
});

export type ReactionRow = RowOf<typeof REACTION_COLUMNS>;

const REVISION_COLUMNS = columns({
  messageId: uuid,
  version: text,
  type: text,
  body: orNull(text),
  media: orNull(media),
  rawMeta: orNull(jsonObject),
  at: time,
});

export type RevisionRow = RowOf<typeof REVISION_COLUMNS>;

export async function readReactions(tx: Sql, targets: readonly MessageKey[]): Promise<ReactionRow[]> {
  if (targets.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(REACTION_COLUMNS, 'x')}
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select * from message_reactions where connection_id = k.connection_id and target_external_id = k.target offset 0
     ) x`,
    keyParameters(targets),
  );
  return rowsOf(REACTION_COLUMNS, rows);
}

export async function writeReactions(tx: Sql, rows: readonly ReactionRow[]): Promise<number> {
  return insertRows(
    tx,
    'message_reactions',
    REACTION_COLUMNS,
    rows,
    `on conflict (connection_id, target_external_id, reactor) do update
       set emoji = excluded.emoji, at = excluded.at
       -- Latest wins, whatever came first; of one moment, the larger, so that the order cannot matter.
       where (message_reactions.at, coalesce(message_reactions.emoji, ''))
           < (excluded.at, coalesce(excluded.emoji, ''))`,
  );
}

export async function deleteReactions(tx: Sql, targets: readonly MessageKey[]): Promise<number> {
  if (targets.length === 0) return 0;
  return tx.execute(
    `delete from message_reactions x
     using unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     where x.connection_id = k.connection_id and x.target_external_id = k.target`,
    keyParameters(targets),
  );
}

export async function readRevisions(tx: Sql, messageIds: readonly string[]): Promise<RevisionRow[]> {
  if (messageIds.length === 0) return [];
  const rows = await tx.query(
    `select ${columnNames(REVISION_COLUMNS)} from message_revisions where message_id = any($1::uuid[])`,
    [arrayLiteral(messageIds)],
  );
  return rowsOf(REVISION_COLUMNS, rows);
}

/** Replaces the revisions of the given messages by what their merged states say. */
export async function replaceRevisions(
  tx: Sql,
  messageIds: readonly string[],
  rows: readonly RevisionRow[],
): Promise<void> {
  if (messageIds.length === 0) return;
  await tx.execute(`delete from message_revisions where message_id = any($1::uuid[])`, [
    arrayLiteral(messageIds),
  ]);
  if (rows.length === 0) return;
  await tx.execute(
    `insert into message_revisions (${columnNames(REVISION_COLUMNS)}) select r.* from ${unnestTable(REVISION_COLUMNS)}`,
    unnestParameters(REVISION_COLUMNS, rows),
  );
}
