import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { live } from '../support/webhooks.js';
import { useServer } from './database-home.js';

const LOG = [live('A', 0), live('B', 10), live('C', 20, { id: undefined })]
  .map((body) => JSON.stringify(body))
  .join('\n');
const LIST = z.object({
  command: z.literal('alerts list'),
  severity: z.string().nullable(),
  counts: z.object({ lost: z.number(), acknowledged: z.number() }),
  audit: z.object({ items: z.number() }).nullable(),
  alerts: z.array(
    z.looseObject({
      id: z.string(),
      kind: z.string(),
      severity: z.string(),
      next: z.object({ command: z.string() }).nullable(),
      acknowledged: z.object({ by: z.string(), until: z.string().nullable() }).nullable(),
    }),
  ),
});
const PATIENT = ['--silent-after', '100000h'];

describe('alerts', () => {
  const server = useServer();

  test('are listed with their ids, acknowledged for a while, and taken back', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const list = async (...argv: string[]) =>
      LIST.parse(JSON.parse((await run(['alerts', 'list', '--json', ...PATIENT, ...argv])).stdout));
    const before = await list();
    expect(before).toMatchObject({
      severity: 'loss',
      counts: { lost: 1 },
      audit: { items: 3 },
      alerts: [{ kind: 'rejects', next: { command: 'explain' } }],
    });
    expect((await list('--no-audit')).audit).toBeNull();
    const id = before.alerts[0]?.id ?? '';
    const acked = await run(['alerts', 'ack', id, '--until', '14d', '--reason', 'a test', ...PATIENT]);
    expect(acked.code).toBe(0);
    expect(acked.stdout).toContain('1 alert acknowledged');
    expect(await list()).toMatchObject({
      severity: null,
      counts: { lost: 0, acknowledged: 1 },
      alerts: [{ id, acknowledged: { by: 'test-user', until: expect.stringMatching(/Z$/) as string } }],
    });
    const report = await run(['report', ...PATIENT]);
    expect(report.code).toBe(0);
    expect(report.stdout).toMatch(/^✔ No alerts \(1 acknowledged\)/);
    expect(report.stdout).toMatch(/acknowledged by test-user on test-host until [-\d :]+ UTC: a test/);
    expect((await run(['alerts', 'unack', id])).code).toBe(0);
    expect((await run(['report', ...PATIENT])).code).toBe(3);
  });

  test.each([
    [['ack', 'nothing'], 'is not an alert'],
    [['ack', 'declined'], "There is no alert 'declined' now."],
    [['ack', 'rejects', '--until', 'yesterday'], 'is not a time to come'],
    [['ack', 'rejects', '--connection', 'nobody'], "There is no connection 'nobody'."],
    [['unack', 'rejects'], "No alert 'rejects' was acknowledged."],
  ])('refuse %j', async (argv, said) => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { code, stdout, stderr } = await run(['alerts', ...argv]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(said);
  });

  test('are not raised of what does not come to an archived connection', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG.split('\n').slice(0, 2).join('\n') });
    expect((await run(['reconcile'])).code).toBe(3);
    const name =
      (await run(['connection', 'list', '--format', 'csv'])).stdout.split('\n')[1]?.split(',')[2] ?? '';
    const archived = await run(['connection', 'archive', name.replace(/^'/, '')]);
    expect(archived.stdout).toContain('✔ Archived.');
    expect((await run(['connection', 'list'])).stdout).toContain('archived 20');
    expect((await run(['reconcile'])).code).toBe(0);
    await server.change(run, `update webhook_log set raw_body = '\\\\x7b7d'`);
    expect((await run(['reconcile'])).code).toBe(3);
    expect((await run(['connection', 'unarchive', name.replace(/^'/, '')])).code).toBe(0);
  });

  test('are never green where there is no connection to raise them about', async () => {
    const run = await server.prepare();
    const { code, stdout } = await run(['alerts', 'list']);
    expect(code).toBe(2);
    expect(stdout).not.toContain('✔');
  });
});
