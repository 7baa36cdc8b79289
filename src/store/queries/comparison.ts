import { CHAT_EXPORT_ID, CUT_ID } from '../../model/chat-line.js';
import { DIRECTIONS, MESSAGE_SOURCES } from '../../model/enumerations.js';
import {
  boolean,
  columns,
  insertRows,
  integer,
  jsonObject,
  orNull,
  rowsOf,
  streamRowsOf,
  text,
  texts,
  time,
  uuid,
  word,
  type RowOf,
} from '../columns.js';
import type { Sql } from '../sql.js';
import { prepareCandidates } from './comparison-candidates.js';
import { IN_SCOPE, parametersOf, type ComparisonScope } from './comparison-scope.js';

export type { ComparisonScope } from './comparison-scope.js';

/**
 * A comparison with a CRM's messages. Its rows are staged in temporary tables of one transaction and joined there: with
 * millions of rows on each side, a look-up per row would take hours.
 */

const STAGED_ROW = columns({
  /** The position in the CRM's row order. */
  ordinal: integer,
  connectionId: uuid,
  rowId: text,
  externalId: orNull(text),
  stanzaId: orNull(text),
  /** A number for the CRM's contact; see {@link stageContactLeads}. */
  contact: integer,
  direction: orNull(word(DIRECTIONS)),
  at: orNull(time),
  storedAt: orNull(time),
  /** When the CRM took an edit that the row shows. */
  editedAt: orNull(time),
  /** When the CRM last changed the row, if it says. */
  updatedAt: orNull(time),
  /** The fields that the row should have, and has not. */
  lacks: texts,
  type: text,
  /** What the row says that it is; empty if it does not say. */
  kinds: texts,
  /** Null if `comparesBody` is false. */
  body: orNull(text),
  comparesBody: boolean,
  /** Why no counterpart is expected. */
  aside: orNull(text),
});

/** A message of the CRM. Times are ms since 1970. */
export type StagedRow = RowOf<typeof STAGED_ROW>;

/** The contact of rows that do not name theirs: no row of it is under another person. */
export const NO_CONTACT = -1;

const CONTACT_LEAD = columns({ contact: integer, leadId: uuid });

/** A contact of the CRM is this lead. */
export type ContactLeadRow = RowOf<typeof CONTACT_LEAD>;

/** Creates the temporary tables; after that the transaction can write nothing else. */
export async function prepareComparison(tx: Sql): Promise<void> {
  await tx.execute('set transaction isolation level repeatable read');
  await tx.execute(
    `create temporary table wa_crm_rows (
       ordinal int not null, connection_id uuid not null, row_id text not null, external_id text, stanza_id text,
       contact int not null, direction text, at timestamptz, stored_at timestamptz, edited_at timestamptz, updated_at timestamptz,
       lacks text[] not null, type text not null, kinds text[] not null, body text, compares_body boolean not null, aside text
     ) on commit drop`,
  );
  await tx.execute(
    `create temporary table wa_crm_contacts (contact int not null, lead_id uuid not null) on commit drop`,
  );
  await tx.execute(
    `create temporary table wa_crm_pairs (ordinal int not null, message_id uuid not null, is_exact boolean not null)
     on commit drop`,
  );
  await tx.execute(
    `create temporary table wa_crm_names (connection_id uuid not null, lead_id uuid not null, contact int not null)
     on commit drop`,
  );
  await prepareCandidates(tx);
  await tx.execute('set transaction read only');
  await tx.query(
    // Without statistics the planner would look up each row of one table in the other: hours for millions.
    `select set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true),
       set_config('cursor_tuple_fraction', '1', true)`,
  );
}

export async function stageRows(tx: Sql, rows: readonly StagedRow[]): Promise<void> {
  await insertRows(tx, 'wa_crm_rows', STAGED_ROW, rows);
}

export async function stageContactLeads(tx: Sql, rows: readonly ContactLeadRow[]): Promise<void> {
  await insertRows(tx, 'wa_crm_contacts', CONTACT_LEAD, rows);
}

/**
 * Finds the message of each staged row: by its id, else by the key id inside both (M10); of several, the one of the
 * same person and direction.
 */
