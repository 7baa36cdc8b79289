import { expect, it } from 'vitest';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { erase } from '../../src/commands/erase/erase.js';
import { findPerson, planErasure } from '../../src/commands/erase/plan-erasure.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { dumpOf } from '../support/database-dump.js';
import {
  addressBook,
  ANA,
  BRU,
  edit,
  echo,
  item,
  live,
  liveFrom,
  reaction,
  status,
  webhook,
  webLive,
} from '../support/webhooks.js';

const LOG = [
  liveFrom('Ana Maria', 'A0', 0),
  edit('A0', 'A0e', 5, { type: 'text', text: { body: 'edited' } }),
  reaction('A0', 6, '👍'),
  echo('E', 10),
  addressBook('add', { full_name: 'Ana da Loja', phone_number: ANA }, 20),
  status('LATE', 'read', 25),
  webhook('messages', {
    messages: [item('A1', 30), item('B1', 31, { from: BRU }), item('X', 32, { id: undefined })],
  }),
  live('B2', 40, { from: BRU, text: { body: `call ${ANA}` } }),
];

describeOnBackends('the plan of an erasure', (backend) => {
  it('says table by table what there is of a person, and changes nothing', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await dumpOf(store);
    const ctx = testContext(store);
    const plan = await planErasure(ctx, '+55 11 90000-0001');
    expect(plan.identities).toEqual([{ kind: 'phone', value: `+${ANA}` }]);
    expect(plan.tables).toEqual([
      { table: 'leads', rows: 1 },
      { table: 'lead_identities', rows: 1 },
      { table: 'conversations', rows: 1 },
      { table: 'messages', rows: 3 },
      { table: 'message_revisions', rows: 1 },
      { table: 'message_reactions', rows: 1 },
      { table: 'tickets', rows: 1 },
      { table: 'sync_logs', rows: 1 },
      { table: 'rejects', rows: 1 },
      { table: 'pending_facts', rows: 1 },
    ]);
    expect(plan.bodies).toMatchObject({ erased: 6, redacted: 1, others: 0, mentions: 1 });
    expect(await dumpOf(store)).toBe(before);
    const found = await findPerson(store.sql, `+${ANA}`);
    expect(found?.person.words).toEqual(expect.arrayContaining([ANA, 'Ana Maria', 'Ana da Loja']));
    // Bru is somebody else.
    expect((await planErasure(ctx, `+${BRU}`)).tables.find(({ table }) => table === 'messages')).toEqual({
      table: 'messages',
      rows: 2,
    });
    await expect(planErasure(ctx, '+5541900000009')).rejects.toMatchObject({ code: 'unknown_contact' });
  });

  it('counts what the erasure then removes', async () => {
    const store = await backend.open();
    const group = { remoteJid: '120363000000000001@g.us' };
    const theirs = webLive('G1', 50, {}, { ...group, participant: `${ANA}@s.whatsapp.net` });
    await replayBodies(store, [...LOG, theirs], { include: new Set(['group'] as const) });
    const ctx = testContext(store);
    const { tables } = await planErasure(ctx, `+${ANA}`);
    expect(tables).toContainEqual({ table: 'tickets', rows: 2 });
    const secretKey = SecretKey.parse(Buffer.alloc(32, 7).toString('base64'), 'the test');
    const done = await erase(ctx, { contact: `+${ANA}`, secretKey, batchSize: 2 });
    const inOrder = (rows: readonly { table: string }[]) =>
      [...rows].sort((a, b) => a.table.localeCompare(b.table));
    expect(inOrder(done.tables)).toEqual(inOrder(tables));
  });
});
