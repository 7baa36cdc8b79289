import { expect, it } from 'vitest';
import { listAlerts } from '../../src/commands/alerts/alerts.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { BRU, live, reaction, wamid } from '../support/webhooks.js';

const LOG = [live('A1', 0), live('B1', 9, { from: BRU }), reaction('A1', 20, '👍')];
const ALL = { command: 'replay', args: ['--all'] };

const ENTRY = `(select batch_id from messages where body = 'A1')`;
const REJECT = `insert into rejects (id, run_id, webhook_log_id, connection_id, path, subject, reason, excerpt)
  select gen_random_uuid(), m.run_id, m.batch_id, m.connection_id, 'entry[0].changes[0].value.messages[0]', 'message', 'bad_timestamp', '{}'
  from messages m where body = 'A1'`;

const RECORDS = {
  'an entry that can be read, as in an unknown format': [
    `update webhook_log set status = 'unrecognized' where id = ${ENTRY}`,
  ],
  'a reject of an item of an entry that is processed': [REJECT],
  'a reject of an item of an entry that is partial': [
    REJECT,
    `update webhook_log set status = 'partial' where id = ${ENTRY}`,
  ],
};

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

async function alertsOf(store: Store) {
  const { alerts } = await listAlerts(testContext(store), {
    audit: true,
    historyMinutes: 60,
    silentHours: 1_000_000,
  });
  return alerts;
}

describeOnServer('what is recorded wrongly', (backend) => {
  for (const [what, damage] of Object.entries(RECORDS)) {
    it(`${what}, ends with a replay of everything, which is advised`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      for (const statement of damage) await store.sql.execute(statement);
      const { checks } = await verified(store);
      expect(checks.find(({ check }) => check === 'rejects')).toMatchObject({
        status: 'findings',
        remedy: ALL,
      });
      expect((await alertsOf(store)).filter(({ severity }) => severity === 'loss')).toMatchObject([
        { remedy: ALL },
      ]);
      await replayLog(store, { which: 'all' });
      expect(await verified(store)).toMatchObject({ severity: null, findings: 0 });
      expect(await alertsOf(store)).toEqual([]);
    });
  }

  it('a reaction without its message ends with a replay of everything', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(`delete from messages where body = 'A1'`);
    const { checks } = await verified(store);
    expect(checks.find(({ check }) => check === 'consistency')).toMatchObject({ found: 1, remedy: ALL });
    await replayLog(store, { which: 'all' });
    expect(await verified(store)).toMatchObject({ severity: null, findings: 0 });
    expect(await ask(store, wamid('A1'))).toMatchObject({ findings: [] });
  });

  it('what is rejected with good reason stays so, and is explained', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 0),
      live('A2', 5, { id: undefined }),
      '{"never":"seen"}',
      'no json {',
    ]);
    for (let times = 0; times < 2; times += 1) {
      const alerts = await alertsOf(store);
      expect(
        alerts.filter(({ severity }) => severity === 'loss').map(({ remedy }) => remedy?.command),
      ).toEqual(alerts.filter(({ severity }) => severity === 'loss').map(() => 'explain'));
      expect(await store.sql.query('select reason from rejects')).toEqual([{ reason: 'missing_id' }]);
      await replayLog(store, { which: 'all' });
    }
    const [broken] = await store.sql.query(`select id from webhook_log where status = 'failed'`);
    const subject = `log:${String(broken?.['id'])}`;
    expect((await ask(store, subject)).remedies).toMatchObject([
      { do: 'replay_export' },
      { do: 'discard', subject },
    ]);
  });
});
