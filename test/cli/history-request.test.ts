import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { HistoryRequestResult } from '../../src/commands/graph/request-history.js';
import type { CheckResult } from '../../src/commands/graph/types.js';
import { healthyAccount, TOKEN, type FakeAccount } from '../support/fake-graph/account.js';
import { refusal, type FakeGraph } from '../support/fake-graph/server.js';
import type { Run } from './database-home.js';
import {
  HOUR,
  NOW,
  NUMBER,
  PATH,
  PHONE,
  prepare,
  receiveEvent,
  server,
  type World,
} from './history-world.js';
import type { Seen } from './run-cli.js';

function resultOf({ stdout }: Seen): HistoryRequestResult {
  return JSON.parse(stdout) as HistoryRequestResult;
}

function codesOf(seen: Seen): string[] {
  return resultOf(seen).obstacles.map(({ code }) => code);
}

interface Told {
  message: string;
  remedy?: unknown;
}

/** What `connection check` and the alert of `report` say of the history. */
async function elsewhere({ run, env }: World): Promise<{ check: unknown; alert: unknown }> {
  const checked = await run(['connection', 'check', 'main', '--json'], { env, now: NOW });
  const { connections } = JSON.parse(checked.stdout) as CheckResult;
  const found = connections[0]?.checks.find(({ check }) => check === 'history');
  const reported = await run(['report', '--json'], { now: NOW });
  const { alerts } = JSON.parse(reported.stdout) as { alerts: (Told & { kind: string })[] };
  const raised = alerts.find(({ kind }) => kind === 'no_history');
  return {
    check: { status: found?.status, message: found?.message, remedy: found?.remedy },
    alert: { message: raised?.message, remedy: raised?.remedy },
  };
}

test('asks for contacts, then for history, each once, and keeps the ids', async () => {
  const { request, sent, fake } = await prepare();
  const first = await request(['--confirm', '+55 11 90000-0000', '--json']);
  expect(first.code).toBe(0);
  expect(resultOf(first)).toMatchObject({
    schemaVersion: 1,
    command: 'history request',
    status: 'requested',
    hoursLeft: 19,
    steps: [
      { syncType: 'smb_app_state_sync', state: 'accepted', requestId: 'req-smb_app_state_sync-1' },
      { syncType: 'history', state: 'accepted', requestId: 'req-history-2' },
    ],
  });
  expect(sent()).toEqual(['smb_app_state_sync', 'history']);

  const again = await request(['--confirm', PHONE, '--json']);
  expect(again.code).toBe(3);
  expect(codesOf(again)).toEqual(['already_requested']);
  const text = await request();
  expect(text.stdout).toContain('The history of main is not requested.');
  expect(text.stdout).toContain('req-history-2');
  expect(sent()).toHaveLength(2);
  for (const { stdout, stderr } of [first, again, text]) {
    expect(stdout + stderr).not.toContain(TOKEN.slice(4));
  }
  for (const { url } of fake.requests) expect(url).not.toContain(TOKEN.slice(4));
});

