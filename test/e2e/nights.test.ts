import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { acquireRunLock } from '../../src/store/locks/run-lock.js';
import type { Store } from '../../src/store/store.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayFiles } from '../support/replaying.js';
import { SEED } from '../support/seed.js';
import { live } from '../support/webhooks.js';
import { createRandom } from '../bench/random.js';
import { differences } from './differences.js';
import { useMachines, type Installation } from './installation.js';
import { busyLog } from './logs.js';

const LOG = busyLog(500, 11);
const NIGHT = ['reconcile', '--apply', '--full', '--batch-size', '20', '--silent-after', '100000h', '--json'];
/** No terminal, no working directory of its own, no input. */
const CRON = { cwd: '/', env: { TERM: 'dumb' } };
const RESULT = z.object({
  status: z.string(),
  verdict: z.string(),
  figures: z.object({ missing: z.number(), doubled: z.number(), merged: z.number() }),
  caughtUp: z.object({ status: z.string() }).nullable(),
});

/** Every twentieth message is there a second time: less than what a night leaves to a person. */
async function damage(store: Store): Promise<void> {
  await store.sql.execute('drop index messages_connection_id_external_id_key');
  await store.sql.execute(
    `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body, media,
       context_external_id, timestamp, status, history_status, source, sync_source, is_sync_initial, raw_meta,
       meta_confirmed_at, evidence, batch_id)
     select gen_random_uuid(), connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body, media,
       context_external_id, timestamp, status, history_status, source, sync_source, is_sync_initial, raw_meta,
       meta_confirmed_at, evidence, batch_id
     from (select m.*, row_number() over (partition by connection_id order by external_id) as n from messages m
           where edited_at is null and deleted_at is null) m
     where n % 25 = 0`,
  );
}

/** What a night says while it replays, merges, verifies and reports: some milliseconds after each, one is killed. */
const MOMENTS = ['"event":"progress"', '"command":"dedupe"', '"step":"verifying"', '"step":"reporting"'];

describe.each([
  { name: 'postgresql', opening: 400 },
  { name: 'pglite', opening: 1_500 },
] as const)('the nightly on $name', ({ name, opening }) => {
  const machines = useMachines(name);

  async function prepare(): Promise<{ machine: Installation; before: Record<string, unknown[]> }> {
    const machine = await machines.install();
    const log = await machine.write('log.ndjson', LOG);
    const before = await machine.look(async (store) => {
      await replayFiles(store, [log]);
      const picture = await normalizedDatabase(store);
      await damage(store);
      return picture;
    });
    return { machine, before };
  }

  test('killed in every step, is caught up by the next, and needs nothing but its environment', async () => {
    const { machine, before } = await prepare();
    const random = createRandom(SEED);
    for (const moment of [undefined, ...MOMENTS]) {
      const child = await machine.start([...NIGHT, '--events'], CRON);
      if (moment !== undefined) await child.says(moment, 'stderr');
      await delay(random.between(0, moment === undefined ? opening : 30));
      child.process.kill('SIGKILL');
      await child.ended;
    }
    const { stdout, stderr } = await machine.run(NIGHT, CRON);
    const night = RESULT.parse(JSON.parse(stdout));
    expect(stderr).toBe('');
    expect(night.figures).toMatchObject({ missing: 0, doubled: 0 });
    // The night says that the index is missing; making it is a person's decision.
    const enforced = await machine.run(['verify', '--enforce', '--check', 'unique_index', '--json']);
    expect(enforced.code).toBe(0);
    expect(differences(await machine.picture(), before)).toEqual([]);
    const again = RESULT.parse(JSON.parse((await machine.run(NIGHT, CRON)).stdout));
    expect(again.figures).toMatchObject({ missing: 0, doubled: 0, merged: 0 });
    expect(again.caughtUp).toBeNull();
    // How it is shown is no matter of the database.
    if (name !== 'postgresql') return;
    const said = await machine.run(
      NIGHT.filter((word) => word !== '--json'),
      CRON,
    );
    expect(said.stdout.split('\n')[0]).toMatch(
      /Reconciled \d+ connections?: [\d,]+ log items compared, 0 missing, 0 duplicated/,
    );
    expect(said.stdout).not.toContain('\u001b');
    expect([0, 3, 4]).toContain(said.code);
  }, 180_000);
});

describe('two nights at once on PostgreSQL', () => {
  const machines = useMachines('postgresql');

  test('do not meet: the second names the first and exits with 5, or waits for its end', async () => {
    const machine = await machines.install();
    if (machine.config.kind !== 'postgresql') throw new Error('the lock is a matter of the server');
    await machine.run(['replay', '-', '--register'], { stdin: JSON.stringify(live('A', 0)) });
    const lock = await acquireRunLock(machine.config, {
      mode: 'exclusive',
      command: 'reconcile',
      host: 'elsewhere',
      pid: 4711,
      waitMs: 0,
      signal: new AbortController().signal,
    });
    const refused = await machine.run(NIGHT);
    expect(refused.code).toBe(5);
    expect(refused.stderr).toContain('reconcile');
    expect(refused.stderr).toContain('4711');
    const waiting = await machine.start([...NIGHT, '--lock-wait', '60s']);
    await delay(300);
    await lock.release();
    expect((await waiting.ended).code).toBe(0);
  });
});
