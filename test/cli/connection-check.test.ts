import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { CheckResult } from '../../src/commands/graph/types.js';
import { APP_SECRET, healthyAccount, TOKEN, type FakeAccount } from '../support/fake-graph/account.js';
import { refusal, startFakeGraph, type FakeGraph } from '../support/fake-graph/server.js';
import { useServer, type Run } from './database-home.js';

const server = useServer();
const KEY = randomBytes(32).toString('base64');
const NUMBER = '106540352242922';
const NOW = Date.UTC(2026, 10, 29, 3, 0);

interface World {
  run: Run & { url: string };
  fake: FakeGraph;
  env: Record<string, string>;
  /** Runs the check, and gives its JSON. */
  check: (...args: string[]) => Promise<{ code: number; result: CheckResult; of: (name: string) => unknown }>;
}

async function prepare(account: Partial<FakeAccount> = {}, { waba = true } = {}): Promise<World> {
  const run = await server.prepare();
  const fake = await startFakeGraph(healthyAccount(account));
  await run([
    ...['connection', 'add', '--name', 'main', '--kind', 'coexistence', '--phone', '+5511900000000'],
    ...['--phone-number-id', NUMBER, ...(waba ? ['--waba-id', '102290129340398'] : [])],
  ]);
  const env = {
    WA_RECONCILE_GRAPH_URL: fake.url,
    WA_RECONCILE_SECRET_KEY: KEY,
    WA_RECONCILE_APP_SECRET: APP_SECRET,
  };
  await run(['connection', 'token', 'main', '--file', '-'], { env, stdin: TOKEN });
  return {
    run,
    fake,
    env,
    check: async (...args) => {
      const seen = await run(['connection', 'check', ...args, '--json'], { env, now: NOW });
      expect(seen.stdout + seen.stderr).not.toContain(TOKEN.slice(4));
      const result = JSON.parse(seen.stdout) as CheckResult;
      const checks = result.connections[0]?.checks ?? [];
      return { code: seen.code, result, of: (name) => checks.find(({ check }) => check === name) };
    },
  };
}

async function onboard(run: Run, at: number): Promise<void> {
  const event = {
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '102290129340398',
        time: Math.floor(at / 1000),
        changes: [
          {
            field: 'account_update',
            value: { event: 'PARTNER_ADDED', waba_info: { waba_id: '102290129340398' } },
          },
        ],
      },
    ],
  };
  expect((await run(['replay', '-'], { stdin: JSON.stringify(event) })).code).toBe(0);
}

test('a healthy number has no findings, and each question is asked once', async () => {
  const { run, fake, env, check } = await prepare();
  await onboard(run, NOW - 30 * 3_600_000);
  const { code, result } = await check('main');
  expect(result.connections[0]?.checks.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(code).toBe(0);
  expect(result).toMatchObject({
    schemaVersion: 1,
    command: 'connection check',
    status: 'ok',
    connections: [
      {
        token: 'stored',
        history: { onboardedAt: '2026-11-27T21:00:00.000Z', until: '2026-11-28T21:00:00.000Z', hoursLeft: 0 },
      },
    ],
  });
  expect(fake.asked()).toEqual([
    'POST debug_token',
    `GET ${NUMBER}`,
    'GET 102290129340398/subscribed_apps',
    'GET 634974688087057/subscriptions',
  ]);
  for (const { url } of fake.requests) expect(url).not.toMatch(/EAAG|0123456789abcdef/);
  const text = await run(['connection', 'check', 'main'], { env, now: NOW });
  expect(text.stdout).toContain('No findings of 1 connection');
  expect(text.stdout).toContain('history, smb_app_state_sync, smb_message_echoes, messages');
  expect(text.stdout).toContain('no past messages');
  const shown = await run(['connection', 'show', 'main', '--json']);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    connection: { webhookActivatedAt: '2026-11-27T21:00:00.000Z' },
  });
});