test('wants the number typed, and takes no --yes for it', async () => {
  const { request, sent } = await prepare();
  const yes = await request(['--yes']);
  expect(yes.code).toBe(2);
  expect(yes.stderr).toContain('--confirm NUMBER is required');
  const wrong = await request(['--confirm', '+5511911111111']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('--confirm is not the number');
  const terminals = ['stdin', 'stdout', 'stderr'] as const;
  const mistyped = await request([], { terminals, answers: [['Type the number', 'main\r']] });
  expect(mistyped.code).toBe(1);
  expect(mistyped.stderr).toContain('Nothing was requested: not confirmed.');
  expect(mistyped.stderr).toContain('Meta will be asked for the contacts, then the messages of main');
  expect(mistyped.stderr).toContain('19 h left');
  expect(sent()).toEqual([]);
  const typed = await request([], { terminals, answers: [['Type the number', `${PHONE}\r`]] });
  expect(typed.code).toBe(0);
  expect(sent()).toEqual(['smb_app_state_sync', 'history']);
});

test('a dry run asks nothing of the history', async () => {
  const { request, sent } = await prepare();
  const seen = await request(['--dry-run', '--json']);
  expect(seen.code).toBe(0);
  expect(resultOf(seen)).toMatchObject({ status: 'planned', obstacles: [] });
  expect(sent()).toEqual([]);
});

const healthy = healthyAccount();
test.each<[string, number | null, Partial<FakeAccount>, string]>([
  ['after the 24 hours', 24, {}, 'window_over'],
  ['where nobody knows when they began', null, {}, 'onboarding_unknown'],
  ['without a subscription', 5, { waba: { ...healthy.waba, subscribedApps: [] } }, 'check_subscription'],
  ['without a field', 5, { app: { ...healthy.app, fields: ['messages'] } }, 'check_fields'],
  [
    'of a number that left the app',
    5,
    { number: { ...healthy.number, isOnBizApp: false } },
    'check_coexistence',
  ],
  ['of another number', 5, { number: { ...healthy.number, display: '+55 11 91111-1111' } }, 'check_phone'],
  ['with a token that may not', 5, { scopes: [] }, 'check_scopes'],
  ['with a dead token', 5, { tokenIsValid: false }, 'check_token'],
])('refuses %s, and asks nothing', async (_what, hoursAgo, account, code) => {
  const { request, sent } = await prepare(hoursAgo, account);
  const seen = await request(['--confirm', PHONE, '--json']);
  expect(seen.code).toBe(3);
  expect(resultOf(seen).status).toBe('refused');
  expect(codesOf(seen)).toContain(code);
  expect(sent()).toEqual([]);
});

test('takes the time of the onboarding from a person, and records it', async () => {
  const { request, run, sent } = await prepare(null);
  const seen = await request(['--onboarded', '3h', '--confirm', PHONE, '--json']);
  expect(resultOf(seen)).toMatchObject({
    status: 'requested',
    onboardedAt: '2026-11-29T00:00:00.000Z',
    hoursLeft: 21,
  });
  expect(sent()).toHaveLength(2);
  const shown = await run(['connection', 'show', 'main', '--json']);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    connection: { webhookActivatedAt: '2026-11-29T00:00:00.000Z' },
  });
  expect((await request(['--onboarded', '2026-12-24', '--confirm', PHONE])).code).toBe(2);
});

test.each<[string, (fake: FakeGraph) => void, string]>([
  ['is on its way', () => undefined, 'already_requested'],
  ['was refused', (fake) => void fake.account.granted.set('history', 'by the CRM'), 'already_refused'],
  [
    'has no answer',
    ({ fail }) => {
      fail(PATH, { kind: 'cut' });
    },
    'outcome_unknown',
  ],
])('a rough time of the onboarding is no new one while the request %s', async (_what, arrange, code) => {
  const { request, run, fake, sent } = await prepare(null);
  arrange(fake);
  const rough = ['--onboarded', '2h', '--confirm', PHONE];
  await request(rough);
  const asked = sent();
  for (const minutes of [1, 30]) {
    const seen = await request([...rough, '--json'], { now: NOW + minutes * 60_000 });
    expect(seen.code).toBe(3);
    expect(codesOf(seen)).toEqual([code]);
  }
  expect(sent()).toEqual(asked);
  const shown = await run(['connection', 'show', 'main', '--json']);
  expect(JSON.parse(shown.stdout)).toMatchObject({
    connection: { webhookActivatedAt: '2026-11-29T01:00:00.000Z' },
  });

  // Connected anew after the request: that has a history of its own.
  fake.account.granted.clear();
  const anew = await request(['--onboarded', '2026-11-29T04:00Z', '--confirm', PHONE], {
    now: NOW + 2 * HOUR,
  });
  expect(anew.code).toBe(0);
  expect(sent()).toEqual([...asked, 'smb_app_state_sync', 'history']);
});

test('counts a request of before Meta’s word on the onboarding came', async () => {
  const { request, run, sent } = await prepare(null);
  expect((await request(['--onboarded', '3h', '--confirm', PHONE])).code).toBe(0);
  await receiveEvent(run, 'PARTNER_ADDED', 1);
  const seen = await request(['--confirm', PHONE, '--json'], { now: NOW + HOUR });
  expect(codesOf(seen)).toEqual(['already_requested']);
  expect(sent()).toHaveLength(2);
});

test('advises an absolute time of the onboarding', async () => {
  const { request } = await prepare(null);
  expect((await request(['--dry-run'])).stdout).toContain('--onboarded 2026-11-29T01:00Z');
});

test('says what it is not certain of', async () => {
  const { request, env } = await prepare();
  delete env.WA_RECONCILE_APP_SECRET;
  const seen = await request(['--dry-run']);
  expect(seen.code).toBe(0);
  expect(seen.stdout).toContain('Not certain');
  expect(seen.stdout).toContain('Meta tells the subscriptions only to the app itself');
});

