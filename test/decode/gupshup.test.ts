import { describe, expect, test } from 'vitest';
import { itemAt } from '../../src/decode/item-at.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import {
  ANA,
  AT,
  BUSINESS,
  decode,
  factsOf,
  message,
  SECONDS,
  the,
  USER_ID,
  wamid,
  webhook,
} from './meta-builders.js';

const OWN_ID = 'a20b1b5c-4f0e-4b5e-9d2a-2f1f6f2b7c11';

/** Gupshup's v3 body: Meta's, with the app beside it. */
function gupshup(field: string, value: JsonObject): JsonObject {
  return { ...webhook(field, value), gs_app_id: '82ed52f4-30c0-4f12-81b4-e7ad07bd41de' };
}

function statusWith(ids: Record<string, JsonValue>): JsonObject {
  const status = { status: 'delivered', timestamp: SECONDS, recipient_id: ANA, gs_id: OWN_ID, ...ids };
  return gupshup('messages', { statuses: [status] });
}

describe('Gupshup v3 hands Meta’s bodies on with ids of its own', () => {
  test('a status names its message by meta_msg_id, not by the id of Gupshup', () => {
    const body = statusWith({ id: OWN_ID, meta_msg_id: wamid('A1') });
    expect(the('status', factsOf(body))).toMatchObject({
      targetExternalId: wamid('A1'),
      status: 'delivered',
    });
  });

  test.each([
    ['absent', {}],
    ['null', { meta_msg_id: null }],
    ['empty', { meta_msg_id: '' }],
    ['no text', { meta_msg_id: { id: 'x' } }],
  ])('where meta_msg_id is %s, the id counts', (_title, ids) => {
    const body = statusWith({ id: wamid('A1'), ...ids });
    expect(the('status', factsOf(body))).toMatchObject({ targetExternalId: wamid('A1') });
  });

  test('a reply names what it answers by meta_msg_id', () => {
    const context = { from: BUSINESS, id: OWN_ID, gs_id: OWN_ID, meta_msg_id: wamid('Q1') };
    const body = gupshup('messages', { messages: [message({ context })] });
    expect(the('message', factsOf(body))).toMatchObject({
      externalId: wamid('A1'),
      contextExternalId: wamid('Q1'),
    });
  });

  test('a reaction names its message by meta_msg_id', () => {
    const reaction = { message_id: OWN_ID, meta_msg_id: wamid('Q1'), emoji: '👍' };
    const body = gupshup('messages', { messages: [message({ type: 'reaction', reaction })] });
    expect(the('reaction', factsOf(body))).toMatchObject({ targetExternalId: wamid('Q1') });
  });

  test('a forwarded message still answers nothing', () => {
    const context = { forwarded: true, meta_msg_id: wamid('Q1') };
    const fact = the('message', factsOf(gupshup('messages', { messages: [message({ context })] })));
    expect(fact.contextExternalId).toBeUndefined();
  });

  test('a message is called by meta_msg_id where it has one', () => {
    const body = gupshup('smb_message_echoes', {
      message_echoes: [message({ from: BUSINESS, to: ANA, id: OWN_ID, meta_msg_id: wamid('A1') })],
    });
    expect(the('message', factsOf(body))).toMatchObject({ externalId: wamid('A1'), stanzaId: 'A1' });
  });
});

