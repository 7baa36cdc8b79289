import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transformWithOxc } from 'vite';
import { inject } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** What a child process said and how it ended. */
export interface ChildResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Child {
  process: ChildProcess;
  /** Resolves with what has been printed so far as soon as `text` is in it; rejects if the process ends without. */
  says(text: string, on?: 'stdout' | 'stderr'): Promise<string>;
  /** Resolves when it has ended. */
  ended: Promise<ChildResult>;
}

export interface ChildOptions {
  /** Values that the program finds as JSON in `input`. */
  input?: unknown;
  /** Added to the environment of the tests. */
  env?: Readonly<Record<string, string>>;
  uid?: number;
  gid?: number;
}

/**
 * Starts a process of its own that runs the sources: `program` is the body of an ES module, to which `load` gives a module
 * by its path (`src/store/open-store`), and `input` what was passed. For what only real processes can show: locks, kills.
 */
export async function startChild(
  program: string,
  { input = null, env = {}, ...owner }: ChildOptions = {},
): Promise<Child> {
  const directory = await compileSources();
  const url = pathToFileURL(directory).href;
  const prelude = `
    const load = (path) => import(${JSON.stringify(url)} + '/' + path + '.js');
    const input = ${JSON.stringify(input)};
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', prelude + program], {
    ...owner,
    env: { ...process.env, ...env },
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return watch(child);
}

/** {@link startChild}, to its end. */
export async function runChild(program: string, options: ChildOptions = {}): Promise<ChildResult> {
  return (await startChild(program, options)).ended;
}

/** Collects what a process says, from now on. */
export function watch(child: ChildProcess): Child {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
    });
  }
  const ended = once(child, 'close').then((): ChildResult => ({
    code: child.exitCode,
    signal: child.signalCode,
    ...said,
  }));
  async function says(text: string, on: 'stdout' | 'stderr' = 'stdout'): Promise<string> {
    while (!said[on].includes(text)) {
      const stream = child[on];
      if (stream === null) throw new Error(`the child has no ${on}`);
      const more = once(stream, 'data').then(() => true);
      if (!(await Promise.race([more, ended.then(() => false)])) && !said[on].includes(text)) {
        throw new Error(`the child ended without saying ${text}:\n${said.stdout}\n${said.stderr}`);
      }
    }
    return said[on];
  }
  return { process: child, says, ended };
}

/**
 * The sources as JavaScript, which Node 20 can run, in the directory of this run; made once, by whoever asks first. Types
 * are not checked here: a test of one part does not fail for a type error in another.
 */
export function compileSources(): Promise<string> {
  return (compiled ??= compile());
}

let compiled: Promise<string> | undefined;

async function compile(): Promise<string> {
  const target = join(inject('databases').directory, 'compiled');
  const part = `${target}-${process.pid}`;
  if (await isThere(target)) return target;
  for (const room of ['src', 'bin']) await compileDirectory(join(ROOT, room), join(part, room));
  await symlink(join(ROOT, 'node_modules'), join(part, 'node_modules'));
  await symlink(join(ROOT, 'prisma'), join(part, 'prisma'));
  await copyFile(join(ROOT, 'package.json'), join(part, 'package.json'));
  // Fails if another worker was quicker; then its directory serves.
  await rename(part, target).catch(() => rm(part, { recursive: true, force: true }));
  return target;
}

async function compileDirectory(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    if (entry.isDirectory()) await compileDirectory(source, join(to, entry.name));
    if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
    const { code } = await transformWithOxc(await readFile(source, 'utf8'), source, { target: 'es2023' });
    await writeFile(join(to, entry.name.replace(/\.ts$/, '.js')), code);
  }
}

async function isThere(directory: string): Promise<boolean> {
  return readdir(directory).then(
    () => true,
    () => false,
  );
}
