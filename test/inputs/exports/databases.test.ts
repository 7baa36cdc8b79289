import { copyFile, mkdir, readdir, readlink, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import load from '@sqlite.org/sqlite-wasm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SourceItem } from '../../../src/model/raw-entry.js';
import { fileWith, firstProblem, openPaths, read, temporaryDirectory, expectResumed } from '../support.js';
import { tries } from '../../support/seed.js';

const SAMPLE = fileURLToPath(new URL('../../samples/exports/wacli.db', import.meta.url));
const sqlite = await load({ print: () => undefined, printErr: () => undefined });

/** The bytes of a database that `statements` make. */
function database(...statements: string[]): Uint8Array {
  const db = new sqlite.oo1.DB(':memory:');
  try {
    db.exec(statements.join(';'));
    return sqlite.capi.sqlite3_js_db_export(db);
  } finally {
    db.close();
  }
}

/** The same with its second page overwritten. */
function damaged(bytes: Uint8Array): Uint8Array {
  return bytes.fill(0xa5, 4096, 8192);
}

const MESSAGES =
  'create table messages (rowid integer primary key autoincrement, chat_jid text, msg_id text, sender_jid text, ts integer, from_me integer, text text, media_key blob)';
const CONTACTS =
  'create table contacts (jid text primary key, phone text, push_name text, updated_at integer)';

test('each row is an entry, with what other tables say of it; what still lies in the write-ahead log is read, too', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'wacli.db');
  await copyFile(SAMPLE, file);
  await copyFile(`${SAMPLE}-wal`, `${file}-wal`);
  const { seen, problems } = await read(file);
  expect(problems).toEqual([]);
  const entries = seen.map(({ at, text = '' }) => [at, Buffer.from(text, 'latin1').toString()]);
  expect(entries.map(([at]) => at)).toEqual([
    'wacli.db:1[0]',
    'wacli.db:1[1]',
    ...Array.from({ length: 13 }, (_, i) => `wacli.db:${i + 1}`),
  ]);
  expect(entries[1]?.[1]).toBe(
    '{"wacli":"contacts","row":{"jid":"5511988880001@s.whatsapp.net","push_name":"Lia","full_name":"Lia Campos","first_name":null,"business_name":null,"system_name":null}}',
  );
  expect(entries[9]?.[1]).toContain('"location":{"latitude":-23.5,"longitude":-46.6,"name":"Loja"');
  expect(entries[10]?.[1]).toContain('"poll":{"question":"Que dia?","options_json":"[\\"seg\\",\\"ter\\"]"');
  expect(entries[4]?.[1]).toContain(
    `"media_key":"${Buffer.from(Array.from({ length: 32 }, (_, i) => i)).toString('base64')}"`,
  );
  expect(entries[4]?.[1]).not.toMatch(/local_path|chat_name/);
  expect(entries.at(-1)?.[1]).toContain('ainda no log de escrita');
});

test('the file is only read: nothing is written to it or beside it', async () => {
  const directory = await temporaryDirectory();
  const file = path.join(directory, 'wacli.db');
  await copyFile(SAMPLE, file);
  await copyFile(`${SAMPLE}-wal`, `${file}-wal`);
  const before = await Promise.all([stat(file), stat(`${file}-wal`), stat(directory)]);
  await read(file);
  const now = await Promise.all([stat(file), stat(`${file}-wal`), stat(directory)]);
  expect(now.map(({ mtimeMs, size }) => [mtimeMs, size])).toEqual(
    before.map(({ mtimeMs, size }) => [mtimeMs, size]),
  );
});

test.skipIf(process.platform !== 'linux')(
  'none of its files stays open, whatever is wrong with it',
  async () => {
    const directory = await temporaryDirectory();
    const whole = database(MESSAGES, "insert into messages (chat_jid, text) values ('a', zeroblob(100000))");
    const files = {
      'whole.db': whole,
      'cut.db': whole.slice(0, 40_000),
      'damaged.db': damaged(whole.slice()),
    };
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(path.join(directory, name), bytes);
      await read(path.join(directory, name));
    }
    const links = (await readdir('/proc/self/fd')).map((fd) =>
      readlink(`/proc/self/fd/${fd}`).catch(() => ''),
    );
    expect((await Promise.all(links)).filter((link) => link.startsWith(directory))).toEqual([]);
  },
);

