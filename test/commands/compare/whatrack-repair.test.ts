import { describe, expect, it } from 'vitest';

import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases, type Sql } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import { watchWhatrack } from '../../support/crm/invariants.js';
import { applyScript, dumpTables, makeRepair } from '../../support/crm/repairing.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { useBackend } from '../../support/databases.js';

const TABLES = ['crm_leads', 'crm_conversations', 'crm_deals', 'whatsapp_messages'];

const databases = useCrmDatabases();

describe('the repair of WhaTrack', () => {
  const backend = useBackend('postgresql');

  it('puts back what is lost, adds nothing the second time, and is taken back without a trace', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 21, count: 300, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillWhatrack, day, ['first_of_batch_only', 'random_loss']);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const check = await watchWhatrack(crm.sql);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'whatrack', place);
    const { lost } = repair.result.counts;
    expect(lost).toBeGreaterThan(10);
    expect(repair.result.repair).toMatchObject({ messages: lost, leftOut: {} });

    await applyScript(crm.sql, repair.sql);
    const after = await dumpTables(crm.sql, TABLES);
    const again = await compareAll(store, 'whatrack', place, { repaired: repair.ids });
    expect(again.result.counts).toEqual({
      ...repair.result.counts,
      lost: 0,
      same: repair.result.counts.same + lost,
    });
    expect(again.result.repaired).toEqual({ messages: lost, same: lost });
    expect(await check()).toEqual([]);
    // Nobody is there twice.
    expect(after.crm_leads).toHaveLength(before.crm_leads?.length ?? 0);

    await applyScript(crm.sql, repair.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it.each([
    ['by phone alone', `update crm_leads set remote_jid = null, phone = coalesce(phone, '+' || remote_jid)`],
    ['by nothing', 'update crm_leads set remote_jid = null, phone = null'],
    [
      'under another spelling',
      `update crm_leads set phone = null, remote_jid = regexp_replace(remote_jid, '^55(..)9?(........)$', '55\\19\\2')`,
    ],
  ])('a lead that the CRM knows %s is nobody’s second one', async (_how, damage) => {
    const store = await backend.open();
    const day = createDay({ seed: 23, count: 300, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillWhatrack, day, ['first_of_batch_only', 'random_loss']);
    await crm.sql(damage);
    const leads = (): Promise<unknown[]> => crm.sql('select id from crm_leads order by id');
    const before = await leads();
    const repair = await makeRepair(store, 'whatrack', { kind: 'database', url: crm.readOnlyUrl });
    expect(repair.result.counts.lost).toBeGreaterThan(5);
    await applyScript(crm.sql, repair.sql);
    expect(await leads()).toEqual(before);
    const again = await compareAll(store, 'whatrack', { kind: 'database', url: crm.readOnlyUrl });
    expect(again.result.counts.lost).toBe(0);
    await applyScript(crm.sql, repair.undo);
    expect(await leads()).toEqual(before);
  });

  it.each([1, 2])('what the CRM received after %i runs of it stays when it is taken back', async (runs) => {
    const store = await backend.open();
    const day = createDay({ seed: 22, count: 200, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillWhatrack, day, ['random_loss']);
    const repair = await makeRepair(store, 'whatrack', { kind: 'database', url: crm.readOnlyUrl });
    const before = await readCounters(crm.sql);
    await applyScript(crm.sql, repair.sql);
    const repaired = await readCounters(crm.sql);
    const [busy] = repaired.filter(
      ({ id, messages }) => messages > (before.find((one) => one.id === id)?.messages ?? 0),
    );
    const id = busy?.id ?? '';
    await receive(crm.sql, id);
    if (runs > 1) await applyScript(crm.sql, repair.sql);
    await applyScript(crm.sql, repair.undo);
    const after = await readCounters(crm.sql);
    expect(after.filter((one) => one.id !== id)).toEqual(before.filter((one) => one.id !== id));
    const known = before.find((one) => one.id === id);
    expect(after.find((one) => one.id === id)).toEqual({
      ...known,
      messages: (known?.messages ?? 0) + 1,
      inbound: (known?.inbound ?? 0) + 1,
      last_inbound: LATER,
      last_message: LATER,
    });
  });
});

const LATER = '2030-01-01 00:00:00';

/** Every conversation's counters, with its lead's last message. */
async function readCounters(
  sql: Sql,
): Promise<{ id: string; messages: number; inbound: number; last_inbound: string; last_message: string }[]> {
  const rows = await sql(
    `select v.id, v."messagesCount" as messages, v."inboundMessagesCount" as inbound, v."lastInboundAt"::text as last_inbound,
       e.last_message_at::text as last_message
     from crm_conversations v join crm_leads e on e.id = v."leadId" order by v.id`,
  );
  return rows.map((row) => ({
    id: String(row['id']),
    messages: Number(row['messages']),
    inbound: Number(row['inbound']),
    last_inbound: String(row['last_inbound']),
    last_message: String(row['last_message']),
  }));
}

/** One more message, as the CRM stores it. */
async function receive(sql: Sql, conversationId: string): Promise<void> {
  await sql(
    `insert into whatsapp_messages
     select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'wamid', 'wamid.later', 'timestamp', $2::text,
       'directionId', (select id from crm_message_directions where name = 'INBOUND')))).*
     from whatsapp_messages m where m.app_conversation_id = $1::uuid and "rawMeta"->>'wa_reconcile_repair' is null limit 1`,
    [conversationId, LATER],
  );
  await sql(
    `update crm_conversations set "messagesCount" = "messagesCount" + 1, "inboundMessagesCount" = "inboundMessagesCount" + 1,
       "lastInboundAt" = $2::timestamp where id = $1::uuid`,
    [conversationId, LATER],
  );
  await sql(
    `update crm_leads set last_message_at = $2::timestamp where id = (select "leadId" from crm_conversations where id = $1::uuid)`,
    [conversationId, LATER],
  );
}
