import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkGraphUrl } from '../../src/commands/graph/place.js';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { StoredDevice } from '../../src/commands/devices/stored-device.js';
import { openStore } from '../../src/store/open-store.js';
import { TEST_OPTIONS } from '../support/databases.js';
import { TOKEN } from '../support/fake-graph/account.js';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const server = useServer();
const KEY = randomBytes(32).toString('base64');
const OTHER_KEY = randomBytes(32).toString('base64');
const OTHER_TOKEN = `EAAG${'z'.repeat(60)}`;

async function prepare() {
  const run = await server.prepare();
  await run([
    ...['connection', 'add', '--name', 'main', '--kind', 'coexistence'],
    ...['--phone', '+5511900000000', '--phone-number-id', '106540352242922'],
  ]);
  const file = join(await temporaryDirectory(), 'token.txt');
  await writeFile(file, `${TOKEN}\n`);
  return { run, file };
}

test('a token is stored from a file or a pipe, replaced and removed, and never shown', async () => {
  const { run, file } = await prepare();
  const env = { WA_RECONCILE_SECRET_KEY: KEY };
  const seen = [
    await run(['connection', 'token', 'main', '--file', file, '--debug', '-vv'], { env }),
    await run(['connection', 'token', 'main', '--file', '-', '--json'], { env, stdin: OTHER_TOKEN }),
    await run(['connection', 'token', 'main', '--remove']),
    await run(['connection', 'token', 'main', '--remove', '--json']),
  ];
  expect(seen.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
  expect(seen[0]?.stdout).toContain('Access token stored, encrypted: main.');
  expect(seen[0]?.stdout).toContain('wa-reconcile connection check main');
  expect(JSON.parse(seen[1]?.stdout ?? '')).toMatchObject({
    command: 'connection token',
    action: 'replaced',
  });
  expect(seen[2]?.stdout).toContain('Access token removed: main.');
  expect(JSON.parse(seen[3]?.stdout ?? '')).toMatchObject({ action: 'unchanged' });
  const said = seen.map(({ stdout, stderr }) => stdout + stderr).join('');
  expect(said).not.toContain(TOKEN.slice(4));
  expect(said).not.toContain(OTHER_TOKEN.slice(4));
});

test('another secret key replaces nothing, and says what to do', async () => {
  const { run, file } = await prepare();
  await run(['connection', 'token', 'main', '--file', file], { env: { WA_RECONCILE_SECRET_KEY: KEY } });
  const wrong = await run(['connection', 'token', 'main', '--file', '-'], {
    env: { WA_RECONCILE_SECRET_KEY: OTHER_KEY },
    stdin: OTHER_TOKEN,
  });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain(
    "The access token of 'main' cannot be decrypted with WA_RECONCILE_SECRET_KEY: it was encrypted with another key.",
  );
  expect(wrong.stderr).toContain('wa-reconcile connection token main --remove');
  const again = await run(['connection', 'token', 'main', '--file', file, '--json'], {
    env: { WA_RECONCILE_SECRET_KEY: KEY },
  });
  expect(JSON.parse(again.stdout)).toMatchObject({ action: 'replaced' });
});

test('a second secret key stores no token beside what the first one sealed', async () => {
  const { run, file } = await prepare();
  await run(['connection', 'add', '--name', 'two', '--kind', 'cloud_api', '--phone', '+15550783881']);
  const store = async (name: string, key: string) =>
    run(['connection', 'token', name, '--file', file], { env: { WA_RECONCILE_SECRET_KEY: key } });
  expect((await store('main', KEY)).code).toBe(0);
  const refused = await store('two', OTHER_KEY);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain(
    "The access token of 'main' cannot be decrypted with WA_RECONCILE_SECRET_KEY",
  );
  expect(refused.stderr).toContain('wa-reconcile connection token main --remove');
  expect((await run(['connection', 'token', 'two', '--remove', '--json'])).stdout).toContain('unchanged');
  expect((await store('two', KEY)).code).toBe(0);
});

test('nor beside a linked device of the first one', async () => {
  const { run, file } = await prepare();
  const store = await openStore({ kind: 'postgresql', url: run.url }, TEST_OPTIONS);
  onTestFinished(() => store.close());
  const [row] = await store.sql.query(`select id from connections`);
  const device = new StoredDevice(
    { store, clock: Date.now },
    { id: String(row?.['id']), name: 'main' },
    SecretKey.parse(KEY, 'KEY'),
  );
  await device.saveCredentials('{"a":1}', '5511900000000:3@s.whatsapp.net');
  const refused = await run(['connection', 'token', 'main', '--file', file], {
    env: { WA_RECONCILE_SECRET_KEY: OTHER_KEY },
  });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("The linked device of 'main' cannot be decrypted");
  expect(refused.stderr).toContain('wa-reconcile unlink --connection main --forget');
});

test.each([
  [['--file', '-'], { stdin: 'two words' }, 'What standard input holds is no access token.'],
  ...[`"${TOKEN}"`, `'${TOKEN}'`, `access_token=${TOKEN}`, `{"access_token":"${TOKEN}"}`].map(
    (stdin): [string[], { stdin: string }, string] => [
      ['--file', '-'],
      { stdin },
      'What standard input holds is no access token.',
    ],
  ),
  [['--file', '-'], { stdin: '\n' }, 'standard input holds no access token.'],
  [['--file', '/nowhere/token'], {}, '--file: /nowhere/token cannot be read (ENOENT).'],
  [[], {}, 'Where the token is was not given.'],
  [['--file', '-', '--remove'], { stdin: TOKEN }, '--file and --remove contradict each other.'],
])('wrong usage %j: %j', async (flags, surroundings, words) => {
  const { run } = await prepare();
  const seen = await run(['connection', 'token', 'main', ...flags], {
    env: { WA_RECONCILE_SECRET_KEY: KEY },
    ...surroundings,
  });
  expect(seen).toMatchObject({ code: 2, stdout: '' });
  expect(seen.stderr).toContain(words);
});

test('needs a secret key, and a connection of Meta', async () => {
  const { run, file } = await prepare();
  const keyless = await run(['connection', 'token', 'main', '--file', file]);
  expect(keyless.code).toBe(2);
  expect(keyless.stderr).toContain('A secret key is required: the access token is stored encrypted');
  await run(['connection', 'add', '--name', 'web', '--kind', 'baileys', '--phone', '+5511912345678']);
  const web = await run(['connection', 'token', 'web', '--file', file], {
    env: { WA_RECONCILE_SECRET_KEY: KEY },
  });
  expect(web.code).toBe(2);
  expect(web.stderr).toContain('is a WhatsApp Web session');
});

test.each([
  'https://graph.facebook.com',
  'https://gateway.example.com/meta',
  'http://127.0.0.1:8',
  'http://[::1]:8',
])('the Graph API may be at %s', (url) => {
  expect(checkGraphUrl(url, 'URL')).toBe(url);
});

test.each([
  'http://graph.facebook.com',
  'http://127.0.0.1.example.com',
  'http://10.0.0.1',
  'https://user:password@graph.facebook.com',
  'https://graph.facebook.com?access_token=x',
  'ftp://graph.facebook.com',
  'nonsense',
])('the Graph API is never at %s', (url) => {
  expect(() => checkGraphUrl(url, 'URL')).toThrow(/^URL/);
});

test('--rekey takes tokens and devices over to a new secret key, or nothing at all', async () => {
  const { run, file } = await prepare();
  const old = { WA_RECONCILE_SECRET_KEY: KEY };
  const fresh = { WA_RECONCILE_SECRET_KEY: OTHER_KEY };
  await run(['connection', 'token', 'main', '--file', file], { env: old });
  const store = await openStore({ kind: 'postgresql', url: run.url }, TEST_OPTIONS);
  onTestFinished(() => store.close());
  const [row] = await store.sql.query(`select id from connections`);
  const id = String(row?.['id']);
  const deviceUnder = (key: string) =>
    new StoredDevice({ store, clock: Date.now }, { id, name: 'main' }, SecretKey.parse(key, 'KEY'));
  await deviceUnder(KEY).saveCredentials('{"a":1}', '5511900000000:3@s.whatsapp.net');
  await deviceUnder(KEY).writeKeys([{ type: 'session', id: 'x.0', value: '"1"' }]);

  const rekey = (env: Record<string, string>, stdin: string) =>
    run(['connection', 'token', '--rekey', '-', '--json'], { env, stdin });
  // A key that sealed nothing of it changes nothing.
  const third = { WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64') };
  const wrong = await rekey(third, OTHER_KEY);
  expect(wrong.code).toBe(2);
  expect(JSON.parse(wrong.stderr)).toMatchObject({ error: { code: 'secret_key_wrong' } });
  expect(wrong.stderr).toContain("The access token of 'main' cannot be decrypted");
  expect(await deviceUnder(KEY).loadCredentials()).toBe('{"a":1}');
  expect((await rekey(old, KEY)).stderr).toContain('The new secret key is the old one.');

  const done = await rekey(old, `${OTHER_KEY}\n`);
  expect(JSON.parse(done.stdout)).toMatchObject({ action: 'rekeyed', tokens: 1, devices: 1 });
  expect(done.stdout + done.stderr).not.toContain(OTHER_KEY);
  // The device goes on under the new key, its keys included, and is closed to the old one.
  const device = deviceUnder(OTHER_KEY);
  expect(await device.readKeys('session', ['x.0'])).toEqual(new Map([['x.0', '"1"']]));
  await device.saveCredentials('{"a":2}', '5511900000000:3@s.whatsapp.net');
  await device.writeKeys([{ type: 'session', id: 'y.0', value: '"2"' }]);
  expect(await deviceUnder(OTHER_KEY).loadCredentials()).toBe('{"a":2}');
  await expect(deviceUnder(KEY).loadCredentials()).rejects.toMatchObject({ code: 'secret_key_wrong' });
  const replaced = await run(['connection', 'token', 'main', '--file', file, '--json'], { env: fresh });
  expect(JSON.parse(replaced.stdout)).toMatchObject({ action: 'replaced' });
  expect((await run(['connection', 'token', 'main', '--file', file], { env: old })).code).toBe(2);

  // And once more: from the second key to a third.
  const again = await rekey(fresh, third.WA_RECONCILE_SECRET_KEY);
  expect(JSON.parse(again.stdout)).toMatchObject({ tokens: 1, devices: 1 });
  expect(await deviceUnder(third.WA_RECONCILE_SECRET_KEY).loadCredentials()).toBe('{"a":2}');
});

test('a token in the place of a file name is repeated nowhere', async () => {
  const run = await server.prepare();
  for (const args of [
    ['main', '--file', TOKEN],
    ['--rekey', TOKEN],
  ]) {
    const seen = await run(['connection', 'token', ...args, '--debug', '-vv']);
    expect(seen.code).toBe(2);
    expect(seen.stderr).toContain('takes the name of a file, and an access token was given');
    expect(seen.stdout + seen.stderr).not.toContain(TOKEN.slice(4));
  }
});

test('a token typed in the wrong place is repeated by no error', async () => {
  const { run, file } = await prepare();
  for (const argv of [
    ['connection', 'token', 'main', `--token=${TOKEN}`],
    ['connection', 'token', TOKEN, '--file', file],
    ['connection', 'check', TOKEN],
    ['connection', TOKEN],
    ['report', '--connection', TOKEN],
    ['media', 'fetch', '--to', file, '--concurrency', TOKEN],
    [TOKEN],
  ]) {
    for (const more of [[], ['--json'], ['--debug', '-vv']]) {
      const { code, stdout, stderr } = await run([...argv, ...more], {
        env: { WA_RECONCILE_SECRET_KEY: KEY },
      });
      expect(code).not.toBe(0);
      expect(stdout + stderr).toContain('***');
      expect(stdout + stderr).not.toContain(TOKEN.slice(4, 14));
      expect(stderr.match(/create the token anew/g)).toHaveLength(1);
    }
  }
});
