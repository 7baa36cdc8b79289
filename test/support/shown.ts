import type { Store } from '../../src/store/store.js';
import { T0 } from './webhooks.js';

/** Rows of the database as a person would look at them. */
export function select(store: Store, sql: string): Promise<Record<string, unknown>[]> {
  return store.sql.query(sql);
}

/** SQL for a time column as seconds from T0, the offsets that the builders of webhooks take. */
export function offset(column: string): string {
  return `(extract(epoch from ${column}) - ${T0})::int`;
}

/** The one value that a statement gives. */
export async function value(store: Store, sql: string): Promise<unknown> {
  const [row] = await store.sql.query(sql);
  return row === undefined ? undefined : Object.values(row)[0];
}

/** Messages by time: who wrote what, as `> body` for the customer and `< body` for the business. */
export async function transcript(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select case direction when 'INBOUND' then '> ' else '< ' end || coalesce(body, '(' || type || ')') as line
     from messages order by timestamp, external_id`,
  );
  return rows.map((row) => String(row['line']));
}

export function leads(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    'select phone_number as phone, push_name as name, source from leads order by phone_number',
  );
}

export function tickets(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select status, originated_from as origin, ${offset('opened_at')} as opened,
       ${offset('message_window_expires_at')} - 86400 as window from tickets order by opened_at`,
  );
}
