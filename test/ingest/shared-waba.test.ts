import { expect, it } from 'vitest';
import { addConnection as addByHand, editConnection } from '../../src/commands/connections/save.js';
import { report } from '../../src/commands/report/report.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { select } from '../support/shown.js';
import { echo, FIRST, item, live, SECOND, T0 } from '../support/webhooks.js';

const WABA = '900000000000001';

/** A message that names only the WABA. */
function unnumbered(key: string, at: number): JsonObject {
  const value = { messaging_product: 'whatsapp', messages: [item(key, at)] };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: WABA, changes: [{ field: 'messages', value }] }],
  };
}

/** Which message stands at which number. */
async function filed(store: Store): Promise<string[]> {
  const found = await select(
    store,
    `select c.phone_number_id || ' ' || m.body as line from messages m
     join connections c on c.id = m.connection_id order by 1`,
  );
  return found.map(({ line }) => String(line));
}

const AT_FIRST = `${FIRST.id} A1`;
const AT_SECOND = `${SECOND.id} A2`;

describeOnBackends('entries that name only a WABA', (backend) => {
  it('H1: belong to its only number, and to nobody for certain once it has two', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), unnumbered('M', 5)]);
    expect(await filed(store)).toEqual([AT_FIRST, `${FIRST.id} M`]);
    expect((await runCheck(store, 'raw_log')).result.status).toBe('ok');

    await replayBodies(store, [live('A2', 10, {}, SECOND)]);
    expect(await filed(store)).toEqual([AT_FIRST, AT_SECOND]);

    const checked = await runCheck(store, 'raw_log');
    expect(checked.result).toMatchObject({
      status: 'findings',
      severity: 'degraded',
      remedy: 'wa-reconcile replay --connection NAME',
    });
    expect(faults(checked)).toEqual([
      expect.stringContaining('unknown connection (it names none), 1 message item'),
    ]);
    const { alerts } = await report(testContext(store, { clock: () => (T0 + 60) * 1000 }), reportOptions());
    expect(alerts.find(({ kind }) => kind === 'entries_pending')).toMatchObject({
      count: 1,
      message: '1 entry is pending: it names no connection, so say which one it belongs to.',
      remedy: {
        command: 'replay',
        args: ['--connection', 'NAME'],
        why: `imports the entries that name none as those of NAME: +${FIRST.number} or +${SECOND.number}`,
      },
    });
  });

  backend.once('H1: go to the connection that a person names, and stay there', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), unnumbered('M', 5), live('A2', 10, {}, SECOND)]);
    const name = `+${SECOND.number}`;
    const told = await replayLog(store, { which: 'pending' }, { connection: name });
    expect(told.entries).toMatchObject({ processed: 1 });
    const settled = [AT_FIRST, AT_SECOND, `${SECOND.id} M`];
    expect(await filed(store)).toEqual(settled);
    await replayLog(store, { which: 'all' });
    await replayBodies(store, [live('A3', 20, {}, { id: '800000000000003', number: '5511900000098' })]);
    expect(await filed(store)).toEqual([...settled, '800000000000003 A3']);
    expect((await runCheck(store, 'raw_log')).result.status).toBe('ok');
  });

  it('H1: are taken back when a person enters the second number', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), unnumbered('M', 5)]);
    const ctx = testContext(store);
    await addByHand(ctx, {
      organization: 'default',
      name: 'filial',
      kind: 'cloud_api',
      phone: `+${SECOND.number}`,
    });
    await replayLog(store, { which: 'pending' });
    expect(await filed(store)).toEqual([AT_FIRST, `${FIRST.id} M`]);

    await editConnection(ctx, 'filial', { wabaId: WABA });
    await replayLog(store, { which: 'pending' });
    expect(await filed(store)).toEqual([AT_FIRST]);
    await replayLog(store, { which: 'pending' });
    expect(await filed(store)).toEqual([AT_FIRST]);
  });

  backend.once('H1: leave what other programs wrote into the same conversation', async () => {
    const store = await backend.open();
    await replayBodies(store, [unnumbered('M', 5), live('A1', 0), echo('B1', 7)]);
    await store.sql.execute(
      `insert into messages
       select (jsonb_populate_record(m, jsonb_build_object(
         'id', gen_random_uuid(), 'external_id', 'foreign', 'body', 'theirs', 'batch_id', null
       ))).*
       from messages m where body = 'M'`,
    );
    await replayBodies(store, [live('A2', 10, {}, SECOND)]);
    expect(await filed(store)).toEqual([AT_FIRST, `${FIRST.id} B1`, `${FIRST.id} theirs`, AT_SECOND]);
  });

  it('H1: of another WABA than the one of --connection wait', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    const foreign = JSON.parse(JSON.stringify(unnumbered('M', 5)).replace(WABA, '900000000000777')) as object;
    const result = await replayBodies(store, [foreign], { connection: `+${FIRST.number}` });
    expect(result.entries).toMatchObject({ pending: 1 });
    expect(await filed(store)).toEqual([AT_FIRST]);
  });
});
