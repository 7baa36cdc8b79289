import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Fact, MessageFact } from '../../src/model/facts.js';
import type { JsonObject, JsonValue } from '../../src/model/json.js';
import { asObject } from '../../src/decode/read.js';
import { ANA, decode } from './meta-builders.js';

const JID = `${ANA}@s.whatsapp.net`;
const AT = 1790000000;
const parse: (text: string) => JsonValue = JSON.parse;

/** A message as the exporter writes it; `parts` replace or add. */
function exported(parts: JsonObject = {}): JsonObject {
  return {
    from_me: false,
    timestamp: AT,
    time: '08:13',
    media: false,
    key_id: '3EB0A1B2C3D4E5F60001',
    meta: false,
    data: 'oi',
    sender: null,
    safe: false,
    mime: null,
    message_type: 0,
    received_timestamp: null,
    read_timestamp: null,
    reply: null,
    quoted_data: null,
    caption: null,
    thumb: null,
    sticker: false,
    reactions: {},
    ...parts,
  };
}

interface Around {
  chat?: string;
  type?: string;
  receivedAt?: number;
}

function factsOf(parts: JsonObject, { chat = JID, type = 'android', receivedAt }: Around = {}): Fact[] {
  const entry = decode(
    { whatsapp_chat_exporter: { chat, type }, row: '12', message: exported(parts) },
    receivedAt === undefined ? {} : { receivedAt },
  );
  expect(entry).toMatchObject({ provider: 'baileys', unrecognized: [] });
  expect(entry.sections.map(({ field, connection }) => [field, connection])).toEqual([
    ['whatsapp_chat_exporter', {}],
  ]);
  return entry.sections.flatMap(({ facts }) => facts);
}

function messageOf(parts: JsonObject, around: Around = {}): MessageFact {
  const [fact] = factsOf(parts, around);
  if (fact?.kind !== 'message') throw new Error(JSON.stringify(fact));
  return fact;
}

test('a text of the customer', () => {
  expect(messageOf({})).toEqual({
    kind: 'message',
    path: '$.message',
    origin: 'history',
    externalId: '3EB0A1B2C3D4E5F60001',
    stanzaId: '3EB0A1B2C3D4E5F60001',
    counterpart: { phone: '+5511900000001' },
    direction: 'INBOUND',
    timestamp: AT * 1000,
    grade: 'content',
    isSyncInitial: false,
    type: 'text',
    body: 'oi',
    contextExternalId: undefined,
    rawMeta: undefined,
  });
});

test('what the business wrote, read, in reply; the phone counts milliseconds, WhatsApp seconds', () => {
  expect(
    messageOf({
      from_me: true,
      timestamp: AT + 0.618,
      reply: '3EB0A1B2C3D4E5F60000',
      read_timestamp: '2026/09/21 08:14',
    }),
  ).toMatchObject({
    direction: 'OUTBOUND',
    timestamp: AT * 1000,
    contextExternalId: '3EB0A1B2C3D4E5F60000',
    status: 'read',
    historyStatus: 'read',
  });
  expect(messageOf({ from_me: true, read_timestamp: '1970/01/01 00:00' }).status).toBeUndefined();
  expect(messageOf({ read_timestamp: '2026/09/21 08:14' }).status).toBeUndefined();
});

test('line ends are written as <br>: they come back, and any other copy of the text is preferred', () => {
  const lines = { body: 'a\nb\nc', grade: 'media_without_id' };
  expect(messageOf({ data: 'a <br>b <br>c' })).toMatchObject(lines);
  expect(messageOf({ data: 'a<br>b<br>c' }, { type: 'ios' })).toMatchObject(lines);
});

