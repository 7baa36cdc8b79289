import { expect, it } from 'vitest';
import { acknowledgeAlerts, listAlerts, unacknowledgeAlerts } from '../../src/commands/alerts/alerts.js';
import { archiveConnection } from '../../src/commands/connections/remove.js';
import { report } from '../../src/commands/report/report.js';
import type { ReportResult } from '../../src/commands/report/types.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Context } from '../../src/context.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { ANA, BUSINESS, history, live, old, status, wamid, webhook } from '../support/webhooks.js';

const NAME = `+${BUSINESS}`;
const HOUR = 3_600_000;
const LIMITS = { historyMinutes: 60, silentHours: 1_000_000 };

function at(store: Store, after = 0): Context {
  const now = Date.now() + after;
  return testContext(store, { clock: () => now });
}

function reportAt(store: Store, after = 0, audit = false): Promise<ReportResult> {
  return report(at(store, after), reportOptions({ silentHours: 1_000_000, audit }));
}

describeOnServer('an acknowledged alert', (backend) => {
  it('is shown as such and colors nothing, with who did it, where and when', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10, { id: undefined })]);
    expect(await reportAt(store)).toMatchObject({ severity: 'loss', counts: { lost: 1 } });
    const acked = await acknowledgeAlerts(at(store), {
      alert: 'rejects',
      reason: 'a test message',
      ...LIMITS,
    });
    expect(acked.alerts).toMatchObject([
      {
        kind: 'rejects',
        acknowledged: {
          by: 'tester',
          reason: 'a test message',
          until: null,
          at: expect.any(String) as string,
        },
      },
    ]);
    const { severity, counts, alerts } = await reportAt(store);
    expect(severity).toBeNull();
    expect(counts).toEqual({ lost: 0, degraded: 0, notes: 0, acknowledged: 1 });
    expect(alerts).toMatchObject([{ acknowledged: { by: 'tester' } }]);
  });

  const incomplete = [
    ['a missing chunk', 'chunk_missing', `update history_chunks set chunk_order = 3`],
    ['a history that failed', 'failed', `update connections set history_sync_status = 'failed'`],
    [
      'a history that stopped',
      'chunk_missing',
      `update connections set history_sync_status = 'syncing', history_sync_progress = 40`,
    ],
  ] as const;
  it.each(incomplete)('of %s is no finding of verify either', async (_title, kind, damage) => {
    const store = await backend.open();
    await replayBodies(store, [history([old('A', 0)]), live('B', 10)]);
    await store.sql.execute(damage);
    const later = at(store, 48 * HOUR);
    const ledger = async (): Promise<unknown> => {
      const checks = new Set(['history_ledger'] as const);
      return (await verify(later, { checks, enforce: false })).checks[0]?.status;
    };
    expect(await ledger()).toBe('findings');
    await acknowledgeAlerts(later, { alert: kind, ...LIMITS });
    expect(await ledger()).not.toBe('findings');
    await unacknowledgeAlerts(later, { alert: kind });
    expect(await ledger()).toBe('findings');
  });

  it('of missing messages, and of what one check found, is no finding of verify either, until that changes', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10), live('C', 20)]);
    await store.sql.execute(`delete from messages where body = 'A'`);
    await store.sql.execute(`update conversations set first_message_at = now()`);
    const verified = () => verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    const checksWith = async (severity: 'loss' | 'degraded') =>
      (await verified()).checks.flatMap(({ check, severity: own }) => (own === severity ? check : []));
    const degraded = await checksWith('degraded');
    expect(degraded).toContain('conversation_times');

    await acknowledgeAlerts(at(store), { alert: 'messages_missing', ...LIMITS });
    expect(await checksWith('loss')).toEqual([]);
    await acknowledgeAlerts(at(store), { alert: 'finding:conversation_times', ...LIMITS });
    // The acknowledgement of one check is none of another.
    expect(await checksWith('degraded')).toEqual(degraded.filter((check) => check !== 'conversation_times'));
    await acknowledgeAlerts(at(store), { alert: 'finding', ...LIMITS });
    expect(await verified()).toMatchObject({ severity: null, findings: 0, missing: 1 });
    expect((await verified()).acknowledged).toBeGreaterThan(1);
    expect(await reportAt(store, 0, true)).toMatchObject({ severity: null });

    await store.sql.execute(`delete from messages where body = 'B'`);
    expect(await verified()).toMatchObject({ severity: 'loss', missing: 2 });
  });

  it('of a changed message ends when the message is changed in another way', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10)]);
    const verified = () => verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    const change = (text: string) =>
      store.sql.execute(`update messages set body = $1 where external_id = $2`, [text, wamid('A')]);
    await change('x');
    await acknowledgeAlerts(at(store), { alert: 'messages_different', ...LIMITS });
    expect(await verified()).toMatchObject({ severity: null });
    await change('y');
    expect(await verified()).toMatchObject({ severity: 'loss' });
    await change('x');
    expect(await verified()).toMatchObject({ severity: null });
  });

  // Of two equally good values a merge keeps one, so a type or a text may lose against the log's and stand with its own.
  it.each(['!', 'x'])('of a message with the text %s ends when its type is changed as well', async (body) => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10)]);
    const severity = async () =>
      (await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false })).severity;
    const set = (column: 'body' | 'type', value: string) =>
      store.sql.execute(`update messages set ${column} = $1 where external_id = $2`, [value, wamid('A')]);
    await set('body', body);
    await acknowledgeAlerts(at(store), { alert: 'messages_different', ...LIMITS });
    expect(await severity()).toBeNull();
    for (const type of ['image', 'unsupported', 'video']) {
      await set('type', type);
      expect({ type, severity: await severity() }).toEqual({ type, severity: 'loss' });
    }
    await set('type', 'text');
    expect(await severity()).toBeNull();
    // A status that comes later is no other damage.
    await replayBodies(store, [status('A', 'read', 60)]);
    expect(await severity()).toBeNull();
  });

  it('of messages of another program is none of verify either, until there are more', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10), live('C', 20)]);
    const disown = (id: string): Promise<unknown> =>
      store.sql.execute('update messages set batch_id = null, run_id = null where external_id = $1', [
        wamid(id),
      ]);
    const answers = async (): Promise<unknown[]> => {
      const { severity, alerts } = await reportAt(store);
      const verified = await verify(at(store), { checks: new Set(CHECK_NAMES), enforce: false });
      return [severity, (await reportAt(store, 0, true)).severity, verified.severity, alerts[0]?.count];
    };
    await disown('A');
    expect(await answers()).toEqual(['note', 'note', 'note', 1]);
    await acknowledgeAlerts(at(store), { alert: 'foreign_messages', ...LIMITS });
    expect(await answers()).toEqual([null, null, null, 1]);
    await disown('B');
    expect(await answers()).toEqual(['note', 'note', 'note', 2]);
    await acknowledgeAlerts(at(store), { alert: 'foreign_messages', ...LIMITS });
    await archiveConnection(at(store), NAME, true);
    expect(await answers()).toEqual([null, null, null, 2]);
    await disown('C');
    expect(await answers()).toEqual(['note', 'note', 'note', 3]);
  });

  it('ends when there is more of it, and not when the same is reported again', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10, { id: undefined })]);
    await acknowledgeAlerts(at(store), { alert: 'rejects', ...LIMITS });
    expect((await reportAt(store, HOUR)).severity).toBeNull();
    await replayBodies(store, [live('C', 20, { id: undefined })]);
    const { severity, counts } = await reportAt(store);
    expect({ severity, lost: counts.lost }).toEqual({ severity: 'loss', lost: 2 });
  });

  it('ends at its time', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 10, { id: undefined })]);
    const until = Date.now() + HOUR;
    await acknowledgeAlerts(at(store), { alert: 'rejects', until, ...LIMITS });
    expect((await reportAt(store)).severity).toBeNull();
    expect((await reportAt(store, 2 * HOUR)).severity).toBe('loss');
  });

  it('can be one of several, by its id, which stays the same', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), '{"broken', { what: 'is this' }]);
    const [first, second] = (await listAlerts(at(store), { audit: false, ...LIMITS })).alerts;
    if (first === undefined || second === undefined) throw new Error('two alerts');
    expect(first.kind).toBe(second.kind);
    expect(first.id).not.toBe(second.id);
    expect((await reportAt(store, HOUR)).alerts.map(({ id }) => id)).toEqual([first.id, second.id]);
    await acknowledgeAlerts(at(store), { alert: first.id, ...LIMITS });
    // What was acknowledged comes last.
    expect((await reportAt(store)).alerts.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect((await unacknowledgeAlerts(at(store), { alert: first.id })).ids).toEqual([first.id]);
    expect((await reportAt(store)).counts.acknowledged).toBe(0);
    await expect(unacknowledgeAlerts(at(store), { alert: first.id })).rejects.toThrow('was acknowledged');
  });

  it('can be items that were rejected: it stays when the whole log is replayed again', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0),
      webhook('messages', { messages: [{ from: ANA, type: 'text' }] }),
    ]);
    await acknowledgeAlerts(at(store), { alert: 'rejects', ...LIMITS });
    expect((await reportAt(store)).severity).toBeNull();
    await store.sql.execute(`update rejects set created_at = created_at - interval '1 hour'`);
    await acknowledgeAlerts(at(store), { alert: 'rejects', ...LIMITS });
    await replayLog(store, { which: 'all' });
    expect((await reportAt(store)).severity).toBeNull();
  });

  it('can be what a verification found, until it finds something else', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60), live('C', 120)]);
    await store.sql.execute(`delete from messages where body = 'A'`);
    await acknowledgeAlerts(at(store), { alert: 'messages_missing', connection: NAME, ...LIMITS });
    // What follows from the loss is told, too: the ticket and the times of its conversation.
    await acknowledgeAlerts(at(store), { alert: 'finding', ...LIMITS });
    expect((await reportAt(store, 0, true)).severity).toBeNull();
    await store.sql.execute(`delete from messages where body = 'B'`);
    expect(await reportAt(store, 0, true)).toMatchObject({ severity: 'loss', counts: { lost: 2 } });
    await replayBodies(store, [live('A', 0), live('B', 60)]);
    expect(await reportAt(store, 0, true)).toMatchObject({ severity: null, alerts: [] });
    await store.sql.execute('drop index messages_connection_id_external_id_key');
    const { alerts } = await listAlerts(at(store), { audit: true, ...LIMITS });
    expect(alerts).toMatchObject([{ kind: 'finding', subject: 'unique_index', severity: 'degraded' }]);
    await store.sql.execute(
      'create unique index messages_connection_id_external_id_key on messages (connection_id, external_id)',
    );
  });

  it('has to be there, and to be one', async () => {
    const store = await backend.open();
    await expect(acknowledgeAlerts(at(store), { alert: 'silent', ...LIMITS })).rejects.toThrow(
      `There is no alert 'silent' now.`,
    );
    await expect(acknowledgeAlerts(at(store), { alert: 'sillent', ...LIMITS })).rejects.toThrow(
      'is not an alert',
    );
  });
});

