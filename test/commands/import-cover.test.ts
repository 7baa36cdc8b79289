import { expect, test, it } from 'vitest';
import { acknowledgeAlerts } from '../../src/commands/alerts/alerts.js';
import { importList } from '../../src/commands/import/import-list.js';
import { report } from '../../src/commands/report/report.js';
import type { Alert } from '../../src/audit/alert.js';
import { listRuns, showRun } from '../../src/commands/runs/runs.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { archived } from '../support/fake-whatsapp/archive.js';
import { type FakePhones, fakePhones, phoneWith } from '../support/history-pages.js';
import { type Asked, importOf, linkDevice, USUAL } from '../support/importing.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { ANA, BRU, live, T0 } from '../support/webhooks.js';

/** No process has this id. */
const DEAD = 2 ** 22 + 1;

const CHATS = [ANA, BRU].map((person) => {
  const chat = `${person}@s.whatsapp.net`;
  const old = Array.from({ length: 60 }, (_, n) =>
    archived({ chat, id: `${person}-${n}`, at: T0 - 6_000 + n * 100 }),
  );
  return { id: chat, messages: [...old, archived({ chat, id: `hello${person}`, at: T0 })] };
});
const PHONE = phoneWith(...CHATS);

/** Two customers who wrote once by webhook; the phone has 60 messages more of each. */
async function shop(store: Store): Promise<void> {
  await addConnection(store, { number: '+5511900000000', phoneNumberId: '800000000000001' });
  await linkDevice(store);
  await replayBodies(
    store,
    [ANA, BRU].map((from) => live(`hello${from}`, 0, { from })),
    { register: false },
  );
}

/** What a kill leaves of the runs that a test made fail, a minute ago. */
async function kill(store: Store): Promise<void> {
  await store.sql.execute(
    `update sync_runs set status = 'running', pid = $1::int, started_at = started_at - interval '1 minute',
       counters = null, verdict = null, error = null, completed_at = null where status = 'failed'`,
    [DEAD],
  );
  await store.sql.execute(
    `update sync_logs set status = 'running', counters = counters - 'outcome', error_message = null, completed_at = null
     where status = 'failed'`,
  );
}

/** An import that is killed when it has asked the phone. */
async function dies(store: Store, asked: Asked = {}): Promise<void> {
  const killed = importOf(
    store,
    fakePhones(() => Promise.reject(new Error('killed'))),
    asked,
  );
  await expect(killed).rejects.toThrow('killed');
  await kill(store);
}

/** An import that is killed while it searches the raw log. */
async function diesEarly(store: Store, asked: Asked = {}): Promise<void> {
  const onEvent: Asked['onEvent'] = (event) => {
    if (event.event === 'import' && event.step === 'cache') throw new Error('killed');
  };
  await expect(importOf(store, fakePhones(PHONE), { ...asked, onEvent })).rejects.toThrow('killed');
  await kill(store);
}

async function died(store: Store): Promise<Alert[]> {
  const { alerts } = await report(testContext(store), reportOptions());
  return alerts.filter(({ kind, acknowledged }) => kind === 'run_died' && acknowledged === null);
}

const later = (store: Store, asked: Asked = {}, phones: FakePhones = fakePhones(PHONE)) =>
  importOf(store, phones, { force: true, ...asked });

