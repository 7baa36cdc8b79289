import { describe, expect, it } from 'vitest';
import { verify } from '../../src/commands/verify/verify.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { inTurn } from '../support/seed.js';
import { echo, edit, live, revoke, status, wamid } from '../support/webhooks.js';

const FILE = { id: 'M1', mime_type: 'image/jpeg', sha256: 'c2hh' };

function image(parts: JsonObject): { type: string; image: JsonObject } {
  return { type: 'image', image: parts };
}

const PICTURE = live('A1', 0, { text: undefined, ...image({ ...FILE, caption: 'one' }) });
const TEXT = live('A1', 0);
const NEW_TEXT = edit('A1', 'E1', 60, { type: 'text', text: { body: 'two' } });
const captioned = (file: JsonObject): JsonObject => edit('A1', 'E1', 60, image({ ...file, caption: 'two' }));

/** What becomes of messages, by what an edit or a revoke leaves of them. */
const LOGS: Record<string, JsonObject[]> = {
  'a picture with another caption': [PICTURE, captioned({})],
  'a picture with another caption, which names the same file': [PICTURE, captioned(FILE)],
  'a picture with another caption, which names no more than the id of the file': [
    PICTURE,
    captioned({ id: 'M1' }),
  ],
  'a picture with another caption, which names the file without its id': [
    PICTURE,
    captioned({ sha256: 'c2hh' }),
  ],
  'a picture that was replaced': [PICTURE, captioned({ ...FILE, id: 'M2' })],
  'a text that was edited': [TEXT, NEW_TEXT],
  'a text that became a picture': [TEXT, captioned(FILE)],
  'a revoked text': [TEXT, revoke('A1', 90)],
  'a revoked picture': [PICTURE, revoke('A1', 90)],
  'an edited picture that was revoked': [PICTURE, captioned(FILE), revoke('A1', 90)],
  'a failed message that was revoked': [
    echo('A1', 0),
    status('A1', 'failed', 30, { errors: [{ code: 131047, title: 'Re-engagement message' }] }),
    echo('R1', 90, { type: 'revoke', text: undefined, revoke: { original_message_id: wamid('A1') } }),
  ],
};

/** What another program writes into a column of the content. */
const DAMAGES: Record<string, string> = {
  body: `body = 'forged'`,
  type: `type = 'sticker'`,
  'no file': `media = null`,
  'another file': `media = '{"id": "forged"}'`,
  'another hash': `media = media || '{"sha256": "forged"}'`,
  'other content': `raw_meta = '{"forged": true}'`,
  errors: 'errors = null',
};

const HEALERS: Record<string, (store: Store, log: JsonObject[]) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }, { register: false }),
  'replay FILE': (store, log) => replayBodies(store, log),
  'replay FILE, entry by entry, backwards': (store, log) =>
    replayBodies(store, [...log].reverse(), { batchSize: 1 }),
  reconcile: (store) => night(store, { apply: true, full: true }),
};

async function findings(store: Store): Promise<number> {
  const found = await verify(testContext(store), { checks: new Set(['raw_log']), enforce: false });
  return found.findings;
}

const KEPT = `select type, body, media, raw_meta, errors from messages`;

describeOnServer('the content of an amended message', (backend) => {
  const logs = Object.entries(LOGS).map(([title, log], row) => ({ title, log, row }));
  describe.each(logs)('$title', ({ log, row }) => {
    it('is the same in every order, and nothing is found', async () => {
      const store = await expectOneDatabase(backend, log);
      expect(await findings(store)).toBe(0);
      const before = await normalizedDatabase(store);
      for (const heal of Object.values(HEALERS)) await heal(store, log);
      expect(await normalizedDatabase(store)).toEqual(before);
      expect((await night(store, { full: true })).figures).toMatchObject({ lost: 0, restored: 0 });
    });

    it('is told as different where another program changed it, and comes back by a replay', async () => {
      const store = await backend.open();
      await replayBodies(store, log);
      const before = await normalizedDatabase(store);
      const kept = await store.sql.query(KEPT);
      for (const [nth, [column, damage]] of Object.entries(DAMAGES).entries()) {
        await store.sql.execute(`update messages set ${damage}`);
        if (JSON.stringify(await store.sql.query(KEPT)) === JSON.stringify(kept)) continue;
        expect(await findings(store), column).toBeGreaterThan(0);
        for (const [healer, heal] of inTurn(Object.entries(HEALERS), row + nth, 4)) {
          await store.sql.execute(`update messages set ${damage}`);
          await heal(store, log);
          expect(await normalizedDatabase(store), `${column}, ${healer}`).toEqual(before);
          expect(await findings(store), `${column}, ${healer}`).toBe(0);
        }
      }
    });
  });

  it('is different for explain, too, where the type of a revoked message was changed', async () => {
    const store = await backend.open();
    await replayBodies(store, [TEXT, revoke('A1', 90)]);
    await store.sql.execute(`update messages set type = 'sticker'`);
    expect((await ask(store, wamid('A1'))).verdict).toContain('Different from the raw log (type)');
  });
});
