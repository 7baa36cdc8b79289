import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { withDatabase } from '../../src/commands/database.js';
import { EXIT } from '../../src/model/errors.js';
import { connectServer } from '../../src/store/backends/postgresql-access.js';
import { makeIndex, MESSAGE_KEY } from '../../src/store/checks/schema.js';
import { acquireRunLock, type RunLockOptions } from '../../src/store/locks/run-lock.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { TEST_OPTIONS, useBackend } from '../support/databases.js';
import { startPgbouncer, type Pooler } from '../support/pgbouncer.js';

let pooler: Pooler | undefined;
/** Sessions of the server are handed out in turn, so that two transactions in a row meet two of them. */
beforeAll(async () => {
  pooler = await startPgbouncer(inject('databases').serverUrl, { server_round_robin: 1 });
});
afterAll(() => pooler?.stop());

const backend = useBackend('postgresql');

async function urls(): Promise<{ direct: string; pooled: string }> {
  const config = await backend.config();
  if (config.kind !== 'postgresql' || pooler === undefined) throw new Error('no server');
  return { direct: config.url, pooled: pooler.through(config.url) };
}

/** Runs something on the server itself. */
async function onServer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return work(client).finally(() => client.end());
}

async function setForDatabase(url: string, setting: string): Promise<void> {
  await onServer(url, (client) => client.query(`alter database ${client.database ?? ''} set ${setting}`));
}

async function open(config: Omit<Extract<DatabaseConfig, { kind: 'postgresql' }>, 'kind'>): Promise<Store> {
  const store = await openStore({ kind: 'postgresql', ...config }, TEST_OPTIONS);
  onTestFinished(() => store.close());
  return store;
}

function lockOptions(mode: RunLockOptions['mode'], command: string): RunLockOptions {
  return { mode, command, host: 'host-a', pid: 4321 };
}

