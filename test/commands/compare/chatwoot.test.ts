import { afterEach, expect, it } from 'vitest';
import { createRandom } from '../../bench/random.js';
import { fillChatwoot } from '../../support/crm/chatwoot.js';
import { compareAll, expectFound, replayDay } from '../../support/crm/comparing.js';
import { createCrmDatabase, type CrmDatabase } from '../../support/crm/database.js';
import { createDay, type Day } from '../../support/crm/day.js';
import type { Bug, Expectation } from '../../support/crm/expectation.js';
import { describeOnBackends } from '../../support/databases.js';

const BUGS: readonly Bug[] = ['first_of_batch_only', 'lid_split', 'doubled_redelivery', 'random_loss'];

let open: CrmDatabase[] = [];
afterEach(async () => {
  await Promise.all(open.map((database) => database.remove()));
  open = [];
});

async function chatwoot(
  day: Day,
  bugs: readonly Bug[],
): Promise<{ crm: CrmDatabase; expectation: Expectation }> {
  const crm = await createCrmDatabase();
  open.push(crm);
  return { crm, expectation: await fillChatwoot(crm.sql, day, { bugs: new Set(bugs), seed: 3 }) };
}

describeOnBackends('compare chatwoot', (backend) => {
  it('finds nothing wrong with a CRM that does nothing wrong, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 11, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await chatwoot(day, []);
    const found = await compareAll(store, 'chatwoot', { kind: 'database', url: crm.readOnlyUrl });
    expectFound(found, expectation);
    expect(found.result).toMatchObject({ severity: 'note', status: 'completed', people: [] });
    expect(found.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
  });

  it.each(BUGS)('finds what the bug %s planted, and nothing else', async (bug) => {
    const store = await backend.open();
    const day = createDay({ seed: 5, count: 300, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await chatwoot(day, [bug]);
    expectFound(await compareAll(store, 'chatwoot', { kind: 'database', url: crm.url }), expectation);
  });

  it('finds them in any mixture, on any day', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = createRandom(seed);
      const store = await backend.open();
      const day = createDay({ seed: seed + 100, count: 120, batched: random.chance(0.5) });
      await replayDay(store, day);
      const { crm, expectation } = await chatwoot(
        day,
        BUGS.filter(() => random.chance(0.5)),
      );
      expectFound(await compareAll(store, 'chatwoot', { kind: 'database', url: crm.url }), expectation);
    }
  });
});
