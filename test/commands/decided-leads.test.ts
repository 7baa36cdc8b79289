import { expect, it } from 'vitest';
import { contactBlocks } from '../../src/cli/views/explain-contact.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { offset, select } from '../support/shown.js';
import { addressBook, ANA, ANA_LID, BRU, live, webEvent, webLive } from '../support/webhooks.js';

/** Ana is in the address book, Bru was removed from it, and both wrote. */
const LOG = [
  addressBook('add', { phone_number: ANA, full_name: 'Ana Souza' }, 0),
  addressBook('add', { phone_number: BRU, full_name: 'Bru' }, 0),
  addressBook('remove', { phone_number: BRU }, 50),
  live('A1', 60),
  live('B1', 70, { from: BRU }),
];

const DECISIONS = {
  'deactivated a contact of the address book': {
    phone: ANA,
    sets: 'is_active = false',
    left: { active: false, deleted: null },
    words: 'not active: decided by a person or another program',
  },
  'deleted a contact of the address book': {
    phone: ANA,
    sets: `is_active = false, deleted_at = '2026-01-01T00:00:00Z'`,
    left: { active: false },
    words: 'not active, deleted on 2026-01-01 00:00:00: decided by a person or another program',
  },
  'took back a contact that the address book removed': {
    phone: BRU,
    sets: 'is_active = true, deleted_at = null',
    left: { active: true, deleted: null },
    words: 'active: decided by a person or another program',
  },
};

const RUNS: Record<string, (store: Store) => Promise<unknown>> = {
  'replay --all': (store) => replayLog(store, { which: 'all' }),
  'replay FILE': (store) => replayBodies(store, LOG),
  'reconcile --apply --full': (store) => night(store, { apply: true, full: true }),
};

function stateOf(store: Store, phone: string): Promise<unknown[]> {
  return select(
    store,
    `select is_active as active, ${offset('deleted_at')} as deleted from leads where phone_number = '+${phone}'`,
  );
}

describeOnServer('I5: a person who', (backend) => {
  for (const [what, { phone, sets, left, words }] of Object.entries(DECISIONS)) {
    it(`${what} is heard until the address book says something new`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      expect(await store.sql.execute(`update leads set ${sets} where phone_number = '+${phone}'`)).toBe(1);
      const decided = await stateOf(store, phone);
      expect(decided).toMatchObject([left]);
      for (const run of Object.values(RUNS)) {
        await run(store);
        expect(await stateOf(store, phone)).toEqual(decided);
      }
      expect(
        await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false }),
      ).toMatchObject({ findings: 0 });
      const { contact } = await ask(store, phone);
      expect(contact?.lead).toMatchObject({ isDecidedByOthers: true });
      expect(contact === null ? '' : JSON.stringify(contactBlocks(contact))).toContain(words);

      await replayBodies(store, [
        addressBook('remove', { phone_number: phone }, 90),
        addressBook('add', { phone_number: phone, full_name: 'Again' }, 100),
      ]);
      expect(await stateOf(store, phone)).toEqual([{ active: true, deleted: null }]);
      expect((await ask(store, phone)).contact?.lead).toMatchObject({ isDecidedByOthers: false });
    });
  }

  it('removed a contact from the address book is not called another program', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const { contact } = await ask(store, BRU);
    expect(contact?.lead).toMatchObject({ isActive: false, isDecidedByOthers: false });
    expect(contact === null ? '' : JSON.stringify(contactBlocks(contact))).toContain('removed on');
  });

  it('is found to be two leads is what the address book says of both', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      ...LOG,
      webLive('W1', 80, { remoteJid: ANA_LID }),
      webEvent('contacts.update', [{ id: ANA_LID, name: 'A.' }]),
    ]);
    await store.sql.execute(`update leads set is_active = false where phone_number = '+${ANA}'`);
    await replayBodies(store, [
      webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` }),
    ]);
    expect(await stateOf(store, ANA)).toEqual([{ active: true, deleted: null }]);
  });
});
