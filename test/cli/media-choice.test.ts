import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MediaStatusResult } from '../../src/commands/media/types.js';
import type { FakeFile } from '../support/fake-graph/account.js';
import { refusal } from '../support/fake-graph/server.js';
import { HOUR, image, NOW, prepareMedia, resultOf, statesOf, type World } from '../support/media-world.js';
import { ANA, BRU, history, item, live, old, T0, webhook } from '../support/webhooks.js';
import { useServer } from './database-home.js';
import { temporaryDirectory } from './run-cli.js';

const server = useServer();
const DAY = 24 * HOUR;

async function replay({ run }: World, ...lines: unknown[]): Promise<void> {
  const log = join(await temporaryDirectory(), 'more.ndjson');
  await writeFile(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  expect((await run(['replay', log, '--json'])).code).toBe(0);
}

function named(id: string, file: FakeFile): Record<string, string> {
  return {
    id,
    mime_type: file.mimeType,
    sha256: createHash('sha256').update(file.bytes).digest('base64'),
  };
}

async function alertsAt({ run }: World, now: number): Promise<[string, number, boolean][]> {
  const seen = await run(['report', '--json'], { now });
  const { alerts } = JSON.parse(seen.stdout) as {
    alerts: { kind: string; count: number; severity: string; acknowledged: unknown }[];
  };
  const media = alerts.filter(({ kind }) => /media|finding/.test(kind));
  expect(media.every(({ severity }) => severity === 'degraded')).toBe(true);
  return media
    .map(({ kind, count, acknowledged }): [string, number, boolean] => [kind, count, acknowledged !== null])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

describe('the choice of files', () => {
  test('is by contact, as everywhere, and no number is in the record of the run', async () => {
    const world = await prepareMedia(server, [image(), image()]);
    const bru = image();
    world.fake.account.media.set('7', bru);
    await replay(
      world,
      live('B', 300, { from: BRU, type: 'image', text: undefined, image: named('7', bru) }),
    );
    expect(
      resultOf(await world.fetch(['--contact', '+55 21 90000-0002', '--dry-run'])).connections,
    ).toMatchObject([{ owed: 1 }]);
    const status = await world.run(['media', 'status', '--contact', ANA, '--json'], { now: NOW });
    expect((JSON.parse(status.stdout) as MediaStatusResult).connections).toMatchObject([
      { states: [{ state: 'owed', files: 2 }] },
    ]);
    const seen = await world.fetch(['--contact', BRU]);
    expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 1, owed: 0 }] });
    expect(await statesOf(world)).toEqual({ owed: 2, fetched: 1 });
    const shown = await world.run(['runs', 'show', resultOf(seen).runId ?? '', '--json']);
    expect(shown.stdout).toMatch(/"contact": "[0-9a-f-]{36}"/);
    expect(shown.stdout).not.toContain('21900000002');
    const unknown = await world.fetch(['--contact', '+5511911111111']);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('unknown_contact');
  });

  test('is by size, which is asked for once', async () => {
    const world = await prepareMedia(server, [image(), image({ bytes: randomBytes(9000) })]);
    const small = await world.fetch(['--max-size', '4KB']);
    expect(small.code).toBe(0);
    expect(resultOf(small)).toMatchObject({
      status: 'completed',
      connections: [{ fetched: 1, otherSize: 1, owed: 0, bytes: 3000 }],
    });
    expect(world.asked()).toEqual({ addresses: 2, files: 1 });
    // Its size is on record now.
    await world.fetch(['--max-size', '4KB'], { now: NOW + 1000 });
    expect(world.asked()).toEqual({ addresses: 2, files: 1 });
    const planned = await world.fetch(['--min-size', '4KB', '--dry-run'], { now: NOW + 1000 });
    expect(resultOf(planned).connections).toMatchObject([{ owed: 1, owedSized: 1, owedBytes: 9000 }]);
    const words = await world.run(['media', 'fetch', '--dry-run'], { now: NOW + 1000 });
    expect(words.stdout).toContain('1 file would be asked for; 8.8 KB in all');
    expect(resultOf(await world.fetch(['--min-size', '4KB'], { now: NOW + 1000 }))).toMatchObject({
      connections: [{ fetched: 1, owed: 0 }],
    });
    const wrong = await world.fetch(['--min-size', '2MB', '--max-size', '1MB']);
    expect(wrong.code).toBe(2);
    const mistyped = await world.fetch(['--type', 'images']);
    expect(mistyped.code).toBe(2);
    const empty = await world.fetch(['--since', '2025-09-17', '--until', '2025-09-16']);
    expect(empty.code).toBe(2);
  });
});