test('a database that cannot be read says nothing of the next one', async () => {
  const directory = await temporaryDirectory();
  const bytes = damaged(database(MESSAGES, "insert into messages (chat_jid) values ('a')"));
  for (const name of ['a.db', 'b.db']) await writeFile(path.join(directory, name), bytes);
  // The system refuses to read a directory in the place of a write-ahead log.
  await mkdir(path.join(directory, 'a.db-wal'));
  const said = [];
  for (const name of ['a.db', 'b.db']) said.push(firstProblem(await read(path.join(directory, name))));
  expect(said).toEqual([expect.stringMatching(/cannot be read/), expect.stringMatching(/is damaged/)]);
});

test.each([
  [
    'another program’s database',
    database('create table messages (id integer, body text)'),
    'unreadable_input log:1',
    /neither wacli.*WhatsApp-Chat-Exporter/,
  ],
  [
    'a database cut short',
    database(MESSAGES, "insert into messages (chat_jid, text) values ('a', zeroblob(100000))").subarray(
      0,
      40_000,
    ),
    'truncated_input log:1',
    /not copied whole/,
  ],
  ['only the first bytes', Buffer.from('SQLite format 3\0'), 'truncated_input log:1', /not copied whole/],
  [
    'random bytes behind the first',
    Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8192, 0xa5)]),
    'unreadable_input log:1',
    /is damaged/,
  ],
  [
    'a whole database with a damaged page',
    damaged(database(MESSAGES, "insert into messages (chat_jid) values ('a')")),
    'unreadable_input log:1',
    /is damaged/,
  ],
  ['a database without tables', database('pragma user_version = 1'), 'unreadable_input log:1', /with -wal/],
])('%s is a problem, and the next input is read', async (_, bytes, problem, message) => {
  const { items, problems, texts } = await read([
    await fileWith(bytes),
    await fileWith('{"next":1}\n', 'next'),
  ]);
  expect(problems).toEqual([problem]);
  const [first] = items;
  expect(first?.kind === 'problem' && first.problem.message).toMatch(message);
  expect(texts).toEqual(['{"next":1}']);
});

test('ChatStorage.sqlite of an iPhone: one entry a message, with its chat, its file and the member of a group', async () => {
  const bytes = database(
    'create table ZWACHATSESSION (Z_PK integer primary key, ZCONTACTJID text, ZPARTNERNAME text)',
    'create table ZWAMESSAGE (Z_PK integer primary key, ZCHATSESSION integer, ZSTANZAID text, ZISFROMME integer, ZMESSAGEDATE real, ZMESSAGETYPE integer, ZTEXT text, ZGROUPMEMBER integer)',
    'create table ZWAMEDIAITEM (Z_PK integer primary key, ZMESSAGE integer, ZTITLE text, ZVCARDSTRING text, ZMETADATA blob)',
    'create table ZWAGROUPMEMBER (Z_PK integer primary key, ZMEMBERJID text)',
    "insert into ZWACHATSESSION values (1, '5511988880001@s.whatsapp.net', 'Lia Campos'), (2, '120363000000000001@g.us', 'Obra')",
    "insert into ZWAGROUPMEMBER values (5, '5521977770002@s.whatsapp.net')",
    "insert into ZWAMESSAGE values (3, 1, '3A000000000000000001', 0, 811692800.25, 0, 'oi', null)",
    "insert into ZWAMESSAGE values (7, 1, '3A000000000000000002', 1, 811692801, 1, null, null)",
    "insert into ZWAMESSAGE values (8, 2, '3A000000000000000003', 0, 811692802, 0, 'grupo', 5)",
    "insert into ZWAMESSAGE values (9, null, '3A000000000000000004', 0, 811692803, 0, 'sem conversa', null)",
    "insert into ZWAMEDIAITEM values (1, 7, 'nota', 'image/jpeg', x'0102'), (2, 7, 'outra', 'image/jpeg', null)",
  );
  const { seen, problems } = await read(await fileWith(bytes));
  expect(problems).toEqual([]);
  const parse: (text: string) => { ios_chat_storage: string; row: object } = JSON.parse;
  const entries = seen.map(({ at, text = '' }) => ({ at, ...parse(text) }));
  expect(entries.map(({ at }) => at)).toEqual(['log:1[0]', 'log:1[1]', 'log:3', 'log:7', 'log:8', 'log:9']);
  expect(entries[0]).toMatchObject({ ios_chat_storage: 'chats', row: { ZPARTNERNAME: 'Lia Campos' } });
  expect(entries[2]).toMatchObject({
    ios_chat_storage: 'messages',
    row: {
      ZCONTACTJID: '5511988880001@s.whatsapp.net',
      ZSTANZAID: '3A000000000000000001',
      ZMESSAGEDATE: 811692800.25,
      ZTEXT: 'oi',
    },
  });
  expect(entries[3]?.row).toMatchObject({ ZISFROMME: 1, ZTITLE: 'nota', ZMETADATA: 'AQI=' });
  expect(entries[4]?.row).toMatchObject({ ZMEMBERJID: '5521977770002@s.whatsapp.net' });
  expect(entries[5]?.row).toMatchObject({ ZCONTACTJID: null });
});

