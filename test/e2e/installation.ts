import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hostname } from 'node:os';
import { afterEach, beforeAll, inject } from 'vitest';
import type { Backend, Store } from '../../src/store/store.js';
import type { Seen } from '../cli/run-cli.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import { builtBinary } from '../support/built-binary.js';
import { watch, type Child, type ChildResult } from '../support/child-process.js';
import { useBackend, type TestBackend } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';

const BUILD_TIMEOUT_MS = 150_000;

/**
 * PGlite without V8's optimizing compiler, which costs half a second per start: most commands end before it pays. It computes
 * the same either way. A line for `sh` runs the command as npm links it, where the server has the database.
 */
const NODE_FLAGS = ['--liftoff-only'];

/** How one call of the command differs from the usual. */
export interface Surroundings {
  env?: Readonly<Record<string, string>>;
  cwd?: string;
  /** Standard input; at its end from the start unless given. */
  stdin?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** How one call in this process differs from the usual. */
export interface CallSurroundings {
  env?: Readonly<Record<string, string>>;
  stdin?: string;
}

/** A machine on which the command is installed: a directory, a database of its own, nothing else in the environment. */
export interface Installation {
  directory: string;
  config: DatabaseConfig;
  /** Where the command finds that database. */
  environment: Readonly<Record<string, string>>;
  /** Writes a file into the directory; gives its path. */
  write(name: string, content: string | Uint8Array): Promise<string>;
  start(argv: readonly string[], surroundings?: Surroundings): Promise<Child>;
  run(argv: readonly string[], surroundings?: Surroundings): Promise<ChildResult>;
  /**
   * Runs the command line in this process, which starts in no time: for what a command says and stores once the file has run the
   * built one. What is about processes (kills, locks, signals, variables that Node reads itself) takes `run`.
   */
  call(argv: readonly string[], surroundings?: CallSurroundings): Promise<Seen>;
  /** A line for `sh`, in which `wa-reconcile` is the command. */
  shell(script: string): Promise<ChildResult>;
  look<T>(work: (store: Store) => Promise<T>): Promise<T>;
  /** See {@link normalizedDatabase}. */
  picture(): Promise<Record<string, unknown[]>>;
}

export interface Machines {
  install(state?: 'migrated' | 'empty'): Promise<Installation>;
}

/** Installations of the enclosing `describe`; every child that is left is killed after its test. */
export function useMachines(given: Backend | TestBackend): Machines {
  const backend = typeof given === 'string' ? useBackend(given) : given;
  const directories: string[] = [];
  const children = new Set<Child>();
  // Compiling it must not cost the first test its time.
  beforeAll(async () => {
    await builtBinary();
  }, BUILD_TIMEOUT_MS);
  afterEach(async () => {
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all([...children].map((child) => child.ended));
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
  });

  return {
    install: async (state = 'migrated') => {
      const config = await (state === 'migrated' ? backend.config() : backend.emptyConfig());
      const directory = await mkdtemp(join(inject('databases').directory, 'e2e-'));
      directories.push(directory);
      return describeInstallation(config, directory, children);
    },
  };
}

async function describeInstallation(
  config: DatabaseConfig,
  directory: string,
  children: Set<Child>,
): Promise<Installation> {
  const binary = await builtBinary();
  await mkdir(join(directory, 'bin'));
  const command = join(directory, 'bin', 'wa-reconcile');
  if (config.kind === 'postgresql') await symlink(binary, command);
  else {
    const words = [process.execPath, ...NODE_FLAGS, binary].map((word) => `'${word}'`);
    await writeFile(command, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`, { mode: 0o755 });
  }
  const environment: Record<string, string> =
    config.kind === 'postgresql'
      ? { DATABASE_URL: config.url }
      : { WA_RECONCILE_HOME: dirname(config.directory) };
  const ownEnvironment = {
    ...environment,
    // The command by its name, run by this very Node, as npm links it.
    PATH: [join(directory, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: directory,
  };

  function launch(program: string, argv: readonly string[], { env, cwd, stdin }: Surroundings): Child {
    const started = spawn(program, argv, {
      cwd: cwd ?? directory,
      env: { ...ownEnvironment, ...env },
      stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    if (stdin !== undefined && started.stdin !== null) {
      const input = typeof stdin === 'string' || stdin instanceof Uint8Array ? [Buffer.from(stdin)] : stdin;
      // A command that ends before it has read everything closes the pipe; what matters is what it says.
      pipeline(Readable.from(input), started.stdin).catch(() => undefined);
    }
    const child = watch(started);
    children.add(child);
    void child.ended.then(() => children.delete(child));
    return child;
  }

  const start: Installation['start'] = (argv, surroundings = {}) =>
    Promise.resolve(launch(process.execPath, [...NODE_FLAGS, binary, ...argv], surroundings));

  async function look<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const store = await openStore(config, { command: 'look', host: hostname(), pid: process.pid });
    try {
      return await work(store);
    } finally {
      await store.close();
    }
  }

  return {
    directory,
    config,
    environment,
    write: async (name, content) => {
      const path = join(directory, name);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
      return path;
    },
    start,
    run: async (argv, surroundings) => (await start(argv, surroundings)).ended,
    call: async (argv, { env, ...stdin } = {}) => {
      // Only for files that ask for it: most never load the command's sources.
      const { runCli } = await import('../cli/run-cli.js');
      const host = hostname();
      return runCli(argv, { env: { ...environment, ...env }, cwd: directory, host, ...stdin });
    },
    shell: (script) => launch('sh', ['-c', script], {}).ended,
    look,
    picture: () => look(normalizedDatabase),
  };
}