test.each([
  [
    'android',
    { media: true, mime: 'image/jpeg', message_type: 1, data: 'Media/IMG-1.jpg', caption: 'nota <br>fiscal' },
    {
      type: 'image',
      body: 'nota\nfiscal',
      media: { mimeType: 'image/jpeg' },
      rawMeta: { exportedFile: 'Media/IMG-1.jpg' },
    },
  ],
  [
    'android',
    { media: true, mime: 'video/mp4', message_type: 3, data: 'Media/VID-1.mp4' },
    { type: 'video' },
  ],
  ['ios', { media: true, mime: 'video/mp4', message_type: 2, data: 'Media/1.mp4' }, { type: 'video' }],
  [
    'android',
    { media: true, mime: 'video/mp4', message_type: 13, data: 'Media/1.mp4' },
    { type: 'video', rawMeta: { animated: true, exportedFile: 'Media/1.mp4' } },
  ],
  [
    'android',
    { media: true, mime: 'audio/ogg; codecs=opus', message_type: 2, data: 'a.opus', caption: '"bom dia"' },
    { type: 'audio', body: undefined, rawMeta: { transcription: 'bom dia', exportedFile: 'a.opus' } },
  ],
  ['ios', { media: true, mime: 'audio/opus', message_type: 3, data: 'a.opus' }, { type: 'audio' }],
  [
    'ios',
    { media: true, mime: 'application/pdf', message_type: 8, data: 'a.pdf', caption: 'contrato.pdf' },
    { type: 'document', body: undefined, media: { mimeType: 'application/pdf', fileName: 'contrato.pdf' } },
  ],
  [
    'android',
    { media: true, mime: 'image/webp', message_type: 20, sticker: true, data: 'a.webp' },
    { type: 'sticker', media: { mimeType: 'image/webp' } },
  ],
  [
    'android',
    { media: true, mime: 'media', meta: true, message_type: 1, data: 'The media is missing' },
    { type: 'image', media: {}, rawMeta: undefined, grade: 'media_without_id' },
  ],
  [
    'android',
    { media: true, mime: 'application/octet-stream', message_type: 9, data: 'a.bin' },
    { type: 'document', media: {} },
  ],
  // An export whose types are unknown, such as one that other programs made.
  ['exported', { media: true, mime: 'image/jpeg', message_type: 0, data: 'a.jpg' }, { type: 'image' }],
  [
    'android',
    {
      meta: true,
      safe: true,
      mime: 'text/x-vcard',
      message_type: 4,
      data: 'This media include the following vCard file(s):<br><a href="vCards/Jo.vcf">Jo &amp; Bia</a>',
    },
    { type: 'contacts', body: 'Jo & Bia' },
  ],
  [
    'android',
    { meta: true, message_type: 5, data: 'Location shared: (-23.5505, -46.6333)' },
    {
      type: 'location',
      body: '-23.5505,-46.6333',
      rawMeta: { location: { latitude: -23.5505, longitude: -46.6333 } },
    },
  ],
  ['android', { message_type: 66, data: null }, { type: 'poll', grade: 'placeholder', body: 'Poll' }],
  ['android', { message_type: 11, data: null }, { type: 'unsupported', grade: 'placeholder' }],
  [
    'android',
    { data: null },
    { type: 'unsupported', grade: 'placeholder', body: 'Unsupported message', bodyIsLabel: true },
  ],
  ['ios', { message_type: 7, data: 'https://example.com' }, { type: 'text', body: 'https://example.com' }],
])('contents of %s: %o', (type, parts, wanted) => {
  expect(messageOf(parts, { type })).toMatchObject(wanted);
});

test.each([
  ['a deleted message', { meta: true, message_type: 15, data: 'Message deleted' }, {}, 'stub'],
  [
    'a deleted message of iOS',
    { meta: true, message_type: 14, data: 'Message deleted' },
    { type: 'ios' },
    'stub',
  ],
  [
    'a system line',
    { meta: true, message_type: 7, data: 'This chat is now end-to-end encrypted' },
    {},
    'system',
  ],
  [
    'a call',
    { meta: true, key_id: 'call:1', data: 'A voice call from Ana was missed.' },
    { chat: '000000000000000' },
    'system',
  ],
  ['a group', {}, { chat: '120363000000000001@g.us' }, 'group'],
  ['a status', {}, { chat: 'status@broadcast' }, 'status_broadcast'],
])('%s is skipped and counted', (_, parts, around, reason) => {
  expect(factsOf(parts, around)).toEqual([
    { kind: 'skipped', subject: 'message', reason, path: '$.message' },
  ]);
});

test.each([
  ['the number of a line for an id', { key_id: 7 }, {}, 'missing_id'],
  ['no time', { timestamp: null }, {}, 'bad_timestamp'],
  ['a chat that is nobody', {}, { chat: 'ExportedChat' }, 'missing_counterpart'],
])('%s is rejected', (_, parts, around, reason) => {
  expect(factsOf(parts, around)).toMatchObject([{ kind: 'rejected', subject: 'message', reason }]);
});

