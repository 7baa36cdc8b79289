import { expect, it } from 'vitest';
import type { CompareOptions, CrmName } from '../../../src/commands/compare/types.js';
import type { Store } from '../../../src/store/store.js';
import { compareAll, notInCrm, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { createDay, WEB } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { exportTables } from '../../support/crm/exporting.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { describeOnServer } from '../../support/databases.js';

const DAY = createDay({ seed: 11, count: 200, batched: true });
const TABLES = ['Messages', 'Tickets', 'Contacts', 'Whatsapps'];

const databases = useCrmDatabases();

function joined(...places: readonly CompareOptions['place'][]): CompareOptions['place'] {
  const [first, ...others] = places.flatMap((place) => (place.kind === 'files' ? [place] : []));
  if (first === undefined) throw new Error('no files');
  return { ...first, inputs: [...first.inputs, ...others.flatMap(({ inputs }) => inputs)] };
}

/** What a comparison says of the exports in either order. */
async function inBothOrders(
  store: Store,
  crm: CrmName,
  [one, other]: readonly [CompareOptions['place'], CompareOptions['place']],
): Promise<unknown[]> {
  const options = crm === 'whaticket' ? { map: notInCrm([WEB.name]) } : {};
  const said: unknown[] = [];
  for (const place of [joined(one, other), joined(other, one)]) {
    said.push(
      await compareAll(store, crm, place, options).then(
        ({ result }) => result.counts,
        (error: unknown) => error,
      ),
    );
  }
  return said;
}

describeOnServer('exports that overlap', (backend) => {
  it('and disagree about a row: the newer one counts, in any order', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const { crm } = await databases.filled(fillWhaticket, DAY);
    const before = await exportTables(crm.sql, TABLES);
    const text = `(select min(id) from "Messages" where "mediaType" = 'chat' and not "isDeleted"
      and id in (select id from "Messages" where "contactId" is not null))`;
    await crm.sql(`update "Messages" set body = 'CHANGED', "updatedAt" = now() where id = ${text}`);
    await crm.sql(`update "Tickets" set status = 'closed', "updatedAt" = now()`);
    const after = await exportTables(crm.sql, TABLES);
    const alone = await compareAll(store, 'whaticket', after, { map: notInCrm([WEB.name]) });
    expect(alone.result.counts.differs).toBe(1);
    expect(await inBothOrders(store, 'whaticket', [before, after])).toEqual([
      alone.result.counts,
      alone.result.counts,
    ]);
  });

  it('and disagree where nothing says which is newer are refused, in any order', async () => {
    const store = await backend.open();
    await replayDay(store, DAY);
    const { crm } = await databases.filled(fillEvolution, DAY);
    const tables = ['Message', 'Instance'];
    const before = await exportTables(crm.sql, tables);
    const text = `(select min(id) from "Message" where "messageType" = 'conversation')`;
    await crm.sql(`update "Message" set message = '{"conversation": "CHANGED"}' where id = ${text}`);
    const after = await exportTables(crm.sql, tables);
    const refused: unknown = expect.objectContaining({ code: 'crm_export_contradicts' });
    expect(await inBothOrders(store, 'evolution', [before, after])).toEqual([refused, refused]);
    // An edit says when it was.
    await crm.sql(`update "Message" set status = 'EDITED' where id = ${text}`);
    const edited = await exportTables(crm.sql, tables);
    const { counts } = (await compareAll(store, 'evolution', edited)).result;
    expect(await inBothOrders(store, 'evolution', [before, edited])).toEqual([counts, counts]);
    // A table beside the messages.
    await crm.sql(
      `update "Instance" set name = 'other', number = '5511900000098' where name = '${WEB.name}'`,
    );
    const renamed = await exportTables(crm.sql, tables);
    expect(await inBothOrders(store, 'evolution', [edited, renamed])).toEqual([refused, refused]);
  });
});
