import { parse } from 'csv-parse/sync';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createLook } from '../../src/cli/ui/look.js';
import { render } from '../../src/cli/ui/presentation.js';
import { presentReport, type ReportStyle } from '../../src/cli/views/report.js';
import { widthOf } from '../../src/cli/ui/width.js';
import { drawsBlocks } from '../../src/cli/views/day-chart.js';
import type { ReportResult } from '../../src/commands/report/types.js';
import { readExposition } from '../support/exposition.js';
import { connectionReport, reportDays, reportResult, troubledReport } from '../support/report-result.js';
import { live } from '../support/webhooks.js';
import { useEmbedded, useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const DEMO = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));
const EVENING = Date.UTC(2025, 8, 16, 23, 0);
const ZONE = ['--tz', 'America/Sao_Paulo'];

const shape = z.looseObject({
  schemaVersion: z.literal(1),
  command: z.literal('report'),
  connections: z.array(
    z.looseObject({ name: z.string(), days: z.array(z.looseObject({ day: z.string() })) }),
  ),
  alerts: z.array(z.looseObject({ kind: z.string(), remedy: z.string().nullable() })),
});

function text(
  result: ReportResult,
  width: number,
  style: Partial<ReportStyle> = {},
  database: readonly string[] = [],
): Promise<string> {
  const presentation = presentReport(result, { blocks: true, ...style });
  return render(
    presentation,
    'table',
    createLook(false, width, () => database, true),
  );
}

/** Without a connection there is nothing to judge. */
const SHOP = ['connection', 'add', '--name', 'shop', '--kind', 'cloud_api', '--phone', '+5511988880000'];

