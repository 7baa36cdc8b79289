import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, history, live, old, wamid } from '../support/webhooks.js';

const LOG = [
  history([old('H1', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 10),
  live('B1', 40, { from: BRU }),
];

const copyOf = (key: string, columns: string): string =>
  `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()) || ${columns})).*
   from messages m where external_id = '${wamid(key)}'`;

async function isClean(store: Store): Promise<boolean> {
  const { severity } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return severity === null || severity === 'note';
}

/** What somebody did to one contact's rows, and what explain finds of it. */
const CHANGES: readonly (readonly [string, (store: Store) => Promise<unknown>, object])[] = [
  [
    'a raw entry that is gone',
    (store) =>
      store.sql.execute(
        `delete from webhook_log where id = (select batch_id from messages where external_id = '${wamid('A1')}')`,
      ),
    { outcome: 'gone', count: 1 },
  ],
  [
    'the whole raw log that is gone',
    (store) => store.sql.execute('delete from webhook_log'),
    { outcome: 'gone', count: 3 },
  ],
  [
    'a copy without an id',
    (store) => store.sql.execute(copyOf('A1', `'{"external_id":null,"stanza_id":null}'::jsonb`)),
    { outcome: 'different', reason: 'no_id' },
  ],
  [
    'a lead without its names',
    (store) => store.sql.execute(`delete from lead_identities where value = '+${ANA}'`),
    { outcome: 'different', reason: 'derived' },
  ],
  [
    'a ticket of another lead',
    (store) =>
      store.sql.execute(
        `update tickets set lead_id = (select lead_id from lead_identities where value = '+${BRU}')
         where lead_id = (select lead_id from lead_identities where value = '+${ANA}')`,
      ),
    { outcome: 'different', reason: 'derived' },
  ],
  [
    'a row that its entry never had',
    (store) => store.sql.execute(copyOf('A1', `'{"external_id":"wamid.foo","stanza_id":null}'::jsonb`)),
    { outcome: 'different', reason: 'unfounded' },
  ],
];

describeOnServer('explain of a contact judges its rows', (backend) => {
  it.each(CHANGES)('as verify does: %s', async (_, change, finding) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect(await isClean(store)).toBe(true);
    expect((await ask(store, `+${ANA}`)).findings).toEqual([]);
    await change(store);
    expect(await isClean(store)).toBe(false);
    const { findings, remedies, verdict } = await ask(store, `+${ANA}`);
    expect(findings).toContainEqual(expect.objectContaining(finding));
    expect(remedies.length).toBeGreaterThan(0);
    expect(verdict).toMatch(/; \d (message|lead|ticket)/);
  });

  it('and finds a second row under the other id of a message, whichever is asked for', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(copyOf('A1', `'{"external_id":"A1","stanza_id":"A1"}'::jsonb`));
    for (const subject of [wamid('A1'), 'A1', `+${ANA}`]) {
      const { findings } = await ask(store, subject);
      expect(findings, subject).toContainEqual(
        expect.objectContaining({ outcome: 'different', reason: 'doubled' }),
      );
    }
    expect((await ask(store, wamid('A2'))).findings).toEqual([]);
  });

  it.each(['failed', 'pending', 'unrecognized'])(
    'and an entry that is recorded as %s and can be read',
    async (status) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const [row] = await store.sql.query(
        `update webhook_log set status = '${status}', error = 'boom'
       where id = (select batch_id from messages where external_id = '${wamid('A1')}') returning id`,
      );
      const entry = `log:${String(row?.['id'])}`;
      expect(await isClean(store)).toBe(false);
      const { findings, remedies } = await ask(store, entry);
      expect(findings).toHaveLength(1);
      expect(remedies).toEqual([{ do: 'replay_all' }]);
    },
  );
});
