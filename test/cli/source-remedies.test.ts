import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { useServer, type Run } from './database-home.js';
import { live } from '../support/webhooks.js';

const CHECKS = z.object({
  severity: z.string().nullable(),
  checks: z.array(z.object({ check: z.string(), remedy: z.string().nullable() })),
});
const BARE = {
  contacts: [{ profile: { name: 'Z' }, wa_id: '5511988887777' }],
  messages: [
    {
      from: '5511988887777',
      id: 'wamid.BARE1',
      timestamp: '1795900000',
      type: 'text',
      text: { body: 'bare' },
    },
  ],
};
const SHOP = ['connection', 'add', '--name', 'shop', '--kind', 'cloud_api', '--phone', '+55 11 98888-0000'];

async function folder(): Promise<string> {
  const cwd = await mkdtemp(join(tmpdir(), 'wa-source-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  return cwd;
}

async function remedyOf(run: Run, check: string): Promise<string[]> {
  const { stdout } = await run(['verify', '--json']);
  const found = CHECKS.parse(JSON.parse(stdout)).checks.find((one) => one.check === check);
  return (found?.remedy ?? '').split(' ').slice(1);
}

describe('what brings a lost raw entry back', () => {
  const server = useServer();

  test('is the replay with the choices of the run that stored it, from every directory', async () => {
    const run = await server.prepare();
    const cwd = await folder();
    await writeFile(join(cwd, 'bare.json'), JSON.stringify(BARE));
    await run(SHOP);
    expect((await run(['replay', './bare.json', '--connection', 'shop'], { cwd })).code).toBe(0);
    await run(['connection', 'edit', 'shop', '--name', 'store']);
    await server.change(run, 'delete from webhook_log');
    const again = await remedyOf(run, 'raw_entry');
    expect(again).toEqual(['replay', join(cwd, 'bare.json'), '--connection', 'store']);
    expect((await run(['explain', 'wamid.BARE1'])).stdout).toContain(`wa-reconcile ${again.join(' ')}`);
    expect((await run(again)).code).toBe(0);
    expect((await run(['verify'])).code).toBe(0);
  });

  test('is found, too, when a replay of the raw log has made the message anew', async () => {
    const run = await server.prepare();
    const cwd = await folder();
    await writeFile(
      join(cwd, 'l.ndjson'),
      `${JSON.stringify(live('A', 0))}\n${JSON.stringify(live('B', 9))}`,
    );
    await run(['replay', 'l.ndjson', '--register', '--tickets', 'none'], { cwd });
    await server.change(run, 'delete from messages');
    await run(['replay', '--all', '--tickets', 'none']);
    await server.change(run, 'delete from webhook_log');
    expect(await remedyOf(run, 'raw_entry')).toEqual(['replay', join(cwd, 'l.ndjson'), '--tickets', 'none']);
    await server.change(run, "update sync_runs set options = options - 'directory'");
    expect(await remedyOf(run, 'raw_entry')).toEqual(['replay', 'l.ndjson', '--tickets', 'none']);
  });

  test('names what was piped in, for an entry that was changed as for one that is gone', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: JSON.stringify(live('A', 0)) });
    await server.change(run, `update webhook_log set raw_body = '\\x7b7d'`);
    const said =
      /replay -\n +with the log piped in that the replay of 20\d\d-\d\d-\d\d \d\d:\d\d UTC read, stores the lost/;
    expect((await run(['verify'])).stdout).toMatch(said);
    await server.change(run, `delete from webhook_log`);
    expect(await remedyOf(run, 'raw_entry')).toEqual(['replay', '-']);
    await run(['replay', '-'], { stdin: JSON.stringify(live('A', 0)) });
    expect((await run(['verify'])).code).toBe(0);
  });
});
