import { randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { APP_SECRET, healthyAccount, TOKEN } from '../support/fake-graph/account.js';
import { dumpOf } from '../support/database-dump.js';
import { refusal, startFakeGraph } from '../support/fake-graph/server.js';
import type { ChildResult } from '../support/child-process.js';
import { useMachines, type CallSurroundings } from './installation.js';

const NUMBER = '106540352242922';
const PHONE = '+5511900000000';

describe.each(['pglite', 'postgresql'] as const)('the Graph API on %s', (backend) => {
  const machines = useMachines(backend);
  const built = new Set<string>();

  async function prepare() {
    const machine = await machines.install();
    const fake = await startFakeGraph(healthyAccount());
    const secret = randomBytes(32).toString('base64');
    const env = {
      WA_RECONCILE_GRAPH_URL: fake.url,
      WA_RECONCILE_SECRET_KEY: secret,
      WA_RECONCILE_APP_SECRET: APP_SECRET,
    };
    const seen: Pick<ChildResult, 'code' | 'stdout' | 'stderr'>[] = [];
    /** The built command, the first time that a command comes to the database of its own; else in this process. */
    const run = async (argv: string[], more: CallSurroundings = {}) => {
      const surroundings = { ...more, env: { ...env, ...more.env } };
      const command = argv.slice(0, 2).join(' ');
      const isFirst = backend === 'pglite' && !built.has(command);
      built.add(command);
      const result = await (isFirst ? machine.run(argv, surroundings) : machine.call(argv, surroundings));
      seen.push(result);
      return result;
    };
    await run([
      ...['connection', 'add', '--name', 'main', '--kind', 'coexistence', '--phone', PHONE],
      ...['--phone-number-id', NUMBER, '--waba-id', '102290129340398'],
    ]);
    return { machine, fake, run, seen, secret };
  }

  test('no token is in any output, in a debug trace, in a URL or in the database', async () => {
    const { machine, fake, run, seen, secret } = await prepare();
    const loud = ['--debug', '-vv'];
    expect((await run(['connection', 'token', 'main', '--file', '-', ...loud], { stdin: TOKEN })).code).toBe(
      0,
    );
    expect((await run(['connection', 'check', 'main', ...loud])).code).toBe(0);
    expect((await run(['connection', 'check', '--json', ...loud])).code).toBe(0);
    expect((await run(['connection', 'list', '--check', '--events', ...loud])).code).toBe(0);
    await run(['history', 'request', 'main', '--onboarded', '1h', '--confirm', PHONE, ...loud]);
    // Errors, too, and a token that is refused and repeated by Meta.
    fake.fail(NUMBER, refusal(401, 190, `Malformed access token ${TOKEN}`));
    expect((await run(['connection', 'check', 'main', ...loud])).code).toBe(3);
    const odd = `odd/token+${randomBytes(12).toString('hex')}`;
    expect(
      (await run(['connection', 'check', 'main', ...loud], { env: { WA_RECONCILE_GRAPH_TOKEN: odd } })).code,
    ).toBe(3);
    fake.fail(`${NUMBER}/smb_app_data`, refusal(400, 100, `bad ${TOKEN}`));
    await run(['doctor', ...loud], { env: { WA_RECONCILE_GRAPH_TOKEN: odd } });
    await run(['connection', 'token', 'main', '--file', '-', ...loud], {
      stdin: `${TOKEN} and more`,
    });
    await run(['connection', 'show', 'main', '--json']);
    await run(['runs', 'list', '--json']);
    await run(['report', '--json', '--no-audit']);

    const said = seen.map(({ stdout, stderr }) => stdout + stderr).join('\n');
    const dump = await machine.look(dumpOf);
    const urls = fake.requests.map(({ url }) => url).join('\n');
    expect(said.length).toBeGreaterThan(2000);
    expect(fake.requests.length).toBeGreaterThan(10);
    for (const hidden of [TOKEN, TOKEN.slice(8), odd, encodeURIComponent(odd), APP_SECRET, secret]) {
      expect(said).not.toContain(hidden);
      expect(dump).not.toContain(hidden);
      expect(urls).not.toContain(hidden);
    }
  });

  test('a request of history that is killed on its way is not sent twice', async () => {
    const { fake, machine, run } = await prepare();
    await run(['connection', 'token', 'main', '--file', '-'], { stdin: TOKEN });
    fake.fail(
      `${NUMBER}/smb_app_data`,
      { kind: 'answer', status: 200, body: { messaging_product: 'whatsapp', request_id: 'r1' } },
      { kind: 'late', ms: 60_000 },
    );
    const line = ['history', 'request', 'main', '--onboarded', '1h', '--confirm', PHONE];
    const child = await machine.start(line, {
      env: {
        WA_RECONCILE_GRAPH_URL: fake.url,
        WA_RECONCILE_GRAPH_TOKEN: TOKEN,
        WA_RECONCILE_APP_SECRET: APP_SECRET,
      },
    });
    const sent = () => fake.requests.filter(({ url }) => url.endsWith('smb_app_data'));
    while (sent().length < 2) await new Promise((later) => setTimeout(later, 20));
    child.process.kill('SIGKILL');
    await child.ended;
    const again = await run(['history', 'request', 'main', '--confirm', PHONE, '--json']);
    expect(again.code).toBe(3);
    expect(JSON.parse(again.stdout)).toMatchObject({
      status: 'refused',
      obstacles: [{ code: 'outcome_unknown' }],
      steps: [{ state: 'accepted', requestId: 'r1' }, { state: 'sent' }],
    });
    expect(sent()).toHaveLength(2);
  });

  test('contacts whose request was killed on its way are not asked for twice', async () => {
    const { fake, machine, run } = await prepare();
    fake.fail(`${NUMBER}/smb_app_data`, { kind: 'late', ms: 60_000 });
    const child = await machine.start(
      ['history', 'request', 'main', '--onboarded', '1h', '--confirm', PHONE],
      {
        env: {
          WA_RECONCILE_GRAPH_URL: fake.url,
          WA_RECONCILE_GRAPH_TOKEN: TOKEN,
          WA_RECONCILE_APP_SECRET: APP_SECRET,
        },
      },
    );
    const sent = () => fake.requests.filter(({ url }) => url.endsWith('smb_app_data'));
    while (sent().length === 0) await new Promise((later) => setTimeout(later, 20));
    child.process.kill('SIGKILL');
    await child.ended;
    const env = { WA_RECONCILE_GRAPH_TOKEN: TOKEN };
    for (const args of [['--dry-run'], ['--confirm', PHONE]]) {
      const seen = await run(['history', 'request', 'main', ...args, '--json'], { env });
      expect(seen.code).toBe(3);
      expect(JSON.parse(seen.stdout)).toMatchObject({ obstacles: [{ code: 'outcome_unknown' }] });
    }
    expect(sent()).toHaveLength(1);
    const again = await run(['history', 'request', 'main', '--again', '--confirm', PHONE], { env });
    expect(again.code).toBe(0);
    expect(sent()).toHaveLength(3);
  });
});

describe('the Graph API', () => {
  const machines = useMachines('postgresql');

  test('a certificate that nobody vouches for is refused, before the token is sent', async () => {
    const machine = await machines.install();
    const key = join(machine.directory, 'key.pem');
    const certificate = join(machine.directory, 'certificate.pem');
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'],
        ...['-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    );
    let requests = 0;
    const impostor = createServer(
      { key: readFileSync(key), cert: readFileSync(certificate) },
      (_request, response) => {
        requests += 1;
        response.end('{}');
      },
    );
    await new Promise<void>((listening) => impostor.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void impostor.close());
    const { port } = impostor.address() as AddressInfo;
    await machine.call(['connection', 'add', '--name', 'main', '--kind', 'cloud_api', '--phone', PHONE]);
    const seen = await machine.run(['connection', 'check', 'main'], {
      env: { WA_RECONCILE_GRAPH_URL: `https://localhost:${port}`, WA_RECONCILE_GRAPH_TOKEN: TOKEN },
    });
    expect(seen.code).toBe(1);
    expect(seen.stdout).toContain('its certificate is not trusted');
    expect(requests).toBe(0);
  });

  test('Ctrl-C ends a check at once', async () => {
    const machine = await machines.install();
    const fake = await startFakeGraph(healthyAccount());
    fake.fail('debug_token', { kind: 'late', ms: 60_000 });
    await machine.call([
      ...['connection', 'add', '--name', 'main', '--kind', 'cloud_api', '--phone', PHONE],
      ...['--phone-number-id', NUMBER],
    ]);
    const child = await machine.start(['connection', 'check', 'main'], {
      env: { WA_RECONCILE_GRAPH_URL: fake.url, WA_RECONCILE_GRAPH_TOKEN: TOKEN },
    });
    while (fake.requests.length === 0) await new Promise((later) => setTimeout(later, 20));
    child.process.kill('SIGINT');
    expect((await child.ended).code).toBe(130);
  });
});
