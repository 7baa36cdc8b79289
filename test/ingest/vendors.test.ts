import { expect, it } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayBodies } from '../support/replaying.js';
import { offset, select, tickets, value } from '../support/shown.js';
import {
  evolution,
  evolutionCloud,
  gupshup,
  gupshupLive,
  healthyDays,
  turn,
  waha,
  wahaId,
  wahaLive,
} from '../support/vendor-bodies.js';
import { ANA, BUSINESS, live, T0, wamid, webEvent, webLive } from '../support/webhooks.js';

const prepare = (store: Store): Promise<void> => addConnection(store);
const options = { prepare, connection: 'loja' };
const NOTHING_WRONG = { partial: 0, failed: 0, unrecognized: 0, pending: 0 };

/** Seconds after the first message, as a text. */
function at(seconds: number): string {
  return new Date((T0 + seconds) * 1000).toISOString();
}

function rows(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select external_id as id, stanza_id as stanza, body, status, edited_at is not null as edited,
       deleted_at is not null as deleted from messages order by timestamp, external_id`,
  );
}

describeOnServer('what vendors send reaches the messages that WhatsApp means', (backend) => {
  it('M10: WAHA’s, Baileys’ and Meta’s copies are one row', async () => {
    const store = await expectOneDatabase(
      backend,
      [live('K1', 0), webLive('K1', 0), wahaLive('K1', 0)],
      options,
    );
    expect(await rows(store)).toMatchObject([{ id: wamid('K1'), stanza: 'K1', body: 'K1' }]);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M10: so are Turn.io’s, Gupshup’s and those of Evolution API’s Cloud instances', async () => {
    const bodies = [
      turn('K1', 0),
      gupshupLive(wamid('K1'), 'K1', 0),
      evolutionCloud(wamid('K1'), 'K1', 0),
      wahaLive('K1', 0),
    ];
    const store = await expectOneDatabase(backend, bodies, options);
    expect(await rows(store)).toMatchObject([{ id: wamid('K1'), stanza: 'K1', body: 'K1' }]);
    expect(await tickets(store)).toHaveLength(1);
  });

  it('M2: a picture by an Evolution API Cloud instance and by Meta is one picture with its file', async () => {
    const image = { id: '1001', mime_type: 'image/jpeg', sha256: 'AQI=', caption: 'Recibo' };
    const copy = evolution('messages.upsert', {
      key: { id: wamid('K1'), remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false },
      message: { imageMessage: image },
      messageTimestamp: T0,
    });
    const bodies = [live('K1', 0, { type: 'image', text: undefined, image }), copy];
    const store = await expectOneDatabase(backend, bodies, options);
    expect(await select(store, `select type, body, media ->> 'id' as file from messages`)).toEqual([
      { type: 'image', body: 'Recibo', file: '1001' },
    ]);
  });

  it.each(['with the message that brings them', 'alone'])(
    'M5: edits and revokes of messages.update, %s',
    async (how) => {
      const chat = `${ANA}@s.whatsapp.net`;
      const key = (id: string): JsonObject => ({ remoteJid: chat, fromMe: false, id });
      const protocol = (id: string, at: number, message: JsonObject): JsonObject =>
        webLive(id, at, { message: { protocolMessage: message } });
      const updates = webEvent('messages.update', [
        {
          key: key('K1'),
          update: {
            message: { editedMessage: { message: { conversation: 'agora' } } },
            messageTimestamp: T0 + 8,
          },
        },
        { key: key('K2'), update: { message: null, messageStubType: 1, key: key('P2') } },
      ]);
      const edit = { key: key('K1'), type: 14, editedMessage: { conversation: 'agora' } };
      const brought = [
        protocol('P1', 8, { ...edit, timestampMs: (T0 + 8) * 1000 + 123 }),
        protocol('P2', 9, { key: key('K2'), type: 0 }),
      ];
      const isAlone = how === 'alone';
      const bodies = [webLive('K1', 0), webLive('K2', 1), updates, ...(isAlone ? [] : brought)];
      const store = await expectOneDatabase(backend, bodies, options);
      expect(await rows(store)).toMatchObject([
        { id: 'K1', body: 'agora', edited: true, deleted: false },
        { id: 'K2', body: null, edited: false, deleted: true },
      ]);
      const versions = await select(store, `select version, body from message_revisions order by body`);
      expect(versions).toEqual([
        { version: 'original', body: 'K1' },
        { version: 'original', body: 'K2' },
      ]);
      if (isAlone) return;
      // As if the events had never come.
      const shown = `select edited_at, edit_external_id, deleted_at from messages order by external_id`;
      const plain = await backend.open();
      await prepare(plain);
      await replayBodies(plain, [webLive('K1', 0), webLive('K2', 1), ...brought], { connection: 'loja' });
      expect(await select(store, shown)).toEqual(await select(plain, shown));
    },
  );

  it('M2: a template and a card are one body each, by Meta and by WhatsApp Web', async () => {
    const components: JsonObject[] = [
      { type: 'BODY', text: 'Olá' },
      { type: 'BUTTONS', buttons: [{ type: 'QUICK_REPLY', text: 'Quero' }] },
      { type: 'FOOTER', text: 'SAIR' },
    ];
    const hydratedTemplate = {
      hydratedContentText: 'Olá',
      hydratedFooterText: 'SAIR',
      hydratedButtons: [{ quickReplyButton: { displayText: 'Quero', id: '1' } }],
    };
    const contacts = [{ name: { formatted_name: 'Zé' }, phones: [{ phone: '+55 11 90000-0055' }] }];
    const vcard = 'BEGIN:VCARD\nFN:Zé\nTEL;waid=5511900000055:+55 11 90000-0055\nEND:VCARD';
    const bodies = [
      live('K1', 0, { type: 'template', text: undefined, template: { name: 'promo', components } }),
      webLive('K1', 0, { message: { templateMessage: { hydratedTemplate } } }),
      live('K2', 1, { type: 'contacts', text: undefined, contacts }),
      webLive('K2', 1, {
        message: { contactsArrayMessage: { displayName: 'Zé', contacts: [{ displayName: 'Zé', vcard }] } },
      }),
    ];
    const store = await expectOneDatabase(backend, bodies, options);
    expect(await rows(store)).toMatchObject([
      { id: wamid('K1'), body: 'Olá\nSAIR\n• Quero' },
      { id: wamid('K2'), body: 'Zé: +55 11 90000-0055' },
    ]);
  });

  it('M5: a customer’s edit finds its message by Evolution API, which names the business as the chat', async () => {
    const protocol = {
      key: { remoteJid: `${BUSINESS}@s.whatsapp.net`, fromMe: true, id: 'K1' },
      type: 14,
      editedMessage: { conversation: 'agora' },
      timestampMs: (T0 + 8) * 1000,
    };
    const store = await expectOneDatabase(
      backend,
      [live('K1', 0), evolution('messages.edited', protocol)],
      options,
    );
    expect(await rows(store)).toMatchObject([{ id: wamid('K1'), body: 'agora', edited: true }]);
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);
  });

  it('M3, M5: acks, reactions, edits and revokes of WAHA change the message that Meta sent', async () => {
    const store = await expectOneDatabase(
      backend,
      [
        live('K1', 0),
        waha('message.ack', { id: wahaId('K1'), ack: 3 }, 1),
        waha(
          'message.reaction',
          { id: wahaId('R1', true), timestamp: T0 + 2, reaction: { text: '👍', messageId: wahaId('K1') } },
          2,
        ),
        waha(
          'message.edited',
          { id: wahaId('E1'), timestamp: T0 + 3, body: 'agora', editedMessageId: 'K1' },
          3,
        ),
        waha('message.revoked', { after: { id: wahaId('X1') }, revokedMessageId: 'K1' }, 4),
      ],
      options,
    );
    expect(await rows(store)).toMatchObject([
      { id: wamid('K1'), status: 'read', edited: true, deleted: true },
    ]);
    expect(await select(store, 'select reactor, emoji from message_reactions')).toEqual([
      { reactor: 'business', emoji: '👍' },
    ]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
  });

  it.each<[string, JsonObject[], number]>([
    ['that says no time', [{}], 0],
    ['of a clock that is hours behind', [{ date_time: at(-10_800) }], 0],
    ['of two clocks, one of which is behind', [{ date_time: at(-10_800) }, { ts: T0 + 60 }], 60],
    ['of the second of the message, and of a later one', [{ ts: T0 }, { ts: T0 + 60 }], 60],
    ['that says no time, and of one that does', [{}, { ts: T0 + 60 }, { ts: T0 + 90 }], 60],
  ])('M5: no message is revoked before it is sent: a revoke %s', async (_what, clocks, expected) => {
    const key = { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: 'K1' };
    const update = { key, update: { message: null, messageStubType: 1 } };
    const revokes = clocks.map((clock) => ({
      event: 'messages.update',
      instance: 'loja',
      data: [update],
      ...clock,
    }));
    const store = await expectOneDatabase(backend, [live('K1', 0), ...revokes], options);
    expect(await select(store, `select ${offset('deleted_at')} as deleted from messages`)).toEqual([
      { deleted: expected },
    ]);
  });

  it('M5: the status deleted revokes, whichever came first', async () => {
    const deleted = gupshup('message-event', {
      id: wamid('K1'),
      type: 'deleted',
      destination: ANA,
      payload: { ts: T0 + 6 },
    });
    const store = await expectOneDatabase(backend, [live('K1', 0), deleted], options);
    expect(await rows(store)).toMatchObject([{ id: wamid('K1'), deleted: true }]);
  });

  it.each(healthyDays((key) => wamid(key)))(
    'a day of %s leaves nothing to complain of',
    async (_vendor, log) => {
      const store = await backend.open();
      await addConnection(store);
      const { entries, problems } = await replayBodies(store, log, { connection: 'loja' });
      expect(problems).toEqual([]);
      expect(entries).toMatchObject(NOTHING_WRONG);
      expect(await value(store, 'select count(*)::int from messages')).toBeGreaterThan(0);
      expect(await value(store, 'select count(*)::int from pending_facts')).toBe(0);
      expect(
        await value(
          store,
          `select count(*)::int from webhook_log where status not in ('processed', 'ignored')`,
        ),
      ).toBe(0);
    },
  );
});
