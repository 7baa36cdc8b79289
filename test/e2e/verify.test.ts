import { describe, expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { dropUniqueIndexes, fillThread } from '../support/damage.js';
import { TEST_OPTIONS } from '../support/databases.js';
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
    expect(damaged.stdout).toContain('20 rows too many');

    expect((await machine.run(['dedupe', '--apply', '--yes', '--force'])).code).toBe(0);
    const enforced = await machine.run(['verify', '--enforce']);
    expect(enforced.stdout).toContain('✔ created  messages_connection_id_external_id_key');
    expect(enforced.stdout).toContain('Clean: 15 checks, nothing found.');
    expect(enforced.code).toBe(0);
  });

  test('exits with 2 for a wrong word, without touching the database', async () => {
    const machine = await machines.install();
    expect((await machine.run(['verify', '--check', 'everything'])).code).toBe(2);
  });
});

describe('verify beside others', () => {
  const machines = useMachines('postgresql');

  test('is interrupted by Ctrl-C with exit 130, and leaves no list of half the items', async () => {
    const machine = await machines.install();
    await machine.run(['replay', '-', '--register'], { stdin: LOG });
    const other = await openStore(machine.config, TEST_OPTIONS);
    try {
      const verify = await machine.start(['verify', '--items', 'items.tsv', '--events']);
      await other.transaction(async (tx) => {
        // Verify waits for this lock at its second check.
        await tx.execute('lock table messages in access exclusive mode');
        await verify.says('duplicate_ids', 'stderr');
        verify.process.kill('SIGINT');
        await verify.says('"event":"notice"', 'stderr');
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