export async function pairRows(tx: Sql): Promise<void> {
  await tx.execute(
    `insert into wa_crm_pairs (ordinal, message_id, is_exact)
     select distinct on (r.ordinal) r.ordinal, m.id, true
     from wa_crm_rows r join messages m on m.connection_id = r.connection_id and m.external_id = r.external_id
     order by r.ordinal, m.id`,
  );
  await tx.execute(
    `insert into wa_crm_pairs (ordinal, message_id, is_exact)
     select distinct on (r.ordinal) r.ordinal, m.id, false
     from wa_crm_rows r
     join messages m on m.connection_id = r.connection_id and m.stanza_id = r.stanza_id
     left join wa_crm_contacts k on k.contact = r.contact and k.lead_id = m.lead_id
     left join wa_crm_pairs p on p.ordinal = r.ordinal
     where r.stanza_id is not null and p.ordinal is null
     order by r.ordinal, (k.contact is not null) desc, (m.direction is not distinct from r.direction) desc, m.id`,
  );
}

/**
 * Names contacts without a known identity by the messages they share with a lead: if all of a contact's messages are
 * one lead's, it is that lead, unless the CRM has a better-known contact for it. Of several candidates the one with the
 * most messages wins; the others are a split person.
 */
export async function nameContactsByMessages(tx: Sql): Promise<number> {
  return tx.execute(
    `insert into wa_crm_contacts (contact, lead_id)
     select distinct on (u.lead_id, u.connection_id) u.contact, u.lead_id
     from (
       select r.contact, r.connection_id, min(m.lead_id::text)::uuid as lead_id, count(*) as messages
       from wa_crm_pairs p join wa_crm_rows r on r.ordinal = p.ordinal join messages m on m.id = p.message_id
       left join (select distinct contact from wa_crm_contacts) k on k.contact = r.contact
       where k.contact is null and r.contact <> ${NO_CONTACT}
       group by r.contact, r.connection_id having count(distinct m.lead_id) = 1
     ) u
     left join (
       select distinct r.connection_id, k.lead_id
       from wa_crm_contacts k join wa_crm_rows r on r.contact = k.contact
     ) known on known.connection_id = u.connection_id and known.lead_id = u.lead_id
     where known.lead_id is null
     order by u.lead_id, u.connection_id, u.messages desc, u.contact`,
  );
}

const OUR_MESSAGE = {
  messageId: uuid,
  messageExternalId: orNull(text),
  connectionId: uuid,
  leadId: uuid,
  messageDirection: word(DIRECTIONS),
  messageType: text,
  messageBody: orNull(text),
  messageSource: word(MESSAGE_SOURCES),
  timestamp: time,
  isEdited: boolean,
  isRevoked: boolean,
  batchId: orNull(uuid),
};

const OUR_COLUMNS = `m.id as message_id, m.external_id as message_external_id, m.connection_id, m.lead_id,
  m.direction as message_direction, m.type as message_type, m.body as message_body, m.source as message_source, m.timestamp,
  m.edited_at is not null as is_edited, m.deleted_at is not null as is_revoked, m.batch_id`;

const COUNTED = columns({ connectionId: uuid, messages: integer });

/** Our message count per connection: what the classes must add up to. */
export async function countCompared(tx: Sql, scope: ComparisonScope): Promise<ReadonlyMap<string, number>> {
  const rows = await tx.query(
    `select m.connection_id, count(*)::int as messages from messages m where ${IN_SCOPE} group by m.connection_id`,
    parametersOf(scope),
  );
  return new Map(rowsOf(COUNTED, rows).map(({ connectionId, messages }) => [connectionId, messages]));
}

const PAIR = columns({
  ...OUR_MESSAGE,
  isInScope: boolean,
  ordinal: integer,
  rowId: text,
  externalId: orNull(text),
  contact: integer,
  direction: orNull(word(DIRECTIONS)),
  at: orNull(time),
  lacks: texts,
  kinds: texts,
  body: orNull(text),
  comparesBody: boolean,
  /** What an edited message said before its last edit. */
  earlierBodies: texts,
  /** The log has the words that came before any edit; true of a message that was not edited. */
  hasOriginal: boolean,
  /** The row shows an edit from after the last thing that the log says of its connection. */
  isEditedLater: boolean,
  isExact: boolean,
  /** Whose our time is, if not the message's own: the flag of `raw_meta`. */
  timeFrom: orNull(text),
  evidence: integer,
  isSamePerson: boolean,
  /** The CRM's contact is a lead of ours, this one or another. */
  isKnownContact: boolean,
});

