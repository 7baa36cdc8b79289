import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { createContext, replay } from '../../src/index.js';
import { builtBinary } from '../support/built-binary.js';
import { useBackend } from '../support/databases.js';
import { ANA, echo, live, wamid } from '../support/webhooks.js';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const run = promisify(execFile);

const manifest = z.object({ dependencies: z.record(z.string(), z.string()) });

/**
 * An empty TypeScript project, as strict as they come, that has wa-reconcile installed, what that depends on, and only Node's
 * types besides. The package is a copy: through a link, its types would find what only this repository has.
 */
async function makeProject(): Promise<string> {
  const binary = await builtBinary();
  const directory = await mkdtemp(join(inject('databases').directory, 'project-'));
  const installed = join(directory, 'node_modules', 'wa-reconcile');
  await mkdir(installed, { recursive: true });
  await cp(dirname(dirname(binary)), join(installed, 'dist'), { recursive: true });
  // Without its check of types, which `npm run check` and every build make: it changes nothing of the declarations.
  const argv = [TSC, '-p', join(ROOT, 'tsconfig.build.json'), '--noCheck', '--incremental', 'false'];
  await run(process.execPath, [...argv, '--outDir', join(installed, 'dist')]);
  await cp(join(ROOT, 'package.json'), join(installed, 'package.json'));
  await symlink(join(ROOT, 'prisma'), join(installed, 'prisma'));
  const { dependencies } = manifest.parse(JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')));
  for (const name of new Set([...Object.keys(dependencies), '@types/node', 'undici-types'])) {
    const link = join(directory, 'node_modules', name);
    await mkdir(dirname(link), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), link);
  }
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    outDir: 'out',
  };
  await writeFile(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  return directory;
}

async function compile(directory: string): Promise<string> {
  return run(process.execPath, [TSC, '-p', directory]).then(
    () => '',
    (error: unknown) => (error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error)),
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A way to a database that can be cut; connections to it fail from then on. */
async function cuttableWay(url: string): Promise<{ url: string; cut: () => Promise<void> }> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const relay = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy()).pipe(to);
    }
  });
  const own = new URL(url);
  own.port = String(await freePort());
  await new Promise<void>((resolve) => relay.listen(Number(own.port), hostname, resolve));
  const cut = async (): Promise<void> => {
    const closed = once(relay, 'close');
    relay.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { url: own.href, cut };
}

/** The code between the fences under a heading of the README. */
async function exampleUnder(heading: string): Promise<string> {
  const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
  const section = readme.slice(readme.indexOf(`## ${heading}`));
  const code = /```ts\n([\s\S]*?)```/.exec(section)?.[1];
  if (code === undefined) throw new Error(`the README has no example under ${heading}`);
  return code;
}

const page = z.looseObject({
  messages: z.array(z.looseObject({ externalId: z.string() })),
  pagination: z.looseObject({ cursor: z.string().nullable() }),
});

const MAIN = `import { createWriteStream } from 'node:fs';
       import { backup, checkBackup, createContext, eraseContact, exportMessages, prune, replay, restore, type RunResult } from 'wa-reconcile';
       import type { BackupResult, EraseResult, ExportSummary, PruneResult } from 'wa-reconcile';
       import { importContact, linkDevice } from 'wa-reconcile/devices';
       const ctx = await createContext({ home: 'data', create: true });
       const result: RunResult = await replay(ctx, { paths: ['hooks'], register: true });
       console.log(result.messages.created, importContact, linkDevice);
       const copied: BackupResult = await backup(ctx, { to: createWriteStream('crm.tar'), encryption: { keys: ['age1'] } });
       const kept: PruneResult = await prune(ctx, { olderThanMs: 86_400_000, classes: ['status'] });
       const plan: EraseResult = await eraseContact(ctx, { contact: '+5511912345678' });
       const shown: ExportSummary = await exportMessages(ctx, {
         contact: '+5511912345678',
         sink: { begin: async ({ contact }) => console.log(contact.name), messages: async (page) => console.log(page[0]?.body), end: async () => {} },
       });
       console.log(copied.rows, kept.bytes, plan.tables, shown.messages, await checkBackup('crm.tar'), restore);
       // @ts-expect-error: nothing to write to
       await backup(ctx, {});
       // @ts-expect-error: two databases
       await createContext({ home: 'data', databaseUrl: 'postgresql://127.0.0.1/crm' });
       // @ts-expect-error: no such option
       await replay(ctx, { pahts: ['hooks'] });
      `;

