import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import type { Alert } from '../../src/audit/alert.js';
import type { ReportResult } from '../../src/commands/report/types.js';
import type { ReportOptions } from '../../src/commands/report/types.js';
import { isRemedy } from '../../src/model/remedy.js';
import { acquireRunLock } from '../../src/store/locks/run-lock.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { runCheck } from '../support/checking.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends, describeOnServer, TEST_OPTIONS } from '../support/databases.js';
import { replayBodies, testContext, type TestOptions } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  BUSINESS,
  FIRST,
  history,
  item,
  live,
  old,
  SECOND,
  status,
  T0,
  webhook,
  webLive,
} from '../support/webhooks.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = T0 * 1000;
const NAME = `+${BUSINESS}`;

/** Replays bodies as they came: `after` ms from T0, which is also the clock of the run. */
async function receive(
  store: Store,
  after: number,
  bodies: readonly object[],
  options: TestOptions = {},
): Promise<void> {
  const clock = (): number => START + after;
  const wrapped = bodies.map((payload) => ({ payload, created_at: new Date(clock()).toISOString() }));
  await replayBodies(store, wrapped, { clock, ...options });
  // The database's own clock is today's; the tests live in the log's time.
  for (const table of ['webhook_log', 'rejects', 'pending_facts', 'connections']) {
    await store.sql.execute(
      `update ${table} set created_at = $1::timestamptz where created_at > '2026-01-01'`,
      [new Date(clock()).toISOString()],
    );
  }
}

function reportAfter(
  store: Store,
  after: number,
  options: Partial<ReportOptions> = {},
): Promise<ReportResult> {
  return report(testContext(store, { clock: () => START + after }), reportOptions(options));
}

async function alertsAfter(
  store: Store,
  after: number,
  options: Partial<ReportOptions> = {},
): Promise<Alert[]> {
  return (await reportAfter(store, after, options)).alerts;
}

/** Messages every `every` seconds, from T0 on for `days` days, as one webhook per day; none when `open` says so. */
async function trade(
  store: Store,
  { days, every, open }: { days: number; every: number; open: (second: number) => boolean },
): Promise<void> {
  const bodies: object[] = [];
  for (let day = 0; day < days; day += 1) {
    const messages = [];
    for (let second = day * 86_400; second < (day + 1) * 86_400; second += every) {
      if (open(second)) messages.push(item(`M${second}`, second));
    }
    if (messages.length > 0) bodies.push(webhook('messages', { messages }));
  }
  await receive(store, days * DAY, bodies);
}

/** T0 is Tuesday, 02:20 in the shop's zone: Monday to Friday from 9 to 18 o'clock, in seconds since T0. */
function officeHours(second: number): boolean {
  const sinceMonday = second + 86_400 + 2 * 3600 + 20 * 60;
  const hour = (sinceMonday / 3600) % 24;
  return Math.floor(sinceMonday / 86_400) % 7 < 5 && hour >= 9 && hour < 18;
}

