import { expect, it } from 'vitest';
import type { Store } from '../../../src/store/store.js';
import { runCheck, faults } from '../../support/checking.js';
import { addConnection } from '../../support/connections.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies } from '../../support/replaying.js';
import {
  ANA,
  ANA_LID,
  BRU,
  echo,
  edit,
  history,
  item,
  live,
  old,
  oldOut,
  reaction,
  revoke,
  SECOND,
  status,
  wamid,
  webHistory,
  webhook,
  webLive,
  webMessage,
} from '../../support/webhooks.js';

const GROUP = '120363000000000001@g.us';

/** Breaks something, as nobody should; fails if there was nothing to break. */
async function damage(store: Store, statement: string, ...parameters: string[]): Promise<void> {
  expect(await store.sql.execute(statement, parameters)).toBeGreaterThan(0);
}

describeOnBackends('the accounting proof', (backend) => {
  it('counts every item once, as the replay did, and names each message once however often it was told', async () => {
    const store = await backend.open();
    const log = [
      live('A1', 0),
      history([old('A1', 0), oldOut('A2', 10), old('A3', 20, { id: undefined })]),
      history([old('A1', 0)], { order: 2 }),
      live('S', 30, { from: '5511900000000', to: ANA }),
    ];
    const replayed = await replayBodies(store, log);

    const checked = await runCheck(store, 'raw_log');
    expect(checked.result).toMatchObject({
      status: 'ok',
      checked: replayed.messages.seen,
      missing: 0,
      found: 0,
    });
    expect(checked.items.map(({ sign, subject, detail }) => [sign, subject, detail])).toEqual(
      expect.arrayContaining([
        ['=', wamid('A1'), 'stdin:1'],
        ['=', wamid('A2'), 'stdin:2'],
      ]),
    );
    expect(checked.items.filter(({ subject }) => subject === wamid('A1'))).toHaveLength(1);
    expect(checked.items.every(({ sign }) => sign === '=')).toBe(true);
  });

  it('M1: misses a message that was deleted, once however many entries tell it, and says where it came from', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 10), history([old('A1', 0)])]);
    await damage(store, `delete from messages where external_id = $1`, wamid('A1'));

    const checked = await runCheck(store, 'raw_log');
    expect(faults(checked)).toEqual([`+ ${wamid('A1')} stdin:1`]);
    expect(checked.result).toMatchObject({
      status: 'findings',
      found: 1,
      missing: 1,
      summary: '3 message items in 3 entries: 1 in the database, 2 missing (1 message)',
      remedy: 'wa-reconcile replay --all',
      samples: [{ connection: '+5511900000000', subject: wamid('A1'), detail: 'stdin:1' }],
    });
  });

  backend.once('says the id in the log where no file is known', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    await damage(store, `update webhook_log set origin = null`);
    await damage(store, `delete from messages`);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([
      expect.stringMatching(/^\+ wamid\S+ log:[0-9a-f-]{36}$/),
    ]);
  });

  backend.once('finds three of thousands', async () => {
    const store = await backend.open();
    const chunk = (start: number): object =>
      history(Array.from({ length: 900 }, (_, index) => old(`H${start + index}`, start + index)));
    await replayBodies(store, [0, 900, 1800].map(chunk));
    const lost = ['H5', 'H1000', 'H2699'].map((key) => wamid(key));
    for (const id of lost) await damage(store, `delete from messages where external_id = $1`, id);

    const checked = await runCheck(store, 'raw_log');
    expect(checked.result).toMatchObject({ checked: 2700, missing: 3 });
    expect(faults(checked)).toEqual(lost.map((id, index) => `+ ${id} stdin:${index + 1}`));
  });

  backend.once('sees a message that was moved to another lead', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('B1', 0, { from: BRU })]);
    await damage(
      store,
      `update messages m set conversation_id = o.conversation_id, lead_id = o.lead_id
       from messages o where m.external_id = $1 and o.external_id = $2`,
      wamid('A1'),
      wamid('B1', BRU),
    );
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([
      `* ${wamid('A1')} stdin:1: is with another lead, and no rejection explains it`,
    ]);
  });

  backend.once(
    'M2: sees a text that was blanked, media that are gone, and a better copy that was never merged',
    async () => {
      const store = await backend.open();
      const image = { type: 'image', text: undefined, image: { id: 'm1', mime_type: 'image/jpeg' } };
      const worse = { type: 'unsupported', text: undefined, errors: [{ code: 131_060 }] };
      await replayBodies(store, [
        live('A1', 0),
        live('A2', 10, image),
        live('A3', 20, worse),
        history([old('A3', 20)]),
        live('A4', 30),
      ]);
      await damage(store, `update messages set body = null where external_id = $1`, wamid('A1'));
      await damage(store, `update messages set media = null where external_id = $1`, wamid('A2'));
      await damage(
        store,
        `update messages set type = 'unsupported', body = 'Error 131060', evidence = (evidence & ~4080) | 1136 where external_id = $1`,
        wamid('A3'),
      );
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([
        `* ${wamid('A1')} stdin:1: differs in body`,
        `* ${wamid('A2')} stdin:2: differs in media`,
        `* ${wamid('A3')} stdin:4: differs in type, body`,
      ]);
    },
  );

  backend.once('M2: sees a direction and a time that were changed', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), echo('A2', 10), history([old('A3', 20)])]);
    await damage(store, `update messages set direction = 'OUTBOUND' where external_id = $1`, wamid('A1'));
    await damage(store, `update messages set direction = 'INBOUND' where external_id = $1`, wamid('A2'));
    await damage(
      store,
      `update messages set timestamp = timestamp + interval '1 day' where external_id = $1`,
      wamid('A3'),
    );
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([
      `* ${wamid('A1')} stdin:1: differs in direction (OUTBOUND, the log says INBOUND)`,
      `* ${wamid('A2')} stdin:2: differs in direction (INBOUND, the log says OUTBOUND)`,
      `* ${wamid('A3')} stdin:3: differs in time`,
    ]);
  });

  backend.once('M4: takes no side where two entries contradict each other about a direction', async () => {
    const store = await backend.open();
    await replayBodies(store, [history([old('A1', 0)]), history([oldOut('A1', 0)], { order: 2 })]);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
  });

  backend.once(
    'M3: sees a status that stepped down, whether a status or the message itself had told it',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [echo('A1', 0), status('A1', 'read', 5), history([oldOut('A2', 10)])]);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
      await damage(store, `update messages set status = 'sent'`);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([
        `* ${wamid('A2')} stdin:3: differs in status (sent, the log says read)`,
        `* ${wamid('A1')} stdin:2: status read is neither applied nor pending`,
      ]);
    },
  );

  backend.once('M5: sees an edit, a revoke and a reaction that are undone', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A1', 0),
      edit('A1', 'A1e', 5, { type: 'text', text: { body: 'melhor' } }),
      live('A2', 10),
      revoke('A2', 15),
      live('A3', 20),
      reaction('A3', 25, '👍'),
    ]);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    await damage(
      store,
      `update messages set edited_at = null, edit_external_id = null, body = 'A1' where external_id = $1`,
      wamid('A1'),
    );
    await damage(
      store,
      `update messages set deleted_at = null, body = 'A2' where external_id = $1`,
      wamid('A2'),
    );
    await damage(store, `delete from message_revisions`);
    await damage(store, `update message_reactions set at = at - interval '1 minute', emoji = '😀'`);
    const checked = await runCheck(store, 'raw_log');
    expect(faults(checked)).toEqual([
      `* ${wamid('A1')} stdin:2: edit is neither applied nor pending`,
      `* ${wamid('A2')} stdin:4: revoke is neither applied nor pending`,
      `* ${wamid('A3')} stdin:6: reaction is neither applied nor pending`,
    ]);
    expect(checked.result.summary).toContain('3 other items are unaccounted for');
  });

  backend.once('M3: finds what waits for its message, and misses it when it waits no more', async () => {
    const store = await backend.open();
    await replayBodies(store, [status('A1', 'read', 5), revoke('A2', 6), reaction('A3', 7, '👍')]);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    await damage(store, `delete from pending_facts where kind = 'status'`);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([
      `* ${wamid('A1')} stdin:1: status read is neither applied nor pending`,
    ]);
  });

  backend.once('tells a lost message, and not its statuses besides', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      ...Array.from({ length: 3 }, (_, chunk) =>
        history(
          Array.from({ length: 500 }, (_x, index) => oldOut(`H${chunk * 500 + index}`, index)),
          { order: chunk + 1 },
        ),
      ),
      status('H1', 'played', 900),
    ]);
    await damage(store, `delete from messages where external_id = $1`, wamid('H1'));
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([`+ ${wamid('H1')} stdin:1`]);
  });

  backend.once('M7: wants a reject on record for what was rejected', async () => {
    const store = await backend.open();
    await replayBodies(store, [history([old('A1', 0, { id: undefined }), old('A2', 5)])]);
    expect((await runCheck(store, 'raw_log')).result.summary).toBe(
      '2 message items in 1 entry: 1 in the database, 1 rejected',
    );
    await damage(store, `delete from rejects`);
    const checked = await runCheck(store, 'raw_log');
    expect(faults(checked)).toEqual([
      '+ $.entry[0].changes[0].value.history[0].threads[0].messages[0] stdin:1: message rejected (missing_id), and not on record',
    ]);
    expect(checked.result.missing).toBe(1);
  });

  backend.once('M9: wants a reject on record for the loser of an id', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('B1', 0, { from: BRU, id: wamid('A1') })]);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
    await damage(store, `delete from rejects`);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([
      `* ${wamid('A1')} stdin:2: is with another lead, and no rejection explains it`,
    ]);
  });

  backend.once(
    'M10: finds what WhatsApp Web told under the wamid, and sees when it is there under both',
    async () => {
      const store = await backend.open();
      await addConnection(store);
      await replayBodies(store, [
        webHistory([webMessage('3AKEY', 0)], { lidPnMappings: [] }),
        live('3AKEY', 1),
        webLive('3AOTHER', 50),
      ]);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
      await damage(
        store,
        `insert into messages (timestamp, evidence, is_sync_initial, id, connection_id, conversation_id, lead_id, batch_id,
         external_id, stanza_id, direction, type, source, sync_source, body, status)
       select timestamp, evidence, is_sync_initial, gen_random_uuid(), connection_id, conversation_id, lead_id, batch_id,
         stanza_id, stanza_id, direction, type, source, sync_source, body, status
       from messages where external_id = $1`,
        wamid('3AKEY'),
      );
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([
        `* 3AKEY stdin:1: is a duplicate, also stored as ${wamid('3AKEY')}`,
      ]);
    },
  );

  backend.once('I2: finds who is known by a LID or a BSUID only', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [
      webLive('3ALID', 0, {}, { remoteJid: ANA_LID }),
      live('A2', 0, { from: undefined, from_user_id: 'BR.20000000000000000003' }),
    ]);
    expect((await runCheck(store, 'raw_log')).result).toMatchObject({ status: 'ok', checked: 2 });
  });

  backend.once(
    'M6: looks for what --include brought in, and wants nothing of it that was not asked for',
    async () => {
      const store = await backend.open();
      await addConnection(store);
      const inGroup = (key: string): object =>
        webLive(key, 0, {}, { remoteJid: GROUP, participant: `${ANA}@s.whatsapp.net` });
      await replayBodies(store, [inGroup('3AOUT')]);
      await replayBodies(store, [inGroup('3AIN')], {
        include: new Set(['group']),
        recordedOptions: { include: ['group'] },
      });
      expect((await runCheck(store, 'raw_log')).result).toMatchObject({
        status: 'ok',
        summary: '2 message items in 2 entries: 1 in the database, 1 skipped',
      });
      await damage(store, `delete from messages`);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual(['+ 3AIN stdin:1']);
    },
  );

  backend.once('H1: tells entries of an unknown connection, and how to name it', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5)], { register: false });
    const checked = await runCheck(store, 'raw_log');
    expect(faults(checked)).toEqual([
      expect.stringMatching(/^! log:\S+ stdin:1: unknown connection \(800000000000001\), 1 message item$/),
      expect.stringMatching(/^! log:\S+ stdin:2: unknown connection \(800000000000001\), 1 message item$/),
    ]);
    expect(checked.result).toMatchObject({
      status: 'findings',
      missing: 0,
      remedy: 'wa-reconcile replay --register',
    });
  });

  backend.once('H1: finds what names no connection under the one that --connection named', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', phoneNumberId: '1' });
    await addConnection(store, { name: 'outra', number: '+5511900000099', phoneNumberId: '2' });
    const bare = { messaging_product: 'whatsapp', messages: [item('A1', 0)] };
    const body = { field: 'messages', value: bare };
    const options = { connection: 'loja', recordedOptions: { connection: 'loja' } };
    expect((await replayBodies(store, [body], options)).messages.created).toBe(1);
    expect((await runCheck(store, 'raw_log')).result).toMatchObject({ status: 'ok', checked: 1 });
  });

  it('tells an entry that is pending or failed as such, and none of its messages as missing', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5)]);
    await damage(store, `delete from messages where external_id = $1`, wamid('A1'));
    await damage(
      store,
      `update webhook_log set status = 'pending', error = 'requeued' where origin = 'stdin:1'`,
    );
    const pending = await runCheck(store, 'raw_log');
    expect(faults(pending)).toEqual([
      expect.stringMatching(/^! log:\S+ stdin:1: pending \(requeued\), 1 message item$/),
    ]);
    expect(pending.result).toMatchObject({
      missing: 0,
      remedy: 'wa-reconcile replay',
      summary: '2 message items in 2 entries: 1 in the database, 1 pending; 1 pending entry',
    });

    await damage(store, `update webhook_log set status = 'failed', error = 'boom' where origin = 'stdin:1'`);
    const failed = await runCheck(store, 'raw_log');
    expect(faults(failed)).toEqual([
      expect.stringMatching(/^! log:\S+ stdin:1: failed before, can be read now, 1 message item$/),
    ]);
    expect(failed.result.remedy).toBe('wa-reconcile replay --failed');
  });

  backend.once('E1: notes what nobody can read, and wakes nobody for it', async () => {
    const store = await backend.open();
    await replayBodies(store, ['{"object":"whatsapp_business_account","ent', { app: 'x', version: 2 }]);
    const checked = await runCheck(store, 'raw_log');
    expect(checked.result).toMatchObject({
      status: 'note',
      found: 2,
      missing: 0,
      remedy: null,
      summary: '0 message items in 2 entries; 1 unreadable entry; 1 part in an unknown format',
    });
    expect(faults(checked)).toEqual([
      expect.stringMatching(/^! log:\S+ stdin:1: the JSON ends early/),
      expect.stringMatching(/^! log:\S+ stdin:2: /),
    ]);
  });

  backend.once('V2: what was imported and cannot be read any more is lost', async () => {
    const store = await backend.open();
    await replayBodies(store, ['{"object":"whatsapp_business_account","ent']);
    await damage(store, `update webhook_log set status = 'processed', error = null`);
    const checked = await runCheck(store, 'raw_log');
    expect(checked.result).toMatchObject({
      status: 'findings',
      severity: 'loss',
      found: 1,
      summary: '0 message items in 1 entry; 1 imported entry cannot be read any more',
    });
    expect(faults(checked)).toEqual([
      expect.stringMatching(/^! log:\S+ stdin:1: was imported, and cannot be read any more: the JSON ends/),
    ]);
  });

  it('looks at one connection, or at what came since, when asked to', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 5, {}, SECOND)]);
    await damage(store, `delete from messages`);
    await damage(store, `update webhook_log set received_at = '2025-01-01Z' where origin = 'stdin:1'`);
    expect(faults(await runCheck(store, 'raw_log'))).toHaveLength(2);
    expect(faults(await runCheck(store, 'raw_log', { connection: '+5511900000000' }))).toEqual([
      `+ ${wamid('A1')} stdin:1`,
    ]);
    const since = Date.parse('2025-06-01T00:00:00Z');
    expect(faults(await runCheck(store, 'raw_log', { since }))).toEqual([`+ ${wamid('A2')} stdin:2`]);
  });

  backend.once('I4: accounts for a thread with the business itself', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      webhook('history', {
        history: [
          {
            metadata: { phase: 0, chunk_order: 1, progress: 5 },
            threads: [{ id: '5511900000000', messages: [old('S', 0, { from: '5511900000000' })] }],
          },
        ],
      }),
    ]);
    expect((await runCheck(store, 'raw_log')).result).toMatchObject({
      status: 'ok',
      summary: '1 message item in 1 entry: 1 skipped',
    });
  });

  it('ends soon after it is interrupted', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    const { result } = await runCheck(store, 'raw_log', { signal: AbortSignal.abort() });
    expect(result.checked).toBe(0);
  });
});
