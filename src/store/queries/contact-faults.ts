import { arrayLiteral } from '../array-literal.js';
import { DIRECTIONS } from '../../model/enumerations.js';
import { columns, integer, orNull, rowsOf, text, time, uuid, word, type RowOf } from '../columns.js';
import { CLAIM, type Claim } from '../checks/messages.js';
import type { Sql } from '../sql.js';

const CONTACT_FAULTS = columns({
  /** Messages that name a raw entry which is gone from the raw log. */
  gone: integer,
  goneEntry: orNull(uuid),
  goneRun: orNull(uuid),
  withoutId: integer,
  /** Conversations beyond the first one on a connection. */
  extraConversations: integer,
  /** Tickets of its conversations with another lead, or of it with another's conversation. */
  strayTickets: integer,
  /** 1 for a lead that has messages of the raw log and not one identity. */
  nameless: integer,
  /** Open tickets beyond the first one of a conversation. */
  extraTickets: integer,
});

/** What is wrong with the rows of one contact, whatever the raw log has of them. */
export type ContactFaults = RowOf<typeof CONTACT_FAULTS>;

/** Counts the rows of a lead that break a rule about rows; by index, whatever the size of the database. */
export async function readContactFaults(sql: Sql, leadId: string): Promise<ContactFaults> {
  const [faults] = rowsOf(
    CONTACT_FAULTS,
    await sql.query(
      `with own as materialized (
         select m.batch_id, m.run_id, m.external_id from conversations c join messages m on m.conversation_id = c.id
         where c.lead_id = $1::uuid
       ), gone as materialized (
         select own.batch_id, own.run_id from own
         left join lateral (select true as is_there from webhook_log w where w.id = own.batch_id limit 1) entry on true
         where own.batch_id is not null and entry.is_there is null
       ), first_gone as (select batch_id, run_id from gone order by batch_id limit 1)
       select (select count(*)::int from gone) as gone,
         (select batch_id from first_gone) as gone_entry, (select run_id from first_gone) as gone_run,
         (select count(*)::int from own where coalesce(btrim(external_id), '') = '') as without_id,
         (select coalesce(sum(n - 1), 0)::int from (
           select count(*) as n from conversations where lead_id = $1::uuid group by connection_id
         ) per_connection) as extra_conversations,
         (select coalesce(sum(n - 1), 0)::int from (
           select count(*) as n from tickets t join conversations c on c.id = t.conversation_id
           where c.lead_id = $1::uuid and t.status = 'open' group by t.conversation_id
         ) per_conversation) as extra_tickets,
         (select count(*)::int from tickets t join conversations c on c.id = t.conversation_id
           where t.lead_id = $1::uuid and c.lead_id <> $1::uuid)
         + (select count(*)::int from conversations c join tickets t on t.conversation_id = c.id
           where c.lead_id = $1::uuid and t.lead_id <> $1::uuid) as stray_tickets,
         (select count(*)::int from (select 1 from own where batch_id is not null limit 1) one
           where not exists (select 1 from lead_identities where person_id = $1::uuid)
             and not exists (select 1 from lead_identities where lead_id = $1::uuid)) as nameless`,
      [leadId],
    ),
  );
  if (faults === undefined) throw new Error('the counts of a contact gave no row');
  return faults;
}

const NAMESAKE = columns({
  id: uuid,
  connectionId: uuid,
  leadId: uuid,
  externalId: text,
  stanzaId: text,
  direction: word(DIRECTIONS),
  timestamp: time,
});

/** Messages of a lead whose key id another one has, too: rule M10 tells which are one message. */
export async function readNamesakes(sql: Sql, leadId: string): Promise<RowOf<typeof NAMESAKE>[]> {
  const rows = await sql.query(
    `select id, connection_id, lead_id, external_id, stanza_id, direction, timestamp
     from (
       select m.*, count(*) over (partition by m.connection_id, m.stanza_id) as called
       from conversations c join messages m on m.conversation_id = c.id
       where c.lead_id = $1::uuid and m.stanza_id is not null and m.external_id is not null
     ) named
     where called > 1 order by id`,
    [leadId],
  );
  return rowsOf(NAMESAKE, rows);
}

/** Messages of a lead that name a raw entry, without those already known; the newest first, at most `limit`. */
export async function readOtherClaims(
  sql: Sql,
  leadId: string,
  known: readonly string[],
  limit: number,
): Promise<Claim[]> {
  const rows = await sql.query(
    `select m.id, m.connection_id, m.external_id, m.stanza_id, m.direction, m.timestamp, m.batch_id
     from conversations c join messages m on m.conversation_id = c.id
     where c.lead_id = $1::uuid and m.batch_id is not null and btrim(m.external_id) <> '' and m.id <> all($2::uuid[])
     order by m.timestamp desc, m.id limit $3::int`,
    [leadId, arrayLiteral(known), limit],
  );
  return rowsOf(CLAIM, rows);
}
