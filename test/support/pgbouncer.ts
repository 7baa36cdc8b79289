import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { findFreePort, unprivilegedOwner } from './postgres-server.js';

export interface Pooler {
  /** The same database through the pooler. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** Ends the pooler when we end, in whatever way: its standard input closes then. */
const SUPERVISOR = `
"$1" -q "$2/pgbouncer.ini" >"$2/out" 2>&1 &
read -r _
kill -9 $!
wait $!
rm -rf "$2"
`;

const START_TIMEOUT_MS = 20_000;

/**
 * Starts Debian's PgBouncer before a server, on a free loopback port. Fails where it is not installed: what is said about
 * poolers is proven with a real one.
 */
export async function startPgbouncer(
  serverUrl: string,
  settings: Readonly<Record<string, string | number>> = {},
): Promise<Pooler> {
  const program = findProgram();
  const { hostname, port: serverPort, username } = new URL(serverUrl);
  const directory = await mkdtemp(join(tmpdir(), 'wa-reconcile-pgbouncer-'));
  const port = await findFreePort();
  const options = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'any',
    pool_mode: 'transaction',
    default_pool_size: 20,
    ...settings,
  };
  await writeFile(
    join(directory, 'pgbouncer.ini'),
    [
      '[databases]',
      `* = host=${hostname} port=${serverPort} user=${username}`,
      '[pgbouncer]',
      ...Object.entries(options).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  );
  const owner = unprivilegedOwner();
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
  const child = spawn('sh', ['-c', SUPERVISOR, 'sh', program, directory], {
    ...owner,
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.stdin.end();
    await exited;
  };
  function through(url: string): string {
    const pooled = new URL(url);
    pooled.port = String(port);
    return pooled.toString();
  }
  try {
    await waitUntilReady(through(serverUrl));
  } catch (error) {
    const log = await readFile(join(directory, 'out'), 'utf8').catch(() => '(no log)');
    await stop();
    throw new Error(`PgBouncer did not start:\n${log}`, { cause: error });
  }
  return { through, stop };
}

function findProgram(): string {
  for (const path of ['/usr/sbin/pgbouncer', 'pgbouncer']) {
    try {
      execFileSync(path, ['--version'], { stdio: 'ignore' });
      return path;
    } catch {
      // The next place.
    }
  }
  throw new Error('these tests need PgBouncer: apt-get install pgbouncer');
}

async function waitUntilReady(url: string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      await client.query('select 1');
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
