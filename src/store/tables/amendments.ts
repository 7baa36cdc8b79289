import { PENDING_FACT_KINDS } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  columnNames,
  time,
  unnestParameters,
  unnestTable,
  columns,
  uuid,
  text,
  word,
  jsonObject,
  orNull,
  type Columns,
  type RowOf,
  rowsOf,
  only,
  insertRows,
  readByIds,
} from '../columns.js';
import { mayReplaceSql } from '../entry-id.js';
import type { Sql } from '../sql.js';
import { keyParameters, type MessageKey, media } from './messages.js';

const PENDING = {
  connectionId: uuid,
  targetExternalId: text,
  kind: word(PENDING_FACT_KINDS),
  factKey: text,
  at: time,
  payload: jsonObject,
  webhookLogId: orNull(uuid),
};

/**
 * The rows of a table for these messages. The fence (`offset 0`) forces a look-up by key for each: without it the
 * planner may read the whole table for a few.
 */
async function readByTarget<R>(
  sql: Sql,
  table: 'pending_facts' | 'message_reactions',
  all: Columns<R>,
  targets: readonly MessageKey[],
  order = '',
): Promise<R[]> {
  if (targets.length === 0) return [];
  const rows = await sql.query(
    `select ${columnNames(all, 't')}
     from unnest($1::uuid[], $2::text[]) as k (connection_id, target)
     cross join lateral (
       select * from ${table} where connection_id = k.connection_id and target_external_id = k.target offset 0
     ) t ${order}`,
    keyParameters(targets),
  );
  return rowsOf(all, rows);
}

const PENDING_COLUMNS = columns(PENDING);

/** A status, edit, revoke or reaction without its message so far. */
export type PendingFactRow = RowOf<typeof PENDING_COLUMNS>;

/** Whether any fact waits: while a history comes in, none does, and nobody has to ask for the facts of each message. */
export async function hasPendingFacts(tx: Sql): Promise<boolean> {
  return (await tx.query('select from pending_facts limit 1')).length > 0;
}

export async function readPendingFacts(tx: Sql, targets: readonly MessageKey[]): Promise<PendingFactRow[]> {
  return readByTarget(tx, 'pending_facts', PENDING_COLUMNS, targets);
}

export async function insertPendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  return insertRows(
    tx,
    'pending_facts',
    PENDING_COLUMNS,
    rows,
    `-- The same fact, come again while its message is still missing.
     on conflict (connection_id, target_external_id, kind, fact_key) do update
       set webhook_log_id = coalesce(pending_facts.webhook_log_id, excluded.webhook_log_id),
         at = excluded.at, payload = excluded.payload
     -- Only where it names no entry, or says something else. Two edits of one key may differ.
     where pending_facts.webhook_log_id is null and excluded.webhook_log_id is not null
       or (pending_facts.at, pending_facts.payload) is distinct from (excluded.at, excluded.payload)
         and (pending_facts.kind <> 'edit' or pending_facts.webhook_log_id = excluded.webhook_log_id)`,
  );
}

/** Points facts that wait, and whose entry is gone from the raw log, to that entry, come again. */
export async function relinkPendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<void> {
  if (rows.length === 0) return;
  const keys = only(PENDING_COLUMNS, 'connectionId', 'targetExternalId', 'kind', 'factKey');
  const key = (table: string): string => keys.map(({ name }) => `${table}.${name}`).join(', ');
  const given = only(PENDING_COLUMNS, 'connectionId', 'targetExternalId', 'kind', 'factKey', 'webhookLogId');
  await tx.execute(
    `update pending_facts set webhook_log_id = due.log_id
     from (
       select distinct on (${key('p')}) ${key('p')}, r.webhook_log_id as log_id
       from ${unnestTable(given)} join pending_facts p on (${key('p')}) = (${key('r')})
       where p.webhook_log_id <> r.webhook_log_id and ${mayReplaceSql('p.webhook_log_id', 'r.webhook_log_id')}
         and not exists (select from webhook_log w where w.id = p.webhook_log_id)
       order by ${key('p')}, r.webhook_log_id
     ) due
     where (${key('pending_facts')}) = (${key('due')})`,
    unnestParameters(given, rows),
  );
}

