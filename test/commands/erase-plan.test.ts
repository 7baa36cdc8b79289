import fc from 'fast-check';
import { expect, it } from 'vitest';
import { erase, planErase } from '../../src/commands/erase/erase.js';
import { findPerson } from '../../src/commands/erase/find-person.js';
import { describeOnBackends } from '../support/databases.js';
import { CUSTOMERS, metaLog } from '../support/random-log.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { dumpOf } from '../support/database-dump.js';
import { SECRET } from '../support/secret.js';
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
import { tries } from '../support/seed.js';

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
  backend.once('says table by table what there is of a person, and changes nothing', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await dumpOf(store);
    const ctx = testContext(store);
    const plan = await planErase(ctx, '+55 11 90000-0001');
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
    const away = store.backend === 'pglite' ? 'restore into a new home directory' : 'VACUUM (FULL)';
    expect(plan.outOfReach.filter((line) => line.includes(away))).toHaveLength(1);
    expect(await dumpOf(store)).toBe(before);
    const found = await findPerson(store.sql, `+${ANA}`);
    expect(found?.person.words).toEqual(expect.arrayContaining([ANA, 'Ana Maria', 'Ana da Loja']));
    // Bru is somebody else.
    expect((await planErase(ctx, `+${BRU}`)).tables.find(({ table }) => table === 'messages')).toEqual({
      table: 'messages',
      rows: 2,
    });
    await expect(planErase(ctx, '+5541900000009')).rejects.toMatchObject({ code: 'unknown_contact' });
  });

  backend.once('counts what the erasure then removes', async () => {
    const store = await backend.open();
    const group = { remoteJid: '120363000000000001@g.us' };
    const theirs = webLive('G1', 50, {}, { ...group, participant: `${ANA}@s.whatsapp.net` });
    await replayBodies(store, [...LOG, theirs], { include: new Set(['group'] as const) });
    const ctx = testContext(store);
    const { tables, bodies } = await planErase(ctx, `+${ANA}`);
    expect(tables).toContainEqual({ table: 'tickets', rows: 2 });
    const done = await erase(ctx, { contact: `+${ANA}`, secretKey: SECRET, batchSize: 2 });
    expect({ tables: done.tables, bodies: done.bodies }).toEqual({ tables, bodies });
  });

  it('counts rows once that name a person in a text, also where they go: records of access, runs, imports, rejects', async () => {
    const store = await backend.open();
    await replayBodies(store, [...LOG, live('Z', 60, { id: undefined, text: { body: `Ana Maria ${ANA}` } })]);
    const [lead] = await store.sql.query(`select id from leads where phone_number = '+${ANA}'`);
    const leadId = String(lead?.['id']);
    for (const [who, actor] of [
      [leadId, 'Ana Maria'],
      [leadId, 'Bob'],
      [null, 'Ana Maria'],
    ])
      await store.sql.execute(
        `insert into access_log (id, at, command, os_user, host, actor, lead_id, messages)
         values (gen_random_uuid(), now(), 'messages', 'u', 'h', $1, $2::uuid, 1)`,
        [actor ?? '', who ?? null],
      );
    await store.sql.execute(
      `update sync_runs set options = jsonb_build_object('contact', '+${ANA}'), error = 'Ana Maria did not answer'`,
    );
    await store.sql.execute(
      `insert into sync_logs (id, run_id, connection_id, lead_id, sync_type, status, error_message, started_at)
       select gen_random_uuid(), r.id, c.id, $1::uuid, 'manual_recovery', 'failed', 'Ana Maria is away', now() from sync_runs r, connections c limit 1`,
      [leadId],
    );
    await store.sql.execute(
      `insert into rejects (id, run_id, webhook_log_id, path, subject, reason, excerpt)
       select gen_random_uuid(), id, gen_random_uuid(), '$', 'message', 'no_id', 'Ana Maria: my secret words' from sync_runs`,
    );
    const ctx = testContext(store);
    const { tables, bodies } = await planErase(ctx, `+${ANA}`);
    const rowsOf = (name: string): number | undefined => tables.find(({ table }) => table === name)?.rows;
    expect([rowsOf('access_log'), rowsOf('sync_runs')]).toEqual([1, 1]);
    const done = await erase(ctx, { contact: `+${ANA}`, secretKey: SECRET, batchSize: 2 });
    expect({ tables: done.tables, bodies: done.bodies }).toEqual({ tables, bodies });
    const dump = await dumpOf(store);
    expect(dump).not.toContain('secret words');
    // Of an item without a body, nobody can tell whose its words are.
    expect(await store.sql.query(`select excerpt from rejects where path = '$'`)).toEqual([{ excerpt: '' }]);
  });

  backend.once(
    'agrees with the erasure about any log and anybody, and a plan changes nothing',
    async () => {
      await fc.assert(
        fc.asyncProperty(metaLog, fc.constantFrom(...CUSTOMERS), fc.boolean(), async (log, who, inGroup) => {
          const store = await backend.open();
          try {
            const phone = `+${who.phones[0]}`;
            const group = webLive(
              'G1',
              50,
              {},
              {
                remoteJid: '120363000000000001@g.us',
                participant: `${who.phones[0]}@s.whatsapp.net`,
              },
            );
            const always = live('Z', 70, { from: who.phones[0] });
            await replayBodies(store, [...log, always, ...(inGroup ? [group] : [])], {
              include: new Set(['group'] as const),
            });
            const ctx = testContext(store);
            const before = await dumpOf(store);
            const { tables, bodies } = await planErase(ctx, phone);
            expect(await dumpOf(store)).toBe(before);
            const done = await erase(ctx, { contact: phone, secretKey: SECRET, batchSize: 2 });
            expect({ tables: done.tables, bodies: done.bodies }).toEqual({ tables, bodies });
          } finally {
            await store.close();
          }
        }),
        { numRuns: tries(20) },
      );
    },
    120_000,
  );
});
