import { DIRECTIONS } from '../../model/enumerations.js';
import { CHAT_EXPORT_ID } from '../../model/chat-line.js';
import { arrayLiteral, arraysOf } from '../array-literal.js';
import { columns, orNull, rowsOf, text, time, uuid, word, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** What a line of an exported chat can show of a message. */
const SHOWN = {
  id: uuid,
  direction: word(DIRECTIONS),
  type: text,
  body: orNull(text),
  fileName: orNull(text),
  timestamp: time,
  editedAt: orNull(time),
  deletedAt: orNull(time),
};

const COMPARED = columns({
  ...SHOWN,
  /** Null only in rows of other programs. */
  externalId: orNull(text),
});

/** A conversation message, as far as a chat exported from a phone can show it. */
export type ComparedRow = RowOf<typeof COMPARED>;

/** The messages of a conversation in a window, in order, page by page; `after`: the last one of the previous page. */
export async function readComparedMessages(
  sql: Sql,
  conversationId: string,
  { from, to }: { from: number; to: number },
  after: { timestamp: number; id: string } | undefined,
  limit: number,
): Promise<ComparedRow[]> {
  const rows = await sql.query(
    `select id, external_id, direction, type, body,
       case when jsonb_typeof(media) = 'object' then media ->> 'fileName' end as file_name,
       timestamp, edited_at, deleted_at
     from messages
     where conversation_id = $1::uuid and timestamp >= $2::timestamptz and timestamp < $3::timestamptz
       and (timestamp, id) > ($4::timestamptz, $5::uuid)
     order by timestamp, id limit $6::int`,
    [
      conversationId,
      new Date(from).toISOString(),
      new Date(to).toISOString(),
      new Date(after?.timestamp ?? from - 1).toISOString(),
      after?.id ?? '00000000-0000-0000-0000-000000000000',
      limit,
    ],
  );
  return rowsOf(COMPARED, rows);
}

const EARLIER = columns({ messageId: uuid, body: text });

/** Message texts before edits or a revoke. */
export async function readEarlierTexts(
  sql: Sql,
  messageIds: readonly string[],
): Promise<RowOf<typeof EARLIER>[]> {
  if (messageIds.length === 0) return [];
  const rows = await sql.query(
    `select message_id, body from message_revisions
     where message_id = any ($1::uuid[]) and body is not null order by message_id`,
    [arrayLiteral(messageIds)],
  );
  return rowsOf(EARLIER, rows);
}

const WITNESSED = columns({
  ...SHOWN,
  connectionId: uuid,
  leadId: uuid,
  externalId: orNull(text),
  stanzaId: orNull(text),
});

/** A message with its own id, which a line of an exported chat may show. */
export type WitnessedRow = RowOf<typeof WITNESSED>;

/**
 * The messages of some people in some windows (ms since 1970, half-open), excluding those created from an exported
 * chat.
 */
export async function readWitnessedMessages(
  sql: Sql,
  windows: readonly { connectionId: string; leadId: string; from: number; to: number }[],
): Promise<WitnessedRow[]> {
  if (windows.length === 0) return [];
  const rows = await sql.query(
    `select m.connection_id, m.lead_id, m.external_id, m.stanza_id, m.id, m.direction, m.type, m.body,
       case when jsonb_typeof(m.media) = 'object' then m.media ->> 'fileName' end as file_name,
       m.timestamp, m.edited_at, m.deleted_at
     from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::timestamptz[]) as w (connection_id, lead_id, since, until)
     join conversations c on c.lead_id = w.lead_id and c.connection_id = w.connection_id
     cross join lateral (
       select * from messages
       where conversation_id = c.id and timestamp >= w.since and timestamp < w.until offset 0
     ) m
     where (starts_with(m.external_id, '${CHAT_EXPORT_ID}')) is not true`,
    arraysOf(
      windows.map(({ from, to, ...whose }) => ({
        ...whose,
        from: new Date(from).toISOString(),
        to: new Date(to).toISOString(),
      })),
      'connectionId',
      'leadId',
      'from',
      'to',
    ),
  );
  const distinct = new Map(rowsOf(WITNESSED, rows).map((row) => [row.id, row]));
  return [...distinct.values()];
}
