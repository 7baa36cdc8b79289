import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { decode, factsOf, outcomes, the } from './meta-builders.js';

const ANA = '5511988880001';
const CHAT = `${ANA}@c.us`;
const LID = '111000000000001@lid';
const ID = '3EB0A1B2C3D4E5F60001';
const GROUP = '120363000000000001@g.us';
const SECONDS = 1790000000;
const AT = SECONDS * 1000;
const SENT = AT + 700;
const LONG_TEXT = 'Olá! 🙂\nSegue a lista:\n- pão\n- "café" \\ açúcar\n'.repeat(300);

/** A webhook of WAHA. */
function waha(event: string, payload: JsonValue, parts: JsonObject = {}): JsonObject {
  return {
    id: 'evt_01aaaaaaaaaaaaaaaaaaaaaaaa',
    timestamp: SENT,
    session: 'loja',
    metadata: { 'user.id': '7' },
    engine: 'NOWEB',
    event,
    payload,
    me: { id: '5511900000000@c.us', pushName: 'Loja' },
    environment: { version: '2026.9.1', engine: 'NOWEB', tier: 'PLUS' },
    ...parts,
  };
}

/** A message as WAHA writes it, whatever the engine. */
function wahaMessage(parts: JsonObject = {}): JsonObject {
  return {
    id: `false_${CHAT}_${ID}`,
    timestamp: SECONDS,
    from: CHAT,
    fromMe: false,
    source: 'app',
    to: '5511900000000@c.us',
    body: 'Bom dia',
    hasMedia: false,
    media: null,
    ack: 2,
    ackName: 'DEVICE',
    replyTo: null,
    ...parts,
  };
}

/** The same message by the three engines, and where the log has left the engine's own part out. */
function byEngine(text: string): [string, JsonObject][] {
  const key = { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: ID };
  return [
    ['nothing of the engine', wahaMessage({ body: text })],
    [
      'NOWEB',
      wahaMessage({
        body: text,
        _data: {
          key,
          messageTimestamp: SECONDS,
          pushName: 'Lia',
          message: { extendedTextMessage: { text, contextInfo: { stanzaId: 'Q1' } } },
          status: 'DELIVERY_ACK',
        },
      }),
    ],
    [
      'GOWS',
      wahaMessage({
        body: text,
        _data: {
          Info: {
            Chat: `${ANA}@s.whatsapp.net`,
            Sender: `${ANA}:12@s.whatsapp.net`,
            IsFromMe: false,
            IsGroup: false,
            ID,
            PushName: 'Lia',
            Timestamp: '2026-09-21T11:13:20-03:00',
          },
          Message: { extendedTextMessage: { text, contextInfo: { stanzaID: 'Q1' } } },
        },
      }),
    ],
    [
      'WEBJS',
      wahaMessage({
        body: text,
        replyTo: { id: 'Q1', body: '?' },
        _data: {
          id: { fromMe: false, remote: CHAT, id: ID, _serialized: `false_${CHAT}_${ID}` },
          type: 'chat',
          t: SECONDS,
          body: text,
          notifyName: 'Lia',
          quotedStanzaID: 'Q1',
        },
      }),
    ],
  ];
}