test('does not say that nothing stands in the way where another app gets the webhooks', async () => {
  const waba = { ...healthy.waba, subscribedApps: [{ id: '999', name: 'Other' }] };
  const { request, sent } = await prepare(5, { waba });
  const seen = await request(['--dry-run']);
  expect(seen.stdout).not.toContain('Nothing stands in the way');
  expect(seen.stdout).toContain('but Meta does not confirm fields');
  expect(seen.stdout).toContain('webhooks go to Other (999)');
  const terminals = ['stdin', 'stdout', 'stderr'] as const;
  const asked = await request([], { terminals, answers: [['Type the number', 'no\r']] });
  expect(asked.stderr).toContain('Not certain: fields: ');
  expect(sent()).toEqual([]);
});

test('2593107 and 2593108 are never sent again', async () => {
  for (const code of [2593107, 2593108]) {
    const world = await prepare();
    const { request, fake, sent } = world;
    fake.account.granted.set('smb_app_state_sync', 'by the CRM');
    fake.fail(PATH, refusal(400, 2593107, 'limit'), refusal(400, code, 'no'));
    const seen = await request();
    expect(seen.code).toBe(1);
    expect(seen.stderr).toContain(`code ${code}`);
    expect(sent()).toEqual(['smb_app_state_sync', 'history']);
    // Meta has one code for the contacts and the history.
    expect((await request(['--dry-run'])).stdout).toMatch(
      /contacts\s+refused on [^\n]*: This was requested before/,
    );
    const again = await request(['--confirm', PHONE, '--json']);
    expect(codesOf(again)).toEqual(['already_refused']);
    expect(sent()).toHaveLength(2);
    expect(await elsewhere(world)).toEqual({
      check: {
        status: 'finding',
        message: `Meta refused the request on 2026-11-29 03:00 UTC (${code})`,
        remedy: expect.stringMatching(/^Disconnect the number/) as string,
      },
      alert: {
        message: expect.stringContaining(
          `connected. Meta refused the request on 2026-11-29 03:00 UTC (${code}). Disconnect the number`,
        ) as string,
        remedy: null,
      },
    });
  }
});

test('asks for no history after Meta said of the contacts that the 24 hours are over', async () => {
  const { request, fake, sent } = await prepare();
  fake.fail(PATH, refusal(400, 2593108, 'over'));
  expect((await request()).code).toBe(1);
  const again = await request(['--confirm', PHONE, '--json']);
  expect(again.code).toBe(3);
  expect(resultOf(again).obstacles).toMatchObject([
    { code: 'already_refused', message: expect.stringContaining('(2593108)') as string },
  ]);
  expect(sent()).toEqual(['smb_app_state_sync']);
});

test('what surely had no effect can be asked for again', async () => {
  const { request, fake, sent } = await prepare();
  fake.fail(PATH, refusal(403, 10, 'permission'));
  const seen = await request();
  expect(seen.code).toBe(1);
  expect(seen.stderr).toContain('The access token may not do this (code 10, fbtrace_id AbCdEfTrace2)');
  expect((await request()).code).toBe(0);
  expect(sent()).toEqual(['smb_app_state_sync', 'smb_app_state_sync', 'history']);
});

test('what nobody knows the end of is asked for again only when a person says so', async () => {
  const world = await prepare();
  const { request, fake, sent } = world;
  fake.fail(
    PATH,
    { kind: 'answer', status: 200, body: { messaging_product: 'whatsapp', request_id: 'r1' } },
    {
      kind: 'cut',
    },
  );
  const cut = await request();
  expect(cut.code).toBe(1);
  expect(cut.stderr).toContain('Do not repeat it; look first:');
  expect(cut.stderr).toContain('wa-reconcile connection check main');
  expect(cut.stderr).not.toContain('run the command again');
  expect(sent()).toEqual(['smb_app_state_sync', 'history']);
  const again = await request(['--confirm', PHONE, '--json']);
  expect(codesOf(again)).toEqual(['outcome_unknown']);
  expect(sent()).toHaveLength(2);
  const untold = expect.stringMatching(
    /istory was requested on 2026-11-29 03:00 UTC, and no answer of Meta’s is known/,
  ) as string;
  const remedy = 'wa-reconcile history request main --again';
  expect(await elsewhere(world)).toEqual({
    check: {
      status: 'finding',
      message: untold,
      remedy: `Wait for its webhooks first. If nothing comes within the hour:\n${remedy}`,
    },
    alert: { message: untold, remedy },
  });
  // Meta had taken it: it refuses, and that is on record.
  const forced = await request(['--again', '--confirm', PHONE]);
  expect(forced.code).toBe(1);
  expect(forced.stderr).toContain('code 2593107');
  expect(sent()).toEqual(['smb_app_state_sync', 'history', 'history']);
});

