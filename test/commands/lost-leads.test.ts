import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import {
  ANA,
  BRU,
  echo,
  history,
  live,
  liveFrom,
  old,
  reaction,
  status,
  wamid,
} from '../support/webhooks.js';
import { night } from '../support/nights.js';

const LOG = [
  history([old('H1', -900), old('H2', -800)], { progress: 100 }),
  liveFrom('Ana', 'A1', 0),
  live('B1', 9, { from: BRU }),
  echo('A3', 12),
  status('A3', 'delivered', 15),
  reaction('A1', 20, '👍'),
];

const MENDS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  'replay FILE': (store) => replayBodies(store, LOG),
  'reconcile --apply': (store) => night(store, { apply: true, register: true }),
};

/** What a dump without foreign keys, or a careless program, does. */
async function loseLead(store: Store): Promise<void> {
  await store.sql.execute('begin');
  await store.sql.execute(`set local session_replication_role = replica`);
  await store.sql.execute(`delete from leads where phone_number = '+${ANA}'`);
  await store.sql.execute('commit');
}

function leadsOf(store: Store) {
  return store.sql.query(
    `select id, phone_number, push_name, source, is_active, first_seen_at::text, last_message_at::text from leads order by id`,
  );
}

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

describeOnServer('a lead whose row is gone', (backend) => {
  it('is a finding everywhere, and comes back as it was by every command that mends', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true, register: true });
    const leads = await leadsOf(store);
    for (const [command, mend] of Object.entries(MENDS)) {
      await loseLead(store);
      const { checks } = await verified(store);
      for (const name of ['raw_log', 'consistency'])
        expect(
          checks.find(({ check }) => check === name),
          command,
        ).toMatchObject({
          status: 'findings',
          remedy: { command: 'replay', args: ['--all'] },
        });
      expect(await ask(store, wamid('A1')), command).toMatchObject({ remedies: [{ do: 'replay_contact' }] });
      await mend(store);
      expect(await leadsOf(store), command).toEqual(leads);
      expect(await verified(store), command).toMatchObject({ severity: null, findings: 0 });
      expect(await ask(store, wamid('A1')), command).toMatchObject({ findings: [] });
    }
  });
});

const NAMES = {
  'names no lead any more': `update lead_identities set lead_id = null where value = '+${ANA}'`,
  'has another person, without a lead': `update lead_identities set person_id = gen_random_uuid(), lead_id = null where value = '+${ANA}'`,
};

describeOnServer('the name of a lead that', (backend) => {
  it.each(Object.entries(NAMES))(
    '%s is a finding, and as it was after every command that mends',
    async (_, damage) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const names = 'select kind, value, person_id, lead_id from lead_identities order by 1, 2';
      const before = [await leadsOf(store), await store.sql.query(names)];
      for (const [command, mend] of Object.entries(MENDS)) {
        expect(await store.sql.execute(damage), command).toBe(1);
        expect(await verified(store), command).toMatchObject({ severity: 'loss' });
        await mend(store);
        expect([await leadsOf(store), await store.sql.query(names)], command).toEqual(before);
        expect(await verified(store), command).toMatchObject({ severity: null, findings: 0 });
      }
    },
  );
});