describe('Gupshup v2 has a form of its own, and sometimes WhatsApp’s ids', () => {
  const LONG_TEXT = 'Olá! 🙂\nSegue a lista:\n- pão\n- "café"\n'.repeat(300);
  const SENDER = { phone: ANA, name: 'Ana Teste', country_code: '55', dial_code: '11900000001' };

  function v2(type: string, payload: JsonValue, parts: JsonObject = {}): JsonObject {
    return { app: 'Loja', timestamp: AT, version: 2, type, payload, ...parts };
  }

  function inbound(parts: JsonObject): JsonObject {
    return v2('message', { id: wamid('A1'), source: ANA, sender: SENDER, ...parts });
  }

  test('a message with a wamid is that message', () => {
    const body = inbound({
      type: 'text',
      payload: { text: LONG_TEXT },
      context: { id: wamid('Q1'), gsId: OWN_ID },
    });
    const entry = decode(body);
    expect(entry).toMatchObject({ provider: 'meta', unrecognized: [] });
    expect(entry.sections).toMatchObject([{ path: '$', field: 'messages' }]);
    expect(entry.sections[0]?.connection).toEqual({});
    const facts = factsOf(body);
    expect(the('message', facts)).toMatchObject({
      path: '$.payload',
      origin: 'live',
      externalId: wamid('A1'),
      stanzaId: 'A1',
      counterpart: { phone: `+${ANA}` },
      direction: 'INBOUND',
      timestamp: AT,
      type: 'text',
      body: LONG_TEXT,
      contextExternalId: wamid('Q1'),
    });
    expect(the('profile', facts)).toMatchObject({ path: '$.payload.sender', name: 'Ana Teste' });
    for (const { path } of facts)
      expect(itemAt(Buffer.from(JSON.stringify(body)), path)).toBeTypeOf('object');
  });

  test('I3: the sender’s user id is linked to the phone', () => {
    const body = inbound({ type: 'text', payload: { text: 'oi' }, sender: { ...SENDER, userId: USER_ID } });
    expect(the('message', factsOf(body)).counterpart).toEqual({ phone: `+${ANA}`, bsuids: [USER_ID] });
  });

  test.each<[string, JsonObject, JsonObject]>([
    [
      'an image',
      {
        type: 'image',
        payload: {
          url: 'https://filemanager.gupshup.io/wa/x/wa/media/1234567890?download=false',
          contentType: 'image/jpeg',
          caption: 'Recibo',
        },
      },
      { type: 'image', body: 'Recibo', media: { id: '1234567890', mimeType: 'image/jpeg' } },
    ],
    [
      'a file',
      {
        type: 'file',
        payload: { url: 'https://x.test/a', name: 'nota.pdf', contentType: 'application/pdf' },
      },
      { type: 'document', media: { fileName: 'nota.pdf' }, grade: 'media_without_id' },
    ],
    [
      'a location',
      { type: 'location', payload: { latitude: -23.5, longitude: '-46.6' } },
      { type: 'location', body: '-23.5,-46.6' },
    ],
    [
      'contacts',
      { type: 'contact', payload: { contacts: [{ name: { formatted_name: 'Zé' } }] } },
      { type: 'contacts', body: 'Zé' },
    ],
    [
      'a button',
      { type: 'button_reply', payload: { id: '1', title: 'Sim', reply: 'Sim 1' } },
      { type: 'interactive', body: 'Sim' },
    ],
    [
      'a row',
      { type: 'list_reply', payload: { id: '1', title: 'Plano A', description: 'x' } },
      { type: 'interactive', body: 'Plano A' },
    ],
    [
      'a button of a template',
      { type: 'quick_reply', payload: { text: 'Quero', type: 'button' } },
      { type: 'button', body: 'Quero' },
    ],
    [
      'a later type',
      { type: 'sparkle', payload: { glitter: 1 } },
      { type: 'sparkle', rawMeta: { sparkle: { glitter: 1 } } },
    ],
  ])('reads %s', (_title, parts, expected) => {
    expect(the('message', factsOf(inbound(parts)))).toMatchObject(expected);
  });

  test('a reaction with WhatsApp’s id', () => {
    const body = inbound({ type: 'reaction', payload: { id: wamid('Q1'), emoji: '👍' } });
    expect(the('reaction', factsOf(body))).toMatchObject({ targetExternalId: wamid('Q1'), emoji: '👍' });
  });

  test.each(['sent', 'delivered', 'read', 'failed'])('M3: the status %s of WhatsApp’s id', (type) => {
    const payload = { ts: 1758000000, code: 1008, reason: 'User is not Opted in' };
    const body = v2('message-event', { id: wamid('S1'), gsId: OWN_ID, type, destination: ANA, payload });
    expect(the('status', factsOf(body))).toMatchObject({
      path: '$.payload',
      targetExternalId: wamid('S1'),
      status: type,
      at: AT,
    });
  });

  test.each<[string, JsonObject]>([
    ['beside its own id', { whatsappMessageId: wamid('S1'), payload: { ts: 1758000000 } }],
    ['in the details', { payload: { ts: 1758000000, whatsappMessageId: wamid('S1') } }],
  ])('M3: a status finds its message by WhatsApp’s id %s', (_where, parts) => {
    const body = v2('message-event', { id: OWN_ID, gsId: OWN_ID, type: 'read', destination: ANA, ...parts });
    expect(the('status', factsOf(body))).toMatchObject({
      targetExternalId: wamid('S1'),
      status: 'read',
      at: AT,
    });
  });

  test('an id of the On-Premises API is WhatsApp’s, too', () => {
    const body = v2('message-event', {
      id: 'gBEGkYaYVSEEAgnZxQ3JmKK6Wvg',
      gsId: OWN_ID,
      type: 'deleted',
      destination: ANA,
    });
    expect(the('revoke', factsOf(body))).toMatchObject({
      targetExternalId: 'gBEGkYaYVSEEAgnZxQ3JmKK6Wvg',
      at: AT,
    });
  });

  test.each<[string, JsonValue, string]>([
    ['billing-event', { deductions: { type: 'service' }, references: { id: OWN_ID } }, 'billing-event'],
    ['user-event', { phone: ANA, type: 'opted-in' }, 'user-event.opted-in'],
    [
      'template-event',
      { id: OWN_ID, status: 'approved', type: 'status-update' },
      'template-event.status-update',
    ],
    ['account-event', { type: 'pn-event' }, 'account-event.pn-event'],
    ['system-event', {}, 'system-event'],
    [
      'message-event',
      { id: OWN_ID, type: 'enqueued', destination: ANA, payload: { type: 'session' } },
      'message-event.enqueued',
    ],
    [
      'message-event',
      { id: OWN_ID, type: 'failed', destination: ANA, payload: { code: 1002 } },
      'message-event.failed',
    ],
    ['message-event', { id: OWN_ID, type: 'read', destination: ANA }, 'message-event.read'],
    [
      'message-event',
      { id: OWN_ID, gsId: 'ee4a68a0', type: 'delivered', destination: ANA, payload: { ts: 1758000000 } },
      'message-event.delivered',
    ],
    [
      'message-event',
      { id: OWN_ID, type: 'enqueued', payload: { whatsappMessageId: wamid('S1'), type: 'session' } },
      'message-event.enqueued',
    ],
  ])('H3: %s is counted', (type, payload, name) => {
    expect(decode(v2(type, payload))).toMatchObject({
      unrecognized: [],
      sections: [{ field: type, eventOnly: true, facts: [{ kind: 'event', name }] }],
    });
  });

  test.each<[string, JsonObject]>([
    [
      'a message by Gupshup’s id',
      v2('message', { id: OWN_ID, source: ANA, type: 'text', payload: { text: 'oi' } }),
    ],
    ['a state of a later version', v2('message-event', { id: OWN_ID, type: 'seen', destination: ANA })],
    ['an event of a later version', v2('sparkle-event', {})],
    ['a payload that is no object', v2('message', 'x')],
  ])('E1: %s is named', (_title, body) => {
    expect(decode(body)).toMatchObject({ sections: [], unrecognized: [{ path: '$', reason: 'gupshup_v2' }] });
  });
});