/** A CRM row with its message. */
export type ComparedPair = RowOf<typeof PAIR>;

/** All pairs, grouped by message. */
export function streamPairs(
  tx: Sql,
  scope: ComparisonScope,
): AsyncGenerator<ComparedPair[], void, undefined> {
  return streamRowsOf(
    tx,
    PAIR,
    `select ${OUR_COLUMNS}, (${IN_SCOPE}) as is_in_scope, r.ordinal, r.row_id, r.external_id, r.contact, r.direction, r.at,
       r.lacks, r.kinds, r.body, r.compares_body, coalesce(v.bodies, '{}') as earlier_bodies,
       m.edited_at is null or coalesce(v.has_original, false) as has_original,
       coalesce(r.edited_at > e.ends_at, false) as is_edited_later, p.is_exact, m.raw_meta->>'timestampFrom' as time_from, m.evidence,
       k.contact is not null or r.contact = ${NO_CONTACT} as is_same_person,
       known.contact is not null as is_known_contact
     from wa_crm_pairs p
     join wa_crm_rows r on r.ordinal = p.ordinal
     join messages m on m.id = p.message_id
     left join (select distinct contact, lead_id from wa_crm_contacts) k
       on k.contact = r.contact and k.lead_id = m.lead_id
     left join (select distinct contact from wa_crm_contacts) known on known.contact = r.contact
     left join (
       select message_id, array_agg(coalesce(body, '')) as bodies, bool_or(version = 'original'
         and (body is not null or type not in ('text', 'unsupported'))) as has_original
       from message_revisions group by message_id
     ) v on v.message_id = m.id and m.edited_at is not null
     left join (
       select connection_id, max(greatest(timestamp, edited_at, deleted_at)) as ends_at
       from messages where connection_id in (select connection_id from wa_crm_rows where edited_at is not null)
       group by connection_id
     ) e on e.connection_id = r.connection_id and r.edited_at is not null
     order by m.id, r.ordinal`,
    parametersOf(scope),
    5_000,
  );
}

/**
 * How the CRM would have got a message. One that only a phone's export showed (M11, M12) is history here, and was news to a CRM that
 * already ran.
 */
const ARRIVAL = `case
    when starts_with(m.external_id, '${CHAT_EXPORT_ID}') or starts_with(m.external_id, '${CUT_ID}') then
      case when m.timestamp < f.first_at then 'history' when m.direction = 'OUTBOUND' then 'app_echo' else 'live' end
    else m.source end`;

/** When the CRM's messages begin, per connection and source; and which rows may be a message that none shows by its id. */
const CRM_BEGINNINGS = `left join (
       select connection_id, min(coalesce(at, stored_at)) as first_at from wa_crm_rows group by connection_id
     ) f on f.connection_id = m.connection_id
     left join (
       select kept.connection_id, kept.source, min(kept.timestamp) as first_at
       from wa_crm_pairs pair join messages kept on kept.id = pair.message_id group by kept.connection_id, kept.source
     ) s on s.connection_id = m.connection_id and s.source = ${ARRIVAL}
     left join wa_crm_likely likely on likely.message_id = m.id`;
const IS_BEFORE_CRM = `m.timestamp < coalesce(f.first_at, 'infinity') as is_before_crm,
       m.timestamp < coalesce(s.first_at, 'infinity') as is_before_source, ${ARRIVAL} as arrival,
       likely.message_id is not null as may_be_there`;

const MISSING_MESSAGE = {
  ...OUR_MESSAGE,
  isGroup: boolean,
  hasErrors: boolean,
  isBeforeCrm: boolean,
  isBeforeSource: boolean,
  arrival: word(MESSAGE_SOURCES),
  /** A row without a message of ours may be it. */
  mayBeThere: boolean,
};

const MISSING = columns(MISSING_MESSAGE);

/** A message of ours without a CRM row. */
export type MissingMessage = RowOf<typeof MISSING>;

