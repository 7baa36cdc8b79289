import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { MediaFetchResult, MediaStatusResult } from '../../src/commands/media/types.js';
import { healthyAccount, TOKEN, type FakeFile } from '../support/fake-graph/account.js';
import { refusal, startFakeGraph, type FakeGraph } from '../support/fake-graph/server.js';
import { FIRST, live, T0 } from '../support/webhooks.js';
import { useServer, type Run } from './database-home.js';
import type { Seen, Surroundings } from './run-cli.js';

const server = useServer();
const HOUR = 3_600_000;
const NOW = T0 * 1000 + HOUR;

interface World {
  run: Run & { url: string };
  fake: FakeGraph;
  to: string;
  fetch: (args?: readonly string[], surroundings?: Surroundings) => Promise<Seen>;
  /** How often Meta was asked for an address, and for a file. */
  asked: () => { addresses: number; files: number };
}

/** A number with these images, one message each, a minute apart. */
async function prepare(files: readonly FakeFile[]): Promise<World> {
  const run = await server.prepare();
  const media = new Map(files.map((file, index) => [`9000${index}`, file]));
  const fake = await startFakeGraph(healthyAccount({ media }));
  const directory = await mkdtemp(join(tmpdir(), 'wa-media-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const log = join(directory, 'log.ndjson');
  const bodies = files.map((file, index) =>
    live(`I${index}`, index * 60, {
      type: 'image',
      text: undefined,
      image: {
        id: `9000${index}`,
        mime_type: file.mimeType,
        sha256: createHash('sha256').update(file.bytes).digest('base64'),
      },
    }),
  );
  await writeFile(log, bodies.map((body) => `${JSON.stringify(body)}\n`).join(''));
  const replayed = await run(['replay', log, '--register', '--json']);
  expect(replayed.code).toBe(0);
  const to = join(directory, 'media');
  const env = { WA_RECONCILE_GRAPH_URL: fake.url, WA_RECONCILE_GRAPH_TOKEN: TOKEN };
  return {
    run,
    fake,
    to,
    fetch: (args = [], surroundings = {}) =>
      run(['media', 'fetch', '--to', to, '--json', ...args], { env, now: NOW, ...surroundings }),
    asked: () => {
      const paths = fake.asked();
      const count = (fits: (path: string) => boolean): number => paths.filter(fits).length;
      return {
        addresses: count((path) => /^GET 9000/.test(path)),
        files: count((path) => path.startsWith('GET file/')),
      };
    },
  };
}

function image(parts: Partial<FakeFile> = {}): FakeFile {
  return { bytes: randomBytes(3000), mimeType: 'image/jpeg', ...parts };
}

function resultOf(seen: Seen): MediaFetchResult {
  return JSON.parse(seen.stdout) as MediaFetchResult;
}

async function statesOf({ run }: World, now = NOW): Promise<Record<string, number>> {
  const seen = await run(['media', 'status', '--json'], { now });
  const [one] = (JSON.parse(seen.stdout) as MediaStatusResult).connections;
  return Object.fromEntries((one?.states ?? []).map(({ state, files }) => [state, files]));
}

function pathOf(to: string, { bytes }: FakeFile): string {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return join(to, hash.slice(0, 2), `${hash}.jpg`);
}

test('fetches every file once, by its hash, and asks for nothing again', async () => {
  const same = image();
  const files = [image(), same, same, image()];
  const world = await prepare(files);
  expect(await statesOf(world)).toEqual({ owed: 4 });
  const planned = await world.fetch(['--dry-run']);
  expect(resultOf(planned)).toMatchObject({ status: 'planned', connections: [{ owed: 4, fetched: 0 }] });
  expect(world.fake.requests).toEqual([]);

  const seen = await world.fetch(['--concurrency', '1']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({
    status: 'completed',
    connections: [{ fetched: 4, known: 1, owed: 0, bytes: 9000, stopped: null }],
  });
  for (const file of files) expect(await readFile(pathOf(world.to, file))).toEqual(file.bytes);
  expect(await readdir(join(world.to, '.incoming'))).toEqual([]);
  expect(world.asked()).toEqual({ addresses: 3, files: 3 });
  expect(world.fake.requests.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
  expect(world.fake.requests[0]?.url).toBe(`/v25.0/90000?phone_number_id=${FIRST.id}`);

  expect((await world.fetch()).code).toBe(0);
  expect(world.asked()).toEqual({ addresses: 3, files: 3 });
  expect(await statesOf(world)).toEqual({ fetched: 4 });
});

test('takes a fresh address where one is over, and begins again where the line is cut', async () => {
  const world = await prepare([image(), image()]);
  world.fake.fail('file/90000', { kind: 'answer', status: 404, body: 'Not Found' });
  world.fake.fail('file/90001', { kind: 'cut', afterBytes: 1000 }, { kind: 'slow', pieceBytes: 500, ms: 20 });
  const seen = await world.fetch();
  expect(resultOf(seen)).toMatchObject({ status: 'completed', connections: [{ fetched: 2, failed: 0 }] });
  expect(world.asked()).toEqual({ addresses: 4, files: 4 });
});

test('keeps nothing that is not what was announced, and does not ask for it again', async () => {
  const wrong = 'f'.repeat(64);
  const world = await prepare([
    image({ said: { sha256: wrong } }),
    image({ said: { size: 2999 } }),
    image({ said: { size: 3001 } }),
    image(),
  ]);
  const seen = await world.fetch();
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 1, mismatch: 3, owed: 0 }] });
  const kept = (await readdir(world.to, { recursive: true })).filter((name) => name.includes('.jpg'));
  expect(kept).toHaveLength(1);
  expect(await readdir(join(world.to, '.incoming'))).toEqual([]);
  const before = world.asked();
  await world.fetch();
  expect(world.asked()).toEqual(before);
  expect(await statesOf(world)).toEqual({ fetched: 1, mismatch: 3 });
  await world.fetch(['--again'], { now: NOW + 1 });
  expect(world.asked().addresses).toBe(before.addresses + 3);
});

