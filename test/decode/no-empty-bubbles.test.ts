import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { Fact, MessageFact } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { decode, history, saying } from './baileys-builders.js';
import { factsOf, message, the, webhook } from './meta-builders.js';

/** The message fact of a Cloud API message with these parts instead of a text. */
function cloud(parts: JsonObject): MessageFact {
  return the('message', factsOf(webhook('messages', { messages: [message({ text: undefined, ...parts })] })));
}

/** What becomes of a WhatsApp Web message with this content. */
function web(content: JsonObject): Fact {
  const [fact] = decode(history([saying(content)])).facts.filter(({ path }) => path.startsWith('$.messages'));
  if (fact === undefined) throw new Error('no fact');
  return fact;
}

function bodyOf(fact: Fact): string | undefined {
  return fact.kind === 'message' ? fact.body : undefined;
}

/** Every field of proto.Message, as the installed Baileys has them. */
function fieldsOfMessage(): string[] {
  const file = createRequire(import.meta.url).resolve('@whiskeysockets/baileys/WAProto/WAProto.proto');
  const lines = readFileSync(file, 'utf8').split('\n');
  const start = lines.findIndex((line) => line === 'message Message {');
  const fields: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (line === '}') break;
    const [, name]: (string | undefined)[] = /^ {4}optional [\w.]+ (\w+) = \d+;/.exec(line) ?? [];
    if (name !== undefined) fields.push(name);
  }
  return fields;
}

const A_FILE = 'the file is the content';
const NO_MESSAGE = 'no message: it changes or accompanies another one, or is between devices';
const NOTHING_INSIDE = 'an envelope without a message';
const EMPTY_TEXT = 'a text without words';
const COMES_LATER = 'the file comes later, or never';

function because(reason: string, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, reason]));
}

/** Contents whose bubble has no text, and why. */
const WEB_REASONS: Readonly<Record<string, string>> = {
  ...because(A_FILE, [
    'imageMessage',
    'videoMessage',
    'ptvMessage',
    'audioMessage',
    'stickerMessage',
    'documentMessage',
  ]),
  ...because(NO_MESSAGE, [
    'albumMessage',
    'cancelPaymentRequestMessage',
    'declinePaymentRequestMessage',
    'encCommentMessage',
    'encEventResponseMessage',
    'encReactionMessage',
    'fastRatchetKeySenderKeyDistributionMessage',
    'keepInChatMessage',
    'messageContextInfo',
    'messageHistoryBundle',
    'messageHistoryNotice',
    'pinInChatMessage',
    'pollUpdateMessage',
    'protocolMessage',
    'reactionMessage',
    'scheduledCallEditMessage',
    'secretEncryptedMessage',
    'senderKeyDistributionMessage',
    'stickerSyncRmrMessage',
  ]),
  ...because(NOTHING_INSIDE, [
    'associatedChildMessage',
    'botForwardedMessage',
    'botInvokeMessage',
    'botTaskMessage',
    'deviceSentMessage',
    'documentWithCaptionMessage',
    'editedMessage',
    'ephemeralMessage',
    'eventCoverImage',
    'groupMentionedMessage',
    'groupStatusMentionMessage',
    'groupStatusMessage',
    'groupStatusMessageV2',
    'limitSharingMessage',
    'lottieStickerMessage',
    'pollCreationMessageV4',
    'pollCreationOptionImageMessage',
    'questionMessage',
    'questionReplyMessage',
    'statusAddYours',
    'statusMentionMessage',
    'viewOnceMessage',
    'viewOnceMessageV2',
    'viewOnceMessageV2Extension',
  ]),
  ...because(EMPTY_TEXT, ['extendedTextMessage']),
};

/** The types of Meta's reference, of its older versions, and of echoes. */
const CLOUD_TYPES = [
  'audio',
  'button',
  'contacts',
  'document',
  'ephemeral',
  'errors',
  'event_invite',
  'gif',
  'group_invite',
  'hsm',
  'image',
  'interactive',
  'list',
  'location',
  'media_placeholder',
  'order',
  'payment',
  'pin',
  'poll',
  'product',
  'sticker',
  'template',
  'text',
  'unknown',
  'unsupported',
  'video',
  'voice',
] as const;

