import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { backUp, restored as copied } from '../support/backups.js';
import { addConnection } from '../support/connections.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { BUSINESS, metaLog } from '../support/random-log.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { tries } from '../support/seed.js';

/** Three numbers that the same people write to; the last one may be another organization's. */
const NUMBERS = ['1', '3', '4'].map((n) => ({
  phoneNumberId: `80000000000000${n}`,
  number: `551190000000${n === '1' ? 0 : Number(n) + 80}`,
  waba: `90000000000000${n}`,
}));

type Body = object | string;

/** The same body, of another number. */
function moved(body: Body, to: number): Body {
  const target = NUMBERS[to];
  if (typeof body === 'string' || target === undefined) return body;
  const text = JSON.stringify(body)
    .replaceAll(BUSINESS.phoneNumberId, target.phoneNumberId)
    .replaceAll(BUSINESS.waba, target.waba)
    .replaceAll(BUSINESS.number, target.number);
  return JSON.parse(text) as object;
}

const hasEntries = (body: Body): body is { object: string; entry: unknown[] } =>
  typeof body === 'object' && 'entry' in body && Array.isArray(body.entry);

/** Two bodies of different numbers as one delivery. */
function joined(one: Body, other: Body): Body {
  return hasEntries(one) && hasEntries(other) ? { ...one, entry: [...one.entry, ...other.entry] } : one;
}

const worldLog = fc
  .array(fc.tuple(metaLog, fc.array(fc.nat(2), { minLength: 25, maxLength: 25 })), {
    minLength: 1,
    maxLength: 2,
  })
  .map((days) => days.flatMap(([log, places]) => log.map((body, at) => moved(body, places[at] ?? 0))))
  .chain((log) =>
    fc.array(fc.boolean(), { minLength: log.length, maxLength: log.length }).map((joins) =>
      log.flatMap((body, at) => {
        const before = log[at - 1];
        return joins[at] === true && before !== undefined && at % 2 === 1 ? [joined(before, body)] : [body];
      }),
    ),
  );

describeOnBackends('a backup of any part of a random database', (backend) => {
  async function faults(store: Store): Promise<unknown[]> {
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    // Which chunks come, and what of it can be stored, is left to chance.
    return checks
      .filter(
        ({ check, status }) => status === 'findings' && check !== 'history_ledger' && check !== 'rejects',
      )
      .map(({ check, samples }) => ({
        check,
        samples: samples.map(({ subject, detail }) => ({ subject, detail })),
      }));
  }

  it('is a database in which nothing is wrong', async () => {
    await fc.assert(
      fc.asyncProperty(worldLog, fc.boolean(), async (log, isShared) => {
        const store = await backend.open();
        try {
          await store.sql.execute(
            `insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme')`,
          );
          for (const [at, { phoneNumberId, number }] of NUMBERS.entries()) {
            await addConnection(store, { name: `n${at}`, phoneNumberId, number: `+${number}` });
          }
          if (!isShared) {
            await store.sql.execute(
              `update connections set organization_id = (select id from organizations where slug = 'acme') where name = 'n2'`,
            );
          }
          await replayBodies(store, log);
          expect(await faults(store)).toEqual([]);
          const parts = [
            ...NUMBERS.map((_, at) => ({ connection: `n${at}` })),
            { organization: isShared ? 'default' : 'acme' },
          ];
          for (const part of parts) {
            const { bytes } = await backUp(store, part);
            const copy = await copied(backend, bytes);
            expect({ part, faults: await faults(copy) }).toEqual({ part, faults: [] });
            const { created, restored, missing, doubled, corrected } = (await night(copy)).figures;
            expect({ part, created, restored, missing, doubled, corrected }).toEqual({
              part,
              created: 0,
              restored: 0,
              missing: 0,
              doubled: 0,
              corrected: 0,
            });
            await copy.close();
          }
        } finally {
          await store.close();
        }
      }),
      { endOnFailure: true, numRuns: backend.name === 'postgresql' ? tries(5) : 1 },
    );
  }, 240_000);
});
