import { expect, it } from 'vitest';
import { readOnboarding } from '../../src/commands/graph/onboarding.js';
import { report } from '../../src/commands/report/report.js';
import type { Store } from '../../src/store/store.js';
import { readConnectionRecords } from '../../src/store/tables/connections.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { BUSINESS, FIRST, live, SECOND, SECOND_BUSINESS, T0 } from '../support/webhooks.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = T0 * 1000;
const WABA = '102290129340398';

/** What Meta says about an account or a number, and how many ms after T0 it arrived. */
type Told = readonly [after: number, event: string, parts?: object];

async function receive(store: Store, told: readonly Told[]): Promise<void> {
  const entries = told.map(([after, event, parts = { phone_number: BUSINESS }]) => ({
    payload: {
      object: 'whatsapp_business_account',
      // Two equal bodies would be one entry.
      entry: [
        {
          id: '9',
          time: T0 + after / 1000,
          changes: [{ field: 'account_update', value: { event, ...parts } }],
        },
      ],
    },
    created_at: new Date(START + after).toISOString(),
  }));
  await replayBodies(store, entries, { clock: () => START });
}

/** What each command says of when the number 'loja' was connected, and whether its history is late. */
async function answers(store: Store, after: number) {
  const ctx = testContext(store, { clock: () => START + after });
  const { connections, alerts } = await report(ctx, reportOptions({ audit: false }));
  const own = connections.find(({ name }) => name === 'loja');
  const raised = alerts.find(({ kind, connection }) => kind === 'no_history' && connection === 'loja');
  const checked = await runCheck(store, 'history_ledger', { connection: 'loja', now: START + after });
  const record = (await readConnectionRecords(store.sql)).find(({ name }) => name === 'loja');
  if (record === undefined) throw new Error('no connection');
  const onboarding = await readOnboarding(ctx, record);
  return {
    report: own?.onboardedBy === 'webhook' ? Date.parse(own.onboardedAt ?? '') - START : null,
    request: onboarding.at === null ? null : onboarding.at - START,
    alert: raised?.message ?? null,
    isLate: checked.result.status === 'findings',
  };
}

async function addSecond(store: Store): Promise<void> {
  await addConnection(store, { name: 'two', number: `+${SECOND_BUSINESS}` });
}

const CASES: readonly {
  title: string;
  events: readonly Told[];
  recorded?: number;
  numbers?: 1 | 2;
  at: number | null;
}[] = [
  { title: 'an event, before any command has recorded it', events: [[0, 'PARTNER_ADDED']], at: 0 },
  {
    title: 'the newer of two onboardings, in whatever order they come',
    events: [
      [5 * DAY, 'ACCOUNT_RECONNECTED'],
      [0, 'PARTNER_ADDED'],
    ],
    at: 5 * DAY,
  },
  {
    title: 'an event that is newer than what is on record',
    events: [[5 * DAY, 'ACCOUNT_RECONNECTED']],
    recorded: DAY,
    at: 5 * DAY,
  },
  {
    title: 'what is on record, where that is newer',
    events: [[0, 'PARTNER_ADDED']],
    recorded: 2 * DAY,
    at: 2 * DAY,
  },
  {
    title: 'the last connection, after a removal',
    events: [
      [0, 'PARTNER_ADDED'],
      [HOUR, 'PARTNER_REMOVED'],
    ],
    at: 0,
  },
  {
    title: 'nothing of another number',
    events: [[0, 'PARTNER_ADDED', { phone_number: SECOND_BUSINESS }]],
    numbers: 2,
    at: null,
  },
  {
    title: 'an event about the account of the only number',
    events: [[0, 'PARTNER_ADDED', { waba_info: { waba_id: WABA } }]],
    at: 0,
  },
  {
    title: 'nothing about an account that has a second number',
    events: [[0, 'PARTNER_ADDED', { waba_info: { waba_id: WABA } }]],
    numbers: 2,
    at: null,
  },
];

describeOnBackends('the onboarding is counted by report, verify and the request alike', (backend) => {
  it.each(CASES)('from $title', async ({ events, recorded, numbers, at }) => {
    const store = await backend.open();
    await addConnection(store);
    if (numbers === 2) await addSecond(store);
    await store.sql.execute(
      `update connections set waba_id = $1, waba_ids = array[$1], created_at = $2::timestamptz`,
      [WABA, new Date(START - DAY)],
    );
    if (recorded !== undefined) {
      await store.sql.execute(`update connections set webhook_activated_at = $1::timestamptz`, [
        new Date(START + recorded),
      ]);
    }
    await receive(store, events);
    const soon = await answers(store, (at ?? 0) + 3 * HOUR);
    expect(soon).toMatchObject({ report: at, request: at, isLate: false });
    const late = await answers(store, (at ?? 0) + 2 * DAY);
    expect(late).toMatchObject({ report: at, request: at, isLate: at !== null });
  });

  backend.once('in the advice: the hours that are left, and none after a removal', async () => {
    const store = await backend.open();
    await addConnection(store);
    await receive(store, [[0, 'PARTNER_ADDED']]);
    expect((await answers(store, 3 * HOUR)).alert).toContain(
      'It can be requested from Meta until 2025-09-17 05:20',
    );
    await receive(store, [[4 * HOUR, 'PARTNER_REMOVED']]);
    const removed = await answers(store, 5 * HOUR);
    expect(removed.alert).toBe('No history came in the 5 hours since the number was connected.');
  });

  it('without the requests of an earlier onboarding', async () => {
    const store = await backend.open();
    await addConnection(store);
    await receive(store, [[0, 'PARTNER_ADDED']]);
    await store.sql.execute(
      `insert into history_requests (connection_id, sync_type, onboarded_at, requested_at, deadline, outcome, request_id,
         requested_by, host)
       select id, 'history', $1::timestamptz, $1::timestamptz, $1::timestamptz, 'accepted', 'req-7', 'ana', 'crm-1'
       from connections`,
      [new Date(START)],
    );
    expect((await answers(store, 3 * HOUR)).alert).toContain('History was requested 3 hours ago');
    await receive(store, [[5 * DAY, 'ACCOUNT_RECONNECTED']]);
    const anew = await answers(store, 5 * DAY + 3 * HOUR);
    expect(anew.alert).toContain('It can be requested from Meta until');
  });

  backend.once('not from an event that Meta did not sign', async () => {
    const store = await backend.open();
    await addConnection(store);
    await receive(store, [[0, 'PARTNER_ADDED']]);
    await store.sql.execute(`update webhook_log set status = 'failed', error = 'bad_signature'`);
    expect(await answers(store, 3 * HOUR)).toMatchObject({ report: null, request: null });
  });

  backend.once('beside messages of both numbers', async () => {
    const store = await backend.open();
    await receive(store, [[0, 'PARTNER_ADDED', { phone_number: SECOND_BUSINESS }]]);
    await replayBodies(store, [live('A', 0, {}, FIRST), live('B', 0, {}, SECOND)]);
    await store.sql.execute(
      `update connections set name = 'loja' where display_phone_number like '%' || $1`,
      [SECOND_BUSINESS],
    );
    expect(await answers(store, HOUR)).toMatchObject({ report: 0, request: 0 });
  });
});
