import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useMachines } from './installation.js';
import { DEMO_FORMS } from '../support/demo-forms.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
/** Less than what is read, by far: only what streams stays below it. */
const SMALL_HEAP = { NODE_OPTIONS: '--max-old-space-size=64' };

const inspected = z.looseObject({
  status: z.string(),
  entries: z.number(),
  counts: z.looseObject({ messages: z.number() }),
  files: z.array(
    z.looseObject({ path: z.string(), forms: z.array(z.looseObject({ steps: z.array(z.string()) })) }),
  ),
});

function body(number: number): string {
  const metadata = { display_phone_number: '5511900000000', phone_number_id: '800000000000001' };
  const text = { body: `Olá "tudo" bem?\n${'ação 👍 '.repeat(60)}` };
  const message = {
    from: '5511912345678',
    id: `wamid.${number}`,
    timestamp: '1758000000',
    type: 'text',
    text,
  };
  const value = { messaging_product: 'whatsapp', metadata, messages: [message] };
  const entry = [{ id: '900000000000001', changes: [{ field: 'messages', value }] }];
  return JSON.stringify({ object: 'whatsapp_business_account', entry });
}

async function* chunks(parts: Iterable<string>): AsyncGenerator<Uint8Array> {
  let text = '';
  for (const part of parts) {
    text += part;
    if (text.length < 100_000) continue;
    yield await Promise.resolve(Buffer.from(text));
    text = '';
  }
  yield Buffer.from(text);
}

function* oneLineOfHits(count: number): Generator<string> {
  yield '{"took":3,"hits":{"total":{"value":1},"hits":[';
  for (let i = 0; i < count; i++) yield `${i === 0 ? '' : ','}{"_index":"hooks","_source":${body(i)}}`;
  yield ']}}';
}

/** Two containers at once, whose bodies Docker has cut. */
function* containers(count: number): Generator<string> {
  const frame = (log: string, stream: string): string =>
    `${JSON.stringify({ log, stream, time: '2025-09-16T05:00:00.5Z' })}\n`;
  for (let i = 0; i < count; i += 2) {
    const [first, second] = [Array.from(`got ${body(i)}\n`), Array.from(`got ${body(i + 1)}\n`)];
    yield frame(first.slice(0, 300).join(''), 'stdout');
    yield frame(second.slice(0, 200).join(''), 'stderr');
    yield frame(first.slice(300).join(''), 'stdout');
    yield frame('GET /health 200\n', 'stdout');
    yield frame(second.slice(200).join(''), 'stderr');
  }
}

describe('the installed inspect', () => {
  const machines = useMachines('postgresql');

  test('reads the demo day in all its forms, and leaves no database behind', async () => {
    const machine = await machines.install('empty');
    const before = await readdir(machine.directory);
    const paths = Object.keys(DEMO_FORMS).map((name) => `${FIXTURES}/${name}`);
    const { code, stdout, stderr } = await machine.run(['inspect', ...paths, '--json']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    const result = inspected.parse(JSON.parse(stdout));
    expect(result.counts.messages).toBe(3 * 68);
    expect(result.files.map(({ forms }) => forms[0]?.steps[0])).toEqual(['docker', 'values', 'console']);
    expect(await readdir(machine.directory)).toEqual(before);
  });

  test.each([
    ['one line with the hits of a search', oneLineOfHits],
    ['the log of two containers', containers],
  ])('reads 45 MB of %s in a heap of 64 MB', async (_, parts) => {
    const machine = await machines.install('empty');
    const count = 40_000;
    const { code, stdout } = await machine.run(['inspect', '-', '--json'], {
      stdin: chunks(parts(count)),
      env: SMALL_HEAP,
    });
    expect(code).toBe(0);
    expect(inspected.parse(JSON.parse(stdout))).toMatchObject({
      entries: count,
      counts: { messages: count },
    });
  });

  test('replays a compressed dump of a table, once', async () => {
    const machine = await machines.install();
    const rows = (await readFile(`${FIXTURES}/demo-day.ndjson`, 'utf8')).trimEnd().split('\n');
    const dump = rows
      .map((row, i) => `${i}\t${row.replaceAll('\\', '\\\\')}\t2025-09-16 11:00:00+00\n`)
      .join('');
    const text = `-- PostgreSQL database dump\nCOPY public.webhooks (id, payload, created_at) FROM stdin;\n${dump}\\.\n`;
    const file = await machine.write('dump.sql.gz', gzipSync(text));
    const first = await machine.run(['replay', file, '--register', '--json']);
    expect(first.code).toBe(4);
    const picture = await machine.picture();
    expect(picture.messages).toHaveLength(59);
    await machine.run(['replay', file, '--json']);
    expect((await machine.picture()).messages).toEqual(picture.messages);
  });
});
