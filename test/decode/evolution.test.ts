import { describe, expect, it } from 'vitest';
import { encodeWamid } from '../../src/identity/wamid.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, ANA_LID, decode, GROUP, ofKind, sample, theOnly, toJson } from './baileys-builders.js';

const OWN = '5511900000000@s.whatsapp.net';
const AT = Date.UTC(2026, 8, 21, 11, 13, 20);
/** As Evolution API writes the time above in São Paulo. */
const LOCAL = '2026-09-21T08:13:20.512Z';
const LOCAL_AT = Date.UTC(2026, 8, 21, 8, 13, 20, 512);
const KEY = { remoteJid: ANA, fromMe: false, id: '3EB0A1' };
const LONG_TEXT = 'Olá! 🙂\nSegue a lista:\n- pão\n- "café"\n'.repeat(200);

function webhook(event: string, data: JsonValue, parts: JsonObject = {}): JsonObject {
  return {
    event,
    instance: 'loja',
    data,
    destination: 'https://hooks.example.test',
    date_time: LOCAL,
    sender: OWN,
    server_url: 'https://evo.example.test',
    apikey: null,
    ...parts,
  };
}

/** `timestampMs` as JSON has a protobuf Long. */
function longOf(ms: number): JsonObject {
  return { low: (ms % 2 ** 32) | 0, high: Math.floor(ms / 2 ** 32), unsigned: false };
}

describe('Evolution API: messages.edited and send.message.update', () => {
  it.each(['messages.edited', 'send.message.update', 'MESSAGES_EDITED', 'SEND_MESSAGE_UPDATE'])(
    'M5: %s with a protocol message is an edit',
    (name) => {
      const editedMessage = { extendedTextMessage: { text: LONG_TEXT } };
      const decoded = decode(webhook(name, { key: KEY, type: 14, editedMessage, timestampMs: longOf(AT) }));
      expect(decoded.unrecognized).toEqual([]);
      expect(decoded.facts).toEqual([
        {
          kind: 'edit',
          path: '$.data',
          targetExternalId: '3EB0A1',
          editId: `3EB0A1 ${AT}`,
          at: AT,
          content: { type: 'text', body: LONG_TEXT, media: undefined },
          counterpart: { phone: '+5511900000001' },
        },
      ]);
    },
  );

  it.each<[string, JsonObject]>([
    ['by the name of its type', { key: KEY, type: 'MESSAGE_EDIT', editedMessage: { conversation: 'oi' } }],
    ['without a type', { key: KEY, editedMessage: { conversation: 'oi' } }],
    ['one level deeper', { key: KEY, editedMessage: { message: { extendedTextMessage: { text: 'oi' } } } }],
    ['under update', { key: KEY, update: { editedMessage: { conversation: 'oi' } } }],
    [
      'inside a message',
      {
        key: { ...KEY, id: 'EDIT' },
        message: { protocolMessage: { key: KEY, type: 14, editedMessage: { conversation: 'oi' } } },
      },
    ],
    [
      'inside an edited message',
      {
        key: { ...KEY, id: 'EDIT' },
        message: {
          editedMessage: {
            message: { protocolMessage: { key: KEY, type: 14, editedMessage: { conversation: 'oi' } } },
          },
        },
      },
    ],
  ])('reads an edit %s', (_title, data) => {
    const timed = { ...data, messageTimestamp: AT / 1000 };
    expect(theOnly(decode(webhook('messages.edited', timed)), 'edit')).toMatchObject({
      targetExternalId: '3EB0A1',
      at: AT,
      content: { type: 'text', body: 'oi' },
    });
    expect(ofKind(decode(webhook('messages.edited', [timed, timed])), 'edit')).toMatchObject([
      { path: '$.data[0]' },
      { path: '$.data[1]' },
    ]);
  });

  it('M5: an edit under messages.update is that edit', () => {
    const editedMessage = { message: { extendedTextMessage: { text: 'oi' } } };
    const forms: JsonObject[] = [{ editedMessage }, { update: { editedMessage } }];
    for (const form of forms) {
      const data = { key: KEY, ...form };
      const decoded = decode(webhook('messages.update', data), { receivedAt: AT });
      expect(theOnly(decoded, 'edit')).toMatchObject({
        targetExternalId: '3EB0A1',
        at: AT,
        content: { body: 'oi' },
      });
    }
  });

  it('I4: a customer’s edit names the business as its chat; then nobody is named', () => {
    const data = {
      key: { ...KEY, remoteJid: OWN, fromMe: true },
      type: 14,
      editedMessage: { conversation: 'oi' },
    };
    for (const sender of [OWN, OWN.replace('@', ':12@'), null]) {
      const decoded = decode(webhook('messages.edited', data, { sender }), { receivedAt: AT });
      expect(theOnly(decoded, 'edit')).toMatchObject({ targetExternalId: '3EB0A1', at: AT, counterpart: {} });
    }
    const own = decode(webhook('messages.edited', { ...data, key: { ...KEY, fromMe: true } }));
    expect(theOnly(own, 'edit').counterpart).toEqual({ phone: '+5511900000001' });
  });

  it.each<[string, JsonObject]>([
    ['by number', { type: 0 }],
    ['by name', { type: 'REVOKE' }],
  ])('M5: a revoke comes the same way, its type %s', (_title, type) => {
    const decoded = decode(webhook('messages.edited', { key: KEY, ...type }));
    expect(decoded.facts).toEqual([
      {
        kind: 'revoke',
        path: '$.data',
        targetExternalId: '3EB0A1',
        // The log gives no better time than Evolution API's clock.
        at: LOCAL_AT,
        counterpart: { phone: '+5511900000001' },
      },
    ]);
    const timed = decode(webhook('messages.edited', { key: KEY, ...type }), { receivedAt: AT });
    expect(theOnly(timed, 'revoke').at).toBe(AT);
  });

  it.each<[string, JsonValue, string]>([
    ['a timer', { key: KEY, type: 'EPHEMERAL_SETTING', ephemeralExpiration: 86400 }, 'skipped:protocol'],
    ['a key share', { type: 'APP_STATE_SYNC_KEY_SHARE', appStateSyncKeyShare: {} }, 'skipped:protocol'],
    ['no content', { key: KEY, messageTimestamp: 1, instanceId: 'x' }, 'skipped:protocol'],
    [
      'an edit in a group',
      { key: { ...KEY, remoteJid: GROUP }, type: 14, editedMessage: {} },
      'skipped:group',
    ],
    [
      'an edit without a target',
      { key: { remoteJid: ANA }, type: 14, editedMessage: { conversation: 'x' } },
      'rejected:missing_target',
    ],
    ['a number', [7], 'rejected:not_an_object'],
  ])('%s makes no edit, and is accounted for', (_title, data, outcome) => {
    const decoded = decode(webhook('messages.edited', data));
    expect(decoded.unrecognized).toEqual([]);
    expect(
      decoded.facts.map((fact) => ('reason' in fact ? `${fact.kind}:${fact.reason}` : fact.kind)),
    ).toEqual([outcome]);
  });

  it('M7: without any time, a revoke is rejected', () => {
    const decoded = decode(webhook('messages.edited', { key: KEY, type: 0 }, { date_time: 'x' }));
    expect(theOnly(decoded, 'rejected')).toMatchObject({ subject: 'revoke', reason: 'bad_timestamp' });
  });
});

