import { arrayLiteral } from '../array-literal.js';
import { columns, integer, orNull, rowsOf, uuid, type RowOf } from '../columns.js';
import { CLAIM, type Claim } from '../checks/messages.js';
import type { Sql } from '../sql.js';

const CONTACT_FAULTS = columns({
  /** Messages that name a raw entry which is gone from the raw log. */
  gone: integer,
  goneEntry: orNull(uuid),
  goneRun: orNull(uuid),
  withoutId: integer,
  /** Rows beyond the first one of a message that is stored under both of its ids (M10). */
  twins: integer,
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

/**
 * Counts the rows of a lead that break a rule about rows; by index, whatever the size of the database. `toleranceMs`: how far the
 * times of one message's two rows may be apart.
 */
export async function readContactFaults(
  sql: Sql,
  leadId: string,
  toleranceMs: number,
): Promise<ContactFaults> {
  const [faults] = rowsOf(
    CONTACT_FAULTS,
    await sql.query(
      `with own as materialized (
         select m.id, m.batch_id, m.run_id, m.external_id, m.stanza_id, m.conversation_id, m.direction, m.timestamp from conversations c join messages m on m.conversation_id = c.id
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
           select count(distinct external_id) as n from own where external_id is not null
           group by conversation_id, direction, coalesce(stanza_id, external_id)
           having max(timestamp) - min(timestamp) <= make_interval(secs => $2::float8 / 1000)
         ) per_message) as twins,
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
      [leadId, toleranceMs],
    ),
  );
  if (faults === undefined) throw new Error('the counts of a contact gave no row');
  return faults;
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