describe('report on the command line', () => {
  const server = useServer();

  test('ends with 0 and says that nothing is there yet', async () => {
    const run = await server.prepare();
    await run(SHOP);
    const { code, stdout, stderr } = await run(['report']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('✔ No alerts');
    expect(stdout).toContain('1 connection');
  });

  test('shows alerts first, the worst at the top, each with what to type, and ends with 3 when something was rejected', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { code, stdout } = await run(['report', ...ZONE], { now: EVENING });
    expect(code).toBe(3);
    expect(stdout).toMatch(/^✖ 3 lost, \d degraded, 1 note \(\d alerts\)/);
    expect(stdout).toContain('loss: rejects');
    expect(stdout.indexOf('Alerts')).toBeLessThan(stdout.indexOf('coexistence'));
    expect(stdout).toContain('wa-reconcile verify --check history_ledger --connection +5511900000000');
    expect(stdout).toContain('70 message items, 58 stored');
    expect(stdout).toContain('8 repeated: the message was there already');
    expect(stdout).toContain('2025-09-16 Tue');
    expect(stdout).toMatch(/replay +partial +83 entries/);
  });

  test('gives programs one object, or one line for each thing', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { stdout } = await run(['report', '--json', ...ZONE, '--days', '3'], { now: EVENING });
    const result = shape.parse(JSON.parse(stdout));
    expect(result.connections.map(({ days }) => days.map(({ day }) => day))).toEqual([
      ['2025-09-14', '2025-09-15', '2025-09-16'],
      ['2025-09-14', '2025-09-15', '2025-09-16'],
    ]);
    const lines = (await run(['report', '--format', 'ndjson'], { now: EVENING })).stdout
      .trimEnd()
      .split('\n')
      .map((line) => z.looseObject({ type: z.string() }).parse(JSON.parse(line)).type);
    expect(new Set(lines)).toEqual(new Set(['alert', 'connection', 'run', 'report']));
    expect(lines.at(-1)).toBe('report');
  });

  test('gives every figure to a spreadsheet and to Markdown', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const csv = (await run(['report', '--format', 'csv', ...ZONE], { now: EVENING })).stdout;
    const rows = z
      .array(z.record(z.string(), z.string()))
      .parse(parse(csv, { columns: true, skip_empty_lines: true }));
    const of = (figure: string, detail: string): string | undefined =>
      rows.find(
        (row) =>
          row.figure === figure && row.detail === detail && row.connection?.includes('0000000') === true,
      )?.value;
    expect(of('messages', 'inbound')).toBe('38');
    expect(of('explained', 'repeated')).toBe('8');
    expect(rows.filter(({ subject }) => subject === 'alert').length).toBeGreaterThan(0);
    const markdown = (await run(['report', '--format', 'markdown'], { now: EVENING })).stdout;
    expect(markdown).toContain('- raw log: ');
    expect(markdown).toContain('## Last runs');
  });

  test('gives Prometheus a file, whole or not at all, and nobody else one', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const at = { now: EVENING, cwd: directory };
    expect((await run(['report', '-o', 'wa.prom'], at)).code).toBe(3);
    expect(await readdir(directory)).toEqual(['wa.prom']);
    const text = await readFile(join(directory, 'wa.prom'), 'utf8');
    const series = readExposition(text);
    const messages = series.filter(({ name }) => name === 'wa_reconcile_connection_messages');
    expect(messages.reduce((sum, { value }) => sum + value, 0)).toBe(59);
    expect(series).toContainEqual({
      name: 'wa_reconcile_runs',
      labels: { command: 'replay', status: 'partial' },
      value: 1,
    });
    expect((await run(['report', '--format', 'openmetrics'], at)).stdout).toBe(text);
    const refused = await run(['verify', '--format', 'openmetrics'], at);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('--format openmetrics: only report makes metrics for Prometheus');
    expect((await run(['verify', '-o', 'x.prom'], at)).stderr).toContain('--output x.prom: only report');
  });

  test('reports on one connection, and says which there are if there is none of that name', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { stdout } = await run(['report', '--connection', '+5511900000099', '--json'], { now: EVENING });
    expect(shape.parse(JSON.parse(stdout)).connections.map(({ name }) => name)).toEqual(['+5511900000099']);
    const unknown = await run(['report', '--connection', 'nobody']);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toContain('+5511900000000');
  });

  test('takes its limits from flags and the environment', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const kinds = async (argv: string[], env: Record<string, string> = {}): Promise<string[]> => {
      const { stdout } = await run(['report', '--json', ...argv], { now: EVENING, env });
      return shape.parse(JSON.parse(stdout)).alerts.map(({ kind }) => kind);
    };
    expect(await kinds([])).not.toContain('silent');
    expect(await kinds(['--silent-after', '1h'])).toContain('silent');
    expect(await kinds([], { WA_RECONCILE_SILENT_AFTER: '1h' })).toContain('silent');
  });

  test.each([
    ['--days', '0'],
    ['--days', '5000'],
    ['--runs', 'many'],
    ['--tz', 'Mars/Olympus'],
    ['--until', 'soonish'],
    ['--silent-after', '5'],
    ['--html', '-'],
    ['--watch', '60s'],
    ['--watch', '1ms'],
    ['--html', '/nowhere/at/all/report.html'],
  ])('refuses %s %s before it opens the database', async (flag, value) => {
    const run = await server.prepare('empty');
    const { code, stdout, stderr } = await run(['report', flag, value]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(flag === '--html' && value !== '-' ? value : flag);
  });

  test('opens on the newest day that has messages where the last days have none, and says so', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const later = EVENING + 100 * 86_400_000;
    const { code, stdout } = await run(['report', ...ZONE], { now: later });
    expect(code).toBe(3);
    expect(stdout).toContain(
      'No messages in the last 14 days: these days end with the newest one that has some, 2025-09-16.',
    );
    expect(stdout).toContain('2025-09-16 Tue   29   12');
    // Silence is one all the same.
    expect(stdout).toContain('degraded: silent');
    const today = await run(['report', ...ZONE], { now: EVENING });
    expect(today.stdout).not.toContain('No messages in the last');
  });

  test('ends its days where it is told to, and says where they hold nothing', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const later = EVENING + 100 * 86_400_000;
    const { stdout } = await run(['report', ...ZONE, '--until', '2025-12-01'], { now: later });
    expect(stdout).toContain('the newest is of 2025-09-16 (--until 2025-09-16)');
    const earlier = await run(['report', ...ZONE, '--until', '2025-09-16'], { now: later });
    expect(earlier.stdout).toContain('2025-09-16 Tue');
  });

  test('of an empty database says how to begin', async () => {
    const run = await server.prepare('empty');
    await run(['db', 'migrate']);
    const { code, stdout } = await run(['report', ...ZONE]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^▲ Nothing to report: there is no connection/);
    expect(stdout).toContain('wa-reconcile replay LOG --register');
    for (const flags of [[], ['--enforce']]) {
      const verified = await run(['verify', ...flags]);
      expect(verified.code).toBe(2);
      expect(verified.stdout).toMatch(/^▲ Nothing to verify: there is no connection/);
    }
    expect((await run(['reconcile'])).code).toBe(2);
  });

  test('is never green where entries wait and there is no connection', async () => {
    const run = await server.prepare();
    const entry = JSON.stringify(live('A', 0));
    await run(['replay', '-'], { stdin: entry });
    for (const flags of [[], ['--no-audit']]) {
      const { code, stdout } = await run(['report', ...flags]);
      expect(code).toBe(2);
      expect(stdout).toMatch(/^▲ .*1 degraded, 0 notes \(1 alert\); there is no connection/);
      expect(stdout).toContain('wa-reconcile replay LOG --register');
    }
    expect((await run(['report', '-q'])).stdout).toContain('there is no connection');
    // What --fail-on names is a finding, as of verify.
    expect((await run(['report', '--fail-on', 'degraded'])).code).toBe(3);
    expect((await run(['verify'])).code).toBe(3);
    expect((await run(['verify', '--fail-on', 'loss'])).code).toBe(2);

    await run(['alerts', 'ack', 'entries_pending']);
    for (const command of [['report'], ['report', '--fail-on', 'note'], ['alerts', 'list'], ['verify']]) {
      const { code, stdout } = await run(command);
      expect({ command, code, mark: stdout[0] }).toEqual({ command, code: 2, mark: '▲' });
    }
  });

  test('names the flag whose file cannot be written', async () => {
    const run = await server.prepare();
    for (const flag of ['--html', '-o']) {
      const { code, stderr } = await run(['report', flag, '/nosuch/page.html']);
      expect(code).toBe(2);
      expect(stderr).toMatch(new RegExp(`^wa-reconcile: ${flag} /nosuch/page.html: `));
    }
  });

  test('begins its days where it is told to, with --since or with --days', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const window = ['--since', '2025-09-10', '--until', '2025-09-16'];
    const { stdout } = await run(['report', ...ZONE, ...window, '--json'], { now: EVENING });
    const { connections } = JSON.parse(stdout) as { connections: { days: { day: string }[] }[] };
    expect(connections[0]?.days.map(({ day }) => day)).toEqual(
      ['10', '11', '12', '13', '14', '15', '16'].map((day) => `2025-09-${day}`),
    );
    const both = await run(['report', ...window, '--days', '3'], { now: EVENING });
    expect(both.code).toBe(2);
    expect(both.stderr).toContain('--since and --days contradict each other');
    expect((await run(['report', '--since', '2020-01-01'], { now: EVENING })).code).toBe(2);
  });

  test('says in one line that days in a row hold nothing', async () => {
    const run = await server.prepare();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { stdout } = await run(['report', ...ZONE], { now: EVENING });
    expect(stdout).toMatch(/^ *2025-09-\d\d – 2025-09-\d\d +no messages$/m);
    expect(stdout).not.toMatch(/ 0 +0$/m);
  });
});

