import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fileWith, read, expectResumed } from '../support.js';
import { anyCharacter } from '../../support/any-text.js';
import { tries } from '../../support/seed.js';

const SAMPLE = readFileSync(
  new URL('../../samples/exports/whatsapp-chat-exporter-result.json', import.meta.url),
  'utf8',
);

/** The entry of one message, as it is stored. */
function entry(chat: string, type: string | undefined, row: string, message: string): string {
  const about = `{"chat":${JSON.stringify(chat)}${type === undefined ? '' : `,"type":"${type}"`}}`;
  return `{"whatsapp_chat_exporter":${about},"row":${JSON.stringify(row)},"message":${message}}`;
}

test('each message is an entry of its own, byte for byte, with the line on which it begins', async () => {
  const { seen, problems } = await read(await fileWith(SAMPLE));
  expect(problems).toEqual([]);
  expect(seen.map(({ at }) => at)).toEqual(['log:10[0]', 'log:11[1]', 'log:32[2]', 'log:53[3]']);
  expect(seen[0]?.text).toContain('"header":{"name":"Lia Campos","type":"android","my_avatar":null');
  const [first = ''] = /\{\s+"from_me"[^}]*\{\}\s+\}/.exec(SAMPLE) ?? [];
  expect(seen[1]?.text).toBe(entry('5511988880001@s.whatsapp.net', 'android', '12', first));
});

test('a chat made from a text has no ids: one problem says so, and the other chats are read', async () => {
  const message = { from_me: false, timestamp: 1790000000, key_id: 1, data: 'oi' };
  const chats = {
    ExportedChat: { name: 'Ana', type: 'exported', my_avatar: null, messages: { 1: message, 2: message } },
    '5511988880001@s.whatsapp.net': {
      name: null,
      type: 'android',
      my_avatar: null,
      messages: { 3: message },
    },
  };
  const { texts, problems, items } = await read(await fileWith(JSON.stringify(chats)));
  expect(problems).toEqual(['unreadable_input log:1']);
  expect(items[0]?.kind === 'problem' && items[0].problem.message).toMatch(
    /no message ids and cannot be replayed/,
  );
  expect(texts).toEqual([entry('5511988880001@s.whatsapp.net', 'android', '3', JSON.stringify(message))]);
});

test('the chats of an iPhone are read; those made from a text have no ids: one problem for all of them', async () => {
  const message = { key_id: '3A1B2C3D4E5F60718' };
  const chatOf = (type: string) => ({ name: null, type, my_avatar: null, messages: { 1: message } });
  const jid = '1@s.whatsapp.net';
  const ios = await read(await fileWith(JSON.stringify({ [jid]: chatOf('ios') })));
  expect(ios.problems).toEqual([]);
  expect(ios.texts).toEqual([entry(jid, 'ios', '1', JSON.stringify(message))]);
  const chats = { '1@s.whatsapp.net': chatOf('exported'), '2@s.whatsapp.net': chatOf('exported') };
  const { items, problems } = await read(await fileWith(JSON.stringify(chats)));
  expect(problems).toEqual(['unreadable_input log:1']);
  expect(items[0]?.kind === 'problem' && items[0].problem.message).toMatch(/no message ids/);
});

test('sorted keys put the name behind the messages; it is not lost', async () => {
  const chats =
    '{"1@s.whatsapp.net":{"messages":{"3":{"key_id":"A"}},"my_avatar":null,"name":"Ana","type":"android"}}';
  const { texts } = await read(await fileWith(chats));
  expect(texts).toEqual([
    entry('1@s.whatsapp.net', undefined, '3', '{"key_id":"A"}'),
    '{"whatsapp_chat_exporter":{"chat":"1@s.whatsapp.net","type":"android"},"header":{"my_avatar":null,"name":"Ana","type":"android"}}',
  ]);
});

test.each([
  ['cut inside a message', (text: string) => text.slice(0, 900), 'truncated_input'],
  ['cut between messages', (text: string) => text.slice(0, text.indexOf('"13"')), 'truncated_input'],
  ['damaged', (text: string) => text.replace('"13": {', '"13" {'), 'not_json'],
  ['with something behind it', (text: string) => `${text.trim()}{}`, 'not_json'],
])('an export %s: what came before is kept', async (_, damage, reason) => {
  const { seen, problems } = await read(await fileWith(damage(SAMPLE)));
  expect(problems).toEqual([expect.stringContaining(reason)]);
  expect(seen.length).toBeGreaterThanOrEqual(3);
});

