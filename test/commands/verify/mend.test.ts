import { expect, it } from 'vitest';
import { linksByNumber } from '../../../src/commands/dedupe/lead-links.js';
import { undo } from '../../../src/commands/undo/undo.js';
import { CHECK_NAMES, type CheckName, type VerifyResult } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import type { Store } from '../../../src/store/store.js';
import { findLeads } from '../../../src/store/tables/leads.js';
import { dumpDatabase, insertLead } from '../../support/damage.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import { ANA, BRU, history, live, old, SECOND } from '../../support/webhooks.js';

const LOG = [
  history([old('A0', -900)], { progress: 100 }),
  live('A1', 0),
  live('A2', 30, {}, SECOND),
  live('B1', 60, { from: BRU }),
];

const NONE = { messages: 0, conversations: 0, leads: 0, tickets: 0, malformed: 0 };

function enforce(
  store: Store,
  narrowed: { checks?: CheckName[]; connection?: string; since?: number; signal?: AbortSignal } = {},
): Promise<VerifyResult> {
  const { checks = CHECK_NAMES, signal, ...options } = narrowed;
  return verify(testContext(store, signal === undefined ? {} : { signal }), {
    ...options,
    checks: new Set(checks),
    enforce: true,
  });
}

/** Breaks every derived value of everybody. */
async function breakAll(store: Store): Promise<void> {
  await store.sql.execute(
    `update conversations set first_message_at = '2020-01-01', first_message_source = 'app_echo', last_message_at = null`,
  );
  await store.sql.execute(`update leads set last_message_at = '2020-01-01'`);
  await store.sql.execute(
    `update tickets set message_window_expires_at = '2020-01-01', last_inbound_at = null, opened_by_external_id = null`,
  );
}

/** A dump without the time of the last change of leads. */
function unsynced(dump: Awaited<ReturnType<typeof dumpDatabase>>): typeof dump {
  const leads = (dump['leads'] ?? []).map((row) => ({ ...row, last_synced_at: null }));
  return { ...dump, leads };
}

async function phoneTo(store: Store, from: string, to: string): Promise<void> {
  await store.sql.execute('update leads set phone_number = $2 where phone_number = $1', [
    `+${from}`,
    `+${to}`,
  ]);
}

async function swapPhones(store: Store): Promise<void> {
  await store.sql.execute('update leads set phone_number = null where phone_number = $1', [`+${ANA}`]);
  await phoneTo(store, BRU, ANA);
  await store.sql.execute('update leads set phone_number = $1 where phone_number is null', [`+${BRU}`]);
}

