import { MESSAGE_SOURCES } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  insertRows,
  updateRows,
  without,
  readByIds,
} from '../columns.js';
import type { Sql } from '../sql.js';

const COLUMNS = columns({
  id: uuid,
  connectionId: uuid,
  leadId: uuid,
  firstMessageAt: orNull(time),
  firstMessageSource: orNull(word(MESSAGE_SOURCES)),
  lastMessageAt: orNull(time),
});

export type ConversationRow = RowOf<typeof COLUMNS>;

const CHANGING = without(COLUMNS, 'id', 'connectionId', 'leadId');

/** All conversations of the given leads, on any connection: a lead's source depends on all of them (I6). */
export async function readConversationsOfLeads(
  tx: Sql,
  leadIds: readonly string[],
): Promise<ConversationRow[]> {
  return readByIds(tx, 'conversations', COLUMNS, 'lead_id', leadIds);
}

export async function readConversationsById(tx: Sql, ids: readonly string[]): Promise<ConversationRow[]> {
  return readByIds(tx, 'conversations', COLUMNS, 'id', ids);
}

export async function insertConversations(tx: Sql, rows: readonly ConversationRow[]): Promise<number> {
  return insertRows(tx, 'conversations', COLUMNS, rows);
}

export async function updateConversations(tx: Sql, rows: readonly ConversationRow[]): Promise<number> {
  return updateRows(tx, 'conversations', COLUMNS, CHANGING, rows);
}

/**
 * First and last message, read from the messages: for conversations with messages that changed time or source or left,
 * where a running minimum would be wrong. Three index look-ups per conversation.
 */
export async function recomputeConversations(tx: Sql, ids: readonly string[]): Promise<ConversationRow[]> {
  return recomputed(tx, 'id', ids);
}

/**
 * All conversations of the given leads, as their messages give them: what is derived from them must not follow an end that
 * another program changed in the table.
 */
export async function recomputeConversationsOfLeads(
  tx: Sql,
  leadIds: readonly string[],
): Promise<ConversationRow[]> {
  return recomputed(tx, 'lead_id', leadIds);
}

async function recomputed(
  tx: Sql,
  key: 'id' | 'lead_id',
  keys: readonly string[],
): Promise<ConversationRow[]> {
  if (keys.length === 0) return [];
  const rows = await tx.query(
    `select c.id, c.connection_id, c.lead_id,
       first.timestamp as first_message_at, first.source as first_message_source, last.timestamp as last_message_at
     from conversations c
     left join lateral (
       select min(m.timestamp) as timestamp from messages m where m.conversation_id = c.id
     ) earliest on true
     left join lateral (
       -- Several first messages in one second: the most live one decides the source of the lead.
       select m.timestamp, m.source from messages m
       where m.conversation_id = c.id and m.timestamp = earliest.timestamp
       order by case m.source when 'live' then 0 when 'app_echo' then 1 else 2 end
       limit 1
     ) first on true
     left join lateral (
       select max(m.timestamp) as timestamp from messages m where m.conversation_id = c.id
     ) last on true
     where c.${key} = any($1::uuid[])`,
    [arrayLiteral(keys)],
  );
  return rowsOf(COLUMNS, rows);
}

/** The merge order of conversations: the earlier comes first, and survives. */
export function earlierFirst(conversation: string): string {
  return ['first_message_at', 'created_at', 'id'].map((column) => `${conversation}.${column}`).join(', ');
}
