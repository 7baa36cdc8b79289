import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { ANA as ANAS_PHONE, live, SECOND } from '../support/webhooks.js';
import { useEmbedded, useServer } from './database-home.js';

const LOG = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;
const ANA = '+55 11 90000-0001';

const LIST = z.object({
  access: z.array(
    z.object({
      command: z.string(),
      user: z.string(),
      host: z.string(),
      as: z.string().nullable(),
      leadId: z.string().nullable(),
      everybody: z.boolean(),
      phone: z.string().nullable(),
      messages: z.number(),
    }),
  ),
});

const TOLD = z.object({
  kind: z.string(),
  externalId: z.string().nullable(),
  excerpt: z.string().nullable(),
});

const SHOWN = z.object({
  problems: z.array(z.object({ excerpt: z.string() })).optional(),
  report: z.object({ rejected: z.array(z.object({ excerpt: z.string() })) }).optional(),
});

/** A log with a good message, and one without an id, which is rejected. */
async function logWithReject(): Promise<string> {
  const file = join(await mkdtemp(join(inject('databases').directory, 'log-')), 'log.ndjson');
  const good = live('a', 0);
  const bad: unknown = JSON.parse(JSON.stringify(live('b', 60)), (key, value: unknown) => {
    if (key === 'id' && typeof value === 'string' && value.startsWith('wamid')) return undefined;
    return key === 'body' ? 'what nobody may read unseen' : value;
  });
  await writeFile(file, `${JSON.stringify(good)}\n${JSON.stringify(bad)}\n`);
  return file;
}