describeOnBackends('verify --enforce sets derived values', (backend) => {
  backend.once(
    'to what they follow from, as a replay had left them, counts them, and can be undone',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const sound = await dumpDatabase(store);
      await breakAll(store);
      const broken = await dumpDatabase(store);
      const result = await enforce(store);
      expect(result).toMatchObject({
        findings: 0,
        recomputed: { messages: 0, conversations: 3, leads: 2, tickets: 3 },
      });
      expect(await dumpDatabase(store)).toEqual(sound);
      const [run] = await store.sql.query(
        `select id, status, verdict, counters from sync_runs where command = 'verify'`,
      );
      expect(run).toMatchObject({
        id: result.runId,
        status: 'completed',
        verdict: 'All unique indexes were present; recomputed 3 conversations, 2 leads, 3 tickets',
        counters: { recomputed: { messages: 0, conversations: 3, leads: 2, tickets: 3 } },
      });
      const undone = await undo(testContext(store), {
        run: result.runId ?? '',
        force: false,
        dryRun: false,
        recordedOptions: {},
      });
      expect(undone).toMatchObject({ status: 'completed', rows: 8 });
      expect(await dumpDatabase(store)).toEqual(broken);
    },
  );

  it('and takes the raw entry from a row that it does not hold, which can be undone', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(
      `insert into messages select (jsonb_populate_record(m, jsonb_build_object(
         'id', gen_random_uuid(), 'external_id', 'K', 'stanza_id', null, 'timestamp', m.timestamp))).*
       from messages m where body = 'A1'`,
    );
    const before = await dumpDatabase(store);
    const result = await enforce(store);
    expect(result).toMatchObject({ findings: 0, severity: 'note', recomputed: { ...NONE, messages: 1 } });
    const foreign = await store.sql.query('select external_id, run_id from messages where batch_id is null');
    expect(foreign).toEqual([{ external_id: 'K', run_id: null }]);
    await undo(testContext(store), {
      run: result.runId ?? '',
      force: false,
      dryRun: false,
      recordedOptions: {},
    });
    expect(await dumpDatabase(store)).toEqual(before);
  });

  backend.once(
    'and gives leads their own phones back, also when two have each other’s, which can be undone',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const sound = await dumpDatabase(store);
      await swapPhones(store);
      const swapped = await dumpDatabase(store);
      // Nobody takes the two for one person meanwhile.
      await store.transaction(async (tx) => {
        for await (const link of linksByNumber(tx)) throw new Error(link.why);
      });
      expect(await findLeads(store.sql, [], [`+${ANA}`, `+${BRU}`])).toEqual([]);
      const result = await enforce(store);
      expect(result).toMatchObject({ findings: 0, recomputed: { ...NONE, leads: 2 } });
      expect(unsynced(await dumpDatabase(store))).toEqual(unsynced(sound));
      const options = { run: result.runId ?? '', force: false, dryRun: false, recordedOptions: {} };
      await undo(testContext(store), options);
      expect(await dumpDatabase(store)).toEqual(swapped);
    },
  );

  it.each<[string, (store: Store) => Promise<unknown>]>([
    ['each other’s', swapPhones],
    ['the phone of a contact who writes next', (store) => phoneTo(store, ANA, '5511955555555')],
  ])('a lead whose column has another phone stays one person: %s', async (_what, damage) => {
    const next = [live('A3', 90), live('B2', 95, { from: BRU }), live('C1', 99, { from: '5511955555555' })];
    const store = await backend.open();
    await replayBodies(store, LOG);
    await damage(store);
    await replayBodies(store, next);
    const result = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    expect(result).toMatchObject({ findings: 0, severity: null });
    const people = await store.sql.query(
      `select l.phone_number, count(*)::int as messages from leads l join messages m on m.lead_id = l.id group by 1 order by 1`,
    );
    expect(people).toEqual([
      { phone_number: `+${ANA}`, messages: 4 },
      { phone_number: '+5511955555555', messages: 1 },
      { phone_number: `+${BRU}`, messages: 2 },
    ]);
  });

  backend.once(
    'but leaves a phone that a lead of another program has: the next replay makes the two one',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      await phoneTo(store, ANA, '5511955555555');
      await insertLead(store, { identities: false, last_message_at: null });
      expect(await enforce(store)).toMatchObject({ recomputed: NONE });
      await replayBodies(store, [live('A3', 90)]);
      expect(await enforce(store)).toMatchObject({ findings: 0, recomputed: NONE });
      expect(await store.sql.query('select phone_number from leads order by 1')).toEqual([
        { phone_number: `+${ANA}` },
        { phone_number: `+${BRU}` },
      ]);
    },
  );

  backend.once('where they are wrong, and touches nothing else', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    expect((await enforce(store)).recomputed).toEqual(NONE);
    // What only people know stays: another name, a ticket that was moved on.
    await store.sql.execute(`update leads set push_name = 'Ana (shop)', source = 'direct_creation'`);
    await store.sql.execute(`update tickets set stage = 'won', message_window_expires_at = null`);
    await store.sql.execute(`update leads set last_message_at = null where phone_number = '+${ANA}'`);
    const before = await dumpDatabase(store);
    expect((await enforce(store)).recomputed).toEqual({ ...NONE, leads: 1 });
    const after = await dumpDatabase(store);
    const changed = (after['leads'] ?? []).filter(
      (row, index) => JSON.stringify(row) !== JSON.stringify(before['leads']?.[index]),
    );
    expect(changed).toMatchObject([{ push_name: 'Ana (shop)', phone_number: `+${ANA}` }]);
    expect({ ...after, leads: [] }).toEqual({ ...before, leads: [] });
    expect(await store.sql.query('select table_name, key from change_journal')).toHaveLength(1);
  });

  it('of the checks, the connection and the time that it is narrowed to', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await breakAll(store);
    expect((await enforce(store, { checks: ['unique_index'] })).recomputed).toEqual(NONE);
    expect(
      (await enforce(store, { checks: ['ticket_rules'], connection: '+5511900000099' })).recomputed,
    ).toEqual({
      ...NONE,
      tickets: 1,
    });
    expect(
      (await enforce(store, { checks: ['conversation_times'], since: Date.UTC(2031, 0) })).recomputed,
    ).toEqual(NONE);
    expect(
      (await enforce(store, { checks: ['conversation_times'], connection: '+5511900000099' })).recomputed,
    ).toEqual({ ...NONE, conversations: 1, leads: 1 });
    expect((await enforce(store)).recomputed).toEqual({
      messages: 0,
      conversations: 2,
      leads: 1,
      tickets: 2,
      malformed: 0,
    });
  });

  it('batch by batch: what was stopped in the middle, the next one finishes', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('A1', 0)]);
    await store.sql.execute(
      `with made as (
         insert into leads (id, organization_id, phone_number, source, first_seen_at, last_message_at)
         select gen_random_uuid(), organization_id, '+1415' || (5550000 + n), 'live_message', '2020-01-01', '2020-01-01'
         from leads, generate_series(1, 2500) n returning id
       )
       insert into conversations (id, connection_id, lead_id, last_message_at)
       select gen_random_uuid(), c.connection_id, made.id, '2020-01-01' from conversations c, made`,
    );
    const stop = new AbortController();
    let transactions = 0;
    const stopping: Store = {
      ...store,
      transaction: async (work, options) => {
        const done = await store.transaction(work, options);
        transactions += 1;
        if (transactions === 2) stop.abort();
        return done;
      },
    };
    const stopped = await enforce(stopping, { checks: ['conversation_times'], signal: stop.signal });
    expect(stopped).toMatchObject({ status: 'interrupted' });
    expect(stopped.recomputed.conversations).toBeGreaterThan(1_900);
    expect(stopped.recomputed.conversations).toBeLessThan(2_500);
    const rest = await enforce(store, { checks: ['conversation_times'] });
    expect(rest).toMatchObject({
      findings: 0,
      recomputed: { conversations: 2_500 - stopped.recomputed.conversations, leads: 2_500, tickets: 0 },
    });
  });

  backend.once('and keeps nothing of a batch that failed', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await breakAll(store);
    const broken = await dumpDatabase(store);
    const failing: Store = {
      ...store,
      transaction: (work, options) =>
        store.transaction(async (tx) => {
          await work(tx);
          throw new Error('killed before the commit');
        }, options),
    };
    await expect(enforce(failing)).rejects.toThrow('killed before the commit');
    expect(await dumpDatabase(store)).toEqual(broken);
    expect(await store.sql.query('select id from change_journal')).toEqual([]);
    expect((await enforce(store)).findings).toBe(0);
  });
});