test('two at once ask once', async () => {
  const { request, sent } = await prepare();
  const both = await Promise.all([request(), request()]);
  expect(both.map(({ code }) => code).sort()).not.toEqual([0, 0]);
  expect(both.some(({ code }) => code === 0)).toBe(true);
  expect(sent().filter((type) => type === 'history')).toHaveLength(1);
  expect(sent().filter((type) => type === 'smb_app_state_sync')).toHaveLength(1);
});

async function sample(name: string): Promise<string> {
  const text = await readFile(new URL(`../samples/${name}.json`, import.meta.url), 'utf8');
  return text.replaceAll(/"phone_number_id": ?"\d+"/g, `"phone_number_id":"${NUMBER}"`);
}

test.each(['PARTNER_REMOVED', 'PARTNER_APP_UNINSTALLED'])(
  'asks for nothing of a number that Meta disconnected (%s), until it is connected again',
  async (event) => {
    const { request, run, env, sent } = await prepare(null);
    await receiveEvent(run, 'PARTNER_ADDED', 5);
    await receiveEvent(run, event, 2);
    const refused = await request(['--confirm', PHONE, '--json']);
    expect(refused.code).toBe(3);
    expect(resultOf(refused)).toMatchObject({
      obstacles: [
        { code: 'disconnected', message: `Meta disconnected the number on 2026-11-29 01:00 UTC (${event})` },
      ],
      hoursLeft: 0,
    });
    const text = await request();
    expect(text.stdout).toMatch(/In the way[\s\S]*Meta disconnected the number on 2026-11-29 01:00/);
    const checked = await run(['connection', 'check', 'main', '--json'], { env, now: NOW });
    expect(checked.code).toBe(3);
    expect((JSON.parse(checked.stdout) as CheckResult).connections[0]?.checks).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ check: 'connected', status: 'finding' }),
        expect.objectContaining({ check: 'history', status: 'ok' }),
      ]),
    );
    expect((await request(['--onboarded', '3h', '--confirm', PHONE])).code).toBe(2);
    expect(sent()).toEqual([]);

    // As advised: a time after the disconnection.
    const advised = /--onboarded (\S+)/.exec(text.stdout)?.[1] ?? '';
    const again = await request(['--onboarded', advised, '--confirm', PHONE, '--json']);
    expect(again.code).toBe(0);
    expect(sent()).toHaveLength(2);
    const reported = await run(['report', '--json'], { now: NOW });
    const { alerts } = JSON.parse(reported.stdout) as { alerts: { kind: string }[] };
    expect(alerts.filter(({ kind }) => kind === 'partner_removed')).toEqual([]);
  },
);

test.each([
  ['Meta says that it is connected again', (run: Run) => receiveEvent(run, 'PARTNER_ADDED', 1)],
  [
    'live events came since',
    (run: Run & { url: string }) =>
      server.change(
        run,
        `update connections set last_live_event_at = '${new Date(NOW - HOUR / 2).toISOString()}'`,
      ),
  ],
])('asks all the same where %s', async (_, comeBack) => {
  const { request, run, sent } = await prepare(null);
  await receiveEvent(run, 'PARTNER_ADDED', 5);
  await receiveEvent(run, 'PARTNER_REMOVED', 2);
  await comeBack(run);
  expect((await request()).code).toBe(0);
  expect(sent()).toHaveLength(2);
});

test('the last minutes of the 24 hours are not over', async () => {
  const { request } = await prepare(24 - 2 / 60);
  const seen = await request(['--dry-run']);
  expect(seen.code).toBe(0);
  expect(seen.stdout).toContain('(less than 10 minutes left)');
  const after = await request(['--dry-run'], { now: NOW + 3 * 60_000 });
  expect(after.code).toBe(3);
  expect(after.stdout).toContain('(over)');
});

test('--wait follows what comes, before it is replayed, to the end', async () => {
  const { request, run } = await prepare();
  let began = false;
  const waiting = request(['--confirm', PHONE, '--wait', '--json'], { terminals: ['stderr'] }).then(
    (seen) => {
      expect(began).toBe(true);
      return seen;
    },
  );
  await new Promise((later) => setTimeout(later, 1500));
  for (const name of ['state-sync-add', 'history-phase0-chunk1', 'history-phase2-progress100']) {
    began = true;
    const body = Buffer.from(await sample(name)).toString('hex');
    // As a receiver stores it that is no part of this tool.
    await server.change(
      run,
      `insert into webhook_log (id, sha256, provider, raw_body, fields, phone_number_ids, status, received_at)
       values (gen_random_uuid(), sha256('\\x${body}'), 'meta', '\\x${body}',
         '{${name.startsWith('state') ? 'smb_app_state_sync' : 'history'}}', '{${NUMBER}}', 'pending',
         '${new Date(NOW + 1000).toISOString()}')`,
    );
  }
  const seen = await waiting;
  expect(seen.code).toBe(0);
  expect(JSON.parse(seen.stdout)).toMatchObject({
    status: 'requested',
    arrival: { status: 'completed', progress: 100, contacts: 1 },
  });
  expect(seen.stderr).toContain('100 %');
});

