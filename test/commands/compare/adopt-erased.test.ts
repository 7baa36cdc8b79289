import { expect, it } from 'vitest';
import { presentCompare } from '../../../src/cli/views/compare.js';
import { compare } from '../../../src/commands/compare/compare.js';
import { erase } from '../../../src/commands/erase/erase.js';
import { CHECK_NAMES } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import type { Store } from '../../../src/store/store.js';
import { dumpOf } from '../../support/database-dump.js';
import { describeOnServer } from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import { replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { asBaileysEvents } from '../../support/crm/day-baileys.js';
import { asWebhooks } from '../../support/crm/day-webhooks.js';
import { createDay } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { SECRET } from '../../support/secret.js';
import { value } from '../../support/shown.js';

const databases = useCrmDatabases();

/** What everybody has whose lead is there; when a row was last touched is of no interest. */
function everybody(store: Store): Promise<unknown> {
  const rows = ['leads', 'messages', 'conversations', 'tickets', 'lead_identities'].map(
    (table) => `select '${table}' as t, (to_jsonb(r) - 'updated_at')::text as row from ${table} r`,
  );
  return store.sql.query(`select t, row from (${rows.join(' union all ')}) a order by 1, 2`);
}

describeOnServer('compare --adopt after an erasure', (backend) => {
  it('brings nothing of the person back from a CRM that still has them, nor does the log in another order', async () => {
    const store = await backend.open();
    const ctx = testContext(store, { secretKey: () => SECRET });
    const day = createDay({ seed: 31, count: 250, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const adopt = () =>
      compare(ctx, {
        crm: 'evolution',
        place: { kind: 'database', url: crm.readOnlyUrl },
        map: [],
        adopt: { dryRun: false },
        onItem: () => undefined,
      });
    await adopt();
    // Somebody of whom the CRM alone has a message.
    const person = day.messages.find(({ via, group }) => via === 'unlogged' && !group)?.person;
    if (person === undefined) throw new Error('the CRM has nothing of its own');
    await erase(ctx, { contact: `+${person.phone}`, secretKey: SECRET, batchSize: 50 });
    const names = [person.phone, person.waId, person.lid?.told === true ? person.lid.digits : person.phone];
    const traces = async (): Promise<string[]> => {
      const dump = await dumpOf(store);
      return names.filter((name) => dump.includes(name));
    };
    expect(await traces()).toEqual([]);
    const after = await everybody(store);

    const result = await adopt();
    const { adopted } = result;
    expect(adopted).toMatchObject({ created: 0, rejected: 0 });
    expect(adopted?.entries ?? 0).toBeGreaterThan(0);
    // All of them were erased, and the person who ran it is told.
    expect(adopted?.erased).toBe(adopted?.entries);
    expect(JSON.stringify(presentCompare(result, ['compare', 'evolution']).document)).toContain(
      `${adopted?.entries ?? 0} left out, because the people were erased`,
    );
    expect(await traces()).toEqual([]);
    expect(await everybody(store)).toEqual(after);

    const log = [...asWebhooks(day), ...asBaileysEvents(day)].reverse();
    const again = await replayBodies(
      store,
      log.map((body) => ({ again: true, body })),
      { secretKey: () => SECRET },
    );
    expect(again.messages).toMatchObject({ created: 0 });
    expect(again.messages.skipped['erased']).toBeGreaterThan(0);
    expect(await traces()).toEqual([]);
    expect(await everybody(store)).toEqual(after);

    const { checks, findings: found } = await verify(testContext(store), {
      checks: new Set(CHECK_NAMES),
      enforce: false,
    });
    expect(
      checks
        .filter(({ status }) => status === 'findings')
        .map(({ check, summary }) => `${check}: ${summary}`),
    ).toEqual([]);
    expect(found).toBe(0);
    expect(checks.find(({ check }) => check === 'raw_bodies')?.summary).toMatch(
      /\(\d+ items erased, \d+ of them messages\)/,
    );
    expect(await value(store, 'select count(*)::int from erasures')).toBe(1);
  });
});
