import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { setConstraintsAside } from '../../src/store/dump/load-rows.js';
import { quoted, readTables } from '../../src/store/dump/tables.js';
import { migrate } from '../../src/store/migrations/migrate.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { withDatabase } from '../support/server-url.js';
import { storedBytes } from './measure-target.js';
import { stopwatch } from './measured.js';
import { format, type Verdict } from './report.js';
import { runMeasured, type MeasuredProcess } from './run-binary.js';

export interface BackupFigures {
  title: string;
  messages: number;
  backup: MeasuredProcess;
  /** Of the file. */
  bytes: number;
  restore: MeasuredProcess;
  /** What PostgreSQL's own programs take. */
  copy: { milliseconds: number; by: string };
  /** Of the restored database, with the bodies of all raw entries emptied. */
  prune: MeasuredProcess;
  /** All tables with their indexes, freshly written, per message: with all bodies, and without. */
  bytesPerMessage: { kept: number; pruned: number };
}

/** A server of the bench, and the database on it that holds the messages. */
export interface BackupPlan {
  url: string;
  messages: number;
  directory: string;
}

/** Twice the time of `pg_dump | psql`, and memory that does not grow with the data. */
const MOST_TIMES = 2;
const MOST_MEMORY = 400 * 1024 ** 2;

/** Backs a database up, restores it beside itself, and copies it as PostgreSQL's own programs would. */
export async function measureBackup({ url, messages, directory }: BackupPlan): Promise<BackupFigures> {
  const file = join(directory, 'backup.tar');
  // Both ways read what the first one has warmed.
  await withStore(url, async ({ sql }) => {
    await sql.query('select count(*) from messages where body is null');
    await sql.query('select count(*) from webhook_log where octet_length(raw_body) = 0');
  });
  const backup = await runMeasured(['backup', file, '--json', '-q'], { DATABASE_URL: url }, directory);
  const restored = await createDatabase(url, 'bench_restored');
  const restore = await runMeasured(['restore', file, '--json', '-q'], { DATABASE_URL: restored }, directory);
  const copied = await createDatabase(url, 'bench_copied');
  const copy = await copyAll(url, copied);
  const kept = await withStore(restored, storedBytes);
  const prune = await runMeasured(PRUNE_ALL, { DATABASE_URL: restored }, directory);
  const pruned = await withStore(restored, storedBytes);
  return {
    title: 'PostgreSQL',
    messages,
    backup,
    restore,
    copy,
    prune,
    bytes: (await stat(file)).size,
    bytesPerMessage: { kept: kept / messages, pruned: pruned / messages },
  };
}

const PRUNE_ALL = [
  'prune',
  '--older-than',
  '1s',
  '--class',
  'processed,status,group,newsletter,broadcast',
].concat(['--apply', '--vacuum', '--json', '-q']);

export const BACKUP_HEADER = ['database', 'way', 'messages/s', 'time', 'to pg_dump', 'memory'];

/** One line per way: the sum of both is what the budget is about. */
export function backupRatesOf(figures: BackupFigures): string[][] {
  const { title, messages, backup, restore, copy, prune, bytes, bytesPerMessage } = figures;
  const { kept, pruned } = bytesPerMessage;
  const row = (what: string, milliseconds: number, peakBytes?: number): string[] => [
    title,
    what,
    format((messages / milliseconds) * 1000),
    `${(milliseconds / 1000).toFixed(1)} s`,
    `${(milliseconds / copy.milliseconds).toFixed(2)}x`,
    peakBytes === undefined ? '' : `${(peakBytes / 1024 ** 2).toFixed(0)} MB`,
  ];
  return [
    row(`backup (${format(bytes / 1e6)} MB)`, backup.milliseconds, backup.peakBytes),
    row('restore', restore.milliseconds, restore.peakBytes),
    row(copy.by, copy.milliseconds),
    row(
      `prune (${format(kept)} bytes per message to ${format(pruned)})`,
      prune.milliseconds,
      prune.peakBytes,
    ),
  ];
}

export function judgeBackup({ title, backup, restore, copy }: BackupFigures): Verdict[] {
  const times = (backup.milliseconds + restore.milliseconds) / copy.milliseconds;
  const peak = Math.max(backup.peakBytes, restore.peakBytes);
  return [
    {
      title,
      budget: `backup and restore within ${MOST_TIMES}x of ${copy.by}`,
      measured: `${times.toFixed(2)}x`,
      pass: times <= MOST_TIMES,
    },
    {
      title,
      budget: `backup and restore in ${MOST_MEMORY / 1024 ** 2} MB`,
      measured: `${(peak / 1024 ** 2).toFixed(0)} MB`,
      pass: peak <= MOST_MEMORY,
    },
  ];
}

/** `pg_dump | psql` where these can read the server, which a pg_dump older than it refuses; else what they do, from this process. */
async function copyAll(from: string, into: string): Promise<{ milliseconds: number; by: string }> {
  if (await succeeds('pg_dump', ['--schema-only', '--file', '/dev/null', from])) {
    const script = 'pg_dump "$FROM" | psql -qX -v ON_ERROR_STOP=1 -d "$INTO" >/dev/null';
    const milliseconds = await stopwatch(async () => {
      if (!(await succeeds('sh', ['-c', script], { FROM: from, INTO: into }))) throw new Error('psql failed');
    });
    const [there, here] = [await countMessages(from), await countMessages(into)];
    if (there !== here) throw new Error(`pg_dump | psql copied ${here} messages of ${there}`);
    return { milliseconds, by: 'pg_dump | psql' };
  }
  const known = await readMigrations();
  const names = await withStore(into, async (store) => {
    await migrate(store);
    return (await readTables(store.sql, known)).map(({ name }) => name);
  });
  const milliseconds = await stopwatch(() =>
    withStore(into, async ({ sql }) => {
      await sql.execute('delete from organizations');
      const aside = await setConstraintsAside(sql, names);
      for (const name of names) await copyThrough(from, into, name);
      await aside.putBack();
    }),
  );
  return { milliseconds, by: 'COPY | COPY, then indexes and keys' };
}

/** One server's end reads while the other's writes, as with two programs. */
async function copyThrough(from: string, into: string, name: string): Promise<void> {
  const [source, target] = [
    new pg.Client({ connectionString: from }),
    new pg.Client({ connectionString: into }),
  ];
  try {
    await Promise.all([source.connect(), target.connect()]);
    await pipeline(
      source.query(copyTo(`copy ${quoted(name)} to stdout`)),
      target.query(copyFrom(`copy ${quoted(name)} from stdin`)),
    );
  } finally {
    await Promise.all([source.end(), target.end()]);
  }
}

function countMessages(url: string): Promise<string> {
  return withStore(url, async ({ sql }) => {
    const [row] = await sql.query('select count(*)::text as messages from messages');
    return String(row?.['messages']);
  });
}

async function succeeds(
  program: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<boolean> {
  const child = spawn(program, argv, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return new Promise((resolve) => {
    child.once('error', () => {
      resolve(false);
    });
    child.once('exit', (code) => {
      resolve(code === 0);
    });
  });
}

async function createDatabase(url: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  return withDatabase(url, name);
}

async function withStore<T>(url: string, work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(
    { kind: 'postgresql', url },
    { command: 'bench', host: 'bench', pid: process.pid },
  );
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
