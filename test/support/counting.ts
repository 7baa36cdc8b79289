import type { Store } from '../../src/store/store.js';

/** The rows that the samples' EXPECT.json names. */
export interface RowCounts {
  leads: number;
  conversations: number;
  messages_inbound: number;
  messages_outbound: number;
  open_tickets: number;
}

export async function countRows(store: Store): Promise<RowCounts> {
  const [row] = await store.sql.query(`
    select (select count(*)::int from leads) as leads,
      (select count(*)::int from conversations) as conversations,
      (select count(*)::int from messages where direction = 'INBOUND') as messages_inbound,
      (select count(*)::int from messages where direction = 'OUTBOUND') as messages_outbound,
      (select count(*)::int from tickets where status = 'open') as open_tickets`);
  return {
    leads: Number(row?.['leads']),
    conversations: Number(row?.['conversations']),
    messages_inbound: Number(row?.['messages_inbound']),
    messages_outbound: Number(row?.['messages_outbound']),
    open_tickets: Number(row?.['open_tickets']),
  };
}

/** A connection of kind baileys, as the samples of WhatsApp Web want it. */
export async function addBaileysConnection(
  store: Store,
  name = 'loja',
  number = '+5511900000000',
): Promise<void> {
  await store.sql.execute(
    `insert into connections (id, organization_id, name, kind, display_phone_number, history_sync_status)
     select gen_random_uuid(), id, $1, 'baileys', $2, 'pending_history' from organizations where slug = 'default'`,
    [name, number],
  );
}
