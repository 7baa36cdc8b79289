import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useEmbedded, useServer } from './database-home.js';
import { ANA, live, webhook } from '../support/webhooks.js';

const LOG = Array.from({ length: 40 }, (_, i) => JSON.stringify(live(`M${i}`, i * 10))).join('\n');
/** The builders' messages are old: without this, every night would call the connection silent. */
const PATIENT = ['--silent-after', '100000h'];
const RESULT = z.object({
  schemaVersion: z.literal(1),
  command: z.literal('reconcile'),
  verdict: z.string(),
  figures: z.record(z.string(), z.number()),
  replay: z.object({ command: z.literal('replay') }),
  dedupe: z.object({ command: z.literal('dedupe') }),
  verify: z.object({ command: z.literal('verify') }),
  report: z.object({ command: z.literal('report') }),
});

describe('reconcile', () => {
  const embedded = useEmbedded();
  const server = useServer();

  test('says in its first line the result, and exits with 0 when there is nothing to look at', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { code, stdout } = await run(['reconcile', ...PATIENT]);
    expect(stdout).toMatch(
      /^✔ Reconciled 1 connection: 40 log items compared, 0 missing, 0 duplicated; 0 lost, 0 degraded, 0 notes {2}[\d.]+ m?s\n/,
    );
    expect(code).toBe(0);
  });

  test('restores what is missing, and exits with 0', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await server.change(run, `delete from messages where body = 'M7'`);
    const { code, stdout } = await run(['reconcile', ...PATIENT]);
    expect(stdout).toContain('0 missing');
    expect(stdout).toContain('1 restored');
    expect(code).toBe(0);
  });

  test('exits with 3 when something is lost, says what to type, and with 0 once it was acknowledged', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    await server.change(
      run,
      `update webhook_log set raw_body = '\\x7b7d' where id = (select batch_id from messages where body = 'M7')`,
    );
    const lost = await run(['reconcile', ...PATIENT]);
    expect(lost.stdout).toMatch(/^✖ .* 1 lost, 0 degraded, 0 notes/);
    expect(lost.stdout).toContain('loss: raw entries altered');
    expect(lost.code).toBe(3);
    expect((await run(['reconcile', '--dry-run', ...PATIENT])).stdout).toContain('loss: raw entries altered');
    const acked = await run([
      'alerts',
      'ack',
      'raw-entries-altered',
      '--reason',
      'restored from tape tomorrow',
    ]);
    expect(acked.stdout).toContain('acknowledged by test-user on test-host: restored from tape tomorrow');
    expect(acked.code).toBe(0);
    const quiet = await run(['reconcile', ...PATIENT]);
    expect(quiet.stdout).toMatch(/^✔ .* 0 lost, 0 degraded, 0 notes \(.*1 acknowledged\)/);
    expect(quiet.code).toBe(0);
    await server.change(
      run,
      `update webhook_log set raw_body = '\\x7b7d' where id = (select batch_id from messages where body = 'M8')`,
    );
    const more = await run(['reconcile', ...PATIENT]);
    expect(more.stdout).toContain('2 lost');
    expect(more.code).toBe(3);
    await run(['alerts', 'ack', 'raw_entries_altered']);
    expect((await run(['reconcile', ...PATIENT])).code).toBe(0);
    expect((await run(['alerts', 'unack', 'raw_entries_altered'])).code).toBe(0);
    expect((await run(['reconcile', ...PATIENT])).code).toBe(3);
  });

  test('fails on what it was told to fail on', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    // The builders' messages are old: by its own rhythm the connection is silent.
    const codes = async (...argv: string[]): Promise<number> => (await run(['reconcile', ...argv])).code;
    expect(await codes()).toBe(3);
    expect(await codes('--fail-on', 'degraded')).toBe(3);
    expect(await codes('--fail-on', 'loss')).toBe(0);
    expect((await run(['report', '--fail-on', 'degraded'])).code).toBe(3);
    expect((await run(['report'])).code).toBe(0);
    expect((await run(['verify', '--fail-on', 'note'])).code).toBe(0);
    expect((await run(['verify', '--fail-on', 'sometimes'])).code).toBe(2);
  });

  test('exits with 3 for a loss also when the run left something behind, and with 0 once all of it is acknowledged', async () => {
    const run = await server.prepare();
    const nameless = JSON.stringify(webhook('messages', { messages: [{ from: ANA, type: 'text' }] }));
    await run(['replay', '-', '--register'], { stdin: `${LOG}\n${nameless}` });
    expect((await run(['reconcile', '--full', ...PATIENT])).code).toBe(3);
    expect((await run(['reconcile', '--full', '--fail-on', 'note', ...PATIENT])).code).toBe(3);
    expect((await run(['alerts', 'ack', 'rejects'])).code).toBe(0);
    expect((await run(['reconcile', '--full', ...PATIENT])).code).toBe(0);
  });

  test('exits with 0 when all but a note is acknowledged, although an entry fails every night', async () => {
    const run = await embedded.prepare();
    const declined = webhook('history', { history: [{ errors: [{ code: 2593109, title: 'declined' }] }] });
    await run(['replay', '-', '--register'], { stdin: `${LOG}\n${JSON.stringify(declined)}\n{"broken` });
    expect((await run(['reconcile', '--full', ...PATIENT])).code).toBe(3);
    await run(['alerts', 'ack', 'entries_failed']);
    const last = await run(['reconcile', '--full', ...PATIENT]);
    expect(last.stdout).toMatch(/^✔ .* 1 note/);
    expect(last.code).toBe(0);
    expect((await run(['reconcile', '--full', '--fail-on', 'note', ...PATIENT])).code).toBe(3);
  });

  test('gives every step in its JSON, and nothing else on stdout', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { stdout } = await run(['reconcile', '--json', ...PATIENT]);
    const night = RESULT.parse(JSON.parse(stdout));
    expect(night.figures).toMatchObject({ connections: 1, messages: 40, missing: 0, doubled: 0 });
  });

  test('is not green about a database without a connection: it may be the wrong one', async () => {
    const run = await embedded.prepare();
    for (const flags of [[], ['--apply', '--full'], ['--dry-run'], ['--register']]) {
      const { code, stdout, stderr } = await run(['reconcile', '--json', ...flags]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({
        error: {
          code: 'no_connections',
          next: { command: 'replay', args: ['LOG', '--register', '--home', expect.any(String) as unknown] },
        },
      });
    }
  });

  test('may create the connections of a log that is stored already', async () => {
    const run = await server.prepare();
    await run(['replay', '-'], { stdin: LOG });
    expect((await run(['reconcile'])).code).toBe(2);
    const { stdout } = await run(['reconcile', '--json', '--register', ...PATIENT]);
    expect(RESULT.parse(JSON.parse(stdout)).figures).toMatchObject({ connections: 1, messages: 40 });
  });

  test('refuses to merge and to write nothing at once', async () => {
    const run = await server.prepare();
    const { code, stderr } = await run(['reconcile', '--apply', '--dry-run']);
    expect(stderr).toContain('--apply and --dry-run contradict each other');
    expect(code).toBe(2);
  });
});