test('reactions: those of the owner, of the customer, and a removed one', () => {
  expect(factsOf({ reactions: { You: '👍', 'Lia Campos': '❤️' } }).slice(1)).toMatchObject([
    {
      kind: 'reaction',
      targetExternalId: '3EB0A1B2C3D4E5F60001',
      reactor: 'business',
      emoji: '👍',
      at: AT * 1000,
      live: false,
    },
    { kind: 'reaction', reactor: 'customer', emoji: '❤️' },
  ]);
  expect(factsOf({ reactions: { You: '' } })[1]).toMatchObject({ emoji: null });
});

test('a chat by LID is known by it alone; its name is the person’s', () => {
  expect(messageOf({}, { chat: '271828182845904@lid' }).counterpart).toEqual({ lid: '271828182845904@lid' });
  const { sections } = decode({
    whatsapp_chat_exporter: { chat: JID, type: 'android' },
    header: { name: 'Lia Campos' },
  });
  expect(sections[0]?.facts).toEqual([
    { kind: 'profile', path: '$.header.name', who: { phone: '+5511900000001' }, name: 'Lia Campos', at: 0 },
  ]);
});

test('a whole export in one entry says the same as its messages one by one', () => {
  const text = readFileSync(
    new URL('../samples/exports/whatsapp-chat-exporter-result.json', import.meta.url),
    'utf8',
  );
  const whole = decode(text);
  expect(whole.unrecognized).toEqual([]);
  const facts = whole.sections.flatMap((section) => section.facts);
  expect(facts.map((fact) => fact.kind)).toEqual(['profile', 'message', 'message', 'message']);
  const [chat, value] = Object.entries(asObject(parse(text)) ?? {})[0] ?? [];
  const messages = Object.entries(asObject(asObject(value)?.messages) ?? {});
  const single = messages.flatMap(([row, message]) =>
    decode({ whatsapp_chat_exporter: { chat: chat ?? '', type: 'android' }, row, message }).sections.flatMap(
      ({ facts: one }) => one,
    ),
  );
  expect(single).toEqual(facts.slice(1).map((fact) => ({ ...fact, path: '$.message' })));
  expect(facts.at(-1)).toMatchObject({
    externalId: 'AC5D0000000000000000000000000002',
    type: 'image',
    body: 'Comprovante',
  });
});

test('an export in Telegram’s form says that it holds no ids', () => {
  const message = {
    id: 1,
    type: 'message',
    date: '2026-09-21T08:13:00',
    date_unixtime: AT,
    from: 'Lia',
    from_id: 'user1',
    text: 'oi',
  };
  const { unrecognized } = decode({ name: 'Lia', type: 'personal_chat', id: 5511, messages: [message] });
  expect(unrecognized).toMatchObject([{ reason: 'telegram_json_without_ids' }]);
});

test('what an exported message says is never searched for webhooks', () => {
  const data = JSON.stringify({ object: 'whatsapp_business_account', entry: [] });
  expect(messageOf({ data }).body).toBe(data);
});

/** A row of wacli's database; `parts` replace or add. */
function wacliRow(parts: JsonObject = {}): JsonObject {
  return {
    chat_jid: JID,
    msg_id: '3EB0A1B2C3D4E5F60001',
    sender_jid: JID,
    ts: AT,
    from_me: 0,
    text: 'oi',
    display_text: 'oi',
    is_forwarded: 0,
    revoked: 0,
    edited: 0,
    edited_ts: 0,
    ...parts,
  };
}

function wacliFacts(parts: JsonObject, beside: JsonObject = {}): Fact[] {
  const entry = decode({ wacli: 'messages', row: wacliRow(parts), ...beside });
  expect(entry).toMatchObject({ provider: 'baileys', unrecognized: [] });
  expect(entry.sections.map(({ field }) => field)).toEqual(['wacli']);
  return entry.sections.flatMap(({ facts }) => facts);
}

test('wacli: a text, in reply', () => {
  expect(wacliFacts({ from_me: 1, text: 'a\nb', quoted_msg_id: 'Q1', is_forwarded: 1 })).toEqual([
    {
      kind: 'message',
      path: '$.row',
      origin: 'history',
      externalId: '3EB0A1B2C3D4E5F60001',
      stanzaId: '3EB0A1B2C3D4E5F60001',
      counterpart: { phone: '+5511900000001' },
      direction: 'OUTBOUND',
      timestamp: AT * 1000,
      grade: 'media_without_id',
      isSyncInitial: false,
      type: 'text',
      body: 'a\nb',
      contextExternalId: 'Q1',
      rawMeta: { forwarded: true },
    },
  ]);
});

