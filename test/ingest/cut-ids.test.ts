import { expect, it } from 'vitest';
import { verify } from '../../src/commands/verify/verify.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { cut } from '../support/cut-ids.js';
import { describeOnBackends } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { select, tickets } from '../support/shown.js';
import {
  ANA,
  ANA_LID,
  echo,
  history,
  live,
  oldOut,
  status,
  T0,
  wamid,
  webEvent,
  webLive,
} from '../support/webhooks.js';

const prepare = (store: Store): Promise<void> => addConnection(store);
const KEY = '3A1234567890ABCDEF01';

function rows(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    'select external_id as id, body, source from messages order by timestamp, external_id',
  );
}

async function expectClean(store: Store): Promise<void> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  expect(checks.filter((check) => check.status === 'findings')).toEqual([]);
}

describeOnBackends('M12: messages of an iPhone whose ids are cut', (backend) => {
  backend.once('are the log’s own, in any order', async () => {
    const store = await expectOneDatabase(
      backend,
      [live(KEY, 0, { text: { body: 'oi' } }), cut(KEY, 0), status(KEY, 'read', 5)],
      { prepare, connection: 'loja' },
    );
    expect(await rows(store)).toEqual([{ id: wamid(KEY), body: 'oi', source: 'live' }]);
    expect(await tickets(store)).toHaveLength(1);
    await expectClean(store);
  });

  it('are the log’s own where it has both names of them', async () => {
    const store = await expectOneDatabase(backend, [live(KEY, 1), webLive(KEY, 0), cut(KEY, 1)], {
      prepare,
      connection: 'loja',
    });
    expect(await rows(store)).toHaveLength(1);
    await expectClean(store);
  });

  backend.once(
    'are messages of their own where none begins so, at that time, in that direction',
    async () => {
      const store = await expectOneDatabase(
        backend,
        [
          live(KEY, 0, { text: { body: 'oi' } }),
          cut(KEY, 60),
          cut(KEY, 0, { from_me: true }),
          cut('3AFFFFFFFFFFFFFFFF01', 0),
        ],
        { prepare, connection: 'loja' },
      );
      expect(await rows(store)).toHaveLength(4);
      await expectClean(store);
    },
  );

  backend.once(
    'are messages of their own once better evidence says that the other one was sent at another time',
    async () => {
      const store = await expectOneDatabase(
        backend,
        [echo(KEY, 0), history([oldOut(KEY, 30)]), cut(KEY, 0, { from_me: true })],
        { prepare, connection: 'loja' },
      );
      expect(await rows(store)).toHaveLength(2);
      await expectClean(store);
    },
  );

  it('are found once two names are known to be one person', async () => {
    const store = await expectOneDatabase(
      backend,
      [
        webLive(KEY, 0, {}, { remoteJid: ANA_LID }),
        cut(KEY, 0),
        webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` }),
      ],
      { prepare, connection: 'loja' },
    );
    expect(await rows(store)).toMatchObject([{ id: KEY }]);
    await expectClean(store);
  });

  backend.once('are counted once, however often and in whatever batches they come', async () => {
    const store = await backend.open();
    await prepare(store);
    const options = { connection: 'loja' };
    const first = await replayBodies(store, [cut(KEY, 0)], options);
    expect(first.messages).toMatchObject({ created: 1 });
    expect(await rows(store)).toEqual([
      { id: `export-cut:in:${T0}:${KEY.slice(0, 17)}`, body: 'do telefone', source: 'history' },
    ]);
    expect(await tickets(store)).toEqual([]);
    await expectClean(store);
    await replayBodies(store, [live(KEY, 0, { text: { body: 'oi' } })], options);
    expect(await rows(store)).toEqual([{ id: wamid(KEY), body: 'oi', source: 'live' }]);
    const again = await replayBodies(store, [cut(KEY, 0)], options);
    expect(again.messages).toMatchObject({ created: 0, updated: 0, skipped: { overruled: 1 } });
    await expectClean(store);
  });
});
