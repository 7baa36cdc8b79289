import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { setConstraintsAside } from '../../src/store/dump/load-rows.js';
import { quoted, readTables } from '../../src/store/dump/tables.js';
import { migrate } from '../../src/store/migrations/migrate.js';
import { readMigrations } from '../../src/store/migrations/status.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { withDatabase } from '../support/server-url.js';
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
  /** What `pg_dump | psql` does: the rows by COPY, then indexes and foreign keys. */
  copy: { milliseconds: number; by: string };
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
  return { title: 'PostgreSQL', messages, backup, restore, copy, bytes: (await stat(file)).size };
}

export const BACKUP_HEADER = ['database', 'way', 'messages/s', 'time', 'to COPY', 'memory'];

/** One line per way: the sum of both is what the budget is about. */
export function backupRatesOf({ title, messages, backup, restore, copy, bytes }: BackupFigures): string[][] {
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
    row(`COPY (${copy.by}), indexes, keys`, copy.milliseconds),
  ];
}

export function judgeBackup({ title, backup, restore, copy }: BackupFigures): Verdict[] {
  const times = (backup.milliseconds + restore.milliseconds) / copy.milliseconds;
  const peak = Math.max(backup.peakBytes, restore.peakBytes);
  return [
    {
      title,
      budget: `backup and restore within ${MOST_TIMES}x of COPY`,
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

/**
 * The statements of `pg_dump | psql`: each table through `psql | psql` where psql is there, else through a file of the server's own,
 * which is quicker than any client; then indexes and foreign keys. pg_dump itself refuses a server newer than itself.
 */
async function copyAll(from: string, into: string): Promise<{ milliseconds: number; by: string }> {
  const known = await readMigrations();
  const names = await withStore(into, async (store) => {
    await migrate(store);
    return (await readTables(store.sql, known)).map(({ name }) => name);
  });
  const hasPsql = await succeeds('psql', ['--version']);
  const copy = hasPsql ? copyThroughPsql : copyThroughFile;
  const milliseconds = await stopwatch(() =>
    withStore(into, async ({ sql }) => {
      await sql.execute('delete from organizations');
      const aside = await setConstraintsAside(sql, names);
      for (const name of names) await copy(from, into, name);
      await aside.putBack();
    }),
  );
  return { milliseconds, by: hasPsql ? 'psql | psql' : 'a file of the server' };
}

async function copyThroughPsql(from: string, into: string, name: string): Promise<void> {
  const script = `psql -qX -d "$FROM" -c "copy $TABLE to stdout" | psql -qX -d "$INTO" -c "copy $TABLE from stdin"`;
  const isDone = await succeeds('sh', ['-c', script], { FROM: from, INTO: into, TABLE: name });
  if (!isDone) throw new Error(`${name} was not copied by psql`);
}

async function copyThroughFile(from: string, into: string, name: string): Promise<void> {
  const [where] = await withStore(from, ({ sql }) =>
    sql.query(`select current_setting('data_directory') as directory`),
  );
  const file = `'${join(String(where?.['directory']), `${name}.copy`)}'`;
  await withStore(from, ({ sql }) => sql.execute(`copy ${quoted(name)} to ${file}`));
  await withStore(into, ({ sql }) => sql.execute(`copy ${quoted(name)} from ${file}`));
}

async function succeeds(
  program: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<boolean> {
  const child = spawn(program, argv, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
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