describe('Evolution API: messages.delete', () => {
  it.each<[string, JsonObject]>([
    ['a key', KEY],
    ['a key with a status', { ...KEY, status: 'DELETED', participant: '' }],
    [
      'the row of the message',
      {
        id: 'cm0000',
        instanceId: 'x',
        key: KEY,
        status: 'DELETED',
        messageTimestamp: 1790000000,
        message: { conversation: 'oi' },
      },
    ],
  ])('M5: %s is a revoke', (_title, data) => {
    const decoded = decode(webhook('messages.delete', data), { receivedAt: AT });
    expect(decoded.facts).toEqual([
      {
        kind: 'revoke',
        path: '$.data',
        targetExternalId: '3EB0A1',
        at: AT,
        counterpart: { phone: '+5511900000001' },
      },
    ]);
  });

  it.each<[string, JsonValue]>([
    ['keys', { keys: [KEY] }],
    ['a whole chat', { jid: ANA, all: true }],
  ])('H3: Baileys’ own, with %s, is about the phone alone and counts', (_title, data) => {
    for (const body of [
      webhook('messages.delete', data),
      { event: 'messages.delete', sessionId: 's', data },
    ]) {
      expect(decode(body).sections).toMatchObject([
        { eventOnly: true, facts: [{ kind: 'event', name: 'messages.delete' }] },
      ]);
    }
  });
});