test('a database that is written to meanwhile is said to be incomplete', async () => {
  const rows = Array.from({ length: 1200 }, (_, i) => `('1@s.whatsapp.net', 'ID${i}', 1, 0)`);
  const bytes = database(
    MESSAGES,
    `insert into messages (chat_jid, msg_id, ts, from_me) values ${rows.join(', ')}`,
  );
  const file = await fileWith(bytes);
  const source = await openPaths([file]);
  const seen: SourceItem[] = [];
  for await (const item of source.items()) {
    if (seen.length === 0) await writeFile(`${file}-wal`, '');
    seen.push(item);
  }
  expect(seen).toHaveLength(1201);
  expect(seen.at(-1)).toMatchObject({
    kind: 'problem',
    problem: { reason: 'changed_input', message: expect.stringContaining('replay it again') as string },
  });
});

const row = fc.record({
  text: fc.option(fc.string({ unit: 'grapheme' })),
  ts: fc.oneof(fc.integer(), fc.constant(2 ** 53 - 1)),
  fromMe: fc.boolean(),
  key: fc.uint8Array({ maxLength: 8 }),
});
const sql = (text: string | null): string =>
  text === null ? 'null' : `'${text.replaceAll("'", "''").replaceAll('\0', '')}'`;

test('any rows come back as they are, from any resume point', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { minLength: 1, maxLength: 12 }),
      fc.nat({ max: 3 }),
      fc.nat(),
      async (rows, people, point) => {
        const bytes = database(
          MESSAGES,
          CONTACTS,
          ...Array.from(
            { length: people },
            (_, i) => `insert into contacts values ('${i}@lid', '${i}', 'N${i}', 1)`,
          ),
          ...rows.map(
            ({ text, ts, fromMe, key }, i) =>
              `insert into messages values (${i * 7 + 1}, '1@s.whatsapp.net', 'ID${i}', null, ${ts}, ${fromMe ? 1 : 0}, ${sql(text)}, x'${Buffer.from(key).toString('hex')}')`,
          ),
        );
        const file = await fileWith(bytes);
        const { items, seen, problems } = await read(file);
        expect(problems).toEqual([]);
        expect(seen.slice(people).map(({ text = '' }) => Buffer.from(text, 'latin1').toString())).toEqual(
          rows.map(({ text, ts, fromMe, key }, i) =>
            JSON.stringify({
              wacli: 'messages',
              row: {
                chat_jid: '1@s.whatsapp.net',
                msg_id: `ID${i}`,
                sender_jid: null,
                ts,
                from_me: fromMe ? 1 : 0,
                text: text?.replaceAll('\0', '') ?? null,
                media_key: Buffer.from(key).toString('base64'),
              },
            }),
          ),
        );
        await expectResumed(file, { items, seen }, point, {});
      },
    ),
    { numRuns: tries(40) },
  );
});
