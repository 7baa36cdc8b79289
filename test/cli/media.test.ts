import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PLAIN } from '../../src/cli/ui/look.js';
import { render } from '../../src/cli/ui/presentation.js';
import { presentMediaFetch } from '../../src/cli/views/media.js';
import { expect, test } from 'vitest';
import { healthyAccount, TOKEN, type FakeFile } from '../support/fake-graph/account.js';
import { refusal, startFakeGraph } from '../support/fake-graph/server.js';
import {
  HOUR,
  image,
  NOW,
  pathOf,
  prepareMedia,
  resultOf,
  statesOf,
  type World,
} from '../support/media-world.js';
import { FIRST } from '../support/webhooks.js';
import { useServer } from './database-home.js';

const server = useServer();

function prepare(files: readonly FakeFile[]): Promise<World> {
  return prepareMedia(server, files);
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

test('a damaged record is named by verify, and mended by the command that it advises', async () => {
  const world = await prepare([image(), image(), image()]);
  await world.fetch();
  const before = world.asked();
  const change = (set: string, id: string) =>
    server.change(world.run, `update media_files set ${set} where media_id = '${id}'`);
  await change(`sha256 = repeat('0', 64)`, '90000');
  await change(`path = '/etc/passwd'`, '90001');
  await change(`state = 'expired'`, '90002');
  const verified = async () => {
    const seen = await world.run(['verify', '--check', 'media_files', '--json'], { now: NOW });
    const { checks } = JSON.parse(seen.stdout) as { checks: { found: number; remedy: string | null }[] };
    return { code: seen.code, ...checks[0] };
  };
  expect(await verified()).toMatchObject({
    code: 3,
    found: 3,
    remedy: expect.stringContaining(`wa-reconcile media fetch --again --to ${world.to}`) as string,
  });
  const planned = resultOf(await world.fetch(['--again', '--dry-run']));
  expect(planned.connections[0]).toMatchObject({ lost: 2, owed: 3 });
  const mended = resultOf(await world.fetch(['--again'], { now: NOW + 1 }));
  expect(mended.connections[0]).toMatchObject({ lost: 2, fetched: 3, known: 3, owed: 0 });
  expect(world.asked()).toEqual(before);
  expect(await verified()).toMatchObject({ code: 0, found: 0 });
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

test('a short limit that one file meets holds the others back, and ends nothing', async () => {
  const world = await prepare([image(), image(), image()]);
  const limit = refusal(429, 130429, 'Rate limit hit', { 'retry-after': '1' });
  world.fake.fail('file/90000', limit);
  // By the real clock, which goes on.
  const seen = await world.fetch(['--again', '--concurrency', '2'], { now: undefined });
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({
    status: 'completed',
    connections: [{ fetched: 3, owed: 0, stopped: null }],
  });
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
  expect(await verifyAt(late)).toMatchObject({ status: 'note', found: 2 });
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

test('notices a kept file that is gone or altered, and fetches it while Meta has it', async () => {
  const files = [image(), image(), image()] as const;
  const world = await prepare(files);
  await world.fetch();
  await rm(pathOf(world.to, files[0]));
  await writeFile(pathOf(world.to, files[1]), 'too short');
  await writeFile(pathOf(world.to, files[2]), Buffer.alloc(files[2].bytes.length));
  const verify = async (now: number): Promise<unknown> => {
    const seen = await world.run(['verify', '--check', 'media_owed', '--json'], { now });
    return (JSON.parse(seen.stdout) as { checks: unknown[] }).checks[0];
  };
  const planned = await world.fetch(['--dry-run'], { now: NOW + 1 });
  expect(resultOf(planned)).toMatchObject({ connections: [{ lost: 2, owed: 2 }] });
  const read = await world.fetch(['--again', '--dry-run'], { now: NOW + 1 });
  expect(resultOf(read)).toMatchObject({ connections: [{ lost: 3, owed: 3 }] });
  const over = await world.fetch(['--dry-run'], { now: NOW + 8 * 24 * HOUR });
  expect(resultOf(over)).toMatchObject({ connections: [{ lost: 2, owed: 0 }] });
  expect(await statesOf(world)).toEqual({ fetched: 3 });
  const limit = refusal(400, 4, 'Application request limit reached', { 'retry-after': '900' });
  world.fake.fail('90000', limit);
  const refused = await world.fetch(['--concurrency', '1'], { now: NOW + 1 });
  expect(resultOf(refused)).toMatchObject({ connections: [{ lost: 2, fetched: 0, owed: 2 }] });
  expect(await verify(NOW + 1)).toMatchObject({ status: 'note', found: 2 });
  const next = await world.fetch([], { now: NOW + 2 });
  expect(resultOf(next)).toMatchObject({ connections: [{ lost: 0, fetched: 2, known: 0, owed: 0 }] });
  const again = await world.fetch(['--again'], { now: NOW + 3 });
  expect(resultOf(again)).toMatchObject({ connections: [{ lost: 1, fetched: 1, known: 0, owed: 0 }] });
  for (const file of files) expect(await readFile(pathOf(world.to, file))).toEqual(file.bytes);
  // Meta does not have it any more: it is a loss, and no run says that all is well.
  const late = NOW + 8 * 24 * HOUR;
  await rm(pathOf(world.to, files[0]));
  expect(resultOf(await world.fetch([], { now: late }))).toMatchObject({
    connections: [{ lost: 1, fetched: 0 }],
  });
  expect(await verify(late)).toMatchObject({ status: 'findings', found: 1 });
});

test('stops at --max-bytes, and at a directory in which nothing can be written', async () => {
  const world = await prepare([image(), image(), image()]);
  const seen = await world.fetch(['--max-bytes', '4KB', '--concurrency', '1']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({
    connections: [{ fetched: 2, owed: 1, stopped: { code: 'max_bytes' } }],
  });
  // It did as it was told: one mark, and the same as the verdict's.
  const shown = await render(presentMediaFetch(resultOf(seen)), 'table', PLAIN);
  expect(shown.match(/[✔▲✖]/gu)).toEqual(['✔', '✔']);
  expect(shown).toContain('The limit of bytes to fetch is reached.');
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

test('one file that Meta refuses for want of rights holds up no other; a token without rights ends the run', async () => {
  const world = await prepare(Array.from({ length: 9 }, () => image()));
  const denied = refusal(403, 10, 'Application does not have permission for this action');
  world.fake.fail('90000', denied);
  world.fake.fail('90004', denied);
  const seen = await world.fetch(['--concurrency', '1']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({ connections: [{ fetched: 7, denied: 2, owed: 0, stopped: null }] });
  expect(await statesOf(world)).toEqual({ fetched: 7, denied: 2 });

  const without = await prepare(Array.from({ length: 9 }, () => image()));
  for (let file = 0; file < 9; file += 1) without.fake.fail(`9000${file}`, denied);
  const all = await without.fetch(['--concurrency', '1']);
  expect(all.code).toBe(1);
  expect(resultOf(all)).toMatchObject({
    connections: [{ denied: 0, owed: 9, stopped: { code: 'graph_rights' } }],
  });
  expect(without.asked().addresses).toBe(5);
  const one = await prepare([image()]);
  one.fake.fail('90000', denied);
  expect((await one.fetch()).code).toBe(1);
  expect(await statesOf(one)).toEqual({ owed: 1 });
});

test('refuses a place that can be no directory, at once and before Meta is asked', async () => {
  const world = await prepare([image()]);
  const file = join(world.to, '..', 'a-file');
  await writeFile(file, 'in the way');
  for (const to of [file, join(file, 'below'), '/proc/wa-media/files', '/proc']) {
    const seen = await world.fetch(['--to', to]);
    expect(seen.code).toBe(to === '/proc' ? 1 : 2);
    expect(seen.stderr).toContain('media_directory');
    expect(seen.stderr).not.toContain('This is a bug');
  }
  expect(await statesOf(world)).toEqual({ owed: 1 });
  expect(world.asked().files).toBe(0);
  expect((await world.fetch(['--to', join(world.to, 'deep', 'er')])).code).toBe(0);
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

test('the report does not deny what a failed run has fetched', async () => {
  const world = await prepare([image(), image()]);
  world.fake.fail('90001', refusal(403, 368, 'Temporarily blocked for policies violations'));
  const seen = await world.fetch(['--concurrency', '1']);
  expect(resultOf(seen)).toMatchObject({ status: 'failed', connections: [{ fetched: 1, owed: 1 }] });
  const { stdout } = await world.run(['report'], { now: NOW + 1 });
  expect(stdout).toMatch(/1 fetched, 1 to fetch .*, no run has completed yet/);
});