test.each([
  [
    {
      media_type: 'image',
      text: 'nota',
      media_caption: 'nota',
      mime_type: 'image/jpeg',
      file_sha256: 'BwcH',
      media_key: 'AAEC',
      direct_path: '/v',
      file_length: 9,
    },
    {},
    {
      type: 'image',
      body: 'nota',
      media: { mimeType: 'image/jpeg', sha256: 'BwcH' },
      rawMeta: { mediaKeys: { directPath: '/v', mediaKey: 'AAEC', fileLength: 9 } },
    },
  ],
  [
    { media_type: 'gif', text: null, mime_type: 'video/mp4' },
    {},
    { type: 'video', rawMeta: { animated: true } },
  ],
  [
    { media_type: 'audio', text: '[Audio]', media_caption: '[Audio]' },
    {},
    { type: 'audio', body: undefined },
  ],
  [
    { media_type: 'document', text: null, filename: 'nota.pdf' },
    {},
    { type: 'document', media: { fileName: 'nota.pdf' } },
  ],
  [
    { media_type: 'location', text: null },
    { location: { latitude: -23.5, longitude: -46.6, name: 'Loja', address: 'Rua A', is_live: 0 } },
    { type: 'location', body: 'Loja — Rua A' },
  ],
  [
    { text: 'Poll: Que dia?' },
    { poll: { question: 'Que dia?', options_json: '["seg","ter"]', selectable_count: 1 } },
    { type: 'poll', body: 'Que dia?\n• seg\n• ter' },
  ],
])('wacli: contents are those of WhatsApp Web: %o', (parts, beside, wanted) => {
  expect(wacliFacts(parts, beside)).toMatchObject([wanted]);
});

test('wacli: edited, revoked, reacted to', () => {
  expect(wacliFacts({ text: 'as 11h', edited: 1, edited_ts: AT + 5 })).toMatchObject([
    { kind: 'message', grade: 'placeholder', body: undefined },
    {
      kind: 'edit',
      targetExternalId: '3EB0A1B2C3D4E5F60001',
      at: (AT + 5) * 1000,
      content: { type: 'text', body: 'as 11h' },
    },
  ]);
  expect(wacliFacts({ text: 'as 11h', edited: 0, edited_ts: AT + 5 })).toMatchObject([
    { kind: 'message', grade: 'placeholder' },
    { kind: 'edit', at: (AT + 5) * 1000 },
  ]);
  expect(wacliFacts({ text: 'as 11h', edited: 1, edited_ts: 0 })).toMatchObject([
    { kind: 'message', grade: 'placeholder' },
    { kind: 'edit', at: AT * 1000 },
  ]);
  expect(wacliFacts({ revoked: 1, deleted_at: AT + 6 })).toMatchObject([
    { kind: 'message', body: 'oi' },
    { kind: 'revoke', targetExternalId: '3EB0A1B2C3D4E5F60001', at: (AT + 6) * 1000 },
  ]);
  expect(wacliFacts({ text: '', reaction_to_id: 'K1', reaction_emoji: '👍' })).toMatchObject([
    {
      kind: 'reaction',
      targetExternalId: 'K1',
      reactor: 'customer',
      emoji: '👍',
      at: AT * 1000,
      live: false,
    },
  ]);
});

test.each([
  [
    'deleted before wacli saw it',
    { text: null, display_text: 'This message was deleted', revoked: 1 },
    'message',
    'stub',
  ],
  ['a vote', { text: 'Poll vote', display_text: 'Poll vote' }, 'message', 'protocol'],
  ['an encrypted reaction', { text: null, reaction_to_id: 'K1' }, 'reaction', 'protocol'],
  ['a group', { chat_jid: '120363000000000001@g.us' }, 'message', 'group'],
])('wacli: %s is skipped and counted', (_, parts, subject, reason) => {
  expect(wacliFacts(parts)).toEqual([{ kind: 'skipped', subject, reason, path: '$.row' }]);
});

test('wacli: a contact has names; the number beside a LID is the LID’s own digits and no phone', () => {
  const contact = (row: JsonObject): Fact[] =>
    decode({ wacli: 'contacts', row }).sections.flatMap(({ facts }) => facts);
  expect(contact({ jid: JID, push_name: 'Lia', full_name: 'Lia Campos' })).toMatchObject([
    { kind: 'profile', who: { phone: '+5511900000001' }, name: 'Lia', at: 0 },
    { kind: 'profile', addressBookName: 'Lia Campos', at: 0 },
  ]);
  expect(contact({ jid: '271828182845904@lid', phone: '271828182845904', push_name: 'Davi' })).toEqual([
    { kind: 'profile', path: '$.row.push_name', who: { lid: '271828182845904@lid' }, name: 'Davi', at: 0 },
  ]);
  expect(contact({ jid: '120363000000000001@g.us', push_name: 'Obra' })).toEqual([]);
});

