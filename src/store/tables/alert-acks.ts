import { uuid, text, time, orNull, type RowOf, columns, rowsOf } from '../columns.js';
import { arrayLiteral } from '../array-literal.js';
import type { Sql } from '../sql.js';

const ALERT_ACK = columns({
  alertId: text,
  kind: text,
  connectionId: orNull(uuid),
  subject: orNull(text),
  /** What the alert was about when it was acknowledged. */
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
  const rows = await sql.query(
    `select alert_id, kind, connection_id, subject, state, reason, until, acked_by, host, acked_at from alert_acks`,
  );
  return rowsOf(ALERT_ACK, rows);
}

/** Acknowledges alerts; one that was acknowledged before is acknowledged as it is now. */
export async function writeAlertAcks(sql: Sql, acks: readonly AlertAck[]): Promise<void> {
  if (acks.length === 0) return;
  const instant = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  await sql.execute(
    `insert into alert_acks (alert_id, kind, connection_id, subject, state, reason, until, acked_by, host, acked_at)
     select * from unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
       $8::text[], $9::text[], $10::timestamptz[])
     on conflict (alert_id) do update set
       state = excluded.state, reason = excluded.reason, until = excluded.until, acked_by = excluded.acked_by,
       host = excluded.host, acked_at = excluded.acked_at`,
    [
      arrayLiteral(acks.map(({ alertId }) => alertId)),
      arrayLiteral(acks.map(({ kind }) => kind)),
      arrayLiteral(acks.map(({ connectionId }) => connectionId)),
      arrayLiteral(acks.map(({ subject }) => subject)),
      arrayLiteral(acks.map(({ state }) => state)),
      arrayLiteral(acks.map(({ reason }) => reason)),
      arrayLiteral(acks.map(({ until }) => instant(until))),
      arrayLiteral(acks.map(({ ackedBy }) => ackedBy)),
      arrayLiteral(acks.map(({ host }) => host)),
      arrayLiteral(acks.map(({ ackedAt }) => instant(ackedAt))),
    ],
  );
}

/** Takes acknowledgements back; gives how many there were. */
export async function deleteAlertAcks(sql: Sql, alertIds: readonly string[]): Promise<number> {
  if (alertIds.length === 0) return 0;
  return sql.execute(`delete from alert_acks where alert_id = any($1::text[])`, [arrayLiteral(alertIds)]);
}
