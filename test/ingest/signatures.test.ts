import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { report } from '../../src/commands/report/report.js';
import { verify } from '../../src/commands/verify/verify.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
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

describeOnBackends('signatures', (backend) => {
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
      status: 'findings',
      severity: 'loss',
      checked: 5,
      found: 1,
      summary: '1 bad, 2 valid, 1 not checkable (the log has the body written anew), 1 unsigned',
      remedy: { command: 'explain' },
    });
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
    expect(await transcript(store)).toEqual(['> A', '> E']);
    expect(result.signatures).toEqual({ valid: 1, bad: 3, uncheckable: 0, sha1: 1, unsigned: 0 });
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
    await replayBodies(store, LOG, { appSecrets: [SECRET] });
    // What is there stays: what is known of it must not be forgotten.
    expect(await transcript(store)).toContain('> FORGED');
    const { checks, severity } = await verified(store);
    expect(checks.find(({ check }) => check === 'signatures')).toMatchObject({
      status: 'findings',
      severity: 'loss',
      found: 1,
      remedy: { command: 'explain' },
    });
    expect(severity).toBe('loss');
    expect(checks.find(({ check }) => check === 'raw_log')?.status).toBe('ok');
  });

  it('are not asked for where nobody gave a secret', async () => {
    const store = await backend.open();
    expect((await replayBodies(store, LOG)).signatures).toBeUndefined();
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    expect(checks.map(({ check }) => check)).not.toContain('signatures');
  });
});