describe('WAHA: messages', () => {
  test.each(byEngine(LONG_TEXT))(
    'M10: a message with %s has the key id of WhatsApp Web',
    (title, payload) => {
      for (const event of ['message', 'message.any']) {
        const body = waha(event, payload);
        const entry = decode(body);
        expect(entry).toMatchObject({ provider: 'baileys', unrecognized: [], receivedAt: SENT });
        expect(entry.sections).toMatchObject([{ field: event, connection: { sessionName: 'loja' } }]);
        const fact = the('message', factsOf(body));
        expect(fact).toMatchObject({
          origin: 'live',
          externalId: ID,
          stanzaId: ID,
          counterpart: { phone: `+${ANA}` },
          direction: 'INBOUND',
          timestamp: AT,
          type: 'text',
          body: LONG_TEXT,
          status: 'delivered',
        });
        expect(fact.contextExternalId).toBe(title.startsWith('nothing') ? undefined : 'Q1');
        expect(itemAt(Buffer.from(JSON.stringify(body)), fact.path)).toBeTypeOf('object');
      }
    },
  );

  test('an own message goes to the chat, whatever `from` and `to` say', () => {
    const own = { id: `true_${CHAT}_${ID}`, fromMe: true, from: '5511900000000@c.us', to: CHAT, ack: 3 };
    for (const parts of [own, { ...own, from: CHAT, to: null }]) {
      expect(the('message', factsOf(waha('message.any', wahaMessage(parts))))).toMatchObject({
        origin: 'echo',
        direction: 'OUTBOUND',
        counterpart: { phone: `+${ANA}` },
        status: 'read',
      });
    }
    const bare = { ...own, id: ID };
    expect(the('message', factsOf(waha('message.any', wahaMessage(bare))))).toMatchObject({
      externalId: ID,
      counterpart: { phone: `+${ANA}` },
    });
    const noted = wahaMessage({ ...own, id: `true_${CHAT}_${ID}_out` });
    expect(the('message', factsOf(waha('message.any', noted))).externalId).toBe(ID);
  });

  test('I3: a chat by LID is linked to its phone where the engine knows it', () => {
    const id = `false_${LID}_${ID}`;
    const noweb = wahaMessage({
      id,
      from: LID,
      _data: {
        key: { remoteJid: LID, remoteJidAlt: `${ANA}@s.whatsapp.net`, fromMe: false, id: ID },
        message: { conversation: 'oi' },
        messageTimestamp: SECONDS,
      },
    });
    const info = { Chat: LID, Sender: LID, ID, Timestamp: '2026-09-21T14:13:20Z' };
    const gows = wahaMessage({
      id,
      _data: {
        Info: { ...info, IsFromMe: false, SenderAlt: `${ANA}@s.whatsapp.net` },
        Message: { conversation: 'oi' },
      },
    });
    const own = wahaMessage({
      id: `true_${LID}_${ID}`,
      _data: {
        Info: {
          ...info,
          Sender: '222@lid',
          IsFromMe: true,
          SenderAlt: '5511900000000@s.whatsapp.net',
          RecipientAlt: `${ANA}@s.whatsapp.net`,
        },
        Message: { conversation: 'oi' },
      },
    });
    for (const payload of [noweb, gows, own]) {
      const facts = factsOf(waha('message.any', payload));
      expect(the('message', facts).counterpart).toEqual({ phone: `+${ANA}`, lid: LID });
      expect(the('identity_link', facts).who).toEqual([{ lid: LID }, { phone: `+${ANA}` }]);
    }
    const alone = the('message', factsOf(waha('message', wahaMessage({ id, from: LID }))));
    expect(alone.counterpart).toEqual({ lid: LID });
  });

  test('a name comes with it', () => {
    for (const [title, payload] of byEngine('oi').slice(1)) {
      expect(the('profile', factsOf(waha('message', payload))), title).toMatchObject({ name: 'Lia' });
    }
  });

  test.each<[string, string]>([
    [`false_${GROUP}_${ID}_${CHAT}`, 'skipped:message:group'],
    [`true_status@broadcast_${ID}_5511900000000@c.us`, 'skipped:message:status_broadcast'],
    [`false_120363@newsletter_${ID}`, 'skipped:message:newsletter'],
    [`false_0@c.us_${ID}`, 'skipped:message:official_account'],
    [`false_x@odd_${ID}`, 'rejected:message:missing_counterpart'],
  ])('M6: %s is %s', (id, outcome) => {
    expect(outcomes(factsOf(waha('message.any', wahaMessage({ id }))))).toEqual([outcome]);
  });

  test('I4: notes to oneself are skipped, by phone and by LID', () => {
    const me = { id: '5511900000000@c.us', lid: '222000000000001@lid', pushName: 'Loja' };
    for (const chat of ['5511900000000@c.us', '222000000000001@lid']) {
      const _data = {
        key: { remoteJid: chat, fromMe: true, id: ID },
        message: { conversation: 'nota' },
        messageTimestamp: SECONDS,
        pushName: 'Loja',
      };
      for (const payload of [
        wahaMessage({ id: `true_${chat}_${ID}` }),
        wahaMessage({ id: `true_${chat}_${ID}`, _data }),
      ]) {
        expect(outcomes(factsOf(waha('message.any', payload, { me })))).toEqual([
          'skipped:message:self_thread',
        ]);
      }
    }
    expect(outcomes(factsOf(waha('message', wahaMessage(), { me: null })))).toEqual(['message']);
  });

  test('M6: with --include, a group’s message has its author', () => {
    const payload = wahaMessage({ id: `false_${GROUP}_${ID}_${CHAT}`, from: GROUP });
    const fact = the('message', factsOf(waha('message', payload), { include: ['group'] }));
    expect(fact).toMatchObject({ externalId: ID, counterpart: { waId: GROUP } });
    expect(fact.rawMeta).toMatchObject({ participant: `${ANA}@s.whatsapp.net` });
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'an image of whatsapp-web.js',
      {
        body: 'Comprovante',
        hasMedia: true,
        media: { url: 'http://localhost:3000/a.jpeg', mimetype: 'image/jpeg', filename: null },
        _data: {
          type: 'image',
          mimetype: 'image/jpeg',
          filehash: 'AQI=',
          mediaKey: 'CQk=',
          directPath: '/v/1',
          size: 48211,
        },
      },
      {
        type: 'image',
        body: 'Comprovante',
        media: { mimeType: 'image/jpeg', sha256: 'AQI=' },
        grade: 'media_without_id',
      },
    ],
    [
      'a voice message',
      { body: '', hasMedia: true, _data: { type: 'ptt', mimetype: 'audio/ogg; codecs=opus', duration: '7' } },
      { type: 'audio', media: { mimeType: 'audio/ogg; codecs=opus' } },
    ],
    [
      'a document',
      { body: null, hasMedia: true, media: { mimetype: 'application/pdf', filename: 'nota fiscal.pdf' } },
      { type: 'document', media: { mimeType: 'application/pdf', fileName: 'nota fiscal.pdf' } },
    ],
    [
      'a video',
      { body: 'v', hasMedia: true, media: { mimetype: 'video/mp4' } },
      { type: 'video', body: 'v' },
    ],
    [
      'media of an unknown kind',
      { body: null, hasMedia: true, media: null },
      { type: 'unsupported', grade: 'placeholder' },
    ],
    [
      'media of an unknown kind with a caption',
      { hasMedia: true, media: null },
      { type: 'text', body: 'Bom dia' },
    ],
    [
      'a location',
      { body: '/9j/4AAQ', location: { latitude: '-23.5', longitude: '-46.6', description: 'Loja' } },
      { type: 'location', body: 'Loja' },
    ],
    [
      'a card',
      {
        body: 'BEGIN:VCARD',
        _data: { type: 'vcard', body: 'BEGIN:VCARD' },
        vCards: ['BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zé da Silva\r\nEND:VCARD'],
      },
      { type: 'contacts', body: 'Zé da Silva' },
    ],
    [
      'two cards',
      {
        body: null,
        _data: {
          type: 'multi_vcard',
          vcardList: [
            { displayName: 'Zé', vcard: 'x' },
            { displayName: 'Ana', vcard: 'y' },
          ],
        },
      },
      { type: 'contacts', body: 'Zé, Ana' },
    ],
    [
      'a poll',
      {
        body: 'Qual?',
        _data: {
          type: 'poll_creation',
          pollName: 'Qual?',
          pollOptions: [
            { name: 'A', localId: 0 },
            { name: 'B', localId: 1 },
          ],
        },
      },
      { type: 'poll', body: 'Qual?\n• A\n• B' },
    ],
    [
      'a chosen row',
      {
        body: 'Plano A',
        _data: { type: 'list_response', listResponse: { singleSelectReply: { selectedRowId: 'a' } } },
      },
      { type: 'interactive', body: 'Plano A' },
    ],
    [
      'a chosen button',
      { body: 'Sim', _data: { type: 'buttons_response', selectedButtonId: 'y' } },
      { type: 'interactive', body: 'Sim' },
    ],
    [
      'a button of a template',
      { body: 'Sim', _data: { type: 'template_button_reply', selectedId: 'y' } },
      { type: 'interactive', body: 'Sim' },
    ],
    ['a text of a later type', { body: 'oi', _data: { type: 'sparkle' } }, { type: 'text', body: 'oi' }],
    ['a later type without a text', { body: '', _data: { type: 'constructor' } }, { type: 'constructor' }],
  ])('%s', (_title, parts, expected) => {
    expect(the('message', factsOf(waha('message', wahaMessage(parts))))).toMatchObject(expected);
  });

  test('an image of GOWS has the names of its fields in Go', () => {
    const imageMessage = {
      URL: 'https://mmg.whatsapp.net/v/1',
      mimetype: 'image/jpeg',
      caption: 'Comprovante',
      fileSHA256: 'AQI=',
      fileEncSHA256: 'AwQ=',
      fileLength: 48211,
      mediaKey: 'CQk=',
      directPath: '/v/1',
      JPEGThumbnail: '/9j/',
      contextInfo: {
        stanzaID: 'Q1',
        isForwarded: true,
        externalAdReply: { sourceURL: 'https://fb.me/1', ctwaClid: 'c' },
      },
    };
    const _data = {
      Info: { Chat: `${ANA}@s.whatsapp.net`, ID, IsFromMe: false, Timestamp: '2026-09-21T14:13:20Z' },
      Message: { imageMessage },
    };
    const fact = the('message', factsOf(waha('message', wahaMessage({ _data, hasMedia: true }))));
    expect(fact).toMatchObject({
      path: '$.payload._data',
      type: 'image',
      body: 'Comprovante',
      media: { mimeType: 'image/jpeg', sha256: 'AQI=' },
      contextExternalId: 'Q1',
      rawMeta: {
        forwarded: true,
        mediaKeys: { directPath: '/v/1', mediaKey: 'CQk=', fileEncSha256: 'AwQ=', fileLength: 48211 },
        referral: { sourceUrl: 'https://fb.me/1', ctwaClid: 'c' },
      },
    });
  });

  test.each([
    'e2e_notification',
    'notification_template',
    'gp2',
    'call_log',
    'ciphertext',
    'revoked',
    'protocol',
  ])('M6: whatsapp-web.js’ %s is no message', (type) => {
    expect(outcomes(factsOf(waha('message.any', wahaMessage({ body: 'x', _data: { type } }))))).toEqual([
      'skipped:message:stub',
    ]);
  });

  test('M7: a message without a time takes that of its event', () => {
    const fact = the('message', factsOf(waha('message', wahaMessage({ timestamp: null }))));
    expect(fact.timestamp).toBe(SENT);
  });
});