describe('report --html', () => {
  const embedded = useEmbedded();
  const server = useServer();

  test('writes the page beside the result, whole or not at all, and through a link', async () => {
    const run = await server.prepare();
    await run(SHOP);
    const directory = await temporaryDirectory();
    const file = join(directory, 'report.html');
    await writeFile(join(directory, 'real.html'), 'old');
    await symlink('real.html', file);
    const { code, stdout, stderr } = await run(['report', '--html', 'report.html', '--json'], {
      cwd: directory,
      terminals: ['stderr'],
    });
    expect(code).toBe(0);
    expect(shape.safeParse(JSON.parse(stdout)).success).toBe(true);
    expect(stderr).toContain('real.html');
    expect(await readFile(file, 'utf8')).toMatch(/^<!doctype html>/);
    expect((await readdir(directory)).sort()).toEqual(['real.html', 'report.html']);
  });

  test('advises commands that work on the same database', async () => {
    const run = await embedded.prepare();
    const directory = await temporaryDirectory();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { stdout } = await run(['report', '--html', 'report.html', '--json'], {
      cwd: directory,
      now: EVENING,
    });
    const remedies = shape.parse(JSON.parse(stdout)).alerts.flatMap(({ remedy }) => remedy ?? []);
    expect(remedies.length).toBeGreaterThan(0);
    const page = await readFile(join(directory, 'report.html'), 'utf8');
    for (const remedy of remedies) {
      expect(remedy).toMatch(/^wa-reconcile .* --home \S+$/);
      expect(page).toContain(remedy);
    }
  });

  test('refuses a directory, and the file of -o', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    await mkdir(join(directory, 'taken'));
    expect((await run(['report', '--html', 'taken'], { cwd: directory })).code).toBe(2);
    expect((await run(['report', '--html', 'a', '-o', 'a'], { cwd: directory })).code).toBe(2);
    expect((await stat(join(directory, 'taken'))).isDirectory()).toBe(true);
  });
});