const SECOND = 1000;
test.each<[string, Partial<FakeAccount>, string, string]>([
  ['an invalid token', { tokenIsValid: false }, 'token', 'session has been invalidated'],
  ['a token that ends', { expiresAt: NOW / SECOND + 86_400 }, 'expiry', 'expires on 2026-11-30 03:00 UTC'],
  ['a token that ended', { expiresAt: NOW / SECOND - 60 }, 'expiry', 'expired on'],
  [
    'too few rights',
    { scopes: ['whatsapp_business_messaging'] },
    'scopes',
    'lacks whatsapp_business_management',
  ],
  ['another account', { targets: ['555'] }, 'targets', 'is not for the account 102290129340398'],
  [
    'no app',
    { waba: { id: '102290129340398', subscribedApps: [] } },
    'subscription',
    'history would be lost',
  ],
  [
    'a field too few',
    { app: { ...healthyAccount().app, fields: ['messages', 'smb_message_echoes'] } },
    'fields',
    'has not subscribed history, smb_app_state_sync',
  ],
])('finds %s', async (_what, account, name, words) => {
  const { check } = await prepare(account);
  const { code, of } = await check('main');
  expect(of(name)).toMatchObject({ status: 'finding', message: expect.stringContaining(words) as string });
  expect(code).toBe(3);
});

test.each<[string, Partial<FakeAccount['number']>, string, string]>([
  [
    'another number',
    { display: '+55 11 91111-1111' },
    'phone',
    '+55 11 91111-1111, the connection +5511900000000',
  ],
  ['a number that left the app', { isOnBizApp: false }, 'coexistence', 'is not in the WhatsApp Business app'],
  ['another platform', { platformType: 'ON_PREMISE' }, 'coexistence', 'its platform is ON_PREMISE'],
  ['bad quality', { quality: 'RED' }, 'quality', 'red'],
  ['a banned number', { status: 'BANNED' }, 'status', 'banned'],
  ['a declined name', { nameStatus: 'DECLINED' }, 'name', 'declined'],
])('finds %s', async (_what, number, name, words) => {
  const { check } = await prepare({ number: { ...healthyAccount().number, ...number } });
  const { code, of } = await check('main');
  expect(of(name)).toMatchObject({ status: 'finding', message: expect.stringContaining(words) as string });
  expect(code).toBe(3);
});

test('finds a number that the token does not see', async () => {
  const { run, check } = await prepare();
  await run(['connection', 'edit', 'main', '--phone-number-id', '999999999']);
  const { code, of } = await check('main');
  expect(of('number')).toMatchObject({
    status: 'finding',
    remedy: expect.stringContaining('wa-reconcile connection edit main --phone-number-id ID') as string,
  });
  expect(of('quality')).toMatchObject({ status: 'unknown' });
  expect(code).toBe(3);
});

test('says how long history can still be requested', async () => {
  const { run, check } = await prepare();
  await onboard(run, NOW - 19 * 3_600_000);
  const { code, result, of } = await check('main');
  expect(of('history')).toMatchObject({
    status: 'finding',
    message: 'history can be requested until 2026-11-29 08:00 UTC, 5 hours from now, once',
    remedy: 'wa-reconcile history request main',
  });
  expect(result.connections[0]?.history.hoursLeft).toBe(5);
  expect(code).toBe(3);
});

test('advises what history needs first, where its request would be refused', async () => {
  const { run, check, fake } = await prepare({ waba: { id: '102290129340398', subscribedApps: [] } });
  await onboard(run, NOW - 19 * 3_600_000);
  fake.account.app.fields = ['messages'];
  expect((await check('main')).of('history')).toMatchObject({
    status: 'finding',
    remedy: expect.stringContaining('First fix the problems above: subscription, fields. Then:') as string,
  });
});

/** Every field of a coexistence number comes, in one entry. */
async function receiveFields(run: Run & { url: string }, at: number): Promise<void> {
  await server.change(
    run,
    `insert into webhook_log (id, sha256, provider, raw_body, fields, phone_number_ids, status, received_at)
     values (gen_random_uuid(), '\\x00', 'meta', '{}',
       '{history,smb_app_state_sync,smb_message_echoes,messages}', '{${NUMBER}}', 'processed',
       '${new Date(at).toISOString()}')`,
  );
}

test('cannot tell the fields without the app secret, until they have come', async () => {
  const { run, check, env } = await prepare();
  delete env.WA_RECONCILE_APP_SECRET;
  const before = await check('main');
  expect(before.of('fields')).toMatchObject({ status: 'unknown' });
  await receiveFields(run, NOW - 30 * 24 * 3_600_000);
  expect((await check('main')).of('fields')).toMatchObject({
    status: 'ok',
    message: expect.stringMatching(/^received last: history 30 days ago, .*messages 30 days ago$/) as string,
  });
});

