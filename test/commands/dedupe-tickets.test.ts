import { beforeEach, expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES, type DedupeResult } from '../../src/commands/dedupe/result.js';
import { undo } from '../../src/commands/undo/undo.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Store } from '../../src/store/store.js';
import {
  damagedConnection,
  dropUniqueIndexes,
  dumpDatabase,
  insertConversation,
  insertLead,
  insertMessage,
  insertTicket,
  moment,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { replayBodies, testContext } from '../support/replaying.js';
import { BRU, live, wamid } from '../support/webhooks.js';

function run(
  store: Store,
  {
    apply = true,
    batchSize = 1000,
    connection,
  }: { apply?: boolean; batchSize?: number; connection?: string } = {},
): Promise<DedupeResult> {
  return dedupe(testContext(store), {
    classes: new Set(DUPLICATE_CLASSES),
    apply,
    batchSize,
    force: true,
    recordedOptions: {},
    ...(connection === undefined ? {} : { connection }),
  });
}

function counted({ classes }: DedupeResult): Record<string, [number, number]> {
  const found = classes.filter(({ groups }) => groups > 0);
  return Object.fromEntries(found.map(({ class: name, groups, rows }) => [name, [groups, rows]]));
}

const dropTwoIndexes = (store: Store): Promise<void> => dropUniqueIndexes(store, ['ticket', 'conversation']);

describeOnBackends('dedupe of open tickets', (backend) => {
  let store: Store;
  let connectionId: string;
  let ana: Thread;

  beforeEach(async () => {
    store = await backend.open(dropTwoIndexes);
    connectionId = await damagedConnection(store);
    ana = await insertConversation(
      store,
      connectionId,
      await insertLead(store, { last_message_at: moment(50) }),
    );
    await insertMessage(store, ana, 'A1', 0);
    await insertMessage(store, ana, 'A2', 50);
    return () => store.close();
  });

  const tickets = (): Promise<Record<string, unknown>[]> =>
    store.sql.query(
      `select id, status, source, stage, opened_by_external_id as opener, opened_at as opened, last_inbound_at as last,
         closed_at as closed from tickets order by status desc, opened_at`,
    );

  async function putBack({ runId }: DedupeResult): Promise<unknown> {
    const done = await undo(testContext(store), {
      run: runId ?? '',
      force: false,
      dryRun: false,
      recordedOptions: {},
    });
    return done.left.rows;
  }

  backend.once(
    'plans them with their evidence, leaves one with the best of both, and can be undone',
    async () => {
      const first = await insertTicket(store, ana, wamid('A1'), 0);
      const second = await insertTicket(store, ana, wamid('A2'), 50, { stage: 'negotiation' });
      const before = await dumpDatabase(store);
      const planned = await run(store, { apply: false });
      expect(counted(planned)).toEqual({ conversation: [1, 1] });
      expect(planned.classes.find(({ class: name }) => name === 'conversation')?.samples).toEqual([
        {
          connection: 'loja',
          survivor: first,
          goes: [second],
          evidence: [`conversation ${ana.conversationId} has two open tickets`, 'the earliest is kept'],
        },
      ]);
      expect(await dumpDatabase(store)).toEqual(before);

      const merged = await run(store);
      expect(merged.classes).toEqual(planned.classes);
      expect(await tickets()).toEqual([
        {
          id: first,
          status: 'open',
          source: 'incoming_message',
          stage: 'negotiation',
          opener: wamid('A1'),
          opened: new Date(moment(0)),
          last: new Date(moment(50)),
          closed: null,
        },
      ]);
      expect(counted(await run(store))).toEqual({});
      expect(await putBack(merged)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    },
  );

  it('removes no ticket that people opened: the earliest of them stays open, the others are closed', async () => {
    await insertTicket(store, ana, wamid('A1'), 0);
    const api = await insertTicket(store, ana, null, 20, { source: 'api' });
    const manual = await insertTicket(store, ana, null, 10, { source: 'manual', last_inbound_at: null });
    const before = await dumpDatabase(store);
    const merged = await run(store);
    expect(merged.classes.flatMap(({ samples }) => samples)).toMatchObject([
      {
        survivor: manual,
        evidence: [
          `conversation ${ana.conversationId} has 3 open tickets`,
          'the ticket that a person opened is kept',
          'of those, the earliest stays open and the others are closed',
        ],
      },
    ]);
    expect(await tickets()).toMatchObject([
      { id: manual, status: 'open', opener: null, opened: new Date(moment(10)), last: new Date(moment(20)) },
      { id: api, status: 'closed', opened: new Date(moment(20)), closed: new Date(moment(20)) },
    ]);
    expect(await putBack(merged)).toEqual([]);
    expect(await dumpDatabase(store)).toEqual(before);
  });

  backend.once(
    'T5: closes what people opened as of its last message, so that the next message opens no other ticket',
    async () => {
      await insertTicket(store, ana, null, 10, { source: 'manual' });
      await insertTicket(store, ana, null, 20, { source: 'api' });
      await run(store);
      await replayBodies(store, [live('A3', 60)]);
      expect(await tickets()).toMatchObject([
        { status: 'open', source: 'manual', last: new Date(moment(60)) },
        { status: 'closed', source: 'api', last: new Date(moment(20)) },
      ]);
    },
  );

  backend.once('counts them once where their conversations are merged besides', async () => {
    const second = await insertConversation(store, connectionId, ana.leadId);
    await insertMessage(store, second, 'A4', 80);
    for (const thread of [ana, ana, second, second]) await insertTicket(store, thread, wamid('A1'), 0);
    const planned = await run(store, { apply: false });
    expect(counted(planned)).toEqual({ conversation: [1, 1] });
    expect(counted(await run(store))).toEqual(counted(planned));
    expect(await tickets()).toHaveLength(1);
  });

  backend.once(
    'does it in batches, on one connection when told so, under one run that can be undone',
    async () => {
      for (let n = 0; n < 5; n += 1) {
        const leadId = await insertLead(store, { phone_number: `+55119876543${10 + n}` });
        const thread = await insertConversation(store, connectionId, leadId);
        for (const at of [0, 10, 20]) await insertTicket(store, thread, null, at);
      }
      await damagedConnection(store, {
        name: 'other',
        phoneNumberId: '800000000000002',
        number: '+5511900000099',
      });
      expect(counted(await run(store, { apply: false, connection: 'other' }))).toEqual({});
      const before = await dumpDatabase(store);
      const merged = await run(store, { batchSize: 4, connection: 'loja' });
      expect(counted(merged)).toEqual({ conversation: [5, 10] });
      expect(await tickets()).toHaveLength(5);
      expect(await putBack(merged)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    },
  );

  backend.once('clears the way for the index that keeps a second one out', async () => {
    await replayBodies(store, [live('B1', 0, { from: BRU }), live('B2', 30, { from: BRU })]);
    await store.sql.execute(
      `insert into tickets select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).* from tickets t`,
    );
    const checks = new Set(CHECK_NAMES.filter((name) => /ticket|index/.test(name)));
    const enforce = () => verify(testContext(store), { checks, enforce: true });
    const blocked = await enforce();
    expect(blocked.enforced.filter(({ outcome }) => outcome === 'blocked')).toMatchObject([
      { index: 'tickets_one_open_per_conversation', remedy: { command: 'dedupe', args: ['--apply'] } },
    ]);
    expect(blocked.checks.find(({ check }) => check === 'one_open_ticket')).toMatchObject({
      found: 1,
      remedy: { command: 'dedupe', args: ['--apply'] },
    });
    await run(store);
    expect(await enforce()).toMatchObject({ findings: 0 });
    expect(await tickets()).toMatchObject([
      { opener: wamid('B1', BRU), opened: new Date(moment(0)), last: new Date(moment(30)) },
    ]);
  });
});
