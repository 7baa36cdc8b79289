import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { MediaFetchResult, MediaStatusResult } from '../../src/commands/media/types.js';
import type { Run, useServer } from '../cli/database-home.js';
import type { Seen, Surroundings } from '../cli/run-cli.js';
import { healthyAccount, TOKEN, type FakeFile } from './fake-graph/account.js';
import { startFakeGraph, type FakeGraph } from './fake-graph/server.js';
import { live, T0 } from './webhooks.js';

export const HOUR = 3_600_000;
export const NOW = T0 * 1000 + HOUR;

export interface World {
  run: Run & { url: string };
  fake: FakeGraph;
  to: string;
  fetch: (args?: readonly string[], surroundings?: Surroundings) => Promise<Seen>;
  /** How often Meta was asked for an address, and for a file. */
  asked: () => { addresses: number; files: number };
}

/** A number with these images, one message each, a minute apart. */
/** For a test file that has `useServer()`. */
export async function prepareMedia(
  server: ReturnType<typeof useServer>,
  files: readonly FakeFile[],
): Promise<World> {
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

export function image(parts: Partial<FakeFile> = {}): FakeFile {
  return { bytes: randomBytes(3000), mimeType: 'image/jpeg', ...parts };
}

export function resultOf(seen: Seen): MediaFetchResult {
  return JSON.parse(seen.stdout) as MediaFetchResult;
}

export async function statesOf({ run }: World, now = NOW): Promise<Record<string, number>> {
  const seen = await run(['media', 'status', '--json'], { now });
  const [one] = (JSON.parse(seen.stdout) as MediaStatusResult).connections;
  return Object.fromEntries((one?.states ?? []).map(({ state, files }) => [state, files]));
}

export function pathOf(to: string, { bytes }: FakeFile): string {
  const hash = createHash('sha256').update(bytes).digest('hex');
  return join(to, hash.slice(0, 2), `${hash}.jpg`);
}