test.each<[string, readonly string[], string]>([
  ['none', [], 'the app has not subscribed history, smb_app_state_sync, smb_message_echoes, messages'],
  [
    'but the history',
    ['smb_app_state_sync', 'smb_message_echoes', 'messages'],
    'has not subscribed history:',
  ],
])('believes Meta that the app gets %s, whatever came before', async (_what, fields, words) => {
  const { run, check, fake } = await prepare();
  fake.account.app.fields = [...fields];
  await receiveFields(run, NOW - 3 * 3_600_000);
  const { code, of } = await check('main');
  expect(code).toBe(3);
  expect(of('fields')).toMatchObject({
    status: 'finding',
    message: expect.stringContaining(words) as string,
  });
  expect(of('fields')).toMatchObject({
    message: expect.stringContaining('(last received: history 3 hours ago') as string,
  });
});

test('believes Meta of the one app that gets the webhooks, whatever came through another', async () => {
  const waba = {
    id: '102290129340398',
    subscribedApps: [
      { id: '634974688087057', name: 'Ours' },
      { id: '999', name: 'Other' },
    ],
  };
  const { run, check, fake } = await prepare({ waba });
  fake.account.app.fields = ['messages'];
  await receiveFields(run, NOW - 3_600_000);
  expect((await check('main')).of('fields')).toMatchObject({ status: 'finding' });
});

test('holds the fields of an app that gets no webhooks for nothing', async () => {
  const waba = { id: '102290129340398', subscribedApps: [{ id: '999', name: 'Other' }] };
  const { check, fake } = await prepare({ waba });
  const blind = await check('main');
  expect(blind.of('subscription')).toMatchObject({
    message: 'webhooks go to Other, and not to the app of the token (634974688087057)',
  });
  expect(blind.of('fields')).toMatchObject({
    status: 'unknown',
    message: expect.stringContaining('webhooks go to Other (999), to which alone Meta') as string,
    remedy: expect.stringContaining('Give the app secret of Other (999)') as string,
  });
  expect(fake.asked()).not.toContain('GET 634974688087057/subscriptions');
  const told = (...fields: string[]) =>
    ({
      kind: 'answer',
      status: 200,
      body: { data: [{ object: 'whatsapp_business_account', fields }] },
    }) as const;
  fake.fail('999/subscriptions', told('messages', 'history'));
  expect((await check('main')).of('fields')).toMatchObject({
    status: 'finding',
    message: expect.stringContaining(
      'Other (999) has not subscribed smb_app_state_sync, smb_message',
    ) as string,
  });
  fake.fail('999/subscriptions', told('messages', 'history', 'smb_app_state_sync', 'smb_message_echoes'));
  expect((await check('main')).of('fields')).toMatchObject({ status: 'ok' });
});

test('a token in the environment goes before the stored one, and is not recorded', async () => {
  const { check, env, fake } = await prepare();
  fake.account.token = `EAAG${'n'.repeat(50)}`;
  env.WA_RECONCILE_GRAPH_TOKEN = fake.account.token;
  const { result } = await check('main');
  expect(result.connections[0]?.token).toBe('WA_RECONCILE_GRAPH_TOKEN');
  delete env.WA_RECONCILE_GRAPH_TOKEN;
  const stored = await check('main');
  expect(stored.of('token')).toMatchObject({ status: 'finding' });
});

test('Meta that cannot be asked is a failure, not a clean bill', async () => {
  const { check, fake } = await prepare();
  const down = Array.from({ length: 40 }, () =>
    refusal(400, 4, 'limit', { 'x-app-usage': '{"call_count":100}' }),
  );
  fake.fail('debug_token', ...down);
  const { code, result, of } = await check('main');
  expect(code).toBe(1);
  expect(result.status).toBe('failed');
  expect(of('quality')).toMatchObject({ status: 'unknown', message: 'not asked: see above' });
  expect(fake.requests).toHaveLength(1);
});

