import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import type { Accounts, ReportResult } from '../../src/commands/report/types.js';
import type { ReasonCounts, RunResult } from '../../src/model/run-result.js';
import type { Store } from '../../src/store/store.js';
import { addConnection } from '../support/connections.js';
import { addBaileysConnection } from '../support/counting.js';
import { describeOnBackends } from '../support/databases.js';
import { metaLog, mixedLog, WEB_CONNECTION } from '../support/random-log.js';
import { replayBodies, replayFiles, replayLog, sample, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { value } from '../support/shown.js';
import {
  ANA,
  BUSINESS,
  history,
  live,
  old,
  SECOND,
  T0,
  webhook,
  webHistory,
  webMessage,
} from '../support/webhooks.js';
import { tries } from '../support/seed.js';

const DEMO = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));
const EVENING = Date.UTC(2025, 8, 16, 23, 0);

const names = Object.keys(JSON.parse(readFileSync(sample('EXPECT.json'), 'utf8')) as object);

function reportAt(store: Store, now = EVENING, connection?: string, audit = true): Promise<ReportResult> {
  const options = reportOptions({ audit, ...(connection === undefined ? {} : { connection }) });
  return report(testContext(store, { clock: () => now }), options);
}

/** What a run says that it did, in the words of the accounts. */
function accountsOfRun({ messages }: Pick<RunResult, 'messages'>): ReasonCounts {
  const repeated = messages.updated + messages.unchanged;
  return Object.fromEntries(
    [
      ['repeated', repeated] as const,
      ...Object.entries(messages.skipped).map(([reason, count]) => [accountName(reason), count] as const),
      ...Object.entries(messages.rejected).map(([reason, count]) => [`rejected.${reason}`, count] as const),
    ].filter(([, count]) => count > 0),
  );
}

function accountName(reason: string): string {
  return reason === 'unknown_connection' ? 'pending.unknown_connection' : `skipped.${reason}`;
}

function balance({ items, saved, explained, unexplained }: Accounts): number {
  return items - saved - unexplained - Object.values(explained).reduce((sum, count) => sum + count, 0);
}

