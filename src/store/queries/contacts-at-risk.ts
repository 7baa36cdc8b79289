import { columns, integer, list, rowsOf, text, time, uuid, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

const PENDING_CONTACT = columns({
  connectionScope: uuid,
  phoneNumberIds: list(','),
  contact: text,
  entries: integer,
  since: time,
});

/** Pending entries that name one contact. */
export type PendingContact = RowOf<typeof PENDING_CONTACT>;

/** The contacts of entries pending since before a moment, most entries first. */
export async function readPendingContacts(sql: Sql, before: number, most: number): Promise<PendingContact[]> {
  const rows = await sql.query(
    `select connection_scope, array_to_string(phone_number_ids, ',') as phone_number_ids, contact,
       count(*) as entries, min(created_at) as since
     from webhook_log cross join unnest(chat_ids) as contact
     where status = 'pending' and created_at < $1::timestamptz
     group by connection_scope, webhook_log.phone_number_ids, contact
     order by count(*) desc, contact limit $2::int`,
    [new Date(before).toISOString(), most],
  );
  return rowsOf(PENDING_CONTACT, rows);
}

const OVERDUE_TARGET = columns({ connectionId: uuid, targetExternalId: text, facts: integer, since: time });

/** Facts waiting for one message. */
export type OverdueTarget = RowOf<typeof OVERDUE_TARGET>;

/** Messages that facts have waited for since before a moment, longest wait first. */
export async function readOverdueTargets(sql: Sql, before: number, most: number): Promise<OverdueTarget[]> {
  const rows = await sql.query(
    `select connection_id, target_external_id, count(*) as facts, min(created_at) as since
     from pending_facts where created_at < $1::timestamptz
     group by connection_id, target_external_id
     order by min(created_at), target_external_id limit $2::int`,
    [new Date(before).toISOString(), most],
  );
  return rowsOf(OVERDUE_TARGET, rows);
}
