import { expect, it } from 'vitest';
import { erase } from '../../src/commands/erase/erase.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { dyingStore } from '../support/dying-store.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, BRU, CAR, SECOND, item, live, wamid, webhook } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const UNFINISHED = 'raw_bodies: 1 erasure is unfinished, and the same command ends it';

/** Two people in each body: what is left of it names the one who stays. */
const LOG = [0, 10, 20].map((at) =>
  webhook('messages', {
    messages: [item(`A${at}`, at), item(`B${at}`, at + 1, { from: BRU })],
  }),
);

const eraseAna = (store: Store) =>
  erase(testContext(store, KEYED), { contact: `+${ANA}`, secretKey: SECRET, batchSize: 1 });

const verifyAll = (store: Store, enforce = false) =>
  verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });

describeOnServer('an erasure that was killed', (backend) => {
  it('F1: is told as such wherever it died, and what waits for its end is no loss', async () => {
    const store = await backend.open();
    await replayBodies(store, [...LOG, live('A30', 30)]);
    const messages = () => value(store, `select count(*)::int from messages`);
    const unfinished = () => value(store, `select count(*)::int from erasures where completed_at is null`);
    for (let steps = 1; ; steps += 1) {
      if (steps > 40) throw new Error('it never ends');
      const ended = await eraseAna(dyingStore(store, steps)).catch(() => null);
      if (ended !== null) break;
      if ((await unfinished()) === 0) continue;
      const before = await messages();
      const { checks, severity } = await verifyAll(store);
      const found = checks.filter(({ status }) => status === 'findings');
      const bodies = found.find(({ check }) => check === 'raw_bodies');
      expect(bodies?.summary).toBe('1 erasure is unfinished, and the same command ends it');
      expect(found.map(({ check }) => check)).not.toContain('raw_log');
      expect(severity).toBe('degraded');
      expect(bodies?.remedy).toMatchObject({ command: 'erase', args: ['CONTACT', '--apply'] });
      // What another command may do meanwhile leaves the rows to the erasure.
      await verifyAll(store, true);
      await expect(night(store, { apply: true })).rejects.toMatchObject({ code: 'secret_key_missing' });
      await night(store, { apply: true, full: true, ...KEYED });
      expect(await findingsBeside(store, ['history_ledger'])).toEqual([UNFINISHED]);
      expect(await messages()).toBe(before);
      expect(await value(store, `select count(*)::int from messages where batch_id is null`)).toBe(0);
    }
    expect(await messages()).toBe(3);
    await eraseAna(store);
    const states = await store.sql.query(
      `select body_state, count(*)::int as bodies from webhook_log group by 1 order by 1`,
    );
    expect(states).toEqual([
      { body_state: 'erased', bodies: 1 },
      { body_state: 'redacted', bodies: 3 },
    ]);
    const { checks } = await verifyAll(store);
    expect(checks.filter(({ status }) => status === 'findings')).toEqual([]);
  });

  it('explains alone what verify finds, wherever it died', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      ...LOG,
      live('A30', 30),
      live('A40', 40, {}, SECOND),
      live('C1', 50, { from: CAR }),
    ]);
    let found = 0;
    for (let steps = 1; ; steps += 1) {
      if (steps > 40) throw new Error('it never ends');
      const ended = await eraseAna(dyingStore(store, steps)).catch(() => null);
      if (ended !== null) break;
      const open = await value(store, `select count(*)::int from erasures where completed_at is null`);
      expect(await findingsBeside(store, ['history_ledger'])).toEqual(open === 0 ? [] : [UNFINISHED]);
      found += Number(open);
    }
    expect(found).toBeGreaterThan(3);
    expect(await findingsBeside(store, ['history_ledger'])).toEqual([]);
  });

  it('is what explain says of its messages', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    // The hashes are stored and the bodies written anew; nothing more.
    await eraseAna(dyingStore(store, 4)).catch(() => null);
    expect(await value(store, `select count(*)::int from webhook_log where body_state = 'redacted'`)).toBe(3);
    expect(await value(store, `select count(*)::int from messages`)).toBe(6);
    for (const subject of [`+${ANA}`, wamid('A0')]) {
      const { notices, remedies } = await ask(store, subject);
      expect(notices.join(' ')).toContain('An erasure that has not ended');
      expect(remedies.map((advice) => advice.do)).not.toContain('unlink');
    }
    expect((await ask(store, wamid('B0', BRU))).notices).toEqual([]);
  });
});
