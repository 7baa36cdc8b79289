import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { ANA, T0 } from '../support/webhooks.js';

/** A value as a program passes it on without the metadata around it: nothing in it names a connection. */
const BARE = {
  messages: [{ from: ANA, id: 'wamid.BARE1', timestamp: String(T0), type: 'text', text: { body: 'bare' } }],
  contacts: [{ wa_id: ANA, profile: { name: 'Ana' } }],
};

describeOnServer('an entry that names no connection', (backend) => {
  it('is of the one that its first replay was given, and another replay says so', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'a', kind: 'cloud_api', number: '+5511988880001' });
    await addConnection(store, { name: 'b', kind: 'cloud_api', number: '+5511988880002' });
    expect(await replayBodies(store, [BARE], { connection: 'a' })).toMatchObject({
      messages: { created: 1 },
    });
    for (let times = 0; times < 2; times += 1) {
      expect(await replayBodies(store, [BARE], { connection: 'b' })).toMatchObject({
        messages: { created: 0 },
        problems: [{ reason: 'other_connection' }],
      });
      expect(await replayBodies(store, [BARE], { connection: 'a' })).toMatchObject({
        messages: { created: 0 },
        problems: [],
      });
      const result = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
      expect(result.findings).toBe(0);
    }
    expect(await store.sql.query(`select status from webhook_log`)).toEqual([{ status: 'processed' }]);
  });
});
