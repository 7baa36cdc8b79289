import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { adviceLine } from '../../src/cli/advice.js';
import { renderReportPage } from '../../src/cli/report-page/page.js';
import { addUpDays } from '../../src/cli/views/day-chart.js';
import type { ReportResult, RunPoint } from '../../src/commands/report/types.js';
import { remedy } from '../../src/model/remedy.js';
import { startBrowser } from '../support/browser.js';
import {
  BEACON,
  COPIED,
  GROUND,
  INLINE_ATTRIBUTES,
  KEEP_COPIED,
  OPEN_DETAILS,
  SCROLL_WIDTH,
  STICKING_OUT,
  WEAK_CONTRASTS,
} from '../support/page-scripts.js';
import {
  alertOf,
  connectionReport,
  HOSTILE_NAME,
  reportDays,
  reportResult,
  runPoint,
  troubledReport,
} from '../support/report-result.js';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const DEMO = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));
const EVENING = Date.UTC(2025, 8, 16, 23, 0);
const DESKTOP = { width: 1100, height: 900 };
const PHONE = { width: 360, height: 740 };

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

interface Opened {
  page: Page;
  /** What the page asked for besides itself, and what it complained about. */
  complaints: string[];
  directory: string;
}

/** Opens a report from disk, as somebody does who got it by mail. */
async function open(
  result: ReportResult,
  look: { viewport?: typeof DESKTOP; colorScheme?: 'light' | 'dark'; javaScript?: boolean } = {},
  everyMs?: number,
): Promise<Opened> {
  const directory = await temporaryDirectory();
  const file = join(directory, 'report.html');
  await writeFile(file, renderReportPage(result, { line, everyMs }));
  return openFile(file, directory, look);
}

