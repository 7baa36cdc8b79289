import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import { APP_SECRET, healthyAccount, TOKEN, type FakeAccount } from '../support/fake-graph/account.js';
import { startFakeGraph, type FakeGraph } from '../support/fake-graph/server.js';
import { useServer, type Run } from './database-home.js';
import type { Seen, Surroundings } from './run-cli.js';

export const server = useServer();
export const NUMBER = '106540352242922';
export const PATH = `${NUMBER}/smb_app_data`;
export const PHONE = '+5511900000000';
export const HOUR = 3_600_000;
export const NOW = Date.UTC(2026, 10, 29, 3, 0);

export interface World {
  run: Run & { url: string };
  fake: FakeGraph;
  env: Record<string, string>;
  request: (args?: readonly string[], surroundings?: Surroundings) => Promise<Seen>;
  /** The requests of history that reached Meta. */
  sent: () => string[];
}

/** A coexistence number that was connected so many hours ago. */
export async function prepare(
  hoursAgo: number | null = 5,
  account: Partial<FakeAccount> = {},
): Promise<World> {
  const run = await server.prepare();
  const fake = await startFakeGraph(healthyAccount(account));
  await run([
    ...['connection', 'add', '--name', 'main', '--kind', 'coexistence', '--phone', PHONE],
    ...['--phone-number-id', NUMBER, '--waba-id', '102290129340398'],
  ]);
  if (hoursAgo !== null) {
    await server.change(
      run,
      `update connections set webhook_activated_at = '${new Date(NOW - hoursAgo * HOUR).toISOString()}'`,
    );
  }
  const env = {
    WA_RECONCILE_GRAPH_URL: fake.url,
    WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64'),
    WA_RECONCILE_APP_SECRET: APP_SECRET,
  };
  await run(['connection', 'token', 'main', '--file', '-'], { env, stdin: TOKEN });
  return {
    run,
    fake,
    env,
    request: (args = ['--confirm', PHONE], surroundings = {}) =>
      run(['history', 'request', 'main', ...args], { env, now: NOW, ...surroundings }),
    sent: () =>
      fake.requests
        .filter(({ url }) => url.includes('smb_app_data'))
        .map(({ body }) => (JSON.parse(body) as { sync_type: string }).sync_type),
  };
}

/** What Meta says of the number, so many hours before now. */
export async function receiveEvent(run: Run, event: string, hoursAgo: number): Promise<void> {
  const time = Math.floor((NOW - hoursAgo * HOUR) / 1000);
  const value = { event, waba_info: { waba_id: '102290129340398' } };
  const body = {
    object: 'whatsapp_business_account',
    entry: [{ id: '9', time, changes: [{ field: 'account_update', value }] }],
  };
  expect((await run(['replay', '-'], { stdin: JSON.stringify(body) })).code).toBe(0);
}
