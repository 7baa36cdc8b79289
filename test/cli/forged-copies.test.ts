import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import { forgeCopy } from '../support/damage.js';
import { describeOnServer, TEST_OPTIONS, type TestBackend } from '../support/databases.js';
import { live, wamid } from '../support/webhooks.js';
import { explainAdvice, follow, reportAdvice, verifyAdvice, verifyCode } from './advised-commands.js';
import { runOn, type Run } from './database-home.js';

const FORGED = wamid('M2');
const PATIENT = ['--silent-after', '100000h'];

/** A log of so many messages, of which one has a second row with another text. */
async function forged(backend: TestBackend, messages: number, isCopy: boolean): Promise<Run> {
  const config = await backend.config();
  const run = runOn(config);
  const log = Array.from({ length: messages }, (_, i) => JSON.stringify(live(`M${i}`, i * 60)));
  await run(['replay', '-', '--register'], { stdin: log.join('\n') });
  const store = await openStore(config, TEST_OPTIONS);
  await forgeCopy(store, FORGED, isCopy).finally(() => store.close());
  return run;
}

describeOnServer('the advice about a second row of a message with another text', (backend) => {
  // One double of few messages is a large part of them, which dedupe deletes only with --force.
  const cases = [
    [4, false, 'dedupe --apply --force'],
    [60, true, 'dedupe --apply'],
  ] as const;
  it.each(cases)('of %d messages ends it, in order', async (messages, isCopy, merge) => {
    const run = await forged(backend, messages, isCopy);
    expect(await verifyAdvice(run, ['--enforce'])).toBe('replay --all');
    expect(await reportAdvice(run)).toContain('replay --all');
    const night = await run(['reconcile', ...PATIENT, '--dry-run']);
    expect(night.stdout).toContain('replay --all');
    const explained = await explainAdvice(run, FORGED);
    expect(explained.slice(0, 2)).toEqual([expect.stringMatching(/^replay --all/), merge]);
    expect(await follow(run, () => verifyAdvice(run))).toEqual(['replay --all', merge, 'verify --enforce']);
    expect(await verifyCode(run)).toBe(0);
    expect((await run(['messages', '+5511900000001'])).stdout).not.toContain('forged');
  });

  it('of explain ends it alone', async () => {
    const run = await forged(backend, 4, true);
    for (const line of await explainAdvice(run, FORGED)) await run(line.split(' '));
    expect(await follow(run, () => verifyAdvice(run))).toEqual(['verify --enforce']);
    expect(await explainAdvice(run, FORGED)).toEqual([]);
    expect(await verifyCode(run)).toBe(0);
  });
});
