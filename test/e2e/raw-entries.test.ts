import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { useMachines, type Installation } from './installation.js';
import { live, status, wamid } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('A2', 10), live('A3', 20), status('A3', 'read', 21)]
  .map((body) => JSON.stringify(body))
  .join('\n');
const A1 = `external_id = '${wamid('A1')}'`;
const entryOf = (key: string): string =>
  `id = (select batch_id from messages where external_id = '${wamid(key)}')`;

/** Every test runs a dozen commands. */
const PATIENCE = { timeout: 180_000 };

/** Of A1 the raw entry has changed, of A2 it is gone. */
const DAMAGES = [
  `update webhook_log set raw_body = convert_to(replace(convert_from(raw_body, 'UTF8'), 'A1', 'X1'), 'UTF8') where ${entryOf('A1')}`,
  `delete from webhook_log where ${entryOf('A2')}`,
];

// What a database makes of such entries is tested on both by test/commands/altered-entries.test.ts.
describe('raw entries', PATIENCE, () => {
  const machines = useMachines('postgresql');

  async function prepare(...damage: string[]): Promise<Installation> {
    const machine = await machines.install();
    await machine.write('hooks.ndjson', LOG);
    expect((await machine.run(['replay', 'hooks.ndjson', '--register', '--quiet'])).code).toBe(0);
    expect((await machine.run(['verify'])).code).toBe(0);
    await machine.look(async (store: Store) => {
      for (const statement of damage) expect(await store.sql.execute(statement)).toBeGreaterThan(0);
    });
    return machine;
  }

  async function entries(machine: Installation): Promise<unknown> {
    return machine.look((store) =>
      store.sql.query(
        `select count(*)::int as entries, count(*) filter (where sha256(raw_body) = sha256)::int as intact,
           count(*) filter (where status = 'processed')::int as processed from webhook_log`,
      ),
    );
  }

  test('changed or gone, each is a finding of verify and explain, and its file gives it back', async () => {
    const machine = await prepare(...DAMAGES);
    // Neither believed nor stored once more.
    await machine.run(['reconcile', '--full', '--silent-after', '100000h']);
    const verified = await machine.run(['verify']);
    expect(verified.code).toBe(3);
    expect(verified.stdout).toMatch(/entry does not match its hash/);
    expect(verified.stdout).toMatch(/names a raw entry that is gone/);
    expect(verified.stdout).toMatch(/wa-reconcile replay \/\S+\/hooks\.ndjson/);
    for (const key of ['A1', 'A2']) {
      const explained = await machine.run(['explain', wamid(key)]);
      expect(explained.code).toBe(3);
      expect(explained.stdout).toMatch(/wa-reconcile replay \/\S+\/hooks\.ndjson/);
    }

    expect((await machine.run(['replay', 'hooks.ndjson'])).code).toBe(0);
    expect((await machine.run(['verify'])).code).toBe(0);
    for (const key of ['A1', 'A2']) expect((await machine.run(['explain', wamid(key)])).code).toBe(0);
    expect(await entries(machine)).toEqual([{ entries: 4, intact: 4, processed: 4 }]);
  });

  test('explain shows a row that was changed, with both texts on request, and the replay that mends it', async () => {
    const machine = await prepare(`update messages set body = 'forged' where ${A1}`);
    const hidden = await machine.run(['explain', wamid('A1')]);
    expect(hidden.code).toBe(3);
    expect(hidden.stdout).toContain('Different from the raw log (body)');
    expect(hidden.stdout).not.toContain('forged');
    expect(hidden.stdout).toMatch(/wa-reconcile replay --all --contact '?\+\d+/);
    const shown = await machine.run(['explain', wamid('A1'), '--bodies']);
    expect(shown.stdout).toContain('body: forged; in the raw log: A1');
    expect((await machine.run(['verify'])).code).toBe(3);
    const { remedies } = JSON.parse((await machine.run(['explain', wamid('A1'), '--json'])).stdout) as {
      remedies: { command: string; args: string[] }[];
    };
    expect((await machine.run([remedies[0]?.command ?? '', ...(remedies[0]?.args ?? [])])).code).toBe(0);
    expect((await machine.run(['explain', wamid('A1')])).code).toBe(0);
    expect((await machine.run(['verify'])).code).toBe(0);
  });

  test('an entry stored with --connection is read so ever after', async () => {
    const machine = await machines.install();
    const shop = ['--name', 'shop', '--kind', 'cloud_api', '--phone-number-id', '800000000000009'];
    expect((await machine.run(['connection', 'add', ...shop])).code).toBe(0);
    const bare = {
      messaging_product: 'whatsapp',
      messages: [
        {
          from: '5511900000001',
          id: wamid('N1'),
          timestamp: '1758000000',
          type: 'text',
          text: { body: 'oi' },
        },
      ],
    };
    await machine.write('bare.ndjson', JSON.stringify(bare));
    expect((await machine.run(['replay', 'bare.ndjson', '--connection', 'shop'])).code).toBe(0);
    expect((await machine.run(['replay', '--all'])).code).toBe(0);
    expect((await machine.run(['explain', 'bare.ndjson:1'])).code).toBe(0);
    expect((await machine.run(['explain', wamid('N1')])).code).toBe(0);
    expect((await machine.run(['verify'])).code).toBe(0);
  });
});
