import { expect, test } from 'vitest';
import type { HistoryRequestResult } from '../../src/commands/graph/request-history.js';
import { healthyAccount } from '../support/fake-graph/account.js';
import { NOW, NUMBER, PHONE, prepare, receiveEvent, server, type World } from './history-world.js';

/** What is on record, and what the report says of the number. */
async function recorded({ run }: World): Promise<{ at: string | null; alerts: string[] }> {
  const shown = await run(['connection', 'show', 'main', '--json']);
  const { connection } = JSON.parse(shown.stdout) as { connection: { webhookActivatedAt: string | null } };
  const reported = await run(['report', '--json'], { now: NOW });
  const { alerts } = JSON.parse(reported.stdout) as { alerts: { message: string }[] };
  return { at: connection.webhookActivatedAt, alerts: alerts.map(({ message }) => message) };
}

const WRONG = '+5511911111111';
test.each<[string, string[], number]>([
  ['a dry run', ['--dry-run'], 0],
  ['a wrong number', ['--confirm', WRONG], 2],
  ['no number', ['--yes'], 2],
])('G3: %s keeps no time of the onboarding, and silences no disconnection', async (_what, args, code) => {
  const world = await prepare(null);
  await receiveEvent(world.run, 'PARTNER_ADDED', 5);
  await receiveEvent(world.run, 'PARTNER_REMOVED', 2);
  const before = await recorded(world);
  expect(before.alerts.join()).toContain('PARTNER_REMOVED');
  const seen = await world.request(['--onboarded', '1h', ...args]);
  expect(seen.code).toBe(code);
  const { at, alerts } = await recorded(world);
  expect(alerts).toEqual(before.alerts);
  expect(at).not.toBe('2026-11-29T02:00:00.000Z');
  expect(world.sent()).toEqual([]);

  const confirmed = await world.request(['--onboarded', '1h', '--confirm', PHONE]);
  expect(confirmed.code).toBe(0);
  const after = await recorded(world);
  expect(after.at).toBe('2026-11-29T02:00:00.000Z');
  expect(after.alerts.join()).not.toContain('PARTNER_REMOVED');
});

test.each<[string, string[], number]>([
  ['a dry run', ['--dry-run'], 0],
  ['a request that is not confirmed', ['--confirm', WRONG], 2],
])('%s stores neither the time that the raw log says nor what the check found', async (_what, args, code) => {
  const world = await prepare(null);
  const stored = async () => {
    const shown = await world.run(['connection', 'show', 'main', '--json']);
    return (JSON.parse(shown.stdout) as { connection: object }).connection;
  };
  await receiveEvent(world.run, 'PARTNER_ADDED', 5);
  const before = await stored();
  expect(before).toMatchObject({ webhookActivatedAt: null });
  expect((await world.request(args)).code).toBe(code);
  expect(await stored()).toEqual(before);
  expect((await world.request(['--confirm', PHONE])).code).toBe(0);
  expect(await stored()).toMatchObject({ webhookActivatedAt: '2026-11-28T22:00:00.000Z' });
});

test('G3: nor does a request that is refused, which still judges by it', async () => {
  const world = await prepare(null, { waba: { ...healthyAccount().waba, subscribedApps: [] } });
  const seen = await world.request(['--onboarded', '3h', '--confirm', PHONE, '--json']);
  expect(seen.code).toBe(3);
  const { onboardedAt, obstacles } = JSON.parse(seen.stdout) as HistoryRequestResult;
  expect(onboardedAt).toBe('2026-11-29T00:00:00.000Z');
  expect(obstacles.map(({ code }) => code)).toEqual(['check_subscription']);
  expect((await recorded(world)).at).toBeNull();
});

async function receiveChunk(
  run: World['run'],
  order: number,
  progress: number,
  isReplayed: boolean,
): Promise<void> {
  const metadata = { phase: 0, chunk_order: order, progress };
  const value = {
    messaging_product: 'whatsapp',
    metadata: { display_phone_number: PHONE, phone_number_id: NUMBER },
    history: [{ metadata, threads: [] }],
  };
  const text = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [{ id: '102290129340398', changes: [{ field: 'history', value }] }],
  });
  if (isReplayed) {
    expect((await run(['replay', '-'], { stdin: text, now: NOW + 1000 })).code).toBeLessThan(4);
    return;
  }
  const body = Buffer.from(text).toString('hex');
  await server.change(
    run,
    `insert into webhook_log (id, sha256, provider, raw_body, fields, phone_number_ids, status, received_at)
     values (gen_random_uuid(), sha256('\\x${body}'), 'meta', '\\x${body}', '{history}', '{${NUMBER}}', 'pending',
       '${new Date(NOW + 1000).toISOString()}')`,
  );
}

test.each([
  ['replayed', true],
  ['not replayed', false],
])('--wait and the check name the chunks that a history lacks, %s', async (_what, isReplayed) => {
  const { request, run, env } = await prepare();
  expect((await request()).code).toBe(0);
  await receiveChunk(run, 1, 20, isReplayed);
  await receiveChunk(run, 3, 100, isReplayed);
  const words = '1 chunk of history missing (phase/chunk): 0/2.';
  const seen = await request(['--wait']);
  expect(seen.code).toBe(3);
  expect(seen.stdout).toContain('The history of main has ended with gaps');
  expect(seen.stdout).toContain(words);
  const checked = await run(['connection', 'check', 'main'], { env, now: NOW });
  expect(checked.stdout.includes(words)).toBe(isReplayed);

  await receiveChunk(run, 2, 60, isReplayed);
  const whole = await request(['--wait', '--json']);
  expect(whole.code).toBe(0);
  expect(JSON.parse(whole.stdout)).toMatchObject({
    status: 'requested',
    obstacles: [],
    arrival: { status: 'completed', missingChunks: [] },
  });
});