describeOnBackends('an alert, and nothing but it', (backend) => {
  backend.once('comes of no history an hour after onboarding', async () => {
    const store = await backend.open();
    await receive(store, 0, [addressBook('add', { full_name: 'Ana', phone_number: ANA }, 0)]);
    expect(await alertsAfter(store, 59 * MINUTE)).toEqual([]);
    expect(await alertsAfter(store, 2 * HOUR)).toMatchObject([
      {
        kind: 'no_history',
        connection: NAME,
        since: new Date(START + HOUR).toISOString(),
        message: expect.stringContaining('No history came in the 2 hours') as string,
      },
    ]);
    expect(await alertsAfter(store, 2 * HOUR, { historyMinutes: 180 })).toEqual([]);
    const [late] = await alertsAfter(store, 2 * DAY);
    expect(late?.message).toContain('has to be connected again');
  });

  it('comes of a request of history that nothing answers, and names it', async () => {
    const store = await backend.open();
    await receive(store, 0, [addressBook('add', { full_name: 'Ana', phone_number: ANA }, 0)]);
    await store.sql.execute(
      `insert into history_requests (connection_id, sync_type, onboarded_at, requested_at, deadline, outcome, request_id,
         requested_by, host)
       select id, 'history', $1::timestamptz, $2::timestamptz, $3::timestamptz, 'accepted', 'req-7', 'ana', 'crm-1'
       from connections`,
      [new Date(START), new Date(START + 5 * HOUR), new Date(START + DAY)],
    );
    const waiting = await reportAfter(store, 5 * HOUR + 59 * MINUTE);
    expect(waiting.alerts).toEqual([]);
    expect(waiting.connections[0]?.historyRequest).toEqual({
      requestedAt: new Date(START + 5 * HOUR).toISOString(),
      requestId: 'req-7',
      outcome: 'accepted',
      isWaiting: true,
    });
    expect(await alertsAfter(store, 11 * HOUR)).toMatchObject([
      {
        kind: 'no_history',
        message: expect.stringContaining('History was requested 6 hours ago and nothing came.') as string,
        remedy: { command: 'connection check' },
      },
    ]);
    expect(await alertsAfter(store, 11 * HOUR, { historyMinutes: 600 })).toEqual([]);
    await receive(store, 6 * HOUR, [
      webhook('history', { history: [{ errors: [{ code: 2593109, title: 'History sync is turned off' }] }] }),
    ]);
    const declined = await reportAfter(store, 11 * HOUR);
    expect(declined.alerts).toMatchObject([{ kind: 'declined' }]);
    expect(declined.connections[0]?.historyRequest).toMatchObject({ isWaiting: false });
  });

  backend.once(
    'waits for the answer to a request as long as always, however late in the day that was made',
    async () => {
      const store = await backend.open();
      await receive(store, 0, [addressBook('add', { full_name: 'Ana', phone_number: ANA }, 0)]);
      await store.sql.execute(
        `update connections set webhook_activated_at = $1::timestamptz, created_at = $1::timestamptz`,
        [new Date(START)],
      );
      const requestedAt = DAY - MINUTE;
      await store.sql.execute(
        `insert into history_requests (connection_id, sync_type, onboarded_at, requested_at, deadline, outcome, request_id,
         requested_by, host)
       select id, 'history', $1::timestamptz, $2::timestamptz, $3::timestamptz, 'accepted', 'req-7', 'ana', 'crm-1'
       from connections`,
        [new Date(START), new Date(START + requestedAt), new Date(START + DAY)],
      );
      const kinds = async (after: number, historyMinutes: number): Promise<unknown> => {
        const alerts = await alertsAfter(store, after, { historyMinutes });
        return alerts.map(({ kind }) => kind).filter((kind) => kind !== 'silent');
      };
      const ledger = async (after: number, historyMinutes: number): Promise<string> =>
        (await runCheck(store, 'history_ledger', { now: START + after, historyMinutes })).result.status;
      for (const minutes of [60, 300]) {
        const [before, later] = [requestedAt + (minutes - 1) * MINUTE, requestedAt + (minutes + 1) * MINUTE];
        expect(await kinds(before, minutes)).toEqual([]);
        expect(await ledger(before, minutes)).toBe('note');
        expect(await kinds(later, minutes)).toEqual(['no_history']);
        expect(await ledger(later, minutes)).toBe('findings');
      }
      // A failure that came before is of an earlier onboarding.
      await store.sql.execute(`update connections set history_sync_status = 'failed'`);
      expect(await ledger(requestedAt + MINUTE, 60)).toBe('note');
    },
  );

  backend.once('does not come of a WhatsApp Web session without history', async () => {
    const store = await backend.open();
    await receive(store, 0, [webLive('K1', 0)]);
    expect(await alertsAfter(store, 2 * DAY)).toEqual([]);
  });

  backend.once('counts onboarding from what was recorded, where it was', async () => {
    const store = await backend.open();
    await addConnection(store);
    await store.sql.execute(`update connections set webhook_activated_at = $1::timestamptz`, [
      new Date(START).toISOString(),
    ]);
    const { connections, alerts } = await reportAfter(store, 3 * HOUR);
    expect(connections[0]).toMatchObject({
      onboardedAt: new Date(START).toISOString(),
      onboardedBy: 'webhook',
    });
    expect(alerts).toMatchObject([{ kind: 'no_history', connection: 'loja' }]);
  });

  backend.once('comes of silence at a time of the week when there never was any', async () => {
    const store = await backend.open();
    await trade(store, { days: 28, every: 1200, open: officeHours });
    // Monday, 20 minutes past the first hour of work.
    const monday = 27 * DAY + 7 * HOUR + 40 * MINUTE;
    expect(await alertsAfter(store, monday - HOUR)).toEqual([]);
    await receive(store, 28 * DAY, [live('last', 28 * 86_400 + 9 * 3600)]);
    const tuesday = 28 * DAY + 9 * HOUR;
    expect(await alertsAfter(store, tuesday + 40 * MINUTE)).toEqual([]);
    expect(await alertsAfter(store, tuesday + 12 * HOUR)).toMatchObject([
      { kind: 'silent', connection: NAME, since: new Date(START + tuesday).toISOString() },
    ]);
  });

  backend.once('does not come of a night or a week-end that is always silent', async () => {
    const store = await backend.open();
    await trade(store, { days: 25, every: 1200, open: officeHours });
    // The last message was on Friday at 17:40; this is Sunday night.
    const { alerts, connections } = await reportAfter(store, 26 * DAY + 20 * HOUR);
    expect(connections[0]?.rhythm.quietHours).toBeGreaterThan(48);
    expect(alerts).toEqual([]);
    // On Tuesday night it does.
    expect(await alertsAfter(store, 28 * DAY + 23 * HOUR)).toMatchObject([{ kind: 'silent' }]);
  });

  backend.once('comes of silence for as long as was asked for', async () => {
    const store = await backend.open();
    await receive(store, 0, [live('A', 0)]);
    expect(await alertsAfter(store, 5 * HOUR)).toEqual([]);
    expect(await alertsAfter(store, 5 * HOUR, { silentHours: 4 })).toMatchObject([
      { kind: 'silent', message: expect.stringContaining('for 5 hours (threshold 4 hours') as string },
    ]);
  });

  backend.once(
    'comes of a connection that no event ever reached, after the time that one without a baseline may be silent',
    async () => {
      const store = await backend.open();
      await addConnection(store, { kind: 'cloud_api', phoneNumberId: '1' });
      await store.sql.execute(
        `update connections set history_sync_status = 'not_supported', created_at = '${new Date(START).toISOString()}'`,
      );
      expect(await alertsAfter(store, 6 * DAY)).toEqual([]);
      expect(await alertsAfter(store, HOUR + HOUR, { silentHours: 1 })).toMatchObject([{ kind: 'silent' }]);
      expect(await alertsAfter(store, 60 * DAY)).toMatchObject([
        {
          kind: 'silent',
          severity: 'degraded',
          message:
            'No event has ever arrived, and the connection was added 60 days ago. Check the webhook subscription.',
          remedy: { command: 'connection archive' },
        },
      ]);
      await store.sql.execute('update connections set archived_at = now()');
      expect(await alertsAfter(store, 60 * DAY)).toEqual([]);
    },
  );

  backend.once('comes of a business that declined', async () => {
    const store = await backend.open();
    const errors = [{ code: 2593109, title: 'History sync is turned off' }];
    await receive(store, 0, [webhook('history', { history: [{ errors }] })]);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      { kind: 'declined', connection: NAME, since: new Date(START).toISOString(), remedy: null },
    ]);
  });

  backend.once('comes of a history that failed', async () => {
    const store = await backend.open();
    const errors = [{ code: 1, title: 'Something went wrong' }];
    await receive(store, 0, [webhook('history', { history: [{ errors }] })]);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      {
        kind: 'failed',
        connection: NAME,
        message: expect.stringContaining('Something went wrong') as string,
      },
    ]);
  });

  backend.once('comes of a chunk that is missing', async () => {
    const store = await backend.open();
    await receive(store, 0, [
      history([old('A', -100)], { phase: 1, order: 1, progress: 50 }),
      history([old('B', -90)], { phase: 1, order: 3, progress: 100 }),
    ]);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      {
        kind: 'chunk_missing',
        count: 1,
        message: expect.stringContaining('1/2') as string,
        remedy: { command: 'verify', args: ['--check', 'history_ledger', '--connection', NAME] },
      },
    ]);
  });

  backend.once('comes of a history that stopped halfway', async () => {
    const store = await backend.open();
    await receive(store, 0, [history([old('A', -100)], { progress: 55 })]);
    expect(await alertsAfter(store, 2 * HOUR)).toEqual([]);
    expect(await alertsAfter(store, 2 * DAY)).toMatchObject([
      { kind: 'chunk_missing', message: expect.stringContaining('stopped at 55 %') as string },
    ]);
  });

  backend.once('comes of a partner that was removed, until the number is connected again', async () => {
    const store = await backend.open();
    const account = (event: string, parts: object = {}): object => ({
      object: 'whatsapp_business_account',
      entry: [{ id: '9', time: T0, changes: [{ field: 'account_update', value: { event, ...parts } }] }],
    });
    await receive(store, 0, [live('A', 0), live('B', 0, {}, SECOND)]);
    await receive(store, HOUR, [account('PARTNER_REMOVED', { phone_number: BUSINESS })]);
    expect(await alertsAfter(store, 90 * DAY, { silentHours: 9999 })).toMatchObject([
      { kind: 'partner_removed', connection: NAME, since: new Date(START + HOUR).toISOString() },
    ]);
    await receive(store, 2 * HOUR, [account('ACCOUNT_RECONNECTED', { phone_number: BUSINESS })]);
    expect(await alertsAfter(store, 3 * HOUR)).toEqual([]);
    await receive(store, 4 * HOUR, [account('ACCOUNT_OFFBOARDED', { phone_number: `+${BUSINESS}` })]);
    expect(await alertsAfter(store, 5 * HOUR)).toMatchObject([{ kind: 'partner_removed' }]);
    await receive(store, 6 * HOUR, [live('C', 6 * 3600)]);
    expect(await alertsAfter(store, 7 * HOUR)).toEqual([]);
  });

  backend.once('says why a coexistence ended, of the account that Meta names', async () => {
    const store = await backend.open();
    await receive(store, 0, [live('A', 0)]);
    await store.sql.execute(`update connections set waba_id = '4711'`);
    const value = {
      event: 'PARTNER_REMOVED',
      waba_info: { waba_id: '4711' },
      disconnection_info: { reason: 'PRIMARY_INACTIVITY' },
    };
    const body = {
      object: 'whatsapp_business_account',
      entry: [{ id: 'portfolio', changes: [{ field: 'account_update', value }] }],
    };
    await receive(store, HOUR, [body]);
    expect(await alertsAfter(store, 2 * HOUR)).toMatchObject([
      { kind: 'partner_removed', message: expect.stringContaining('PRIMARY_INACTIVITY') as string },
    ]);
  });

  backend.once('comes of rejects, however old, until somebody acknowledges them', async () => {
    const store = await backend.open();
    await receive(store, 0, [
      live('A', 0),
      live('B', 60, { id: undefined }),
      live('C', 90, { id: undefined }),
    ]);
    const { alerts, rejected } = await reportAfter(store, HOUR);
    expect(alerts).toMatchObject([
      {
        kind: 'rejects',
        connection: NAME,
        count: 2,
        message: expect.stringContaining('no message id') as string,
      },
    ]);
    const advice = alerts[0]?.remedy;
    expect(rejected.map(({ entry }) => ['explain', entry])).toContainEqual(
      isRemedy(advice) ? [advice.command, ...advice.args] : [],
    );
    expect(rejected[0]).toMatchObject({ connection: NAME, subject: 'message', reason: 'missing_id' });
    const later = await reportAfter(store, 15 * DAY, { silentHours: 9999 });
    expect(later).toMatchObject({ alerts: [{ kind: 'rejects', count: 2 }], rejects: { missing_id: 2 } });
  });

  backend.once('comes of facts that have waited for their message for a day', async () => {
    const store = await backend.open();
    await receive(store, 0, [live('A', 0), status('nobody', 'read', 10)]);
    const early = await reportAfter(store, HOUR);
    expect(early).toMatchObject({ pendingFacts: 1, alerts: [] });
    expect(await alertsAfter(store, 25 * HOUR)).toMatchObject([
      { kind: 'pending_facts', connection: NAME, count: 1, since: new Date(START).toISOString() },
    ]);
  });

  backend.once('comes of entries that wait for a connection', async () => {
    const store = await backend.open();
    await receive(store, 0, [live('A', 0)], { register: false });
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      {
        kind: 'entries_pending',
        connection: null,
        count: 1,
        message: expect.stringContaining(FIRST.id) as string,
        remedy: { command: 'replay', args: ['--register'] },
      },
    ]);
  });

  backend.once(
    'comes of WhatsApp Web events that nobody has claimed, and says for which connection they may be',
    async () => {
      const store = await backend.open();
      await receive(
        store,
        0,
        [webLive('A', 0, {}, {})].map((event) => ({ ...event, sessionId: undefined })),
        {
          register: false,
        },
      );
      expect(await alertsAfter(store, HOUR)).toMatchObject([
        { kind: 'entries_pending', remedy: { command: 'connection add', args: [] } },
      ]);
      await addConnection(store, { name: "a'b c", kind: 'baileys' });
      await store.sql.execute(`update connections set history_sync_status = 'completed'`);
      expect(await alertsAfter(store, HOUR)).toMatchObject([
        { kind: 'entries_pending', remedy: { command: 'replay', args: ['--connection', `a'b c`] } },
      ]);
    },
  );

  backend.once('comes of entries that could not be read, and says where they stand', async () => {
    const store = await backend.open();
    await replayBodies(store, ['{"broken'], { clock: () => START });
    await store.sql.execute(`update webhook_log set created_at = $1::timestamptz`, [
      new Date(START).toISOString(),
    ]);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      {
        kind: 'entries_failed',
        connection: null,
        count: 1,
        message: expect.stringContaining('is invalid JSON, the first at stdin:1') as string,
      },
    ]);
    expect(await alertsAfter(store, 15 * DAY)).toMatchObject([{ kind: 'entries_failed' }]);
  });

  backend.once('names one entry that could not be read, in its words and in its remedy', async () => {
    const store = await backend.open();
    const broken = (name: string): string => `{"${name}`;
    await replayBodies(store, [broken('first')], { clock: () => START });
    await replayBodies(store, [broken('second')], { clock: () => START + MINUTE });
    // The file of the entry that came first is the last by its name.
    await store.sql.execute(
      `update webhook_log set created_at = $1::timestamptz,
         origin = case when encode(raw_body, 'hex') = $2 then 'z.ndjson:7' else 'a.ndjson:1' end`,
      [new Date(START).toISOString(), Buffer.from(broken('first')).toString('hex')],
    );
    const id = await value(store, `select id::text from webhook_log where origin = 'z.ndjson:7'`);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      {
        kind: 'entries_failed',
        severity: 'loss',
        count: 2,
        message: expect.stringContaining('the first at z.ndjson:7') as string,
        remedy: { command: 'explain', args: [`log:${String(id)}`] },
      },
    ]);
  });

  backend.once('comes of entries in a form that nobody knows', async () => {
    const store = await backend.open();
    await receive(store, 0, [{ what: 'is this' }]);
    expect(await alertsAfter(store, HOUR)).toMatchObject([
      { kind: 'entries_failed', message: expect.stringContaining('an unknown format') as string },
    ]);
  });
});

