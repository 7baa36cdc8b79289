import { expect, it } from 'vitest';
import { undo } from '../../src/commands/undo/undo.js';
import { CHECK_NAMES, type VerifyResult } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import { dumpDatabase } from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { ANA, BRU, CAR, history, live, old, SECOND } from '../support/webhooks.js';

/**
 * Ana has a history, live messages and an open ticket, and one on the other number; Bru, who is new, has one as well; Car has
 * only a history.
 */
const LOG = [
  history([old('A0', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 60),
  live('B1', 30, { from: BRU }),
  history([old('C0', -900, { from: CAR })], { order: 2 }, { id: CAR }),
];

function enforce(store: Store): Promise<VerifyResult> {
  return verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
}

async function verified(store: Store) {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  return checks.flatMap(({ check, status, remedy }) =>
    status === 'findings'
      ? [`${check}: ${remedy?.command ?? 'no remedy'} ${remedy?.args.join(' ') ?? ''}`]
      : [],
  );
}

function tickets(store: Store): Promise<unknown[]> {
  return store.sql.query(
    `select id, conversation_id, lead_id, originated_from, stage, status, message_window_expires_at, opened_by_external_id,
       opened_at, last_inbound_at, closed_at
     from tickets order by id`,
  );
}

const lead = (phone: string): string => `(select id from leads where phone_number = '+${phone}')`;

/** Each is one `update` of Ana's ticket. */
const DAMAGES: readonly { title: string; sets: string }[] = [
  { title: 'another lead', sets: `lead_id = ${lead(BRU)}` },
  {
    title: 'another lead’s conversation',
    sets: `conversation_id = (select id from conversations where lead_id = ${lead(CAR)})`,
  },
  { title: 'no message that opened it', sets: 'opened_by_external_id = null' },
  { title: 'an earlier opening', sets: `opened_at = opened_at - interval '1 hour'` },
  { title: 'a later last message', sets: `last_inbound_at = last_inbound_at + interval '1 hour'` },
  { title: 'another origin', sets: `originated_from = 'existing'` },
  { title: 'a window', sets: `message_window_expires_at = now()` },
];

describeOnBackends('a ticket that was given', (backend) => {
  it.each(backend.onServer(DAMAGES))(
    '$title is as before after verify --enforce, and after reconcile',
    async ({ sets }) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      expect(await verified(store)).toEqual([]);
      const sound = await tickets(store);
      const damage = async (): Promise<void> => {
        expect(await store.sql.execute(`update tickets set ${sets} where lead_id = ${lead(ANA)}`)).toBe(1);
      };
      await damage();
      const broken = await dumpDatabase(store);
      const found = await verified(store);
      expect(found).not.toEqual([]);
      for (const line of found) expect(line).toMatch(/: verify --enforce$/);
      const { runId, findings } = await enforce(store);
      expect(await tickets(store)).toEqual(sound);
      expect(findings).toBe(0);
      await undo(testContext(store), { run: runId ?? '', force: false, dryRun: false, recordedOptions: {} });
      expect((await dumpDatabase(store))['tickets']).toEqual(broken['tickets']);

      await night(store, { apply: true, full: true });
      expect(await tickets(store)).toEqual(sound);
      expect(await verified(store)).toEqual([]);

      await damage();
      await night(store, { apply: true });
      expect(await tickets(store)).toEqual(sound);
    },
  );

  it('another conversation comes back, although a replay has opened a second one in its place meanwhile', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const sound = await tickets(store);
    await store.sql.execute(
      `update tickets set conversation_id = (select id from conversations where lead_id = ${lead(CAR)}) where lead_id = ${lead(ANA)}`,
    );
    await replayLog(store, { which: 'all' });
    expect(await tickets(store)).toHaveLength(3);
    expect(await verified(store)).toContain('consistency: verify --enforce');
    expect((await enforce(store)).findings).toBe(0);
    expect(await tickets(store)).toEqual(sound);
  });

  backend.once('another conversation of the same lead comes back as well', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0), live('A2', 60), live('S1', 10, {}, SECOND)]);
    await store.sql.execute(
      `update tickets set status = 'closed', closed_at = opened_at + interval '10 minutes'`,
    );
    await replayBodies(store, [live('A3', 3600)]);
    const sound = await tickets(store);
    await store.sql.execute(
      `update tickets set conversation_id = (
         select c.id from conversations c join connections n on n.id = c.connection_id
         where n.phone_number_id = '${SECOND.id}'
       ) where status = 'open'`,
    );
    await night(store, { apply: true, full: true });
    expect(await tickets(store)).toEqual(sound);
  });

  backend.once(
    'stays with the lead of its messages where its conversation was given to another lead',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await store.sql.execute(
        `update conversations set lead_id = ${lead(CAR)}, connection_id = connection_id
       where lead_id = ${lead(ANA)} and not exists (
         select from conversations c where c.lead_id = ${lead(CAR)} and c.connection_id = conversations.connection_id
       )`,
      );
      const before = await tickets(store);
      await enforce(store);
      expect(await tickets(store)).toEqual(before);
    },
  );
});
