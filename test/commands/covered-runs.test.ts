import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import { checkRuns } from '../../src/commands/doctor/check-store.js';
import { report } from '../../src/commands/report/report.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { finishRun, insertRun, type NewRun } from '../../src/store/tables/sync-runs.js';
import { uuidv7 } from '../../src/store/uuid.js';
import { temporaryDirectory } from '../cli/run-cli.js';
import { describeOnServer } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayFiles, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { live } from '../support/webhooks.js';

/** No process has this id. */
const DEAD = 2 ** 22 + 1;

/** A run as it is recorded when its process is killed. */
async function dies(store: Store, command: string, parts: Partial<NewRun> = {}): Promise<string> {
  const id = uuidv7(Date.now());
  await insertRun(store.sql, {
    id,
    command,
    options: {},
    host: testContext(store).host,
    pid: DEAD,
    startedAt: Date.now() - 60_000,
    resumed: null,
    ...parts,
  });
  return id;
}

async function completes(store: Store, command: string, parts: Partial<NewRun> = {}): Promise<void> {
  const id = await dies(store, command, { startedAt: Date.now(), options: { other: true }, ...parts });
  await finishRun(store.sql, {
    id,
    status: 'completed',
    counters: {},
    verdict: 'completed',
    completedAt: Date.now(),
    error: null,
    clearCheckpoint: true,
  });
}

/** The commands of the runs that the report alerts to, and those that the doctor names. */
async function blamed(store: Store): Promise<string[]> {
  const { alerts } = await report(testContext(store), reportOptions());
  const told = alerts
    .filter(({ kind }) => kind === 'run_died')
    .map(({ message }) => /The (.+?) of /.exec(message)?.[1] ?? '');
  const ctx = testContext(store);
  const { message } = await checkRuns(store, { host: ctx.host, pid: ctx.pid });
  const named = [...message.matchAll(/([a-z]+) of \d{4}-/g)].map((match) => match[1] ?? '');
  expect(named.sort()).toEqual(told.sort());
  return told;
}

async function logFile(name: string, id = 'W1'): Promise<string> {
  const path = join(await temporaryDirectory(), name);
  await writeFile(path, `${JSON.stringify(live(id, 0))}\n`);
  return path;
}

