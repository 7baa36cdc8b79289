import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useServer } from './database-home.js';

const PLAN = z.object({ entries: z.object({ planned: z.number() }) });

/** An account event, and the later one that has overtaken it. */
const LOG = ['PARTNER_ADDED', 'PARTNER_ADDED']
  .map((event, at) =>
    JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        {
          id: '900000000000001',
          time: 1_758_000_000 + at,
          changes: [{ field: 'account_update', value: { event } }],
        },
      ],
    }),
  )
  .join('\n');

describe('prune and the events of accounts', () => {
  const server = useServer();

  test('keeps them, unless told otherwise; the last word on the line counts, and goes before the environment', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const planned = async (flags: string[], env: Record<string, string> = {}): Promise<number> => {
      const given = ['prune', '--older-than', '0s', '--class', 'processed', '--json', ...flags];
      const { code, stdout, stderr } = await run(given, { env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      return PLAN.parse(JSON.parse(stdout)).entries.planned;
    };
    expect(await planned([])).toBe(0);
    expect(await planned(['--keep-alerts'])).toBe(0);
    expect(await planned(['--no-keep-alerts'])).toBe(1);
    expect(await planned(['--no-keep-alerts', '--keep-alerts'])).toBe(0);
    expect(await planned(['--keep-alerts', '--no-keep-alerts'])).toBe(1);
    const environment = { WA_RECONCILE_NO_KEEP_ALERTS: '1' };
    expect(await planned([], environment)).toBe(1);
    expect(await planned(['--keep-alerts'], environment)).toBe(0);
  });

  test('says in its help which statuses the class is', async () => {
    const { stdout } = await (await server.prepare())(['prune', '--help']);
    expect(stdout.replace(/\s+/g, ' ')).toContain('status (chats of WhatsApp Status), group');
  });

  test('refuses to let go of what the classes do not name', async () => {
    const run = await server.prepare();
    const { code, stderr } = await run(['prune', '--older-than', '1d', '--no-keep-alerts']);
    expect(code).toBe(2);
    expect(stderr).toContain('--no-keep-alerts has no effect without --class processed');
  });

  test('refuses an empty list of classes, which would empty nothing night after night', async () => {
    const run = await server.prepare();
    for (const argv of [
      ['prune', '--older-than', '1d', '--class', ''],
      ['reconcile', '--prune-older-than', '1d', '--prune-class', ''],
    ]) {
      const { code, stdout, stderr } = await run(argv);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain("'' is not made of status, group");
    }
  });

  test('says that the space is not free where the role does not own the table', async () => {
    const run = await server.prepare();
    await run(['replay', '-', '--register'], { stdin: LOG });
    const { role, as } = await server.addRole(run);
    for (const right of ['select, insert, update, delete on all tables', 'usage on all sequences'])
      await server.change(run, `grant ${right} in schema public to ${role}`);
    const prune = [
      'prune',
      '--older-than',
      '0s',
      '--class',
      'processed',
      '--no-keep-alerts',
      '--vacuum',
      '--apply',
    ];
    const writer = await as(prune);
    expect({ code: writer.code, stderr: writer.stderr.replace(/\s+/g, ' ') }).toEqual({
      code: 0,
      stderr: expect.stringContaining('The space is not free yet: this role does not own') as string,
    });
    expect(writer.stdout).not.toContain('free again');
    const owner = await run(prune);
    expect(owner.stderr).not.toContain('not free yet');
    expect(owner.stdout).toContain('free again');
  });
});