describe('report --watch', () => {
  const server = useServer();

  /** Waits until something is so, as somebody does who looks at the file from time to time. */
  async function until(isSo: () => Promise<boolean>): Promise<void> {
    await expect.poll(isSo, { timeout: 40_000, interval: 50 }).toBe(true);
  }

  test('writes its files again and again, tries again after an error, and ends as its last report did', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const [page, metrics] = [join(directory, 'report.html'), join(directory, 'wa.prom')];
    const version = async (file: string): Promise<number> =>
      stat(file).then(
        ({ ino, mtimeMs }) => ino + mtimeMs,
        () => 0,
      );
    let raise: (signal: 'SIGINT') => void = () => undefined;
    const watching = run(['report', '--watch', '1s', '--html', 'report.html', '-o', 'wa.prom'], {
      cwd: directory,
      now: EVENING,
      withSignals: (given) => {
        raise = given;
      },
    });
    await until(async () => (await version(metrics)) !== 0);
    const first = [await version(page), await version(metrics)];
    await until(async () => (await version(page)) !== first[0] && (await version(metrics)) !== first[1]);
    await server.change(run, 'alter table messages rename to away');
    await delay(2500);
    const broken = await version(page);
    await server.change(run, 'alter table away rename to messages');
    await until(async () => (await version(page)) !== broken);
    const text = await readFile(page, 'utf8');
    expect(text).toContain('<meta http-equiv="refresh" content="1" />');
    expect(text).toMatch(/<\/html>\s*$/);
    raise('SIGINT');
    const { code, stdout, stderr } = await watching;
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('that the migrations created is missing');
    expect(stderr).toContain('Page written to');
    expect((await readdir(directory)).sort()).toEqual(['report.html', 'wa.prom']);
  });

  test('ends at once where what was typed is wrong, and needs a file', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    const at = { cwd: directory };
    const unknown = await run(['report', '--watch', '1s', '--html', 'a.html', '--connection', 'nobody'], at);
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    const nowhere = await run(['report', '--watch', '1s', '-o', '-'], at);
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain('--watch needs a file');
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('a report for people', () => {
  test.each([40, 46, 60, 80, 120])('fits %i columns but for what is to be pasted', async (width) => {
    for (const result of [troubledReport(), reportResult()]) {
      const lines = (await text(result, width)).split('\n');
      const wide = lines.filter((line) => widthOf(line) > width && !line.includes('wa-reconcile'));
      expect(wide.filter((line) => !line.includes('database'))).toEqual([]);
    }
  });

  test('draws inbound and outbound apart without color, each as long as its share', async () => {
    const result = reportResult({
      connections: [
        connectionReport({
          days: reportDays(
            3,
            (index) => [{ inbound: 30, outbound: 10 }, { gap: true }, { inbound: 1 }][index] ?? {},
          ),
        }),
      ],
    });
    const shown = (await text(result, 80)).split('\n');
    const day = (date: string): string => shown.find((line) => line.startsWith(`  ${date}`)) ?? '';
    const [ins, outs] = [
      /█+/.exec(day('2026-11-18'))?.[0].length ?? 0,
      /░+/.exec(day('2026-11-18'))?.[0].length ?? 0,
    ];
    expect(ins / outs).toBeCloseTo(3, 0);
    expect(day('2026-11-19')).toMatch(/ 0 +0 +✕ gap$/);
    expect(day('2026-11-20')).toMatch(/ 1 +0 {2}█+$/);
  });

  test('uses no character but ASCII for the bars where the terminal has no others', async () => {
    const shown = await text(troubledReport(), 80, { blocks: false });
    const chart = shown.slice(shown.indexOf('Messages per day'), shown.indexOf('Raw log\n'));
    expect(chart).toMatch(/#+-+/);
    expect(chart.replaceAll('…', '')).toMatch(/^[\n -~]*$/);
  });

  test('knows which terminals draw blocks', () => {
    expect(drawsBlocks({ LANG: 'pt_BR.UTF-8', TERM: 'xterm' }, true)).toBe(true);
    expect(drawsBlocks({ LANG: 'C', TERM: 'xterm' }, true)).toBe(false);
    expect(drawsBlocks({ LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' }, true)).toBe(false);
    expect(drawsBlocks({ LANG: 'en_US.UTF-8', TERM: 'linux' }, true)).toBe(false);
    expect(drawsBlocks({ LANG: 'C' }, false)).toBe(true);
  });

  test('sends no sequence of a stranger to the terminal', async () => {
    const name = 'a\u001b]0;pwned\u0007\u001b[31mb\u202ec';
    const result = reportResult({ connections: [connectionReport({ name })] });
    expect(await text(result, 80)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
  });

  test('says what to type about rows that are gone, on the database that was reported on', async () => {
    const accounts = { items: 5, saved: 3, explained: {}, unexplained: 2 };
    const result = reportResult({ connections: [connectionReport({ accounts })] });
    const shown = await text(result, 80, {}, ['--home', '/srv/my data']);
    expect(shown).toContain('2 unexplained');
    expect(shown).toContain("wa-reconcile verify --check raw_log --connection loja --home '/srv/my data'");
  });
});
