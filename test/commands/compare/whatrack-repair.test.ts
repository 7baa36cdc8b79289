import { describe, expect, it } from 'vitest';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import { watchWhatrack } from '../../support/crm/invariants.js';
import { applyScript, dumpTables, makeRepair } from '../../support/crm/repairing.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { useBackend } from '../../support/databases.js';

const TABLES = ['crm_leads', 'crm_conversations', 'crm_deals', 'whatsapp_messages'];

const databases = useCrmDatabases();

describe('the repair of WhaTrack', () => {
  const backend = useBackend('postgresql');

  it('puts back what is lost, adds nothing the second time, and is taken back without a trace', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 21, count: 300, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillWhatrack, day, ['first_of_batch_only', 'random_loss']);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const check = await watchWhatrack(crm.sql);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'whatrack', place);
    const { lost } = repair.result.counts;
    expect(lost).toBeGreaterThan(10);
    expect(repair.result.repair).toMatchObject({ messages: lost, leftOut: {} });

    await applyScript(crm.sql, repair.sql);
    const after = await dumpTables(crm.sql, TABLES);
    const again = await compareAll(store, 'whatrack', place, { repaired: repair.ids });
    expect(again.result.counts).toEqual({
      ...repair.result.counts,
      lost: 0,
      same: repair.result.counts.same + lost,
    });
    expect(again.result.repaired).toEqual({ messages: lost, same: lost });
    expect(await check()).toEqual([]);
    // Nobody is there twice.
    expect(after.crm_leads).toHaveLength(before.crm_leads?.length ?? 0);

    await applyScript(crm.sql, repair.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });
});
