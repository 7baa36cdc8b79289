import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { useServer } from './database-home.js';

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

describe('the access log', () => {
  const server = useServer();

  test('names who has seen how many messages of whom, whatever command showed them', async () => {
    const run = await server.prepare();
    await run(['replay', LOG, '--register']);
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
    await run(['explain', ANA, '--bodies'], { env: { WA_RECONCILE_AS: 'Paulo' } });
    await run(['report', '--no-audit']);
    const all = await list();
    expect(all.map(({ command, as }) => ({ command, as }))).toEqual([
      { command: 'report', as: null },
      { command: 'explain', as: 'Paulo' },
      { command: 'messages', as: 'Maria' },
    ]);
    expect(all[1]?.messages).toBeGreaterThanOrEqual(12);
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
