import { expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import type { ReconcileResult } from '../../src/commands/reconcile/types.js';
import type { Store } from '../../src/store/store.js';
import { restoreUniqueIndex } from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { value } from '../support/shown.js';
import {
  echo,
  edit,
  history,
  live,
  old,
  reaction,
  revoke,
  SECOND,
  status,
  wamid,
} from '../support/webhooks.js';

/** Long after the messages of the builders; the clock moves on with every look. */
function nights(): () => number {
  let now = Date.now();
  return () => (now += 10);
}

/** The index that makes doubles impossible, and a copy of every message under another row id. */
async function double(store: Store): Promise<void> {
  await store.sql.execute('drop index messages_connection_id_external_id_key');
  await store.sql.execute(
    `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body,
       timestamp, status, source, sync_source, is_sync_initial, evidence, batch_id)
     select gen_random_uuid(), connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body,
       timestamp, status, source, sync_source, is_sync_initial, evidence, batch_id from messages`,
  );
}

/** Rows as a careless program writes them: they claim to be of the raw log and of its run. */
async function strangers(store: Store, count: number): Promise<void> {
  await store.sql.execute(
    `insert into messages (timestamp, evidence, is_sync_initial, id, connection_id, conversation_id, lead_id, external_id,
       direction, type, body, source, sync_source, batch_id, run_id)
     select timestamp, 0, false, gen_random_uuid(), connection_id, conversation_id, lead_id, 'stranger-' || external_id,
       'OUTBOUND', 'text', 'stranger', 'live', 'webhook', batch_id, run_id
     from messages order by timestamp limit $1::int`,
    [count],
  );
}

/** Another program took the id of a message away. */
async function loseId(store: Store, id: string): Promise<void> {
  const lost = await store.sql.execute('update messages set external_id = null where external_id = $1', [
    wamid(id),
  ]);
  expect(lost).toBe(1);
}

/** So many days go by. */
async function later(store: Store, days: number): Promise<void> {
  const passed = `interval '${days} days'`;
  await store.sql.execute(
    `update webhook_log set created_at = created_at - ${passed}, processed_at = processed_at - ${passed}`,
  );
  await store.sql.execute(
    `update sync_runs set started_at = started_at - ${passed}, counters = case when counters ? 'watermark' then
       jsonb_set(counters, '{watermark}', to_jsonb((counters ->> 'watermark')::timestamptz - ${passed})) else counters end`,
  );
}

function unaccounted({ verify }: ReconcileResult): number | undefined {
  return verify?.checks.find(({ check }) => check === 'raw_log')?.unaccounted;
}

const MANY = Array.from({ length: 60 }, (_, i) => live(`M${i}`, i * 10));

describeOnBackends('a night', (backend) => {
  backend.once('after one that died makes up for it, and so does not alert on it', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await night(store);
    const died = `status = 'running', pid = 2147483646, completed_at = null, verdict = null`;
    await store.sql.execute(`update sync_runs set ${died} where command = 'reconcile'`);
    const unnoticed = await night(store);
    expect(unnoticed.report?.alerts.map(({ kind }) => kind)).toEqual([]);
    expect(unnoticed.status).toBe('completed');
    // A run of another command makes up for nothing.
    await store.sql.execute(
      `update sync_runs set ${died} where command = 'replay' and parent_run_id is null`,
    );
    const told = await night(store);
    expect(told.report?.alerts.map(({ kind }) => kind)).toEqual(['run_died']);
  });

  backend.once('that finds everything in order says so in one line', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    const result = await night(store);
    expect(result.verdict).toBe(
      'Reconciled 1 connection: 60 log items compared, 0 missing, 0 duplicated; 0 lost, 0 degraded, 0 notes',
    );
    expect(result).toMatchObject({ status: 'completed', since: null, caughtUp: null });
  });

  backend.once('takes up what was pending, on the connection that was added meanwhile', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await replayBodies(store, [live('LATE', 700, {}, SECOND)], { register: false });
    const waiting = await night(store);
    expect(waiting.status).toBe('partial');
    expect(waiting.verdict).toContain('1 entry pending');
    const result = await night(store, { register: true });
    expect(result.verdict).toContain('Reconciled 2 connections');
    expect(result.figures).toMatchObject({ created: 1, missing: 0, alerts: 0 });
    expect(result.status).toBe('completed');
  });

  backend.once('restores a message that is gone, says so, and is clean the next time', async () => {
    const store = await backend.open();
    const clock = nights();
    await replayBodies(store, MANY);
    await night(store, { clock });
    await replayBodies(store, [live('GONE', 800)]);
    const before = await normalizedDatabase(store);
    await store.sql.execute(`delete from messages where body = 'GONE'`);
    const first = await night(store, { clock });
    expect(first.verdict).toContain('0 lost');
    expect(first.verdict).toContain('1 restored');
    expect(first.figures).toMatchObject({ missing: 0, restored: 1, lost: 0 });
    expect(await normalizedDatabase(store)).toEqual(before);
    const second = await night(store, { clock });
    expect(second.figures).toMatchObject({ missing: 0, restored: 0, created: 0 });
  });

  /** Two that say the same within a second: only their raw entries tell which row was which. */
  const ALIKE = [live('OK1', 900, { text: { body: 'ok' } }), live('OK2', 901, { text: { body: 'ok' } })];

  it.each(backend.onServer([['M7'], ['OK1'], ['OK2']]))(
    'restores a message whose row has lost its id (%s), merges that row, and is clean the next time',
    async (id) => {
      const store = await backend.open();
      await replayBodies(store, [...MANY, ...ALIKE]);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      await loseId(store, id);
      const first = await night(store, { apply: true });
      expect(first.verdict).toContain('0 missing, 0 duplicated; 0 lost, 0 degraded, 0 notes');
      expect(first.verdict).toContain('1 restored, 1 merged');
      expect(await normalizedDatabase(store)).toEqual(before);
      const second = await night(store, { apply: true });
      expect(second.figures).toMatchObject({ restored: 0, merged: 0, lost: 0, findings: 0 });
      expect(second).toMatchObject({ restored: null, copies: null });
    },
  );

  backend.once('without --apply counts such a row as lost, and names what merges it', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    const before = await normalizedDatabase(store);
    await loseId(store, 'M7');
    const planned = await night(store, { dryRun: true });
    expect(planned.verify?.checks.find(({ check }) => check === 'missing_ids')).toMatchObject({
      remedy: { command: 'reconcile', args: ['--apply'] },
    });
    const counted = await night(store);
    expect(counted.figures).toMatchObject({ restored: 1, doubled: 1, lost: 1, findings: 0 });
    expect(counted.verify).toMatchObject({ severity: 'loss', doubled: 1 });
    expect(counted.report?.alerts).toMatchObject([
      { kind: 'finding', severity: 'loss', remedy: { command: 'dedupe', args: ['--apply'] } },
    ]);
    await dedupe(testContext(store), {
      classes: new Set(DUPLICATE_CLASSES),
      apply: true,
      batchSize: 1000,
      force: false,
      recordedOptions: {},
    });
    expect(await normalizedDatabase(store)).toEqual(before);
    expect((await night(store)).figures).toMatchObject({ doubled: 0, lost: 0, alerts: 0 });
  });

  it('leaves it to a person to merge a row without an id that no raw entry holds', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await store.sql.execute(
      `insert into messages select (jsonb_populate_record(m,
         jsonb_build_object('id', gen_random_uuid(), 'external_id', null, 'batch_id', null, 'run_id', null))).*
       from messages m where body = 'M7'`,
    );
    const { figures, copies } = await night(store, { apply: true });
    expect(figures).toMatchObject({ merged: 0, doubled: 1, lost: 1 });
    expect(copies).toMatchObject({ applied: true, classes: [{ class: 'no_id', rows: 0 }] });
  });

  const HURTS = [
    ['gone', `delete from messages where body = 'HURT'`],
    ['changed', `update messages set body = 'something else' where body = 'HURT'`],
    ['at another time', `update messages set timestamp = timestamp - interval '1 hour' where body = 'HURT'`],
    ['without its status', `update messages set status = 'sent' where body = 'HURT'`],
  ] as const;

  /** An outbound message with the statuses that it had, each in an entry of its own. */
  const HURT = [echo('HURT', 800), status('HURT', 'delivered', 810), status('HURT', 'read', 820)];

  it.each(backend.onServer(HURTS))(
    'restores a message that is %s, however long ago it came',
    async (_what, hurt) => {
      const store = await backend.open();
      await replayBodies(store, [...MANY, ...HURT]);
      await night(store);
      const before = await normalizedDatabase(store);
      await later(store, 30);
      await replayBodies(store, [live('NEW', 900)]);
      await night(store);
      const clean = await normalizedDatabase(store);
      await later(store, 30);
      expect(await store.sql.execute(hurt)).toBe(1);
      const restored = await night(store);
      expect(unaccounted(restored)).toBe(0);
      expect(restored.since).toBeNull();
      expect(restored.restored?.entries).toBeGreaterThan(0);
      expect(await normalizedDatabase(store)).toEqual(clean);
      expect(before).not.toEqual(clean);
      await later(store, 1);
      const next = await night(store);
      expect(next).toMatchObject({ restored: null, figures: { missing: 0, restored: 0 } });
      // The entry that was replayed to restore it, at most: everything else is proven.
      expect(next.figures.messages).toBeLessThanOrEqual(1);
      expect(next.since).not.toBeNull();
    },
  );

  backend.once(
    'notices what is gone beside rows that another program adds, and what went with its statuses',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [...MANY, ...HURT]);
      await night(store);
      const before = await normalizedDatabase(store);
      await later(store, 10);
      await store.sql.execute(`delete from messages where body in ('HURT', 'M3', 'M4')`);
      await strangers(store, 3);
      const first = await night(store);
      // The strangers name entries that do not hold them.
      expect(first.figures).toMatchObject({ restored: 3, missing: 0, lost: 3 });
      await store.sql.execute(`delete from messages where body = 'stranger'`);
      expect(await normalizedDatabase(store)).toEqual(before);
      await night(store);
      expect((await night(store)).figures).toMatchObject({ restored: 0, missing: 0 });
    },
  );

  backend.once(
    'merges a row that was renamed into its message, once that is back, and counts it once',
    async () => {
      const store = await backend.open();
      await replayBodies(store, MANY);
      await night(store);
      const before = await normalizedDatabase(store);
      await store.sql.execute(`update messages set external_id = 'wamid.FORGED' where body = 'M1'`);
      expect((await night(store)).figures).toMatchObject({ restored: 1, missing: 0, doubled: 1, lost: 1 });
      expect((await night(store, { apply: true })).figures).toMatchObject({ merged: 1, doubled: 0, lost: 0 });
      expect(await normalizedDatabase(store)).toEqual(before);
    },
  );

  backend.once(
    'brings back the ledger of a history, and a replay of everything the tickets that were deleted',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [history([old('H1', -900)], { progress: 100 }), live('A1', 0)]);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      await store.sql.execute('delete from history_chunks');
      expect((await night(store)).figures).toMatchObject({ lost: 0, degraded: 0 });
      expect(await normalizedDatabase(store)).toEqual(before);
      await store.sql.execute('delete from tickets');
      const noted = await night(store);
      expect(noted.figures).toMatchObject({ lost: 0, degraded: 0, notes: 1 });
      expect(noted.verify?.severity).toBe('note');
      expect((await night(store, { full: true })).figures).toMatchObject({ notes: 0 });
      expect(await normalizedDatabase(store)).toEqual(before);
      // Nothing is said of tickets that were closed since, and of messages that were to open none.
      await store.sql.execute(`update tickets set status = 'closed', closed_at = now()`);
      expect((await night(store)).verify?.severity).toBe(null);
      await store.sql.execute('delete from tickets');
      await store.sql.execute(`update sync_runs set options = options || '{"tickets": "none"}'`);
      expect((await night(store)).verify?.severity).toBe(null);
    },
  );

  /** What one damage to one row or entry is to be counted as: once in what is lost, promised and restored. */
  const COUNTED: [what: string, sql: string, restorable: number][] = [
    [
      'an edit was undone',
      `update messages set body = 'before', edited_at = null, edit_external_id = null where body = 'after'`,
      1,
    ],
    ['a revoke was taken back', `update messages set deleted_at = null where deleted_at is not null`, 1],
    ['a status was taken away', `update messages set status = null where external_id = '${wamid('OUT')}'`, 1],
    ['a status was lowered', `update messages set status = 'sent' where external_id = '${wamid('OUT')}'`, 1],
    ['its errors were taken away', `update messages set errors = null where errors is not null`, 1],
    ['a reaction was deleted', `delete from message_reactions`, 1],
    ['another reaction was written', `update message_reactions set emoji = '👎'`, 1],
    ['a pending update was deleted', `delete from pending_facts`, 1],
    ['a message was deleted', `delete from messages where external_id = '${wamid('OUT')}'`, 1],
    [
      'an entry was altered',
      `update webhook_log set raw_body = raw_body || '\\x20' where id = (select batch_id from messages where external_id = '${wamid('OUT')}')`,
      0,
    ],
  ];

  backend.once(
    'counts one row as one, and restores what a dry run promises',
    async () => {
      for (const [what, sql, restorable] of backend.some(COUNTED, ([, , restorable]) => restorable)) {
        for (const full of backend.some([false, true], () => 'night')) {
          const store = await backend.open();
          await replayBodies(store, [
            live('EDITED', 0, { text: { body: 'before' } }),
            edit('EDITED', 'EDIT', 5, { type: 'text', text: { body: 'after' } }),
            live('REVOKED', 10),
            revoke('REVOKED', 12),
            echo('OUT', 20),
            status('OUT', 'sent', 21),
            status('OUT', 'delivered', 22),
            status('OUT', 'read', 23),
            echo('FAILED', 30),
            status('FAILED', 'failed', 31, { errors: [{ code: 131047, title: 'Re-engagement message' }] }),
            reaction('REVOKED', 40, '👍'),
            status('NEVER-CAME', 'read', 50),
          ]);
          await night(store, { apply: true });
          expect([what, await store.sql.execute(sql)]).toEqual([what, 1]);
          const planned = await night(store, { dryRun: true });
          const promised = planned.verify?.checks.find(({ check }) => check === 'raw_log')?.restorable;
          expect([what, planned.figures.lost, promised]).toEqual([what, 1, restorable]);
          expect(planned.verdict.includes('1 would be restored')).toBe(restorable === 1);
          const done = await night(store, { apply: true, full });
          expect([what, full, done.figures.restored, done.figures.created, done.figures.lost]).toEqual([
            what,
            full,
            restorable,
            0,
            1 - restorable,
          ]);
          await store.close();
        }
      }
    },
    120_000,
  );

  backend.once('says what it cannot restore, every time, and colors the verdict', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await store.sql
      .execute(`update webhook_log set raw_body = raw_body || '\\x20' where chat_ids is not null and id =
      (select batch_id from messages where body = 'M7')`);
    for (let i = 0; i < 2; i += 1) {
      const result = await night(store);
      // Counted once: not among the other findings as well.
      expect(result.figures).toMatchObject({ lost: 1, findings: 0 });
      expect(result.report?.severity).toBe('loss');
      expect(result.report?.alerts).toMatchObject([
        { kind: 'raw_entries_altered', severity: 'loss', count: 1 },
      ]);
    }
  });

  backend.once('looks at everything when the database was proven by an earlier version', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await night(store);
    await later(store, 1);
    await store.sql.execute(`delete from proven_blocks`);
    await store.sql.execute(`delete from messages where body = 'M1'`);
    expect((await night(store)).figures).toMatchObject({ restored: 1, missing: 0 });
  });

  backend.once('only says what it would restore when it is only asked', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await store.sql.execute(`delete from messages where body = 'M1'`);
    const result = await night(store, { dryRun: true });
    expect(result.verdict).toContain('1 missing');
    expect(result.figures).toMatchObject({ missing: 1, restored: 0, lost: 1 });
    expect(await value(store, `select count(*)::int from messages where body = 'M1'`)).toBe(0);
  });

  backend.once(
    'looks only at what is new since the night before, and with --full at everything',
    async () => {
      const store = await backend.open();
      await replayBodies(store, MANY);
      await night(store);
      await store.sql.execute(
        `update webhook_log set created_at = created_at - interval '1 day', processed_at = processed_at - interval '1 day'`,
      );
      await replayBodies(store, [live('NEW', 900)]);
      const next = await night(store);
      expect(next.figures.messages).toBe(1);
      expect(next.since).not.toBeNull();
      expect((await night(store, { full: true })).figures.messages).toBe(61);
    },
  );

  backend.once(
    'notices every time that the bytes of an old entry were changed, however long ago they were compared',
    async () => {
      const store = await backend.open();
      await replayBodies(store, MANY);
      await night(store);
      await store.sql.execute(
        `update webhook_log set created_at = created_at - interval '1 day', processed_at = processed_at - interval '1 day'`,
      );
      expect((await night(store)).figures.messages).toBe(0);
      await store.sql.execute(
        `update webhook_log set raw_body = convert_to(replace(convert_from(raw_body, 'UTF8'), 'M3"', 'MX"'), 'UTF8')
       where id = (select batch_id from messages where body = 'M3')`,
      );
      for (const options of [{}, {}, { full: true }]) {
        const { figures, verdict, report } = await night(store, options);
        expect(verdict).toContain('1 lost');
        expect(figures.lost).toBe(1);
        expect(report?.alerts).toMatchObject([{ kind: 'raw_entries_altered', count: 1 }]);
      }
    },
  );

  backend.once('looks at what came in after one whose clock was ahead', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    const nextYear = Date.now() + 365 * 86_400_000;
    await night(store, { clock: () => nextYear });
    await replayBodies(store, [live('GONE', 800)]);
    await store.sql.execute(`delete from messages where body = 'GONE'`);
    expect((await night(store)).verdict).toContain('1 restored');
  });

  backend.once('does not believe a mark that lies ahead', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await night(store);
    const ahead = new Date(Date.now() + 365 * 86_400_000).toISOString();
    await store.sql.execute(
      `update sync_runs set counters = jsonb_set(counters, '{watermark}', to_jsonb($1::text)) where command = 'reconcile'`,
      [ahead],
    );
    expect(await night(store)).toMatchObject({ since: null, figures: { messages: 60 } });
  });

  backend.once('merges the copies of single messages, and the database is as before', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    const before = await normalizedDatabase(store);
    await store.sql.execute('drop index messages_connection_id_external_id_key');
    await store.sql.execute(
      `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body,
         timestamp, status, source, sync_source, is_sync_initial, evidence, batch_id)
       select gen_random_uuid(), connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, body,
         timestamp, status, source, sync_source, is_sync_initial, evidence, batch_id from messages
       where body in ('M1', 'M2')`,
    );
    const counted = await night(store);
    expect(counted.figures).toMatchObject({ doubled: 2, merged: 0 });
    const merged = await night(store, { apply: true });
    expect(merged.figures).toMatchObject({ doubled: 0, merged: 2 });
    expect(merged.verdict).toContain('2 merged');
    await store.sql.execute(
      'create unique index messages_connection_id_external_id_key on messages (connection_id, external_id)',
    );
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  backend.once('leaves it to a person when too much would go', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    await double(store);
    const result = await night(store, { apply: true });
    expect(result.figures).toMatchObject({ doubled: 60, merged: 0 });
    expect(result.heldBack).toMatch(/5 ?%/);
    expect(await value(store, 'select count(*)::int from messages')).toBe(120);
    await restoreUniqueIndex(store);
  });

  backend.once('that is interrupted, or was killed, is caught up by the next', async () => {
    const store = await backend.open();
    await replayBodies(store, MANY);
    const stop = new AbortController();
    const interrupted = await night(store, {
      signal: stop.signal,
      onEvent: (event) => {
        if (event.event === 'step' && event.step === 'verifying') stop.abort();
      },
    });
    expect(interrupted).toMatchObject({ status: 'interrupted', report: null });
    const next = await night(store);
    expect(next.caughtUp).toMatchObject({ runId: interrupted.runId, status: 'interrupted' });
    expect(next).toMatchObject({ since: null, status: 'completed' });

    await store.sql.execute(
      `update sync_runs set status = 'running', counters = null, completed_at = null
       where command = 'reconcile' and id = '${next.runId ?? ''}'`,
    );
    expect((await night(store)).caughtUp).toMatchObject({ runId: next.runId, status: 'running' });
    expect((await night(store)).caughtUp).toBeNull();
  });

  it('writes nothing when it is only asked what it would do', async () => {
    const store = await backend.open();
    await replayBodies(store, [...MANY, live('LATE', 700, {}, SECOND)], { register: false });
    const before = await normalizedDatabase(store);
    const runs = await value(store, 'select count(*)::int from sync_runs');
    const result = await night(store, { dryRun: true, register: true });
    expect(result.verdict).toMatch(/^Would reconcile/);
    expect(result.figures.created).toBeGreaterThan(0);
    expect(result.runId).toBeNull();
    expect(await value(store, 'select count(*)::int from sync_runs')).toBe(runs);
    expect(await normalizedDatabase(store)).toEqual(before);
  });
});
