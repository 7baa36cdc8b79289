import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunResult } from '../../src/model/run-result.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends, type TestBackend } from '../support/databases.js';
import { normalizedDatabase } from '../support/normalized.js';
import { lateConnection, lateLog, sharedWabaLog } from '../support/late-log.js';
import { collidingLog, metaLog, mixedLog, WEB_CONNECTION } from '../support/random-log.js';
import { replayBodies } from '../support/replaying.js';
import { tries } from '../support/seed.js';

/** How a log may come besides straight through: none of it may matter. */
const disturbance = fc.record({
  seed: fc.nat(),
  reversed: fc.boolean(),
  repeated: fc.boolean(),
  batchSize: fc.constantFrom(1, 2, 3, 7, 1000),
  pieces: fc.constantFrom(1, 2, 5),
});

type Disturbance = typeof disturbance extends fc.Arbitrary<infer D> ? D : never;
type Log = readonly (object | string)[];

describeOnBackends(
  'any order, repetition, split and batch size gives one and the same database',
  (backend) => {
    // The rules are the same code on both; what the embedded database does with them shows in fewer.
    const runs = { numRuns: backend.name === 'postgresql' ? tries(25) : 3 };

    it('of Meta webhooks of all kinds', async () => {
      await fc.assert(
        fc.asyncProperty(metaLog, disturbance, (log, how) => sameEitherWay(backend, log, how)),
        runs,
      );
    }, 300_000);

    it('M9: of ids that two people claim', async () => {
      await fc.assert(
        fc.asyncProperty(collidingLog, disturbance, (log, how) => sameEitherWay(backend, log, how)),
        runs,
      );
    }, 300_000);

    it('M10, I3: of webhooks and WhatsApp Web events of one number, by phone and by LID', async () => {
      await fc.assert(
        fc.asyncProperty(mixedLog, disturbance, (log, how) => sameEitherWay(backend, log, how)),
        runs,
      );
    }, 300_000);

    it('H1, I4: of webhooks that name their number late, also of the number itself', async () => {
      await fc.assert(
        fc.asyncProperty(lateLog, lateConnection, disturbance, (log, connection, how) =>
          sameEitherWay(backend, log, how, connection),
        ),
        runs,
      );
    }, 300_000);

    it('H1: of webhooks that name only a WABA, which turns out to have two numbers', async () => {
      await fc.assert(
        fc.asyncProperty(sharedWabaLog, disturbance, (log, how) => sameEitherWay(backend, log, how, null)),
        runs,
      );
    }, 300_000);
  },
);

/** A connection as somebody entered it. */
interface Entered {
  name: string;
  phoneNumberId: string | null;
  number: string | null;
}

async function sameEitherWay(
  backend: TestBackend,
  log: Log,
  how: Disturbance,
  connection: Entered | null = WEB_CONNECTION,
): Promise<void> {
  const straight = await databaseAfter(backend, connection, async (store) => {
    assertBalanced(await replayBodies(store, log));
  });
  const disturbed = await databaseAfter(backend, connection, async (store) => {
    for (const piece of disturb(log, how)) {
      assertBalanced(await replayBodies(store, piece, { batchSize: how.batchSize }));
    }
  });
  expect(disturbed).toEqual(straight);
}

async function databaseAfter(
  backend: TestBackend,
  connection: Entered | null,
  work: (store: Store) => Promise<void>,
): Promise<unknown> {
  const store = await backend.open();
  try {
    if (connection !== null) await enter(store, connection);
    await work(store);
    return await normalizedDatabase(store);
  } finally {
    await store.close();
  }
}

async function enter(store: Store, { name, phoneNumberId, number }: Entered): Promise<void> {
  await store.sql.execute(
    `insert into connections (id, organization_id, name, kind, phone_number_id, display_phone_number, history_sync_status)
       select gen_random_uuid(), id, $1, 'coexistence', $2, $3, 'pending_consent' from organizations where slug = 'default'`,
    [name, phoneNumberId, number],
  );
}

/** The log shuffled, reversed or repeated, in pieces. */
function disturb(log: Log, how: Disturbance): Log[] {
  const order = log
    .map((body, index) => ({ body, key: ((index + 1) * 2_654_435_761 * (how.seed + 1)) % 4_294_967_291 }))
    .sort((a, b) => a.key - b.key)
    .map(({ body }) => body);
  const once = how.reversed ? [...log].reverse() : order;
  const all = how.repeated ? [...once, ...log] : once;
  const size = Math.max(1, Math.ceil(all.length / how.pieces));
  return Array.from({ length: Math.ceil(all.length / size) }, (_, piece) =>
    all.slice(piece * size, (piece + 1) * size),
  );
}

/** Everything that was seen is accounted for, as the summary tells it. */
function assertBalanced(result: RunResult): void {
  const sum = (reasons: Record<string, number>): number => Object.values(reasons).reduce((a, b) => a + b, 0);
  const { messages, entries } = result;
  expect(messages.seen).toBe(
    messages.created + messages.updated + messages.unchanged + sum(messages.skipped) + sum(messages.rejected),
  );
  expect(entries.read).toBe(entries.stored + entries.duplicate);
  for (const counts of [result.statuses, result.edits, result.revokes, result.reactions]) {
    expect(counts.seen).toBe(
      counts.applied + counts.unchanged + counts.pending + sum(counts.skipped) + sum(counts.rejected),
    );
  }
}
