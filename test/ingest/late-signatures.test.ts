import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { explain } from '../../src/commands/explain/explain.js';
import { report } from '../../src/commands/report/report.js';
import { verify } from '../../src/commands/verify/verify.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { transcript, value } from '../support/shown.js';
import { item, live, status, wamid } from '../support/webhooks.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
const GIVEN = { appSecrets: [SECRET] };

function request(content: JsonObject, secret = SECRET): { headers: object; body: string } {
  const body = JSON.stringify(content);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return { headers: { 'X-Hub-Signature-256': `sha256=${signature}` }, body };
}

/** What a service hands out that kept several requests: one entry. */
function page(...requests: readonly { headers: object; body: string }[]): string {
  return JSON.stringify({ data: requests.map(({ headers, body }) => ({ content: body, headers })) });
}

const GOOD = request(live('A', 0));
const FORGED = request(live('FORGED', 10), 'guessed');

/** What report, verify and explain say without any secret. */
async function said(store: Store) {
  const { alerts, severity } = await report(testContext(store), reportOptions());
  const verified = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const kept = alerts.filter(({ kind }) => kind === 'bad_signature');
  return {
    alert: kept.map(({ message, count, severity: bad }) => ({ message, count, severity: bad })),
    isLoss: severity === 'loss' && verified.severity === 'loss',
    checks: verified.checks.flatMap(({ check, status: state }) => (state === 'findings' ? check : [])),
  };
}

async function explained(store: Store, subject: string) {
  return explain(testContext(store), { subject, scan: false, bodies: false, limit: 100 });
}

const FOUND = {
  alert: [
    { message: expect.stringContaining('It was applied before') as string, count: 1, severity: 'loss' },
  ],
  isLoss: true,
  checks: ['rejects'],
};

