import { describe, expect, it } from 'vitest';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { offset, select, tickets, value } from '../support/shown.js';
import {
  ANA,
  BRU,
  echo,
  history,
  item,
  live,
  old,
  status,
  T0,
  wamid,
  webEvent,
  webHistory,
  webLive,
  webMessage,
  webhook,
} from '../support/webhooks.js';

const prepare = (store: Store): Promise<void> => addConnection(store);
const options = { prepare };

function ids(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    'select external_id as id, stanza_id as stanza, direction from messages order by timestamp, external_id',
  );
}

const jid = `${ANA}@s.whatsapp.net`;

describeOnServer('one message by both of its names', (backend) => {
  it('M10: a wamid and its key id are one row under the wamid', async () => {
    const store = await expectOneDatabase(backend, [live('K1', 0), webLive('K1', 0)], options);
    expect(await ids(store)).toEqual([{ id: wamid('K1'), stanza: 'K1', direction: 'INBOUND' }]);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M10, T1: opens the ticket also when the wamid turns out to be the live message only later in its batch', async () => {
    // The follow-up is too late to be a twin; the history chunk then moves its row to where it is one.
    const picture = { text: undefined, type: 'image', image: { id: 'media-1', mime_type: 'image/jpeg' } };
    const store = await expectOneDatabase(
      backend,
      [webLive('K1', 0), webhook('history', { messages: [item('K1', 9, picture)] }), history([old('K1', 0)])],
      options,
    );
    expect(await ids(store)).toEqual([{ id: wamid('K1'), stanza: 'K1', direction: 'INBOUND' }]);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M10: history of both kinds gives one row', async () => {
    const store = await expectOneDatabase(
      backend,
      [history([old('K1', 0)]), webHistory([webMessage('K1', 0)])],
      options,
    );
    expect(await ids(store)).toHaveLength(1);
    expect(await tickets(store)).toEqual([]);
  });

  it('M10: an echo and what WhatsApp Web sent are one row', async () => {
    const store = await expectOneDatabase(
      backend,
      [echo('K1', 0), webLive('K1', 0, {}, { fromMe: true })],
      options,
    );
    expect(await ids(store)).toEqual([{ id: wamid('K1'), stanza: 'K1', direction: 'OUTBOUND' }]);
  });

  it('M10: times may differ by two seconds', async () => {
    const store = await expectOneDatabase(backend, [live('K1', 2), webLive('K1', 0)], options);
    expect(await ids(store)).toHaveLength(1);
    expect(await select(store, `select ${offset('timestamp')} as at from messages`)).toEqual([{ at: 0 }]);
  });

  it('M10: three seconds apart they stay two', async () => {
    const store = await expectOneDatabase(backend, [live('K1', 3), webLive('K1', 0)], options);
    expect(await ids(store)).toHaveLength(2);
  });

  it('M10: in the other direction they stay two', async () => {
    const store = await expectOneDatabase(
      backend,
      [live('K1', 0), webLive('K1', 0, {}, { fromMe: true })],
      options,
    );
    expect(await ids(store)).toHaveLength(2);
  });

  it('M10: a wamid that does not decode merges with nothing', async () => {
    const store = await expectOneDatabase(
      backend,
      [live('K1', 0, { id: 'wamid.opaque' }), webLive('K1', 0)],
      options,
    );
    expect(
      await select(store, 'select external_id as id, stanza_id as stanza from messages order by 1'),
    ).toEqual([
      { id: 'K1', stanza: 'K1' },
      { id: 'wamid.opaque', stanza: null },
    ]);
  });

  it('M10: two wamids with one stanza id are two messages', async () => {
    const store = await expectOneDatabase(
      backend,
      [live('K1', 0), live('K1', 0, { id: wamid('K1', BRU) })],
      options,
    );
    expect(await ids(store)).toHaveLength(2);
  });

  it('M10: the wamid’s media id and the file’s keys of WhatsApp Web meet in one row', async () => {
    const picture = { imageMessage: { mimetype: 'image/jpeg', caption: 'foto', mediaKey: 'AAAA' } };
    const store = await expectOneDatabase(
      backend,
      [
        live('K1', 0, { type: 'image', text: undefined, image: { id: 'M1', mime_type: 'image/jpeg' } }),
        webLive('K1', 0, { message: picture }),
      ],
      options,
    );
    expect(await select(store, `select type, body, media->>'id' as media from messages`)).toEqual([
      { type: 'image', body: 'foto', media: 'M1' },
    ]);
  });

  it('M10: a status by wamid reaches a message that came by its key id', async () => {
    const store = await expectOneDatabase(
      backend,
      [webLive('K1', 0, {}, { fromMe: true }), status('K1', 'read', 9), echo('K1', 1)],
      options,
    );
    expect(await select(store, 'select external_id as id, status from messages')).toEqual([
      { id: wamid('K1'), status: 'read' },
    ]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });

  describe('facts that name the key id', () => {
    const key = { remoteJid: jid, fromMe: false, id: 'K1' };
    const webReaction = webEvent('messages.reaction', [
      {
        key,
        reaction: { key: { ...key, fromMe: true, id: 'X' }, text: '👍', senderTimestampMs: (T0 + 30) * 1000 },
      },
    ]);
    const webEdit = webLive('X2', 60, {
      message: {
        protocolMessage: {
          key,
          type: 'MESSAGE_EDIT',
          editedMessage: { conversation: 'corrigida' },
          timestampMs: String((T0 + 60) * 1000),
        },
      },
    });

    it('M10: a reaction by key id stands under the wamid', async () => {
      const store = await expectOneDatabase(backend, [webReaction, webLive('K1', 0), live('K1', 0)], options);
      expect(
        await select(store, 'select target_external_id as id, reactor, emoji from message_reactions'),
      ).toEqual([{ id: wamid('K1'), reactor: 'business', emoji: '👍' }]);
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    });

    it('M10: an edit by key id reaches a message that has only its wamid', async () => {
      const store = await expectOneDatabase(backend, [webEdit, live('K1', 0)], options);
      expect(await select(store, 'select external_id as id, body from messages')).toEqual([
        { id: wamid('K1'), body: 'corrigida' },
      ]);
      expect(await value(store, 'select body from message_revisions')).toBe('K1');
    });

    it('M10: edit, both names and a reaction in any order are one message', async () => {
      const store = await expectOneDatabase(
        backend,
        [webLive('K1', 0), webEdit, live('K1', 1), webReaction, status('K1', 'read', 50)],
        options,
      );
      expect(await select(store, 'select external_id as id, body, status from messages')).toEqual([
        { id: wamid('K1'), body: 'corrigida', status: 'read' },
      ]);
      expect(await value(store, 'select target_external_id from message_reactions')).toBe(wamid('K1'));
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
    });
  });

  it('M10: the ticket names the message that opened it by its wamid as soon as that is known', async () => {
    const store = await expectOneDatabase(
      backend,
      [webLive('K1', 0), live('K2', 60), live('K1', 0)],
      options,
    );
    expect(await select(store, `select opened_by_external_id as id from tickets`)).toEqual([
      { id: wamid('K1') },
    ]);
  });

  it('M10: the window of the ticket ends 24 h after the message, though its two copies differ by a second', async () => {
    const store = await expectOneDatabase(backend, [webLive('K1', 0), live('K1', 1)], options);
    expect(await tickets(store)).toMatchObject([{ opened: 0, window: 0 }]);
  });
});
