import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../src/model/json.js';
import {
  ANA,
  CARLA,
  decode,
  GROUP,
  history,
  live,
  ofKind,
  saying,
  theOnly,
  webMessage,
} from './baileys-builders.js';

describe('messages of WhatsApp Web', () => {
  it('M4: takes the direction from fromMe alone', () => {
    const decoded = decode(
      history([
        webMessage({}, { fromMe: true }),
        webMessage({}, { fromMe: false }),
        webMessage({}, { fromMe: 'true' }),
      ]),
    );
    expect(ofKind(decoded, 'message').map((fact) => fact.direction)).toEqual([
      'OUTBOUND',
      'INBOUND',
      'INBOUND',
    ]);
  });

  it('M10: the key id is both the external id and the stanza id', () => {
    const fact = theOnly(decode(history([webMessage({}, { id: '3A7DC96F776C8423E57A' })])), 'message');
    expect(fact).toMatchObject({ externalId: '3A7DC96F776C8423E57A', stanzaId: '3A7DC96F776C8423E57A' });
  });

  it.each<[string, JsonValue, string, boolean]>([
    ['the first history', history([webMessage()], { syncType: 0 }), 'history', true],
    ['recent history', history([webMessage()], { syncType: 'RECENT' }), 'history', true],
    ['history that was asked for', history([webMessage()], { syncType: 6 }), 'history', false],
    [
      'history that was asked for, its type by name',
      history([webMessage()], { syncType: 'ON_DEMAND' }),
      'history',
      false,
    ],
    [
      'history that was asked for, its type lost',
      { chats: [], contacts: [], messages: [webMessage()], peerDataRequestSessionId: '3EB0' },
      'history',
      false,
    ],
    [
      'Evolution API’s stored messages',
      { event: 'messages.set', instance: 'loja', data: [webMessage()] },
      'history',
      false,
    ],
    ['what came while nobody listened', live([webMessage()], 'append'), 'history', false],
    ['a live message', live([webMessage()]), 'live', false],
    [
      'a live message of Evolution API',
      { event: 'messages.upsert', instance: 'loja', data: webMessage() },
      'live',
      false,
    ],
    [
      'live messages of Evolution API',
      { event: 'messages.upsert', instance: 'loja', data: [webMessage()] },
      'live',
      false,
    ],
    ['an own live message', live([webMessage({}, { fromMe: true })]), 'echo', false],
    [
      'an own message from while nobody listened',
      live([webMessage({}, { fromMe: true })], 'append'),
      'history',
      false,
    ],
  ])('knows the origin of %s', (_title, value, origin, isSyncInitial) => {
    expect(theOnly(decode(value), 'message')).toMatchObject({ origin, isSyncInitial });
  });

  it('names the place of a message inside the entry', () => {
    const evolution = { event: 'messages.upsert', instance: 'loja' };
    expect(theOnly(decode(history([webMessage()])), 'message').path).toBe('$.messages[0]');
    expect(theOnly(decode({ ...evolution, data: [webMessage()] }), 'message').path).toBe('$.data[0]');
    expect(theOnly(decode({ ...evolution, data: webMessage() }), 'message').path).toBe('$.data');
    expect(theOnly(decode({ 'messages.upsert': live([webMessage()]) }), 'message').path).toBe(
      '$["messages.upsert"].messages[0]',
    );
  });

  it.each<[JsonValue, string | undefined]>([
    ['ERROR', 'failed'],
    ['PENDING', 'pending'],
    ['SERVER_ACK', 'sent'],
    ['DELIVERY_ACK', 'delivered'],
    ['READ', 'read'],
    ['PLAYED', 'played'],
    [0, 'failed'],
    [1, 'pending'],
    [2, 'sent'],
    [3, 'delivered'],
    [4, 'read'],
    [5, 'played'],
    ['SPARKLED', undefined],
    [17, undefined],
    [null, undefined],
  ])('M3: the status %s of history is %s', (status, expected) => {
    const fact = theOnly(decode(history([webMessage({ status })])), 'message');
    expect([fact.status, fact.historyStatus]).toEqual([expected, expected]);
  });

  it('M3: a live message proves its delivery, an echo that it was sent', () => {
    const decoded = decode(
      live([
        webMessage({ status: 'SERVER_ACK' }),
        webMessage({ status: 'READ' }),
        webMessage({}, { fromMe: true }),
        webMessage({ status: 1 }, { fromMe: true }),
      ]),
    );
    expect(ofKind(decoded, 'message').map((fact) => [fact.status, fact.historyStatus])).toEqual([
      ['delivered', undefined],
      ['read', undefined],
      ['sent', undefined],
      ['pending', undefined],
    ]);
  });

  it('I1: a counterpart has no device, and one person has one phone', () => {
    const jids = ['5531990000003@s.whatsapp.net', '553190000003:12@s.whatsapp.net', '553190000003@c.us'];
    const decoded = decode(history(jids.map((remoteJid) => webMessage({}, { remoteJid }))));
    expect(ofKind(decoded, 'message').map((fact) => fact.counterpart.phone)).toEqual(
      jids.map(() => '+5531990000003'),
    );
  });

  it('M6: an included group is its own counterpart, and says who wrote', () => {
    const message = webMessage({}, { remoteJid: GROUP, participant: '5531900000003:2@s.whatsapp.net' });
    const fact = theOnly(decode(history([message]), { include: ['group'] }), 'message');
    expect(fact.counterpart).toEqual({ waId: GROUP });
    expect(fact.rawMeta).toEqual({ participant: CARLA });
    expect(fact.direction).toBe('INBOUND');
  });

  it('M6: including one kind of chat does not bring in another', () => {
    const messages = [
      GROUP,
      'status@broadcast',
      '1580000001@broadcast',
      '120363@newsletter',
      '0@s.whatsapp.net',
    ].map((remoteJid) => webMessage({}, { remoteJid }));
    const decoded = decode(history(messages), { include: ['newsletter'] });
    expect(ofKind(decoded, 'skipped').map((fact) => fact.reason)).toEqual([
      'group',
      'status_broadcast',
      'broadcast',
      'official_account',
    ]);
    expect(theOnly(decoded, 'message').counterpart).toEqual({ waId: '120363@newsletter' });
  });

  it('M7: a bad timestamp becomes the time of the event, flagged; without one the message is rejected', () => {
    const bad = history([webMessage({ messageTimestamp: 'yesterday' })]);
    expect(theOnly(decode(bad), 'rejected')).toMatchObject({ subject: 'message', reason: 'bad_timestamp' });
    const wrapped = { event: 'messaging-history.set', ts: 1757900100000, data: bad };
    expect(theOnly(decode(wrapped, { receivedAt: 1 }), 'message')).toMatchObject({
      timestamp: 1757900100000,
      rawMeta: { timestampFrom: 'received_at' },
    });
    expect(theOnly(decode(bad, { receivedAt: 1757900200000 }), 'message').timestamp).toBe(1757900200000);
  });

  it('M7: one bad item costs none of its neighbors', () => {
    const decoded = decode(
      history([
        'junk',
        null,
        [],
        { message: { conversation: 'without a key' } },
        webMessage({}, { id: '' }),
        webMessage({}, { id: 'A'.repeat(3000) }),
        webMessage({}, { remoteJid: null }),
        webMessage({}, { remoteJid: 'nobody@unknown' }),
        webMessage({}, { remoteJid: 'x'.repeat(3000) }),
        webMessage({ message: { conversation: 'fine' } }),
      ]),
    );
    expect(ofKind(decoded, 'rejected').map((fact) => fact.reason)).toEqual([
      'not_an_object',
      'not_an_object',
      'not_an_object',
      'missing_id',
      'missing_id',
      'missing_id',
      'missing_counterpart',
      'missing_counterpart',
      'missing_counterpart',
    ]);
    expect(theOnly(decoded, 'message').body).toBe('fine');
  });

  it('M6: stubs and messages without a content are no bubbles', () => {
    const decoded = decode(
      history([
        webMessage({ messageStubType: 'CIPHERTEXT' }),
        webMessage({ messageStubType: 40, message: null }),
        webMessage({ message: null }),
        saying({}),
        saying({ messageContextInfo: { messageSecret: 'x' } }),
        saying({ conversation: null, imageMessage: null }),
        saying({ ephemeralMessage: {} }),
      ]),
    );
    expect(ofKind(decoded, 'skipped').map((fact) => fact.reason)).toEqual(Array(7).fill('stub'));
    expect(ofKind(decode(history([webMessage({ messageStubType: 0 })])), 'message')).toHaveLength(1);
  });

  it('M6: what devices tell each other is no bubble', () => {
    const decoded = decode(
      live([
        webMessage({ category: 'peer' }),
        saying({
          protocolMessage: { type: 'HISTORY_SYNC_NOTIFICATION', historySyncNotification: { syncType: 6 } },
        }),
        saying({ protocolMessage: { type: 'EPHEMERAL_SETTING', ephemeralExpiration: 604800 } }),
        saying({ protocolMessage: { type: 6, appStateSyncKeyShare: {} } }),
        saying({ protocolMessage: { type: 'SPARKLE', key: { id: 'X' } } }),
        saying({ senderKeyDistributionMessage: { groupId: GROUP } }),
        saying({ pollUpdateMessage: { pollCreationMessageKey: {} } }),
        saying({ keepInChatMessage: { keepType: 1 } }),
        saying({ pinInChatMessage: { type: 1 } }),
        saying({ encReactionMessage: { encPayload: 'x' } }),
        saying({ secretEncryptedMessage: { targetMessageKey: { id: 'X' } } }),
      ]),
    );
    expect(ofKind(decoded, 'skipped').map((fact) => fact.reason)).toEqual(Array(11).fill('protocol'));
    expect(decoded.facts).toHaveLength(11);
  });

  it('counts each message once, though the chat repeats its newest', () => {
    const message = webMessage();
    const decoded = decode(history([message], { chats: [{ id: ANA, messages: [{ message }] }] }));
    expect(ofKind(decoded, 'message')).toHaveLength(1);
    expect(theOnly(decoded, 'history_chunk').messages).toBe(1);
  });

  it('accounts for every element of a mixed event', () => {
    const messages = [
      webMessage(),
      webMessage({}, { remoteJid: GROUP }),
      'junk',
      saying({ reactionMessage: { key: { id: 'X' }, text: '👍', senderTimestampMs: '1757900000000' } }),
      saying({ protocolMessage: { type: 'REVOKE', key: { id: 'X' } } }),
      saying({ protocolMessage: { type: 'REVOKE' } }),
      saying({ protocolMessage: { type: 14, key: { id: 'X' }, editedMessage: { conversation: 'b' } } }),
      webMessage({ reactions: [{ key: { fromMe: true }, text: '👍' }] }),
    ];
    const own = decode(history(messages)).facts.filter((fact) => /^\$\.messages\[\d+\]$/.test(fact.path));
    expect(own.map((fact) => fact.kind)).toEqual([
      'message',
      'skipped',
      'rejected',
      'reaction',
      'revoke',
      'rejected',
      'edit',
      'message',
    ]);
  });
});
