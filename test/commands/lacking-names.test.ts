import { expect, it } from 'vitest';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { normalizedDatabase } from '../support/normalized.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { addressBook, ANA, ANA_BSUID, BRU, CAR, echo, live, liveFrom, wamid } from '../support/webhooks.js';

const LOG = [
  addressBook('add', { full_name: 'Car Souza', phone_number: CAR }, 0),
  addressBook('add', { full_name: 'Bru Lima', phone_number: BRU }, 1),
  liveFrom('Ana', 'A1', 10, { from_user_id: ANA_BSUID }),
  live('B1', 20, { from: BRU }),
  echo('A2', 30),
];

function verified(store: Store) {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
}

/** Takes away a lead with everything that hangs on it, in the order that the foreign keys demand. */
function withoutLead(phone: string): string[] {
  const lead = `(select id from leads where phone_number = '+${phone}')`;
  return [
    ...['tickets', 'messages', 'conversations', 'sync_logs', 'lead_identities'].map(
      (table) => `delete from ${table} where lead_id = ${lead}`,
    ),
    `delete from leads where phone_number = '+${phone}'`,
  ];
}

/** What another program does to names, and the contact whom it does it to. */
const DAMAGES: Record<string, { statements: string[]; contact: string }> = {
  'a name of several': {
    statements: [`delete from lead_identities where kind = 'bsuid'`],
    contact: `+${ANA}`,
  },
  'the only name of a lead': {
    statements: [`delete from lead_identities where value = '+${BRU}'`],
    contact: `+${BRU}`,
  },
  'every name of everyone': { statements: ['delete from lead_identities'], contact: `+${ANA}` },
  'a lead of the address book': { statements: withoutLead(CAR), contact: `+${CAR}` },
  'a lead with its messages': { statements: withoutLead(BRU), contact: `+${BRU}` },
};

describeOnBackends('a name that the raw log gives a contact', (backend) => {
  for (const [what, { statements, contact }] of backend.onServer(Object.entries(DAMAGES)))
    it(`is a finding everywhere when it is gone (${what}), and reconcile brings it back`, async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await night(store, { apply: true });
      const before = await normalizedDatabase(store);
      for (const statement of statements) await store.sql.execute(statement);
      const { checks } = await verified(store);
      expect(checks.find(({ check }) => check === 'raw_log')).toMatchObject({
        status: 'findings',
        remedy: { command: 'replay', args: ['--all'] },
      });
      expect((await ask(store, contact)).findings).not.toEqual([]);
      const seen = await night(store, { dryRun: true });
      expect(seen.report?.alerts.map(({ id }) => id)).toContain('finding:names');
      const mended = await night(store, { apply: true });
      expect(mended.figures.lost).toBe(0);
      expect(mended.report?.alerts.map(({ id }) => id)).not.toContain('finding:names');
      expect(await verified(store)).toMatchObject({ findings: 0 });
      expect(await ask(store, contact)).toMatchObject({ findings: [] });
      const after = await normalizedDatabase(store);
      for (const table of ['leads', 'lead_identities', 'messages', 'conversations'])
        expect(after[table]).toEqual(before[table]);
    });

  it('is taken from a contact who was given the phone of another one by a name of another kind', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true });
    const before = await normalizedDatabase(store);
    await store.sql.execute(`update lead_identities set value = '+${BRU}' where kind = 'bsuid'`);
    const { checks } = await verified(store);
    for (const name of ['raw_log', 'consistency'])
      expect(checks.find(({ check }) => check === name)?.status).toBe('findings');
    await replayLog(store, { which: 'all' });
    // The name of the log is back; the wrong one is still there.
    const { checks: left } = await verified(store);
    expect(left.filter(({ status }) => status === 'findings')).toMatchObject([
      { check: 'consistency', remedy: { command: 'verify', args: ['--enforce'] } },
    ]);
    await night(store, { apply: true });
    expect(await verified(store)).toMatchObject({ findings: 0 });
    expect(await normalizedDatabase(store)).toEqual(before);
  });

  backend.once('does not hide a message that names an entry which never was one', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await night(store, { apply: true });
    const id = wamid('A1');
    const entry = await store.sql.query(`select batch_id from messages where external_id = $1`, [id]);
    await store.sql.execute(`update messages set batch_id = gen_random_uuid() where external_id = $1`, [id]);
    expect((await verified(store)).findings).toBe(1);
    await night(store, { apply: true });
    expect(await store.sql.query(`select batch_id from messages where external_id = $1`, [id])).toEqual(
      entry,
    );
    expect(await verified(store)).toMatchObject({ findings: 0 });
  });
});
