import { expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { select } from '../support/shown.js';
import { ANA, FIRST, item, SECOND } from '../support/webhooks.js';

const [W1, W2] = ['900000000000001', '900000000000002'];

/** A message on the first number, of the WABA and with the number that are given; null leaves them out. */
function said(
  key: string,
  at: number,
  {
    waba = W1,
    number = FIRST.number,
    from = ANA,
  }: { waba?: string; number?: string | null; from?: string } = {},
): JsonObject {
  const metadata = {
    phone_number_id: FIRST.id,
    ...(number === null ? {} : { display_phone_number: number }),
  };
  const value = { messaging_product: 'whatsapp', metadata, messages: [item(key, at, { from })] };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: waba, changes: [{ field: 'messages', value }] }],
  };
}

/** The business declined to share its history; the entry names nothing but the WABA. */
function declined(waba: string): JsonObject {
  const error = { code: 2593109, title: 'declined', message: 'declined' };
  const value = { messaging_product: 'whatsapp', history: [{ errors: [error] }] };
  return {
    object: 'whatsapp_business_account',
    entry: [{ id: waba, changes: [{ field: 'history', value }] }],
  };
}

async function connections(store: Store): Promise<unknown> {
  return select(
    store,
    `select name, waba_id, display_phone_number as number, history_sync_status as history from connections order by name`,
  );
}

const CALLED = `+${FIRST.number}`;

describeOnServer('a connection that entries name differently', (backend) => {
  it('H1: 0 is no WABA, whichever entry comes first', async () => {
    const store = await expectOneDatabase(backend, [
      said('A1', 0, { waba: '0' }),
      said('A2', 5),
      declined(W1),
    ]);
    expect(await connections(store)).toEqual([
      { name: CALLED, waba_id: W1, number: CALLED, history: 'declined' },
    ]);
  });

  it('H1: has every WABA that entries name it by, and shows the greatest', async () => {
    const log = [said('A1', 0), said('A2', 5, { waba: W2 }), declined(W2)];
    for (const last of [declined(W1), said('A3', 6)]) {
      const store = await expectOneDatabase(backend, [...log, last]);
      expect(await connections(store)).toEqual([
        { name: CALLED, waba_id: W2, number: CALLED, history: 'declined' },
      ]);
      expect((await runCheck(store, 'raw_log')).result.status).toBe('ok');
    }
  });

  it('I4: has every number that entries name it by, and none of them is a lead', async () => {
    const store = await expectOneDatabase(backend, [
      said('A1', 0),
      said('A2', 10, { number: SECOND.number }),
      said('X1', 12, { number: null, from: SECOND.number }),
      said('X2', 13, { number: null, from: FIRST.number }),
    ]);
    const shown = `+${[FIRST.number, SECOND.number].sort().at(-1) ?? ''}`;
    expect(await connections(store)).toMatchObject([{ name: shown, number: shown }]);
    expect(await select(store, 'select phone_number as phone from leads')).toEqual([{ phone: `+${ANA}` }]);
    expect(await select(store, 'select count(*)::int as tickets from tickets')).toEqual([{ tickets: 1 }]);
    expect((await runCheck(store, 'raw_log')).result.status).toBe('ok');
  });

  it('keeps what a person has entered, and learns nothing beside it', async () => {
    const store = await backend.open();
    const log = [said('A1', 0), said('A2', 5, { waba: W2, number: SECOND.number })];
    await replayBodies(store, log);
    const [{ name } = { name: CALLED }] = await select(store, 'select name from connections');
    await editConnection(testContext(store), String(name), {
      wabaId: '900000000000009',
      phone: '+5511900000055',
    });
    await replayBodies(store, log);
    expect(await connections(store)).toMatchObject([
      { waba_id: '900000000000009', number: '+5511900000055' },
    ]);
  });
});