describe('Evolution API: what else is in its list', () => {
  it.each([
    'application.startup',
    'chama-ai.action',
    'instance.create',
    'instance.delete',
    'logout.instance',
    'qrcode.updated',
    'remove.instance',
    'status.instance',
    'typebot.change-status',
    'typebot.start',
    'TYPEBOT_CHANGE_STATUS',
    'call',
    'chats.delete',
    'chats.update',
    'group-participants.update',
    'labels.edit',
    'presence.update',
  ])('H3: %s is counted', (name) => {
    const decoded = decode(
      webhook(name, name === 'logout.instance' ? null : { instance: 'loja', status: 'x' }),
    );
    expect(decoded.unrecognized).toEqual([]);
    expect(decoded.sections).toMatchObject([{ eventOnly: true, facts: [{ kind: 'event' }] }]);
  });

  it('H3: its errors webhook names no instance, but the server', () => {
    const body = {
      event: 'error',
      data: { status: 500 },
      date_time: LOCAL,
      server_url: 'https://evo.example.test',
    };
    expect(decode(body).sections).toMatchObject([{ eventOnly: true, facts: [{ name: 'error' }] }]);
  });

  it('chats.update is applied where it names somebody', () => {
    const decoded = decode(webhook('chats.update', [{ id: ANA_LID, pnJid: ANA, name: 'Ana' }]));
    expect(decoded.facts.map((fact) => fact.kind)).toEqual(['identity_link', 'profile']);
    expect(decoded.sections).toMatchObject([{ eventOnly: false }]);
  });

  it('M3: message-receipt.update gives the status of a chat, and is skipped in a group', () => {
    const receipts: JsonValue = [
      { key: KEY, receipt: { userJid: ANA, receiptTimestamp: AT / 1000, readTimestamp: AT / 1000 + 5 } },
      { key: KEY, receipt: { playedTimestamp: String(AT / 1000) } },
      { key: { ...KEY, remoteJid: GROUP }, receipt: { readTimestamp: AT / 1000 } },
      { key: KEY, receipt: {} },
      { key: {}, receipt: {} },
      { key: KEY },
    ];
    const decoded = decode({ event: 'message-receipt.update', sessionId: 's', data: receipts });
    expect(ofKind(decoded, 'status')).toMatchObject([
      { targetExternalId: '3EB0A1', status: 'read', at: AT + 5000 },
      { targetExternalId: '3EB0A1', status: 'played', at: AT },
    ]);
    expect(ofKind(decoded, 'skipped').map(({ reason }) => reason)).toEqual(['group', 'unknown_status']);
    expect(ofKind(decoded, 'rejected').map(({ reason }) => reason)).toEqual([
      'missing_target',
      'not_an_object',
    ]);
    expect(decode({ event: 'message-receipt.update', sessionId: 's', data: [] }).sections).toMatchObject([
      { eventOnly: true },
    ]);
  });

  it('E1: data that lie in S3 are shown with the place, but not with its key', () => {
    const decoded = decode(sample('vendors/evolution-sqs-s3-pointer.json'));
    expect(decoded.sections).toEqual([]);
    expect(decoded.unrecognized).toEqual([
      {
        path: '$.data.fileUrl',
        reason: 'in_s3:messages.set',
        excerpt:
          '"https://minio.example.test/evolution/messages/loja-centro_messages_set_1790000000000.json"',
      },
    ]);
    const url = 'https://s3.test/m.json?X-Amz-Signature=abc';
    for (const [data, path] of [
      [url, '$.data'],
      [{ url, size: 7 }, '$.data.url'],
      [{ bucket: 'b', 'media-url': url }, '$.data.media-url'],
    ] as const)
      expect(decode(webhook('messages.upsert', data, { dataType: 's3' })).unrecognized).toEqual([
        { path, reason: 'in_s3:messages.upsert', excerpt: '"https://s3.test/m.json"' },
      ]);
    const chatter = webhook('chats.update', { fileUrl: 'https://x.test/a?sig=1' }, { dataType: 's3' });
    expect(decode(chatter).unrecognized).toMatchObject([{ reason: 'in_s3:chats.update' }]);
    const counted = webhook('presence.update', { fileUrl: 'https://x.test/a?sig=1' }, { dataType: 's3' });
    expect(decode(counted).sections).toMatchObject([{ eventOnly: true }]);
  });

  it('reads the samples of its webhooks', () => {
    const kinds = ['edited', 'delete'].map((name) =>
      decode(sample(`vendors/evolution-webhook-messages-${name}.json`)).facts.map((fact) => fact.kind),
    );
    expect(kinds).toEqual([['edit'], ['revoke']]);
  });
});