test('--wait ends when the business declines', async () => {
  const { request, run, fake } = await prepare();
  expect((await request()).code).toBe(0);
  const body = Buffer.from(await sample('history-declined')).toString('hex');
  await server.change(
    run,
    `insert into webhook_log (id, sha256, provider, raw_body, fields, phone_number_ids, status, received_at)
     values (gen_random_uuid(), sha256('\\x${body}'), 'meta', '\\x${body}', '{history}', '{${NUMBER}}', 'pending',
       '${new Date(NOW + 1000).toISOString()}')`,
  );
  fake.fail(
    'debug_token',
    refusal(500, 1, 'unknown'),
    refusal(500, 1, 'unknown'),
    refusal(500, 1, 'unknown'),
  );
  const seen = await request(['--wait']);
  expect(seen.code).toBe(3);
  expect(seen.stdout).toContain('The business does not share the history of main (2593109');
  expect(seen.stdout).not.toContain('In the way');
  expect(seen.stdout).not.toContain('Not certain');
  expect(seen.stdout).toContain('imports what has come');
  await server.change(run, `update webhook_log set status = 'processed'`);
  expect((await request(['--wait'])).stdout).not.toContain('imports what has come');
});

test('is only for coexistence numbers', async () => {
  const { run, env } = await prepare();
  await run(['connection', 'add', '--name', 'cloud', '--kind', 'cloud_api', '--phone', '+15550783881']);
  await run(['connection', 'add', '--name', 'web', '--kind', 'baileys', '--phone', '+5511912345678']);
  for (const name of ['cloud', 'web']) {
    const seen = await run(['history', 'request', name, '--confirm', PHONE], { env });
    expect(seen.code).toBe(2);
    expect(seen.stderr).toContain(
      'Meta has a history only for numbers that are in the WhatsApp Business app, too',
    );
  }
});

test('asks for contacts whose outcome is unknown only when a person says so', async () => {
  const { request, fake, sent } = await prepare();
  fake.fail(PATH, { kind: 'cut' });
  expect((await request()).code).toBe(1);
  for (const args of [['--dry-run'], ['--confirm', PHONE]]) {
    const seen = await request([...args, '--json']);
    expect(seen.code).toBe(3);
    expect(resultOf(seen).obstacles).toMatchObject([
      { code: 'outcome_unknown', message: expect.stringMatching(/^contacts were requested on/) as string },
    ]);
  }
  expect(sent()).toEqual(['smb_app_state_sync']);
  expect((await request(['--again', '--dry-run'])).stdout).toContain('Nothing stands in the way');
  // Meta had taken the contacts, and refuses them; the history follows.
  expect((await request(['--again', '--confirm', PHONE])).code).toBe(0);
  expect(sent()).toEqual(['smb_app_state_sync', 'smb_app_state_sync', 'history']);
});

test('leaves a request alone that another process waits for, and counts a dead one’s as unknown', async () => {
  const { run, request, fake, sent } = await prepare();
  fake.fail(PATH, { kind: 'late', ms: 6000 });
  const first = request();
  while (sent().length === 0) await new Promise((later) => setTimeout(later, 20));
  for (const args of [['--dry-run'], ['--again', '--confirm', PHONE]]) {
    const seen = await request([...args, '--json']);
    expect(seen.code).toBe(3);
    expect(codesOf(seen)).toEqual(['being_requested']);
  }
  expect((await first).code).toBe(0);
  expect(sent()).toEqual(['smb_app_state_sync', 'history']);
  await server.change(run, `update history_requests set outcome = 'sent', request_id = null`);
  const dead = await request(['--dry-run', '--json']);
  expect(dead.code).toBe(3);
  expect(codesOf(dead)).toEqual(['outcome_unknown', 'outcome_unknown']);
  const again = await request(['--again', '--confirm', PHONE]);
  expect(again.stderr).toContain('code 2593107');
  expect(sent()).toEqual(['smb_app_state_sync', 'history', 'smb_app_state_sync', 'history']);
});