describeOnBackends('a bad signature of an entry that was applied', (backend) => {
  const ways: [string, (store: Store) => Promise<unknown>][] = [
    ['the file again', (store) => replayBodies(store, [GOOD, FORGED], GIVEN)],
    ['the raw log', (store) => replayLog(store, { which: 'all' }, GIVEN)],
    ['reconcile', (store) => night(store, GIVEN)],
    ['reconcile --full', (store) => night(store, { ...GIVEN, full: true })],
  ];
  it.each(backend.onServer(ways))('is on record once %s shows it, for every command', async (_, find) => {
    const store = await backend.open();
    await replayBodies(store, [GOOD, FORGED]);
    expect(await said(store)).toEqual({ alert: [], isLoss: false, checks: [] });
    await find(store);
    expect(await said(store)).toEqual(FOUND);
    // Nothing is deleted behind anybody's back.
    expect(await transcript(store)).toEqual(['> A', '> FORGED']);

    const entry = String(await value(store, `select id from webhook_log where status = 'failed'`));
    const { verdict, findings, remedies } = await explained(store, `log:${entry}`);
    expect(verdict).toContain('failed: 1 message in the database (1 created by it)');
    expect(verdict).toContain('1 part whose signature is wrong (applied before it could be checked)');
    expect(findings).toMatchObject([{ outcome: 'unread', count: 1 }]);
    expect(remedies.map((one) => one.do)).toEqual(['accept_forged', 'replay_failed']);
    const message = await explained(store, wamid('FORGED'));
    expect(message.findings).toMatchObject([{ reason: 'bad_signature' }]);
    expect(message.remedies).toEqual([{ do: 'accept_forged' }]);
    expect((await explained(store, wamid('A'))).findings).toEqual([]);

    // Whoever has no secret, or another one, changes nothing about it.
    await replayBodies(store, [GOOD, FORGED]);
    for (const which of ['failed', 'all'] as const) await replayLog(store, { which });
    await replayLog(store, { which: 'failed' }, { appSecrets: ['another'] });
    await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
    expect(await said(store)).toEqual(FOUND);
    expect(await value(store, `select count(*)::int from messages where batch_id = '${entry}'`)).toBe(1);

    const healed = await replayLog(store, { which: 'failed' }, { appSecrets: [SECRET, 'guessed'] });
    expect(healed).toMatchObject({ entries: { processed: 1 }, messages: { created: 0 } });
    expect(await said(store)).toEqual({ alert: [], isLoss: false, checks: [] });
    expect((await explained(store, wamid('FORGED'))).findings).toEqual([]);
  });

  backend.once('is on record for one body among others', async () => {
    const store = await backend.open();
    const log = [page(GOOD, FORGED, request(live('B', 20)))];
    await replayBodies(store, log);
    const { entries } = await replayBodies(store, log, GIVEN);
    expect(entries).toMatchObject({ duplicate: 1, partial: 1 });
    expect(await said(store)).toEqual(FOUND);
    expect(await transcript(store)).toEqual(['> A', '> FORGED', '> B']);
    await replayLog(store, { which: 'failed' }, { appSecrets: ['guessed'] });
    expect(await said(store)).toEqual({ alert: [], isLoss: false, checks: [] });
  });

  backend.once('ends in the same as one that is known from the start, but for what it brought', async () => {
    const [early, late] = [await backend.open(), await backend.open()];
    await replayBodies(early, [GOOD, FORGED], GIVEN);
    await replayBodies(late, [GOOD, FORGED]);
    await replayLog(late, { which: 'all' }, GIVEN);
    const entries = `select string_agg(status || coalesce(error, '') || coalesce((counters - 'unchecked')::text, ''), ';' order by origin) from webhook_log`;
    expect(await value(late, entries)).toEqual(await value(early, entries));
    expect((await said(early)).checks).toEqual((await said(late)).checks);
  });

  backend.once('is none of a body that fitted a secret before', async () => {
    const store = await backend.open();
    const log = [page(GOOD, FORGED), GOOD, request(live('B', 20), 'another app')];
    const both = [SECRET, 'another app'];
    await replayBodies(store, log);
    await replayLog(store, { which: 'all' }, { appSecrets: both });
    const before = await said(store);
    expect(before).toEqual(FOUND);
    for (const secret of ['mistyped', 'another app']) {
      await replayBodies(store, log, { appSecrets: [secret] });
      await replayLog(store, { which: 'all' }, { appSecrets: [secret] });
      await night(store, { appSecrets: [secret] });
      expect(await said(store)).toEqual(before);
    }
    // The other order: what no secret fits is bad until one does.
    const other = await backend.open();
    await replayBodies(other, log, { appSecrets: ['mistyped'] });
    await replayLog(other, { which: 'failed' }, { appSecrets: [SECRET] });
    await replayLog(other, { which: 'failed' }, { appSecrets: ['another app'] });
    expect((await said(other)).checks).toEqual(before.checks);
    expect(await transcript(other)).toEqual(['> A', '> B']);
  });

  backend.once('leaves a message to the genuine entry that holds it as well', async () => {
    const store = await backend.open();
    const forged = request(live('A', 0, { text: { body: 'send money' } }), 'guessed');
    await replayBodies(store, [forged, GOOD]);
    expect(await transcript(store)).toEqual(['> send money']);
    await replayBodies(store, [forged], GIVEN);
    expect((await said(store)).checks).toEqual(['raw_log', 'rejects']);
    expect((await explained(store, wamid('A'))).remedies).toContainEqual({ do: 'replay_all' });
    await replayLog(store, { which: 'all' });
    expect(await transcript(store)).toEqual(['> A']);
    expect((await said(store)).checks).toEqual(['rejects']);
    expect((await explained(store, wamid('A'))).findings).toEqual([]);
  });

  it('withdraws the updates that wait for a message', async () => {
    const store = await backend.open();
    const mixed = page(request(status('LATER', 'read', 5), 'guessed'), request(status('OTHER', 'read', 6)));
    await replayBodies(store, [mixed]);
    expect(await value(store, 'select count(*)::int from pending_facts')).toBe(2);
    await replayBodies(store, [mixed], GIVEN);
    expect(await value(store, 'select target_external_id from pending_facts')).toBe(wamid('OTHER'));
  });

  backend.once('keeps the connection that its first run was told', async () => {
    const store = await backend.open();
    await replayBodies(store, [GOOD]);
    const bare = (key: string, secret: string) =>
      request(
        {
          object: 'whatsapp_business_account',
          entry: [{ id: '0', changes: [{ field: 'messages', value: { messages: [item(key, 30)] } }] }],
        },
        secret,
      );
    const connection = String(await value(store, 'select name from connections'));
    await replayBodies(store, [bare('BARE', 'guessed')], { connection });
    await replayBodies(store, [bare('BARE', 'guessed')], GIVEN);
    expect((await said(store)).checks).toEqual(['rejects']);
    const healed = await replayLog(store, { which: 'failed' }, { appSecrets: ['guessed'] });
    expect(healed.entries).toMatchObject({ processed: 1 });
  });

  backend.once('is a new alert where an older one was accepted', async () => {
    const store = await backend.open();
    const state = async () => {
      const { alerts } = await report(testContext(store), reportOptions());
      return alerts.find(({ kind }) => kind === 'bad_signature')?.state;
    };
    await replayBodies(store, [FORGED]);
    await replayBodies(store, [request(live('F2', 20), 'guessed')], GIVEN);
    const before = await state();
    await replayLog(store, { which: 'all' }, GIVEN);
    expect(await state()).not.toBe(before);
  });
});