const CLOUD_REASONS: Readonly<Record<string, string>> = {
  audio: A_FILE,
  document: A_FILE,
  image: A_FILE,
  media_placeholder: COMES_LATER,
  sticker: A_FILE,
  text: EMPTY_TEXT,
  video: A_FILE,
  voice: A_FILE,
};

describe('no bubble is empty without a reason', () => {
  const fields = fieldsOfMessage();

  test('the installed WAProto is read', () => {
    expect(fields.length).toBeGreaterThan(90);
    expect(fields.filter((name) => ['conversation', 'imageMessage'].includes(name))).toHaveLength(2);
    expect(Object.keys(WEB_REASONS).filter((name) => !fields.includes(name))).toEqual([]);
  });

  test.each(fields.filter((name) => name !== 'conversation'))('WhatsApp Web: %s', (name) => {
    const fact = web({ [name]: {} });
    expect(bodyOf(fact) !== undefined || WEB_REASONS[name] !== undefined, JSON.stringify(fact)).toBe(true);
    if (WEB_REASONS[name] === A_FILE) expect(fact).toMatchObject({ kind: 'message', media: {} });
    if (WEB_REASONS[name] === NO_MESSAGE) expect(fact.kind).not.toBe('message');
    if (WEB_REASONS[name] === NOTHING_INSIDE) expect(fact).toMatchObject({ kind: 'skipped', reason: 'stub' });
    expect(bodyOf(fact)?.trim()).not.toBe('');
  });

  test.each(CLOUD_TYPES)('Cloud API: %s', (type) => {
    for (const parts of [{ type }, { type, [type]: {} }]) {
      const fact = cloud(parts);
      expect(fact.body !== undefined || CLOUD_REASONS[type] !== undefined, JSON.stringify(fact)).toBe(true);
      expect(cloud({ ...parts, errors: [{ code: 131_051, title: 'Message type unknown' }] }).body).toBe(
        CLOUD_REASONS[type] === A_FILE && type in parts ? undefined : 'Message type unknown',
      );
    }
  });

  test.each([
    'button_reply',
    'list_reply',
    'nfm_reply',
    'call_permission_reply',
    'payment_method',
    'button',
    'list',
    'cta_url',
    'flow',
    'product',
    'product_list',
    'catalog_message',
    'location_request_message',
    'address_message',
    'order_details',
    'order_status',
    'call_permission_request',
    'voice_call',
    'carousel',
    'of_the_future',
  ])('Cloud API: interactive of type %s', (type) => {
    const forms: JsonObject[] = [
      { type },
      { type, [type]: {} },
      { type, [type]: null, action: null, body: {} },
    ];
    for (const interactive of forms) {
      const { body } = cloud({ type: 'interactive', interactive });
      expect(body ?? '').not.toBe('');
    }
  });

  test.each<[string, JsonObject]>([
    ['its text', { text: 'Olá, Zoé' }],
    ['a text inside', { body: { text: 'Olá, Zoé' }, id: '7' }],
    ['its text, not its name', { name: 'novo', text: 'Olá, Zoé' }],
  ])('Cloud API: an unknown reply shows %s', (_what, reply) => {
    const interactive = { type: 'novo_reply', novo_reply: reply };
    const content = cloud({ type: 'interactive', interactive });
    expect(content.body).toBe('Olá, Zoé');
    expect(content.bodyIsLabel ?? false).toBe(false);
    expect(cloud({ type: 'interactive', interactive: { type: 'novo', text: 'Oi' } }).body).toBe('Oi');
  });

  test.each([
    'quick_reply',
    'single_select',
    'cta_url',
    'cta_call',
    'cta_copy',
    'cta_reminder',
    'send_location',
    'address_message',
    'galaxy_message',
    'flow',
    'call_permission_request',
    'payment_info',
    'payment_method',
    'payment_status',
    'review_and_pay',
    'review_order',
    'mpm',
    'open_webview',
    'of_the_future',
  ])('WhatsApp Web: native flow %s', (name) => {
    for (const params of [undefined, '', '{}', '[]', 'no JSON', '{"x":null}']) {
      const button: JsonObject = params === undefined ? { name } : { name, buttonParamsJson: params };
      const reply: JsonObject = params === undefined ? { name } : { name, paramsJson: params };
      const bodies = [
        bodyOf(web({ interactiveMessage: { nativeFlowMessage: { buttons: [button] } } })),
        bodyOf(web({ interactiveResponseMessage: { nativeFlowResponseMessage: reply } })),
      ];
      for (const body of bodies) expect(body ?? '').not.toBe('');
    }
  });
});

