import { expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import { report } from '../../src/commands/report/report.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { leads, select, tickets, value } from '../support/shown.js';
import { ANA, BUSINESS, FIRST, item, live, seconds, SECOND, wamid } from '../support/webhooks.js';

const WABA = '900000000000001';

/** A webhook whose metadata, and whose WABA, are what `named` says. */
function body(
  field: string,
  value: JsonObject,
  named: { id?: string; number?: string; waba?: string } = {},
): JsonObject {
  const metadata = {
    ...(named.id === undefined ? {} : { phone_number_id: named.id }),
    ...(named.number === undefined ? {} : { display_phone_number: named.number }),
  };
  const content = { ...value, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) };
  return {
    object: 'whatsapp_business_account',
    entry: [
      { ...(named.waba === undefined ? {} : { id: named.waba }), changes: [{ field, value: content }] },
    ],
  };
}

/** A message whose webhook does not say which number the connection has. */
const numberless = (key: string, at: number, parts: JsonObject = {}): JsonObject =>
  body('messages', { messages: [item(key, at, parts)] }, { id: FIRST.id });

const declined = (named: { waba?: string } = { waba: WABA }): JsonObject =>
  body(
    'history',
    { history: [{ errors: [{ code: 2_593_109, title: 'History sync is turned off' }] }] },
    named,
  );

const naming = (key: string, at: number): JsonObject =>
  body('messages', { messages: [item(key, at)] }, { id: FIRST.id, number: FIRST.number, waba: WABA });

