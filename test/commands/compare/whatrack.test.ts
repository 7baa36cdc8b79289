import { afterEach, describe, expect, it } from 'vitest';
import { createRandom } from '../../bench/random.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { compareAll, expectFound, replayDay } from '../../support/crm/comparing.js';
import { createCrmDatabase, type CrmDatabase } from '../../support/crm/database.js';
import { CLOUD, createDay, type Day } from '../../support/crm/day.js';
import type { Bug, Expectation } from '../../support/crm/expectation.js';
import { exportTables } from '../../support/crm/exporting.js';
import { useBackend } from '../../support/databases.js';

const BUGS: readonly Bug[] = ['first_of_batch_only', 'random_loss', 'direction_wrong', 'text_lost_131060'];
const NUMBERS = [`+${CLOUD.number}`];

let open: CrmDatabase[] = [];
afterEach(async () => {
  await Promise.all(open.map((database) => database.remove()));
  open = [];
});

async function whatrack(
  day: Day,
  bugs: readonly Bug[],
): Promise<{ crm: CrmDatabase; expectation: Expectation }> {
  const crm = await createCrmDatabase();
  open.push(crm);
  return { crm, expectation: await fillWhatrack(crm.sql, day, { bugs: new Set(bugs), seed: 3 }) };
}

describe('compare whatrack', () => {
  const backend = useBackend('postgresql');

  it('finds nothing wrong with a CRM that does nothing wrong, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 11, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await whatrack(day, []);
    const found = await compareAll(store, 'whatrack', { kind: 'database', url: crm.readOnlyUrl });
    expectFound(found, expectation, NUMBERS);
    expect(found.result).toMatchObject({ severity: 'note', status: 'completed', people: [] });
    expect(found.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
  });

  it.each(BUGS)('finds what the bug %s planted, and nothing else', async (bug) => {
    const store = await backend.open();
    const day = createDay({ seed: 5, count: 300, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await whatrack(day, [bug]);
    expectFound(
      await compareAll(store, 'whatrack', { kind: 'database', url: crm.url }),
      expectation,
      NUMBERS,
    );
  });

  it('finds them in any mixture, on any day', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = createRandom(seed);
      const store = await backend.open();
      const day = createDay({ seed: seed + 100, count: 120, batched: random.chance(0.5) });
      await replayDay(store, day);
      const { crm, expectation } = await whatrack(
        day,
        BUGS.filter(() => random.chance(0.5)),
      );
      expectFound(
        await compareAll(store, 'whatrack', { kind: 'database', url: crm.url }),
        expectation,
        NUMBERS,
      );
    }
  });

  it('finds in files of its tables what it finds in the database', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 21, count: 200, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await whatrack(day, BUGS);
    const tables = ['whatsapp_messages', 'crm_leads', 'crm_message_directions', 'whatsapp_configs'];
    const files = await exportTables(crm.sql, tables);
    const whole = await compareAll(store, 'whatrack', files);
    expectFound(whole, expectation, NUMBERS);
    expect(whole.result.connections[0]?.fields.direction).toBeGreaterThan(0);
    // Without the words of directions nothing is compared with them.
    const few = await exportTables(crm.sql, ['whatsapp_messages', 'crm_leads', 'whatsapp_configs']);
    const { result } = await compareAll(store, 'whatrack', few);
    expect(result.connections[0]?.fields.direction).toBeUndefined();
    expect(result.counts.lost).toBe(whole.result.counts.lost);
    const alone = await exportTables(crm.sql, ['whatsapp_messages']);
    await expect(compareAll(store, 'whatrack', alone)).rejects.toThrow(
      'None of the files is the table crm_leads of WhaTrack.',
    );
  });

  it('reads every row once, of which many have one time', async () => {
    const store = await backend.open();
    await replayDay(store, createDay({ seed: 23, count: 20, batched: false }));
    const { crm } = await whatrack(createDay({ seed: 23, count: 20, batched: false }), []);
    await crm.sql(`
      insert into whatsapp_messages (wamid, "leadId", "instanceId", "directionId", type, status, timestamp, "updatedAt")
      select 'wamid.' || n, m."leadId", m."instanceId", m."directionId", 'text', 'sent', '2025-09-16'::timestamp + n / 6000 * interval '1 ms',
        now()
      from generate_series(1, 12000) n, (select * from whatsapp_messages limit 1) m`);
    const [counted] = await crm.sql('select count(*)::int as rows from whatsapp_messages');
    const { result } = await compareAll(store, 'whatrack', { kind: 'database', url: crm.url });
    expect(result.connections[0]?.rows).toBe(counted?.rows);
    expect(result.counts.doubled).toBe(0);
  });
});