/** Removes what was just applied, by full key. */
export async function deletePendingFacts(tx: Sql, rows: readonly PendingFactRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  const keys = only(PENDING_COLUMNS, 'connectionId', 'targetExternalId', 'kind', 'factKey');
  return tx.execute(
    `delete from pending_facts p using ${unnestTable(keys)}
     where ${keys.map((column) => `p.${column.name} = r.${column.name}`).join(' and ')}`,
    unnestParameters(keys, rows),
  );
}

/** Removes what these entries have left to wait: another replay of them brings back what is to stay. */
export async function deletePendingFactsOf(tx: Sql, logIds: readonly string[]): Promise<number> {
  if (logIds.length === 0) return 0;
  return tx.execute(`delete from pending_facts where webhook_log_id = any($1::uuid[])`, [
    arrayLiteral(logIds),
  ]);
}

const PENDING_RECORD = columns({ ...PENDING, createdAt: time });

export type PendingRecord = RowOf<typeof PENDING_RECORD>;

/** What waits for a message with one of these ids. */
export async function readPendingOf(sql: Sql, keys: readonly MessageKey[]): Promise<PendingRecord[]> {
  return readByTarget(sql, 'pending_facts', PENDING_RECORD, keys, 'order by t.at, t.kind');
}

/**
 * What waits for messages with this id prefix: shared by the wamids of one phone. At most `most` per connection and
 * prefix.
 */
export async function readPendingByPrefix(
  sql: Sql,
  connectionIds: readonly string[],
  prefixes: readonly string[],
  most: number,
): Promise<PendingRecord[]> {
  if (connectionIds.length === 0 || prefixes.length === 0) return [];
  const rows = await sql.query(
    `select p.* from unnest($1::uuid[]) as c (id) cross join unnest($2::text[]) as k (prefix)
     cross join lateral (
       -- A range, and no LIKE, so that the primary key answers it whatever the database's collation is.
       select * from pending_facts
       where connection_id = c.id and target_external_id >= k.prefix and target_external_id < k.prefix || '~'
       limit ${most}
     ) p order by p.at, p.kind`,
    [arrayLiteral(connectionIds), arrayLiteral(prefixes)],
  );
  return rowsOf(PENDING_RECORD, rows);
}

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
  return readByTarget(tx, 'message_reactions', REACTION_COLUMNS, targets);
}

export async function writeReactions(tx: Sql, rows: readonly ReactionRow[]): Promise<number> {
  return insertRows(
    tx,
    'message_reactions',
    REACTION_COLUMNS,
    rows,
    `on conflict (connection_id, target_external_id, reactor) do update
       set emoji = excluded.emoji, at = excluded.at
       -- Latest wins, whatever came first; of one moment, the larger, so that the order cannot matter: by the rules' order, and
       -- not by the database's, which may have letters after symbols.
       where (message_reactions.at, coalesce(message_reactions.emoji, '') collate "C")
           < (excluded.at, coalesce(excluded.emoji, '') collate "C")`,
  );
}

/** Sets reactions to their logged value at that moment, if the stored value differs. */
export async function correctReactions(tx: Sql, rows: readonly ReactionRow[]): Promise<number> {
  if (rows.length === 0) return 0;
  return tx.execute(
    `update message_reactions t set emoji = r.emoji from ${unnestTable(REACTION_COLUMNS)}
     where t.connection_id = r.connection_id and t.target_external_id = r.target_external_id
       and t.reactor = r.reactor and t.at = r.at`,
    unnestParameters(REACTION_COLUMNS, rows),
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
  return readByIds(tx, 'message_revisions', REVISION_COLUMNS, 'message_id', messageIds);
}

/** Replaces the revisions of the given messages with those of their merged states. */
export async function replaceRevisions(
  tx: Sql,
  messageIds: readonly string[],
  rows: readonly RevisionRow[],
): Promise<void> {
  if (messageIds.length === 0) return;
  await tx.execute(`delete from message_revisions where message_id = any($1::uuid[])`, [
    arrayLiteral(messageIds),
  ]);
  await insertRows(tx, 'message_revisions', REVISION_COLUMNS, rows);
}
