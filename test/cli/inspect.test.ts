import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { shownExcerpt } from '../../src/commands/inspect/shown-excerpt.js';
import type { JsonValue } from '../../src/model/json.js';
import type { InspectResult } from '../../src/commands/inspect/types.js';
import { typed } from '../decode/wrap.js';
import { tarOf } from '../support/tar.js';
import { runCli, type Seen } from './run-cli.js';

const DEMO_DAY = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;

async function directoryWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-inspect-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) await writeFile(join(directory, name), content);
  return directory;
}

/** JSON.parse under the type that `--json` documents. */
const readResult: (text: string) => InspectResult = JSON.parse;

/** JSON.parse under the type of its values. */
const readJson: (text: string) => JsonValue = JSON.parse;

function resultOf({ stdout }: Seen): InspectResult {
  return readResult(stdout);
}

const body = (text: string, id = 'wamid.1'): string =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '900000000000001',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '5511900000000', phone_number_id: '800000000000001' },
              messages: [
                { from: '5511912345678', id, timestamp: '1758000000', type: 'text', text: { body: text } },
              ],
            },
          },
        ],
      },
    ],
  });

test('says what the demo day holds, as a replay of it finds it, without a database', async () => {
  const seen = await runCli(['inspect', DEMO_DAY], { terminals: ['stdout'] });
  expect({ code: seen.code, stderr: seen.stderr }).toEqual({ code: 4, stderr: '' });
  expect(seen.stdout).toMatch(/83 entries with 68 messages; 3 not understood/);
  expect(seen.stdout).toMatch(/NDJSON/);
  expect(seen.stdout).toMatch(/800000000000001\s+5511900000000\s+78\s+67 .*900000000000001/);
  expect(seen.stdout).toMatch(/demo-day\.ndjson:42/);
  expect(seen.stdout).toMatch(/wa-reconcile replay \S+ --register/);
});

test('says of each file of a tar archive what it holds, which files are no logs, and where the archive is cut', async () => {
  const tar = tarOf([
    { name: './day.log', content: `${body('one')}\n` },
    { name: 'photo.png', content: 'x' },
    { name: 'current.log', type: '2', link: 'day.log' },
    {
      name: 'dynamo.json',
      content: `${JSON.stringify({ Item: { payload: typed(readJson(body('two'))) } })}\n`,
    },
  ]);
  const directory = await directoryWith({
    'logs.tgz': gzipSync(tar),
    'cut.tar': tar.subarray(0, 2048),
  });
  const seen = await runCli(['inspect', join(directory, 'logs.tgz'), '--json']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen).files.map(({ path, forms }) => [path, forms[0]?.steps])).toEqual([
    [join(directory, 'logs.tgz/day.log'), ['gzip', 'tar', 'ndjson']],
    [join(directory, 'logs.tgz/dynamo.json'), ['gzip', 'tar', 'ndjson', 'dynamodb', 'object']],
  ]);
  const told = await runCli(['inspect', join(directory, 'logs.tgz')], { terminals: ['stdout', 'stderr'] });
  expect(told.stderr).toMatch(/Not read of the archive.*photo\.png, .*current\.log/);
  const cut = await runCli(['inspect', join(directory, 'cut.tar'), '--json']);
  expect(cut.code).toBe(4);
  expect(resultOf(cut).notUnderstood[0]?.samples[0]?.origin).toMatch(/cut\.tar/);
});

test('says how many bodies a wrapper holds, and of a cut file nothing of a database', async () => {
  const directory = await directoryWith({
    'queue.json': JSON.stringify({ Messages: [{ Body: body('one') }, { Body: body('two', 'wamid.2') }] }),
    'cut.gz': gzipSync(`${body('three', 'wamid.3')}\n`.repeat(3)).subarray(0, -12),
  });
  const seen = await runCli(['inspect', directory]);
  expect(seen.stdout).toMatch(/1 entry with 2 bodies: 2 messages/);
  expect(seen.stdout).toMatch(/the file is cut off; everything before is good/);
  expect(seen.stdout).not.toMatch(/is stored/);
  const { files } = resultOf(await runCli(['inspect', directory, '--json']));
  expect(files.map(({ entries, bodies }) => [entries, bodies]).at(-1)).toEqual([1, 2]);
});

