import { randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../src/commands/dedupe/result.js';
import type { UndoResult } from '../../src/commands/undo/types.js';
import { undo } from '../../src/commands/undo/undo.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { insertRun } from '../../src/store/tables/sync-runs.js';
import { startChild } from '../support/child-process.js';
import { damageEverything } from '../support/damage-everything.js';
import {
  copyMessage,
  damagedConnection,
  dropUniqueIndexes,
  dumpDatabase,
  insertConversation,
  insertIdentity,
  insertLead,
  insertMessage,
  insertRow,
  insertTicket,
  moment,
  UNIQUE_INDEXES,
  type Dump,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { merge } from '../support/merging.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { BRU, live, wamid } from '../support/webhooks.js';

interface Scene {
  store: Store;
  ana: Thread;
  bru: Thread;
  /** A1, A2 of Ana; B1 of Bru. */
  a1: string;
  a2: string;
  b1: string;
  before: Dump;
}

async function paint(store: Store): Promise<Scene> {
  const connectionId = await damagedConnection(store);
  const ana = await insertConversation(store, connectionId, await insertLead(store));
  const bru = await insertConversation(
    store,
    connectionId,
    await insertLead(store, { phone_number: `+${BRU}`, push_name: 'Bru', first_seen_at: moment(10) }),
  );
  const a1 = await insertMessage(store, ana, 'A1', 0, { raw_meta: { deep: { n: null, one: 1 } } });
  const a2 = await insertMessage(store, ana, 'A2', 5, {
    context_external_id: wamid('A1'),
    media: { id: 'x' },
  });
  const b1 = await insertMessage(store, bru, 'B1', 7);
  // Rows in which nothing and the JSON value null are two things.
  await store.sql.execute(`update messages set media = 'null' where id = $1::uuid`, [b1]);
  await insertTicket(store, ana, wamid('A1'), 0);
  await insertTicket(store, bru, wamid('B1'), 7, { stage: 'won' });
  await insertIdentity(store, bru.leadId, 'lid', '2@lid', { profile_name: 'B', profile_name_at: moment(3) });
  const entry = { id: randomUUID(), status: 'partial', error: 'x', attempts: 2 };
  await store.sql.execute(
    `insert into webhook_log (id, sha256, provider, raw_body, status, error, attempts)
     values ($1::uuid, '\\x00', 'meta', '\\x7b7d', $2, $3, $4::int)`,
    [entry.id, entry.status, entry.error, entry.attempts],
  );
  await insertRow(store, 'rejects', {
    id: randomUUID(),
    run_id: randomUUID(),
    webhook_log_id: entry.id,
    connection_id: connectionId,
    path: '$',
    subject: 'message',
    reason: 'id_collision',
    external_id: wamid('A1'),
    excerpt: '',
    created_at: moment(0),
  });
  return { store, ana, bru, a1, a2, b1, before: await dumpDatabase(store) };
}

/** Bru turns out to be Ana, and B1 to be A2: everything that a merge can do to rows. */
function mergeBruIntoAna({ store, ana, bru, a1, a2, b1 }: Scene): Promise<string> {
  const scope = {
    messageIds: [a1, a2, b1],
    leadIds: [ana.leadId, bru.leadId],
    emptiedConversationIds: [bru.conversationId],
  };
  return merge(store, scope, async (tx) => {
    const to = [ana.conversationId, ana.leadId];
    await tx.execute(`delete from tickets where conversation_id = $1::uuid`, [bru.conversationId]);
    await tx.execute(
      `update messages set conversation_id = $1::uuid, lead_id = $2::uuid where lead_id = $3::uuid`,
      [...to, bru.leadId],
    );
    await tx.execute(`delete from conversations where id = $1::uuid`, [bru.conversationId]);
    await tx.execute(`update lead_identities set person_id = $1::uuid, lead_id = $1::uuid`, [ana.leadId]);
    await tx.execute(
      `insert into lead_identities (organization_id, kind, value, person_id, lead_id)
      select organization_id, 'wa_id', 'made', id, id from leads where id = $1::uuid`,
      [ana.leadId],
    );
    await tx.execute(`delete from leads where id = $1::uuid`, [bru.leadId]);
    // The survivor takes the phone and the id of what goes.
    await tx.execute(`update leads set phone_number = $1`, [`+${BRU}`]);
    await tx.execute(`delete from messages where id = $1::uuid`, [b1]);
    await tx.execute(
      `update messages set external_id = $1, media = 'null', raw_meta = '{"deep": 1.0}' where id = $2::uuid`,
      [wamid('B1'), a2],
    );
    await tx.execute(
      `insert into message_revisions (message_id, version, type, at) values ($1::uuid, 'original', 'text', now())`,
      [a2],
    );
    await tx.execute(
      `insert into message_reactions (connection_id, target_external_id, reactor, at) values ($1::uuid, $2, 'customer', now())`,
      [ana.connectionId, wamid('B1')],
    );
    await tx.execute(`update tickets set last_inbound_at = now()`);
    await tx.execute(`update conversations set last_message_at = now()`);
    await tx.execute(`delete from rejects`);
    await tx.execute(`update webhook_log set status = 'pending', error = 'requeued'`);
  });
}

function call(
  store: Store,
  run: string,
  options: { force?: boolean; dryRun?: boolean } = {},
): Promise<UndoResult> {
  return undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {}, ...options });
}