describe('a pooler in transaction mode', () => {
  test('is asked for a database that is not there, as a server would be', async () => {
    const { pooled } = await urls();
    const url = new URL(pooled);
    url.pathname = `${url.pathname}_misspelled`;
    await expect(open({ url: url.href })).rejects.toMatchObject({
      code: 'database_unknown',
      exitCode: EXIT.usage,
    });
  });

  test('is told from a server, also when nobody else uses it', async () => {
    const { direct, pooled } = await urls();
    for (const [config, expected] of [
      [{ url: direct }, false],
      [{ url: pooled }, true],
      // Whoever says so is believed: it is the safe side.
      [{ url: `${direct}?pgbouncer=true` }, true],
      [{ url: pooled, directUrl: direct }, false],
      [{ url: direct, directUrl: 'postgresql://nobody@127.0.0.1:1/none' }, false],
    ] as const) {
      const access = await connectServer(config);
      await access.client.end();
      expect({ config, pooled: access.pooled }).toEqual({ config, pooled: expected });
    }
  });

  test('refuses a direct URL that leads elsewhere, or to a pooler', async () => {
    const { direct, pooled } = await urls();
    const other = await urls();
    await expect(open({ url: pooled, directUrl: other.direct })).rejects.toMatchObject({
      code: 'direct_url_differs',
      exitCode: EXIT.usage,
    });
    await expect(open({ url: pooled, directUrl: pooled })).rejects.toMatchObject({
      code: 'direct_url_pooled',
      exitCode: EXIT.usage,
    });
    expect((await open({ url: pooled, directUrl: direct })).pooled).toBe(false);
  });

  test('runs every statement with its settings, whichever session it meets, and leaves none behind', async () => {
    const { direct, pooled } = await urls();
    await onServer(direct, (client) => client.query('create schema shop'));
    await setForDatabase(direct, `timezone to 'Asia/Tokyo'`);
    await setForDatabase(direct, `bytea_output to 'escape'`);
    await setForDatabase(direct, 'extra_float_digits to -3');
    const url = new URL(pooled);
    url.searchParams.set('schema', 'shop');
    const store = await open({ url: url.toString() });
    const seen = `select current_schema() as schema, current_setting('timezone') as zone, current_setting('statement_timeout') as timeout,
      '\\x5c00'::bytea as bytes, (0.1::float8 + 0.2::float8)::text as sum`;
    const expected = {
      schema: 'shop',
      zone: 'UTC',
      timeout: '0',
      bytes: new Uint8Array([0x5c, 0]),
      sum: '0.30000000000000004',
    };
    for (let i = 0; i < 5; i += 1) {
      expect(await Promise.all([store.sql.query(seen), store.sql.query(seen)])).toEqual([
        [expected],
        [expected],
      ]);
      expect(await store.transaction((tx) => tx.query(seen))).toEqual([expected]);
    }
    const stranger = new pg.Client({ connectionString: pooled });
    await stranger.connect();
    for (let i = 0; i < 5; i += 1) {
      const { rows } = await stranger.query<{ schema: string; zone: string }>(seen);
      expect(rows[0]).toMatchObject({ schema: 'public', zone: 'Asia/Tokyo', sum: '0.3' });
    }
    await stranger.end();
  });

  test('reads days in UTC, whatever the zone of the database', async () => {
    const { direct, pooled } = await urls();
    await setForDatabase(direct, `timezone to 'Asia/Tokyo'`);
    const store = await open({ url: pooled });
    const day = "select date_trunc('day', $1::timestamptz) as day";
    expect(await store.sql.query(day, ['2026-01-02T20:04:05Z'])).toEqual([
      { day: new Date('2026-01-02T00:00:00Z') },
    ]);
    await store.transaction(async (tx) => {
      expect(await tx.query(day, ['2026-01-02T20:04:05Z'])).toEqual([
        { day: new Date('2026-01-02T00:00:00Z') },
      ]);
    });
  });

  test('rolls a failed statement and a failed transaction back', async () => {
    const { pooled } = await urls();
    const store = await open({ url: pooled });
    await expect(store.sql.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    const work = store.transaction(async (tx) => {
      await tx.execute(`update organizations set name = 'never'`);
      throw new Error('mine');
    });
    await expect(work).rejects.toThrow('mine');
    expect(await store.sql.query(`select 1 as one from organizations where name = 'never'`)).toEqual([]);
  });

  test('refuses to make an index concurrently, and names the remedy', async () => {
    const { pooled } = await urls();
    await expect(makeIndex(await open({ url: pooled }), MESSAGE_KEY)).rejects.toMatchObject({
      code: 'session_needed',
      exitCode: EXIT.usage,
      remedy: expect.stringContaining('DIRECT_URL') as unknown,
    });
  });

  test('with options in the URL is named as what refuses them', async () => {
    const { pooled } = await urls();
    await expect(open({ url: `${pooled}?options=-c%20search_path%3Dshop` })).rejects.toMatchObject({
      code: 'database_pooler_refused_option',
      exitCode: EXIT.usage,
    });
  });
});

test('a pooler in statement mode is refused', async () => {
  const { direct } = await urls();
  const statements = await startPgbouncer(inject('databases').serverUrl, { pool_mode: 'statement' });
  onTestFinished(() => statements.stop());
  const store = await open({ url: statements.through(direct) });
  await expect(store.sql.query('select 1')).rejects.toMatchObject({
    code: 'database_pooler_without_transactions',
    exitCode: EXIT.usage,
  });
});

describe('the lock of a run behind a pooler', () => {
  test('keeps out whoever comes through the pooler or past it, and is named', async () => {
    const { direct, pooled } = await urls();
    const ways: DatabaseConfig[] = [
      { kind: 'postgresql', url: pooled },
      { kind: 'postgresql', url: direct },
      { kind: 'postgresql', url: pooled, directUrl: direct },
    ];
    for (const holding of ways) {
      const lock = await acquireRunLock(holding, lockOptions('exclusive', 'reconcile'));
      for (const config of ways) {
        for (const mode of ['shared', 'exclusive'] as const) {
          await expect(acquireRunLock(config, lockOptions(mode, 'replay'))).rejects.toThrow(
            /in use by reconcile host-a:4321/,
          );
        }
      }
      await lock.release();
      const shared = await Promise.all(
        ways.map((config) => acquireRunLock(config, lockOptions('shared', 'replay'))),
      );
      await expect(acquireRunLock(holding, lockOptions('exclusive', 'undo'))).rejects.toThrow(
        /needs exclusive access/,
      );
      await Promise.all(shared.map((one) => one.release()));
    }
  });

  test('says so when its transaction ends, and holds back neither vacuum nor a timeout of the role', async () => {
    const { direct, pooled } = await urls();
    await setForDatabase(direct, `idle_in_transaction_session_timeout to '300ms'`);
    const lock = await acquireRunLock(
      { kind: 'postgresql', url: pooled },
      lockOptions('exclusive', 'reconcile'),
    );
    await new Promise((resolve) => setTimeout(resolve, 800));
    lock.assertHeld();
    const holders = await onServer(direct, async (client) => {
      const found = await client.query<{ pid: number }>(
        `select a.pid, a.backend_xmin as xmin, a.backend_xid as xid from pg_locks l join pg_stat_activity a on a.pid = l.pid
          where l.locktype = 'advisory' and a.datname = current_database()`,
      );
      return found.rows;
    });
    expect(holders).toEqual([{ pid: expect.any(Number) as unknown, xmin: null, xid: null }]);
    await onServer(direct, (client) => client.query('select pg_terminate_backend($1)', [holders[0]?.pid]));
    await expect.poll(() => lock.lost.aborted).toBe(true);
    expect(() => {
      lock.assertHeld();
    }).toThrow(/connection that held the lock/);
    await lock.release();
  });

  test('with a pool of one connection is refused with its name, instead of waiting for ever', async () => {
    const { direct } = await urls();
    const narrow = await startPgbouncer(inject('databases').serverUrl, { default_pool_size: 1 });
    onTestFinished(() => narrow.stop());
    const config: DatabaseConfig = { kind: 'postgresql', url: narrow.through(direct) };
    const work = withDatabase(config, { ...TEST_OPTIONS, lock: 'shared', poolerWaitMs: 500 }, () =>
      Promise.resolve('done'),
    );
    await expect(work).rejects.toMatchObject({
      code: 'database_pooler_exhausted',
      remedy: expect.stringContaining('DIRECT_URL') as unknown,
    });
    const reading = withDatabase(config, TEST_OPTIONS, (store) => store.sql.query('select 1 as one'));
    expect(await reading).toEqual([{ one: 1 }]);
  });
});
