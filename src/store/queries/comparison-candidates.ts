import { CHAT_EXPORT_ID, CUT_ID, CUT_LENGTH } from '../../model/chat-line.js';
import { DIRECTIONS } from '../../model/enumerations.js';
import { arrayLiteral } from '../array-literal.js';
import {
  boolean,
  columns,
  insertRows,
  integer,
  orNull,
  streamRowsOf,
  text,
  time,
  uuid,
  word,
  type RowOf,
} from '../columns.js';
import type { Sql } from '../sql.js';
import { IN_SCOPE, parametersOf, type ComparisonScope } from './comparison-scope.js';

/**
 * The rows of a CRM that may be a message without an equal id. The queries give candidates; the rules decide, page by page, and
 * what they take stands in temporary tables.
 */

/** Creates the temporary tables of the candidates; see {@link prepareComparison}. */
export async function prepareCandidates(tx: Sql): Promise<void> {
  await tx.execute(
    `create temporary table wa_crm_cuts (ordinal int not null, message_id uuid not null, key_id text not null) on commit drop`,
  );
  await tx.execute(
    `create temporary table wa_crm_likely (message_id uuid not null, ordinal int not null) on commit drop`,
  );
}

const CUT_CANDIDATE = columns({
  ordinal: integer,
  messageId: uuid,
  externalId: text,
  keyId: text,
  direction: orNull(word(DIRECTIONS)),
  at: orNull(time),
});

/** A CRM row without a message, and a message with a cut id (M12) that begins as its key id does. */
export type CutCandidate = RowOf<typeof CUT_CANDIDATE>;

export function streamCutCandidates(
  tx: Sql,
  connectionIds: readonly string[],
): AsyncGenerator<CutCandidate[], void, undefined> {
  return streamRowsOf(
    tx,
    CUT_CANDIDATE,
    `select r.ordinal, m.id as message_id, m.external_id, r.stanza_id as key_id, r.direction, r.at
     from messages m
     join wa_crm_rows r on r.connection_id = m.connection_id
       and left(r.stanza_id, ${CUT_LENGTH}) = right(m.external_id, ${CUT_LENGTH})
     left join wa_crm_pairs p on p.ordinal = r.ordinal
     where p.ordinal is null and m.connection_id = any($1::uuid[]) and starts_with(m.external_id, '${CUT_ID}')`,
    [arrayLiteral(connectionIds)],
    5_000,
  );
}

const CUT_PAIR = columns({ ordinal: integer, messageId: uuid, keyId: text });

/** A row fits a message with a cut id. */
export type CutPair = RowOf<typeof CUT_PAIR>;

export async function noteCutPairs(tx: Sql, pairs: readonly CutPair[]): Promise<void> {
  await insertRows(tx, 'wa_crm_cuts', CUT_PAIR, pairs);
}

/** Pairs what fits only each other: a message that two key ids fit, and a row that fits two messages, stay without a partner. */
export async function pairCuts(tx: Sql): Promise<void> {
  await tx.execute(
    `insert into wa_crm_pairs (ordinal, message_id, is_exact)
     select ordinal, message_id, false
     from (
       select c.ordinal, c.message_id,
         min(c.key_id) over of_message = max(c.key_id) over of_message as is_one_row,
         min(c.message_id::text) over of_row = max(c.message_id::text) over of_row as is_one_message
       from wa_crm_cuts c
       window of_message as (partition by c.message_id), of_row as (partition by c.ordinal)
     ) c where is_one_row and is_one_message`,
  );
}

/** Whether the CRM has messages without an id. */
export async function hasRowsWithoutId(tx: Sql): Promise<boolean> {
  const rows = await tx.query('select from wa_crm_rows where external_id is null and aside is null limit 1');
  return rows.length > 0;
}

const LIKELY_CANDIDATE = columns({
  messageId: uuid,
  leadId: uuid,
  isLine: boolean,
  /** The time of the message is known to the minute only. */
  isToTheMinute: boolean,
  timestamp: time,
  messageType: text,
  messageBody: orNull(text),
  ordinal: integer,
  at: orNull(time),
  storedAt: orNull(time),
  body: orNull(text),
  comparesBody: boolean,
});

/** A message without a CRM row, and a CRM row without a message, of one person and direction, that may be one. */
export type LikelyCandidate = RowOf<typeof LIKELY_CANDIDATE>;

/** Times are compared in pieces of this length: candidates are in the same or in neighboring ones. */
const PIECE_S = 300;

/**
 * Which rows may be messages that no id shows: rows without an id, and for a line of an exported chat (`isLine`), which has none
 * itself, any row. In the order of the messages.
 */
export function streamLikelyCandidates(
  tx: Sql,
  scope: ComparisonScope,
): AsyncGenerator<LikelyCandidate[], void, undefined> {
  return streamRowsOf(
    tx,
    LIKELY_CANDIDATE,
    `with missing as (
       select m.*, coalesce(starts_with(m.external_id, '${CHAT_EXPORT_ID}'), false) as is_line,
         floor(extract(epoch from m.timestamp) / ${PIECE_S})::bigint as piece
       from messages m
       left join (select distinct message_id from wa_crm_pairs) p on p.message_id = m.id
       where p.message_id is null and ${IN_SCOPE}
     ),
     unpaired as (
       select r.*, k.lead_id, floor(extract(epoch from coalesce(r.at, r.stored_at)) / ${PIECE_S})::bigint as piece
       from wa_crm_rows r
       join (select distinct contact, lead_id from wa_crm_contacts) k on k.contact = r.contact
       left join wa_crm_pairs p on p.ordinal = r.ordinal
       where p.ordinal is null and r.aside is null
     )
     select m.id as message_id, m.lead_id, m.is_line, m.timestamp, m.type as message_type, m.body as message_body,
       coalesce(m.raw_meta->>'timestampPrecision' = 'minute', false) as is_to_the_minute,
       r.ordinal, r.at, r.stored_at, r.body, r.compares_body
     from missing m
     cross join generate_series(-1, 1) as near (piece)
     join unpaired r on r.connection_id = m.connection_id and r.lead_id = m.lead_id and r.piece = m.piece + near.piece
     where (r.direction is null or r.direction = m.direction) and (m.is_line or r.external_id is null)
     order by m.connection_id, m.lead_id, m.timestamp, m.id, coalesce(r.at, r.stored_at), r.ordinal`,
    parametersOf(scope),
    5_000,
  );
}

const LIKELY = columns({ messageId: uuid, ordinal: integer });

/** A row that may be a message. */
export type LikelyPair = RowOf<typeof LIKELY>;

export async function noteLikely(tx: Sql, pairs: readonly LikelyPair[]): Promise<void> {
  await insertRows(tx, 'wa_crm_likely', LIKELY, pairs);
}
