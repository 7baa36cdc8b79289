import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { MessageFact } from '../../src/model/facts.js';
import { MessageNames } from '../../src/rules/message-names.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, BRU, history, live, old, T0, wamid, webLive } from '../support/webhooks.js';

const LOG = [live('A1', 0), webLive('A1', 1), history([old('A1', 0)], { progress: 100 }), live('A2', 5)];

async function opened(log: readonly unknown[], store: Store): Promise<Store> {
  await addConnection(store, { phoneNumberId: '800000000000001' });
  await replayBodies(store, log);
  return store;
}

/** Ana's or somebody else's message `A1`, received so many seconds after T0. */
function fact(externalId: string, at = 0, direction: MessageFact['direction'] = 'INBOUND'): MessageFact {
  return {
    kind: 'message',
    path: '$',
    origin: 'live',
    externalId,
    stanzaId: 'A1',
    counterpart: { phone: `+${ANA}` },
    direction,
    timestamp: (T0 + at) * 1000,
    grade: 'content',
    type: 'text',
    isSyncInitial: false,
  };
}

it('a message without a row has one name, whatever it is called first', () => {
  const [one, other] = [fact(wamid('A1')), fact('A1', 2)];
  for (const order of [
    [one, other, one],
    [other, one, other],
  ]) {
    const names = new MessageNames();
    expect(new Set(order.map((each) => names.keyOf('c', each))).size).toBe(1);
  }
  const names = new MessageNames();
  const strangers = [one, fact('A1', 3), fact('A1', 0, 'OUTBOUND'), fact(wamid('A1', BRU))];
  expect(new Set(strangers.map((each) => names.keyOf('c', each))).size).toBe(3);
  expect(names.keyOf('another', one)).not.toBe(names.keyOf('c', one));
});

describeOnBackends('a message that came by its wamid and by its key id', (backend) => {
  for (const [order, log] of backend.onServer(
    Object.entries({ 'in order': LOG, backwards: [...LOG].reverse() }),
  )) {
    it(`is one lost message of a log ${order}`, async () => {
      const store = await opened(log, await backend.open());
      const before = await ask(store, `+${ANA}`);
      await store.sql.execute(`delete from messages where body = 'A1'`);
      const { checks, missing } = await verify(testContext(store), {
        checks: new Set(CHECK_NAMES),
        enforce: false,
      });
      expect(missing).toBe(1);
      expect(checks.find(({ check }) => check === 'raw_log')).toMatchObject({
        found: 1,
        unaccounted: 1,
        restorable: 1,
      });
      const { verdict, contact } = await ask(store, `+${ANA}`);
      expect([before.contact?.messages.total, contact?.messages.total]).toEqual([2, 2]);
      expect(verdict).toContain('1 of the 2 messages');
      const { figures } = await night(store, { apply: true, register: true });
      expect(figures).toMatchObject({ lost: 0, restored: 1 });
    });
  }

  it('is two, where two customers have messages of one key id', async () => {
    const store = await opened(
      [live('A1', 0), live('A1', 1, { from: BRU }), webLive('A1', 0)],
      await backend.open(),
    );
    await store.sql.execute('delete from messages');
    const { missing } = await verify(testContext(store), { checks: new Set(['raw_log']), enforce: false });
    expect(missing).toBe(2);
  });
});