describeOnServer('an import that died', (backend) => {
  it('is not made up for by one of another contact, and is by one of the same, however it was typed', async () => {
    const store = await backend.open();
    await shop(store);
    await dies(store);
    expect(await died(store)).toHaveLength(1);
    await later(store, { contact: BRU });
    expect(await died(store)).toHaveLength(1);
    await later(store, { contact: `+55 11 90000-0001` });
    expect(await died(store)).toEqual([]);
  });

  const repeated: [what: string, first: Asked, second: Asked, left: number][] = [
    ['waits that change nothing', {}, { timeoutMs: 3_000, pagePauseMs: 5 }, 0],
    ['more messages', { count: 20 }, { count: 30 }, 0],
    ['as many on more pages', { count: 20 }, { count: 10, pages: 2 }, 0],
    ['fewer messages', { count: 20 }, { count: 10 }, 1],
    ['fewer messages, to the end of the history', { count: 200 }, { count: 100 }, 0],
    ['only the raw log', { count: 20 }, { phase: 'cache' }, 1],
    ['only the phone', { count: 20 }, { count: 20, phase: 'fetch' }, 0],
    ['back to a later day', { until: (T0 - 4_000) * 1000, pages: 100, count: 10 }, { count: 10 }, 1],
    ['back beyond that day', { until: (T0 - 1_000) * 1000, pages: 100 }, { count: 30 }, 0],
  ];
  // What covers what is decided by the two runs' records, which both store alike.
  test.each(repeated)('and then one with %s', async (_what, first, second, left) => {
    const store = await backend.open();
    await shop(store);
    await dies(store, first);
    await later(store, second);
    expect(await died(store)).toHaveLength(left);
  });

  test('is not made up for by one that fails, nor by one over another connection', async () => {
    const store = await backend.open();
    await shop(store);
    await dies(store);
    await later(
      store,
      {},
      fakePhones(() => 'silence'),
    );
    expect(await died(store)).toHaveLength(1);
    await addConnection(store, { name: 'praia', number: '+5511900000099', phoneNumberId: '800000000000002' });
    await linkDevice(store, 'praia');
    await replayBodies(store, [live('there', 5, {}, { id: '800000000000002', number: '5511900000099' })]);
    await store.sql.execute(`update sync_logs set counters = counters - 'oldestAt'`);
    await later(store, { connection: 'praia' });
    expect(await died(store)).toHaveLength(1);
    await later(store, { connection: 'loja' });
    expect(await died(store)).toEqual([]);
  });

  test('is made up for by a list with the contact in it, also where it is merged with another lead', async () => {
    const store = await backend.open();
    await shop(store);
    await dies(store);
    const lid = '111000000000001@lid';
    const list = (contacts: readonly string[]) =>
      importList(
        testContext(store),
        {
          ...USUAL,
          force: true,
          contacts: contacts.map((contact, index) => ({ line: index + 1, contact })),
          listBatch: 10,
          listPauseMs: 0,
          resume: true,
        },
        fakePhones(PHONE),
      );
    await list([BRU]);
    expect(await died(store)).toHaveLength(1);
    await store.sql.execute(
      `insert into lead_identities (organization_id, kind, value, person_id, lead_id)
       select organization_id, 'lid', $1, person_id, lead_id from lead_identities where value = $2 limit 1`,
      [lid, `+${ANA}`],
    );
    await list([BRU, lid]);
    expect(await died(store)).toEqual([]);
  });

  test('advises a command that finishes its work, with the lead in place of the number', async () => {
    const store = await backend.open();
    await shop(store);
    const until = (T0 - 5_000) * 1000;
    await dies(store, {
      count: 20,
      pages: 100,
      until,
      recordedOptions: { count: 20, since: '2d', tz: 'UTC' },
    });
    const [alert] = await died(store);
    const [contact = '', ...flags] = alert?.remedy?.args ?? [];
    expect(contact).toMatch(/^[0-9a-f-]{36}$/);
    expect(flags.join(' ')).toBe(
      `--count 20 --since ${new Date(until).toISOString()} --connection loja --phase fetch --force`,
    );
    const { runs } = await listRuns(testContext(store), { command: 'import', limit: 1 });
    const shown = await showRun(testContext(store), runs[0]?.id ?? '');
    expect(shown.remedies).toMatchObject([{ command: 'import', args: alert?.remedy?.args }]);
    expect(JSON.stringify([alert, shown])).not.toContain(ANA);
    await later(store, { contact, connection: 'loja', phase: 'fetch', count: 20, pages: 100, until });
    expect(await died(store)).toEqual([]);
  });

  it('before it got to the phone is repeated as it was', async () => {
    const store = await backend.open();
    await shop(store);
    await diesEarly(store, { recordedOptions: { timeout: 3_000 } });
    const [alert] = await died(store);
    expect(alert?.remedy?.args.slice(1)).toEqual(['--timeout', '3s']);
    await later(store);
    expect(await died(store)).toEqual([]);
  });

  test.each(['import', 'another import', 'replay', 'reconcile'])(
    'of a contact that was no lead yet, and then %s',
    async (how) => {
      const store = await backend.open();
      await shop(store);
      const car = '5531900000003';
      // Waits in the raw log, as its connection was not known.
      await store.sql.execute(`update connections set phone_number_id = 'x', numbers = '{}'`);
      await replayBodies(store, [live('car', 0, { from: car })], { register: false });
      await store.sql.execute(`update connections set phone_number_id = '800000000000001'`);
      await diesEarly(store, { contact: car });
      const [alert] = await died(store);
      expect(alert?.remedy).toMatchObject({ command: 'replay', args: ['--failed'] });
      const [row] = await store.sql.query(`select work from sync_runs where status = 'running'`);
      expect(String(row?.['work'])).not.toContain(car);
      if (how === 'import') await later(store, { contact: `${car}@s.whatsapp.net` });
      if (how === 'another import') await later(store, { contact: BRU });
      if (how === 'replay') await replayLog(store, { which: 'failed' });
      if (how === 'reconcile') await night(store, { apply: true });
      expect(await died(store)).toHaveLength(how === 'another import' ? 1 : 0);
    },
  );

  test('in an earlier version, unknown for whom, ends with an acknowledgement and with nothing else', async () => {
    const store = await backend.open();
    await shop(store);
    await dies(store);
    await store.sql.execute('delete from sync_logs');
    await store.sql.execute(`update sync_runs set options = '{}', work = null where status = 'running'`);
    await later(store);
    const [alert] = await died(store);
    expect(alert?.message).toContain('whom it was for is not on record');
    expect(alert?.remedy).toMatchObject({ command: 'alerts ack', args: [alert?.id] });
    await acknowledgeAlerts(testContext(store), { ...reportOptions(), alert: alert?.id ?? '' });
    expect(await died(store)).toEqual([]);
  });

  test('in an earlier version after it had asked the phone is known by its log', async () => {
    const store = await backend.open();
    await shop(store);
    await dies(store);
    await store.sql.execute(`update sync_logs set counters = null`);
    await store.sql.execute(`update sync_runs set options = '{"count":20}' where status = 'running'`);
    await later(store, { contact: BRU });
    await later(store, { count: 10 });
    expect((await died(store)).map(({ remedy }) => remedy?.args.slice(1))).toEqual([
      ['--count', '20', '--connection', 'loja', '--phase', 'fetch', '--force'],
    ]);
    await later(store, { count: 20 });
    expect(await died(store)).toEqual([]);
  });

  it('of which only the arguments were wrong is no run: nothing of it is left undone', async () => {
    const store = await backend.open();
    await shop(store);
    for (const contact of ['CONTACT', '120363000000000000@g.us', '01a22951-4f0c-7701-ba58-a17d15e81056'])
      await expect(importOf(store, fakePhones(PHONE), { contact })).rejects.toMatchObject({ exitCode: 2 });
    const { runs } = await listRuns(testContext(store), { command: 'import', limit: 5 });
    expect(runs).toEqual([]);
  });
});
