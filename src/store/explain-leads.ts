import { MESSAGE_SOURCES, LEAD_SOURCES, type LeadSource } from '../model/enumerations.js';
import { uuid, integer, time, word, orNull, type RowOf, columns, rowsOf } from './columns.js';
import { textOf, textOrNull, timeOf, timeOrNull, booleanOf, wordOf } from './row.js';
import { arrayLiteral } from './array-literal.js';
import type { Sql } from './sql.js';

export interface ExplainedLead {
  id: string;
  organization: string;
  phone: string | null;
  name: string | null;
  username: string | null;
  source: LeadSource;
  firstSeenAt: number;
  lastMessageAt: number | null;
  isActive: boolean;
  deletedAt: number | null;
}

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
  if (row === undefined) return null;
  return {
    id: textOf(row, 'id'),
    organization: textOf(row, 'slug'),
    phone: textOrNull(row, 'phone_number'),
    name: textOrNull(row, 'push_name'),
    username: textOrNull(row, 'username'),
    source: wordOf(row, 'source', LEAD_SOURCES),
    firstSeenAt: timeOf(row, 'first_seen_at'),
    lastMessageAt: timeOrNull(row, 'last_message_at'),
    isActive: booleanOf(row, 'is_active'),
    deletedAt: timeOrNull(row, 'deleted_at'),
  };
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

/** The names by which the persons behind these leads are known, as `kind:value`, per lead. */
export async function readNamesOfLeads(sql: Sql, leadIds: readonly string[]): Promise<Map<string, string[]>> {
  const names = new Map<string, string[]>();
  if (leadIds.length === 0) return names;
  const rows = await sql.query(`select lead_id, value from lead_identities where lead_id = any($1::uuid[])`, [
    arrayLiteral(leadIds),
  ]);
  for (const row of rows) {
    const leadId = textOf(row, 'lead_id');
    names.set(leadId, [...(names.get(leadId) ?? []), textOf(row, 'value')]);
  }
  return names;
}