test('gives figures per file and connection as JSON', async () => {
  const directory = await directoryWith({
    'a.log.gz': gzipSync(`started\n2025-09-16T05:20:00Z got ${body('one')}\nGET / 200\n`),
    'b.ndjson': `${body('two', 'wamid.2')}\n${body('three', 'wamid.3')}\n`,
    'c.txt': 'nothing in here\n',
  });
  const seen = await runCli(['inspect', directory, '--json']);
  expect(seen.code).toBe(4);
  const result = resultOf(seen);
  expect(result).toMatchObject({
    status: 'partial',
    entries: 3,
    counts: { messages: 3, history: 0, statuses: 0 },
  });
  expect(
    result.files.map(({ path, entries, forms, skippedLines, received, notUnderstood }) => ({
      name: path.slice(directory.length + 1),
      entries,
      forms,
      skippedLines,
      received: received?.first ?? null,
      reasons: notUnderstood.map(({ reason }) => reason),
    })),
  ).toEqual([
    {
      name: 'a.log.gz',
      entries: 1,
      forms: [{ steps: ['gzip', 'console'], entries: 1 }],
      skippedLines: 2,
      received: '2025-09-16T05:20:00.000Z',
      reasons: [],
    },
    {
      name: 'b.ndjson',
      entries: 2,
      forms: [{ steps: ['ndjson'], entries: 2 }],
      skippedLines: 0,
      received: null,
      reasons: [],
    },
    {
      name: 'c.txt',
      entries: 0,
      forms: [{ steps: ['console'], entries: 0 }],
      skippedLines: 1,
      received: null,
      reasons: ['no_log_entries'],
    },
  ]);
  expect(result.connections).toEqual([
    {
      phoneNumberId: '800000000000001',
      number: '5511900000000',
      wabaId: '900000000000001',
      session: null,
      provider: 'meta',
      entries: 3,
      messages: 3,
      statuses: 0,
      items: { first: '2025-09-16T05:20:00.000Z', last: '2025-09-16T05:20:00.000Z' },
    },
  ]);
});

test('exits 0 when everything is understood, also from a pipe', async () => {
  const seen = await runCli(['inspect', '-'], { stdin: `${body('x')}\n` });
  expect(seen.code).toBe(0);
  expect(seen.stdout).toMatch(/^✔ 1 entry with 1 message, everything understood/);
  expect(seen.stdout).toMatch(/stdin/);
});

test('shows nothing personal of what it does not understand', async () => {
  const secret = 'Ana Souza 5511912345678 pediu ajuda';
  const directory = await directoryWith({
    'log.ndjson': [
      JSON.stringify({ event: 'odd.event', data: { [secret]: secret, list: [secret, 5511912345678] } }),
      `{"type":"${secret}","name":"${secret}`,
      `${secret} {"a":`,
      JSON.stringify({
        object: 'whatsapp_business_account',
        entry: [{ changes: [{ field: 'odd', value: { x: secret } }] }],
      }),
    ].join('\n'),
  });
  for (const format of ['json', 'table', 'markdown', 'csv', 'ndjson']) {
    const { code, stdout } = await runCli(['inspect', directory, '--format', format]);
    expect(code).toBe(4);
    expect(stdout).not.toMatch(/Ana|Souza|55119|ajuda/);
  }
});

test.each([
  [
    '{"event":"messages.odd","data":{"id":12,"ok":true,"no":null,"x":[1,-2.5e3]}}',
    '{"event":"messages.odd","data":{"id":0,"ok":true,"no":null,"x":[0,0]}}',
  ],
  ['{"type":"Ana Souza","5511912345678@s.whatsapp.net":{"n":"x"}', '{"type":"…","…":{"n":"…"}'],
  ['{"status":"5511912345678","a":"cut', '{"status":"…","a":"…"'],
  ['[{"a":"\\"b\\""}, Ana]', '[{"a":"…"…'],
  ['Ana said {"a":1}', ''],
])('an excerpt %s is shown as %s', (excerpt, shown) => {
  expect(shownExcerpt(excerpt)).toBe(shown);
});

test('names what lies beside the logs of a directory and is not read', async () => {
  const directory = await directoryWith({
    'a.ndjson': `${body('one')}\n`,
    'wacli.db': 'x',
    '.old.ndjson': `${body('two', 'wamid.2')}\n`,
    '.DS_Store': 'x',
  });
  const seen = await runCli(['inspect', directory]);
  expect(seen.code).toBe(0);
  expect(seen.stderr).toMatch(
    /Not read, because hidden or by their names no logs: \S+\.old\.ndjson, \S+wacli\.db\. A/,
  );
});

test('an entry with several bodies has one form: what stands around them all', async () => {
  const base64 = Buffer.from(body('three', 'wamid.3')).toString('base64');
  const several = JSON.stringify({ a: body('one'), b: { payload: body('two', 'wamid.2') }, c: base64 });
  const directory = await directoryWith({ 'd.ndjson': `${several}\n${body('four', 'wamid.4')}\n` });
  const { files, entries } = resultOf(await runCli(['inspect', directory, '--json']));
  expect(entries).toBe(2);
  expect(files[0]?.counts).toMatchObject({ messages: 4 });
  expect(files[0]?.forms).toEqual([
    { steps: ['ndjson', 'object'], entries: 1 },
    { steps: ['ndjson'], entries: 1 },
  ]);
});
