import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { live, webhook } from '../support/webhooks.js';
import { useMachines, type Installation } from './installation.js';
import { largeChunk, lines, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const ONE_LINE_AND_REMEDY = /^wa-reconcile: .+\n {2}.+\n$/;
const MB = 1024 * 1024;

/** What is stored of every raw entry, as text, in order. */
function storedBodies(machine: Installation): Promise<string[]> {
  return machine.look(async ({ sql }) => {
    const rows = await sql.query(`select encode(raw_body, 'escape') as body from webhook_log order by id`);
    return rows.map(({ body }) => String(body));
  });
}

/** Good lines before and after something bad. */
const NEIGHBORS = { before: lines([live('before', 1)]), after: lines([live('after', 2)]) };

describe('bad input on the command line', () => {
  const machines = useMachines('postgresql');

  test('is refused before anything is done where there is nothing to read', async () => {
    const machine = await machines.install();
    await machine.write('empty/notes.md', 'no log');
    for (const argv of [['missing.ndjson'], ['empty'], ['*.none'], ['missing.ndjson', 'empty']]) {
      const { code, stdout, stderr } = await machine.run(['replay', ...argv]);
      expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' });
      expect(stderr).toMatch(ONE_LINE_AND_REMEDY);
      expect(stderr).toContain(argv[0]);
    }
  });

  test('of every kind in one log costs its own line only, and every byte of it is stored', async () => {
    const deep = `${'{"a":['.repeat(10_000)}1${']}'.repeat(10_000)}\n`;
    const bad: Record<string, string | Buffer> = {
      'invalid UTF-8': Buffer.from([...Buffer.from('{"x":"'), 0xff, 0xfe, 0xc3, ...Buffer.from('"}\n')]),
      'nested 10,000 deep': deep,
      'not JSON': '{"object":"whatsapp_business_account",,}\n',
      'a value that is no object': '42\n',
    };
    const machine = await machines.install();
    const parts = Object.values(bad).flatMap((part, i) => [lines([live(`n${i}`, i)]), part]);
    const log = await machine.write(
      'log.ndjson',
      Buffer.concat([...parts, NEIGHBORS.after].map((part) => Buffer.from(part))),
    );
    const { code, stdout, stderr } = await machine.run(['replay', log, '--register', '--json']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    const { entries, messages, problems } = parseRun(stdout);
    expect(messages.created).toBe(Object.keys(bad).length + 1);
    expect(entries.read).toBe(2 * Object.keys(bad).length + 1);
    for (const [i, name] of Object.keys(bad).entries()) {
      expect(
        problems.map(({ origin }) => origin),
        name,
      ).toContain(`${log}:${2 * i + 2}`);
    }
    const stored = (await storedBodies(machine)).join('\n');
    expect(stored).toContain('\\377\\376\\303');
    expect(stored).toContain(deep.trimEnd());
  });

  test('inside a message costs that message only, or nothing', async () => {
    const item = (parts: Record<string, unknown>): string =>
      lines([live('KEY', 10)]).replace(/\{"from".*?\}\}/, JSON.stringify(parts));
    const good = {
      from: '5511900000001',
      id: 'wamid.1',
      timestamp: '1758000000',
      type: 'text',
      text: { body: 'x' },
    };
    const odd = [
      { ...good, id: 'nul', text: { body: 'a\u0000b' } },
      { ...good, id: 'surrogate', text: { body: 'a\ud800b' } },
      { ...good, from: 5511900000001, timestamp: 1758000000, id: 'number-for-string' },
      { ...good, id: 12345 },
      { ...good, id: 'body-number', text: { body: 7 } },
      { ...good, id: 'type-number', type: 7 },
      { ...good, id: 'text-null', text: null },
      { ...good, id: 'context-array', context: [] },
      { ...good, id: 'far-future', timestamp: '99999999999999999999' },
      { ...good, id: 'no-time', timestamp: 'yesterday' },
      { ...good, id: 'empty', text: {} },
    ];
    const proto =
      '{"object":"whatsapp_business_account","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},';
    const machine = await machines.install();
    const log = await machine.write(
      'log.ndjson',
      odd.map(item).join('') +
        lines([live('proto', 11)]).replace('{"object":"whatsapp_business_account",', proto) +
        item({ ...good, id: 'proto-inside' }).replace(
          '{"body":"x"}',
          '{"body":"x","__proto__":{"body":"y"}}',
        ) +
        lines([webhook('messages', { messages: 'none' }), webhook('messages', { messages: [null, 7, []] })]) +
        NEIGHBORS.after,
    );
    const { code, stdout, stderr } = await machine.run(['replay', log, '--register', '--json']);
    expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    const { entries, problems } = parseRun(stdout);
    expect(entries.read).toBe(odd.length + 5);
    expect(problems.filter(({ reason }) => /bug|internal/.test(reason))).toEqual([]);
    const rows = await machine.look(({ sql }) =>
      sql.query(`select external_id as id, body from messages order by external_id collate "C"`),
    );
    const bodies = new Map(rows.map(({ id, body }) => [String(id), body]));
    expect(bodies.get('nul')).toBe('a\ufffdb');
    expect(bodies.get('surrogate')).toBe('a\ufffdb');
    expect(bodies.get('proto-inside')).toBe('x');
    expect([...bodies.keys()]).toEqual(
      expect.arrayContaining(['number-for-string', '12345', 'text-null', 'empty']),
    );
    expect(bodies.size + problems.length).toBeGreaterThanOrEqual(odd.length);
  });

  test('that ends too early keeps what came before, and goes on when the rest is there', async () => {
    const whole = liveLines(2_000);
    const packed = gzipSync(whole, { level: 1 });
    const machine = await machines.install();
    const log = await machine.write('log.ndjson.gz', packed.subarray(0, packed.length / 2));
    const cut = await machine.run(['replay', log, '--register', '--batch-size', '100']);
    expect({ code: cut.code, stderr: cut.stderr }).toEqual({ code: 4, stderr: '' });
    expect(cut.stdout).toMatch(/log\.ndjson\.gz:\d+  the file is cut off; .* Copy it again/);
    const kept = (await storedBodies(machine)).length;
    expect(kept).toBeGreaterThan(500);
    await machine.write('log.ndjson.gz', packed);
    const rest = await machine.run(['replay', log, '--register', '--json']);
    expect(rest.code).toBe(0);
    expect(parseRun(rest.stdout).messages).toMatchObject({ seen: 2_000 });
    const plain = await machine.write('log.ndjson', liveLines(3, 'P').slice(0, -40));
    const torn = await machine.run(['replay', plain, '--register', '--json']);
    expect(torn.code).toBe(4);
    expect(parseRun(torn.stdout)).toMatchObject({
      messages: { created: 2 },
      entries: { failed: 1 },
      problems: [{ origin: `${plain}:3` }],
    });
  });

  test('is none: a webhook of 3 MB with 5,000 messages is five batches, one raw entry', async () => {
    const machine = await machines.install();
    const body = JSON.stringify(largeChunk(5_000));
    expect(body.length).toBeGreaterThan(3 * MB);
    const log = await machine.write('chunk.json', body);
    const { code, stdout, stderr } = await machine.run(['replay', log, '--register', '--json', '--events']);
    expect(code).toBe(0);
    expect(parseRun(stdout)).toMatchObject({
      entries: { read: 1, stored: 1, processed: 1 },
      messages: { seen: 5_000, created: 5_000 },
    });
    expect(stderr.match(/"event":"progress"/g)).toHaveLength(5);
    expect(await storedBodies(machine)).toEqual([body]);
  });
});

describe.each(['postgresql', 'pglite'] as const)('too much at once on %s', (backend) => {
  const machines = useMachines(backend);

  test('is a line of 50 MB, which is named and passed over, unless it is let in', async () => {
    const machine = await machines.install();
    const log = join(machine.directory, 'log.ndjson');
    const file = await open(log, 'w');
    const [head = '', tail = ''] = JSON.stringify(live('big', 3, { text: { body: 'BODY' } })).split('BODY');
    await file.write(NEIGHBORS.before + head);
    for (let i = 0; i < 50; i += 1) await file.write('x'.repeat(MB));
    await file.write(`${tail}\n${NEIGHBORS.after}`);
    await file.close();

    const passed = await machine.run(['replay', log, '--register', '--json']);
    expect({ code: passed.code, stderr: passed.stderr }).toEqual({ code: 4, stderr: '' });
    const { messages, problems } = parseRun(passed.stdout);
    expect(messages).toMatchObject({ seen: 2, created: 2 });
    expect(problems).toMatchObject([{ origin: `${log}:2`, reason: 'entry_too_large' }]);

    // Out of a pipe, too, whatever the database: it does not get it.
    if (backend === 'postgresql') {
      const piped = await machine.run(['replay', '-'], { stdin: createReadStream(log) });
      expect(piped.code).toBe(4);
      expect(piped.stdout).toContain(':2  larger than --max-entry-size; raise the limit to read it');
    }
    // Quiet: where it takes long, progress is told now and then.
    const taken = await machine.run(['replay', log, '--json', '--quiet', '--max-entry-size', '64MB']);
    expect({ code: taken.code, stderr: taken.stderr }).toEqual({ code: 0, stderr: '' });
    expect(parseRun(taken.stdout)).toMatchObject({ messages: { seen: 3, created: 1 } });
    const [row] = await machine.look(({ sql }) =>
      sql.query(
        `select max(length(body))::int as chars, max(octet_length(w.raw_body))::int as bytes from messages m, webhook_log w`,
      ),
    );
    expect(row).toEqual({ chars: 50 * MB, bytes: 50 * MB + head.length + tail.length });
  }, 180_000);
});