describeOnServer('an archived connection', (backend) => {
  it('raises no alert of what does not come, and none of the checks', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0),
      history([old('B', -100)], { phase: 1, order: 3, progress: 50 }),
      status('nobody', 'read', 10),
    ]);
    const late = 40 * 24 * HOUR;
    const loud = await report(at(store, late), reportOptions({ silentHours: 1, audit: false }));
    expect(loud.alerts.map(({ kind }) => kind).sort()).toEqual(['chunk_missing', 'pending_facts', 'silent']);
    expect(await archiveConnection(at(store), NAME, true)).toMatchObject({
      changed: true,
      connection: { archivedAt: expect.any(String) as string },
    });
    expect((await archiveConnection(at(store), NAME, true)).changed).toBe(false);
    const quiet = await report(at(store, late), reportOptions({ silentHours: 1, audit: false }));
    expect(quiet).toMatchObject({ alerts: [], severity: null });
    const { checks } = await verify(at(store, late), { checks: new Set(CHECK_NAMES), enforce: false });
    expect(checks.filter((check) => check.status === 'findings')).toEqual([]);
    await archiveConnection(at(store), NAME, false);
    expect((await report(at(store, late), reportOptions({ silentHours: 1 }))).alerts).toHaveLength(3);
  });

  it('still loses what it loses', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A', 0), live('B', 60)]);
    await archiveConnection(at(store), NAME, true);
    await store.sql.execute(`delete from messages where body = 'A'`);
    expect(await reportAt(store, 0, true)).toMatchObject({
      severity: 'loss',
      alerts: [
        { kind: 'messages_missing', connection: NAME, count: 1 },
        { kind: 'finding', subject: 'ticket_rules' },
        { kind: 'finding', subject: 'conversation_times' },
        // A lead is judged by its messages, of which the first is gone.
        { kind: 'finding', subject: 'lead_values' },
      ],
    });
  });
});