describe('WAHA: what changes messages', () => {
  test.each<[number, string]>([
    [-1, 'failed'],
    [0, 'pending'],
    [1, 'sent'],
    [2, 'delivered'],
    [3, 'read'],
    [4, 'played'],
  ])('M3: ack %i is %s', (ack, status) => {
    const payload = { id: `true_${CHAT}_${ID}`, from: CHAT, to: null, fromMe: true, ack, ackName: '?' };
    expect(factsOf(waha('message.ack', payload))).toEqual([
      {
        kind: 'status',
        path: '$.payload',
        targetExternalId: ID,
        recipient: { phone: '+5511988880001' },
        status,
        at: SENT,
      },
    ]);
  });

  test('M3: an ack by its name alone, an unknown one, and those of groups', () => {
    const id = `true_${CHAT}_${ID}`;
    expect(the('status', factsOf(waha('message.ack', { id, ackName: 'READ' }))).status).toBe('read');
    expect(outcomes(factsOf(waha('message.ack', { id, ack: null, ackName: 'UNKNOWN' })))).toEqual([
      'skipped:status:unknown_status',
    ]);
    const group = { id: `true_${GROUP}_${ID}_5511900000000@c.us`, ack: 3 };
    for (const event of ['message.ack', 'message.ack.group']) {
      expect(outcomes(factsOf(waha(event, group)))).toEqual(['skipped:status:group']);
    }
  });

  test('M5: a reaction, and its removal', () => {
    const payload = {
      id: `false_${CHAT}_R1`,
      timestamp: SECONDS,
      from: CHAT,
      fromMe: false,
      to: null,
      reaction: { text: '👍', messageId: `true_${CHAT}_${ID}` },
    };
    expect(the('reaction', factsOf(waha('message.reaction', payload)))).toEqual({
      kind: 'reaction',
      path: '$.payload',
      targetExternalId: ID,
      reactor: 'customer',
      emoji: '👍',
      at: AT,
      counterpart: { phone: `+${ANA}` },
      live: true,
    });
    const removed = { ...payload, id: `true_${CHAT}_R2`, reaction: { text: '', messageId: ID } };
    expect(the('reaction', factsOf(waha('message.reaction', removed)))).toMatchObject({
      targetExternalId: ID,
      reactor: 'business',
      emoji: null,
    });
    const aimless = { ...payload, reaction: null };
    expect(outcomes(factsOf(waha('message.reaction', aimless)))).toEqual([
      'rejected:reaction:missing_target',
    ]);
  });

  test.each<[string, JsonObject, string]>([
    [
      'NOWEB',
      {
        _data: {
          key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: 'E1' },
          messageTimestamp: SECONDS,
          message: {
            protocolMessage: {
              key: { id: ID },
              type: 'MESSAGE_EDIT',
              editedMessage: { conversation: LONG_TEXT },
              timestampMs: AT,
            },
          },
        },
      },
      'E1',
    ],
    [
      'GOWS',
      {
        _data: {
          Info: {
            Chat: `${ANA}@s.whatsapp.net`,
            ID: 'E1',
            IsFromMe: false,
            Timestamp: '2026-09-21T14:13:20Z',
          },
          Message: {
            protocolMessage: {
              key: { remoteJID: 'x', fromMe: true, ID },
              type: 14,
              editedMessage: { conversation: LONG_TEXT },
              timestampMS: AT,
            },
          },
        },
      },
      'E1',
    ],
    ['nothing of the engine', { timestamp: SECONDS - 60 }, 'E1'],
    [
      'WEBJS',
      {
        id: `false_${CHAT}_${ID}`,
        timestamp: SECONDS - 60,
        _data: {
          message: { _data: { type: 'chat', latestEditSenderTimestampMs: AT } },
          newBody: LONG_TEXT,
          prevBody: 'x',
        },
      },
      `${ID} ${AT}`,
    ],
  ])('M5: an edit by %s', (title, parts, editId) => {
    const payload = wahaMessage({ id: `false_${CHAT}_E1`, body: LONG_TEXT, editedMessageId: ID, ...parts });
    expect(the('edit', factsOf(waha('message.edited', payload)))).toMatchObject({
      targetExternalId: ID,
      editId,
      at: title.startsWith('nothing') ? SENT : AT,
      content: { type: 'text', body: LONG_TEXT },
      counterpart: { phone: `+${ANA}` },
    });
  });

  test('M5: an edit that could not be decrypted changes nothing', () => {
    const payload = wahaMessage({
      body: '',
      editedMessageId: ID,
      _data: {
        key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: 'E1' },
        message: { secretEncryptedMessage: { targetMessageKey: { id: ID } } },
      },
    });
    expect(outcomes(factsOf(waha('message.edited', payload)))).toEqual(['skipped:message:protocol']);
  });

  test.each<[string, JsonObject]>([
    [
      'NOWEB',
      {
        after: wahaMessage({ id: `false_${CHAT}_X1`, body: null }),
        before: null,
        revokedMessageId: ID,
        _data: {
          key: { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: 'X1' },
          messageTimestamp: SENT / 1000,
          message: { protocolMessage: { key: { id: ID }, type: 'REVOKE' } },
        },
      },
    ],
    [
      'GOWS',
      {
        after: wahaMessage({ id: `false_${CHAT}_X1` }),
        revokedMessageId: ID,
        _data: {
          Info: {
            Chat: `${ANA}@s.whatsapp.net`,
            ID: 'X1',
            IsFromMe: false,
            Timestamp: '2026-09-21T14:13:20.700Z',
          },
          Message: { protocolMessage: { key: { ID }, type: 0 } },
        },
      },
    ],
    [
      'nothing of the engine',
      { after: wahaMessage({ id: `false_${CHAT}_X1` }), before: null, revokedMessageId: ID },
    ],
    ['WEBJS', { after: wahaMessage({ body: '' }), before: wahaMessage() }],
    ['WEBJS that kept no copy', { after: wahaMessage({ body: '' }), before: null }],
    [
      'WPP',
      {
        revokedMessageId: ID,
        before: { id: ID, fromMe: false, remoteJid: `${ANA}@c.us` },
        after: { id: 'X1', fromMe: false, remoteJid: `${ANA}@c.us` },
      },
    ],
  ])('M5: a revoke by %s', (_title, payload) => {
    expect(the('revoke', factsOf(waha('message.revoked', payload)))).toMatchObject({
      targetExternalId: ID,
      at: SENT,
      counterpart: { phone: `+${ANA}` },
    });
  });

  test('M5: revoking and editing without anything to aim at is on record', () => {
    expect(outcomes(factsOf(waha('message.revoked', {})))).toEqual(['rejected:message:missing_counterpart']);
    const nameless = wahaMessage({ id: null });
    expect(outcomes(factsOf(waha('message.edited', nameless)))).toEqual(['rejected:edit:missing_target']);
  });
});

