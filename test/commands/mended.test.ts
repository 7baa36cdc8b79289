import { expect, it } from 'vitest';
import { encodeWamid } from '../../src/identity/wamid.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer, type TestBackend } from '../support/databases.js';
import { night } from '../support/nights.js';
import { ask } from '../support/explaining.js';
import { normalizedDatabase } from '../support/normalized.js';
import { restoreUniqueIndex } from '../support/damage.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { ANA, BRU, echo, history, live, liveFrom, old, oldOut, reaction, T0 } from '../support/webhooks.js';

/** Messages of WhatsApp Web: key id, phone or LID, seconds after T0, whether the business wrote it. */
function web(
  ...messages: readonly (readonly [id: string, who: string, at: number, fromMe?: boolean])[]
): object {
  return {
    event: 'messaging-history.set',
    sessionId: 'shop',
    data: {
      chats: [],
      contacts: [],
      syncType: 3,
      progress: 40,
      chunkOrder: 1,
      messages: messages.map(([id, who, at, fromMe = false]) => ({
        key: { remoteJid: who.includes('@') ? who : `${who}@s.whatsapp.net`, fromMe, id },
        message: { conversation: id },
        messageTimestamp: String(T0 + at),
      })),
    },
  };
}

/** A message of WhatsApp Web that answers another one. */
function reply(id: string, stanzaId: string): object {
  return {
    event: 'messages.upsert',
    sessionId: 'shop',
    data: {
      type: 'append',
      messages: [
        {
          key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id },
          message: { extendedTextMessage: { text: id, contextInfo: { stanzaId } } },
          messageTimestamp: String(T0 + 60),
        },
      ],
    },
  };
}

async function opened(backend: TestBackend, log: readonly object[]): Promise<Store> {
  const store = await backend.open();
  await addConnection(store, { name: 'shop', phoneNumberId: '800000000000001' });
  await replayBodies(store, log);
  return store;
}

const MOVE = `update messages m set conversation_id = c.id, lead_id = c.lead_id
  from conversations c where m.body = 'KEY-OF-ANA' and c.id <> m.conversation_id`;

