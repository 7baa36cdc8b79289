import { createHash, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import type { MediaFetchResult, MediaStatusResult } from '../../src/commands/media/types.js';
import { createMediaDispatcher } from '../support/fake-whatsapp/media-dispatcher.js';
import { sealedFile, type SealedFile } from '../support/sealed-file.js';
import { BUSINESS, T0, webLive } from '../support/webhooks.js';
import { useServer } from './database-home.js';
import { temporaryDirectory, type Seen } from './run-cli.js';

const server = useServer();
const DAY = 86_400_000;
const NOW = T0 * 1000 + 3_600_000;

type Serve = (response: ServerResponse, file: Buffer) => void;

/** A number of WhatsApp Web with these pictures, and WhatsApp's media host on this machine. */
async function prepare(files: readonly SealedFile[]) {
  const run = await server.prepare();
  const asked: string[] = [];
  const headers: unknown[] = [];
  const odd = new Map<string, Serve[]>();
  const host = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://loopback');
    asked.push(pathname);
    headers.push(request.headers);
    const found = files.find(({ path }) => path === pathname);
    const serve = odd.get(pathname)?.shift();
    if (serve !== undefined && found !== undefined) serve(response, found.file);
    else if (found === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': found.file.length }).end(found.file);
  });
  await new Promise<void>((listening) => host.listen(0, '127.0.0.1', listening));
  const usual = getGlobalDispatcher();
  setGlobalDispatcher(createMediaDispatcher(`http://127.0.0.1:${(host.address() as AddressInfo).port}`));
  onTestFinished(() => {
    setGlobalDispatcher(usual);
    host.closeAllConnections();
    host.close();
  });
  const directory = await temporaryDirectory();
  const log = join(directory, 'log.ndjson');
  const bodies = files.map(({ content }, index) =>
    webLive(`3EB0${index}`, index * 60, { message: { imageMessage: content } }),
  );
  await writeFile(log, bodies.map((body) => `${JSON.stringify(body)}\n`).join(''));
  await run(['connection', 'add', '--name', 'web', '--kind', 'baileys', '--phone', `+${BUSINESS}`]);
  expect((await run(['replay', log, '--connection', 'web', '--json'])).code).toBe(0);
  const to = join(directory, 'media');
  const fetch = (args: readonly string[] = [], now = NOW): Promise<Seen> =>
    run(['media', 'fetch', '--to', to, ...args], { now });
  const states = async (now = NOW): Promise<Record<string, number>> => {
    const seen = await run(['media', 'status', '--json'], { now });
    const [one] = (JSON.parse(seen.stdout) as MediaStatusResult).connections;
    return Object.fromEntries((one?.states ?? []).map(({ state, files: count }) => [state, count]));
  };
  return { run, asked, headers, odd, to, fetch, states };
}

function resultOf({ stdout }: Seen): MediaFetchResult {
  return JSON.parse(stdout) as MediaFetchResult;
}

test('files of WhatsApp Web come with the keys of their messages, without a token or a device', async () => {
  const files = [await sealedFile(), await sealedFile()];
  const { fetch, states, asked, headers, to } = await prepare(files);
  expect(await states()).toEqual({ owed: 2 });
  const planned = await fetch(['--dry-run', '--json']);
  expect(resultOf(planned).connections).toMatchObject([{ owed: 2, owedSized: 2, owedBytes: 140_000 }]);
  const seen = await fetch(['web', '--json']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({
    status: 'completed',
    connections: [{ fetched: 2, bytes: 140_000 }],
  });
  for (const { plain } of files) {
    const hash = createHash('sha256').update(plain).digest('hex');
    expect((await readFile(join(to, hash.slice(0, 2), `${hash}.jpg`))).equals(plain)).toBe(true);
  }
  expect(headers.every((one) => !JSON.stringify(one).includes('authorization'))).toBe(true);
  await fetch();
  expect(asked).toHaveLength(2);
  expect(await states()).toEqual({ fetched: 2 });
});

test('a file that is gone is said, with what to do, and is not asked for again', async () => {
  const file = await sealedFile();
  const { run, fetch, states, asked, odd } = await prepare([file]);
  odd.set(file.path, [(response) => response.writeHead(410).end()]);
  const seen = await fetch();
  expect(seen.code).toBe(0);
  expect(seen.stdout).toContain('1 expired');
  expect(seen.stdout).toContain(
    'WhatsApp does not have 1 file of WhatsApp Web any more: save it on the phone, which may still have it.',
  );
  await fetch([], NOW + 1000);
  expect(asked).toHaveLength(1);
  expect(await states()).toEqual({ expired: 1 });
  // It was over before anybody fetched: nobody is alarmed.
  const report = await run(['report', '--json'], { now: NOW + DAY });
  expect(report.stdout).not.toContain('media_expired');
  expect(resultOf(await fetch(['--again', '--json'], NOW + DAY))).toMatchObject({
    connections: [{ fetched: 1 }],
  });
});

test('a cut line is begun again, and what was changed on its way is not kept', async () => {
  const [cut, faulty, changed, wrongKey, longer] = [
    await sealedFile(),
    await sealedFile(),
    await sealedFile(),
    await sealedFile({ mediaKey: randomBytes(32).toString('base64') }),
    await sealedFile({ fileLength: '69999' }),
  ];
  const { fetch, states, asked, odd, to } = await prepare([cut, faulty, changed, wrongKey, longer]);
  odd.set(cut.path, [
    (response, file) => {
      response.writeHead(200, { 'content-length': file.length });
      response.write(file.subarray(0, 30_000), () => response.destroy());
    },
  ]);
  odd.set(faulty.path, [(response) => response.writeHead(503).end()]);
  odd.set(changed.path, [
    (response, file) => {
      const other = Buffer.from(file);
      other[40_000] = (other[40_000] ?? 0) ^ 1;
      response.end(other);
    },
  ]);
  const seen = await fetch(['--json']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 2, mismatch: 3, failed: 0 }] });
  expect(asked).toHaveLength(7);
  expect(await states()).toEqual({ fetched: 2, mismatch: 3 });
  expect((await readdir(to, { recursive: true })).filter((name) => name.endsWith('.jpg'))).toHaveLength(2);
  expect(await readdir(join(to, '.incoming'))).toEqual([]);
});

test('a path leads to no other host, whatever a sender writes', async () => {
  const files = [
    await sealedFile({ directPath: '@127.0.0.1:9/x' }),
    await sealedFile({ directPath: '.example.com/x' }),
    await sealedFile({ directPath: ':80/x' }),
  ];
  const { fetch, asked } = await prepare(files);
  expect(resultOf(await fetch(['--json']))).toMatchObject({ connections: [{ mismatch: 3, fetched: 0 }] });
  expect(asked).toEqual([]);
});

test('a host that cannot be reached stops the run, and all stays owed', async () => {
  const files = [await sealedFile(), await sealedFile()];
  const { fetch, states } = await prepare(files);
  setGlobalDispatcher(createMediaDispatcher('http://127.0.0.1:1'));
  const seen = await fetch(['--concurrency', '1', '--json']);
  expect(seen.code).toBe(1);
  expect(resultOf(seen)).toMatchObject({
    status: 'failed',
    connections: [{ owed: 2, stopped: { code: 'whatsapp_unreachable' } }],
  });
  expect(await states()).toEqual({ owed: 2 });
});
