import { expect, it } from 'vitest';
import { erase } from '../../src/commands/erase/erase.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { backUp, restored } from '../support/backups.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import {
  ANA,
  BRU,
  echo,
  FIRST,
  history,
  item,
  live,
  old,
  SECOND,
  status,
  T0,
  wamid,
  webhook,
} from '../support/webhooks.js';

/** Two deliveries in one body, as Meta sends them for two numbers of an account. */
function together(one: JsonObject, other: JsonObject): JsonObject {
  const entriesOf = ({ entry }: JsonObject): JsonValue[] => (Array.isArray(entry) ? entry : []);
  return { ...one, entry: [...entriesOf(one), ...entriesOf(other)] };
}

const ofBru = (key: string, at: number, business = FIRST): JsonObject =>
  webhook('messages', { messages: [item(key, at, { from: BRU, id: wamid(key, BRU) })] }, business);

const TOGETHER = together(live('A1', 0), live('A2', 300, {}, SECOND));

describeOnBackends('what a part of a backup rests on elsewhere', (backend) => {
  async function fill(log: readonly unknown[]): Promise<Store> {
    const store = await backend.open();
    await addConnection(store, { name: 'first', phoneNumberId: FIRST.id });
    await addConnection(store, { name: 'second', phoneNumberId: SECOND.id, number: `+${SECOND.number}` });
    await replayBodies(store, log);
    return store;
  }

  async function faults(store: Store): Promise<string[]> {
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    return checks
      .filter(({ status: how }) => how === 'findings')
      .map(({ check, summary }) => `${check}: ${summary}`);
  }

  async function copied(
    store: Store,
    connection: string,
    look: (copy: Store) => Promise<void>,
  ): Promise<void> {
    const { bytes } = await backUp(store, { connection });
    const copy = await restored(backend, bytes);
    await look(copy);
    await copy.close();
  }

  it('gives way to what the part has: times and source of a lead, window and origin of its ticket', async () => {
    const store = await fill([
      // The first news of her, and the last, are on the second number.
      webhook(
        'history',
        {
          history: [
            {
              metadata: { phase: 0, chunk_order: 1, progress: 100 },
              threads: [{ id: ANA, messages: [old('H', -900)] }],
            },
          ],
        },
        SECOND,
      ),
      live('A1', 0),
      echo('A2', 500, {}, SECOND),
      ofBru('B1', 100),
    ]);
    const [whole] = await store.sql.query(
      `select l.source, t.originated_from, t.message_window_expires_at from leads l join tickets t on t.lead_id = l.id
       where l.phone_number = '+${ANA}'`,
    );
    expect(whole).toEqual({
      source: 'history_sync',
      originated_from: 'history_lead',
      message_window_expires_at: null,
    });
    await copied(store, 'first', async (copy) => {
      expect(await faults(copy)).toEqual([]);
      const at = new Date(T0 * 1000);
      expect(
        await copy.sql.query(
          `select l.source, l.first_seen_at, l.last_message_at, t.originated_from, t.message_window_expires_at
           from leads l join tickets t on t.lead_id = l.id where l.phone_number = '+${ANA}'`,
        ),
      ).toEqual([
        {
          source: 'live_message',
          first_seen_at: expect.anything() as unknown,
          last_message_at: at,
          originated_from: 'new_contact',
          message_window_expires_at: new Date(at.getTime() + 24 * 3_600_000),
        },
      ]);
    });
    await copied(store, 'second', async (copy) => {
      expect(await faults(copy)).toEqual([]);
    });
  });

  it('waits for nothing where one body holds messages of both, until its connection is made', async () => {
    const store = await fill([TOGETHER, status('A1', 'read', 400)]);
    await copied(store, 'first', async (copy) => {
      expect(await faults(copy)).toEqual([]);
      await replayLog(copy, { which: 'all' }, { register: false });
      expect(await faults(copy)).toEqual([]);
      expect(await copy.sql.query('select status from webhook_log order by status')).toEqual([
        { status: 'processed' },
        { status: 'processed' },
      ]);
      await addConnection(copy, { name: 'second', phoneNumberId: SECOND.id, number: `+${SECOND.number}` });
      expect(await faults(copy)).not.toEqual([]);
      await replayLog(copy, { which: 'all' }, { register: false });
      expect(await faults(copy)).toEqual([]);
      expect(await copy.sql.query('select count(*)::int as n from messages')).toEqual([{ n: 2 }]);
    });
  });

  it('of a number that nobody knows waits in the copy as it did before', async () => {
    const stranger = { id: '800000000000009', number: '5511900000088' };
    const store = await backend.open();
    await addConnection(store, { name: 'first', phoneNumberId: FIRST.id });
    await replayBodies(store, [together(live('A1', 0), live('A2', 1, {}, stranger))], { register: false });
    const before = await faults(store);
    expect(before).not.toEqual([]);
    await copied(store, 'first', async (copy) => {
      expect(await faults(copy)).toEqual(before);
    });
  });

  it('is not missing where bodies were pruned, or lost an erased person', async () => {
    const store = await fill([TOGETHER, ofBru('B1', 10), ofBru('B2', 20, SECOND)]);
    await pruned(store, EVERYTHING);
    await replayBodies(store, [together(ofBru('B3', 30), live('A3', 31, {}, SECOND)), live('A4', 40)]);
    await erase(testContext(store, { secretKey: () => SECRET }), {
      contact: BRU,
      secretKey: SECRET,
      batchSize: 2,
    });
    expect(await faults(store)).toEqual([]);
    for (const connection of ['first', 'second']) {
      await copied(store, connection, async (copy) => {
        expect(await faults(copy)).toEqual([]);
        // What is taken out of the copy is missed all the same.
        await copy.sql.execute(`update tickets set opened_by_external_id = null`);
        await copy.sql.execute(
          `delete from messages where external_id = '${wamid(connection === 'first' ? 'A1' : 'A2')}'`,
        );
        expect((await faults(copy)).join()).toContain('1 message is gone, and so is its raw body');
      });
    }
  });

  it('has the history’s ledger of its own connection', async () => {
    const store = await fill([
      history([old('H1', -900)], { progress: 100 }),
      webhook('history', { history: [{ errors: [{ code: 2_593_109, title: 'declined' }] }] }, SECOND),
      live('A1', 0),
    ]);
    await copied(store, 'first', async (copy) => {
      expect(await faults(copy)).toEqual([]);
      expect(await copy.sql.query('select count(*)::int as n from history_chunks')).toEqual([{ n: 1 }]);
    });
  });
});
