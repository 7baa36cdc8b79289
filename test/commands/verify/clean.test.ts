import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CheckName } from '../../../src/commands/verify/types.js';
import type { Store } from '../../../src/store/store.js';
import { runCheck, faults } from '../../support/checking.js';
import { addConnection } from '../../support/connections.js';
import { addBaileysConnection } from '../../support/counting.js';
import { describeOnServer } from '../../support/databases.js';
import { collidingLog, metaLog, mixedLog, WEB_CONNECTION } from '../../support/random-log.js';
import { replayBodies, replayFiles, sample } from '../../support/replaying.js';
import { tries } from '../../support/seed.js';

const DEMO = fileURLToPath(new URL('../../../fixtures/demo-day.ndjson', import.meta.url));
const CHECKS: readonly CheckName[] = ['raw_log', 'raw_entry', 'wamid_phone', 'ticket_rules'];
const SAMPLES = readdirSync(sample('')).filter((name) => name.endsWith('.json') && name !== 'EXPECT.json');
/** Names no number, so that only `--connection` can tell whose it is. */
const NAMELESS = 'wrap-gupshup-v2.json';

/** What the checks find, but for what can only be noted: lines that nobody can read. */
async function found(store: Store, checks: readonly CheckName[] = CHECKS): Promise<string[]> {
  const lines: string[] = [];
  for (const check of checks) {
    const checked = await runCheck(store, check);
    if (checked.result.status === 'findings') lines.push(check, ...faults(checked));
  }
  return lines;
}

describeOnServer('verify finds nothing in what a replay made', (backend) => {
  it('of the demo day', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    expect(await found(store)).toEqual([]);

    const { result } = await runCheck(store, 'raw_log');
    // One less than the replay saw: it read one entry twice.
    expect(result.summary).toBe(
      '71 message items in 82 entries: 67 in the database, 3 skipped, 1 rejected; 1 unreadable entry; 1 part in an unknown format',
    );
    expect(result.samples.map(({ detail }) => detail)).toEqual([
      expect.stringMatching(/demo-day\.ndjson:42: the JSON ends early/),
      expect.stringMatching(/demo-day\.ndjson:69: \$: gupshup_v2/),
    ]);
  });

  it.each(SAMPLES)('of the sample %s', async (name) => {
    const store = await backend.open();
    const options = name.startsWith('baileys-') || name === NAMELESS ? { connection: 'loja' } : {};
    if (name.startsWith('baileys-')) await addBaileysConnection(store);
    if (name === NAMELESS) await addConnection(store);
    const replayed = await replayFiles(store, [sample(name)], options);
    expect(await found(store)).toEqual([]);
    expect((await runCheck(store, 'raw_log')).result.checked).toBe(replayed.messages.seen);
  });

  it('of all samples together', async () => {
    const store = await backend.open();
    const named = SAMPLES.filter((name) => !name.startsWith('baileys-') && name !== NAMELESS);
    await replayFiles(store, named.map(sample));
    expect(await found(store)).toEqual([]);
  });

  // Who claims an id that holds somebody else's phone is a finding of wamid_phone, and rightly so.
  const withoutPhones = CHECKS.filter((check) => check !== 'wamid_phone');
  it.each<[string, fc.Arbitrary<(object | string)[]>, readonly CheckName[]]>([
    ['Meta webhooks of all kinds', metaLog, CHECKS],
    ['ids that two people claim', collidingLog, withoutPhones],
    ['webhooks and WhatsApp Web events of one number', mixedLog, CHECKS],
  ])(
    'of random logs: %s',
    async (_title, logs, checks) => {
      await fc.assert(
        fc.asyncProperty(logs, fc.constantFrom(1, 3, 1000), async (log, batchSize) => {
          const store = await backend.open();
          try {
            await addConnection(store, WEB_CONNECTION);
            await replayBodies(store, log, { batchSize });
            expect(await found(store, checks)).toEqual([]);
          } finally {
            await store.close();
          }
        }),
        { numRuns: tries(25) },
      );
    },
    300_000,
  );
});
