import pg from 'pg';
import type { Store } from '../../src/store/store.js';
import { createEvolution } from '../support/crm/schemas/evolution.js';
import { compareOnce, type MeasuredVerify } from './run-binary.js';

/** Rows that are moved at a time. */
const PAGE = 20_000;

/**
 * Times `compare evolution` over a CRM that holds every message of the store; `crmUrl` is an empty database.
 */
export async function measureCompare(
  store: Store,
  crmUrl: string,
  where: { env: Record<string, string>; directory: string },
): Promise<MeasuredVerify> {
  const client = new pg.Client({ connectionString: crmUrl });
  await client.connect();
  try {
    await createEvolution(async (text, values) => {
      const { rows } = await client.query<Record<string, unknown>>(
        text,
        values === undefined ? [] : [...values],
      );
      return rows;
    });
    await fill(store, client);
  } finally {
    await client.end();
  }
  return compareOnce(crmUrl, where);
}

async function fill(store: Store, client: pg.Client): Promise<void> {
  const connections = await store.sql.query('select id, name, phone_number_id from connections');
  for (const { id, name, phone_number_id: number } of connections) {
    await client.query(
      `insert into "Instance" (id, name, integration, number) values ($1, $2, 'WHATSAPP-BUSINESS', $3)`,
      [id, name, number],
    );
  }
  let after = '00000000-0000-0000-0000-000000000000';
  for (;;) {
    const rows = await store.sql.query(
      `select m.id, m.connection_id as instance, m.external_id as key, m.direction, m.type, m.body, l.phone_number as phone,
         extract(epoch from m.timestamp)::int as at
       from messages m join leads l on l.id = m.lead_id where m.id > $1::uuid order by m.id limit ${PAGE}`,
      [after],
    );
    const last = rows.at(-1);
    if (last === undefined) break;
    await client.query(
      `insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId", status)
       select 'c' || md5(r.id), jsonb_build_object('id', r.key, 'fromMe', r.direction = 'OUTBOUND', 'remoteJid',
           ltrim(r.phone, '+') || '@s.whatsapp.net'),
         case r.type when 'image' then 'imageMessage' else 'conversation' end,
         case r.type when 'image' then jsonb_build_object('imageMessage', jsonb_build_object('caption', r.body))
           else jsonb_build_object('conversation', r.body) end,
         'unknown', r.at, r.instance, 'READ'
       from json_to_recordset($1::json)
         as r (id text, instance text, key text, direction text, type text, body text, phone text, at int)`,
      [JSON.stringify(rows)],
    );
    after = String(last.id);
  }
  await client.query('analyze');
}