describe('the package as a library', () => {
  const backend = useBackend('postgresql');
  let child: ChildProcess | undefined;

  /** One project with both programs: checking the libraries takes the compiler most of its time. */
  let project = { directory: '', complaints: '' };

  async function makePrograms(): Promise<typeof project> {
    const directory = await makeProject();
    await writeFile(join(directory, 'main.ts'), MAIN);
    await writeFile(join(directory, 'server.ts'), await exampleUnder('As a library'));
    return { directory, complaints: await compile(directory) };
  }

  beforeAll(async () => {
    project = await makePrograms();
  }, 240_000);
  afterEach(() => {
    child?.kill('SIGKILL');
  });

  it('compiles in a strict project that checks libraries, both entries', () => {
    expect(project.complaints).toBe('');
  });

  it('runs without Baileys, its image library and libphonenumber-js, whose code it brings', async () => {
    const dist = join(project.directory, 'node_modules', 'wa-reconcile', 'dist');
    const files = (await readdir(join(dist, 'shared'))).map((file) => join(dist, 'shared', file));
    const program = `for (const file of ${JSON.stringify(files)}) await import(file);
       console.log(typeof (await import('wa-reconcile/devices')).linkDevice);`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: project.directory,
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'function\n', stderr: '' });
    const licenses = await readFile(join(dist, 'LICENSES.txt'), 'utf8');
    for (const name of ['@whiskeysockets/baileys', 'libphonenumber-js'])
      expect(licenses).toMatch(
        new RegExp(`^== ${name} \\S+, MIT\\n\\n[^=]*Permission is hereby granted`, 'm'),
      );
    // What is under the GPL stays a package of its own.
    expect(licenses).not.toMatch(/\bA?GPL/);
  });

  it('runs the example of the README as it stands: the page API of a CRM', async () => {
    const example = await exampleUnder('As a library');
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(25);
    const config = await backend.config();
    if (config.kind !== 'postgresql') throw new Error('the server has a URL');
    const ctx = await createContext({ databaseUrl: config.url });
    const bodies = [live('a', 0), echo('b', 60), live('c', 120)];
    const { Readable } = await import('node:stream');
    await replay(ctx, {
      input: Readable.from(bodies.map((body) => `${JSON.stringify(body)}\n`)),
      register: true,
    });
    await ctx.close();

    expect(project.complaints).toBe('');
    const port = await freePort();
    const way = await cuttableWay(config.url);
    const server = spawn(process.execPath, [join(project.directory, 'out', 'server.js')], {
      env: { DATABASE_URL: way.url, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child = server;
    const said: string[] = [];
    createInterface({ input: server.stderr }).on('line', (line) => said.push(line));
    const url = `http://127.0.0.1:${port}/conversations/sync`;
    await expect
      .poll(
        () =>
          fetch(url).then(
            () => true,
            () => false,
          ),
        { timeout: 30_000 },
      )
      .toBe(true);

    const first = page.parse(await (await fetch(`${url}?contact=${ANA}&limit=2`)).json());
    expect(first.messages.map(({ externalId }) => externalId)).toEqual([wamid('c'), wamid('b')]);
    const next = new URLSearchParams({ contact: ANA, limit: '2', cursor: first.pagination.cursor ?? '' });
    const second = page.parse(await (await fetch(`${url}?${next.toString()}`)).json());
    expect(second.messages.map(({ externalId }) => externalId)).toEqual([wamid('a')]);
    expect(second.pagination.cursor).toBeNull();

    const statuses = [];
    for (const query of [
      '',
      '?contact=nobody',
      '?contact=5511900000123',
      `?contact=${ANA}&since=yesterday`,
    ]) {
      statuses.push((await fetch(url + query)).status);
    }
    expect(statuses).toEqual([400, 400, 404, 400]);
    // Not a relative URL: it must not end the server.
    expect((await fetch(`http://127.0.0.1:${port}//`)).status).toBe(404);
    // Whose mistake it is decides what a caller does next: correct the request, or try again.
    await way.cut();
    const ask = async (): Promise<[number, unknown]> => {
      const answer = await fetch(`${url}?contact=${ANA}`);
      return [answer.status, await answer.json()];
    };
    // The first request may still find the connection of before.
    expect(await ask()).toEqual([503, { error: expect.stringMatching(/^database_/) as string }]);
    await expect.poll(ask).toEqual([503, { error: 'database_unreachable' }]);
    server.kill('SIGTERM');
    const [code] = (await once(server, 'exit')) as [number | null];
    expect({ code, said }).toEqual({ code: 0, said: [] });
  });
});