describe('Evolution API: Cloud API instances', () => {
  it('M10: a wamid in the key gives the stanza id inside it', () => {
    expect(
      theOnly(decode(sample('vendors/evolution-cloud-webhook-messages-upsert.json')), 'message'),
    ).toMatchObject({
      externalId: 'wamid.HBgNNTUxMTk4ODg4MDAwMRUCABIYFDNFQjBBMUIyQzNENEU1RjYwMDAxAA==',
      stanzaId: '3EB0A1B2C3D4E5F60001',
      wamidPhone: '+5511988880001',
    });
    const odd = webhook('messages.upsert', {
      key: { ...KEY, id: 'wamid.odd' },
      message: { conversation: 'oi' },
      messageTimestamp: 1790000000,
    });
    expect(theOnly(decode(odd), 'message').stanzaId).toBeUndefined();
  });

  it('media have Meta’s object, with its id', () => {
    const key = { remoteJid: ANA, fromMe: false, id: encodeWamid('5511900000001', '3EB0A1') };
    const read = (message: JsonObject): JsonValue => {
      const fact = theOnly(
        decode(webhook('messages.upsert', { key, message, messageTimestamp: 1790000000 })),
        'message',
      );
      return toJson({
        type: fact.type,
        body: fact.body ?? null,
        media: { ...fact.media },
        grade: fact.grade,
      });
    };
    const file = { id: '1001', mime_type: 'image/jpeg', sha256: 'AQI=' };
    const media = { id: '1001', mimeType: 'image/jpeg', sha256: 'AQI=' };
    expect(read({ imageMessage: { ...file, caption: 'Recibo' } })).toMatchObject({
      type: 'image',
      body: 'Recibo',
      media,
      grade: 'content',
    });
    expect(read({ documentMessage: { ...file, filename: 'nota.pdf' } })).toMatchObject({
      type: 'document',
      media: { ...media, fileName: 'nota.pdf' },
    });
    // The real message follows under the same id, and must win.
    expect(read({ unsupportedMessage: {} })).toMatchObject({ type: 'unsupported', grade: 'placeholder' });
  });

  it('M3: statuses come in Meta’s words', () => {
    const keyId = encodeWamid('5511900000001', '3EB0A1');
    const of = (status: string): JsonObject => ({ keyId, remoteJid: ANA, fromMe: false, status });
    const decoded = decode(webhook('messages.update', ['SENT', 'DELIVERED', 'READ', 'FAILED'].map(of)));
    expect(ofKind(decoded, 'status').map(({ status }) => status)).toEqual([
      'sent',
      'delivered',
      'read',
      'failed',
    ]);
  });

  it('M5: DELETED revokes a wamid, and says nothing about a message of WhatsApp Web', () => {
    const keyId = encodeWamid('5511900000001', '3EB0A1');
    const cloud = webhook('messages.update', { keyId, remoteJid: ANA, fromMe: false, status: 'DELETED' });
    expect(theOnly(decode(cloud, { receivedAt: AT }), 'revoke')).toMatchObject({
      targetExternalId: keyId,
      at: AT,
    });
    const web = webhook('messages.update', {
      keyId: '3EB0A1',
      remoteJid: ANA,
      fromMe: false,
      status: 'DELETED',
    });
    expect(theOnly(decode(web, { receivedAt: AT }), 'skipped')).toMatchObject({ reason: 'unknown_status' });
  });

  it('M5: a deletion in the form of a row names the message beside the row', () => {
    const row = { id: 'cm1', keyId: '3EB0A1', remoteJid: ANA, fromMe: false, status: 'DELETED' };
    const decoded = decode(webhook('messages.delete', row), { receivedAt: AT });
    expect(theOnly(decoded, 'revoke')).toMatchObject({ targetExternalId: '3EB0A1' });
  });
});

describe('E1: events of Evolution API', () => {
  it.each([
    ['group.participants.update', 'group-participants.update'],
    ['GROUP_PARTICIPANTS_UPDATE', 'group-participants.update'],
    ['connection-update', 'connection.update'],
  ])('%s is known by its other spelling', (written, name) => {
    expect(decode(webhook(written, { id: '1@g.us' }))).toMatchObject({
      sections: [{ field: name, eventOnly: true }],
      unrecognized: [],
    });
  });

  it('H3: a known one without data is counted; an unknown one, and one in a strange form, are not', () => {
    expect(decode(webhook('messaging-history.set', {}))).toMatchObject({
      sections: [{ eventOnly: true }],
      unrecognized: [],
    });
    expect(decode(webhook('messaging-history.set', { some: 1 })).unrecognized).toHaveLength(1);
    expect(decode(webhook('sparkles.update', {})).unrecognized).toHaveLength(1);
  });
});