test('gives the token to nobody but an encrypted host that Meta names, and follows no redirect', async () => {
  const elsewhere = await startFakeGraph(healthyAccount());
  const port = new URL(elsewhere.url).port;
  const world = await prepare([image({ said: { url: `http://localhost:${port}/files/file/1` } }), image()]);
  world.fake.fail('file/90001', {
    kind: 'answer',
    status: 302,
    body: '',
    headers: { location: `${elsewhere.url}/files/file/1` },
  });
  const seen = await world.fetch();
  expect(seen.code).toBe(4);
  expect(resultOf(seen)).toMatchObject({
    status: 'partial',
    connections: [{ fetched: 0, failed: 2, owed: 2 }],
  });
  expect(elsewhere.requests).toEqual([]);
});

test('stops when the quota is used up, and the next run goes on', async () => {
  const world = await prepare([image(), image(), image()]);
  const usage = { 'x-app-usage': JSON.stringify({ call_count: 100, estimated_time_to_regain_access: 30 }) };
  world.fake.fail('90001', refusal(400, 4, 'Application request limit reached', usage));
  const seen = await world.fetch(['--concurrency', '1']);
  expect(seen.code).toBe(4);
  expect(resultOf(seen)).toMatchObject({
    status: 'partial',
    connections: [{ fetched: 1, owed: 2, stopped: { code: 'graph_rate_limit' } }],
  });
  expect(world.asked()).toEqual({ addresses: 2, files: 1 });
  expect((await world.fetch()).code).toBe(0);
  expect(world.asked()).toEqual({ addresses: 4, files: 3 });
});

test('waits out a storm of 429, and leaves the rest when it does not end', async () => {
  const world = await prepare([image(), image()]);
  const storm = refusal(429, 130429, 'Rate limit hit', { 'retry-after': '0' });
  world.fake.fail('file/90000', storm, storm);
  world.fake.fail('file/90001', storm, storm, storm, storm, storm);
  const seen = await world.fetch(['--concurrency', '1']);
  expect(seen.code).toBe(4);
  expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 1, owed: 1 }] });
  expect(world.asked().files).toBe(3 + 4);
});

