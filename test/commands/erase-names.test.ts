import { expect, it } from 'vitest';
import { allowErased, erase } from '../../src/commands/erase/erase.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, ANA_BSUID, ANA_LID, BRU, item, live, liveFrom, webhook, webLive } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;

const BOTH = webhook('messages', {
  contacts: [{ profile: { name: 'Ana Maria' }, wa_id: ANA, user_id: ANA_BSUID }],
  messages: [item('A1', 10, { from_user_id: ANA_BSUID })],
});
const BSUID_ALONE = webhook('messages', {
  contacts: [{ profile: { name: 'Ana Maria' }, user_id: ANA_BSUID }],
  messages: [item('A2', 20, { from: undefined, from_user_id: ANA_BSUID, id: 'wamid.A2' })],
});
const LID_AND_PHONE = webLive('W1', 30, {}, { remoteJid: ANA_LID, remoteJidAlt: `${ANA}@s.whatsapp.net` });
const LID_ALONE = webLive('W2', 40, { pushName: 'Ana Maria' }, { remoteJid: ANA_LID });

describeOnBackends('names of an erased person that come to be known', (backend) => {
  it.each([
    ['a BSUID', BOTH, BSUID_ALONE],
    ['a LID', LID_AND_PHONE, LID_ALONE],
  ])('F2: %s that comes with an erased number is erased as well', async (_, both, alone) => {
    const store = await backend.open();
    await replayBodies(store, [liveFrom('Ana Maria', 'A0', 0), live('B0', 1, { from: BRU })]);
    await erase(testContext(store, KEYED), { contact: ANA, secretKey: SECRET, batchSize: 9 });
    // A run that changes nothing learns nothing; the next ones are each a process of their own.
    await replayBodies(store, [both], { ...KEYED, dryRun: true });
    expect(await value(store, `select count(*)::int from erased_identities`)).toBe(1);
    await replayBodies(store, [both, live('B1', 50, { from: BRU })], KEYED);
    const { messages } = await replayBodies(store, [alone], KEYED);
    expect(messages.skipped['erased']).toBe(1);
    expect(await value(store, `select json_agg(phone_number) from leads`)).toEqual([`+${BRU}`]);
    expect(await allowErased(testContext(store, KEYED), ANA)).toMatchObject({ allowed: 1 });
    expect(await value(store, `select count(*)::int from erased_identities`)).toBe(0);
  });
});