describeOnServer('a message of the raw log', (backend) => {
  it('comes back to its lead, where its id does not say whose it is', async () => {
    const owners = [
      [ANA, BRU],
      [BRU, ANA],
    ] as const;
    for (const [owner, other] of owners) {
      const store = await opened(backend, [web(['KEY-OF-ANA', owner, 0], ['OTHER', other, 5])]);
      const before = await normalizedDatabase(store);
      expect(await store.sql.execute(MOVE)).toBe(1);
      expect((await night(store, { apply: true })).figures).toMatchObject({ missing: 0, lost: 0 });
      expect(await normalizedDatabase(store)).toEqual(before);
      await store.close();
    }
  });

  it('comes back to its lead out of an entry of which an id is on record as taken', async () => {
    const store = await opened(backend, [
      web(['TAKEN', '111000000000002@lid', 0], ['KEY-OF-ANA', '111000000000003@lid', 5]),
      history([oldOut('OUT', 9), old('TAKEN', 0)]),
    ]);
    const before = await normalizedDatabase(store);
    expect(before.rejects).toHaveLength(1);
    await store.sql.execute(
      `${MOVE} and c.id = (select conversation_id from messages where stanza_id = 'OUT')`,
    );
    await night(store, { apply: true });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('names its raw entry again when the file is replayed, also where another entry holds it', async () => {
    const log = [live('A1', 0), history([old('A1', 0)])];
    const store = await opened(backend, log);
    const before = await normalizedDatabase(store);
    const linked = 'select from messages where batch_id in (select id from webhook_log)';
    await store.sql.execute(`delete from webhook_log where id = (select batch_id from messages)`);
    await replayBodies(store, [...log].reverse());
    expect(await store.sql.query(linked)).toHaveLength(1);
    // As a row that was merged with a copy may have it: the file is there already.
    await store.sql.execute('update messages set batch_id = gen_random_uuid()');
    await replayBodies(store, log);
    expect(await store.sql.query(linked)).toHaveLength(1);
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('comes back by a replay of everything, too', async () => {
    const store = await opened(backend, [web(['KEY-OF-ANA', BRU, 0], ['OTHER', ANA, 5])]);
    const before = await normalizedDatabase(store);
    await store.sql.execute(MOVE);
    await replayLog(store, { which: 'all' }, { register: false });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('loses a file that no entry has brought, and gets back the one that was taken from it', async () => {
    const store = await opened(backend, [
      live('A1', 0),
      live('P1', 5, { type: 'image', text: undefined, image: { id: 'media-1', mime_type: 'image/jpeg' } }),
    ]);
    const before = await normalizedDatabase(store);
    await store.sql.execute(`update messages set media = '{"id": "forged"}' where type = 'text'`);
    await store.sql.execute(`update messages set media = null where type = 'image'`);
    const damaged = await verify(testContext(store), { checks: new Set(['raw_log']), enforce: false });
    expect(damaged).toMatchObject({ severity: 'loss', findings: 2 });
    await night(store, { apply: true });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  it('comes back under both of its names as one, when its time was changed', async () => {
    // The phone's history knows the time better than an echo, which is all that names the wamid.
    const said = web(['TWO-NAMES', ANA, 1, true], ['OTHER', ANA, 50]);
    const logs = [echo('TWO-NAMES', 0), history([oldOut('TWO-NAMES', 0)])].flatMap((named) => [
      [named, said],
      [said, named],
    ]);
    for (const bodies of logs) {
      const store = await opened(backend, bodies);
      const before = await normalizedDatabase(store);
      const wamid = encodeWamid(ANA, 'TWO-NAMES');
      await store.sql.execute(
        `update messages set timestamp = timestamp - interval '1 hour' where external_id = '${wamid}'`,
      );
      await night(store, { apply: true });
      expect(await normalizedDatabase(store)).toEqual(before);
      await store.close();
    }
  });

  it('comes back into a database whose unique index is gone', async () => {
    const store = await opened(backend, [live('A1', 0), live('A2', 10)]);
    const before = await normalizedDatabase(store);
    await store.sql.execute('drop index messages_connection_id_external_id_key');
    await store.sql.execute(`delete from messages where external_id = '${encodeWamid(ANA, 'A1')}'`);
    const { figures } = await night(store, { apply: true });
    expect(figures).toMatchObject({ missing: 0, restored: 1 });
    expect(await normalizedDatabase(store)).toEqual(before);
    await restoreUniqueIndex(store);
  });

  it('of a group that was left out says nothing of what waits for its id', async () => {
    const group = liveFrom('Ana', 'G1', 0);
    const text = JSON.stringify(group).replace('"wa_id"', '"group_id":"Z3J1cG8=","wa_id"');
    const store = await opened(backend, [JSON.parse(text) as object, reaction('G1', 10, '👍')]);
    expect((await runCheck(store, 'raw_log')).items.filter(({ sign }) => sign !== '=')).toEqual([]);
    const { findings } = await ask(store, encodeWamid(ANA, 'G1'));
    expect(findings.filter(({ outcome }) => outcome !== 'pending')).toEqual([]);
    expect(findings).not.toEqual([]);
  });

  it('without metadata stays its connection’s when that gets another name', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'shop', phoneNumberId: '800000000000001' });
    const body = JSON.stringify(live('A1', 0)).replace(/"metadata":\{[^}]*\},?/, '');
    await replayBodies(store, [body], { connection: 'shop' });
    await store.sql.execute(`update connections set name = 'branch'`);
    const before = await normalizedDatabase(store);
    expect((await runCheck(store, 'raw_log')).items.map(({ sign }) => sign)).toEqual(['=']);
    expect((await ask(store, encodeWamid(ANA, 'A1'))).findings).toEqual([]);
    await store.sql.execute('delete from messages');
    expect((await night(store, { apply: true })).figures).toMatchObject({ missing: 0, restored: 1 });
    const after = await normalizedDatabase(store);
    expect(after.messages).toEqual(before.messages);
  });

  it('gets its reply back, whichever id somebody put in its place', async () => {
    for (const changed of ['A', 'zzz', 'wamid.zzz']) {
      const store = await opened(backend, [
        web(['QUOTED', ANA, 0], ['OTHER', BRU, 5]),
        reply('ANSWER', 'QUOTED'),
      ]);
      const before = await normalizedDatabase(store);
      expect(
        await store.sql.execute(
          `update messages set context_external_id = '${changed}' where context_external_id is not null`,
        ),
      ).toBe(1);
      expect((await night(store, { apply: true })).figures).toMatchObject({ lost: 0, restored: 1 });
      expect(await normalizedDatabase(store)).toEqual(before);
      await store.close();
    }
  });

  it('keeps its text when another program marks it as deleted', async () => {
    const store = await opened(backend, [live('A1', 0), live('A2', 10)]);
    await store.sql.execute('update messages set deleted_at = now()');
    expect((await night(store, { apply: true })).figures).toMatchObject({ missing: 0, restored: 0, lost: 0 });
    expect((await runCheck(store, 'raw_log')).items.map(({ sign }) => sign)).toEqual(['=', '=']);
    expect((await ask(store, encodeWamid(ANA, 'A1'))).findings).toEqual([]);
    const rows = await store.sql.query('select body from messages order by timestamp');
    expect(rows.map(({ body }) => typeof body)).toEqual(['string', 'string']);
  });
});
