import { describe, expect, it } from 'vitest';
import type { CrmMessage, CrmRecord } from '../../src/crm/crm.js';
import { EVOLUTION } from '../../src/crm/dialects/evolution.js';
import { isOtherKind } from '../../src/crm/kinds.js';

const ROW: CrmRecord = {
  id: 'cm01',
  key: { id: '3EB0A1B2C3D4E5F60001', fromMe: false, remoteJid: '5511988880001@s.whatsapp.net' },
  messageType: 'conversation',
  message: { conversation: 'Bom dia' },
  messageTimestamp: 1_758_000_000,
  instanceId: 'web',
  status: 'DELIVERY_ACK',
};

function messageOf(columns: CrmRecord): CrmMessage {
  const row = EVOLUTION.readRow({ ...ROW, ...columns });
  if (row.kind !== 'message') throw new Error(`aside: ${row.reason}`);
  return row.message;
}

const FILE = { mimetype: 'image/webp', directPath: '/v/1', mediaKey: 'AA==' };

describe('a healthy row', () => {
  it.each<[string, string, object, string]>([
    ['an extended text', 'extendedTextMessage', { extendedTextMessage: { text: 'Bom dia' } }, 'text'],
    ['a rewritten one', 'extendedTextMessage', { conversation: 'Bom dia' }, 'text'],
    [
      'one with keys beside it',
      'conversation',
      { senderKeyDistributionMessage: {}, conversation: 'x' },
      'text',
    ],
    [
      'one of a chat that disappears',
      'ephemeralMessage',
      { ephemeralMessage: { message: { conversation: 'x' } } },
      'text',
    ],
    [
      'one from another device',
      'deviceSentMessage',
      { deviceSentMessage: { destinationJid: 'x', message: { extendedTextMessage: { text: 'x' } } } },
      'text',
    ],
    ['a picture without a caption', 'imageMessage', { imageMessage: FILE, mediaUrl: 'https://s3' }, 'image'],
    ['one that is named a text', 'conversation', { imageMessage: FILE }, 'image'],
    ['one in base64', 'imageMessage', { base64: 'AA==', imageMessage: FILE }, 'image'],
    [
      'one to see once',
      'viewOnceMessageV2',
      { viewOnceMessageV2: { message: { imageMessage: FILE } } },
      'image',
    ],
    [
      'one of an album',
      'associatedChildMessage',
      { associatedChildMessage: { message: { imageMessage: FILE } } },
      'image',
    ],
    [
      'a document with a caption',
      'documentWithCaptionMessage',
      { documentWithCaptionMessage: { message: { documentMessage: { ...FILE, caption: 'x' } } } },
      'document',
    ],
    ['a round video', 'ptvMessage', { ptvMessage: FILE }, 'video'],
    [
      'a voice message with its words',
      'audioMessage',
      { audioMessage: FILE, speechToText: '[audio] x' },
      'audio',
    ],
    [
      'a moving sticker',
      'lottieStickerMessage',
      { lottieStickerMessage: { message: { stickerMessage: FILE } } },
      'sticker',
    ],
    ['a live place', 'liveLocationMessage', { liveLocationMessage: { degreesLatitude: 1 } }, 'location'],
    ['a place that a repair words', 'conversation', { conversation: '[location]' }, 'location'],
    ['several contacts', 'contactMessage', { contactsArrayMessage: { contacts: [] } }, 'contacts'],
    ['a poll', 'pollCreationMessageV3', { pollCreationMessageV3: { name: '?' } }, 'poll'],
    ['a poll that a repair words', 'conversation', { conversation: '[poll]' }, 'poll'],
    ['a reply to buttons', 'conversation', { conversation: 'Sim' }, 'button'],
    ['a template', 'templateMessage', { templateMessage: { hydratedTemplate: {} } }, 'text'],
    [
      'buttons',
      'viewOnceMessage',
      { viewOnceMessage: { message: { interactiveMessage: {} } } },
      'interactive',
    ],
    ['what no device can show', 'placeholderMessage', { placeholderMessage: { type: 0 } }, 'unsupported'],
    ['what came as nothing at all', 'unknown', { messageContextInfo: {} }, 'unsupported'],
  ])('with %s is no other kind', (_what, messageType, message, ours) => {
    expect(isOtherKind(ours, messageOf({ messageType, message }).kinds)).toBe(false);
  });

  it('that is named a text is another kind than what it holds', () => {
    const { kinds } = messageOf({ message: { imageMessage: FILE } });
    expect(['text', 'audio', 'document'].map((type) => isOtherKind(type, kinds))).toEqual([true, true, true]);
  });

  it('lacks nothing, also in an export, where everything is a text', () => {
    expect(messageOf({}).lacks).toEqual([]);
    const texts = {
      key: JSON.stringify(ROW.key),
      message: JSON.stringify(ROW.message),
      messageTimestamp: '1758000000',
    };
    expect(messageOf(texts)).toEqual(messageOf({}));
  });

  it.each<[string, object, object]>([
    [
      'a protocol message',
      { key: { id: 'A' }, type: 'MESSAGE_EDIT', editedMessage: { conversation: 'x' } },
      {},
    ],
    ['one without a key', { type: 14, editedMessage: { extendedTextMessage: { text: 'x' } } }, {}],
    ['one in its envelope', { protocolMessage: { type: 14, editedMessage: { conversation: 'x' } } }, {}],
    [
      'one in both envelopes',
      { editedMessage: { message: { protocolMessage: { type: 14, editedMessage: { conversation: 'x' } } } } },
      {},
    ],
    ['the content itself', { conversation: 'x' }, {}],
    ['nothing', {}, { body: null }],
    ['a revoke', { key: { id: 'A' }, type: 'REVOKE' }, { body: null, kinds: [] }],
  ])('that was edited says its words by %s, and when it was edited', (_what, message, said) => {
    const edited = { status: 'EDITED', message, messageTimestamp: 1_758_000_900 };
    expect(messageOf(edited)).toMatchObject({
      at: null,
      editedAt: 1_758_000_900_000,
      lacks: [],
      kinds: ['text'],
      body: 'x',
      ...said,
    });
    const caption = messageOf({ ...edited, messageType: 'imageMessage' });
    expect(caption.kinds).toContain('image');
    expect(isOtherKind('image', caption.kinds)).toBe('body' in said && !('kinds' in said));
  });
});