describe('a run', () => {
  test('is on record with what came of it, and the report knows when media were fetched', async () => {
    const world = await prepareMedia(server, [image(), image()]);
    expect(resultOf(await world.fetch(['--dry-run'])).runId).toBeNull();
    const before = await world.run(['report'], { now: NOW });
    expect(before.stdout).not.toContain('media files');
    const seen = await world.fetch();
    const list = await world.run(['runs', 'list', '--command', 'media fetch', '--json']);
    expect(JSON.parse(list.stdout)).toMatchObject({
      runs: [
        {
          id: resultOf(seen).runId,
          command: 'media fetch',
          status: 'completed',
          verdict: 'completed: 2 files fetched (5.9 KB), 0 files owed',
        },
      ],
    });
    const report = await world.run(['report', '--json'], { now: NOW + HOUR });
    expect(JSON.parse(report.stdout)).toMatchObject({
      connections: [
        { mediaFiles: { fetched: 2, owed: 0, bytes: 6000, lastFetchAt: new Date(NOW).toISOString() } },
      ],
    });
    const text = await world.run(['report'], { now: NOW + HOUR });
    expect(text.stdout).toContain('2 fetched, last run 2025-09-16 06:20 UTC');
    const status = await world.run(['media', 'status'], { now: NOW + HOUR });
    expect(status.stdout).toContain('last fetched 2025-09-16 06:20 UTC');
  });

  test('that died is an alert until a later one has done its work', async () => {
    const world = await prepareMedia(server, [image()]);
    await world.fetch();
    await server.change(
      world.run,
      `update sync_runs set status = 'running', pid = 4194305, started_at = started_at - interval '1 minute'
       where command = 'media fetch'`,
    );
    const died = async (): Promise<string[]> => {
      const seen = await world.run(['alerts', 'list'], { now: NOW + HOUR });
      return [...seen.stdout.matchAll(/wa-reconcile media fetch --to \S+/g)].map(([line]) => line);
    };
    expect(await died()).toEqual([`wa-reconcile media fetch --to ${world.to}`]);
    await world.fetch(['--type', 'video'], { now: NOW + 1000 });
    expect(await died()).toEqual([`wa-reconcile media fetch --to ${world.to}`]);
    await world.fetch([], { now: NOW + 2000 });
    expect(await died()).toEqual([]);
  });

  test('tells a program how far it is', async () => {
    const world = await prepareMedia(server, [image(), image(), image()]);
    const seen = await world.fetch(['--events']);
    const events = seen.stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; files?: unknown; bytesRead?: number });
    expect(events[0]).toMatchObject({ event: 'run_started', command: 'media fetch' });
    expect(events.findLast(({ event }) => event === 'progress')).toMatchObject({
      files: { done: 3, total: 3 },
      bytesRead: 9000,
    });
    expect(events.at(-1)).toMatchObject({ event: 'run_finished', status: 'completed' });
  });

  test('without a token is an alert in time all the same', async () => {
    const world = await prepareMedia(server, [image()]);
    const seen = await world.run(['media', 'fetch', '--to', world.to, '--json'], { now: NOW });
    expect(seen.code).toBe(1);
    expect(resultOf(seen)).toMatchObject({
      status: 'failed',
      connections: [{ stopped: { code: 'token_missing' }, owed: 1 }],
    });
    expect(await alertsAt(world, NOW + HOUR)).toEqual([]);
    expect(await alertsAt(world, NOW + 6.5 * DAY)).toEqual([['media_expiring', 1, false]]);
    const report = await world.run(['report', '--json'], { now: NOW });
    expect(JSON.parse(report.stdout)).toMatchObject({ connections: [{ mediaFiles: { lastFetchAt: null } }] });
  });
});