/** A row of an iPhone's ChatStorage.sqlite. */
function storageFacts(parts: JsonObject): Fact[] {
  const row = {
    ZCONTACTJID: JID,
    ZSTANZAID: '3A000000000000000001',
    ZISFROMME: 0,
    ZMESSAGEDATE: AT - 978_307_200 + 0.618,
    ZMESSAGETYPE: 0,
    ZTEXT: 'oi',
    ...parts,
  };
  const entry = decode({ ios_chat_storage: 'messages', row });
  expect(entry).toMatchObject({ provider: 'baileys', unrecognized: [] });
  return entry.sections.flatMap(({ facts }) => facts);
}

const REPLY = Buffer.concat([
  Buffer.from([0x2a, 0x14]),
  Buffer.from('3A000000000000000000'),
  Buffer.from([0x32, 0]),
]).toString('base64');

test.each([
  [
    { ZMETADATA: REPLY },
    {
      externalId: '3A000000000000000001',
      stanzaId: '3A000000000000000001',
      direction: 'INBOUND',
      timestamp: AT * 1000,
      type: 'text',
      body: 'oi',
      grade: 'content',
      contextExternalId: '3A000000000000000000',
      origin: 'history',
    },
  ],
  [
    { ZISFROMME: 1, ZMESSAGETYPE: 7, ZTEXT: 'https://example.com' },
    { direction: 'OUTBOUND', type: 'text', body: 'https://example.com' },
  ],
  [
    { ZMESSAGETYPE: 1, ZTEXT: null, ZTITLE: 'nota', ZVCARDSTRING: 'image/jpeg' },
    { type: 'image', body: 'nota', media: { mimeType: 'image/jpeg' }, grade: 'media_without_id' },
  ],
  [
    { ZMESSAGETYPE: 2, ZTEXT: null },
    { type: 'video', body: undefined },
  ],
  [{ ZMESSAGETYPE: 3, ZTEXT: null }, { type: 'audio' }],
  [
    { ZMESSAGETYPE: 8, ZTEXT: null, ZTITLE: 'contrato.pdf' },
    { type: 'document', body: undefined, media: { fileName: 'contrato.pdf' } },
  ],
  [
    { ZMESSAGETYPE: 11, ZTEXT: null },
    { type: 'video', rawMeta: { animated: true } },
  ],
  [{ ZMESSAGETYPE: 15, ZTEXT: null }, { type: 'sticker' }],
  [
    { ZMESSAGETYPE: 4, ZTEXT: null, ZVCARDNAME: 'Jo', ZVCARDSTRING: 'BEGIN:VCARD\nFN:Jo\nEND:VCARD' },
    { type: 'contacts', grade: 'media_without_id' },
  ],
  [
    { ZMESSAGETYPE: 5, ZTEXT: null, ZLATITUDE: -23.5, ZLONGITUDE: -46.6 },
    { type: 'location', body: '-23.5,-46.6' },
  ],
  [
    { ZMESSAGETYPE: 99, ZTEXT: null },
    { type: 'unsupported', grade: 'placeholder' },
  ],
])('ChatStorage.sqlite: %o', (parts, wanted) => {
  expect(storageFacts(parts)).toMatchObject([wanted]);
});

test('ChatStorage.sqlite: what is no message, and names', () => {
  for (const [type, reason] of [
    [6, 'system'],
    [10, 'system'],
    [14, 'stub'],
  ] as const)
    expect(storageFacts({ ZMESSAGETYPE: type })).toEqual([
      { kind: 'skipped', subject: 'message', reason, path: '$.row' },
    ]);
  expect(storageFacts({ ZCONTACTJID: '120363000000000001@g.us' })).toMatchObject([{ reason: 'group' }]);
  expect(storageFacts({ ZCONTACTJID: null })).toMatchObject([
    { kind: 'rejected', reason: 'missing_counterpart' },
  ]);
  expect(storageFacts({ ZMETADATA: 'Kv8=' })).toMatchObject([{ contextExternalId: undefined }]);
  const { sections } = decode({ ios_chat_storage: 'chats', row: { ZCONTACTJID: JID, ZPARTNERNAME: 'Lia' } });
  expect(sections[0]?.facts).toMatchObject([{ kind: 'profile', name: 'Lia', at: 0 }]);
});
