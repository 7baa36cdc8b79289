import { describe, expect, test } from 'vitest';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { ANA, BUSINESS, factsOf, message, SECONDS, the, wamid, webhook } from './meta-builders.js';

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
