import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { normalizedDatabase } from '../support/normalized.js';
import { useBackend } from '../support/databases.js';
import { startPgbouncer, type Pooler } from '../support/pgbouncer.js';
import { replayFiles } from '../support/replaying.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { killTimes } from './killing.js';
import { busyLog, liveLines } from './logs.js';
import { parseRun } from './run-json.js';

const SMALL_BATCHES = ['--register', '--batch-size', '20', '--json'];

describe('the command behind PgBouncer in transaction mode', () => {
  let pooler: Pooler | undefined;
  beforeAll(async () => {
    pooler = await startPgbouncer(inject('databases').serverUrl);
  });
  afterAll(() => pooler?.stop());
  const backend = useBackend('postgresql');
  const machines = useMachines(backend);

  /** A machine whose DATABASE_URL leads through the pooler. */
  async function install(state?: 'empty'): Promise<Installation> {
    const machine = await machines.install(state);
    if (machine.config.kind !== 'postgresql' || pooler === undefined) throw new Error('no server');
    const env = { DATABASE_URL: pooler.through(machine.config.url) };
    const through: Installation['start'] = (argv, more = {}) =>
      machine.start(argv, { ...more, env: { ...env, ...more.env } });
    return { ...machine, start: through, run: async (argv, more) => (await through(argv, more)).ended };
  }

  async function pictureOf(path: string): Promise<Record<string, unknown[]>> {
    const store = await backend.open();
    await replayFiles(store, [path]);
    return normalizedDatabase(store);
  }

  test('migrates from two processes at once, and replays as past it', async () => {
    const machine = await install('empty');
    const migrated = await Promise.all([machine.run(['db', 'migrate']), machine.run(['db', 'migrate'])]);
    expect(migrated.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    const log = await machine.write('log.ndjson', busyLog(200, 5));
    const replayed = await machine.run(['replay', log, ...SMALL_BATCHES]);
    expect({ code: replayed.code, stderr: replayed.stderr }).toEqual({ code: 4, stderr: '' });
    expect(differences(await machine.picture(), await pictureOf(log))).toEqual([]);
  });

  test('shows, plans and merges as past it, and the doctor names the pooler', async () => {
    const machine = await install();
    const log = await machine.write('log.ndjson', liveLines(60));
    expect((await machine.run(['replay', log, ...SMALL_BATCHES])).code).toBe(0);
    for (const [argv, code] of [
      [['connection', 'list'], 0],
      [['messages', '5511900000001'], 0],
      [['dedupe', '--apply', '--json'], 0],
      [['verify', '--json'], 0],
    ] as const) {
      const ended = await machine.run(argv);
      expect({ argv, code: ended.code, stderr: ended.stderr }).toEqual({ argv, code, stderr: '' });
    }
    expect((await machine.run(['doctor'])).stdout).toContain('pooler');
  });

  test('replays one log twice at once: every row once', async () => {
    const machine = await install();
    const log = await machine.write('log.ndjson', busyLog(600, 41));
    const ended = await Promise.all([
      machine.run(['replay', log, ...SMALL_BATCHES]),
      machine.run(['replay', log, ...SMALL_BATCHES]),
    ]);
    for (const { code, stderr } of ended) expect({ code, stderr }).toEqual({ code: 4, stderr: '' });
    expect(differences(await machine.picture(), await pictureOf(log))).toEqual([]);
  });

  test('keeps a reconcile and a replay apart, and lets the one wait for the other', async () => {
    const machine = await install();
    const log = await machine.write('log.ndjson', busyLog(300, 3));
    const replaying = await machine.start(['replay', log, ...SMALL_BATCHES, '--events']);
    await replaying.says('"event":"progress"', 'stderr');
    await machine.look((store) =>
      store.transaction(async (tx) => {
        // The replay waits for this in the middle of a batch, and is not over before the second is refused.
        await tx.execute('lock table messages in access exclusive mode');
        // Past the pooler it meets the same lock.
        const config = machine.config.kind === 'postgresql' ? machine.config.url : '';
        const [refused, direct] = await Promise.all([
          machine.run(['reconcile']),
          machine.run(['reconcile'], { env: { DIRECT_URL: config } }),
        ]);
        expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 5, stdout: '' });
        expect(refused.stderr).toMatch(/in use by replay .*this command needs exclusive access/);
        expect(direct.code).toBe(5);
      }),
    );
    const waited = await machine.run(['reconcile', '--apply', '--lock-wait', '120s', '--json']);
    expect([0, 3, 4]).toContain(waited.code);
    expect((await replaying.ended).code).toBe(4);
    expect(differences(await machine.picture(), await pictureOf(log))).toEqual([]);
  });

  test('goes on after kill -9 where it stopped, without a lock left behind', async () => {
    const machine = await install();
    await machine.write('log.ndjson', liveLines(500));
    const command = ['replay', 'log.ndjson', ...SMALL_BATCHES];
    expect(await killTimes(machine, command, [1, 3, 6])).toBeGreaterThan(0);
    // The pooler needs a moment to see that its client is gone.
    const rest = await machine.run([...command, '--lock-wait', '10s']);
    expect({ code: rest.code, stderr: rest.stderr }).toEqual({ code: 0, stderr: '' });
    expect(parseRun(rest.stdout).resumedFrom).toBeDefined();
    const alone = await machine.run(['reconcile', '--lock-wait', '10s', '--json']);
    expect([0, 3]).toContain(alone.code);
    expect(differences(await machine.picture(), await pictureOf(`${machine.directory}/log.ndjson`))).toEqual(
      [],
    );
  });

  test('makes missing indexes past the pooler only, and says so', async () => {
    const machine = await install();
    const log = await machine.write('log.ndjson', liveLines(20));
    expect((await machine.run(['replay', log, ...SMALL_BATCHES])).code).toBe(0);
    await machine.look(({ sql }) => sql.execute('drop index messages_connection_id_external_id_key'));
    const refused = await machine.run(['verify', '--enforce']);
    expect({ code: refused.code, stdout: refused.stdout }).toEqual({ code: 2, stdout: '' });
    expect(refused.stderr).toContain('DIRECT_URL');
    const direct = machine.config.kind === 'postgresql' ? machine.config.url : '';
    const enforced = await machine.run(['verify', '--enforce'], { env: { DIRECT_URL: direct } });
    expect(enforced.code).toBe(0);
    expect(enforced.stderr).toContain('Created unique index messages_connection_id_external_id_key');
  });
});
