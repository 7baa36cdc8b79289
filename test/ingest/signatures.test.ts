import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import { verify } from '../../src/commands/verify/verify.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { transcript } from '../support/shown.js';
import { live } from '../support/webhooks.js';

const SECRET = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';

/** What a request logger keeps: the headers, and the body as it came. */
function request(key: string, at: number, secret: string | null, header = 'X-Hub-Signature-256'): object {
  const body = JSON.stringify(live(key, at));
  const signature = secret === null ? null : createHmac('sha256', secret).update(body).digest('hex');
  return { headers: signature === null ? {} : { [header]: `sha256=${signature}` }, body };
}

/** The same with the body as JSON, which nobody can check any more. */
function parsed(key: string, at: number): object {
  const { headers } = request(key, at, SECRET) as { headers: object };
  return { headers, body: live(key, at) };
}

const LOG = [
  request('A', 0, SECRET),
  request('B', 10, SECRET, 'x-hub-signature-256'),
  request('FORGED', 20, 'guessed'),
  parsed('C', 30),
  request('D', 40, null),
];

function verified(store: Store) {
  const options = { checks: new Set(CHECK_NAMES), enforce: false };
  return verify({ ...testContext(store), appSecrets: [SECRET] }, options);
}

describeOnServer('signatures', (backend) => {
  it('keep out what the app did not send, and are counted', async () => {
    const store = await backend.open();
    const result = await replayBodies(store, LOG, { appSecrets: [SECRET] });
    expect(await transcript(store)).toEqual(['> A', '> B', '> C', '> D']);
    expect(result.signatures).toEqual({ valid: 2, bad: 1, uncheckable: 1, sha1: 0, unsigned: 1 });
    expect(result.entries).toMatchObject({ stored: 5, processed: 4, failed: 1 });
    expect(result.problems).toMatchObject([{ origin: 'stdin:3', reason: 'bad_signature' }]);

    const { alerts, severity } = await report(testContext(store), reportOptions());
    expect(alerts).toContainEqual(
      expect.objectContaining({ kind: 'bad_signature', severity: 'loss', count: 1 }),
    );
    expect(severity).toBe('loss');
    const { checks } = await verified(store);
    expect(checks.find(({ check }) => check === 'raw_log')).toMatchObject({ missing: 0, unaccounted: 0 });
    expect(checks.find(({ check }) => check === 'signatures')).toMatchObject({
      // Left out, and so a finding of `rejects`: it is counted once.
      status: 'note',
      severity: null,
      checked: 5,
      found: 1,
      summary: '1 bad, 2 valid, 1 not checkable (the log has the body written anew), 1 unsigned',
    });
    expect(checks.find(({ check }) => check === 'rejects')).toMatchObject({ severity: 'loss', found: 1 });
    const alone = await verify(testContext(store, { appSecrets: [SECRET] }), {
      checks: new Set(['signatures']),
      enforce: false,
    });
    expect(alone).toMatchObject({
      severity: 'loss',
      findings: 1,
      checks: [{ remedy: { command: 'explain' } }],
    });
  });

  it('of an entry that was altered are not checked, which is said; beside raw_log, which counts it, only as a note', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG.slice(0, 2), { appSecrets: [SECRET] });
    await store.sql.execute(`update webhook_log set raw_body = '{}' where origin = 'stdin:1'`);
    const summary = '1 valid; 1 altered entry, not checked';
    const context = testContext(store, { appSecrets: [SECRET] });
    const alone = await verify(context, { checks: new Set(['signatures']), enforce: false });
    expect(alone).toMatchObject({
      severity: 'loss',
      findings: 1,
      checks: [{ status: 'findings', found: 1, summary, remedy: { command: 'replay' } }],
    });
    const both = await verify(context, { checks: new Set(['raw_log', 'signatures']), enforce: false });
    const [rawLog, signatures] = both.checks;
    expect(signatures).toMatchObject({ status: 'note', severity: null, found: 1, summary, remedy: null });
    expect(rawLog).toMatchObject({ status: 'findings', remedy: alone.checks[0]?.remedy });
  });

  it('that can be none keep an entry out; the older ones alone are counted', async () => {
    const store = await backend.open();
    const withHeader = (key: string, headers: object): object => ({ ...request(key, 50, null), headers });
    const result = await replayBodies(
      store,
      [
        request('A', 0, SECRET),
        withHeader('B', { 'X-Hub-Signature-256': 'sha256=zz' }),
        withHeader('C', { 'X-Hub-Signature-256': 'sha1=abc' }),
        withHeader('D', { 'X-Hub-Signature-256': '' }),
        withHeader('E', { 'X-Hub-Signature': `sha1=${'0'.repeat(40)}` }),
      ],
      { appSecrets: [SECRET] },
    );
    // An empty one is what a log writes for none.
    expect(await transcript(store)).toEqual(['> A', '> D', '> E']);
    expect(result.signatures).toEqual({ valid: 1, bad: 2, uncheckable: 0, sha1: 1, unsigned: 1 });
  });

  it('in the dumped head of a request keep a forged body out', async () => {
    const store = await backend.open();
    const dumped = (key: string, at: number, secret: string | null): string => {
      const { headers, body } = request(key, at, secret) as { headers: object; body: string };
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      return `POST /webhook HTTP/1.1\r\nHost: x\r\n${lines.join('')}\r\n${body}\r\n`;
    };
    const log = [dumped('A', 0, SECRET), dumped('FORGED', 20, 'guessed'), dumped('B', 40, null)];
    const result = await replayBodies(store, log, { appSecrets: [SECRET] });
    expect(await transcript(store)).toEqual(['> A', '> B']);
    expect(result.signatures).toEqual({ valid: 1, bad: 1, uncheckable: 0, sha1: 0, unsigned: 1 });
    expect(result.entries).toMatchObject({ read: 3, processed: 2, failed: 1 });
  });

  it('that were wrong once stay so until the right secret is given', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG, { appSecrets: [SECRET] });
    for (const which of ['failed', 'all'] as const) await replayLog(store, { which });
    expect(await transcript(store)).not.toContain('> FORGED');
    // The app's secret was renewed.
    await replayLog(store, { which: 'failed' }, { appSecrets: ['other', 'guessed'] });
    expect(await transcript(store)).toContain('> FORGED');
  });

  it('of what was applied before anybody gave the secret are found by verify', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const { checks, severity } = await verified(store);
    expect(checks.find(({ check }) => check === 'signatures')).toMatchObject({
      status: 'findings',
      severity: 'loss',
      found: 1,
      remedy: { command: 'replay', args: ['--all'] },
    });
    expect(severity).toBe('loss');
    expect(checks.find(({ check }) => check === 'raw_log')?.status).toBe('ok');
  });

  /** What a service hands out that kept several requests: one entry. */
  function page(...requests: [key: string, secret: string][]): string {
    const data = requests.map(([key, secret], at) => {
      const { headers, body } = request(key, at, secret) as { headers: object; body: string };
      return { uuid: key, content: body, headers };
    });
    return JSON.stringify({ data });
  }

  it('keep out one forged body among others, on record, until its secret is given', async () => {
    const store = await backend.open();
    const log = [page(['A', SECRET], ['FORGED', 'guessed'], ['B', SECRET])];
    const result = await replayBodies(store, log, { appSecrets: [SECRET] });
    expect(await transcript(store)).toEqual(['> A', '> B']);
    expect(result.signatures).toEqual({ valid: 2, bad: 1, uncheckable: 0, sha1: 0, unsigned: 0 });
    expect(result.entries).toMatchObject({ read: 1, partial: 1 });
    expect(result.messages).toMatchObject({ seen: 2, created: 2 });
    expect(result.problems).toMatchObject([{ path: '$.data[1].content', reason: 'bad_signature' }]);

    const { alerts, severity } = await report(testContext(store), reportOptions());
    expect(alerts).toContainEqual(
      expect.objectContaining({ kind: 'bad_signature', severity: 'loss', count: 1 }),
    );
    expect(severity).toBe('loss');
    const { checks } = await verified(store);
    expect(checks.find(({ check }) => check === 'raw_log')).toMatchObject({ missing: 0, unaccounted: 0 });
    expect(checks.find(({ check }) => check === 'rejects')).toMatchObject({ status: 'findings', found: 1 });
    expect(checks.find(({ check }) => check === 'signatures')).toMatchObject({
      checked: 3,
      found: 1,
      summary: '1 bad, 2 valid',
    });

    // Nobody who has no secret, or another one, brings it in: not from the log, and not with the file.
    for (const which of ['failed', 'all'] as const) await replayLog(store, { which });
    await replayBodies(store, log);
    await replayBodies(store, log, { appSecrets: ['another'] });
    await replayLog(store, { which: 'all' }, { appSecrets: ['another'] });
    expect(await transcript(store)).toEqual(['> A', '> B']);
    expect((await verified(store)).checks.find(({ check }) => check === 'signatures')).toMatchObject({
      summary: '1 bad, 2 valid',
    });

    const healed = await replayLog(store, { which: 'failed' }, { appSecrets: [SECRET, 'guessed'] });
    expect(healed).toMatchObject({ entries: { read: 1, processed: 1 }, messages: { created: 1 } });
    expect(await transcript(store)).toEqual(['> A', '> FORGED', '> B']);
    expect((await report(testContext(store), reportOptions())).severity).toBe('degraded');
    expect(
      (await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false })).severity,
    ).toBeNull();
  });

  it('heal body by body, as the secrets of several apps become known', async () => {
    const store = await backend.open();
    const log = [page(['A', SECRET], ['B', 'second'], ['C', 'third'])];
    await replayBodies(store, log, { appSecrets: [SECRET] });
    await replayLog(store, { which: 'failed' }, { appSecrets: ['second'] });
    expect(await transcript(store)).toEqual(['> A', '> B']);
    await replayBodies(store, log);
    expect(await transcript(store)).toEqual(['> A', '> B']);
    await replayLog(store, { which: 'failed' }, { appSecrets: ['third'] });
    expect(await transcript(store)).toEqual(['> A', '> B', '> C']);
  });

  it('of a file that comes again without the secret stay as they were judged', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG, { appSecrets: [SECRET] });
    const again = await replayBodies(store, LOG);
    expect(again.entries).toMatchObject({ duplicate: 5, failed: 1 });
    expect(await transcript(store)).not.toContain('> FORGED');
    expect((await report(testContext(store), reportOptions())).severity).toBe('loss');
  });

  it('of an entry that waits for its connection are not forgotten', async () => {
    const store = await backend.open();
    const log = [page(['A', SECRET], ['FORGED', 'guessed'])];
    await replayBodies(store, log, { appSecrets: [SECRET], register: false });
    expect(await transcript(store)).toEqual([]);
    await replayLog(store, { which: 'pending' }, { register: true });
    expect(await transcript(store)).toEqual(['> A']);
    expect((await report(testContext(store), reportOptions())).severity).toBe('loss');
  });

  it('are not asked for where nobody gave a secret', async () => {
    const store = await backend.open();
    expect((await replayBodies(store, LOG)).signatures).toBeUndefined();
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    expect(checks.map(({ check }) => check)).not.toContain('signatures');
  });
});
