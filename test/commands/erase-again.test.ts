import { expect, it } from 'vitest';
import { allowErased, erase } from '../../src/commands/erase/erase.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnBackends } from '../support/databases.js';
import { dumpOf } from '../support/database-dump.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import { ANA, BRU, CAR, item, live, liveFrom, webEvent, webhook, webMessage } from '../support/webhooks.js';

const KEYED = { secretKey: () => SECRET } as const;

const HERS = item('A1', 0, { text: { body: 'secret of hers' } });
const WITHOUT_ID = item('A2', 1, { id: undefined, text: { body: 'secret of hers' } });
const TOGETHER = webhook('messages', { messages: [HERS, item('B1', 2, { from: BRU })] });

const eraseAgain = (store: Store, phone: string = ANA) =>
  erase(testContext(store, KEYED), { contact: `+${phone}`, secretKey: SECRET, batchSize: 9 });

const allow = (store: Store) => allowErased(testContext(store, KEYED), `+${ANA}`);

const findings = (store: Store): Promise<string[]> => findingsBeside(store);

const log = (store: Store): Promise<unknown> =>
  value(
    store,
    `select json_agg(concat_ws(' ', status, body_state, case when raw_body = '' then 'empty' end) order by id) from webhook_log`,
  );

const bodies = (store: Store): Promise<unknown> =>
  value(store, `select json_agg(body order by body) from messages`);

describeOnBackends('the log of an erased person, come again', (backend) => {
  backend.once('leaves an emptied entry that nobody could read as it is', async () => {
    const store = await backend.open();
    const unknown = { event: 'future.thing', data: { who: ANA, name: 'Ana Maria' } };
    // Text around it: it cannot be written anew, and what Bru has in it goes as well.
    const around = `2025-09-16T05:20:00Z INFO webhook ${JSON.stringify(webhook('messages', { messages: [item('A3', 3), item('B3', 4, { from: BRU, id: undefined })] }))}`;
    const lines = [liveFrom('Ana Maria', 'A0', -10), live('B0', -9, { from: BRU }), unknown, around];
    await replayBodies(store, lines);
    await eraseAgain(store);
    const before = await log(store);
    expect(before).toEqual([
      'processed erased empty',
      'processed',
      'processed erased empty',
      'processed erased empty',
    ]);
    const rejects = (await findings(store)).filter((found) => !found.startsWith('rejects'));
    expect(rejects).toEqual([]);

    const { entries } = await replayBodies(store, lines, KEYED);
    expect(entries).toMatchObject({ processed: 4, unrecognized: 0, partial: 0 });
    expect(await log(store)).toEqual(before);
    expect((await findings(store)).filter((found) => !found.startsWith('rejects'))).toEqual([]);
  });

  it.each([
    ['with somebody else', TOGETHER],
    ['alone', webhook('messages', { messages: [HERS] })],
  ])('brings back the body of a message %s once the erasure is lifted', async (_, body) => {
    const store = await backend.open();
    await replayBodies(store, [body]);
    const whole = await bodies(store);
    await eraseAgain(store);
    await replayBodies(store, [body], KEYED);
    expect(await value(store, `select count(*)::int from webhook_log where body_state is null`)).toBe(0);
    await allow(store);
    await replayBodies(store, [body], { batchSize: 1 });
    expect(await bodies(store)).toEqual(whole);
    expect(await log(store)).toEqual(['processed']);
    expect(await value(store, `select counters -> 'skipped' from webhook_log`)).toBeNull();
    expect(await findings(store)).toEqual([]);
    await replayLog(store, { which: 'all' });
    expect(await findings(store)).toEqual([]);

    await eraseAgain(store);
    expect(await dumpOf(store)).not.toMatch(new RegExp(`${ANA}|secret of hers`));
    expect(await findings(store)).toEqual([]);
  });

  it('keeps what a later run brought in of a group whose member is erased', async () => {
    const store = await backend.open();
    const group = { remoteJid: '120363000000000001@g.us' };
    const said = webEvent('messages.upsert', {
      type: 'notify',
      messages: [
        webMessage('G1', 0, {}, { ...group, participant: `${BRU}@s.whatsapp.net` }),
        webMessage('G2', 1, {}, { ...group, participant: `${ANA}@s.whatsapp.net` }),
      ],
    });
    await replayBodies(store, [said]);
    await replayBodies(store, [said], { include: new Set(['group'] as const) });
    await eraseAgain(store);
    expect(await value(store, `select json_agg(external_id) from messages`)).toEqual(['G1']);
    expect(await findings(store)).toEqual([]);
  });

  backend.once('brings back nothing of a second person who stays erased', async () => {
    const store = await backend.open();
    const three = webhook('messages', {
      messages: [HERS, item('B1', 2, { from: BRU }), item('C1', 3, { from: CAR, text: { body: 'of Car' } })],
    });
    await replayBodies(store, [three]);
    await eraseAgain(store);
    await eraseAgain(store, CAR);
    await allow(store);
    await replayBodies(store, [three], KEYED);
    expect(await bodies(store)).toEqual(['B1', 'secret of hers']);
    expect(await log(store)).toEqual(['processed redacted']);
    expect(await dumpOf(store)).not.toMatch(new RegExp(`${CAR}|of Car`));
    expect(await findings(store)).toEqual([]);
  });

  backend.once('keeps no rejected item of a person who is erased a second time', async () => {
    const store = await backend.open();
    const lines = [
      webhook('messages', { messages: [WITHOUT_ID, item('B1', 2, { from: BRU })] }),
      live('A0', -10),
    ];
    await replayBodies(store, lines);
    await eraseAgain(store);
    await allow(store);
    await replayBodies(store, lines);
    expect(await value(store, `select count(*)::int from rejects`)).toBe(1);
    await eraseAgain(store);
    expect(await value(store, `select count(*)::int from rejects`)).toBe(0);
    expect(await dumpOf(store)).not.toMatch(new RegExp(`${ANA}|secret of hers`));
    expect(await findings(store)).toEqual([]);
  });
});
