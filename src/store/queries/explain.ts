import {
  MESSAGE_SOURCES,
  LEAD_SOURCES,
  DIRECTIONS,
  SYNC_SOURCES,
  MESSAGE_STATUSES,
} from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  uuid,
  integer,
  time,
  word,
  orNull,
  type RowOf,
  columns,
  rowsOf,
  text,
  rowOf,
  named,
  boolean,
} from '../columns.js';
import { textOf, integerOf } from '../row.js';
import type { Sql } from '../sql.js';
import { errors } from '../tables/messages.js';

const EXPLAINED_LEAD = columns({
  id: uuid,
  organization: named('slug', text),
  phone: named('phone_number', orNull(text)),
  name: named('push_name', orNull(text)),
  username: orNull(text),
  source: word(LEAD_SOURCES),
  firstSeenAt: time,
  lastMessageAt: orNull(time),
  isActive: boolean,
  deletedAt: orNull(time),
});

export type ExplainedLead = RowOf<typeof EXPLAINED_LEAD>;

const CONVERSATION_COUNT = columns({
  id: uuid,
  connectionId: uuid,
  firstMessageAt: orNull(time),
  firstMessageSource: orNull(word(MESSAGE_SOURCES)),
  lastMessageAt: orNull(time),
  messages: integer,
  inbound: integer,
  live: integer,
  fromHistory: integer,
  echoes: integer,
  fromElsewhere: integer,
});

/** A conversation with what it holds. */
export type ConversationCount = RowOf<typeof CONVERSATION_COUNT>;

export async function readExplainedLead(sql: Sql, leadId: string): Promise<ExplainedLead | null> {
  const [row] = await sql.query(
    `select l.id, o.slug, l.phone_number, l.push_name, l.username, l.source, l.first_seen_at, l.last_message_at,
       l.is_active, l.deleted_at
     from leads l join organizations o on o.id = l.organization_id where l.id = $1::uuid`,
    [leadId],
  );
  return row === undefined ? null : rowOf(EXPLAINED_LEAD, row);
}

/** The conversations of a lead and what they hold, counted along the index of the conversation. */
export async function readConversationCounts(sql: Sql, leadId: string): Promise<ConversationCount[]> {
  const rows = await sql.query(
    `select c.id, c.connection_id, c.first_message_at, c.first_message_source, c.last_message_at, held.*
     from conversations c
     cross join lateral (
       select count(*)::int as messages,
         (count(*) filter (where direction = 'INBOUND'))::int as inbound,
         (count(*) filter (where source = 'live'))::int as live,
         (count(*) filter (where source = 'history'))::int as from_history,
         (count(*) filter (where source = 'app_echo'))::int as echoes,
         (count(*) filter (where batch_id is null))::int as from_elsewhere
       from messages where conversation_id = c.id
     ) held
     where c.lead_id = $1::uuid order by c.first_message_at nulls last, c.id`,
    [leadId],
  );
  return rowsOf(CONVERSATION_COUNT, rows);
}

const PLACED = {
  id: uuid,
  connectionId: uuid,
  externalId: orNull(text),
  stanzaId: orNull(text),
  conversationId: uuid,
  leadId: uuid,
  direction: word(DIRECTIONS),
  type: text,
  timestamp: time,
  status: orNull(word(MESSAGE_STATUSES)),
  source: word(MESSAGE_SOURCES),
  syncSource: word(SYNC_SOURCES),
  batchId: orNull(uuid),
  runId: orNull(uuid),
  editedAt: orNull(time),
  deletedAt: orNull(time),
};

const EXPLAINED_MESSAGE = columns({
  ...PLACED,
  body: orNull(text),
  phone: named('phone_number', orNull(text)),
  name: orNull(text),
  revisions: integer,
  errors,
});

/** The same with its text, for the one message that is explained. */
export type ExplainedMessage = RowOf<typeof EXPLAINED_MESSAGE>;

/** Where a message lies, whoever wrote its row: other programs may leave the externalId out. Times are ms since 1970. */
export type PlacedMessage = Pick<ExplainedMessage, keyof typeof PLACED>;

const PLACE = `m.id, m.connection_id, m.external_id, m.stanza_id, m.conversation_id, m.lead_id, m.direction, m.type,
  m.timestamp, m.status, m.source, m.sync_source, m.batch_id, m.run_id, m.edited_at, m.deleted_at`;

/** The messages that this may be the id of: a row's, an externalId, or a key id of WhatsApp Web; on these connections. */
export async function findMessages(
  sql: Sql,
  id: string,
  connectionIds: readonly string[],
): Promise<ExplainedMessage[]> {
  return readExplained(
    sql,
    `select m.id from unnest($1::uuid[]) as k (connection_id)
     cross join lateral (
       select id from messages where connection_id = k.connection_id and external_id = $2 limit 5
     ) m
     union
     select id from messages where stanza_id = $2 and connection_id = any($1::uuid[])`,
    [arrayLiteral(connectionIds), id],
  );
}

export async function findMessageRow(sql: Sql, rowId: string): Promise<ExplainedMessage | null> {
  const [row] = await readExplained(sql, `select id from messages where id = $1::uuid`, [rowId]);
  return row ?? null;
}

async function readExplained(
  sql: Sql,
  ids: string,
  parameters: readonly string[],
): Promise<ExplainedMessage[]> {
  const rows = await sql.query(
    `select ${PLACE}, left(m.body, 400) as body, m.errors, l.phone_number, coalesce(l.push_name, l.username) as name,
       (select count(*)::int from message_revisions r where r.message_id = m.id) as revisions
     from (${ids}) found
     cross join lateral (select * from messages where id = found.id limit 1) m
     left join lateral (select * from leads where id = m.lead_id limit 1) l on true
     order by m.timestamp, m.id limit 20`,
    parameters,
  );
  return rowsOf(EXPLAINED_MESSAGE, rows);
}

/** How many rows per table a run changed or removed, by its journal; and how many contacts and connections it logged. */
export async function countRunRecords(
  sql: Sql,
  runId: string,
): Promise<{ journaled: Record<string, number>; syncLogs: number }> {
  const rows = await sql.query(
    `select table_name, count(*)::int as count from change_journal where run_id = $1::uuid
     group by table_name order by table_name`,
    [runId],
  );
  const [logs] = await sql.query(`select count(*)::int as count from sync_logs where run_id = $1::uuid`, [
    runId,
  ]);
  return {
    journaled: Object.fromEntries(rows.map((row) => [textOf(row, 'table_name'), integerOf(row, 'count')])),
    syncLogs: logs === undefined ? 0 : integerOf(logs, 'count'),
  };
}