describeOnBackends('undo', (backend) => {
  let scene: Scene;
  let store: Store;

  beforeEach(async () => {
    store = await backend.open();
    scene = await paint(store);
  });

  backend.once('puts back every row that the run changed, removed or made, byte for byte', async () => {
    const runId = await mergeBruIntoAna(scene);
    expect(await dumpDatabase(store)).not.toEqual(scene.before);
    const result = await call(store, runId);
    expect(await dumpDatabase(store)).toEqual(scene.before);
    expect(result).toMatchObject({
      status: 'completed',
      undone: { runId, command: 'dedupe' },
      left: { found: 0, rows: [] },
    });
    expect(result.tables).toContainEqual({ table: 'messages', inserted: 1, updated: 1, deleted: 0 });
    expect(result.tables).toContainEqual({ table: 'lead_identities', inserted: 0, updated: 2, deleted: 1 });
    const [run] = await store.sql.query(
      `select command, status, verdict from sync_runs where id = $1::uuid`,
      [result.runId],
    );
    expect(run).toMatchObject({ command: 'undo', status: 'completed' });
  });

  backend.once('gives messages that only changed hands back to their conversation', async () => {
    const { ana, bru } = scene;
    const runId = await merge(
      store,
      { leadIds: [ana.leadId, bru.leadId], emptiedConversationIds: [bru.conversationId] },
      async (tx) => {
        await tx.execute(`delete from tickets where conversation_id = $1::uuid`, [bru.conversationId]);
        await tx.execute(`update messages set conversation_id = $1::uuid, lead_id = $2::uuid`, [
          ana.conversationId,
          ana.leadId,
        ]);
        await tx.execute(`delete from conversations where id = $1::uuid`, [bru.conversationId]);
      },
    );
    // What came since, and what WhatsApp has said since about a message that moved, stays.
    const later = await insertMessage(store, ana, 'A3', 3);
    await store.sql.execute(`update messages set status = 'read' where id = $1::uuid`, [scene.b1]);
    await call(store, runId);
    const rows = await store.sql.query(
      `select id, conversation_id as thread, status from messages order by timestamp`,
    );
    expect(rows).toEqual([
      { id: scene.a1, thread: ana.conversationId, status: 'delivered' },
      { id: later, thread: ana.conversationId, status: 'delivered' },
      { id: scene.a2, thread: ana.conversationId, status: 'delivered' },
      { id: scene.b1, thread: bru.conversationId, status: 'read' },
    ]);
  });

  backend.once('lets messages follow their conversation back to its lead', async () => {
    const { ana, bru } = scene;
    const second = await damagedConnection(store, {
      name: 'second',
      phoneNumberId: '800000000000002',
      number: '+5511900000099',
    });
    const thread = await insertConversation(store, second, bru.leadId);
    await insertMessage(store, thread, 'S1', 1);
    const before = await dumpDatabase(store);
    const runId = await merge(store, { leadIds: [ana.leadId, bru.leadId] }, (tx) =>
      tx.execute(`update conversations set lead_id = $1::uuid where id = $2::uuid`, [
        ana.leadId,
        thread.conversationId,
      ]),
    );
    await call(store, runId);
    expect(await dumpDatabase(store)).toEqual(before);
  });

  backend.once(
    'takes the first value before and the last one after of a row that several batches touched',
    async () => {
      const { a1, a2, b1 } = scene;
      const batch = (ids: string[], change: string, runId?: string): Promise<string> =>
        merge(
          store,
          { messageIds: ids },
          (tx) => tx.execute(`${change} where id = any($1::uuid[])`, [`{${ids.join(',')}}`]),
          runId,
        );
      const runId = await batch([a1, b1], `update messages set body = 'one'`);
      await batch([a1, a2, b1], `update messages set status = 'read'`, runId);
      await batch([b1], `delete from messages`, runId);
      expect((await call(store, runId)).tables).toEqual([
        { table: 'messages', inserted: 1, updated: 2, deleted: 0 },
      ]);
      expect(await dumpDatabase(store)).toEqual(scene.before);
    },
  );

  backend.once('lets two rows exchange what a unique index holds', async () => {
    const { a1, a2 } = scene;
    const runId = await merge(store, { messageIds: [a1, a2] }, async (tx) => {
      await tx.execute(`update messages set external_id = 'x' where id = $1::uuid`, [a1]);
      await tx.execute(`update messages set external_id = $2 where id = $1::uuid`, [a2, wamid('A1')]);
      await tx.execute(`update messages set external_id = $2 where id = $1::uuid`, [a1, wamid('A2')]);
    });
    await call(store, runId);
    expect(await dumpDatabase(store)).toEqual(scene.before);
  });

  it('stops, changes nothing and lists the rows when they were touched since, with the run that did it', async () => {
    const runId = await mergeBruIntoAna(scene);
    const later = await merge(store, { messageIds: [scene.a2] }, (tx) =>
      tx.execute(`update messages set status = 'read' where id = $1::uuid`, [scene.a2]),
    );
    await store.sql.execute(`update leads set push_name = 'Ana Maria'`);
    const between = await dumpDatabase(store, []);
    const result = await call(store, runId);
    expect(await dumpDatabase(store, [])).toEqual(between);
    expect(result).toMatchObject({ status: 'failed', runId: null, rows: 0, left: { found: 2 } });
    expect(result.left.rows).toEqual([
      { table: 'leads', key: { id: scene.ana.leadId }, how: 'changed', columns: ['push_name'], by: null },
      {
        table: 'messages',
        key: { id: scene.a2 },
        how: 'changed',
        columns: ['status'],
        by: { runId: later, command: 'dedupe', at: expect.any(String) as unknown },
      },
    ]);
  });

  backend.once('notices rows that went, and rows that came back', async () => {
    const runId = await mergeBruIntoAna(scene);
    await store.sql.execute(`delete from message_revisions`);
    await insertLead(store, { id: scene.bru.leadId, phone_number: null });
    expect((await call(store, runId)).left.rows).toMatchObject([
      { table: 'leads', how: 'back' },
      { table: 'message_revisions', how: 'gone' },
    ]);
  });

  it('puts back with --force what nobody touched, column by column, and says what was left', async () => {
    const runId = await mergeBruIntoAna(scene);
    // A message came since, and somebody renamed the lead: whose phone has to go back to the other one all the same.
    await store.sql.execute(`update conversations set last_message_at = '2026-01-01'`);
    await store.sql.execute(`update leads set push_name = 'Ana Maria'`);
    await store.sql.execute(`delete from message_revisions`);
    const result = await call(store, runId, { force: true });
    expect(result).toMatchObject({
      status: 'partial',
      left: {
        found: 3,
        rows: [
          { table: 'conversations', how: 'changed', columns: ['last_message_at'] },
          { table: 'leads', how: 'changed', columns: ['push_name'] },
          { table: 'message_revisions', how: 'gone', columns: [] },
        ],
      },
    });
    await store.sql.execute(
      `update conversations set last_message_at = $2::timestamptz where id = $1::uuid`,
      [scene.ana.conversationId, moment(5)],
    );
    await store.sql.execute(`update leads set push_name = 'Ana' where id = $1::uuid`, [scene.ana.leadId]);
    expect(await dumpDatabase(store)).toEqual(scene.before);
  });

  backend.once('leaves with --force whose a row is, once it belongs to somebody else', async () => {
    const { ana, bru } = scene;
    const runId = await mergeBruIntoAna(scene);
    const third = await insertLead(store, { phone_number: '+14155550100' });
    await store.sql.execute(`update tickets set lead_id = $1::uuid`, [third]);
    await store.sql.execute(`update lead_identities set person_id = $1::uuid, lead_id = $1::uuid`, [third]);
    await store.sql.execute(`update conversations set lead_id = $1::uuid`, [third]);
    await store.sql.execute(`delete from leads where id = $1::uuid`, [ana.leadId]);
    const result = await call(store, runId, { force: true });
    expect(result.status).toBe('partial');
    expect(await store.sql.query(`select id from leads where id = $1::uuid`, [bru.leadId])).toHaveLength(1);
    const threads = await store.sql.query(
      `select distinct lead_id as lead from messages where conversation_id = $1::uuid`,
      [ana.conversationId],
    );
    expect(threads).toEqual([{ lead: third }]);
  });

  backend.once('changes nothing in a dry run, and says what it would do', async () => {
    const runId = await mergeBruIntoAna(scene);
    const between = await dumpDatabase(store, []);
    const result = await call(store, runId, { dryRun: true });
    expect(await dumpDatabase(store, [])).toEqual(between);
    expect(result).toMatchObject({ status: 'completed', dryRun: true, runId: null });
    expect(result.tables).toContainEqual({ table: 'messages', inserted: 1, updated: 1, deleted: 0 });
  });

  backend.once('can be undone itself, again and again, but no run twice', async () => {
    const runId = await mergeBruIntoAna(scene);
    const merged = await dumpDatabase(store);
    const first = await call(store, runId.slice(0, 13));
    await expect(call(store, runId)).rejects.toMatchObject({ code: 'already_undone', exitCode: 1 });
    const second = await call(store, first.runId ?? '');
    expect(await dumpDatabase(store)).toEqual(merged);
    await expect(call(store, first.runId ?? '')).rejects.toMatchObject({ code: 'already_undone' });
    await call(store, second.runId ?? '');
    expect(await dumpDatabase(store)).toEqual(scene.before);
    await expect(call(store, runId)).rejects.toMatchObject({ code: 'already_undone' });
  });

  backend.once(
    'knows no run that does not exist, is one of several, changed nothing or is no dedupe',
    async () => {
      await expect(call(store, 'zzzz')).rejects.toMatchObject({ code: 'unknown_run', exitCode: 2 });
      await expect(call(store, 'abcdef')).rejects.toMatchObject({ code: 'unknown_run', exitCode: 2 });
      const empty = await merge(store, { messageIds: [scene.a1] }, () => Promise.resolve());
      await expect(call(store, empty)).rejects.toMatchObject({ code: 'nothing_to_undo', exitCode: 2 });
      const changed = await merge(store, { messageIds: [scene.a1] }, (tx) =>
        tx.execute(`update messages set body = 'x'`),
      );
      const replayed = await replayBodies(store, [live('N1', 60)]);
      const refused = call(store, replayed.runId);
      await expect(refused).rejects.toMatchObject({ code: 'not_undoable', exitCode: 2 });
      await expect(refused).rejects.toHaveProperty('remedy', [
        expect.stringContaining(`Runs that can be undone: ${changed}`),
        expect.objectContaining({ command: 'raw discard', args: ['--run', replayed.runId] }),
      ]);
      await store.sql.execute(
        `update sync_runs set id = '01234567-0000-7000-8000-00000000000a' where id = $1::uuid`,
        [empty],
      );
      await insertRun(store.sql, {
      id: '01234567-0000-7000-8000-00000000000b', command: 'dedupe', options: {}, host: '', pid: 1, startedAt: 0, resumed: null,
    }); // prettier-ignore
      await expect(call(store, '01234567')).rejects.toMatchObject({ code: 'ambiguous_run', exitCode: 2 });
    },
  );

  backend.once('refuses a replay that merged leads, because the log would merge them again', async () => {
    const { runId } = await replayBodies(store, [live('N1', 60)]);
    await store.sql.execute(
      `insert into change_journal (run_id, table_name, key) values ($1::uuid, 'leads', '{}')`,
      [runId],
    );
    await expect(call(store, runId)).rejects.toMatchObject({
      code: 'not_undoable',
      remedy: expect.stringContaining('would merge them again') as unknown,
    });
  });

  backend.once('takes a run that was killed as it is, so that no later run goes on with it', async () => {
    const runId = await mergeBruIntoAna(scene);
    await store.sql.execute(`update sync_runs set checkpoint = '{"version": 1}'`);
    await call(store, runId);
    expect(await dumpDatabase(store)).toEqual(scene.before);
    const [run] = await store.sql.query(`select status, checkpoint from sync_runs where id = $1::uuid`, [
      runId,
    ]);
    expect(run).toEqual({ status: 'interrupted', checkpoint: null });
  });

  backend.once('restores the exact rows after a dedupe of every kind of damage', async () => {
    const own = await openStore(await backend.config(), TEST_OPTIONS);
    try {
      await dropUniqueIndexes(own);
      const lookAlikes = await damageEverything(own);
      const before = await dumpDatabase(own);
      const options = {
        classes: new Set(DUPLICATE_CLASSES),
        batchSize: 100,
        force: true,
        recordedOptions: {},
      };
      const planned = await dedupe(testContext(own), { ...options, apply: false });
      expect(planned.classes.map(({ groups }) => groups > 0)).toEqual(DUPLICATE_CLASSES.map(() => true));
      const merged = await dedupe(testContext(own), { ...options, apply: true });
      const left = await own.sql.query(`select id from messages where id = any($1::uuid[])`, [
        `{${lookAlikes.join(',')}}`,
      ]);
      expect(left).toHaveLength(lookAlikes.length);
      expect((await call(own, merged.runId ?? '')).status).toBe('completed');
      expect(await dumpDatabase(own)).toEqual(before);
      const again = await dedupe(testContext(own), { ...options, apply: false });
      expect(again.classes).toEqual(planned.classes);
    } finally {
      await own.close();
    }
  });

  backend.once('names the index that forbids what was there before, and changes nothing', async () => {
    const config = await backend.config();
    const own = await openStore(config, TEST_OPTIONS);
    try {
      await dropUniqueIndexes(own);
      const painted = await paint(own);
      const copy = await copyMessage(own, painted.a1);
      const runId = await merge(own, { messageIds: [painted.a1, copy] }, (tx) =>
        tx.execute(`delete from messages where id = $1::uuid`, [copy]),
      );
      await own.sql.execute(
        `create unique index ${UNIQUE_INDEXES.same_id} on messages (connection_id, external_id)`,
      );
      const between = await dumpDatabase(own, []);
      await expect(call(own, runId)).rejects.toMatchObject({
        code: 'index_in_the_way',
        exitCode: 1,
        remedy: [
          expect.stringContaining(`drop index ${UNIQUE_INDEXES.same_id}`) as unknown,
          { command: 'verify', args: ['--enforce'] },
        ],
      });
      expect(await dumpDatabase(own, [])).toEqual(between);
    } finally {
      await own.close();
    }
  });

  backend.once(
    'changes nothing when it is killed in the middle, and does all when it is typed again',
    async () => {
      const config = await backend.config();
      const own = await openStore(config, TEST_OPTIONS);
      const painted = await paint(own);
      const runId = await mergeBruIntoAna(painted);
      const between = await dumpDatabase(own, []);
      await own.close();
      const child = await startChild(
        `
      const { openStore } = await load('src/store/open-store');
      const { undo } = await load('src/commands/undo/undo');
      const store = await openStore(input.config, { command: 'undo', host: input.host, pid: process.pid });
      const slow = (tx) => ({
        query: (text, parameters) => tx.query(text, parameters),
        execute: async (text, parameters) => {
          const rows = await tx.execute(text, parameters);
          if (!text.startsWith('update tickets')) return rows;
          console.log('in the middle');
          return new Promise(() => setInterval(() => undefined, 1000));
        },
      });
      await undo(
        {
          store: { ...store, transaction: (work) => store.transaction((tx) => work(slow(tx))) },
          clock: Date.now, signal: new AbortController().signal, emit: () => undefined, host: 'h', pid: process.pid,
        },
        { run: input.runId, force: false, dryRun: false, recordedOptions: {} },
      );`,
        { input: { config, runId, host: TEST_OPTIONS.host } },
      );
      await child.says('in the middle');
      child.process.kill('SIGKILL');
      await child.ended;
      const again = await openStore(config, { ...TEST_OPTIONS, waitMs: 5_000 });
      try {
        expect(await dumpDatabase(again, [])).toEqual(between);
        expect((await call(again, runId)).status).toBe('completed');
        expect(await dumpDatabase(again)).toEqual(painted.before);
      } finally {
        await again.close();
      }
    },
  );
});