describeOnServer('a run that is recorded as running', (backend) => {
  async function recordRun(
    store: Store,
    pid: number,
    parts: { host?: string; at?: number } = {},
  ): Promise<void> {
    await store.sql.execute(
      `insert into sync_runs (id, command, options, status, host, pid, started_at)
       values (gen_random_uuid(), 'replay', '{"register":true,"batchSize":1000,"paths":["my logs/"]}', 'running', $1, $2::int, $3::timestamptz)`,
      [parts.host ?? hostname(), pid, new Date(START + (parts.at ?? 0)).toISOString()],
    );
  }

  async function deadPid(): Promise<number> {
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await once(child, 'exit');
    return child.pid ?? 0;
  }

  it('died if its process is dead', async () => {
    const store = await backend.open();
    await recordRun(store, await deadPid());
    const { runs, alerts } = await reportAfter(store, HOUR);
    expect(runs).toMatchObject([{ command: 'replay', status: 'died', completedAt: null }]);
    expect(alerts).toMatchObject([
      {
        kind: 'run_died',
        connection: null,
        since: new Date(START).toISOString(),
        remedy: { command: 'replay', args: ['my logs/', '--register'] },
      },
    ]);
  });

  it('is an alert however long ago it died, until somebody accepts it or a later run covers it', async () => {
    const store = await backend.open();
    await recordRun(store, await deadPid());
    expect((await reportAfter(store, 60 * 24 * HOUR)).alerts).toMatchObject([{ kind: 'run_died' }]);
  });

  it('still runs if it is ours', async () => {
    const store = await backend.open();
    await recordRun(store, process.pid);
    const { runs, alerts } = await reportAfter(store, HOUR);
    expect(runs).toMatchObject([{ status: 'running' }]);
    expect(alerts).toEqual([]);
  });

  it('died if it is on another machine, and nobody holds the lock any more', async () => {
    const store = await backend.open();
    await recordRun(store, 4242, { host: 'elsewhere' });
    expect((await reportAfter(store, HOUR)).runs).toMatchObject([{ status: 'died' }]);
  });

  it('is no alert any more once the same command has come to its end', async () => {
    const store = await backend.open();
    await recordRun(store, await deadPid());
    await recordRun(store, await deadPid(), { at: MINUTE });
    await store.sql.execute(
      `update sync_runs set status = 'completed', completed_at = started_at where started_at > $1::timestamptz`,
      [new Date(START).toISOString()],
    );
    const { runs, alerts } = await reportAfter(store, HOUR);
    expect(runs.map((run) => run.status)).toEqual(['completed', 'died']);
    expect(alerts).toEqual([]);
  });

  it('is shown as interrupted once another has taken it up', async () => {
    const store = await backend.open();
    await recordRun(store, await deadPid());
    await store.sql.execute(`update sync_runs set status = 'interrupted', completed_at = started_at`);
    const { runs, alerts } = await reportAfter(store, HOUR);
    expect(runs).toMatchObject([{ status: 'interrupted' }]);
    expect(alerts).toEqual([]);
  });

  it('is listed however many have come after it', async () => {
    const store = await backend.open();
    await recordRun(store, await deadPid());
    for (let i = 1; i <= 3; i += 1) await recordRun(store, process.pid, { at: i * MINUTE });
    const { runs, alerts } = await reportAfter(store, HOUR, { runs: 2 });
    expect(runs).toHaveLength(2);
    expect(alerts).toMatchObject([{ kind: 'run_died' }]);
  });

  if (backend.name === 'postgresql') {
    it('still runs on another machine as long as its session holds the lock', async () => {
      const config = await backend.config();
      const store = await openStore(config, TEST_OPTIONS);
      onTestFinished(() => store.close());
      const host = 'a-machine-with-a-name-that-is-longer-than-an-application-name-may-be';
      for (const owner of [
        { host: 'elsewhere', pid: 4242 },
        { host, pid: 77 },
      ]) {
        await store.sql.execute(`delete from sync_runs`);
        await recordRun(store, owner.pid, owner);
        const lock = await acquireRunLock(config, { mode: 'shared', command: 'replay', ...owner });
        const during = await reportAfter(store, HOUR);
        expect(during.runs).toMatchObject([{ status: 'running' }]);
        await lock.release();
        const after = await reportAfter(store, HOUR);
        expect(after.runs).toMatchObject([{ status: 'died' }]);
      }
    });
  }
});
