import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  ANA_LID,
  decode,
  GROUP,
  history,
  live,
  ofKind,
  theOnly,
  webMessage,
} from './baileys-builders.js';

function event(name: string, data: JsonValue): JsonObject {
  return { event: name, sessionId: 'loja', ts: 1757900100000, data };
}

describe('events of Baileys', () => {
  it('H2: history is a chunk of the ledger, by its sync type', () => {
    const decoded = decode(history([webMessage(), 'junk'], { syncType: 2, progress: 80, chunkOrder: 4 }));
    expect(theOnly(decoded, 'history_chunk')).toEqual({
      kind: 'history_chunk',
      path: '$',
      phase: 2,
      chunkOrder: 4,
      progress: 80,
      messages: 2,
    });
  });

  it('H2: what was asked for, push names and live messages are no chunks', () => {
    const bodies = [
      history([webMessage()], { syncType: 6 }),
      history([], { syncType: 4, contacts: [{ id: ANA }] }),
      live([webMessage()]),
      event('messages.set', [webMessage()]),
    ];
    expect(bodies.flatMap((body) => ofKind(decode(body), 'history_chunk'))).toEqual([]);
  });

  it.each([
    'chats.update',
    'presence.update',
    'connection.update',
    'creds.update',
    'messaging-history.status',
    'call',
  ])('H3: %s makes no rows and is counted', (name) => {
    expect(decode(event(name, { secret: 'x' }))).toMatchObject({
      sections: [
        {
          field: name,
          eventOnly: true,
          connection: { sessionName: 'loja' },
          facts: [{ kind: 'event', name, path: '$.data' }],
        },
      ],
      unrecognized: [],
    });
  });

  it('E1: an event that nobody knows is shown, not dropped', () => {
    const decoded = decode(event('messages.sparkle', { id: 1 }));
    expect(decoded.sections).toEqual([]);
    expect(decoded.unrecognized).toEqual([
      { path: '$.data', reason: 'unknown_event:messages.sparkle', excerpt: '{"id":1}' },
    ]);
  });

  it.each<[string, JsonValue]>([
    ['messages.upsert', 'text'],
    ['messages.upsert', { message: 'no list' }],
    ['messages.upsert', { messages: { '0': webMessage() }, type: 'notify' }],
    ['messaging-history.set', null],
    ['contacts.upsert', 7],
    ['messages.update', 'text'],
    ['lid-mapping.update', 'text'],
  ])('E1: %s with data of another form (%j) is shown, not dropped', (name, data) => {
    const decoded = decode(event(name, data));
    expect(decoded.sections).toEqual([]);
    expect(decoded.unrecognized).toMatchObject([{ reason: `unknown_payload:${name}` }]);
  });

  it('E1: a map of events gives a section for each', () => {
    const decoded = decode({ 'messages.upsert': live([webMessage()]), 'chats.update': [{ id: ANA }] });
    expect(decoded.sections.map(({ field, path, eventOnly }) => [field, path, eventOnly])).toEqual([
      ['messages.upsert', '$["messages.upsert"]', false],
      ['chats.update', '$["chats.update"]', true],
    ]);
  });

  it('contacts.upsert and contacts.update give names and pairs', () => {
    for (const name of ['contacts.upsert', 'contacts.update']) {
      const decoded = decode(
        event(name, [{ id: ANA, lid: ANA_LID, name: 'Ana Agenda', notify: 'Ana' }, 'junk']),
      );
      const who = { phone: '+5511900000001', lid: ANA_LID };
      expect(theOnly(decoded, 'identity_link').path).toBe('$.data[0].lid');
      expect(ofKind(decoded, 'profile')).toEqual([
        { kind: 'profile', path: '$.data[0]', who, name: 'Ana', at: 1757900100000 },
        { kind: 'profile', path: '$.data[0].name', who, addressBookName: 'Ana Agenda', at: 1757900100000 },
      ]);
      expect(theOnly(decoded, 'rejected')).toMatchObject({ subject: 'contact', path: '$.data[1]' });
    }
  });

  it('reads a single contact of Evolution API', () => {
    const decoded = decode({
      event: 'contacts.update',
      instance: 'loja',
      data: { remoteJid: ANA, pushName: 'Ana' },
    });
    expect(theOnly(decoded, 'profile')).toMatchObject({
      path: '$.data',
      name: 'Ana',
      who: { phone: '+5511900000001' },
    });
  });

  it('H3: a call is known by its data, also without a session', () => {
    const data: JsonValue[] = [
      { chatId: ANA, from: ANA, id: 'C1', date: '2026-09-21T11:13:20.000Z', offline: false, status: 'offer' },
      { chatId: ANA_LID, from: ANA_LID, id: 'C1', status: 'terminate' },
    ];
    const forms: JsonObject[] = [{ event: 'call', data }, { call: data }, { event: 'CALL', data }];
    for (const value of forms) {
      const decoded = decode(value);
      expect(decoded.unrecognized).toEqual([]);
      expect(decoded.sections).toMatchObject([{ field: 'call', eventOnly: true }]);
      expect(theOnly(decoded, 'event')).toMatchObject({ name: 'call' });
    }
  });

  it('M3: messages.update brings statuses, in Baileys’ form and in Evolution API’s', () => {
    const decoded = decode(
      event('messages.update', [
        { key: { remoteJid: ANA, fromMe: true, id: 'A' }, update: { status: 3 } },
        { keyId: 'B', remoteJid: ANA, fromMe: true, status: 'READ', messageId: 'internal' },
      ]),
    );
    expect(ofKind(decoded, 'status')).toEqual([
      {
        kind: 'status',
        path: '$.data[0]',
        targetExternalId: 'A',
        recipient: { phone: '+5511900000001' },
        status: 'delivered',
        at: 1757900100000,
      },
      {
        kind: 'status',
        path: '$.data[1]',
        targetExternalId: 'B',
        recipient: { phone: '+5511900000001' },
        status: 'read',
        at: 1757900100000,
      },
    ]);
    const single = {
      event: 'messages.update',
      instance: 'loja',
      data: { keyId: 'B', remoteJid: ANA, status: 'READ' },
    };
    expect(theOnly(decode(single), 'status')).toMatchObject({ path: '$.data', at: 0 });
  });

  it('every update is counted, also those that say nothing new', () => {
    const key = { remoteJid: ANA, id: 'A' };
    const decoded = decode(
      event('messages.update', [
        { key, update: { message: { imageMessage: { url: 'https://example.test/anew' } } } },
        { key, update: { message: null } },
        { key, update: { starred: true } },
        { key: { remoteJid: GROUP, id: 'A' }, update: { status: 3 } },
        { key: { remoteJid: ANA }, update: { status: 3 } },
        'junk',
      ]),
    );
    expect(ofKind(decoded, 'skipped').map((fact) => [fact.subject, fact.reason])).toEqual([
      ['edit', 'protocol'],
      ['revoke', 'protocol'],
      ['status', 'unknown_status'],
      ['status', 'group'],
    ]);
    expect(ofKind(decoded, 'rejected').map((fact) => fact.reason)).toEqual([
      'missing_target',
      'not_an_object',
    ]);
  });

  it('M5: messages.update tells edits and revokes under the key of their message, as Baileys emits them', () => {
    const key = { remoteJid: ANA, fromMe: false, id: 'A' };
    const edit = {
      key,
      update: {
        message: { editedMessage: { message: { extendedTextMessage: { text: 'novo' } } } },
        messageTimestamp: 1757900090,
      },
    };
    const revoke = (type: JsonValue): JsonObject => ({
      key,
      update: { message: null, messageStubType: type, key: { ...key, id: 'PROTOCOL' } },
    });
    const decoded = decode(event('messages.update', [edit, revoke(1), revoke('REVOKE')]));
    const counterpart = { phone: '+5511900000001' };
    expect(ofKind(decoded, 'edit')).toEqual([
      {
        kind: 'edit',
        path: '$.data[0]',
        targetExternalId: 'A',
        editId: 'A 1757900090000',
        at: 1757900090000,
        content: { type: 'text', body: 'novo' },
        counterpart,
      },
    ]);
    const gone = { kind: 'revoke', targetExternalId: 'A', at: 1757900100000, counterpart };
    expect(ofKind(decoded, 'revoke')).toEqual([
      { ...gone, path: '$.data[1]' },
      { ...gone, path: '$.data[2]' },
    ]);
    // Baileys tells no time.
    const timeless = decode({ event: 'messages.update', data: [revoke(1)] });
    expect(theOnly(timeless, 'revoke').at).toBe(0);
  });

  it('M5: messages.reaction names the target by key and the reactor inside', () => {
    const data: JsonValue = [
      {
        key: { remoteJid: ANA, fromMe: true, id: 'TARGET' },
        reaction: {
          key: { remoteJid: ANA, fromMe: false, id: 'R' },
          text: '👍',
          senderTimestampMs: '1757900099000',
        },
      },
      { key: { remoteJid: ANA, id: 'TARGET' }, reaction: { key: { fromMe: true }, text: '' } },
      { key: { remoteJid: GROUP, id: 'TARGET' }, reaction: { text: '👍' } },
      { key: { remoteJid: ANA }, reaction: { text: '👍' } },
    ];
    const decoded = decode(event('messages.reaction', data));
    expect(ofKind(decoded, 'reaction')).toMatchObject([
      { targetExternalId: 'TARGET', reactor: 'customer', emoji: '👍', at: 1757900099000, live: true },
      { targetExternalId: 'TARGET', reactor: 'business', emoji: null, at: 1757900100000, live: false },
    ]);
    expect(theOnly(decoded, 'skipped')).toMatchObject({ subject: 'reaction', reason: 'group' });
    expect(theOnly(decoded, 'rejected')).toMatchObject({ subject: 'reaction', reason: 'missing_target' });
  });

  it('reads data that a log has stored as text', () => {
    const decoded = decode(event('messages.upsert', JSON.stringify(live([webMessage()]))));
    expect(theOnly(decoded, 'message')).toMatchObject({ path: '$.data.messages[0]', body: 'oi' });
  });

  it('what was sent through Evolution API is an echo', () => {
    const sent = {
      event: 'send.message',
      instance: 'loja',
      data: webMessage({ status: 'PENDING' }, { fromMe: true }),
    };
    expect(theOnly(decode(sent), 'message')).toMatchObject({
      origin: 'echo',
      direction: 'OUTBOUND',
      status: 'pending',
    });
  });
});
