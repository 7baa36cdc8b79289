import { expect, it } from 'vitest';
import { encodeWamid } from '../../../src/identity/wamid.js';
import type { Store } from '../../../src/store/store.js';
import { runCheck, faults } from '../../support/checking.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies } from '../../support/replaying.js';
import { ANA, BRU, BUSINESS, echo, live, SECOND, wamid } from '../../support/webhooks.js';

/** Files a message under another lead, as a program that trusts the wrong field does. */
async function moveTo(store: Store, id: string, leadOf: string): Promise<void> {
  const moved = await store.sql.execute(
    `update messages m set conversation_id = o.conversation_id, lead_id = o.lead_id
     from messages o where m.external_id = $1 and o.external_id = $2`,
    [id, leadOf],
  );
  expect(moved).toBe(1);
}

describeOnBackends('the phone that a wamid holds', (backend) => {
  it('M9: is the lead’s; a message in a stranger’s conversation is found', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), echo('A2', 5), live('B1', 0, { from: BRU })]);
    expect((await runCheck(store, 'wamid_phone')).result).toMatchObject({ status: 'ok', checked: 3 });

    await moveTo(store, wamid('A2'), wamid('B1', BRU));
    const checked = await runCheck(store, 'wamid_phone');
    expect(faults(checked)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^\\* ${wamid('A2')} its id contains \\+${ANA}, but its lead [0-9a-f-]{36} has \\+${BRU}$`,
        ),
      ),
    ]);
    expect(checked.result).toMatchObject({
      status: 'findings',
      found: 1,
      remedy: `wa-reconcile explain ${wamid('A2')}`,
    });
  });

  it.each([
    ['Brazil’s ninth digit', '553190000003', '5531990000003'],
    ['Mexico’s 1', '5215500000006', '525500000006'],
    ['Argentina’s 9', '5491155550007', '541155550007'],
  ])('I1: may be written the other way: %s', async (_what, left, right) => {
    const store = await backend.open();
    await replayBodies(store, [
      live('X1', 0, { from: left, id: encodeWamid(right, 'X1') }),
      live('X2', 5, { from: right, id: encodeWamid(left, 'X2') }),
    ]);
    expect((await runCheck(store, 'wamid_phone')).result).toMatchObject({ status: 'ok', checked: 2 });
  });

  it('I3: may be the old number of somebody who changed it', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 0),
      live('S1', 5, {
        type: 'system',
        text: undefined,
        system: { type: 'user_changed_number', wa_id: BRU, body: 'mudou' },
      }),
      live('A2', 10, { from: BRU }),
    ]);
    expect((await runCheck(store, 'wamid_phone')).result).toMatchObject({ status: 'ok', checked: 2 });
  });

  it('says nothing about leads without a phone, ids that do not decode, and the business’s own number', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 0, { from: undefined, from_user_id: 'BR.20000000000000000003' }),
      live('A2', 5, { id: 'wamid.opaque==' }),
      live('A3', 10, { id: encodeWamid(BUSINESS, 'A3') }),
      live('A4', 15, { id: encodeWamid('12', 'A4') }),
    ]);
    expect((await runCheck(store, 'wamid_phone')).result).toMatchObject({ status: 'ok', checked: 0 });
  });

  it('looks at one connection, or at what was sent since, when asked to', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 0, { id: wamid('A1', BRU) }),
      live('A2', 3_600, { id: wamid('A2', BRU) }, SECOND),
    ]);
    expect((await runCheck(store, 'wamid_phone')).result.found).toBe(2);
    const one = await runCheck(store, 'wamid_phone', { connection: '+5511900000000' });
    expect(one.result.samples).toMatchObject([{ subject: wamid('A1', BRU) }]);
    const late = await runCheck(store, 'wamid_phone', { since: Date.parse('2025-09-16T06:00:00Z') });
    expect(late.result.samples).toMatchObject([{ subject: wamid('A2', BRU) }]);
  });
});