describe('WAHA: the rest', () => {
  test.each([
    'session.status',
    'message.waiting',
    'state.change',
    'group.join',
    'group.leave',
    'group.v2.join',
    'group.v2.leave',
    'group.v2.update',
    'group.v2.participants',
    'presence.update',
    'poll.vote',
    'poll.vote.failed',
    'chat.archive',
    'call.received',
    'call.accepted',
    'call.rejected',
    'label.upsert',
    'label.deleted',
    'label.chat.added',
    'label.chat.deleted',
    'event.response',
    'event.response.failed',
    'engine.event',
  ])('H3: %s is counted by its name', (event) => {
    const entry = decode(waha(event, { id: CHAT, name: 'loja', status: 'WORKING' }));
    expect(entry.unrecognized).toEqual([]);
    expect(entry.sections).toMatchObject([
      { field: event, eventOnly: true, facts: [{ kind: 'event', name: event, path: '$.payload' }] },
    ]);
  });

  test('an event of the engine itself is read when it is Baileys’', () => {
    const key = { remoteJid: `${ANA}@s.whatsapp.net`, fromMe: false, id: ID };
    const data = {
      type: 'notify',
      messages: [{ key, message: { conversation: 'oi' }, messageTimestamp: SECONDS }],
    };
    const body = waha('engine.event', { event: 'messages.upsert', data });
    expect(the('message', factsOf(body))).toMatchObject({
      path: '$.payload.data.messages[0]',
      externalId: ID,
    });
    const other = waha('engine.event', { event: 'gows.Receipt', data: {} });
    expect(decode(other).sections).toMatchObject([{ eventOnly: true }]);
  });

  test('H3: a state is a word, and counts', () => {
    for (const engine of ['WEBJS', 'NOWEB']) {
      const decoded = decode(waha('state.change', 'CONNECTED', { engine }));
      expect(decoded).toMatchObject({
        sections: [{ field: 'state.change', eventOnly: true }],
        unrecognized: [],
      });
    }
  });

  test('E1: an event of a later version is shown by its name', () => {
    expect(decode(waha('message.sparkle', { id: ID })).unrecognized).toEqual([
      { path: '$.payload', reason: 'unknown_event:message.sparkle', excerpt: `{"id":"${ID}"}` },
    ]);
  });

  test('other programs’ events of the same names are not WAHA’s', () => {
    const bodies: JsonValue[] = [
      { event: 'message', payload: { text: 'oi' } },
      { event: 'message.ack', device_id: 'x', payload: { ids: [ID], receipt_type: 'read' } },
      { event: 'order.created', session: 'x', payload: { id: 1 } },
      { event: 'message', session: 'loja', payload: 'text' },
      { event: 'call.\0', session: 'loja', payload: {} },
    ];
    for (const body of bodies) expect(decode(body).sections).toEqual([]);
  });

  test('a row with WAHA’s webhook inside gives the same', () => {
    const inner = waha('message', wahaMessage());
    const row = { id: 7, created_at: '2026-09-21T14:13:25Z', payload: JSON.stringify(inner) };
    expect(factsOf(row).map(({ kind }) => kind)).toEqual(factsOf(inner).map(({ kind }) => kind));
  });
});