describeOnServer('a run that died', (backend) => {
  it('is made up for by a replay of the same files with other settings of no account', async () => {
    const store = await backend.open();
    const [log, other] = [await logFile('log.ndjson'), await logFile('other.ndjson', 'W2')];
    await replayFiles(store, [log], { recordedOptions: { paths: ['log.ndjson'] } });
    // As it would have been recorded, had it been killed.
    await store.sql.execute(
      `update sync_runs set status = 'running', pid = $1::int, started_at = started_at - interval '1 minute'`,
      [DEAD],
    );
    expect(await blamed(store)).toEqual(['replay']);
    await replayFiles(store, [other], { recordedOptions: { paths: ['other.ndjson'] } });
    expect(await blamed(store)).toEqual(['replay']);
    await replayFiles(store, [log], { recordedOptions: { paths: [log], batchSize: 7 }, resume: false });
    expect(await blamed(store)).toEqual([]);
  });

  it('is made up for by a replay of the same content under another name, and by no other', async () => {
    const store = await backend.open();
    await replayFiles(store, [await logFile('a.ndjson')], { recordedOptions: { paths: ['a.ndjson'] } });
    await store.sql.execute(
      `update sync_runs set status = 'running', pid = $1::int, started_at = started_at - interval '1 minute'`,
      [DEAD],
    );
    const copy = await logFile('b.ndjson');
    await replayFiles(store, [await logFile('c.ndjson', 'W2')]);
    const recordedOptions = { paths: ['b.ndjson'] };
    await replayFiles(store, [copy], { tickets: 'none', recordedOptions });
    expect(await blamed(store)).toEqual(['replay']);
    await replayFiles(store, [copy], { recordedOptions });
    expect(await blamed(store)).toEqual([]);
  });

  const works: [string, string, string[]][] = [
    ['all of the raw log', 'log all {}', []],
    ['chats that a reconcile leaves out', 'log all {"include":["group"]}', ['replay']],
  ];
  it.each(works)('is made up for by a reconcile that restored everything: %s', async (_title, work, left) => {
    const store = await backend.open();
    await replayBodies(store, [live('M1', 0), live('M2', 5)]);
    await store.sql.execute(`delete from messages where body = 'M1'`);
    await dies(store, 'replay', { options: { all: true }, work });
    const { report: said, figures } = await night(store, { apply: true, register: true });
    expect(figures.restored).toBe(1);
    const died = said?.alerts.filter(({ kind }) => kind === 'run_died');
    expect(died).toHaveLength(left.length);
    expect(await blamed(store)).toEqual(left);
  });

  it('is not made up for by a reconcile that left something lost', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('M1', 0), live('M2', 5)]);
    await store.sql.execute(
      `update webhook_log set raw_body = '\\x7b7d' where id = (select batch_id from messages where body = 'M1')`,
    );
    await dies(store, 'replay', { options: { all: true }, work: 'log all {}' });
    await night(store, { apply: true, register: true });
    expect(await blamed(store)).toEqual(['replay']);
  });

  it('is over once another run has resumed it', async () => {
    const store = await backend.open();
    const died = await dies(store, 'replay', { options: { paths: ['a'] } });
    const resumed = { runId: died, checkpoint: {} };
    await dies(store, 'replay', { options: { paths: ['b'] }, startedAt: Date.now() - 30_000, resumed });
    // The one that resumed it died itself, and is the only one that counts.
    expect(await blamed(store)).toEqual(['replay']);
    const { runs } = await report(testContext(store), reportOptions());
    expect(runs.map(({ status }) => status)).toEqual(['died', 'interrupted']);
  });

  it('answers for its steps if it is a reconcile, and ends with the next one', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('M1', 0)]);
    const parentRunId = await dies(store, 'reconcile', { options: { full: true } });
    for (const command of ['replay', 'dedupe', 'verify']) await dies(store, command, { parentRunId });
    expect(await blamed(store)).toEqual(['reconcile']);
    const { runId } = await night(store, { apply: true, register: true, recordedOptions: { apply: true } });
    expect(await blamed(store)).toEqual([]);
    const steps = await store.sql.query(
      `select command from sync_runs where parent_run_id = $1::uuid order by started_at, id`,
      [runId],
    );
    expect(steps).toEqual([{ command: 'replay' }, { command: 'dedupe' }]);
  });

  it('is made up for by a wider one of its kind, and by no narrower one', async () => {
    const store = await backend.open();
    const narrow: JsonObject = { class: ['lead'] };
    await dies(store, 'dedupe', { options: narrow, work: 'dedupe {"classes":["lead"]}' });
    await dies(store, 'verify', {
      options: { enforce: true, check: ['raw_log'] },
      work: 'verify {"checks":["raw_log"]}',
    });
    await dies(store, 'replay', { options: { field: 'messages' }, work: 'log pending {"field":"messages"}' });
    const dedupeWith = async (classes: ReadonlySet<(typeof DUPLICATE_CLASSES)[number]>): Promise<void> => {
      await dedupe(testContext(store), {
        classes,
        apply: true,
        batchSize: 10,
        force: true,
        recordedOptions: { apply: true, batchSize: classes.size },
      });
    };
    await dedupeWith(new Set(['no_id']));
    await replayLog(store, { which: 'pending', field: 'history' }, { recordedOptions: { field: 'history' } });
    expect((await blamed(store)).sort()).toEqual(['dedupe', 'replay', 'verify']);
    await dedupeWith(new Set(DUPLICATE_CLASSES));
    expect((await blamed(store)).sort()).toEqual(['replay', 'verify']);
    await replayLog(store, { which: 'failed' }, { recordedOptions: { failed: true } });
    expect(await blamed(store)).toEqual(['verify']);
    await verify(testContext(store), {
      checks: new Set(CHECK_NAMES),
      enforce: true,
      recordedOptions: { enforce: true },
    });
    expect(await blamed(store)).toEqual([]);
  });

  const beside = [
    ['log pending {"field":"messages"}', {}, true],
    ['log failed {}', {}, true],
    ['log all {}', {}, false],
    ['log all {}', { full: true }, true],
    ['files {"paths":["/a"]}', { full: true }, false],
  ] as const;
  it.each(beside)('while it did %s is made up for by a reconcile %j: %s', async (work, options, covered) => {
    const store = await backend.open();
    await dies(store, 'replay', { options: { tickets: 'none' }, work });
    await completes(store, 'reconcile', { options });
    expect(await blamed(store)).toEqual(covered ? [] : ['replay']);
  });

  it('is nothing to look at once it was undone', async () => {
    const store = await backend.open();
    const died = await dies(store, 'dedupe', { options: { apply: true } });
    expect(await blamed(store)).toEqual(['dedupe']);
    await completes(store, 'undo', { options: { undoes: died } });
    expect(await blamed(store)).toEqual([]);
  });

  it('is known although another process has its id now', async () => {
    const store = await backend.open();
    await dies(store, 'replay', { pid: process.pid });
    const ctx = testContext(store);
    const { runs } = await report({ ...ctx, processStartedAt: Date.now() - 1_000 }, reportOptions());
    expect(runs).toMatchObject([{ status: 'died' }]);
  });
});
