import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useEmbedded, useServer } from './database-home.js';
import { live } from '../support/webhooks.js';

const LOG = Array.from({ length: 40 }, (_, i) => JSON.stringify(live(`M${i}`, i * 10))).join('\n');
/** The builders' messages are old: without this, every night would call the connection silent. */
const PATIENT = ['--silent-after', '100000h'];
const NIGHT = z.object({
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

  test('says in its first line what came of the night, and exits with 0 when there is nothing to look at', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { code, stdout } = await run(['reconcile', ...PATIENT]);
    expect(stdout).toMatch(
      /^✔ Reconciled 1 connection: 40 messages, 0 missing, 0 duplicated, 0 alerts {2}[\d.]+ m?s\n/,
    );
    expect(code).toBe(0);
  });

  test('exits with 3 when something is missing, and says what to type', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { default: pg } = await import('pg');
    const client = new pg.Client({ connectionString: run.url });
    await client.connect();
    await client.query(`delete from messages where body = 'M7'`).finally(() => client.end());
    const { code, stdout } = await run(['reconcile', ...PATIENT]);
    expect(stdout).toContain('1 missing');
    expect(stdout).toContain('raw_log');
    expect(stdout).toContain('wa-reconcile replay --all');
    expect(code).toBe(3);
  });

  test('gives every step in its JSON, and nothing else on stdout', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { stdout } = await run(['reconcile', '--json', ...PATIENT]);
    const night = NIGHT.parse(JSON.parse(stdout));
    expect(night.figures).toMatchObject({ connections: 1, messages: 40, missing: 0, doubled: 0 });
  });

  test('is not green about a database without a connection: it may be the wrong one', async () => {
    const run = await embedded.prepare();
    for (const flags of [[], ['--apply', '--full'], ['--dry-run'], ['--register']]) {
      const { code, stdout, stderr } = await run(['reconcile', '--json', ...flags]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(JSON.parse(stderr)).toMatchObject({
        error: { code: 'no_connections', next: { command: 'replay', args: ['LOG', '--register'] } },
      });
    }
  });

  test('may create the connections of a log that is stored already', async () => {
    const run = await embedded.prepare();
    await run(['replay', '-'], { stdin: LOG });
    expect((await run(['reconcile'])).code).toBe(2);
    const { stdout } = await run(['reconcile', '--json', '--register', ...PATIENT]);
    expect(NIGHT.parse(JSON.parse(stdout)).figures).toMatchObject({ connections: 1, messages: 40 });
  });

  test('refuses to merge and to write nothing at once', async () => {
    const run = await embedded.prepare();
    const { code, stderr } = await run(['reconcile', '--apply', '--dry-run']);
    expect(stderr).toContain('--apply and --dry-run contradict each other');
    expect(code).toBe(2);
  });
});
