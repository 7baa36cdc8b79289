import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../src/model/json.js';
import { factsOf, message, the, webhook } from './meta-builders.js';

/** The message fact of a webhook whose only message has these parts instead of a text. */
function read(parts: JsonObject) {
  return the('message', factsOf(webhook('messages', { messages: [message({ text: undefined, ...parts })] })));
}

describe('what a message says', () => {
  test.each<[string, JsonObject, string | undefined]>([
    ['a text', { type: 'text', text: { body: 'oi' } }, 'oi'],
    ['a caption', { type: 'image', image: { id: '1', caption: 'foto' } }, 'foto'],
    ['no caption', { type: 'image', image: { id: '1' } }, undefined],
    ['an empty caption', { type: 'image', image: { id: '1', caption: '' } }, undefined],
    ['a template button', { type: 'button', button: { text: 'Sair', payload: 'x' } }, 'Sair'],
    [
      'a chosen button',
      { type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: '1', title: 'Sim' } } },
      'Sim',
    ],
    [
      'a chosen row',
      {
        type: 'interactive',
        interactive: { type: 'list_reply', list_reply: { id: '1', title: 'Expresso' } },
      },
      'Expresso',
    ],
    [
      'a flow’s reply',
      {
        type: 'interactive',
        interactive: { type: 'nfm_reply', nfm_reply: { body: 'Sent', response_json: '[1]' } },
      },
      'Sent',
    ],
    [
      'buttons that the business sent',
      { type: 'interactive', interactive: { type: 'button', body: { text: 'Confirma?' }, action: {} } },
      'Confirma?',
    ],
    [
      'a named place',
      { type: 'location', location: { latitude: 1, longitude: 2, name: 'Loja', address: 'Rua A' } },
      'Loja — Rua A',
    ],
    ['a place on the equator', { type: 'location', location: { latitude: 0, longitude: 1 } }, '0,1'],
    [
      'shared cards',
      {
        type: 'contacts',
        contacts: [
          { name: { formatted_name: 'Barbara Jota' } },
          { name: { first_name: 'Sem', last_name: 'Zap' } },
          { phones: [{ phone: '+55 11 4000-0000' }] },
          null,
        ],
      },
      'Barbara Jota, Sem Zap, +55 11 4000-0000',
    ],
    [
      'an order',
      {
        type: 'order',
        order: {
          text: '',
          product_items: [
            { product_retailer_id: 'SKU1', quantity: 2, item_price: 3.5, currency: 'BRL' },
            { product_retailer_id: 'SKU2', quantity: '1' },
          ],
        },
      },
      '2 x SKU1 — BRL 3.50, 1 x SKU2',
    ],
    ['an order with words', { type: 'order', order: { text: 'para hoje', product_items: [] } }, 'para hoje'],
    ['an empty text', { type: 'text', text: { body: '' } }, undefined],
    ['a future type', { type: 'event_invite', event_invite: { name: 'Feira' } }, 'Feira'],
  ])('%s is read', (_what, parts, body) => {
    expect(read(parts).body).toBe(body);
  });

  test('what is more than its text is kept as it was sent', () => {
    const interactive = {
      type: 'list_reply',
      list_reply: { id: 'x', title: 'Expresso', description: '1 a 2\0dias' },
    };
    expect(read({ type: 'interactive', interactive }).rawMeta).toEqual({
      interactive: {
        ...interactive,
        list_reply: { ...interactive.list_reply, description: '1 a 2\uFFFDdias' },
      },
    });
    expect(read({ type: 'event_invite', event_invite: { name: 'Feira' } }).rawMeta).toEqual({
      event_invite: { name: 'Feira' },
    });
    expect(read({ type: 'audio', audio: { id: '1', voice: true } }).rawMeta).toEqual({ voice: true });
    expect(read({ type: 'text', text: { body: 'x' }, referral: { source_id: '1' } }).rawMeta).toEqual({
      referral: { source_id: '1' },
    });
  });

  test('a plain message keeps nothing more', () => {
    expect(read({ type: 'text', text: { body: 'x' } }).rawMeta).toBeUndefined();
  });

  test('a file keeps what identifies it', () => {
    const document = {
      id: 62,
      mime_type: 'application/pdf',
      sha256: 'E51=',
      filename: 'pix\0.pdf',
      url: 'https://x',
    };
    expect(read({ type: 'document', document }).media).toEqual({
      id: '62',
      mimeType: 'application/pdf',
      sha256: 'E51=',
      fileName: 'pix\uFFFD.pdf',
    });
  });

  test('a reply names what it answers; a forwarded message answers nothing', () => {
    const text = { type: 'text', text: { body: 'x' } };
    expect(read({ ...text, context: { id: 'wamid.q' } }).contextExternalId).toBe('wamid.q');
    const forwarded = read({ ...text, context: { forwarded: true, id: 'wamid.q' } });
    expect(forwarded.contextExternalId).toBeUndefined();
    expect(forwarded.rawMeta).toEqual({ context: { forwarded: true } });
  });

  test.each<[JsonObject, string]>([
    [{ image: { id: '1' } }, 'image'],
    [{ text: { body: 'x' } }, 'text'],
    [{ type: '', text: { body: 'x' } }, 'text'],
    [{ contacts: [] }, 'contacts'],
    [{}, 'unknown'],
    [{ type: 7 }, '7'],
    [{ type: 'constructor' }, 'constructor'],
    [{ type: '__proto__' }, '__proto__'],
  ])('a type is told by the object where it is missing: %j is %s', (parts, type) => {
    expect(read({ type: null, ...parts }).type).toBe(type);
  });
});

describe('M2: how good the content is', () => {
  test.each<[JsonObject, string]>([
    [{ type: 'text', text: { body: 'x' } }, 'content'],
    [{ type: 'image', image: { id: '1' } }, 'content'],
    [{ type: 'image', image: { mime_type: 'image/png' } }, 'media_without_id'],
    [{ type: 'video' }, 'media_without_id'],
    [{ type: 'media_placeholder' }, 'placeholder'],
    [{ type: 'unsupported', errors: [{ code: 131051 }] }, 'placeholder'],
    [{ type: 'errors', errors: [{ code: 131060 }] }, 'placeholder'],
    [{ type: 'image', errors: [{ code: 131052 }] }, 'placeholder'],
    [{ type: 'interactive', errors: [{ code: 131000 }] }, 'placeholder'],
    [{ type: 'text' }, 'placeholder'],
    [{ type: 'ephemeral' }, 'placeholder'],
    [{ type: 'event_invite', event_invite: {} }, 'content'],
    [{ type: 'location', location: { latitude: 0, longitude: 0 } }, 'content'],
  ])('M2: %j is %s', (parts, grade) => {
    expect(read(parts).grade).toBe(grade);
  });

  test('M2: an unsupported message keeps its errors, and came nevertheless', () => {
    const fact = read({ type: 'unsupported', errors: [{ code: 131051 }], unsupported: { type: 'poll' } });
    expect(fact).toMatchObject({
      status: 'delivered',
      rawMeta: { errors: [{ code: 131051 }], unsupported: { type: 'poll' } },
    });
  });
});