async function openFile(
  file: string,
  directory: string,
  { viewport = DESKTOP, colorScheme = 'light' as const, javaScript = true }: Parameters<typeof open>[1] = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport, colorScheme, javaScriptEnabled: javaScript });
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const url = pathToFileURL(file).href;
  const complaints: string[] = [];
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:'))
      complaints.push(`asks for ${request.url()}`);
  });
  page.on('console', (message) => complaints.push(`says ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(`throws ${error.message}`));
  page.on('dialog', (dialog) => {
    complaints.push(`opens ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.goto(url);
  return { page, complaints, directory };
}

/** Takes a picture, to be looked at, and makes sure that something is on it. */
async function picture({ page, directory }: Opened, name: string): Promise<void> {
  const file = process.env.WA_TEST_SCREENSHOTS ?? directory;
  const image = await page.screenshot({ path: join(file, `${name}.png`), fullPage: true });
  expect(image.byteLength).toBeGreaterThan(10_000);
}

async function figures(bars: Locator): Promise<{ day: string; inbound: number; outbound: number }[]> {
  return Promise.all(
    (await bars.all()).map(async (bar) => ({
      day: (await bar.getAttribute('data-day')) ?? '',
      inbound: Number(await bar.getAttribute('data-inbound')),
      outbound: Number(await bar.getAttribute('data-outbound')),
    })),
  );
}

/** Words of the page as a reader has them, white space as one space. */
async function wordsOf(locator: Locator): Promise<string> {
  return (await locator.innerText()).replace(/\s+/g, ' ');
}

const line = adviceLine(() => []);

describe('the page of a report', () => {
  test('loads nothing, runs nothing and complains about nothing, whatever strangers call themselves', async () => {
    for (const look of [{}, { colorScheme: 'dark' as const }, { viewport: PHONE }]) {
      const { page, complaints } = await open(troubledReport(), look);
      await page.waitForLoadState('networkidle');
      expect(complaints).toEqual([]);
      expect(await page.locator('iframe, img, object, embed, form, base').count()).toBe(0);
      // The page's own script, which its policy knows by its hash.
      expect(await page.locator('script').count()).toBe(1);
      const inline = await page.evaluate<string[]>(INLINE_ATTRIBUTES);
      expect(inline).toEqual(['LINK href=data:,', 'A href=#c2', 'A href=#c3', 'A href=#c1']);
    }
  });

  test('shows hostile names as the text that they are, in their place', async () => {
    const { page } = await open(troubledReport());
    const heading = page.getByRole('heading', { name: HOSTILE_NAME, exact: true, level: 2 });
    expect(await heading.count()).toBe(1);
    expect(await page.title()).toBe('Sync report, 2026-11-20 12:00 UTC');
    expect(await page.content()).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
    expect(await wordsOf(page.locator('.rejected tbody'))).toContain('</td><script>alert(3)</script>');
  });

  test('forbids by its policy what it does not do', async () => {
    const { page, complaints } = await open(troubledReport());
    const content = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    expect(content).toContain("default-src 'none'");
    expect(content).not.toContain('unsafe');
    await page.evaluate(BEACON);
    await expect.poll(() => complaints.join()).toContain('Content Security Policy');
  });

  test('has every alert with what to type, and every figure, as text', async () => {
    const result = troubledReport();
    const { page } = await open(result);
    const items = page.locator('.alerts li');
    expect(await items.count()).toBe(result.alerts.length);
    for (const alert of result.alerts) {
      const words = await wordsOf(page.locator(`.alerts li[data-kind="${alert.kind}"]`));
      expect(words).toContain(alert.message);
      expect(words).toContain(alert.kind.replaceAll('_', ' '));
      if (alert.remedy !== null) expect(words).toContain(line(alert.remedy));
    }
    const [first] = result.connections;
    const card = await wordsOf(page.locator('.connection').first());
    for (const figure of [
      '84,211',
      '51,903 in',
      '32,308 out',
      '40,118 live',
      '38,770 history',
      '1,284',
      '1,207',
    ]) {
      expect(card).toContain(figure);
    }
    expect(card).toContain('4 may still come, 12 too late');
    expect(card).toContain(`stored ${first?.accounts.saved.toLocaleString('en-US') ?? ''}`);
    expect(card).toContain('skipped: sent in a group 201');
    expect(card).toContain('unexplained 0');
    expect(await wordsOf(page.locator('.connection').nth(1))).toContain(
      'wa-reconcile verify --check raw_log',
    );
    expect(await wordsOf(page.locator('.runs'))).toContain('died');
    expect(await wordsOf(page.locator('.entries'))).toContain('41,876 processed, 6 in part, 1 failed');
  });

  test('shows at the top the worst that nobody has acknowledged', async () => {
    const loss = alertOf({ kind: 'messages_missing', severity: 'loss', count: 37 });
    const seen = { by: 'ana', host: 'crm-1', at: '2026-11-20T10:00:00.000Z', until: null, reason: 'known' };
    const verdict = async (result: ReportResult): Promise<[string, string | null]> => {
      const { page } = await open(result);
      const shown = page.locator('.verdict');
      return [await wordsOf(shown), await shown.getAttribute('class')];
    };
    expect(await verdict(reportResult({ alerts: [loss, alertOf()] }))).toEqual([
      '✖ 37 lost, 1 degraded, 0 notes (2 alerts)',
      'verdict lost',
    ]);
    expect(await verdict(reportResult({ alerts: [alertOf()] }))).toEqual([
      '▲ 0 lost, 1 degraded, 0 notes (1 alert)',
      'verdict look',
    ]);
    expect(await verdict(reportResult({ alerts: [{ ...loss, acknowledged: seen }] }))).toEqual([
      '✔ No alerts (1 acknowledged)',
      'verdict well',
    ]);
    expect(await verdict(reportResult({ audit: null }))).toEqual([
      '▲ No alerts; the raw log was not compared (--no-audit)',
      'verdict look',
    ]);
    expect(await verdict(reportResult({ audit: null, alerts: [alertOf()] }))).toEqual([
      '▲ 1 degraded, 0 notes (1 alert); the raw log was not compared (--no-audit)',
      'verdict look',
    ]);
  });

  test('has a row for each connection, the worst first, which a reader can filter and sort', async () => {
    const many = Array.from({ length: 5 }, (_, index) =>
      connectionReport({
        id: `c${index}`,
        name: `filial ${index}`,
        lastDay: { messages: index * 9, usual: 30 },
      }),
    );
    const troubled = troubledReport();
    const result = reportResult({ ...troubled, connections: [...troubled.connections, ...many] });
    const { page, complaints } = await open(result);
    const rows = page.locator('table.status tbody tr:visible');
    const names = async (): Promise<string[]> =>
      Promise.all((await rows.locator('td:first-child').all()).map(wordsOf));
    const words = await wordsOf(rows.first());
    expect(words).toContain('Loss');
    expect(words).toMatch(/412 usual 398 none 10 0$/);
    expect((await names())[1]).toContain('Loja');
    expect(await rows.count()).toBe(8);
    await page.getByLabel('Filter').fill('FILIAL');
    expect(await rows.count()).toBe(5);
    expect(await wordsOf(page.locator('.controls output'))).toBe('5 of 8');
    const sort = page.getByRole('button', { name: 'last 24 h' });
    await sort.click();
    expect((await names())[0]).toBe('filial 4');
    await sort.click();
    expect((await names())[0]).toBe('filial 0');
    await page.getByLabel('Filter').fill('');
    await page.locator('.controls select').selectOption('degraded');
    expect(await names()).toEqual([expect.stringContaining('Loja')]);
    expect(complaints).toEqual([]);
  });

  test('copies a command as it is to be typed', async () => {
    const contact = {
      connection: 'loja',
      contact: HOSTILE_NAME,
      lost: 2,
      pending: 0,
      since: null,
      remedy: remedy('explain', ['+5511912345678'], 'shows what became of each message'),
    };
    const { page } = await open(reportResult({ contactsAtRisk: [contact], contactsAtRiskTotal: 7 }));
    expect(await wordsOf(page.locator('h2', { hasText: 'Contacts at risk' }))).toContain('the worst 1 of 7');
    await page.evaluate(KEEP_COPIED);
    await page.locator('.contacts button.copy').click();
    await expect.poll(() => page.evaluate<string>(COPIED)).toBe('wa-reconcile explain +5511912345678');
    expect(await wordsOf(page.locator('.contacts button.copy'))).toBe('Copied');
  });

  test('says how old it is, in red when nobody has written it again', async () => {
    const generatedAt = new Date(Date.now() - 3 * 3_600_000).toISOString();
    const made = async (everyMs?: number): Promise<[string, boolean]> => {
      const { page } = await open(reportResult({ generatedAt }), {}, everyMs);
      const line = page.locator('.made');
      return [await wordsOf(line), ((await line.getAttribute('class')) ?? '').includes('stale')];
    };
    expect(await made()).toEqual([expect.stringContaining('Generated 3 h ago'), true]);
    expect(await made(7_200_000)).toEqual([expect.stringContaining('Generated 3 h ago'), false]);
    expect(await made(600_000)).toEqual([expect.stringContaining('Generated 3 h ago'), true]);
  });

  test('shows hours with their gaps, and the trend of the runs, as images with words', async () => {
    const hours = reportDays(3, () => ({})).map(({ day }, index) => ({
      day,
      hours: Array.from({ length: 24 }, (_, hour) => (hour > 8 && hour < 18 && index !== 1 ? hour : 0)),
      gaps: index === 1 ? [9, 10, 11, 15] : [],
    }));
    const trend = Array.from({ length: 60 }, (_, index) =>
      runPoint({ id: `r${index}`, status: index === 9 ? 'died' : 'completed', lost: index === 9 ? 37 : 0 }),
    );
    const { page } = await open(reportResult({ connections: [connectionReport({ hours })], trend }));
    const map = page.getByRole('img', { name: 'Messages by hour of loja' });
    expect(await map.locator('rect.gap').count()).toBe(4);
    expect(await map.locator('rect.shade').count()).toBe(18);
    expect(await wordsOf(page.locator('.gaps'))).toBe('Gaps: 2026-11-19 9–12 h, 15–16 h');
    expect(
      await page.getByRole('img', { name: 'lost: the newest 0, at most 37' }).locator('rect').count(),
    ).toBe(1);
    expect(
      await page
        .getByRole('img', { name: /^verdicts: 59 of 60 clean, the newest clean/ })
        .locator('rect')
        .count(),
    ).toBe(60);
  });

  test('names a finding by its check, and says where the age of an alert is unknown', async () => {
    const finding = alertOf({
      kind: 'finding',
      subject: 'derived_values',
      severity: 'degraded',
      since: null,
    });
    const { page } = await open(reportResult({ alerts: [finding] }));
    const head = await wordsOf(page.locator('[data-kind=finding] .head'));
    expect(head).toContain('finding: derived values');
    expect(head).toContain('age unknown');
  });

  test('shows no zero for what was not compared', async () => {
    const unexplained = async (result: ReportResult): Promise<string> => {
      const { page } = await open(result);
      return wordsOf(page.locator('.sum > div').filter({ hasText: 'Unexplained' }));
    };
    expect(await unexplained(reportResult({ audit: null }))).toMatch(/^Unexplained ?– ?not compared/);
    expect(await unexplained(reportResult())).toMatch(/^Unexplained ?0 ?every message accounted for/);
    const two = [connectionReport(), connectionReport({ id: 'b', name: 'filial' })];
    const accounts = { items: 3, saved: 3, explained: {}, unexplained: 0 };
    const ledgers = async (result: ReportResult): Promise<string[]> => {
      const { page } = await open(result);
      return page.locator('.ledger .rest td').allTextContents();
    };
    const connections = two.map((one) => ({ ...one, accounts }));
    expect(await ledgers(reportResult({ connections, accounts, audit: null }))).toEqual(
      Array(3).fill('not compared'),
    );
    expect(await ledgers(reportResult({ connections, accounts }))).toEqual(Array(3).fill('0'));
    const gone = { ...accounts, unexplained: 2 };
    const known = two.slice(1).map((one) => ({ ...one, accounts: gone }));
    expect(await ledgers(reportResult({ connections: known, audit: null }))).toEqual(['2']);
  });

  test('shows a run that completed and found a loss as lost', async () => {
    const trend = [
      runPoint({ command: 'reconcile', lost: 0, degraded: 0 }),
      runPoint({ command: 'reconcile', lost: 0, degraded: 2 }),
      runPoint({ command: 'reconcile', lost: 3, degraded: 1, verdict: 'completed: 3 lost, 1 degraded' }),
    ];
    const { page } = await open(reportResult({ trend }));
    const bars = page.getByRole('img', { name: 'verdicts: 1 of 3 clean, the newest lost' }).locator('rect');
    const classes = await Promise.all([0, 1, 2].map((at) => bars.nth(at).getAttribute('class')));
    expect(classes).toEqual(['ended good', 'ended warn', 'ended bad']);
    const title = await bars.last().locator('title').textContent();
    expect(title).toContain('reconcile: lost: 3 lost, 1 degraded');
  });

  test('calls no run clean that did not check', async () => {
    const runs = [runPoint(), runPoint({ command: 'verify', verdict: 'All unique indexes were present' })];
    const bars = async (trend: readonly RunPoint[], name: string): Promise<(string | null)[]> => {
      const { page } = await open(reportResult({ trend: [...trend] }));
      const row = page.getByRole('img', { name, exact: true }).locator('rect');
      return Promise.all(trend.map((_, at) => row.nth(at).getAttribute('class')));
    };
    expect(await bars(runs, 'verdicts: no run checked, the newest completed')).toEqual([
      'ended plain',
      'ended plain',
    ]);
    const checked = runPoint({ command: 'reconcile', lost: 0, degraded: 0 });
    const failed = runPoint({ status: 'failed' });
    expect(await bars([...runs, failed, checked], 'verdicts: 1 of 1 clean, the newest clean')).toEqual([
      'ended plain',
      'ended plain',
      'ended bad',
      'ended good',
    ]);
  });

  test('says at the top that there are no alerts, when there are none', async () => {
    const { page } = await open(reportResult());
    expect(await wordsOf(page.locator('.verdict'))).toContain('No alerts');
    expect(await page.locator('.alerts').count()).toBe(0);
  });

  test('draws bars that are as high as their figures, for eyes and for screen readers', async () => {
    const days = reportDays(
      4,
      (index) => [{ inbound: 60, outbound: 20 }, { inbound: 20 }, { gap: true }, {}][index] ?? {},
    );
    const { page } = await open(reportResult({ connections: [connectionReport({ days })] }));
    const chart = page.locator('.connection svg');
    expect(await figures(chart.locator('.day'))).toEqual(
      days.map(({ day, inbound, outbound }) => ({ day, inbound, outbound })),
    );
    const height = async (selector: string): Promise<number> =>
      (await chart.locator(selector).first().boundingBox())?.height ?? 0;
    const whole = await height('.day:nth-of-type(1) .in');
    expect((await height('.day:nth-of-type(1) .out')) / whole).toBeCloseTo(1 / 3, 1);
    expect((await height('.day:nth-of-type(2) .in')) / whole).toBeCloseTo(1 / 3, 1);
    expect(await chart.locator('.day:nth-of-type(3) .gap').count()).toBe(1);
    expect(await chart.locator('.day:nth-of-type(4) rect').count()).toBe(0);
    const image = page.getByRole('img', { name: /Messages per day of loja/ });
    expect(await image.count()).toBe(1);
    expect(await chart.locator('desc').textContent()).toContain('80 inbound and 20 outbound messages');
    expect(await chart.locator('desc').textContent()).toContain('Gaps: 2026-11-19.');
  });

  test('adds up all connections, and lists each day in figures', async () => {
    const result = troubledReport();
    const { page } = await open(result);
    const [all] = await page.locator('section.card svg').all();
    if (all === undefined) throw new Error('no chart');
    expect(await figures(all.locator('.day'))).toEqual(
      addUpDays(result.connections).map(({ day, inbound, outbound }) => ({ day, inbound, outbound })),
    );
    const details = page.locator('details').first();
    await details.locator('summary').click();
    const words = await wordsOf(details);
    expect(words).toContain('2026-11-20 Fri 361 163');
    expect(words).toContain(`gap in ${HOSTILE_NAME}`);
  });

  test('fits a phone: no sideways scrolling, nothing cut off', async () => {
    const wide = troubledReport();
    const many = connectionReport({ days: reportDays(366, (index) => ({ inbound: index % 7 })) });
    for (const result of [wide, reportResult({ connections: [many] }), reportResult({ connections: [] })]) {
      const { page } = await open(result, { viewport: PHONE });
      await page.evaluate(OPEN_DETAILS);
      const over = await page.evaluate<string[]>(STICKING_OUT);
      expect(over).toEqual([]);
      expect(await page.evaluate<number>(SCROLL_WIDTH)).toBe(PHONE.width);
    }
  });

  test('can be read in light and in dark: enough contrast for every word', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(troubledReport(), { colorScheme });
      const weak = await page.evaluate<string[]>(WEAK_CONTRASTS);
      expect(weak).toEqual([]);
    }
  });

  test('can be printed: black on white, without what cannot be opened on paper', async () => {
    const opened = await open(troubledReport(), { colorScheme: 'dark' });
    const { page } = opened;
    await page.emulateMedia({ media: 'print' });
    const ground = await page.evaluate<string>(GROUND);
    expect(ground).toBe('rgb(255, 255, 255)');
    expect(await page.locator('details').first().isVisible()).toBe(false);
    expect(await page.locator('.connection svg').first().isVisible()).toBe(true);
    const paper = await page.pdf({ format: 'A4' });
    expect(paper.subarray(0, 5).toString()).toBe('%PDF-');
    await picture(opened, 'print');
  });

  test('needs no script: it is the same without', async () => {
    const { page } = await open(troubledReport(), { javaScript: false });
    expect(await page.locator('.alerts li').count()).toBe(5);
    expect(await page.locator('.connection').count()).toBe(3);
    expect(await page.locator('table.status tbody tr').count()).toBe(3);
    expect(await wordsOf(page.locator('.made'))).toContain('Generated just now');
    expect(await page.locator('button:visible, input:visible, select:visible').count()).toBe(0);
  });

  test.each([
    ['desktop-light', DESKTOP, 'light'],
    ['desktop-dark', DESKTOP, 'dark'],
    ['phone', PHONE, 'light'],
    ['phone-dark', PHONE, 'dark'],
  ] as const)('has a picture: %s', async (name, viewport, colorScheme) => {
    await picture(await open(troubledReport(), { viewport, colorScheme }), name);
    await picture(await open(reportResult(), { viewport, colorScheme }), `${name}-calm`);
  });
});

describe('report --html', () => {
  const server = useServer();

  test('shows the demo day as the database has it', async () => {
    const run = await server.prepare();
    const directory = await temporaryDirectory();
    await run(['replay', DEMO, '--register'], { now: EVENING });
    const { code } = await run(['report', '--html', 'report.html', '--tz', 'America/Sao_Paulo'], {
      cwd: directory,
      now: EVENING,
    });
    expect(code).toBe(3);
    const file = join(directory, 'report.html');
    expect((await readFile(file, 'utf8')).length).toBeLessThan(200_000);
    const opened = await openFile(file, directory);
    const { page, complaints } = opened;
    expect(complaints).toEqual([]);
    const card = await wordsOf(page.locator('.connection').first());
    expect(card).toContain('+5511900000000');
    expect(card).toContain('history completed, 1 chunk missing');
    expect(card).toContain('Messages 58 38 in · 20 out');
    expect(card).toContain('Messages in the raw log 70 stored 58');
    expect(card).toContain('repeated: the message was there already 8');
    expect(await page.locator('.alerts li[data-kind="partner_removed"]').count()).toBe(1);
    await picture(opened, 'demo-day');
  });
});
