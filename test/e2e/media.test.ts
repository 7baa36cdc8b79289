import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MediaFetchResult } from '../../src/commands/media/types.js';
import { healthyAccount, TOKEN, type FakeFile } from '../support/fake-graph/account.js';
import { startFakeGraph } from '../support/fake-graph/server.js';
import { live } from '../support/webhooks.js';
import { useMachines } from './installation.js';

const FILES = 12;

describe.each(['pglite', 'postgresql'] as const)('media on %s', (backend) => {
  const machines = useMachines(backend);

  async function prepare() {
    const machine = await machines.install();
    const files = Array.from({ length: FILES }, (): FakeFile => ({
      bytes: randomBytes(200_000),
      mimeType: 'image/jpeg',
    }));
    const fake = await startFakeGraph(
      healthyAccount({ media: new Map(files.map((file, index) => [String(7000 + index), file])) }),
    );
    const now = Math.floor(Date.now() / 1000);
    const bodies = files.map(({ bytes }, index) =>
      live(`F${index}`, 0, {
        timestamp: String(now - 600 + index),
        type: 'image',
        text: undefined,
        image: {
          id: String(7000 + index),
          mime_type: 'image/jpeg',
          sha256: createHash('sha256').update(bytes).digest('base64'),
        },
      }),
    );
    const log = await machine.write('log.ndjson', bodies.map((body) => `${JSON.stringify(body)}\n`).join(''));
    expect((await machine.run(['replay', log, '--register'])).code).toBe(0);
    const to = join(machine.directory, 'media');
    const env = { WA_RECONCILE_GRAPH_URL: fake.url, WA_RECONCILE_GRAPH_TOKEN: TOKEN };
    const line = ['media', 'fetch', '--to', to, '--json'];
    const addresses = () => fake.asked().filter((path) => /^GET 7\d{3}$/.test(path));
    return { machine, fake, files, to, env, line, addresses };
  }

  async function expectAll(to: string, files: readonly FakeFile[]): Promise<void> {
    for (const { bytes } of files) {
      const hash = createHash('sha256').update(bytes).digest('hex');
      expect((await readFile(join(to, hash.slice(0, 2), `${hash}.jpg`))).equals(bytes)).toBe(true);
    }
    expect(await readdir(join(to, '.incoming'))).toEqual([]);
  }

  test('a run that is killed in the middle of files is taken up, and asks for no finished file again', async () => {
    const { machine, fake, files, to, env, line, addresses } = await prepare();
    for (let index = 6; index < 10; index += 1) {
      fake.fail(`file/${7000 + index}`, { kind: 'slow', pieceBytes: 1000, ms: 500 });
    }
    const child = await machine.start(line, { env });
    while (addresses().length < 10) await new Promise((later) => setTimeout(later, 20));
    await new Promise((later) => setTimeout(later, 300));
    child.process.kill('SIGKILL');
    await child.ended;
    const before = addresses().length;
    const again = await machine.run(line, { env });
    expect(again.code).toBe(0);
    expect(JSON.parse(again.stdout)).toMatchObject({
      status: 'completed',
      connections: [{ fetched: 6, owed: 0 }],
    });
    expect(addresses().length - before).toBe(6);
    await expectAll(to, files);
  });

  test('two at once fetch nothing twice, and no token is in any output', async () => {
    const { machine, fake, files, to, env, line, addresses } = await prepare();
    for (let index = 0; index < FILES; index += 1) {
      fake.fail(`file/${7000 + index}`, { kind: 'slow', pieceBytes: 50_000, ms: 50 });
    }
    const loud = [...line, '--debug', '-vv', '--lock-wait', '60s'];
    const both = await Promise.all([machine.run(loud, { env }), machine.run(loud, { env })]);
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    const fetched = both.map(
      ({ stdout }) => (JSON.parse(stdout) as MediaFetchResult).connections[0]?.fetched,
    );
    expect(fetched.toSorted()).toEqual([0, FILES]);
    expect(addresses()).toHaveLength(FILES);
    await expectAll(to, files);
    for (const { stdout, stderr } of both) expect(stdout + stderr).not.toContain(TOKEN);
    expect(fake.requests.map(({ url }) => url).join('\n')).not.toContain(TOKEN);
  });
});
