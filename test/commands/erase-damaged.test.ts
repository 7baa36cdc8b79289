import { expect, it } from 'vitest';
import { allowErased, erase } from '../../src/commands/erase/erase.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { complaintsAbout } from '../support/parse-remedy.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, BRU, live } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;
const LOG = [live('A', 0), live('B', 10, { from: BRU })];

const eraseOne = (store: Store, contact: string) =>
  erase(testContext(store, KEYED), { contact: `+${contact}`, secretKey: SECRET, batchSize: 100 });

const checkOf = async (store: Store) => {
  const { checks, severity } = await verify(testContext(store), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
  });
  return { severity, check: checks.find(({ check }) => check === 'raw_bodies') };
};

describeOnBackends('a record of erased people that somebody has damaged', (backend) => {
  it.each([
    ['delete from erasure_keys', '1 hash of an erased name has lost the key'],
    [`update erased_identities set name_hash = 'x' || name_hash`, '1 hash of an erased name is damaged'],
    [`update erased_identities set name_hash = upper(name_hash)`, '1 hash of an erased name is damaged'],
    ['delete from erased_identities', '1 erasure has lost all names'],
    [
      `delete from erasure_keys; update erased_identities set name_hash = ''`,
      '1 hash of an erased name has lost the key; 1 hash of an erased name is damaged',
    ],
  ])('%s: verify finds it, and nothing from outside comes in', async (damage, words) => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await eraseOne(store, ANA);
    expect(await checkOf(store)).toMatchObject({ severity: null, check: { status: 'ok' } });
    for (const statement of damage.split('; ')) await store.sql.execute(statement);
    const { severity, check } = await checkOf(store);
    expect(severity).toBe('degraded');
    expect(check).toMatchObject({ status: 'findings', severity: 'degraded', summary: words });
    const advice = check?.remedy;
    if (advice == null) throw new Error('there is no remedy');
    expect(await complaintsAbout([advice])).toEqual([]);
    const leads = () => value(store, 'select count(*)::int from leads');
    const refused = { code: 'erasures_damaged', exitCode: 2 };
    await expect(replayBodies(store, LOG, KEYED)).rejects.toMatchObject(refused);
    await expect(replayBodies(store, LOG)).rejects.toMatchObject(refused);
    // A new key beside the old hashes would make it look whole.
    await expect(eraseOne(store, BRU)).rejects.toMatchObject(refused);
    expect(await leads()).toBe(1);
    // What is stored has lost them, and can be replayed.
    await replayLog(store, { which: 'all' });
    expect(await leads()).toBe(1);
    await allowErased(testContext(store), null);
    expect(await checkOf(store)).toMatchObject({ severity: null });
    await replayBodies(store, LOG, KEYED);
    expect(await leads()).toBe(2);
    await eraseOne(store, ANA);
    await replayBodies(store, LOG, KEYED);
    expect(await leads()).toBe(1);
  });
});
