import { afterEach, describe, expect, it } from 'vitest';
import type { CrmName } from '../../../src/commands/compare/types.js';
import { createRandom } from '../../bench/random.js';
import { compareAll, expectFound, replayDay } from '../../support/crm/comparing.js';
import { createCrmDatabase, type CrmDatabase, type Sql } from '../../support/crm/database.js';
import { createDay, WEB, type Day } from '../../support/crm/day.js';
import type { Bug, Expectation, FillOptions } from '../../support/crm/expectation.js';
import { fillTicketz } from '../../support/crm/ticketz.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { fillWid } from '../../support/crm/wid.js';
import { useBackend } from '../../support/databases.js';

interface World {
  crm: CrmName;
  fill: (sql: Sql, day: Day, options: FillOptions) => Promise<Expectation>;
  bugs: readonly Bug[];
}

const WORLDS: Readonly<Record<string, World>> = {
  ticketz: {
    crm: 'ticketz',
    fill: fillTicketz,
    bugs: ['lid_split', 'quoted_stubs', 'second_ticket_double', 'random_loss'],
  },
  'a fork with wid': {
    crm: 'ticketz',
    fill: fillWid,
    bugs: ['lid_split', 'doubled_redelivery', 'random_loss'],
  },
  'whaticket-community': { crm: 'whaticket', fill: fillWhaticket, bugs: ['lid_split', 'random_loss'] },
};

let open: CrmDatabase[] = [];
afterEach(async () => {
  await Promise.all(open.map((database) => database.remove()));
  open = [];
});

async function filled(
  { fill }: World,
  day: Day,
  bugs: readonly Bug[],
): Promise<{ crm: CrmDatabase; expectation: Expectation }> {
  const crm = await createCrmDatabase();
  open.push(crm);
  const expectation = await fill(crm.sql, day, { bugs: new Set(bugs), seed: 3 });
  const [first] = await crm.sql(
    `select floor(extract(epoch from min("createdAt")))::int as at from "Messages"`,
  );
  return { crm, expectation: withoutThePast(expectation, day, Number(first?.at)) };
}

/** What was said before the CRM's first row is no loss: the number was not linked to it yet. */
function withoutThePast(expectation: Expectation, day: Day, beginning: number): Expectation {
  const past = new Set(
    day.messages.filter(({ via, at }) => via === 'history' && at < beginning).map(({ id }) => id),
  );
  const messages = [...expectation.messages].map(([id, expected]) =>
    expected.class === 'lost' && past.has(id)
      ? ([id, { ...expected, class: 'not_kept_by_design' }] as const)
      : ([id, expected] as const),
  );
  return { ...expectation, messages: new Map(messages) };
}

describe.each(Object.entries(WORLDS))('compare with %s', (_name, world) => {
  const backend = useBackend('postgresql');

  it('finds nothing wrong with a CRM that does nothing wrong, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 31, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await filled(world, day, []);
    const found = await compareAll(store, world.crm, { kind: 'database', url: crm.readOnlyUrl });
    expectFound(found, expectation, [WEB.name]);
    expect(found.result).toMatchObject({ severity: 'note', status: 'completed', people: [] });
    expect(found.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
    expect(found.result.counts.same).toBeGreaterThan(100);
  });

  it.each(world.bugs)('finds what the bug %s planted, and nothing else', async (bug) => {
    const store = await backend.open();
    const day = createDay({ seed: 35, count: 300, batched: false });
    await replayDay(store, day);
    const { crm, expectation } = await filled(world, day, [bug]);
    const found = await compareAll(store, world.crm, { kind: 'database', url: crm.url });
    expectFound(found, expectation, [WEB.name]);
  });

  it('finds them in any mixture, on any day', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = createRandom(seed);
      const store = await backend.open();
      const day = createDay({ seed: seed + 200, count: 120, batched: false });
      await replayDay(store, day);
      const bugs = world.bugs.filter(() => random.chance(0.5));
      const { crm, expectation } = await filled(world, day, bugs);
      const found = await compareAll(store, world.crm, { kind: 'database', url: crm.url });
      expectFound(found, expectation, [WEB.name]);
    }
  });
});
