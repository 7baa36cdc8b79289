import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHECK_NAMES, type CheckName, type VerifyResult } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { addConnection } from '../../support/connections.js';
import { addBaileysConnection } from '../../support/counting.js';
import { describeOnServer, TEST_OPTIONS, useBackend } from '../../support/databases.js';
import { metaLog, mixedLog, WEB_CONNECTION } from '../../support/random-log.js';
import { replayBodies, replayFiles, sample, testContext } from '../../support/replaying.js';
import { history, live, old, SECOND } from '../../support/webhooks.js';
import { tries } from '../../support/seed.js';

const DEMO = fileURLToPath(new URL('../../../fixtures/demo-day.ndjson', import.meta.url));

function verifyAll(store: Store, options: Partial<Parameters<typeof verify>[1]> = {}): Promise<VerifyResult> {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false, ...options });
}

function findingsOf({ checks }: VerifyResult): Partial<Record<CheckName, unknown[]>> {
  const found = checks.filter(({ status }) => status === 'findings');
  return Object.fromEntries(
    found.map(({ check, samples }) => [check, samples.map(({ subject }) => subject)]),
  );
}

describeOnServer('verify finds nothing wrong', (backend) => {
  it('with the demo day, but for the history chunk that it lacks', async () => {
    const store = await backend.open();
    await replayFiles(store, [DEMO]);
    const result = await verifyAll(store);
    expect(result.checks.map(({ check }) => check)).toEqual(
      CHECK_NAMES.filter((name) => name !== 'signatures'),
    );
    expect(findingsOf(result)).toMatchObject({ history_ledger: ['1/3'] });
    // The ledger's, and what the day holds that cannot be stored: a message without an id, invalid JSON, a form of Gupshup's own.
    expect(result).toMatchObject({ status: 'completed', findings: 4, missing: 0, doubled: 0, runId: null });
  });

  it('with all samples together, but for the chunk before the one of WhatsApp Web’s recent history', async () => {
    const store = await backend.open();
    await addBaileysConnection(store);
    for (const name of readdirSync(sample('')).filter((file) => /^(?!EXPECT).*\.json$/.test(file))) {
      // These name no number.
      const isNameless = name.startsWith('baileys-') || name === 'wrap-gupshup-v2.json';
      await replayFiles(store, [sample(name)], isNameless ? { connection: 'loja' } : {});
    }
    const { rejects, ...others } = findingsOf(await verifyAll(store));
    expect(others).toEqual({ history_ledger: ['3/1'] });
    // Some of them are wrong on purpose.
    expect(rejects).not.toBeUndefined();
  });

  it.each([
    ['webhooks', metaLog],
    ['webhooks and WhatsApp Web', mixedLog],
  ] as const)(
    'with any log of %s',
    async (_, logs) => {
      await fc.assert(
        fc.asyncProperty(logs, async (log) => {
          const store = await backend.open();
          try {
            await addConnection(store, WEB_CONNECTION);
            await replayBodies(store, log);
            const found = Object.keys(findingsOf(await verifyAll(store)));
            // Which chunks come, and what of it can be stored, is left to chance.
            expect(found.filter((check) => check !== 'history_ledger' && check !== 'rejects')).toEqual([]);
          } finally {
            await store.close();
          }
        }),
        { numRuns: tries(20) },
      );
    },
    120_000,
  );

  it('outside of the connection and the time that it is narrowed to', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('A', 0),
      live('B', 10, {}, SECOND),
      history([old('H', -50)], { order: 2 }),
    ]);
    await store.sql.execute(`update conversations set last_message_at = '2030-01-01'`);
    const names = await store.sql.query('select name from connections order by name');
    const [first, second] = names.map((row) => String(row['name']));
    if (first === undefined || second === undefined) throw new Error('two connections were registered');
    const checks = new Set<CheckName>(['conversation_times', 'history_ledger', 'duplicate_ids']);
    const ofFirst = await verifyAll(store, { checks, connection: first });
    expect(ofFirst.checks.map(({ check, found }) => [check, found])).toEqual([
      ['duplicate_ids', 0],
      ['conversation_times', 1],
      ['history_ledger', 1],
    ]);
    const ofSecond = await verifyAll(store, { checks, connection: second });
    expect(ofSecond.checks.map(({ found }) => found)).toEqual([0, 1, 0]);
    const later = await verifyAll(store, { checks: new Set(['duplicate_ids']), since: Date.UTC(2031, 0) });
    expect(later.checks[0]?.checked).toBe(0);
  });
});

it('verify stops soon when it is interrupted, and gives only the checks that it finished', async () => {
  const store = await server.open();
  await replayBodies(store, [live('A', 0), live('B', 10)]);
  const interrupt = new AbortController();
  const result = await verify(testContext(store, { signal: interrupt.signal }), {
    checks: new Set(CHECK_NAMES),
    enforce: false,
    onItem: ({ check }) => {
      if (check === 'raw_log') interrupt.abort();
    },
  });
  expect(result.status).toBe('interrupted');
  expect(result.checks.map(({ check }) => check)).toEqual([
    'unique_index',
    'duplicate_ids',
    'missing_ids',
    'collisions',
  ]);
  expect(result.missing).toBeNull();
});

it('verify refuses a database that lacks what the migrations made', async () => {
  const store = await openStore(await server.config(), TEST_OPTIONS);
  try {
    await store.sql.execute('drop table message_reactions');
    const only = await verifyAll(store, { checks: new Set(['unique_index']) });
    expect(only.checks[0]?.samples[0]?.detail).toBe('the table message_reactions is missing');
    await expect(verifyAll(store)).rejects.toMatchObject({ code: 'database_altered', exitCode: 2 });
  } finally {
    await store.close();
  }
});

const server = useBackend('postgresql');

it('verify sees one moment of the database, whatever a replay writes meanwhile', async () => {
  const config = await server.config();
  const [store, other] = [await openStore(config, TEST_OPTIONS), await openStore(config, TEST_OPTIONS)];
  try {
    await replayBodies(store, [live('A', 0)]);
    let replayed: Promise<unknown> | undefined;
    const result = await verifyAll(store, {
      // The first check has just begun; the others look when all of this is in.
      onItem: async () => {
        replayed ??= replayBodies(
          other,
          Array.from({ length: 50 }, (_, index) => live(`B${index}`, 10 + index)),
        );
        await replayed;
      },
    });
    expect(result.findings).toBe(0);
    expect(result.messages).toBe(1);
    expect(result.checks.find(({ check }) => check === 'duplicate_ids')?.checked).toBe(1);
    expect((await verifyAll(store)).messages).toBe(51);
  } finally {
    await store.close();
    await other.close();
  }
});
