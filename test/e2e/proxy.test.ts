import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { APP_SECRET, healthyAccount, TOKEN } from '../support/fake-graph/account.js';
import { startFakeGraph } from '../support/fake-graph/server.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { sealedFile } from '../support/sealed-file.js';
import { live, webLive } from '../support/webhooks.js';
import { useMachines } from './installation.js';

const PHONE = '+5511900000000';
const NUMBER = '106540352242922';
const USER = 'ana:s3cretOfTheProxy';

describe('behind a proxy', () => {
  const machines = useMachines('postgresql');

  /**
   * Meta as `graph.test`, which only the proxy knows, with a certificate that Node trusts: the built command, which alone can be
   * told to at its start. What ends before there is TLS runs in this process.
   */
  async function prepare() {
    const machine = await machines.install();
    const [key, certificate] = [join(machine.directory, 'key.pem'), join(machine.directory, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=graph.test'],
        ...['-addext', 'subjectAltName=DNS:graph.test,DNS:mmg.whatsapp.net'],
        ...['-keyout', key, '-out', certificate],
      ],
      { stdio: 'ignore' },
    );
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(certificate, 'utf8') };
    const fake = await startFakeGraph(healthyAccount(), tls);
    const port = Number(new URL(fake.url).port);
    await machine.call([
      ...['connection', 'add', '--name', 'main', '--kind', 'coexistence', '--phone', PHONE],
      ...['--phone-number-id', NUMBER, '--waba-id', '102290129340398'],
    ]);
    const env = {
      WA_RECONCILE_GRAPH_URL: `https://graph.test:${port}`,
      WA_RECONCILE_GRAPH_TOKEN: TOKEN,
      WA_RECONCILE_APP_SECRET: APP_SECRET,
      NODE_EXTRA_CA_CERTS: certificate,
    };
    return { machine, fake, env, tls, host: `graph.test:${port}`, port };
  }

  test('all goes through tunnels, in which the proxy reads no token', async () => {
    const { machine, fake, env, tls, host, port } = await prepare();
    const picture = { bytes: randomBytes(50_000), mimeType: 'image/jpeg' };
    fake.account.media.set('7001', picture);
    const web = await sealedFile();
    const whatsapp = createServer(tls, (_request, response) => response.end(web.file));
    await new Promise<void>((listening) => whatsapp.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void whatsapp.close());
    const proxy = await startConnectProxy(
      { [host]: port, 'mmg.whatsapp.net:443': (whatsapp.address() as AddressInfo).port },
      USER,
    );
    const behind = { env: { ...env, HTTPS_PROXY: proxy.url } };
    const at = String(Math.floor(Date.now() / 1000) - 600);
    const cloud = live(
      'F1',
      0,
      {
        timestamp: at,
        type: 'image',
        text: undefined,
        image: {
          id: '7001',
          mime_type: 'image/jpeg',
          sha256: createHash('sha256').update(picture.bytes).digest('base64'),
        },
      },
      { id: NUMBER, number: PHONE.slice(1) },
    );
    const other = webLive('3EB0F1', 0, { message: { imageMessage: web.content } });
    const logs = [
      await machine.write('cloud.ndjson', JSON.stringify(cloud)),
      await machine.write('web.ndjson', JSON.stringify(other)),
    ];
    for (const log of logs)
      expect((await machine.call(['replay', log, '--connection', 'main'])).code).toBe(0);

    const loud = ['--debug', '-vv'];
    const to = join(machine.directory, 'media');
    const checked = await machine.run(['connection', 'check', 'main', ...loud], behind);
    expect(checked.code).toBe(0);
    const fetched = await machine.run(['media', 'fetch', 'main', '--to', to, '--json', ...loud], behind);
    expect(fetched.code).toBe(0);
    expect(JSON.parse(fetched.stdout)).toMatchObject({ connections: [{ fetched: 2, owed: 0 }] });
    for (const bytes of [picture.bytes, web.plain]) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      expect((await readFile(join(to, hash.slice(0, 2), `${hash}.jpg`))).equals(bytes)).toBe(true);
    }
    expect(fake.requests.length).toBeGreaterThan(4);
    expect([...new Set(proxy.asked)].sort()).toEqual([host, 'mmg.whatsapp.net:443'].sort());
    for (const hidden of [TOKEN, TOKEN.slice(8), 'Bearer', 'debug_token', APP_SECRET])
      expect(proxy.seen()).not.toContain(hidden);
    for (const { stdout, stderr } of [checked, fetched])
      for (const hidden of [TOKEN, USER, 's3cretOfTheProxy']) expect(stdout + stderr).not.toContain(hidden);
  });

  test('one that refuses is named without its password, and nothing counts as requested', async () => {
    const { machine, fake, env, host, port } = await prepare();
    const proxy = await startConnectProxy({ [host]: port }, USER);
    const wrong = { env: { ...env, HTTPS_PROXY: proxy.url.replace('ana:', 'bob:') } };
    const seen = await machine.call(['connection', 'check', 'main'], wrong);
    expect(seen.code).toBe(1);
    expect(seen.stdout).toMatch(
      /graph\.test:\d+ cannot be reached: the proxy 127\.0\.0\.1:\d+ refuses \(HTTP 407\): it wants a user and a\s+password, or others/,
    );
    expect(seen.stdout + seen.stderr).not.toContain('s3cretOfTheProxy');
    const gone = { env: { ...env, https_proxy: 'http://127.0.0.1:1' } };
    const down = await machine.call(['connection', 'check', 'main', '--json'], gone);
    expect(down.code).toBe(1);
    expect(down.stdout).toContain('ECONNREFUSED (proxy 127.0.0.1:1)');
    const request = ['history', 'request', 'main', '--onboarded', '1h', '--confirm', PHONE];
    expect((await machine.call(request, wrong)).code).not.toBe(0);
    expect(fake.requests).toEqual([]);
    const right = { env: { ...env, HTTPS_PROXY: proxy.url } };
    // The one that was not sent kept no time either.
    const asked = await machine.run(request, right);
    expect(asked.code).toBe(0);
    expect([...fake.account.granted.keys()]).toEqual(['smb_app_state_sync', 'history']);
  });

  test('NO_PROXY and this machine are reached without it, and an address that is none is an error', async () => {
    const { machine, env, host, port } = await prepare();
    const proxy = await startConnectProxy({ [host]: port });
    // Each of them tries several times, with pauses.
    await Promise.all(
      ['graph.test', '*', 'example.com,.test'].map(async (noProxy) => {
        const seen = await machine.call(['connection', 'check', 'main'], {
          env: { ...env, HTTPS_PROXY: proxy.url, NO_PROXY: noProxy },
        });
        expect(seen.code).toBe(1);
        expect(seen.stdout).toMatch(/graph\.test:\d+ cannot be reached: E/);
      }),
    );
    const plain = await startFakeGraph(healthyAccount());
    const here = await machine.call(['connection', 'check', 'main'], {
      env: { ...env, WA_RECONCILE_GRAPH_URL: plain.url, HTTPS_PROXY: proxy.url },
    });
    expect(here.code).toBe(0);
    expect(proxy.asked).toEqual([]);
    const wrong = await machine.call(['connection', 'check', 'main'], {
      env: { ...env, HTTPS_PROXY: 'socks5://ana:pass1234word@proxy.example.com' },
    });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('HTTPS_PROXY is not the address of a proxy.');
    expect(wrong.stderr).not.toContain('pass1234word');
  });
});