/** The messages in the scope without a CRM row, by time. */
export function streamMissing(
  tx: Sql,
  scope: ComparisonScope,
): AsyncGenerator<MissingMessage[], void, undefined> {
  return streamRowsOf(
    tx,
    MISSING,
    `select ${OUR_COLUMNS}, g.lead_id is not null as is_group,
       coalesce(jsonb_typeof(m.errors), 'null') <> 'null' as has_errors, ${IS_BEFORE_CRM}
     from messages m
     ${CRM_BEGINNINGS}
     left join (select distinct message_id from wa_crm_pairs) p on p.message_id = m.id
     left join (
       select distinct lead_id from lead_identities where kind = 'wa_id' and value like '%@%' and lead_id is not null
     ) g on g.lead_id = m.lead_id
     where p.message_id is null and ${IN_SCOPE}
     order by m.timestamp, m.id`,
    parametersOf(scope),
    5_000,
  );
}

const UNPAIRED = columns({
  connectionId: uuid,
  rowId: text,
  externalId: orNull(text),
  /** What rows of one message have in common. */
  sameAs: orNull(text),
  contact: integer,
  direction: orNull(word(DIRECTIONS)),
  at: orNull(time),
  storedAt: orNull(time),
  type: text,
  aside: orNull(text),
  isContactInScope: boolean,
});

/** A CRM row without a message of ours. */
export type UnpairedRow = RowOf<typeof UNPAIRED>;

/** The rows without a message of ours, grouped by id. */
export function streamUnpaired(
  tx: Sql,
  { leadId }: Pick<ComparisonScope, 'leadId'>,
): AsyncGenerator<UnpairedRow[], void, undefined> {
  return streamRowsOf(
    tx,
    UNPAIRED,
    `select r.connection_id, r.row_id, r.external_id, coalesce(r.stanza_id, r.external_id) as same_as, r.contact, r.direction,
       r.at, r.stored_at, r.type, r.aside,
       ($1::uuid is null or k.contact is not null) as is_contact_in_scope
     from wa_crm_rows r
     left join wa_crm_pairs p on p.ordinal = r.ordinal
     left join (select distinct contact from wa_crm_contacts where lead_id = $1::uuid) k on k.contact = r.contact
     where p.ordinal is null
     order by r.connection_id, same_as, r.ordinal`,
    [leadId],
    5_000,
  );
}

/** Finds the CRM's names for people with messages: of several contacts, the one with the most. */
export async function nameLeads(tx: Sql): Promise<void> {
  await tx.execute(
    `insert into wa_crm_names (connection_id, lead_id, contact)
     select distinct on (connection_id, lead_id) connection_id, lead_id, contact
     from (
       select r.connection_id, k.lead_id, r.contact, count(*) as messages
       from wa_crm_rows r join (select distinct contact, lead_id from wa_crm_contacts) k on k.contact = r.contact
       group by r.connection_id, k.lead_id, r.contact
     ) counted
     order by connection_id, lead_id, messages desc, contact`,
  );
}

/** How many people a comparison names. */
const SPLIT_SHOWN = 5;

const SPLIT = columns({ connectionId: uuid, people: integer, leadId: uuid });

/** People with several contacts in the CRM. */
export interface SplitPeople {
  people: number;
  /** Some of them: those with the most contacts. */
  leadIds: string[];
}

/** People with several contacts in the CRM, per connection. */
export async function readSplitPeople(
  tx: Sql,
  { leadId: only }: Pick<ComparisonScope, 'leadId'>,
): Promise<ReadonlyMap<string, SplitPeople>> {
  const rows = await tx.query(
    `select connection_id, lead_id, people
     from (
       select r.connection_id, coalesce(k.lead_id, m.lead_id) as lead_id, (count(*) over of_connection)::int as people,
         row_number() over (of_connection order by count(distinct r.contact) desc, coalesce(k.lead_id, m.lead_id)) as place
       from wa_crm_rows r
       left join (select distinct contact, lead_id from wa_crm_contacts) k on k.contact = r.contact
       left join wa_crm_pairs p on p.ordinal = r.ordinal and k.contact is null
       left join messages m on m.id = p.message_id
       where (k.contact is not null or m.id is not null) and r.contact <> ${NO_CONTACT}
         and ($1::uuid is null or coalesce(k.lead_id, m.lead_id) = $1::uuid)
       group by r.connection_id, coalesce(k.lead_id, m.lead_id) having count(distinct r.contact) > 1
       window of_connection as (partition by r.connection_id)
     ) split
     where place <= ${SPLIT_SHOWN} order by connection_id, place`,
    [only],
  );
  const split = new Map<string, SplitPeople>();
  for (const { connectionId, people, leadId } of rowsOf(SPLIT, rows)) {
    const one = split.get(connectionId) ?? { people, leadIds: [] };
    split.set(connectionId, one);
    one.leadIds.push(leadId);
  }
  return split;
}