test('a message over the limit is one problem', async () => {
  const { problems, texts } = await read(await fileWith(SAMPLE), { maxEntryBytes: 700 });
  expect(problems.every((problem) => problem.startsWith('entry_too_large'))).toBe(true);
  expect(problems.length + texts.length).toBe(4);
});

test('a text that WhatsApp exported says what it is and that it holds no ids', async () => {
  for (const name of ['chat-android-pt-BR', 'chat-ios-pt-BR', 'chat-android-en-US-12h', 'chat-ios-en-12h']) {
    const text = readFileSync(new URL(`../../samples/exports/${name}.txt`, import.meta.url));
    const { items, problems } = await read(await fileWith(text));
    expect(problems).toEqual(['unreadable_input log:1']);
    expect(items[0]?.kind === 'problem' && items[0].problem.message).toMatch(
      /a chat export has no message ids; it cannot be replayed/i,
    );
  }
});

const jid = fc.oneof(
  fc.integer({ min: 10_000_000_000, max: 99_999_999_999 }).map((digits) => `${digits}@s.whatsapp.net`),
  fc.integer({ min: 1, max: 999_999 }).map((digits) => `${digits}@lid`),
  fc.constant('120363000000000001@g.us'),
);
const message = fc.record({
  from_me: fc.boolean(),
  timestamp: fc.double({ min: 1.5e9, max: 1.9e9 }),
  key_id: fc.string({ unit: 'grapheme-ascii' }),
  data: fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.constant(null),
    fc.constant('{"messages": {"1": {}}} , }'),
  ),
  reactions: fc.dictionary(fc.string({ unit: anyCharacter }), fc.string({ unit: anyCharacter }), {
    maxKeys: 2,
  }),
});
const chats = fc.dictionary(
  jid,
  fc.record({
    name: fc.oneof(fc.constant(null), fc.string({ unit: anyCharacter, minLength: 1 })),
    type: fc.constant('android'),
    my_avatar: fc.constant(null),
    media_base: fc.string(),
    messages: fc.dictionary(fc.nat().map(String), message, { maxKeys: 4 }),
  }),
  { minKeys: 1, maxKeys: 4 },
);
const chunkBytes = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 9, max: 2000 }));

test('any cutting into chunks and any resume point give the same entries', async () => {
  await fc.assert(
    fc.asyncProperty(
      chats,
      fc.constantFrom(undefined, 0, 2),
      fc.boolean(),
      chunkBytes,
      chunkBytes,
      fc.nat(),
      async (value, indent, zipped, firstChunks, secondChunks, point) => {
        const text = JSON.stringify(value, null, indent);
        const file = await fileWith(zipped ? gzipSync(text) : text);
        const { items, seen, problems } = await read(file, { chunkBytes: firstChunks });
        const wanted = Object.entries(value).flatMap(([chat, { type, name, messages }]) => [
          ...(name === null ? [] : [{ chat, type, name }]),
          ...Object.entries(messages).map(([row, one]) => ({ chat, type, row, one })),
        ]);
        expect(
          seen.flatMap(({ text: bytes }) =>
            bytes === undefined ? [] : said(Buffer.from(bytes, 'latin1').toString()),
          ),
        ).toEqual(JSON.parse(JSON.stringify(wanted)));
        expect(problems).toEqual(wanted.length === 0 ? ['no_log_entries log:1'] : []);
        if (problems.length > 0) return;
        await expectResumed(file, { items, seen }, point, { chunkBytes: secondChunks });
      },
    ),
    { numRuns: tries(60) },
  );
});

interface Stored {
  whatsapp_chat_exporter: object;
  header?: { name: string };
  row?: string;
  message?: unknown;
}
const parse: (text: string) => Stored = JSON.parse;

function said(text: string): unknown {
  const { whatsapp_chat_exporter: about, header, row, message: one } = parse(text);
  return header === undefined ? { ...about, row, one } : { ...about, name: header.name };
}

test('no JSON, however broken, makes the splitter throw, hang or depend on chunks', async () => {
  const pieces = [
    '{',
    '}',
    '"messages":',
    '"1":',
    '{"key_id":"A"}',
    ',',
    '"',
    '\\',
    '[',
    ']',
    '\n',
    ' ',
    '1',
    'null',
    ':',
    '"2@lid":{',
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...pieces), { maxLength: 30 }),
      chunkBytes,
      async (parts, chunk) => {
        const text = `{"1@s.whatsapp.net":{"name":"A","type":"android","my_avatar":null,"messages":{${parts.join('')}`;
        const file = await fileWith(text);
        const { items } = await read(file);
        expect((await read(file, { chunkBytes: chunk })).items).toEqual(items);
      },
    ),
    { numRuns: tries(200) },
  );
});
