import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { dropUniqueIndexes, fillThread } from '../support/damage.js';
import { TEST_OPTIONS } from '../support/databases.js';
import { select } from '../support/shown.js';
import { live } from '../support/webhooks.js';
import { useMachines } from './installation.js';

const LOG = ['A', 'B', 'C'].map((key, index) => JSON.stringify(live(key, index * 10))).join('\n');

describe.each(['postgresql', 'pglite'] as const)('verify on %s', (name) => {
  const machines = useMachines(name);

  test('goes from damaged to clean: 3, dedupe, enforce, 0', async () => {
    const machine = await machines.install();
    await machine.run(['replay', '-', '--register'], { stdin: LOG });
    expect((await machine.run(['verify'])).code).toBe(0);
    await machine.look(async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      const [thread] = await store.sql.query('select id, connection_id, lead_id from conversations');
      await fillThread(
        store,
        {
          conversationId: String(thread?.['id']),
          connectionId: String(thread?.['connection_id']),
          leadId: String(thread?.['lead_id']),
        },
        200,
      );
    });
    const damaged = await machine.run(['verify', '--check', 'unique_index,duplicate_ids', '--enforce']);
    expect(damaged.code).toBe(3);
    expect(damaged.stdout).toContain('20 duplicate rows');

    expect((await machine.run(['dedupe', '--apply', '--yes', '--force'])).code).toBe(0);
    const enforced = await machine.run(['verify', '--enforce']);
    expect(enforced.stdout).toContain('✔ created  messages_connection_id_external_id_key');
    expect(enforced.stdout).toMatch(/^✔ 0 lost, 0 degraded, 1 note in 19 checks /m);
    expect(enforced.code).toBe(0);
  });
});

const WAITING = "select pid from pg_locks where relation = 'messages'::regclass and not granted";

describe('verify beside others', () => {
  const machines = useMachines('postgresql');

  test('exits with 2 for a wrong word, without touching the database', async () => {
    const machine = await machines.install('empty');
    expect((await machine.run(['verify', '--check', 'everything'])).code).toBe(2);
  });

  test('is interrupted by Ctrl-C with exit 130, and leaves no list of half the items', async () => {
    const machine = await machines.install();
    await machine.run(['replay', '-', '--register'], { stdin: LOG });
    const other = await openStore(machine.config, TEST_OPTIONS);
    try {
      const verify = await other.transaction(async (tx) => {
        await tx.execute('lock table messages in access exclusive mode');
        const waiting = await machine.start(['verify', '--items', 'items.tsv', '--events']);
        while ((await select(other, WAITING)).length === 0) await delay(50);
        waiting.process.kill('SIGINT');
        await waiting.says('"event":"notice"', 'stderr');
        return waiting;
      });
      const { code } = await verify.ended;
      expect(code).toBe(130);
      const listed = await machine.shell('ls -a');
      expect(listed.stdout).not.toMatch(/items|tmp/);
    } finally {
      await other.close();
    }
  });
});
