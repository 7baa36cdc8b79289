import type { Store } from '../../src/store/store.js';

/** Of a hundred messages, so many are stored twice: under one id, under two ids, and once without an id. */
const SHARES = [
  { percent: 6, columns: `m.external_id, m.stanza_id, m.timestamp` },
  { percent: 2, columns: `m.stanza_id, m.stanza_id, m.timestamp + interval '1 second'` },
  { percent: 2, columns: `null, null, m.timestamp + interval '1 second'` },
] as const;

const COPIED = `direction, type, body, media, context_external_id, status, history_status, source, sync_source,
  is_sync_initial, connection_id, conversation_id, lead_id, batch_id, run_id, evidence, raw_meta`;

/** The unique index of messages gone, and a tenth of them stored twice. Gives the number of copies. */
export async function insertDoubles({ sql }: Store): Promise<number> {
  await sql.execute('drop index if exists messages_connection_id_external_id_key');
  let copies = 0;
  let from = 0;
  for (const { percent, columns } of SHARES) {
    const copied = COPIED.split(',').map((column) => `m.${column.trim()}`);
    copies += await sql.execute(
      `insert into messages (id, external_id, stanza_id, timestamp, ${COPIED})
       select gen_random_uuid(), ${columns}, ${copied.join(', ')}
       from messages m
       where abs(hashtext(m.external_id)) % 100 between ${from} and ${from + percent - 1} and m.stanza_id is not null
         and m.edited_at is null and m.deleted_at is null and m.external_id like 'wamid.%'`,
    );
    from += percent;
  }
  await sql.execute('analyze messages');
  return copies;
}