test('says why the fields cannot be told: the token, the network or the secret', async () => {
  const { run, check, fake, env } = await prepare({ tokenIsValid: false });
  const refused = await check('main');
  expect(refused.of('fields')).toMatchObject({
    message: expect.stringContaining('it needs a token that Meta accepts') as string,
  });
  expect(refused.of('fields')).not.toHaveProperty('remedy');
  // One line for all that nobody can answer for the same reason.
  const { stdout } = await run(['connection', 'check', 'main'], { env, now: NOW });
  expect(stdout).toMatch(/8 checks +unknown: it needs a token that Meta accepts\n +number, phone, /);
  fake.account.tokenIsValid = true;
  fake.fail('634974688087057/subscriptions', refusal(400, 4, 'limit', { 'retry-after': '900' }));
  const limited = await check('main');
  expect(limited.code).toBe(1);
  expect(limited.of('fields')).toMatchObject({
    message: expect.stringContaining('could not be asked for: Meta’s limit of requests') as string,
    remedy: 'Run the command again later.',
  });
  env.WA_RECONCILE_APP_SECRET = 'f'.repeat(32);
  expect((await check('main')).of('fields')).toMatchObject({
    message: expect.stringContaining('no app secret that was given is that of the app 6349') as string,
  });
  env.WA_RECONCILE_GRAPH_URL = 'http://127.0.0.1:9';
  const down = await check('main');
  expect(down.of('fields')).toMatchObject({
    message: expect.stringContaining('not asked: see above') as string,
  });
  expect(down.of('fields')).not.toHaveProperty('remedy');
});

test('all connections are listed with what Meta says, and doctor remembers it', async () => {
  const { run, env } = await prepare({ number: { ...healthyAccount().number, quality: 'RED' } });
  await run(['connection', 'add', '--name', 'web', '--kind', 'baileys', '--phone', '+5511912345678']);
  await run(['connection', 'add', '--name', 'other', '--kind', 'cloud_api', '--phone', '+15550783881']);
  const listed = await run(['connection', 'list', '--check'], { env, now: NOW });
  expect(listed.code).toBe(3);
  expect(listed.stdout).toContain('at Meta');
  expect(listed.stdout).toMatch(/^main .*1 finding$/m);
  expect(listed.stdout).toMatch(/^other .*1 finding$/m);
  expect(listed.stdout).toMatch(/^web .*–$/m);
  const json = await run(['connection', 'list', '--check', '--json'], { env, now: NOW });
  expect(JSON.parse(json.stdout)).toMatchObject({
    command: 'connection list',
    connections: [
      { name: 'main', check: { status: 'findings' } },
      { name: 'other', check: { token: null } },
      { name: 'web', check: null },
    ],
  });
  const doctor = await run(['doctor', '--json'], { env, now: NOW });
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
  expect(checks.find(({ name }) => name === 'graph')).toMatchObject({
    status: 'warn',
    message: 'the last check found: main (quality)',
  });
});

