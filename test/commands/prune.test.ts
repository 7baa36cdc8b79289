import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { report } from '../../src/commands/report/report.js';
import { showRun } from '../../src/commands/runs/runs.js';
import { undo } from '../../src/commands/undo/undo.js';
import { CHECK_NAMES, type VerifyResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { PRUNE_CLASSES } from '../../src/model/enumerations.js';
import { EVERYTHING, pruned } from '../support/pruning.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { value } from '../support/shown.js';
import {
  ANA,
  BRU,
  echo,
  edit,
  history,
  live,
  liveFrom,
  old,
  status,
  wamid,
  webhook,
  webLive,
} from '../support/webhooks.js';

const GROUP = '120363000000000001@g.us';
const STORY = { remoteJid: 'status@broadcast', participant: `${ANA}@s.whatsapp.net` };

/** Two messages with what follows them, a group's, a story, an account event, and what is not done. */
const LOG = [
  liveFrom('Ana', 'A', 0),
  status('A', 'read', 5),
  edit('A', 'A2', 10, { type: 'text', text: { body: 'A, edited' } }),
  echo('B', 20),
  history([old('H', -900), old('A', 0)], { progress: 100 }),
  live('G', 30, { group_id: GROUP }),
  webLive('S', 40, {}, STORY),
  webhook('account_update', { event: 'PARTNER_ADDED' }),
  live('R', 50, { id: undefined }),
  status('LATER', 'delivered', 60),
];

function verified(store: Store): Promise<VerifyResult> {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

/** What verify says but for what was rejected on purpose. */
async function findings(store: Store): Promise<string[]> {
  const { checks } = await verified(store);
  return checks
    .filter(({ check, status: how }) => check !== 'rejects' && how === 'findings')
    .map(({ check, summary }) => `${check}: ${summary}`);
}

async function summaryOf(store: Store, name: string): Promise<string | undefined> {
  return (await verified(store)).checks.find(({ check }) => check === name)?.summary;
}

async function accountsOf(store: Store): Promise<unknown> {
  const { connections } = await report(testContext(store), reportOptions());
  expect(connections).toHaveLength(2);
  return connections.map(({ accounts }) => accounts);
}

/** Every row but the raw log’s and the runs’ own. */
async function rows(store: Store): Promise<Record<string, unknown>> {
  const tables = [
    'messages',
    'message_revisions',
    'leads',
    'lead_identities',
    'conversations',
    'tickets',
    'rejects',
    'pending_facts',
    'history_chunks',
  ];
  const read = tables.map(async (table) => [
    table,
    await store.sql.query(`select to_jsonb(t)::text as row from ${table} t order by 1`),
  ]);
  return Object.fromEntries(await Promise.all(read)) as Record<string, unknown>;
}

function bodies(store: Store): Promise<unknown> {
  return value(
    store,
    `select json_agg(json_build_array(coalesce(body_state, ''), octet_length(raw_body) > 0) order by id) from webhook_log`,
  );
}

/** Two people: what is wrong with one of them must not keep the other's. */
const EDITED = [
  live('A', 0),
  edit('A', 'A2', 10, { type: 'text', text: { body: 'A, edited' } }),
  live('C', 20),
];

describeOnServer('a message that does not say what its edit says', (backend) => {
  it('keeps every entry that can restore it, however often one prunes', async () => {
    const store = await backend.open();
    await replayBodies(store, [...EDITED, live('D', 30, { from: BRU })]);
    await store.sql.execute(`update messages set body = 'tampered' where edit_external_id is not null`);
    for (let times = 0; times < 3; times += 1) {
      const { entries } = await pruned(store, EVERYTHING);
      expect(entries).toMatchObject({ kept: 3, pruned: times === 0 ? 1 : 0 });
      expect(await findings(store)).not.toEqual([]);
    }
    await night(store, { apply: true });
    expect(await value(store, `select body from messages where edit_external_id is not null`)).toBe(
      'A, edited',
    );
    expect(await findings(store)).toEqual([]);
    expect((await pruned(store, EVERYTHING)).entries).toMatchObject({
      kept: 0,
      pruned: 3,
    });
  });
});

describeOnBackends('prune', (backend) => {
  backend.once('plans by default, with what there is to win by class and connection', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const plan = await pruned(store, { ...EVERYTHING, apply: false });
    expect(plan).toMatchObject({
      status: 'completed',
      applied: false,
      runId: null,
      entries: { planned: 7, pruned: 0, kept: 0 },
    });
    expect(plan.groups.map((group) => [group.class, group.entries])).toEqual([
      ['status', 1],
      ['group', 1],
      ['processed', 5],
    ]);
    expect(plan.groups.every(({ bytes }) => bytes > 100)).toBe(true);
    expect(plan.bytes).toBeGreaterThan(1000);
    expect(await value(store, 'select count(*)::int from webhook_log where body_state is not null')).toBe(0);
    // A day is not over yet.
    const young = await pruned(store, { ...EVERYTHING, apply: false, olderThan: 86_400_000 });
    expect(young.entries.planned).toBe(0);
    expect((await pruned(store, { classes: ['group'], apply: false })).entries.planned).toBe(1);
  });

  backend.once('empties what is in the database, and every reader knows it from what is lost', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const before = await rows(store);
    const told = await verified(store);
    const accounts = await accountsOf(store);
    const done = await pruned(store, EVERYTHING);
    expect(done).toMatchObject({
      status: 'completed',
      applied: true,
      entries: { planned: 7, pruned: 7, kept: 0 },
    });
    expect(await bodies(store)).toEqual([
      ['pruned', false],
      ['pruned', false],
      ['pruned', false],
      ['pruned', false],
      ['pruned', false],
      ['pruned', false],
      ['pruned', false],
      ['', true],
      ['', true],
      ['', true],
    ]);
    expect(await rows(store)).toEqual(before);

    expect(await findings(store)).toEqual([]);
    const after = await verified(store);
    expect(after.messages).toBe(told.messages);
    expect(after.missing).toBe(0);
    expect(await summaryOf(store, 'raw_log')).toBe(
      '7 message items in 10 entries: 2 skipped, 1 rejected, 4 pruned',
    );
    expect(await summaryOf(store, 'raw_bodies')).toBe('7 raw bodies pruned, each on record');
    const reported = await report(testContext(store), reportOptions());
    expect(await accountsOf(store)).toEqual(accounts);
    expect(reported.alerts.filter(({ severity }) => severity === 'loss').map(({ kind }) => kind)).toEqual([
      'rejects',
    ]);

    const message = await ask(store, wamid('B'));
    expect(message.findings).toEqual([]);
    expect(message.verdict).toMatch(/pruned/);
    const [entry] = await store.sql.query(`select id from webhook_log order by id limit 1`);
    const explained = await ask(store, `log:${String(entry?.['id'])}`);
    expect(explained).toMatchObject({ findings: [], remedies: [] });
    expect(explained.verdict).toMatch(/its body was pruned/);
    const contact = await ask(store, `+${ANA}`);
    expect(contact.findings.map(({ outcome }) => outcome)).not.toContain('unread');
    expect(contact.verdict).not.toContain('without a raw log entry');
    expect(contact.notices).toEqual([expect.stringContaining('no body any more (pruned)')]);

    // And again: nothing is left to do, nothing is due.
    expect(await pruned(store, EVERYTHING)).toMatchObject({ applied: false, entries: { planned: 0 } });
    await replayLog(store, { which: 'all' });
    for (const full of [true, false]) {
      const result = await night(store, { full, apply: true });
      expect(result.figures).toMatchObject({ missing: 0, restored: 0, created: 0, merged: 0, corrected: 0 });
    }
    expect(await rows(store)).toEqual(before);
  });

  backend.once('knows a redelivery, which does not bring the body back and loses nothing', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await pruned(store, EVERYTHING);
    const before = await rows(store);
    const again = await replayBodies(store, LOG);
    expect(again.entries).toMatchObject({ stored: 0, duplicate: 10 });
    expect(again.messages.created).toBe(0);
    expect(await rows(store)).toEqual(before);
    expect(
      await value(
        store,
        `select sum(octet_length(raw_body))::int from webhook_log where body_state = 'pruned'`,
      ),
    ).toBe(0);
    // Its rows come back from a file as before.
    await store.sql.execute(`delete from messages where body = 'B'`);
    await replayBodies(store, LOG);
    expect(await findings(store)).toEqual([]);
    // Also if more of it is brought in.
    await replayBodies(store, LOG, { include: new Set(['group'] as const) });
    expect(await value(store, `select count(*)::int from messages where body = 'G'`)).toBe(1);
    expect(await value(store, `select count(*)::int from webhook_log where body_state = 'pruned'`)).toBe(7);
    expect(await findings(store)).toEqual([]);
  });

  backend.once('keeps what the database lacks, and is partial then', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(`delete from messages where body = 'B'`);
    await store.sql.execute(`update messages set body = 'other' where body = 'H'`);
    const plan = await pruned(store, { ...EVERYTHING, apply: false });
    const done = await pruned(store, EVERYTHING);
    // Both say the same.
    const { groups, kept, bytes } = done;
    expect(plan).toMatchObject({ groups, kept, bytes, entries: { planned: 2, pruned: 0, kept: 5 } });
    // All that is about the person: which entries can restore what, only all of them tell.
    expect(done).toMatchObject({ status: 'partial', entries: { planned: 2, pruned: 2, kept: 5 } });
    expect(done.kept).toHaveLength(5);
    await night(store, { apply: true });
    expect(await findings(store)).toEqual([]);
    expect(await pruned(store, EVERYTHING)).toMatchObject({
      status: 'completed',
      entries: { pruned: 5, kept: 0 },
    });
    expect(await findings(store)).toEqual([]);
  });

  backend.once('leaves a message as it is, where the rest of the log does not say why', async () => {
    const store = await backend.open();
    await replayBodies(store, [...LOG, live('C', 70)]);
    await pruned(store, EVERYTHING);
    // Copies of what was edited, and of what somebody changed: neither is restored from less than was known.
    await store.sql.execute(`update messages set body = 'changed' where body = 'C'`);
    await replayBodies(store, [history([old('A', 0), old('C', 70)], { order: 2, progress: 100 })]);
    for (const full of [false, true])
      expect((await night(store, { full, apply: true })).figures).toMatchObject({ missing: 0, restored: 0 });
    expect(await findings(store)).toEqual([]);
    const texts = await value(
      store,
      `select json_agg(body order by body) from messages where body ~ '^(A|c)'`,
    );
    expect(texts).toEqual(['A, edited', 'changed']);
  });

  backend.once('is the last step of a night, as long as all of the log is accounted for', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const clock = (): number => Date.now() + 3_600_000;
    const retention = { olderThan: 0, classes: new Set(PRUNE_CLASSES) };
    const planned = await night(store, { apply: true, dryRun: true, clock, prune: retention });
    expect(planned.prune).toMatchObject({ applied: false, entries: { planned: 7 } });
    await store.sql.execute(
      `update webhook_log set raw_body = '{}' where id = (select batch_id from messages where body = 'B')`,
    );
    expect(await night(store, { clock, prune: retention })).not.toHaveProperty('prune');
    await replayBodies(store, LOG);
    const pruning = await night(store, { clock, prune: retention });
    expect(pruning.prune).toMatchObject({
      applied: true,
      status: 'completed',
      entries: { pruned: 7, kept: 0 },
    });
    const { run } = await showRun(testContext(store), pruning.prune?.runId ?? '');
    expect(run.parentRunId).toBe(pruning.runId);
    expect(await findings(store)).toEqual([]);
  });

  it('is a run on record that undo cannot take back', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const { runId } = await pruned(store, EVERYTHING);
    const { run, journal } = await showRun(testContext(store), runId ?? '');
    expect(run).toMatchObject({ command: 'prune', status: 'completed', canUndo: false });
    expect(run.verdict).toMatch(/^Pruned 7 raw bodies \(/);
    expect(journal).toEqual([{ table: 'raw_bodies', rows: 7 }]);
    await expect(
      undo(testContext(store), { run: runId ?? '', force: false, dryRun: false, recordedOptions: {} }),
    ).rejects.toMatchObject({ code: 'not_undoable', remedy: expect.stringContaining('are gone') as string });
  });

  backend.once('gives the space back', async () => {
    const store = await backend.open();
    await replayBodies(
      store,
      Array.from({ length: 400 }, (_, at) =>
        live(`G${at}`, at, { group_id: GROUP, text: { body: `${at} `.repeat(500) } }),
      ),
    );
    const size = () => value(store, `select pg_total_relation_size('webhook_log')::int`);
    const before = Number(await size());
    expect(await pruned(store, { vacuum: true })).toMatchObject({ vacuumed: true, entries: { pruned: 400 } });
    expect(Number(await size())).toBeLessThan(before);
    expect(await findings(store)).toEqual([]);
  });

  backend.once(
    'finds damage that is really there: a pruned body tampered with, one emptied by hand, a state by hand',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [...LOG, live('C', 70), live('D', 80), live('E', 90)]);
      await pruned(store, { classes: ['processed'] });
      const restore = async (sql: string): Promise<void> => {
        expect((await night(store)).report?.alerts.map(({ kind }) => kind)).toContain('raw_entries_altered');
        await store.sql.execute(sql);
        await replayBodies(store, [...LOG, live('C', 70), live('D', 80), live('E', 90)]);
        expect(await findings(store)).toEqual([]);
      };
      const one = String(
        await value(store, `select id from webhook_log where body_state = 'pruned' order by id desc limit 1`),
      );
      await store.sql.execute(`update webhook_log set raw_body = '{}' where id = '${one}'`);
      expect(faults(await runCheck(store, 'raw_log'))).toEqual([
        expect.stringContaining('its bytes are not those'),
      ]);
      // The file brings it back whole.
      await restore('select 1');
      expect(await value(store, `select body_state from webhook_log where id = '${one}'`)).toBe(null);

      await store.sql.execute(`update webhook_log set raw_body = '' where id = '${one}'`);
      expect(faults(await runCheck(store, 'raw_log'))).toHaveLength(1);
      await restore('select 1');

      await store.sql.execute(
        `update webhook_log set raw_body = '', body_state = 'pruned' where id = '${one}'`,
      );
      expect(faults(await runCheck(store, 'raw_log'))).toHaveLength(1);
      await restore('select 1');

      // A run that removed bodies, but not this one.
      await store.sql.execute(
        `update webhook_log set raw_body = '', body_state = 'pruned',
         body_run_id = (select body_run_id from webhook_log where body_run_id is not null limit 1) where id = '${one}'`,
      );
      expect((await runCheck(store, 'raw_bodies')).result).toMatchObject({
        found: 1,
        lost: 1,
        severity: 'loss',
      });
    },
  );

  backend.once(
    'finds by their number messages that are gone, whose bodies are gone; not those that this tool takes out',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await pruned(store, EVERYTHING);
      await store.sql.execute(`delete from messages where body = 'H'`);
      const { result, items } = await runCheck(store, 'raw_bodies');
      expect(result).toMatchObject({ found: 1, lost: 1, severity: 'loss' });
      expect(result.summary).toBe('1 message is gone, and so is its raw body');
      expect(items).toMatchObject([{ sign: '-', connection: expect.any(String) as string }]);
      expect((await night(store)).report?.severity).toBe('loss');
      await replayBodies(store, LOG);
      expect(await findings(store)).toEqual([]);

      // A copy counts as its message: one that dedupe merges is not missed.
      await replayBodies(store, [live('TWIN', 200)]);
      await pruned(store, EVERYTHING);
      await store.sql.execute(
        `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid(), 'external_id', 'TWIN'))).*
       from messages m where body = 'TWIN'`,
      );
      const merged = await dedupe(testContext(store), {
        classes: new Set(['same_message'] as const),
        apply: true,
        force: true,
        batchSize: 1000,
        recordedOptions: {},
      });
      expect(merged.classes).toMatchObject([{ class: 'same_message', rows: 1 }]);
      expect(await findings(store)).toEqual([]);
    },
  );
});