test('asks for no file that is over, and tells expired from refused', async () => {
  const world = await prepare([image(), image()]);
  world.fake.account.media.delete('90000');
  expect(resultOf(await world.fetch())).toMatchObject({ connections: [{ denied: 1, fetched: 1 }] });
  const late = await prepare([image()]);
  const now = NOW + 8 * 24 * HOUR;
  expect(await statesOf(late, now)).toEqual({ expired: 1 });
  expect((await late.fetch([], { now })).code).toBe(0);
  expect(late.fake.requests).toEqual([]);
  late.fake.account.media.clear();
  expect(resultOf(await late.fetch(['--again'], { now }))).toMatchObject({ connections: [{ expired: 1 }] });
});

test('the report and verify say what is about to be lost, and what is, where media are fetched', async () => {
  const world = await prepare([image(), image()]);
  const alertsAt = async (now: number): Promise<unknown[]> => {
    const seen = await world.run(['report', '--json'], { now });
    const { alerts } = JSON.parse(seen.stdout) as { alerts: { kind: string; count: number }[] };
    return alerts.filter(({ kind }) => /media|finding/.test(kind)).map(({ kind, count }) => [kind, count]);
  };
  const verifyAt = async (now: number): Promise<{ status: string; found: number; summary: string }> => {
    const seen = await world.run(['verify', '--check', 'media_owed', '--json'], { now });
    const { checks } = JSON.parse(seen.stdout) as {
      checks: [{ status: string; found: number; summary: string }];
    };
    return checks[0];
  };
  const late = NOW + 6.5 * 24 * HOUR;
  // Who fetches them otherwise is not alarmed.
  expect(await alertsAt(late)).toEqual([]);
  expect(await verifyAt(late)).toMatchObject({ status: 'ok' });
  world.fake.fail('90001', refusal(400, 4, 'Application request limit reached', { 'retry-after': '900' }));
  await world.fetch(['--concurrency', '1']);
  expect(await alertsAt(NOW + HOUR)).toEqual([]);
  expect(await verifyAt(NOW + HOUR)).toMatchObject({ status: 'note', found: 1 });
  expect(await alertsAt(late)).toEqual([['media_expiring', 1]]);
  expect(await verifyAt(late)).toMatchObject({
    status: 'findings',
    found: 1,
    summary: 'Media outstanding: 1 file expires within a day',
  });
  expect(await alertsAt(NOW + 8 * 24 * HOUR)).toEqual([['media_expired', 1]]);
  expect(await verifyAt(NOW + 8 * 24 * HOUR)).toMatchObject({ status: 'findings', found: 1 });
});

test('stops at --max-bytes, and at a directory in which nothing can be written', async () => {
  const world = await prepare([image(), image(), image()]);
  const seen = await world.fetch(['--max-bytes', '4KB', '--concurrency', '1']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({
    connections: [{ fetched: 2, owed: 1, stopped: { code: 'max_bytes' } }],
  });
  const third = pathOf(world.to, world.fake.account.media.get('90002') ?? image());
  await rm(join(third, '..'), { recursive: true, force: true });
  await mkdir(world.to, { recursive: true });
  await writeFile(join(third, '..'), 'in the way');
  const refused = await world.fetch();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('media_directory');
  expect(await readdir(join(world.to, '.incoming'))).toEqual([]);
  expect(await statesOf(world)).toEqual({ fetched: 2, owed: 1 });
});

test('stops at a token that is not accepted, and names it nowhere', async () => {
  const world = await prepare([image(), image()]);
  world.fake.fail('90000', refusal(401, 190, `Malformed access token ${TOKEN}`));
  const seen = await world.fetch(['--concurrency', '1', '--debug', '-vv']);
  expect(seen.code).toBe(1);
  expect(seen.stdout + seen.stderr).not.toContain(TOKEN);
  expect(world.fake.requests).toHaveLength(1);
  expect(await statesOf(world)).toEqual({ owed: 2 });
});