describe('a label is known as one', () => {
  test.each<[JsonObject, string]>([
    [{ type: 'template', template: { name: 'order_update' } }, 'Template order_update'],
    [
      {
        type: 'template',
        template: {
          name: 'order_update',
          components: [
            {
              type: 'body',
              parameters: [
                { type: 'text', text: 'Ana' },
                { type: 'text', text: '42' },
              ],
            },
          ],
        },
      },
      'Template order_update: Ana, 42',
    ],
    [{ type: 'poll', poll: {} }, 'Poll'],
    [{ type: 'sparkle' }, 'Unsupported message (sparkle)'],
    [{ type: 'interactive', interactive: { type: 'catalog_message' } }, 'Catalog message'],
    [{ type: 'interactive', interactive: { type: 'button_reply', button_reply: { id: 'sim' } } }, 'sim'],
  ])('%j', (parts, body) => {
    expect(cloud(parts)).toMatchObject({ body, bodyIsLabel: true });
  });

  test.each<[JsonObject, string]>([
    [{ paymentInviteMessage: { serviceType: 3 } }, 'Payment invitation'],
    [{ requestPhoneNumberMessage: {} }, 'Phone number request'],
    [{ callLogMesssage: { callOutcome: 0, durationSecs: '65' } }, 'Voice call, 65 s'],
    [{ highlyStructuredMessage: { elementName: 'aviso', params: ['Ana', '42'] } }, 'Template aviso: Ana, 42'],
    [{ templateMessage: { fourRowTemplate: { content: { elementName: 'aviso' } } } }, 'Template aviso'],
    [
      { orderMessage: { itemCount: 2, totalAmount1000: '30000', totalCurrencyCode: 'BRL' } },
      'Order: 2 products, BRL 30.00',
    ],
    [
      { requestPaymentMessage: { currencyCodeIso4217: 'INR', amount1000: 1500 } },
      'Payment request: INR 1.50',
    ],
    [
      { scheduledCallCreationMessage: { scheduledTimestampMs: '1758000000000', callType: 'VIDEO' } },
      'Scheduled video call: 2025-09-16 05:20 UTC',
    ],
    [{ newsletterAdminInviteMessage: { newsletterName: 'Loja' } }, 'Channel invitation: Loja'],
    [{ buttonsResponseMessage: { selectedButtonId: 'sim' } }, 'sim'],
  ])('%j', (content, body) => {
    expect(web(content)).toMatchObject({ kind: 'message', body, bodyIsLabel: true });
  });

  test('a text is none', () => {
    expect(cloud({ type: 'event_invite', event_invite: { name: 'Feira' } }).bodyIsLabel).toBeUndefined();
    expect(web({ stickerPackMessage: { caption: 'gatos' } })).not.toHaveProperty('bodyIsLabel', true);
  });

  test('M5: the label of an edit does not replace the words that it edits', () => {
    const edited: JsonValue = {
      type: 'MESSAGE_EDIT',
      key: { id: 'O' },
      editedMessage: { paymentInviteMessage: {} },
    };
    expect(web({ protocolMessage: edited })).toMatchObject({
      kind: 'edit',
      content: { type: 'paymentInvite', body: undefined },
    });
    const facts = factsOf(
      webhook('messages', {
        messages: [
          message({ type: 'edit', text: undefined, edit: { original_message_id: 'wamid.o', message: {} } }),
        ],
      }),
    );
    expect(the('edit', facts).content.body).toBeUndefined();
  });
});

describe('what contains other messages is none itself', () => {
  test('an album', () => {
    const album = { albumMessage: { expectedImageCount: 2, expectedVideoCount: 1 }, messageContextInfo: {} };
    expect(web(album)).toMatchObject({ kind: 'skipped', subject: 'message', reason: 'protocol' });
    const picture = { imageMessage: { mimetype: 'image/jpeg', caption: 'praia' } };
    expect(web({ associatedChildMessage: { message: picture } })).toMatchObject({
      type: 'image',
      body: 'praia',
    });
  });
});
