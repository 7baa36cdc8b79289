import { describe, expect, it } from 'vitest';
import { presentCompare } from '../../../src/cli/views/compare.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { compareAll, expectFound, findsWhatIsPlanted, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { CLOUD, createDay } from '../../support/crm/day.js';
import type { Bug } from '../../support/crm/expectation.js';
import { exportTables } from '../../support/crm/exporting.js';
import { useBackend } from '../../support/databases.js';

const BUGS: readonly Bug[] = ['first_of_batch_only', 'random_loss', 'direction_wrong', 'text_lost_131060'];
const NUMBERS = [`+${CLOUD.number}`];

const databases = useCrmDatabases();

describe('compare whatrack', () => {
  const backend = useBackend('postgresql');

  findsWhatIsPlanted(backend, databases, {
    crm: 'whatrack',
    fill: fillWhatrack,
    bugs: BUGS,
    connections: NUMBERS,
  });

  it('finds in files of its tables what it finds in the database', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 21, count: 200, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fillWhatrack, day, BUGS);
    const tables = ['whatsapp_messages', 'crm_leads', 'crm_message_directions', 'whatsapp_configs'];
    const files = await exportTables(crm.sql, tables);
    const whole = await compareAll(store, 'whatrack', files);
    expectFound(whole, expectation, NUMBERS);
    expect(whole.result.connections[0]?.fields.direction).toBeGreaterThan(0);
    // What is not needed is passed over, and told.
    const all = await compareAll(
      store,
      'whatrack',
      await exportTables(crm.sql, [...tables, 'crm_conversations']),
    );
    expect(all.result).toMatchObject({ counts: whole.result.counts, connections: whole.result.connections });
    expect(whole.result.passedOver).toEqual([]);
    expect(all.result.passedOver).toEqual([expect.stringMatching(/crm_conversations\.csv$/)]);
    expect(
      JSON.stringify(presentCompare(all.result, ['compare', 'whatrack', 'a.csv']).document.blocks),
    ).toContain('not needed, and not read');
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
    const { crm } = await databases.filled(fillWhatrack, createDay({ seed: 23, count: 20, batched: false }));
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
