import { expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { expectOneDatabase } from '../support/orders.js';
import { replayFiles, sample } from '../support/replaying.js';
import { select, tickets } from '../support/shown.js';
import { ANA, live, status, T0, wamid } from '../support/webhooks.js';

const prepare = (store: Store): Promise<void> => addConnection(store);
const JID = `${ANA}@s.whatsapp.net`;

/** A message as it lies in the database of the business's phone. */
function exported(
  key: string,
  at: number,
  parts: Record<string, JsonValue> = {},
  type = 'android',
): JsonObject {
  return {
    whatsapp_chat_exporter: { chat: JID, type },
    row: key,
    message: {
      from_me: false,
      timestamp: T0 + at,
      media: false,
      key_id: key,
      meta: false,
      data: key,
      mime: null,
      message_type: 0,
      sticker: false,
      reactions: {},
      ...parts,
    },
  };
}

function messages(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    'select external_id as id, direction, type, body, source, status from messages order by timestamp, external_id',
  );
}

describeOnServer('exports from a phone', (backend) => {
  it('the JSON of WhatsApp-Chat-Exporter becomes history: leads and messages, no tickets', async () => {
    const store = await backend.open();
    await prepare(store);
    const path = sample('exports/whatsapp-chat-exporter-result.json');
    const run = await replayFiles(store, [path], { connection: 'loja' });
    expect(run).toMatchObject({
      status: 'completed',
      entries: { read: 4, processed: 4 },
      messages: { created: 3 },
    });
    expect(await messages(store)).toEqual([
      {
        id: '3EB0A1B2C3D4E5F60001',
        direction: 'INBOUND',
        type: 'text',
        body: 'Bom dia, ainda tem vaga?',
        source: 'history',
        status: null,
      },
      {
        id: '3EB0A1B2C3D4E5F60003',
        direction: 'OUTBOUND',
        type: 'text',
        body: 'Tem sim!',
        source: 'history',
        status: null,
      },
      {
        id: 'AC5D0000000000000000000000000002',
        direction: 'INBOUND',
        type: 'image',
        body: 'Comprovante',
        source: 'history',
        status: null,
      },
    ]);
    expect(await tickets(store)).toEqual([]);
    expect(await select(store, 'select phone_number as phone, push_name as name, source from leads')).toEqual(
      [{ phone: '+5511988880001', name: 'Lia Campos', source: 'history_sync' }],
    );
    const again = await replayFiles(store, [path], { connection: 'loja' });
    expect(again).toMatchObject({
      entries: { duplicate: 4 },
      messages: { created: 0, updated: 0, unchanged: 3 },
    });
  });

  it('the database of wacli becomes history: edits, revokes, reactions, places, and no tickets', async () => {
    const store = await backend.open();
    await prepare(store);
    const path = sample('exports/wacli.db');
    const run = await replayFiles(store, [path], { connection: 'loja' });
    expect(run).toMatchObject({
      status: 'completed',
      entries: { read: 15 },
      messages: { created: 10, skipped: { group: 1, stub: 1 } },
      edits: { applied: 1 },
      revokes: { applied: 1 },
      reactions: { applied: 1 },
    });
    expect(
      await select(
        store,
        `select right(external_id, 4) as id, type, body, edited_at is not null as edited, deleted_at is not null as deleted
         from messages order by timestamp`,
      ),
    ).toEqual([
      { id: '0001', type: 'text', body: 'Bom dia,\nainda tem vaga?', edited: false, deleted: false },
      { id: '0003', type: 'text', body: 'Tem sim!', edited: false, deleted: false },
      { id: '0002', type: 'image', body: 'Comprovante', edited: false, deleted: false },
      { id: '0005', type: 'text', body: 'as 11h', edited: true, deleted: false },
      { id: '0006', type: 'text', body: null, edited: false, deleted: true },
      { id: '0008', type: 'location', body: 'Loja — Rua A, 1', edited: false, deleted: false },
      { id: '0009', type: 'poll', body: 'Que dia?\n• seg\n• ter', edited: false, deleted: false },
      { id: '000A', type: 'text', body: 'oi', edited: false, deleted: false },
      { id: '000C', type: 'audio', body: null, edited: false, deleted: false },
      { id: '000D', type: 'text', body: 'ainda no log de escrita', edited: false, deleted: false },
    ]);
    expect(await tickets(store)).toEqual([]);
    const again = await replayFiles(store, [path], { connection: 'loja' });
    expect(again).toMatchObject({
      entries: { duplicate: 15 },
      messages: { created: 0, updated: 0, unchanged: 10 },
    });
  });

  it('M10: a message of an iPhone’s own database and its webhook are one row, in any order', async () => {
    const store = await expectOneDatabase(
      backend,
      [
        live('3A0000000000000001', 0, { text: { body: 'oi' } }),
        {
          ios_chat_storage: 'messages',
          row: {
            ZCONTACTJID: JID,
            ZSTANZAID: '3A0000000000000001',
            ZISFROMME: 0,
            ZMESSAGEDATE: T0 - 978_307_200 + 1.5,
            ZMESSAGETYPE: 0,
            ZTEXT: 'oi',
          },
        },
      ],
      { prepare, connection: 'loja' },
    );
    expect(await messages(store)).toMatchObject([
      { id: wamid('3A0000000000000001'), body: 'oi', source: 'live' },
    ]);
  });

  it('without a connection it stays pending, and says so', async () => {
    const store = await backend.open();
    await prepare(store);
    const run = await replayFiles(store, [sample('exports/whatsapp-chat-exporter-result.json')]);
    expect(run).toMatchObject({
      status: 'partial',
      messages: { created: 0, skipped: { unknown_connection: 3 } },
    });
  });

  it('M2, M10: a webhook and the phone’s copy of its message are one row, in any order', async () => {
    const store = await expectOneDatabase(
      backend,
      [
        live('K1', 0, { text: { body: 'a\nb <br> c' } }),
        exported('K1', 1, { data: 'a <br>b <br> c', reactions: { 'Lia Campos': '❤️' } }),
        status('K2', 'delivered', 30),
        exported('K2', 10, { from_me: true, read_timestamp: '2025/09/16 05:21' }),
      ],
      { prepare, connection: 'loja' },
    );
    expect(await messages(store)).toMatchObject([
      { id: wamid('K1'), body: 'a\nb <br> c', source: 'live' },
      { id: 'K2', direction: 'OUTBOUND', body: 'K2', source: 'history', status: 'read' },
    ]);
    expect(
      await select(store, 'select target_external_id as id, reactor, emoji from message_reactions'),
    ).toEqual([{ id: wamid('K1'), reactor: 'customer', emoji: '❤️' }]);
    expect(await tickets(store)).toHaveLength(1);
  });
});
