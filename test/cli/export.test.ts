import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse } from 'csv-parse/sync';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { startBrowser } from '../support/browser.js';
import {
  BEACON,
  INLINE_ATTRIBUTES,
  SCROLL_WIDTH,
  STICKING_OUT,
  WEAK_CONTRASTS,
} from '../support/page-scripts.js';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const LOG = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;
const ANA = '+55 11 90000-0001';

const server = useServer();

async function demo() {
  const run = await server.prepare();
  await run(['replay', LOG, '--register']);
  return { run, directory: await temporaryDirectory() };
}

const LINE = z.object({
  id: z.string(),
  timestamp: z.string(),
  body: z.string().nullable(),
  leadId: z.string(),
});

function linesOf(text: string) {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => LINE.parse(JSON.parse(line)));
}

describe('export on the command line', () => {
  test('writes one conversation in each form, whole and for nobody else', async () => {
    const { run, directory } = await demo();
    for (const ending of ['html', 'txt', 'csv', 'ndjson']) {
      const file = join(directory, `ana.${ending}`);
      const { code, stdout, stderr } = await run(['export', ANA, '-o', file]);
      expect({ ending, code, stderr }).toEqual({ ending, code: 0, stderr: '' });
      expect(stdout).toMatch(/^✔ 12 messages of 2 conversations, 2025-08-27 to 2025-09-16\n/);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readFile(file, 'utf8')).toContain('Oi! Vocês entregam em Pinheiros?');
    }
    expect((await readdir(directory)).sort()).toEqual(['ana.csv', 'ana.html', 'ana.ndjson', 'ana.txt']);
    const rows = z
      .array(z.record(z.string(), z.string()))
      .parse(parse(await readFile(join(directory, 'ana.csv'), 'utf8'), { columns: true }));
    const lines = linesOf(await readFile(join(directory, 'ana.ndjson'), 'utf8'));
    expect(rows.map((row) => row['id'])).toEqual(lines.map(({ id }) => id));
    const times = lines.map(({ timestamp }) => timestamp);
    expect(times).toEqual([...times].sort());
    const json = await run(['export', ANA, '-o', join(directory, 'again.html'), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      command: 'export',
      form: 'html',
      messages: 12,
      media: null,
    });
  });

  test('replaces no file unless told, and as JSON only says what it wrote', async () => {
    const { run, directory } = await demo();
    const file = join(directory, 'ana.txt');
    await writeFile(file, 'mine');
    const refused = await run(['export', ANA, '-o', file]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('exists');
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect((await run(['export', ANA, '-o', file, '--force'])).code).toBe(0);
    expect(await readFile(file, 'utf8')).toContain('Ana Souza');
    const json = await run(['export', ANA, '--format', 'json']);
    expect(json).toMatchObject({ code: 2, stdout: '' });
    expect(json.stderr).toContain('ndjson');
  });

  test('goes to stdout as text, with nothing else there', async () => {
    const { run } = await demo();
    const text = await run(['export', ANA, '--tz', 'America/Sao_Paulo', '--since', '2025-09-16']);
    expect(text.code).toBe(0);
    expect(text.stderr).toBe('6 messages of 2 conversations, 2025-09-16 to 2025-09-16.\n');
    expect(text.stdout).toContain('times in America/Sao_Paulo\n\n── Tuesday, 16 September 2025 ──\n');
    expect(text.stdout).toContain(
      '[09:06:00 -03:00] Ana Souza: Quero duas, por favor 🙏\n    > business: Bom dia',
    );
    expect(text.stdout).toContain('      Quero duas, por favro\n');
    const all = await run(['export', '--all', '--format', 'ndjson']);
    expect(all).toMatchObject({ code: 0, stderr: '' });
    expect(linesOf(all.stdout)).toHaveLength(59);
  });

  test('gives everybody’s as a directory with an index, and refuses one that is not empty', async () => {
    const { run, directory } = await demo();
    const target = join(directory, 'all');
    const { code, stdout } = await run(['export', '--all', '-o', target]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(/^✔ 59 messages of 10 conversations/);
    const names = await readdir(target);
    expect(names).toHaveLength(11);
    const index = await readFile(join(target, 'index.html'), 'utf8');
    for (const name of names.filter((one) => one !== 'index.html'))
      expect(index).toContain(`href="${encodeURIComponent(name)}"`);
    expect((await stat(target)).mode & 0o777).toBe(0o700);
    const again = await run(['export', '--all', '-o', target]);
    expect(again.code).toBe(2);
    expect(again.stderr).toContain('this directory is not empty');
    expect(await readdir(directory)).toEqual(['all']);
    const separate = await run(['export', ANA, '--format', 'txt', '-o', `${join(directory, 'ana')}/`]);
    expect(separate.code).toBe(0);
    expect(await readdir(join(directory, 'ana'))).toHaveLength(3);
  });

  test('is refused with exit 2 what does not fit together, and leaves nothing', async () => {
    const { run, directory } = await demo();
    const file = join(directory, 'x.html');
    const refused: [string[], string][] = [
      [[], 'Whose messages?'],
      [[ANA, '--all'], 'Give one of them'],
      [[ANA, '--format', 'markdown'], 'Give ndjson, csv, txt or html'],
      [['--all', '--format', 'html'], 'Name a new directory'],
      [['--all', '-o', file], 'Name a new directory'],
      [[ANA, '--media'], 'Name a file or a directory'],
      [['+5511912121212', '-o', file], 'No contact found'],
      [[ANA, '-o', join(directory, 'none', 'x.txt')], 'does not exist'],
      ...['x.json', 'x.md', 'x.pdf', 'x.XLSX'].map((name): [string[], string] => [
        [ANA, '-o', join(directory, name)],
        `no form that ends in ${name.slice(1)}`,
      ]),
      [[ANA, '--since', '2026-02-02', '--until', '2026-02-01'], 'nothing would be in between'],
    ];
    for (const [argv, reason] of refused) {
      const { code, stdout, stderr } = await run(['export', ...argv]);
      expect({ argv, code, stdout }).toEqual({ argv, code: 2, stdout: '' });
      expect(stderr).toContain(reason);
    }
    expect(await readdir(directory)).toEqual([]);
    for (const [name, ...flags] of [['ana.2026-11-30'], ['ana.log', '--format', 'txt']]) {
      expect((await run(['export', ANA, '-o', join(directory, name ?? ''), ...flags])).code).toBe(0);
    }
    const other = await run(['messages', ANA, '--format', 'txt']);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect(other.stderr).toContain('only export makes a text to read');
    const page = await run(['verify', '--format', 'html']);
    expect(page).toMatchObject({ code: 2, stdout: '' });
    expect(page.stderr).toContain('--format html: only report and export make a page for the browser');
  });

  test('copies the kept files under their hash, and names those that are not here', async () => {
    const { run, directory } = await demo();
    const kept = Buffer.from('a picture');
    const sha256 = createHash('sha256').update(kept).digest('hex');
    const path = join(directory, 'kept', `${sha256}.jpg`);
    await mkdir(join(directory, 'kept'));
    await writeFile(path, kept);
    await server.change(
      run,
      `insert into media_files (connection_id, media_id, message_id, state, attempts, first_tried_at, tried_at, sha256, size, path)
       select connection_id, media ->> 'id', external_id, 'fetched', 1, now(), now(), '${sha256}', 9, '${path}'
       from messages where body = 'É essa aqui, está com manchas'`,
    );
    const page = join(directory, 'ana.html');
    const good = await run(['export', ANA, '--media', '-o', page]);
    expect(good).toMatchObject({ code: 0 });
    expect(good.stdout).toContain('1 file copied');
    expect(await readFile(join(directory, 'ana-media', `${sha256}.jpg`))).toEqual(kept);
    expect(await readFile(page, 'utf8')).toContain(`href="ana-media/${sha256}.jpg"`);
    await writeFile(path, 'another picture');
    const altered = await run(['export', ANA, '--media', '-o', join(directory, 'b.html')]);
    expect(altered).toMatchObject({ code: 4 });
    expect(altered.stdout).toContain('0 files copied, 1 missing');
    expect(await readFile(join(directory, 'b.html'), 'utf8')).toContain('the kept file is gone or altered');
    expect((await readdir(directory)).sort()).toEqual(['ana-media', 'ana.html', 'b.html', 'kept']);
  });
});

/** A person who wants to get out of every form. */
const EVIL = `=HYPERLINK("http://x");=1+1|"=2"\n=3\u202e</p></article><script>alert(1)</script>\u001b[2J\u009b31m"' onload=alert(2) ../../../etc/passwd`;

describe('an export of hostile text', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  async function hostile() {
    const prepared = await demo();
    const literal = EVIL.replaceAll("'", "''");
    await server.change(
      prepared.run,
      `update leads set push_name = '${literal}' where phone_number = '+5511900000001';
       update messages set body = '${literal}' || chr(10) || '[12:00:00 +00:00] Ana Souza: forged'
         where type = 'text';
       update connections set name = '${literal}' where name = '+5511900000000';
       update message_reactions set emoji = '${literal}';
       update messages set media = jsonb_build_object('fileName', '${literal}', 'mimeType', 'image/png') where type = 'image';
       update message_revisions set body = '${literal}'`,
    );
    return prepared;
  }

  async function open(
    file: string,
    look: { width: number; colorScheme: 'light' | 'dark' },
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
      viewport: { width: look.width, height: 900 },
      colorScheme: look.colorScheme,
    });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const url = pathToFileURL(file).href;
    const complaints: string[] = [];
    page.on('request', (request) => {
      if (request.url() !== url && !request.url().startsWith('data:'))
        complaints.push(`asks for ${request.url()}`);
    });
    page.on('console', (message) => complaints.push(`says ${message.text()}`));
    page.on('dialog', (dialog) => {
      complaints.push(`opens ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    await page.waitForLoadState('networkidle');
    return { page, complaints };
  }

  test('is a page that runs and loads nothing, readable in the light and in the dark, on a phone and on paper', async () => {
    const { run, directory } = await hostile();
    const file = join(directory, 'ana.html');
    expect(await run(['export', ANA, '-o', file])).toMatchObject({ code: 0, stderr: '' });
    for (const width of [400, 1400]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const { page, complaints } = await open(file, { width, colorScheme });
        expect(complaints).toEqual([]);
        expect(await page.locator('script, iframe, object, embed, form, base').count()).toBe(0);
        expect(await page.evaluate<string[]>(INLINE_ATTRIBUTES)).toEqual(['LINK href=data:,']);
        expect(await page.locator('article').count()).toBe(12);
        expect(await page.evaluate<number>(SCROLL_WIDTH)).toBeLessThanOrEqual(width);
        expect(await page.evaluate<string[]>(STICKING_OUT)).toEqual([]);
        expect(await page.evaluate<string[]>(WEAK_CONTRASTS)).toEqual([]);
        const shots = process.env.WA_TEST_SCREENSHOTS ?? directory;
        const image = await page.screenshot({
          path: join(shots, `export-${width}-${colorScheme}.png`),
          fullPage: true,
        });
        expect(image.byteLength).toBeGreaterThan(10_000);
      }
    }
    const { page, complaints } = await open(file, { width: 1400, colorScheme: 'dark' });
    expect(await page.content()).not.toMatch(/[\u001b\u009b\u202a-\u202e\u2066-\u2069]/);
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate<string[]>(WEAK_CONTRASTS)).toEqual([]);
    expect((await page.pdf({ format: 'A4' })).byteLength).toBeGreaterThan(10_000);
    await page.evaluate(BEACON);
    await expect.poll(() => complaints.join()).toContain('Content Security Policy');
  });

  test('is harmless as text, as rows and as lines, and under the name of its file', async () => {
    const { run, directory } = await hostile();
    const text = await run(['export', ANA, '--tz', 'UTC']);
    expect(text.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    // Twelve messages, and none that somebody has made up in another one.
    expect(text.stdout.match(/^\[\d\d:\d\d:\d\d \+00:00\] /gm)).toHaveLength(12);
    const csv = await run(['export', ANA, '--format', 'csv']);
    expect(csv.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    const rows = z.array(z.record(z.string(), z.string())).parse(parse(csv.stdout, { columns: true }));
    expect(rows).toHaveLength(12);
    for (const cell of rows.flatMap((row) => Object.values(row))) expect(cell).not.toMatch(/^[=+\-@]/);
    // In a country whose separator it is, the middle of a text begins a cell, whatever is quoted.
    expect(csv.stdout).toContain('=HYPERLINK');
    expect(csv.stdout).not.toMatch(/[;\t|\n] *"*[=+\-@]/);
    const lines = await run(['export', ANA, '--format', 'ndjson']);
    expect(lines.stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    expect(linesOf(lines.stdout).some(({ body }) => body?.startsWith(EVIL) === true)).toBe(true);
    const target = join(directory, 'all');
    expect(await run(['export', '--all', '-o', target])).toMatchObject({ code: 0 });
    for (const name of await readdir(target)) expect(name).toMatch(/^[\p{L}\p{N}+_-]+\.html$/u);
    const texts = join(directory, 'texts');
    expect(await run(['export', '--all', '--format', 'txt', '-o', texts])).toMatchObject({ code: 0 });
    const index = await readFile(join(texts, 'index.txt'), 'utf8');
    expect(index).toContain(`\t"'=HYPERLINK(""http://x"");'=1+1|""'=2""`);
    for (const row of z.array(z.array(z.string())).parse(parse(index, { delimiter: '\t' }))) {
      expect(row).toHaveLength(4);
      for (const cell of row) expect(cell).not.toMatch(/^[=+\-@]/);
    }
  });
});
