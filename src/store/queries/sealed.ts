import { bytes, columns, orNull, rowsOf, text, uuid, word, type RowOf } from '../columns.js';
import type { Sql } from '../sql.js';

/** What is sealed with the secret key, of whatever table. Excludes owed files, which a lost key only leaves out. */
const SEALED_KINDS = ['token', 'device', 'comparison', 'erased'] as const;

const SEALED = columns({
  kind: word(SEALED_KINDS),
  connectionId: orNull(uuid),
  /** Of the connection, or of the saved comparison. */
  name: text,
  /** Under the secret key. */
  sealed: bytes,
  /** Of a device with a key of its own, which `sealed` is: its login, under that key. */
  underIt: orNull(bytes),
});

/** A sealed value: an access token, the key of a linked device, the URL of a saved comparison, the key of erased names. */
export type SealedRow = RowOf<typeof SEALED>;

/** Every sealed value, tokens first. There are a few per connection. */
export async function readSealed(sql: Sql): Promise<SealedRow[]> {
  return rowsOf(
    SEALED,
    await sql.query(
      `select kind, connection_id, name, sealed, under_it from (
         select 1 as place, 'token' as kind, c.id as connection_id, c.name, g.token as sealed, null::bytea as under_it
         from graph_credentials g join connections c on c.id = g.connection_id
         union all
         select 2, 'device', c.id, c.name, coalesce(d.device_key, d.credentials),
           case when d.device_key is not null then d.credentials end
         from linked_devices d join connections c on c.id = d.connection_id
         union all
         select 3, 'comparison', null, s.name, s.url, null from saved_comparisons s
         union all
         select 4, 'erased', null, e.name, e.sealed, null from erasure_keys e) sealed
       order by place, name, connection_id`,
    ),
  );
}