test('a stored token needs the key that sealed it', async () => {
  const { run, env } = await prepare();
  const other = { ...env, WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64') };
  expect((await run(['connection', 'check', 'main'], { env: other })).stderr).toContain(
    "The access token of 'main' cannot be decrypted",
  );
  const without = { ...env, WA_RECONCILE_SECRET_KEY: '' };
  const keyless = await run(['connection', 'check', 'main'], { env: without });
  expect(keyless.code).toBe(2);
  expect(keyless.stderr).toContain('A secret key is required');
});

test('a sealed token does not pass for another connection’s', async () => {
  const { run, env } = await prepare();
  await run(['connection', 'add', '--name', 'other', '--kind', 'cloud_api', '--phone', '+15550783881']);
  await server.change(
    run,
    `insert into graph_credentials (connection_id, token, saved_at)
     select o.id, g.token, now() from connections o, graph_credentials g where o.name = 'other'`,
  );
  const seen = await run(['connection', 'check', 'other'], { env });
  expect(seen.code).toBe(2);
  expect(seen.stderr).toContain('the stored data is damaged');
});

test('a token that the key does not open is a finding of its connection, and stops no other', async () => {
  const { run, env, fake } = await prepare();
  await run(['connection', 'add', '--name', 'Loja 2', '--kind', 'cloud_api', '--phone', '+15550783881']);
  await server.change(
    run,
    `insert into graph_credentials (connection_id, token, saved_at)
     select o.id, decode(repeat('07', 60), 'hex'), now() from connections o where o.name = 'Loja 2'`,
  );
  const checked = await run(['connection', 'check', '--json'], { env, now: NOW });
  expect(checked.code).toBe(3);
  const { connections } = JSON.parse(checked.stdout) as CheckResult;
  const tokenOf = (name: string) =>
    connections
      .find(({ connection }) => connection.name === name)
      ?.checks.find(({ check }) => check === 'token');
  expect(tokenOf('main')).toMatchObject({ status: 'ok' });
  expect(tokenOf('Loja 2')).toMatchObject({
    status: 'finding',
    message: expect.stringContaining("The access token of 'Loja 2' cannot be decrypted") as string,
    remedy: expect.stringContaining("wa-reconcile connection token 'Loja 2' --remove") as string,
  });
  expect(fake.requests.length).toBeGreaterThan(3);
  const listed = await run(['connection', 'list', '--check'], { env, now: NOW });
  expect(listed.code).toBe(3);
  expect(listed.stdout).toMatch(/Loja 2.*1 finding/);
  const alone = await run(['connection', 'check', 'Loja 2'], { env, now: NOW });
  expect(alone.code).toBe(2);
  expect(alone.stderr).toContain("The access token of 'Loja 2' cannot be decrypted");
  const rekeyed = await run(['connection', 'token', '--rekey', '-'], {
    env,
    stdin: randomBytes(32).toString('base64'),
  });
  expect(rekeyed.code).toBe(2);
  expect(rekeyed.stderr).toContain("The access token of 'Loja 2' cannot be decrypted");
  const doctor = await run(['doctor', '--json'], { env, now: NOW });
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
  expect(checks.find(({ name }) => name === 'secrets')).toMatchObject({
    status: 'warn',
    message: "the secret key is not the one of everything: the access token of 'Loja 2'",
  });
});

test('the doctor tells of a secret key that opens nothing', async () => {
  const { run, env } = await prepare();
  const secretsUnder = async (key: string) => {
    const doctor = await run(['doctor', '--json'], {
      env: { ...env, WA_RECONCILE_SECRET_KEY: key },
      now: NOW,
    });
    const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
    return checks.find(({ name }) => name === 'secrets');
  };
  expect(await secretsUnder(KEY)).toMatchObject({ status: 'ok' });
  expect(await secretsUnder(randomBytes(32).toString('base64'))).toMatchObject({
    status: 'warn',
    message: "the secret key opens nothing that is stored: the access token of 'main'",
  });
  expect(await secretsUnder('nonsense')).toMatchObject({ status: 'fail' });
  expect(await secretsUnder('')).toBeUndefined();
});

test.each([
  ['one byte is another', `set_byte(token, 40, get_byte(token, 40) # 1)`],
  [
    'it is another connection’s',
    `(select token from graph_credentials o where o.connection_id <> g.connection_id)`,
  ],
  ['it is cut', 'substring(token from 1 for 20)'],
  ['it is empty', `''`],
])('the doctor opens what is stored, and names what it cannot: %s', async (_what, token) => {
  const { run, env } = await prepare();
  await run(['connection', 'add', '--name', 'other', '--kind', 'cloud_api', '--phone', '+15550783881']);
  await run(['connection', 'token', 'other', '--file', '-'], { env, stdin: TOKEN });
  await server.change(
    run,
    `update graph_credentials g set token = ${token}
     where connection_id = (select id from connections where name = 'other')`,
  );
  const doctor = await run(['doctor', '--json'], { env, now: NOW });
  expect(doctor.code).not.toBe(0);
  const { checks } = JSON.parse(doctor.stdout) as { checks: { name: string }[] };
  expect(checks.find(({ name }) => name === 'secrets')).toMatchObject({
    status: 'fail',
    message:
      "damaged, or copied from another row, so that the secret key does not open it: the access token of 'other'",
    remedy: expect.stringContaining('wa-reconcile connection token other --remove') as string,
  });
  const words =
    "The access token of 'other' cannot be decrypted with WA_RECONCILE_SECRET_KEY: the stored data is damaged";
  for (const command of ['check', 'list']) {
    const seen = await run(['connection', command, ...(command === 'list' ? ['--check'] : [])], {
      env,
      now: NOW,
    });
    expect(seen.code).toBe(3);
    if (command === 'check') expect(seen.stdout).toContain(words);
  }
  const rekeyed = await run(['connection', 'token', '--rekey', '-'], {
    env,
    stdin: randomBytes(32).toString('base64'),
  });
  expect(rekeyed.code).toBe(2);
  expect(rekeyed.stderr).toContain(words);
});

test('plain http is refused off loopback, before anything is opened', async () => {
  const { run, env } = await prepare();
  const seen = await run(['connection', 'check', 'main'], {
    env: { ...env, WA_RECONCILE_GRAPH_URL: 'http://192.0.2.1' },
  });
  expect(seen).toMatchObject({ code: 2, stdout: '' });
  expect(seen.stderr).toContain('WA_RECONCILE_GRAPH_URL: a connection to the Graph API without encryption');
});