describe('the access log', () => {
  const embedded = useEmbedded();
  const server = useServer();

  test('names who has seen how many messages of whom, whatever command showed them', async () => {
    const run = await server.prepare();
    // As CSV it is figures alone.
    await run(['replay', LOG, '--register', '--format', 'csv']);
    const list = async (...flags: string[]) => {
      const { code, stdout, stderr } = await run(['runs', 'list', '--access', '--json', ...flags]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return LIST.parse(JSON.parse(stdout)).access;
    };
    expect(await list()).toEqual([]);
    await run(['messages', ANA, '--limit', '5', '--as', 'Maria']);
    await run(['explain', ANA]);
    expect(await list()).toMatchObject([
      {
        command: 'messages',
        user: 'test-user',
        host: 'test-host',
        as: 'Maria',
        phone: '+5511900000001',
        messages: 5,
      },
    ]);
    // Of a contact whose messages are all there a person is shown no text, a program all of them.
    const found = await run(['explain', ANA, '--bodies'], { env: { WA_RECONCILE_AS: 'Maria' } });
    expect(found.stdout).not.toContain('“');
    const facts = await run(['explain', ANA, '--bodies', '--format', 'ndjson'], {
      env: { WA_RECONCILE_AS: 'Paulo' },
    });
    const texts = facts.stdout
      .trimEnd()
      .split('\n')
      .map((line) => TOLD.parse(JSON.parse(line)))
      .filter(({ kind, excerpt }) => excerpt !== null && (kind === 'message' || kind === 'edit'));
    await run(['report', '--no-audit', '--json']);
    const all = await list();
    expect(all.map(({ command, as }) => ({ command, as }))).toEqual([
      { command: 'report', as: null },
      { command: 'explain', as: 'Paulo' },
      { command: 'messages', as: 'Maria' },
    ]);
    expect(all[1]?.messages).toBe(new Set(texts.map(({ externalId }) => externalId)).size);
    expect(all[1]?.messages).toBeGreaterThanOrEqual(5);
    // What was rejected is filed under nobody, so that it may be of anybody.
    expect((await list('--contact', ANA)).map(({ command }) => command)).toEqual([
      'report',
      'explain',
      'messages',
    ]);
    expect((await list('--contact', '+55 21 90000-0002')).map(({ command }) => command)).toEqual(['report']);
    expect(await list('--command', 'report')).toMatchObject([{ leadId: null, everybody: true }]);
    expect((await run(['runs', 'list', '--access', '--command', 'report'])).stdout).toContain('everybody');
    const csv = await run(['runs', 'list', '--access', '--format', 'csv']);
    expect(csv.stdout).toMatch(/^at,user,host,as,command,lead_id,name,phone,messages\n/);
    const table = await run(['runs', 'list', '--access', '--limit', '2', '--contact', ANA]);
    expect(table.stdout).toContain('Paulo (test-user on test-host)');
  });

  test.each(['postgresql', 'pglite'])(
    '%s: has who is shown the beginnings of rejected items',
    async (kind) => {
      const run = kind === 'pglite' ? await embedded.prepare() : await server.prepare();
      const list = async (...flags: string[]) =>
        LIST.parse(JSON.parse((await run(['runs', 'list', '--access', '--json', ...flags])).stdout)).access;
      const shows = async (argv: readonly string[], env: Record<string, string> = {}) => {
        const { stdout } = await run([...argv, '--json'], { env });
        const { problems = [], report } = SHOWN.parse(JSON.parse(stdout));
        return [...problems, ...(report?.rejected ?? [])].some(({ excerpt }) => excerpt.includes('unseen'));
      };
      // What is shown counts, wherever it comes from.
      expect(await shows(['replay', await logWithReject(), '--register', '--as', 'Ana'])).toBe(true);
      expect(await shows(['replay'])).toBe(false);
      expect(await shows(['replay', '--all', '--as', 'Maria'])).toBe(true);
      expect(await shows(['replay', '--all', '--dry-run'], { WA_RECONCILE_AS: 'Paulo' })).toBe(true);
      expect(await shows(['replay', '--since', '2020-01-01'])).toBe(true);
      expect(await shows(['reconcile', '--dry-run', '--as', 'Rita'])).toBe(true);
      expect(await shows(['reconcile', '--full'], { WA_RECONCILE_AS: 'Nina' })).toBe(true);
      const row = { leadId: null, everybody: true, messages: 1 };
      const expected = [
        { ...row, command: 'reconcile', as: 'Nina' },
        { ...row, command: 'reconcile', as: 'Rita' },
        { ...row, command: 'replay', as: null },
        { ...row, command: 'replay', as: 'Paulo' },
        { ...row, command: 'replay', as: 'Maria' },
        { ...row, command: 'replay', as: 'Ana' },
      ];
      expect(await list()).toMatchObject(expected);
      expect(await list('--contact', ANAS_PHONE)).toMatchObject(expected);
      // Who looked is no part of what the run was to do.
      expect((await run(['runs', 'list', '--json'])).stdout).not.toMatch(/Maria|Nina/);
    },
  );

  test('has nobody who is shown only where rejected items are, or figures', async () => {
    const run = await server.prepare();
    const file = await logWithReject();
    const directory = await mkdtemp(join(inject('databases').directory, 'out-'));
    const seen = async () => {
      const { access } = LIST.parse(JSON.parse((await run(['runs', 'list', '--access', '--json'])).stdout));
      return access.map(({ command, messages }) => ({ command, messages }));
    };
    const place = (name: string) => join(directory, name);
    for (const argv of [
      ['replay', file, '--register', '--format', 'csv'],
      ['replay', '--all', '--format', 'csv'],
      ['replay'],
      ['report'],
      ['report', '-q'],
      ['report', '--format', 'markdown'],
      ['report', '--format', 'csv'],
      ['report', '-o', place('figures.prom')],
      ['report', '-o', place('report.md')],
      ['report', '--no-audit', '-o', place('report.csv')],
      ['reconcile', '--format', 'csv'],
      ['reconcile', '--dry-run', '-o', place('reconcile.csv')],
    ]) {
      const { stdout } = await run(argv);
      const written = await Promise.all(
        (await readdir(directory)).map((name) => readFile(place(name), 'utf8')),
      );
      expect([stdout, ...written].join('\n'), argv.join(' ')).not.toContain('unseen');
      expect({ argv, seen: await seen() }).toEqual({ argv, seen: [] });
    }
    // Whatever else goes to stdout, a page shows them; so does a file for a program.
    const showing: [command: string, file: string, ...argv: string[]][] = [
      ['report', 'a.html', '--format', 'csv', '--html', place('a.html')],
      ['report', 'b.html', '-o', place('b.html')],
      ['report', 'c.json', '-o', place('c.json')],
      ['reconcile', 'd.ndjson', '-o', place('d.ndjson')],
      ['replay', 'e.md', '--all', '-o', place('e.md')],
      ['replay', 'f.md', file, '-n', '-o', place('f.md')],
    ];
    const expected: unknown[] = [];
    for (const [command, name, ...argv] of showing) {
      await run([command, ...argv]);
      expect(await readFile(place(name), 'utf8'), name).toContain('unseen');
      expected.unshift({ command, messages: 1 });
      expect({ argv, seen: await seen() }).toEqual({ argv, seen: expected });
    }
  });

  test('has nobody for a reconcile that -q does not print, as what it would show was acknowledged', async () => {
    const run = await server.prepare();
    const file = join(await mkdtemp(join(inject('databases').directory, 'log-')), 'log.ndjson');
    await writeFile(file, JSON.stringify(live('a', 0)));
    await run(['replay', file, '--register', '--format', 'csv']);
    // Of a connection that nobody knows, with a part that nobody can read.
    const { object, entry } = z
      .object({ object: z.string(), entry: z.array(z.record(z.string(), z.unknown())) })
      .parse(live('b', 60, {}, SECOND));
    const strange = { object, entry: [...entry, { id: '1', odd: 'what nobody may read unseen' }] };
    await writeFile(file, JSON.stringify(strange));
    await run(['replay', file, '--format', 'csv']);
    const patient = ['--silent-after', '9999d', '--history-after', '9999d'];
    const seen = async () =>
      LIST.parse(JSON.parse((await run(['runs', 'list', '--access', '--json'])).stdout)).access.length;
    // It is tried again each time, and shown again.
    const told = await run(['reconcile', ...patient]);
    expect(told.stdout).toContain('unseen');
    expect(await seen()).toBe(1);
    const { stdout } = await run(['report', ...patient, '--format', 'ndjson']);
    for (const [, id] of stdout.matchAll(/"type":"alert","id":"([^"]+)"/g))
      await run(['alerts', 'ack', id ?? '', '--reason', 'known']);
    expect(await run(['reconcile', '-q', ...patient])).toMatchObject({ code: 0, stdout: '' });
    expect(await seen()).toBe(1);
    expect((await run(['reconcile', ...patient])).stdout).toContain('unseen');
    expect(await seen()).toBe(2);
  });

  test('has no ids for words: entries of an unknown connection, and an id that is somebody else’s', async () => {
    const run = await server.prepare();
    const file = join(await mkdtemp(join(inject('databases').directory, 'log-')), 'log.ndjson');
    await writeFile(file, `${JSON.stringify(live('a', 0))}\n`);
    const { code, stdout } = await run(['replay', file, '--json']);
    expect(code).toBe(4);
    expect(stdout).toContain('"excerpt": "8');
    const { access } = LIST.parse(JSON.parse((await run(['runs', 'list', '--access', '--json'])).stdout));
    expect(access).toEqual([]);
  });

  test('shows nothing that it cannot record', async () => {
    const run = await server.prepare();
    await run(['replay', await logWithReject(), '--register', '--format', 'csv']);
    await server.change(run, 'alter table access_log add constraint nobody check (false) not valid');
    for (const argv of [
      ['replay', '--all'],
      ['replay', '--all', '-n'],
      ['reconcile', '--full'],
    ]) {
      const { code, stdout, stderr } = await run([...argv, '--json']);
      expect(code).not.toBe(0);
      expect(stdout + stderr).not.toContain('unseen');
    }
  });

  test('has the name that `explain --bodies --as` gives, and a kind is no name', async () => {
    const run = await server.prepare();
    await run(['replay', await logWithReject(), '--register', '--format', 'csv']);
    const explain = (...flags: string[]) =>
      run(['explain', ANAS_PHONE, ...flags], { env: { WA_RECONCILE_AS: 'Paulo' } });
    // Found, with something that was rejected.
    expect((await explain('--bodies', '--as', ' Maria da Silva ')).code).toBe(3);
    expect((await explain('--bodies', '--as', 'contact')).code).toBe(3);
    expect((await explain('--bodies', '--as', 'Contact')).code).toBe(3);
    expect((await explain('--as', 'contact')).code).toBe(3);
    for (const name of ['Maria', 'x'.repeat(201), ' ', '']) {
      const refused = await explain('--as', name);
      expect(refused).toMatchObject({ code: 2, stdout: '' });
      if (name.trim() !== '') expect(refused.stderr).toContain('one of message, contact, entry, run');
    }
    const endless = await explain('--bodies', '--as', 'x'.repeat(201));
    expect(endless).toMatchObject({ code: 2, stdout: '' });
    expect(endless.stderr).toContain('at most 200 characters');
    expect((await explain('--bodies', '--as', ' ')).code).toBe(2);
    const { stdout } = await run(['runs', 'list', '--access', '--json']);
    expect(LIST.parse(JSON.parse(stdout)).access.map(({ as }) => as)).toEqual([
      'Contact',
      'Paulo',
      'Maria da Silva',
    ]);
  });

  test('is refused what it cannot answer', async () => {
    const run = await server.prepare();
    const contact = await run(['runs', 'list', '--contact', ANA]);
    expect(contact).toMatchObject({ code: 2, stdout: '' });
    expect(contact.stderr).toContain('needs --access');
    const endless = await run(['messages', ANA, '--as', 'x'.repeat(201)]);
    expect(endless).toMatchObject({ code: 2, stdout: '' });
    expect(endless.stderr).toContain('at most 200 characters');
    const stranger = await run(['runs', 'list', '--access', '--contact', '+5511912121212']);
    expect(stranger).toMatchObject({ code: 2, stdout: '' });
  });
});
