import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MediaFetchResult } from '../../src/commands/media/types.js';
import { healthyAccount, TOKEN, type FakeFile } from '../support/fake-graph/account.js';
import { startFakeGraph } from '../support/fake-graph/server.js';
import { dumpOf } from '../support/database-dump.js';
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
    expect((await machine.call(['replay', log, '--register'])).code).toBe(0);
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
    const again = await machine.call(line, { env });
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
    expect(fake.mostAtOnce()).toBe(4);
    expect(addresses()).toHaveLength(FILES);
    await expectAll(to, files);
    for (const { stdout, stderr } of both) expect(stdout + stderr).not.toContain(TOKEN);
    expect(fake.requests.map(({ url }) => url).join('\n')).not.toContain(TOKEN);
    const dump = await machine.look(dumpOf);
    for (const hidden of [TOKEN, TOKEN.slice(8), Buffer.from(TOKEN).toString('base64').slice(0, 40)])
      expect(dump).not.toContain(hidden);
  });

  // What a signal does to the work is the same on both.
  if (backend === 'postgresql') {
    test('Ctrl-C ends after the files at work, and the next run goes on', async () => {
      const { machine, fake, files, to, env, line, addresses } = await prepare();
      for (let index = 0; index < FILES; index += 1) {
        fake.fail(`file/${7000 + index}`, { kind: 'slow', pieceBytes: 50_000, ms: 150 });
      }
      const child = await machine.start([...line, '--concurrency', '2'], { env });
      while (addresses().length < 3) await new Promise((later) => setTimeout(later, 20));
      child.process.kill('SIGINT');
      const ended = await child.ended;
      expect(ended.code).toBe(130);
      expect(fake.mostAtOnce()).toBeLessThanOrEqual(2);
      const listed = await machine.call(['runs', 'list', '--command', 'media fetch', '--json']);
      expect(JSON.parse(listed.stdout)).toMatchObject({ runs: [{ status: 'interrupted' }] });
      expect((await machine.call(line, { env })).code).toBe(0);
      await expectAll(to, files);
    });

    // The embedded database is the command's own, and its files are larger.
    test('a full disk stops it cleanly, and nothing half written stays', async () => {
      const { machine, files, to, env, line } = await prepare();
      const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      // The kernel lets no file grow beyond that: Node sees EFBIG as it would see ENOSPC.
      const full = await machine.shell(
        `ulimit -f 200; env ${variables.join(' ')} wa-reconcile ${line.join(' ')}`,
      );
      expect(full.code).toBe(1);
      expect(full.stderr).toContain('media_directory');
      expect(full.stderr).toContain('goes on where it stopped');
      expect((await readdir(to, { recursive: true })).filter((name) => /jpg|part/.test(name))).toEqual([]);
      const rest = await machine.call(line, { env });
      expect(JSON.parse(rest.stdout)).toMatchObject({ connections: [{ fetched: FILES, owed: 0 }] });
      await expectAll(to, files);
    });
  }
});