describeOnBackends('the figures of a report', (backend) => {
  backend.once('of the demo day are those of the database', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    const { connections, entries, pendingFacts, rejects, accounts, leads } = await reportAt(store);
    // A lead with conversations on both connections is one person.
    expect(leads).toBe(10);
    const [first, second] = connections;

    expect(first).toMatchObject({
      name: '+5511900000000',
      kind: 'coexistence',
      historySync: { status: 'completed', phase: 2, progress: 100, missingChunks: ['1/3'] },
      onboardedBy: 'evidence',
      leads: 10,
      conversations: 9,
      messages: {
        total: 58,
        byDirection: { INBOUND: 38, OUTBOUND: 20 },
        bySource: { app_echo: 11, history: 19, live: 28 },
      },
      tickets: { open: 7, closed: 0 },
      mediaOwed: { waiting: 0, expired: 0 },
      pendingFacts: 2,
      accounts: {
        items: 70,
        saved: 58,
        explained: {
          repeated: 8,
          'rejected.missing_id': 1,
          'skipped.group': 1,
          'skipped.self_thread': 1,
          'skipped.system': 1,
        },
        unexplained: 0,
      },
    });
    expect(second).toMatchObject({
      leads: 1,
      conversations: 1,
      messages: { total: 1 },
      tickets: { open: 1 },
    });
    expect(entries).toEqual({
      pending: 0,
      processed: 77,
      partial: 1,
      failed: 1,
      unrecognized: 1,
      ignored: 2,
    });
    expect({ pendingFacts, rejects }).toEqual({ pendingFacts: 2, rejects: { missing_id: 1 } });
    expect(accounts).toMatchObject({ items: 71, saved: 59, unexplained: 0 });
    const [day] = (first?.days ?? []).slice(-1);
    expect(day).toMatchObject({ day: '2025-09-16', gap: false });
    expect((day?.inbound ?? 0) + (day?.outbound ?? 0)).toBe(
      await value(
        store,
        `select count(*)::int from messages m join connections c on c.id = m.connection_id
         where c.name = '+5511900000000' and m.timestamp >= '2025-09-16T03:00:00Z'`,
      ),
    );
  });

  backend.once('stay the same however often a log is replayed', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    const once = await reportAt(store);
    await replayFiles(store, [DEMO]);
    await replayLog(store, { which: 'all' });
    const thrice = await reportAt(store);
    expect(thrice.accounts).toEqual(once.accounts);
    expect(thrice.connections.map(({ accounts }) => accounts)).toEqual(
      once.connections.map(({ accounts }) => accounts),
    );
  });

  it.each(backend.some(names, (name) => name.split('-')[0]))(
    'account for every message of %s',
    async (name) => {
      const store = await backend.open();
      const options = name.startsWith('baileys-') ? { connection: 'loja' } : {};
      if (name.startsWith('baileys-')) await addBaileysConnection(store);
      const run = await replayFiles(store, [sample(name)], options);
      const { accounts } = await reportAt(store);
      expect(accounts).toEqual({
        items: run.messages.seen,
        saved: run.messages.created,
        explained: accountsOfRun(run),
        unexplained: 0,
      });
    },
  );

  backend.once(
    'balance after random logs of webhooks, in any number of runs',
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(metaLog, { minLength: 1, maxLength: 3 }), async (logs) => {
          const store = await backend.open();
          for (const log of logs) await replayBodies(store, log, { batchSize: 3 });
          const result = await reportAt(store);
          await store.close();
          for (const { accounts } of result.connections) {
            expect(balance(accounts)).toBe(0);
            expect(accounts.unexplained).toBe(0);
          }
          expect(result.accounts === undefined ? NaN : balance(result.accounts)).toBe(0);
        }),
        { numRuns: backend.name === 'postgresql' ? tries(10) : 2 },
      );
    },
    300_000,
  );

  backend.once(
    'balance where webhooks and WhatsApp Web tell of the same messages',
    async () => {
      await fc.assert(
        fc.asyncProperty(mixedLog, async (log) => {
          const store = await backend.open();
          await addConnection(store, WEB_CONNECTION);
          await replayBodies(store, log, { batchSize: 2 });
          const { connections, accounts } = await reportAt(store);
          await store.close();
          for (const one of connections) expect(balance(one.accounts)).toBe(0);
          expect(accounts === undefined ? NaN : balance(accounts)).toBe(0);
        }),
        { numRuns: backend.name === 'postgresql' ? tries(10) : 2 },
      );
    },
    300_000,
  );

  backend.once(
    'name as pending what waits for its connection, and keep it apart from the others',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A', 0)]);
      await replayBodies(store, [live('B', 60, {}, SECOND)], { register: false });
      const { accounts, connections, entries } = await reportAt(store);
      expect(accounts).toEqual({
        items: 2,
        saved: 1,
        explained: { 'pending.unknown_connection': 1 },
        unexplained: 0,
      });
      expect(connections[0]?.accounts).toEqual({ items: 1, saved: 1, explained: {}, unexplained: 0 });
      expect(entries).toMatchObject({ pending: 1, processed: 1 });
    },
  );

  backend.once('share out an entry that is about two numbers', async () => {
    const store = await backend.open();
    const both = {
      ...live('A', 0),
      entry: [...entriesOf(live('A', 0)), ...entriesOf(live('B', 60, {}, SECOND))],
    };
    await replayBodies(store, [both]);
    const { connections } = await reportAt(store);
    expect(connections.map(({ accounts }) => accounts)).toEqual([
      { items: 1, saved: 1, explained: {}, unexplained: 0 },
      { items: 1, saved: 1, explained: {}, unexplained: 0 },
    ]);
  });

  backend.once(
    'tell of rows that were stored and are gone, and of those that a merge has journaled',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [live('A', 0), live('B', 60), live('C', 120)]);
      await store.sql.execute(
        `insert into change_journal (run_id, table_name, key, before)
       select run_id, 'messages', jsonb_build_object('id', id), to_jsonb(m) from messages m where body = 'A'`,
      );
      await store.sql.execute(`delete from messages where body in ('A', 'B')`);
      const { connections } = await reportAt(store, EVENING, undefined, false);
      expect(connections[0]?.accounts).toEqual({
        items: 3,
        saved: 1,
        explained: { merged: 1 },
        unexplained: 1,
      });
      // The journal does not say into which row A was merged, and there is none: it is missing as well.
      const audited = await reportAt(store);
      const oldest = new Date(T0 * 1000).toISOString();
      expect(audited.connections[0]?.accounts).toEqual({ items: 3, saved: 1, explained: {}, unexplained: 2 });
      expect(audited.alerts).toContainEqual(
        expect.objectContaining({ kind: 'messages_missing', severity: 'loss', count: 2, since: oldest }),
      );
      expect(audited.contactsAtRisk).toMatchObject([{ lost: 2, since: oldest }]);
    },
  );

  backend.once('know also after a kill what is gone: the counters are written with each batch', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60)]);
    await store.sql.execute(`delete from sync_logs`);
    await store.sql.execute(`update sync_runs set status = 'running', completed_at = null`);
    await store.sql.execute(`delete from messages where body = 'B'`);
    const { connections } = await reportAt(store);
    expect(connections[0]?.accounts).toMatchObject({ items: 2, saved: 1, explained: {}, unexplained: 1 });
  });

  backend.once('do not take rows of another program for rows of the log', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0)]);
    await store.sql.execute(
      `insert into messages (timestamp, evidence, is_sync_initial, id, connection_id, conversation_id, lead_id, external_id,
         direction, type, source, sync_source)
       select timestamp, 0, false, gen_random_uuid(), connection_id, conversation_id, lead_id, 'from-the-crm',
         'OUTBOUND', 'text', 'live', 'webhook' from messages`,
    );
    const { connections } = await reportAt(store);
    expect(connections[0]).toMatchObject({
      messages: { total: 2 },
      accounts: { items: 1, saved: 1, explained: {} },
    });
  });

  backend.once(
    'count media that history announced, those that may still come apart from those that will not',
    async () => {
      const store = await backend.open();
      const placeholder = { type: 'media_placeholder', text: undefined };
      await replayBodies(store, [
        history([old('A', 0, placeholder), old('B', -20 * 86_400, placeholder), old('C', 60)]),
      ]);
      const { connections } = await reportAt(store);
      expect(connections[0]?.mediaOwed).toEqual({ waiting: 1, expired: 1 });
    },
  );

  backend.once('owe no media of WhatsApp Web, which has no ids for them', async () => {
    const store = await backend.open();
    await addBaileysConnection(store);
    await replayBodies(
      store,
      [webHistory([webMessage('A', 0, { message: { imageMessage: { mimetype: 'image/jpeg' } } })])],
      { connection: 'loja' },
    );
    const { connections } = await reportAt(store);
    expect(connections[0]).toMatchObject({ messages: { total: 1 }, mediaOwed: { waiting: 0, expired: 0 } });
  });

  backend.once('count a lead of the address book for the connection that brought it', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      webhook('smb_app_state_sync', {
        state_sync: [
          {
            type: 'contact',
            action: 'add',
            contact: { full_name: 'Ana', phone_number: ANA },
            metadata: { timestamp: '1758000000' },
          },
        ],
      }),
    ]);
    const { connections } = await reportAt(store);
    expect(connections[0]).toMatchObject({ leads: 1, conversations: 0 });
  });

  it('can be asked for one connection, and say nothing of the others', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60, {}, SECOND), 'broken']);
    const { connections, accounts, entries } = await reportAt(store, EVENING, `+${BUSINESS}`);
    expect(connections.map(({ name }) => name)).toEqual([`+${BUSINESS}`]);
    expect(accounts).toBeUndefined();
    expect(entries).toMatchObject({ processed: 1, failed: 0 });
    await expect(reportAt(store, EVENING, 'nobody')).rejects.toThrow("There is no connection 'nobody'.");
  });

  backend.once('are empty, not wrong, for an empty database', async () => {
    const store = await backend.open();
    const result = await reportAt(store);
    expect(result).toMatchObject({
      connections: [],
      alerts: [],
      runs: [],
      accounts: { items: 0, saved: 0, explained: {}, unexplained: 0 },
    });
  });
});

function entriesOf(body: object): object[] {
  return 'entry' in body && Array.isArray(body.entry) ? (body.entry as object[]) : [];
}
