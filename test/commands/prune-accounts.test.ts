import fc from 'fast-check';
import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import { connectingOf, readAccountEvents, standingRemoval } from '../../src/rawlog/account-events.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { describeOnBackends } from '../support/databases.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { BUSINESS, echo, FIRST, live, SECOND, SECOND_BUSINESS, T0 } from '../support/webhooks.js';
import { tries } from '../support/seed.js';

interface Told {
  event: string;
  at: number;
  phone?: string | undefined;
  waba: string;
  other?: string | undefined;
}

/** An account event as Meta sends it: without a number's id. */
function told({ event, at, phone, waba, other }: Told): JsonObject {
  const value = {
    event,
    ...(phone === undefined ? {} : { phone_number: phone }),
    ...(other === undefined ? {} : { waba_info: { waba_id: other } }),
  };
  const changes = [{ field: 'account_update', value }];
  return { object: 'whatsapp_business_account', entry: [{ id: waba, time: T0 + at, changes }] };
}

/** The same in a form that names the number's id, as other programs write it. */
function withNumber(body: JsonObject, id = FIRST.id): JsonObject {
  return JSON.parse(
    JSON.stringify(body).replace(
      '"value":{',
      `"value":{"metadata":{"display_phone_number":"${BUSINESS}","phone_number_id":"${id}"},`,
    ),
  ) as JsonObject;
}

const WABAS = ['900000000000001', '900000000000002'];
const event = fc
  .record({
    event: fc.constantFrom(
      'PARTNER_REMOVED',
      'ACCOUNT_OFFBOARDED',
      'PARTNER_ADDED',
      'ACCOUNT_RECONNECTED',
      'DISABLED_UPDATE',
    ),
    at: fc.nat(6),
    phone: fc.constantFrom(BUSINESS, SECOND_BUSINESS, undefined),
    waba: fc.constantFrom(...WABAS),
    other: fc.constantFrom(...WABAS, undefined),
  })
  .chain((one) => fc.constantFrom(told(one), withNumber(told(one))));

/** Connections that there are, and some that somebody may make later. */
const CONNECTIONS = [BUSINESS, SECOND_BUSINESS, '5511900000077', null].flatMap((number, n) =>
  [[], [WABAS[0] ?? ''], WABAS].map((wabaIds, w) => ({
    id: `c${n}${w}`,
    displayPhoneNumber: number,
    wabaId: wabaIds[0] ?? null,
    wabaIds,
    numbers: number === null ? [] : [`+${number}`],
    lastLiveEventAt: null,
  })),
);

async function answersOf(store: Store): Promise<unknown> {
  const events = await readAccountEvents(store.sql);
  return CONNECTIONS.map((one) => [
    one.id,
    standingRemoval(one, events, null),
    connectingOf(one, null, events, [one]),
    connectingOf(one, null, events, CONNECTIONS),
  ]);
}

async function bodiesLeft(store: Store): Promise<number> {
  const rows = await store.sql.query(
    `select id from webhook_log where 'account_update' = any(fields) and body_state is null`,
  );
  return rows.length;
}

describeOnBackends('retention of account events', (backend) => {
  const UNKEPT = { ...EVERYTHING, keepAlerts: false };

  it('leaves all of them, unless it is told to leave only the last words', async () => {
    const store = await backend.open();
    const ban = told({ event: 'DISABLED_UPDATE', at: 5, waba: WABAS[0] ?? '' });
    await replayBodies(store, [
      live('A1', 0),
      echo('A2', 1, {}, SECOND),
      ...['PARTNER_ADDED', 'PARTNER_REMOVED', 'PARTNER_ADDED', 'PARTNER_REMOVED'].map((name, at) =>
        told({ event: name, at, phone: BUSINESS, waba: WABAS[0] ?? '' }),
      ),
      ban,
    ]);
    const before = await report(testContext(store), reportOptions());
    expect(before.alerts.map(({ kind }) => kind)).toContain('partner_removed');
    await pruned(store, EVERYTHING);
    expect(await bodiesLeft(store)).toBe(5);
    const plan = await pruned(store, { ...UNKEPT, apply: false });
    expect(plan).toMatchObject({ entries: { planned: 3, pruned: 0 } });
    expect(await pruned(store, UNKEPT)).toMatchObject({ status: 'completed', entries: { pruned: 3 } });
    expect(await bodiesLeft(store)).toBe(2);
    // What the last words say is said as before; nothing of the rest is lost.
    const after = await report(testContext(store), reportOptions());
    expect(after.alerts.map(({ id, message }) => [id, message])).toEqual(
      before.alerts.map(({ id, message }) => [id, message]),
    );
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    expect((await runCheck(store, 'raw_bodies')).result.summary).toContain('pruned');
    // Once more, there is nothing left to do; a newer word lets the older one go.
    expect(await pruned(store, UNKEPT)).toMatchObject({ entries: { planned: 0 } });
    await replayBodies(store, [
      told({ event: 'PARTNER_REMOVED', at: 9, phone: BUSINESS, waba: WABAS[0] ?? '' }),
    ]);
    expect(await pruned(store, UNKEPT)).toMatchObject({ entries: { planned: 1, pruned: 1 } });
  });

  backend.once(
    'changes no answer about any connection, whatever Meta said, and in whatever order',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(event, { minLength: 1, maxLength: 14 }), async (log) => {
          const store = await backend.open();
          try {
            await replayBodies(store, [live('A1', 0), ...log]);
            const before = await answersOf(store);
            await pruned(store, UNKEPT);
            expect(await answersOf(store)).toEqual(before);
          } finally {
            await store.close();
          }
        }),
        { numRuns: backend.name === 'postgresql' ? tries(30) : 8 },
      );
    },
    120_000,
  );
});
