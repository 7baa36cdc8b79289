import { arrayLiteral } from '../array-literal.js';
import {
  columnNames,
  columns,
  orNull,
  rowsOf,
  text,
  time,
  uuid,
  without,
  type RowOf,
  insertRows,
  excluded,
} from '../columns.js';
import type { Sql } from '../sql.js';

const ALERT_ACK = columns({
  alertId: text,
  kind: text,
  connectionId: orNull(uuid),
  subject: orNull(text),
  /** What the alert covered when it was acknowledged. */
  state: text,
  reason: orNull(text),
  /** Null: until the alert changes. */
  until: orNull(time),
  ackedBy: text,
  host: text,
  ackedAt: time,
});

/** One acknowledged alert. Times are ms since 1970. */
export type AlertAck = RowOf<typeof ALERT_ACK>;

export async function readAlertAcks(sql: Sql): Promise<AlertAck[]> {
  return rowsOf(ALERT_ACK, await sql.query(`select ${columnNames(ALERT_ACK)} from alert_acks`));
}

/** Acknowledges alerts; an already acknowledged one is updated to its current state. */
export async function writeAlertAcks(sql: Sql, acks: readonly AlertAck[]): Promise<void> {
  const changing = without(ALERT_ACK, 'alertId', 'kind', 'connectionId', 'subject');
  const replace = `on conflict (alert_id) do update set ${excluded(changing)}`;
  await insertRows(sql, 'alert_acks', ALERT_ACK, acks, replace);
}

/** Removes acknowledgements; returns how many existed. */
export async function deleteAlertAcks(sql: Sql, alertIds: readonly string[]): Promise<number> {
  if (alertIds.length === 0) return 0;
  return sql.execute(`delete from alert_acks where alert_id = any($1::text[])`, [arrayLiteral(alertIds)]);
}