async function connections(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select name, phone_number_id as id, waba_id as waba, display_phone_number as number,
       history_sync_status as history from connections order by name`,
  );
}

const WAYS: [string, ((store: Store) => Promise<void>) | undefined, string][] = [
  ['registered by the log', undefined, '+5511900000000'],
  ['entered by its number', (store) => addConnection(store), 'loja'],
  ['entered by its phone_number_id', (store) => addById(store, 'loja'), 'loja'],
  ['called by its phone_number_id', (store) => addById(store, FIRST.id), '+5511900000000'],
];

async function addById(store: Store, name: string): Promise<void> {
  await store.sql.execute(
    `insert into connections (id, organization_id, name, kind, phone_number_id, history_sync_status)
     select gen_random_uuid(), id, $1, 'coexistence', $2, 'pending_consent' from organizations where slug = 'default'`,
    [name, FIRST.id],
  );
}

describeOnServer('what entries say about a connection holds for all of them, in any order', (backend) => {
  it.each(WAYS)('H1: number, WABA and name of a connection %s', async (_title, prepare, name) => {
    const store = await expectOneDatabase(
      backend,
      [
        numberless('A1', 0),
        body('messages', { messages: [item('A2', 5)] }, { id: FIRST.id, waba: WABA }),
        body('messages', { messages: [item('A3', 9)] }, { id: FIRST.id, number: '+55 11 90000-0000' }),
        declined(),
      ],
      prepare === undefined ? {} : { prepare },
    );
    expect(await connections(store)).toEqual([
      { name, id: FIRST.id, waba: WABA, number: '+5511900000000', history: 'declined' },
    ]);
    expect(await value(store, `select count(*)::int from webhook_log where status = 'pending'`)).toBe(0);
    expect(await value(store, 'select count(*)::int from messages')).toBe(3);
  });

  it('H1: an entry that waits for its WABA is filed by the same run, and the run is complete', async () => {
    const store = await backend.open();
    const result = await replayBodies(store, [declined(), naming('A1', 0)], { batchSize: 1 });
    expect(result).toMatchObject({ status: 'completed', problems: [], problemCount: 0 });
    expect(result.entries).toMatchObject({ read: 2, stored: 1, duplicate: 1, processed: 2, pending: 0 });
    expect(await value(store, 'select history_sync_status from connections')).toBe('declined');
  });

  it('H1: however often the same entry stands in the log, its copies are counted once each', async () => {
    const store = await backend.open();
    const log = [declined(), declined(), naming('A1', 0), numberless('A2', 3), declined()];
    const result = await replayBodies(store, log, { batchSize: 1 });
    expect(result).toMatchObject({ status: 'completed', problems: [], problemCount: 0 });
    expect(result.entries).toMatchObject({ read: 5, processed: 5, pending: 0 });
  });

  it('H1: or by the next run, whatever that is about', async () => {
    const store = await backend.open();
    expect((await replayBodies(store, [declined()])).status).toBe('partial');
    await replayBodies(store, [naming('A1', 0)]);
    expect(await value(store, 'select history_sync_status from connections')).toBe('declined');
    expect(await value(store, `select count(*)::int from webhook_log where status = 'pending'`)).toBe(0);
  });

  it('H1: an entry of another account goes on waiting, named as it was', async () => {
    const store = await backend.open();
    const other = declined({ waba: '77' });
    const result = await replayBodies(store, [other, naming('A1', 0), numberless('A2', 3)], { batchSize: 1 });
    expect(result.entries).toMatchObject({ read: 3, pending: 1 });
    expect(result.problems).toMatchObject([{ origin: 'stdin:1', reason: 'unknown_connection' }]);
    expect(result.problemCount).toBe(1);
  });

  it('H1: an id without a number is not registered beside a connection that may be its', async () => {
    const store = await backend.open();
    await addConnection(store);
    const result = await replayBodies(store, [numberless('A1', 0)]);
    expect(result.problems).toMatchObject([{ reason: 'unknown_connection' }]);
    await replayBodies(store, [naming('A2', 5)]);
    expect(await value(store, 'select count(*)::int from connections')).toBe(1);
    expect(await value(store, 'select count(*)::int from messages')).toBe(2);
  });

  it('H1: what a connection is known by stays, whatever an entry says', async () => {
    const store = await backend.open();
    await addConnection(store, { number: '+5511955555555', phoneNumberId: FIRST.id });
    await replayBodies(store, [naming('A1', 0)]);
    expect(await connections(store)).toMatchObject([{ number: '+5511955555555', waba: WABA }]);
  });

  it('H3: the removal of a number is an alert, also when number and account became known later', async () => {
    const removed = body(
      'account_update',
      { event: 'PARTNER_REMOVED', phone_number: BUSINESS },
      { waba: '1' },
    );
    const ended = body('account_update', { event: 'ACCOUNT_OFFBOARDED' }, { waba: WABA });
    for (const event of [removed, ended]) {
      for (const log of [
        [event, numberless('A1', 0), naming('A2', 5)],
        [naming('A2', 5), event, numberless('A1', 0)],
        [numberless('A1', 0), naming('A2', 5), event],
      ]) {
        const store = await backend.open();
        await replayBodies(store, log, { batchSize: 1 });
        const { alerts } = await report(testContext(store), reportOptions());
        expect(alerts.map(({ kind }) => kind)).toContain('partner_removed');
        await store.close();
      }
    }
  });
});

describeOnServer('I4: the own number is no lead, also when it became known later', (backend) => {
  const self = numberless('S1', 0, { from: BUSINESS, id: wamid('S1', BUSINESS) });
  const picture = { profile: { name: 'Loja' }, wa_id: BUSINESS, user_id: 'BR.77777777777777777777' };
  const selfNamed = body(
    'messages',
    { contacts: [picture], messages: [item('S2', 3, { from: BUSINESS, id: wamid('S2', BUSINESS) })] },
    { id: FIRST.id },
  );
  const bookSelf = body(
    'smb_app_state_sync',
    {
      state_sync: [
        {
          type: 'contact',
          action: 'add',
          contact: { full_name: 'Eu', phone_number: BUSINESS },
          metadata: { timestamp: seconds(1) },
        },
      ],
    },
    { id: FIRST.id },
  );

  it.each(WAYS.filter(([title]) => title !== 'entered by its number'))(
    'whatever the order, of a connection %s',
    async (_title, prepare) => {
      const store = await expectOneDatabase(
        backend,
        [self, numberless('A1', 6), naming('A2', 9)],
        prepare === undefined ? {} : { prepare },
      );
      expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
      expect(await tickets(store)).toHaveLength(1);
      expect(await value(store, 'select count(*)::int from messages')).toBe(2);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    },
  );

  it('its contact, its names and its status go with it', async () => {
    const store = await expectOneDatabase(backend, [
      selfNamed,
      bookSelf,
      body(
        'messages',
        { statuses: [{ id: wamid('S2', BUSINESS), status: 'read', timestamp: seconds(9) }] },
        { id: FIRST.id },
      ),
      naming('A2', 9),
    ]);
    expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
    expect(await value(store, `select count(*)::int from lead_identities where value <> '+${ANA}'`)).toBe(0);
  });

  it('a status of a message to itself waits for nothing', async () => {
    const status = {
      id: wamid('S1', BUSINESS),
      status: 'read',
      timestamp: seconds(9),
      recipient_id: BUSINESS,
    };
    for (const others of [[self], []]) {
      const store = await expectOneDatabase(backend, [
        ...others,
        body('messages', { statuses: [status] }, { id: FIRST.id }),
        naming('A2', 9),
      ]);
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    }
  });

  it('the report explains the rows that went, and the journal has them', async () => {
    const store = await backend.open();
    await replayBodies(store, [self, selfNamed, numberless('A1', 6)], { batchSize: 1 });
    expect(await value(store, 'select count(*)::int from leads')).toBe(2);
    const result = await replayBodies(store, [naming('A2', 9)]);
    expect(result.status).toBe('completed');
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);

    const { connections: parts } = await report(testContext(store), reportOptions());
    expect(parts).toMatchObject([
      { accounts: { items: 4, saved: 2, explained: { 'skipped.self_thread': 2 }, unexplained: 0 } },
    ]);
    expect(
      await select(
        store,
        `select table_name as name, count(*)::int as count from change_journal
         where after is null and table_name in ('messages', 'leads', 'conversations', 'tickets') group by 1 order by 1`,
      ),
    ).toEqual([
      { name: 'conversations', count: 1 },
      { name: 'leads', count: 1 },
      { name: 'messages', count: 2 },
      { name: 'tickets', count: 1 },
    ]);
  });

  it('a second run over the same log changes nothing, and takes nothing up again', async () => {
    const store = await backend.open();
    const log = [self, selfNamed, bookSelf, naming('A2', 9)];
    await replayBodies(store, log);
    const before = await normalizedDatabase(store);
    const again = await replayBodies(store, log, { resume: false });
    expect(again.entries).toMatchObject({ read: 4, duplicate: 4 });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('what another program wrote to the number, and a ticket that people opened, stays', async () => {
    const store = await backend.open();
    await replayBodies(store, [self]);
    await store.sql.execute(
      `insert into messages (id, connection_id, external_id, conversation_id, lead_id, direction, type, body, timestamp,
         source, sync_source, is_sync_initial, evidence)
       select gen_random_uuid(), connection_id, 'other', id, lead_id, 'INBOUND', 'text', 'nota', now(),
         'live', 'webhook', false, 0 from conversations`,
    );
    await replayBodies(store, [naming('A2', 9)]);
    expect(await select(store, 'select external_id as id from messages order by timestamp')).toEqual([
      { id: wamid('A2') },
      { id: 'other' },
    ]);
    expect(await value(store, 'select count(*)::int from leads')).toBe(2);
  });

  it('the number of one connection is a contact of another one', async () => {
    const fromFirst = live('B1', 0, { from: BUSINESS, id: wamid('B1', BUSINESS) }, SECOND);
    const store = await expectOneDatabase(backend, [self, fromFirst, naming('A2', 9)]);
    expect(await select(store, 'select external_id as id from messages order by timestamp')).toEqual([
      { id: wamid('B1', BUSINESS) },
      { id: wamid('A2') },
    ]);
    expect(await leads(store)).toHaveLength(2);
  });

  it('a number that a person enters later is taken for what it is by the next run', async () => {
    const store = await backend.open();
    await addById(store, 'loja');
    await replayBodies(store, [self, numberless('A1', 6)]);
    expect(await value(store, 'select count(*)::int from leads')).toBe(2);
    await editConnection(testContext(store), 'loja', { phone: `+${BUSINESS}` });
    await replayLog(store, { which: 'pending' });
    expect(await leads(store)).toMatchObject([{ phone: `+${ANA}` }]);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
  });
});
