import { DIRECTIONS, MESSAGE_SOURCES, SYNC_SOURCES, MESSAGE_STATUSES } from '../model/enumerations.js';
import type { MessageError } from '../model/facts.js';
import { arrayLiteral } from './array-literal.js';
import { uuid, text, time, word, orNull, type RowOf, columns, rowOf } from './columns.js';
import { errorsOf } from './messages.js';
import { textOrNull } from './row.js';
import type { Sql } from './sql.js';

const PLACED_MESSAGE = columns({
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
});

/** Where a message lies, whoever wrote its row: other programs may leave the externalId out. Times are ms since 1970. */
export type PlacedMessage = RowOf<typeof PLACED_MESSAGE>;

/** The same with its text, for the one message that is explained. */
export interface ExplainedMessage extends PlacedMessage {
  body: string | null;
  phone: string | null;
  name: string | null;
  revisions: number;
  errors: readonly MessageError[] | null;
}

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
  return rows.map((row) => ({
    ...rowOf(PLACED_MESSAGE, row),
    body: textOrNull(row, 'body'),
    phone: textOrNull(row, 'phone_number'),
    name: textOrNull(row, 'name'),
    revisions: Number(row['revisions']),
    errors: errorsOf(row['errors']),
  }));
}
