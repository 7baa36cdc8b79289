import { describe, expect, it } from 'vitest';
import type { CrmName } from '../../../src/commands/compare/types.js';
import { fillChatwoot } from '../../support/crm/chatwoot.js';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases, type Fill, type Sql } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { dumpTables, makePrune, makeRepair } from '../../support/crm/repairing.js';
import { fillTicketz } from '../../support/crm/ticketz.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { fillWhatrack } from '../../support/crm/whatrack.js';
import { useBackend } from '../../support/databases.js';

const databases = useCrmDatabases();

/** Every row of every table, and where every sequence stands. */
async function dumpCrm(sql: Sql): Promise<Record<string, string[]>> {
  const tables = await sql(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
     where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  );
  const sequences = await sql(
    `select format('%I.%I', schemaname, sequencename) as name, last_value::text as row from pg_sequences order by 1`,
  );
  return {
    ...(await dumpTables(
      sql,
      tables.map(({ name }) => String(name)),
    )),
    sequences: sequences.map(({ name, row }) => `${String(name)} ${String(row)}`),
  };
}

const CRMS: readonly (readonly [CrmName, Fill])[] = [
  ['evolution', fillEvolution],
  ['chatwoot', fillChatwoot],
  ['ticketz', fillTicketz],
  ['whaticket', fillWhaticket],
  ['whatrack', fillWhatrack],
];

describe.each(CRMS)('the tables of %s', (name, fill) => {
  const backend = useBackend('postgresql');

  it('are as they were after a comparison, an adoption and a repair, also by who may write', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 61, count: 200, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fill, day, ['random_loss']);
    const place = { kind: 'database', url: crm.url } as const;
    const before = await dumpCrm(crm.sql);
    expect(Object.values(before).flat().length).toBeGreaterThan(100);
    const { result } = await compareAll(store, name, place);
    expect(result.counts.lost).toBeGreaterThan(0);
    expect(await dumpCrm(crm.sql)).toEqual(before);
    await compareAll(store, name, place, { adopt: { dryRun: false } });
    expect(await dumpCrm(crm.sql)).toEqual(before);
    // Community's Whaticket takes no SQL.
    if (name !== 'whaticket') await makeRepair(store, name, place);
    if (name === 'evolution' || name === 'chatwoot') await makePrune(store, name, place);
    expect(await dumpCrm(crm.sql)).toEqual(before);
  });
});
