import { describe, expect, it } from 'vitest';
import type { MessageFact } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { decode, history, live, ofKind, saying, theOnly, webMessage } from './baileys-builders.js';

function read(content: JsonObject): MessageFact {
  return theOnly(decode(history([saying(content)])), 'message');
}

const FILE = {
  url: 'https://mmg.whatsapp.net/v/t62.7118-24/fictional.enc',
  mimetype: 'image/jpeg',
  fileSha256: '3OfM4FVWa+15n3iM0ASOIJonpHPA9IuVb6HxeA6A0sE=',
  fileEncSha256: 'LJ3N7Vtufg7g4NxlVbRbmsBE79K22qGhmCw4h93G1tQ=',
  fileLength: '123456',
  mediaKey: 'TDsyhOIGw9tyRAc2z9vRhfDmGjx/2fBJmHGWuYfT0e4=',
  directPath: '/v/t62.7118-24/fictional.enc',
  jpegThumbnail: '9sCII7aHXpCVEIBNHbSyeONPnOJBVIQiZJfugJMeQqg=',
};

describe('contents of WhatsApp Web', () => {
  it.each<[string, JsonObject, string, string | undefined]>([
    ['plain text', { conversation: 'oi' }, 'text', 'oi'],
    ['text with a link', { extendedTextMessage: { text: 'oi' } }, 'text', 'oi'],
    ['a round video', { ptvMessage: FILE }, 'video', undefined],
    [
      'a sticker in its own wrapper',
      { lottieStickerMessage: { message: { stickerMessage: FILE } } },
      'sticker',
      undefined,
    ],
    ['a document', { documentMessage: { ...FILE, title: 'tabela', caption: 'veja' } }, 'document', 'veja'],
    [
      'a named place',
      {
        locationMessage: { degreesLatitude: -23.5, degreesLongitude: -46.6, name: 'Loja', address: 'Rua 1' },
      },
      'location',
      'Loja — Rua 1',
    ],
    [
      'a bare position',
      { locationMessage: { degreesLatitude: -23.5, degreesLongitude: -46.6 } },
      'location',
      '-23.5,-46.6',
    ],
    [
      'a live position',
      { liveLocationMessage: { degreesLatitude: -23.5, degreesLongitude: -46.6, caption: 'indo' } },
      'location',
      'indo',
    ],
    ['a contact', { contactMessage: { displayName: 'Zé', vcard: 'BEGIN:VCARD' } }, 'contacts', 'Zé'],
    [
      'contacts without names',
      { contactsArrayMessage: { displayName: '2 contatos', contacts: [{}, 'junk'] } },
      'contacts',
      '2 contatos',
    ],
    [
      'a pressed button',
      { buttonsResponseMessage: { selectedButtonId: 's', selectedDisplayText: 'Sim' } },
      'interactive',
      'Sim',
    ],
    [
      'a chosen row',
      { listResponseMessage: { title: 'Opção 1', singleSelectReply: { selectedRowId: '1' } } },
      'interactive',
      'Opção 1',
    ],
    [
      'a template’s button',
      { templateButtonReplyMessage: { selectedId: 'x', selectedDisplayText: 'Quero' } },
      'interactive',
      'Quero',
    ],
    [
      'a flow’s answer',
      {
        interactiveResponseMessage: {
          body: { text: 'Enviado' },
          nativeFlowResponseMessage: { name: 'flow', paramsJson: '{}' },
        },
      },
      'interactive',
      'Enviado',
    ],
    [
      'buttons of the business',
      { interactiveMessage: { body: { text: 'Escolha' } } },
      'interactive',
      'Escolha',
    ],
    [
      'a list of the business',
      { listMessage: { title: 'Menu', description: 'Escolha' } },
      'interactive',
      'Menu\nEscolha',
    ],
    [
      'a template',
      { templateMessage: { hydratedTemplate: { hydratedContentText: 'Olá' } } },
      'template',
      'Olá',
    ],
    ['a poll', { pollCreationMessageV3: { name: 'Quando?', options: [] } }, 'poll', 'Quando?'],
    [
      'a wrapped poll',
      { pollCreationMessageV4: { message: { pollCreationMessage: { name: 'Quando?' } } } },
      'poll',
      'Quando?',
    ],
    [
      'an order',
      { orderMessage: { orderTitle: 'Pedido', message: 'Quero estes', itemCount: 2 } },
      'order',
      'Quero estes',
    ],
    ['a product', { productMessage: { product: { title: 'Bolo', productId: '7' } } }, 'product', 'Bolo'],
    ['an invitation', { groupInviteMessage: { groupName: 'Clientes' } }, 'group_invite', 'Clientes'],
    [
      'a call',
      { callLogMesssage: { isVideo: true, callOutcome: 'MISSED' } },
      'call_log',
      'Video call, missed',
    ],
    [
      'a payment',
      { sendPaymentMessage: { noteMessage: { extendedTextMessage: { text: 'pix' } } } },
      'payment',
      'pix',
    ],
    ['something of the future', { sparkleMessage: { text: 'oi' } }, 'sparkle', 'oi'],
    [
      'something of the future in its second version',
      { sparkleMessageV2: {} },
      'sparkle',
      'Unsupported message (sparkle)',
    ],
    ['something that is not even an object', { sparkle: 1 }, 'sparkle', 'Unsupported message (sparkle)'],
    [
      'a content beside what another program added',
      { base64: 'AAAA', mediaUrl: 'https://x', imageMessage: FILE },
      'image',
      undefined,
    ],
    ['a content beside group keys', { senderKeyDistributionMessage: {}, conversation: 'oi' }, 'text', 'oi'],
  ])('reads %s', (_title, content, type, body) => {
    const fact = read(content);
    expect([fact.type, fact.body]).toEqual([type, body]);
  });

  it.each([
    'ephemeralMessage',
    'viewOnceMessage',
    'viewOnceMessageV2',
    'viewOnceMessageV2Extension',
    'documentWithCaptionMessage',
    'editedMessage',
    'deviceSentMessage',
    'groupMentionedMessage',
    'wrapperOfTheFuture',
  ])('looks into %s', (wrapper) => {
    const inner = { message: { conversation: 'dentro' } };
    expect(read({ [wrapper]: inner })).toMatchObject({ type: 'text', body: 'dentro' });
    expect(read({ ephemeralMessage: { message: { [wrapper]: inner } } }).body).toBe('dentro');
  });

  it('gives up on a wrapper that has no end', () => {
    let content: JsonObject = { conversation: 'fundo' };
    for (let i = 0; i < 10_000; i++) content = { ephemeralMessage: { message: content } };
    expect(read(content)).toMatchObject({ type: 'unsupported', grade: 'placeholder' });
  });

  it('gives up on edits of edits', () => {
    let content: JsonObject = { conversation: 'fundo' };
    for (let i = 0; i < 10_000; i++)
      content = { protocolMessage: { type: 14, key: { id: 'X' }, editedMessage: content } };
    expect(theOnly(decode(history([saying(content)])), 'skipped').reason).toBe('protocol');
  });

  it('M2: media come without an id, with the keys that a download needs and no thumbnail', () => {
    expect(read({ imageMessage: { ...FILE, caption: 'foto' } })).toMatchObject({
      body: 'foto',
      media: { mimeType: 'image/jpeg', sha256: FILE.fileSha256 },
      grade: 'media_without_id',
      rawMeta: {
        mediaKeys: {
          directPath: FILE.directPath,
          mediaKey: FILE.mediaKey,
          fileEncSha256: FILE.fileEncSha256,
          fileLength: 123456,
        },
      },
    });
    expect(JSON.stringify(read({ imageMessage: FILE }))).not.toContain(FILE.jpegThumbnail);
    expect(read({ documentMessage: { ...FILE, fileName: 'a.pdf' } }).media?.fileName).toBe('a.pdf');
    expect(read({ audioMessage: { ...FILE, ptt: true, seconds: 7 } }).rawMeta).toMatchObject({
      voice: true,
      seconds: 7,
    });
    expect(read({ viewOnceMessageV2: { message: { imageMessage: FILE } } }).rawMeta).toMatchObject({
      viewOnce: true,
    });
  });

  it('M2: what WhatsApp shows only on the phone is a placeholder', () => {
    expect(read({ placeholderMessage: { type: 'MASK_LINKED_DEVICES' } })).toMatchObject({
      type: 'unsupported',
      grade: 'placeholder',
    });
    expect(read({ conversation: 'oi' }).grade).toBe('content');
  });

  it('keeps the small fields of what it does not know, and neither thumbnails nor secrets of the context', () => {
    const fact = read({
      messageContextInfo: { messageSecret: 'segredo' },
      sparkleMessage: {
        color: 'red',
        size: 3,
        long: 'x'.repeat(300),
        jpegThumbnail: 'abc',
        deep: { a: 1 },
        at: { low: 7, high: 0, unsigned: true },
      },
    });
    expect(fact.rawMeta).toEqual({ content: { color: 'red', size: 3, at: 7 } });
  });

  it('keeps the options of a poll, the place, the cards and the reply’s id', () => {
    expect(
      read({
        pollCreationMessage: { name: 'Quando?', options: [{ optionName: 'Hoje' }, { optionName: 'Amanhã' }] },
      }).rawMeta,
    ).toMatchObject({ options: ['Hoje', 'Amanhã'] });
    expect(read({ locationMessage: { degreesLatitude: -23.5, degreesLongitude: -46.6 } }).rawMeta).toEqual({
      location: { latitude: -23.5, longitude: -46.6 },
    });
    expect(read({ contactMessage: { displayName: 'Zé', vcard: 'BEGIN:VCARD' } }).rawMeta).toEqual({
      contacts: [{ name: 'Zé', vcard: 'BEGIN:VCARD' }],
    });
    expect(read({ buttonsResponseMessage: { selectedButtonId: 's' } }).rawMeta).toEqual({
      reply: { id: 's' },
    });
  });

  it('names the message that a reply answers, wherever the context stands', () => {
    expect(
      read({ extendedTextMessage: { text: 'oi', contextInfo: { stanzaId: '3A7D' } } }).contextExternalId,
    ).toBe('3A7D');
    expect(read({ imageMessage: { ...FILE, contextInfo: { stanzaId: '3A7D' } } }).contextExternalId).toBe(
      '3A7D',
    );
    const evolution = webMessage({ contextInfo: { stanzaId: '3A7D' } });
    expect(theOnly(decode(live([evolution])), 'message').contextExternalId).toBe('3A7D');
  });

  it('says where a person came from, and what was forwarded', () => {
    const contextInfo = {
      isForwarded: true,
      externalAdReply: { title: 'Bolo', sourceId: '120', ctwaClid: 'abc', thumbnail: 'x' },
    };
    expect(read({ extendedTextMessage: { text: 'oi', contextInfo } }).rawMeta).toEqual({
      forwarded: true,
      referral: { title: 'Bolo', sourceId: '120', ctwaClid: 'abc' },
    });
  });

  it('M8: texts are clean for PostgreSQL, also those that have no column', () => {
    const dirty = 'a\u0000b\ud800c';
    const clean = 'a\uFFFDb\uFFFDc';
    const fact = read({
      extendedTextMessage: {
        text: dirty,
        contextInfo: { stanzaId: dirty, externalAdReply: { title: dirty } },
      },
    });
    expect([fact.body, fact.contextExternalId, fact.rawMeta]).toEqual([
      clean,
      clean,
      { referral: { title: clean } },
    ]);
    expect(read({ [`sparkle${dirty}`]: { [dirty]: dirty } })).toMatchObject({
      type: `sparkle${clean}`,
      rawMeta: { content: { [clean]: clean } },
    });
  });

  it('M5: a revoke names what it takes back, by number, by name, or by default', () => {
    const target = { key: { id: 'ORIGINAL' } };
    const decoded = decode(
      history([
        saying({ protocolMessage: { type: 0, ...target } }),
        saying({ protocolMessage: { type: 'REVOKE', ...target } }),
        saying({ protocolMessage: { ...target } }),
      ]),
    );
    expect(ofKind(decoded, 'revoke')).toHaveLength(3);
    expect(ofKind(decoded, 'revoke')[0]).toMatchObject({
      targetExternalId: 'ORIGINAL',
      at: 1757900010000,
      counterpart: { phone: '+5511900000001' },
    });
  });

  it('M5: an edit has its own id and time, and the new content', () => {
    const edit = {
      type: 14,
      key: { id: 'ORIGINAL' },
      editedMessage: { imageMessage: { caption: 'nova' } },
      timestampMs: { low: 1234567890, high: 409, unsigned: false },
    };
    const fact = theOnly(decode(live([saying({ protocolMessage: edit }, { id: 'EDIT' })])), 'edit');
    expect(fact).toMatchObject({
      targetExternalId: 'ORIGINAL',
      editId: 'EDIT',
      content: { type: 'image', body: 'nova' },
    });
    expect(fact.at).toBe(409 * 2 ** 32 + 1234567890);
    const untimed = {
      type: 'MESSAGE_EDIT',
      key: { id: 'ORIGINAL' },
      editedMessage: { conversation: 'nova' },
    };
    expect(theOnly(decode(live([saying({ protocolMessage: untimed })])), 'edit').at).toBe(1757900010000);
  });

  it('M5: an edit, revoke or reaction without a target is rejected as such', () => {
    const decoded = decode(
      history([
        saying({ protocolMessage: { type: 'MESSAGE_EDIT', editedMessage: { conversation: 'x' } } }),
        saying({ protocolMessage: { type: 'REVOKE' } }),
        saying({ reactionMessage: { text: '👍' } }),
      ]),
    );
    expect(ofKind(decoded, 'rejected').map((fact) => [fact.subject, fact.reason])).toEqual([
      ['edit', 'missing_target'],
      ['revoke', 'missing_target'],
      ['reaction', 'missing_target'],
    ]);
  });

  it('M5: a reaction annotates its target; an empty one takes it back', () => {
    const reaction = { key: { id: 'TARGET' }, text: '👍', senderTimestampMs: '1757900099000' };
    const messages = [
      saying({ reactionMessage: reaction }),
      saying({ reactionMessage: { ...reaction, text: '', senderTimestampMs: null } }, { fromMe: true }),
    ];
    const counterpart = { phone: '+5511900000001' };
    const first = {
      targetExternalId: 'TARGET',
      reactor: 'customer',
      emoji: '👍',
      at: 1757900099000,
      counterpart,
    };
    const second = {
      targetExternalId: 'TARGET',
      reactor: 'business',
      emoji: null,
      at: 1757900010000,
      live: false,
    };
    expect(ofKind(decode(live(messages)), 'reaction')).toMatchObject([{ ...first, live: true }, second]);
    expect(ofKind(decode(history(messages)), 'reaction')).toMatchObject([{ ...first, live: false }, second]);
  });

  it('M5: the reactions that history lists on a message come on top of it', () => {
    const reactions: JsonValue[] = [
      { key: { fromMe: true, id: 'R1' }, text: '👍', senderTimestampMs: 1757900099000 },
      { key: { id: 'R2' }, text: '❤️', senderTimestampMs: { low: 1, high: 0, unsigned: true } },
      'junk',
    ];
    const decoded = decode(history([webMessage({ reactions }, { id: 'TARGET' })]));
    expect(theOnly(decoded, 'message').externalId).toBe('TARGET');
    expect(ofKind(decoded, 'reaction')).toMatchObject([
      {
        path: '$.messages[0].reactions[0]',
        targetExternalId: 'TARGET',
        reactor: 'business',
        at: 1757900099000,
      },
      {
        path: '$.messages[0].reactions[1]',
        targetExternalId: 'TARGET',
        reactor: 'customer',
        at: 1757900010000,
      },
    ]);
    expect(theOnly(decoded, 'rejected')).toMatchObject({ subject: 'reaction', reason: 'not_an_object' });
  });
});