const LOST_CONTENT = columns({
  ...MISSING_MESSAGE,
  stanzaId: orNull(text),
  mediaId: orNull(text),
  mimeType: orNull(text),
  fileName: orNull(text),
  rawMeta: orNull(jsonObject),
  status: orNull(text),
  quotedId: orNull(text),
  phone: orNull(text),
  name: orNull(text),
  lid: orNull(text),
  waId: orNull(text),
  /** The number of the CRM's contact, if it has one for the lead; see {@link nameLeads}. */
  contact: orNull(integer),
});

/** A message of ours without a CRM row, with everything a row needs. */
export type LostContent = RowOf<typeof LOST_CONTENT>;

/** The same messages as {@link streamMissing} returns, in the same order, with their contents. */
export function streamLostContents(
  tx: Sql,
  scope: ComparisonScope,
): AsyncGenerator<LostContent[], void, undefined> {
  return streamRowsOf(
    tx,
    LOST_CONTENT,
    `select ${OUR_COLUMNS}, coalesce(i.is_group, false) as is_group,
       coalesce(jsonb_typeof(m.errors), 'null') <> 'null' as has_errors, m.stanza_id, m.media->>'id' as media_id,
       m.media->>'mimeType' as mime_type, m.media->>'fileName' as file_name,
       case when jsonb_typeof(m.raw_meta) = 'object' then m.raw_meta end as raw_meta, m.status, m.context_external_id as quoted_id,
       l.phone_number as phone, l.push_name as name, i.lid, i.wa_id, n.contact, ${IS_BEFORE_CRM}
     from messages m
     ${CRM_BEGINNINGS}
     join leads l on l.id = m.lead_id
     left join (select distinct message_id from wa_crm_pairs) p on p.message_id = m.id
     left join (
       select lead_id, bool_or(kind = 'wa_id' and value like '%@%') as is_group, min(value) filter (where kind = 'lid') as lid,
         min(value) filter (where kind = 'wa_id' and value not like '%@%') as wa_id
       from lead_identities where lead_id is not null group by lead_id
     ) i on i.lead_id = m.lead_id
     left join wa_crm_names n on n.connection_id = m.connection_id and n.lead_id = m.lead_id
     where p.message_id is null and ${IN_SCOPE}
     order by m.timestamp, m.id`,
    parametersOf(scope),
    1_000,
  );
}

const BATCHED = columns({ connectionId: uuid, batchId: uuid, externalId: text, isKept: boolean });

/** A live message of a raw entry, and whether the CRM has it. */
export type BatchedMessage = RowOf<typeof BATCHED>;

/** How many raw entries of a connection are examined. */
const BATCHES_SAMPLED = 2_000;

/**
 * The live messages of some raw entries per connection, from entries that hold several messages or one that the CRM
 * lacks.
 */
export async function readBatchSamples(tx: Sql, scope: ComparisonScope): Promise<BatchedMessage[]> {
  const rows = await tx.query(
    `with live as (
       select m.connection_id, m.batch_id, m.external_id, p.message_id is not null as is_kept
       from messages m left join (select distinct message_id from wa_crm_pairs) p on p.message_id = m.id
       where ${IN_SCOPE} and m.batch_id is not null and m.external_id is not null and m.source = 'live'
     ),
     sampled as (
       select batch_id, row_number() over (partition by connection_id order by md5(batch_id::text)) as place
       from live group by connection_id, batch_id having count(*) > 1 or not bool_and(is_kept)
     )
     select l.* from live l join sampled s on s.batch_id = l.batch_id where s.place <= ${BATCHES_SAMPLED}`,
    parametersOf(scope),
  );
  return rowsOf(BATCHED, rows);
}
