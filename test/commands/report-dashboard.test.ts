import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import { remedy } from '../../src/model/remedy.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { ANA, live, SECOND, T0 } from '../support/webhooks.js';

const HOUR = 3_600_000;

describeOnServer('what the page of a report shows besides', (backend) => {
  const at = (store: Awaited<ReturnType<typeof backend.open>>, parts = {}) =>
    report(
      testContext(store, { clock: () => T0 * 1000 + HOUR }),
      reportOptions({ timeZone: 'UTC', ...parts }),
    );

  it('is the traffic by the hour, where it was asked for, and of the last 24 hours always', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60)]);
    const [connection] = (await at(store, { hours: true })).connections;
    const { hours = [] } = connection ?? {};
    const counts = hours.flatMap(({ day, hours: all }) =>
      all.flatMap((count, hour) => (count > 0 ? [[`${day}T${String(hour).padStart(2, '0')}`, count]] : [])),
    );
    expect(counts).toEqual([[new Date(T0 * 1000).toISOString().slice(0, 13), 2]]);
    expect(connection?.lastDay).toEqual({ messages: 2, usual: null });
    const [without] = (await at(store)).connections;
    expect(without).not.toHaveProperty('hours');
    expect(without?.lastDay).toEqual({ messages: 2, usual: null });
  });

  it('is whose messages are lost, with what tells what became of them', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60)]);
    await store.sql.execute(`delete from messages where body = 'A'`);
    const result = await at(store);
    expect(result.contactsAtRisk).toEqual([
      {
        connection: result.connections[0]?.name,
        contact: `+${ANA}`,
        lost: 1,
        pending: 0,
        since: new Date(T0 * 1000).toISOString(),
        remedy: remedy('explain', [`+${ANA}`], 'shows what became of each message'),
      },
    ]);
    expect(result.connections[0]).toMatchObject({ severity: 'loss', counts: { lost: 1 } });
  });

  it('is whose entries have been pending for more than a day', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [live('A', 0, {}, SECOND)], { register: false });
    await store.sql.execute(`update webhook_log set created_at = '2025-09-01'`);
    const { contactsAtRisk, contactsAtRiskTotal } = await at(store);
    expect(contactsAtRiskTotal).toBe(1);
    expect(contactsAtRisk[0]).toMatchObject({ connection: null, lost: 0, pending: 1 });
  });

  it('is what the last runs did, the newest last, without the steps of others', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0)]);
    await replayBodies(store, [live('B', 60), live('C', 90)]);
    await store.sql.execute(
      `insert into sync_runs (id, command, options, status, counters, host, pid, started_at, completed_at, parent_run_id)
       values ('0199a000-0000-7000-8000-000000000001', 'reconcile', '{}', 'partial',
         '{"created": 2, "restored": 3, "lost": 4, "doubled": 1, "merged": 5}', 'h', 1, '2300-01-01', '2300-01-01 00:00:07', null),
        ('0199a000-0000-7000-8000-000000000002', 'replay', '{}', 'completed', '{}', 'h', 1, '2300-01-02', null,
         '0199a000-0000-7000-8000-000000000001')`,
    );
    const { trend, runCounts } = await at(store);
    expect(
      trend.map(({ command, messages, lost, duplicates }) => [command, messages, lost, duplicates]),
    ).toEqual([
      ['replay', 1, null, null],
      ['replay', 2, null, null],
      ['reconcile', 5, 4, 6],
    ]);
    expect(trend.at(-1)?.durationMs).toBe(7000);
    expect(runCounts.map(({ command, status, runs }) => [command, status, runs])).toEqual([
      ['reconcile', 'partial', 1],
      ['replay', 'completed', 3],
    ]);
  });
});