test('refused and wrong files are alerts, which can be accepted until there is one more', async () => {
  const files = [image(), image({ said: { sha256: 'f'.repeat(64) } }), image(), image()];
  const world = await prepareMedia(server, files);
  world.fake.fail('90000', refusal(400, 100, 'Object does not exist'));
  world.fake.fail('90003', refusal(400, 4, 'limit', { 'retry-after': '900' }));
  expect((await world.fetch(['--concurrency', '1'])).code).toBe(4);
  expect(await alertsAt(world, NOW)).toEqual([
    ['media_denied', 1, false],
    ['media_mismatch', 1, false],
  ]);
  const verified = await world.run(['verify', '--check', 'media_owed', '--json'], { now: NOW });
  expect(JSON.parse(verified.stdout)).toMatchObject({
    checks: [
      {
        status: 'findings',
        found: 2,
        summary: 'Media outstanding: 1 file was refused; 1 file was not what was announced; 1 file to fetch',
      },
    ],
  });
  const acked = await world.run(['alerts', 'ack', 'media_denied', '--reason', 'known'], {
    now: NOW,
  });
  expect(acked.code).toBe(0);
  expect(await alertsAt(world, NOW + 1000)).toEqual([
    ['media_denied', 1, true],
    ['media_mismatch', 1, false],
  ]);
  world.fake.fail('90003', refusal(400, 100, 'Object does not exist'));
  await world.fetch([], { now: NOW + 2000 });
  expect(await alertsAt(world, NOW + 3000)).toEqual([
    ['media_denied', 2, false],
    ['media_mismatch', 1, false],
  ]);
  await world.fetch(['--again'], { now: NOW + 4000 });
  expect(await alertsAt(world, NOW + 5000)).toEqual([['media_mismatch', 1, false]]);
});

describe('a file of a history', () => {
  test('lives from the webhook that named it last, not from the one that brought its message', async () => {
    const world = await prepareMedia(server, [image()]);
    const file = image();
    const picture = { type: 'image', text: undefined, image: { mime_type: 'image/jpeg' } };
    // Ten days old when the chunk comes; its file comes five days later.
    const at = -10 * 86_400;
    const receivedAt = (ms: number) => new Date(ms).toISOString();
    const chunkAt = T0 * 1000;
    await replay(world, { received_at: receivedAt(chunkAt), payload: history([old('H', at, picture)]) });
    const followUp = webhook('history', {
      messages: [item('H', at, { ...picture, image: named('24230790383178626', file) })],
    });
    await replay(world, { received_at: receivedAt(chunkAt + 3 * DAY), payload: followUp });
    const statesAt = async (now: number): Promise<Record<string, number>> => {
      const seen = await world.run(
        [
          'media',
          'status',
          '--since',
          receivedAt((T0 + at - 60) * 1000),
          '--until',
          receivedAt((T0 + at + 60) * 1000),
          '--json',
        ],
        {
          now,
        },
      );
      const [one] = (JSON.parse(seen.stdout) as MediaStatusResult).connections;
      return Object.fromEntries((one?.states ?? []).map(({ state, files }) => [state, files]));
    };
    expect(await statesAt(chunkAt + 8 * DAY)).toEqual({ owed: 1 });
    expect(await statesAt(chunkAt + 10 * DAY + HOUR)).toEqual({ expired: 1 });
    world.fake.account.media.set('24230790383178626', file);
    const seen = await world.fetch([], { now: chunkAt + 9 * DAY });
    expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 1 }] });
  });
});
