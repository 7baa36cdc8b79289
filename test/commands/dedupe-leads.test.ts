import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import {
  DUPLICATE_CLASSES,
  type DedupeResult,
  type DuplicateClass,
} from '../../src/commands/dedupe/result.js';
import { undo } from '../../src/commands/undo/undo.js';
import type { Store } from '../../src/store/store.js';
import {
  damagedConnection,
  dropUniqueIndexes,
  dumpDatabase,
  insertConversation,
  insertIdentity,
  insertLead,
  insertMessage,
  insertTicket,
  insertTwins,
  moment,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends, describeOnServer } from '../support/databases.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { ANA, ANA_BSUID, ANA_LID, BRU, live, wamid, webhook, item } from '../support/webhooks.js';

const BRAZIL = { canonical: '+5511987654321', old: '+551187654321' };

async function run(
  store: Store,
  options: {
    apply?: boolean;
    classes?: readonly DuplicateClass[];
    connection?: string;
    batchSize?: number;
  } = {},
): Promise<DedupeResult> {
  const { apply = true, classes = DUPLICATE_CLASSES, connection, batchSize = 1000 } = options;
  return dedupe(testContext(store), {
    classes: new Set(classes),
    apply,
    batchSize,
    force: true,
    recordedOptions: {},
    ...(connection === undefined ? {} : { connection }),
  });
}

function countsOf(result: DedupeResult, name: DuplicateClass): { groups: number; rows: number } | undefined {
  const counts = result.classes.find((each) => each.class === name);
  return counts === undefined ? undefined : { groups: counts.groups, rows: counts.rows };
}

async function putBack(store: Store, result: DedupeResult): Promise<unknown> {
  const done = await undo(testContext(store), {
    run: result.runId ?? '',
    force: false,
    dryRun: false,
    recordedOptions: {},
  });
  return done.left.rows;
}

describeOnBackends('dedupe of leads', (backend) => {
  let store: Store;
  let connectionId: string;

  beforeEach(async () => {
    store = await backend.open();
    connectionId = await damagedConnection(store);
  });

  const leads = (): Promise<Record<string, unknown>[]> =>
    store.sql.query(
      `select id, phone_number as phone, push_name as name, is_active as active from leads order by first_seen_at`,
    );

  /** A lead with a conversation and one message in it. */
  async function person(
    phone: string | null,
    key: string,
    at: number,
    fields: Record<string, unknown> = {},
  ): Promise<Thread> {
    const leadId = await insertLead(store, {
      phone_number: phone,
      push_name: key,
      first_seen_at: moment(at),
      ...fields,
    });
    const thread = await insertConversation(store, connectionId, leadId);
    await insertMessage(store, thread, key, at);
    return thread;
  }

  it.each([
    ['Brazil’s ninth digit', '+551187654321', '+5511987654321'],
    ['Mexico’s 521', '+5215512345678', '+525512345678'],
    ['Argentina’s 549', '+541112345678', '+5491112345678'],
  ])('I1: merges two leads that %s told apart, into the earlier one', async (_, spelled, canonical) => {
    const first = await person(spelled, 'A1', 0, { identities: false });
    const second = await person(canonical, 'A2', 50, { identities: false });
    const result = await run(store);
    expect(countsOf(result, 'lead')).toEqual({ groups: 1, rows: 1 });
    expect(result.classes[0]?.samples).toEqual([
      {
        connection: null,
        survivor: first.leadId,
        goes: [second.leadId],
        evidence: [expect.stringMatching(/ are one number$/) as unknown],
      },
    ]);
    expect(await leads()).toEqual([
      { id: first.leadId, phone: canonical, name: expect.anything() as unknown, active: true },
    ]);
    const messages = await store.sql.query(
      `select body, conversation_id as thread, lead_id as lead from messages order by timestamp`,
    );
    expect(messages).toEqual([
      { body: 'A1', thread: first.conversationId, lead: first.leadId },
      { body: 'A2', thread: first.conversationId, lead: first.leadId },
    ]);
    expect(
      await store.sql.query(`select first_message_at as first, last_message_at as last from conversations`),
    ).toEqual([{ first: new Date(moment(0)), last: new Date(moment(50)) }]);
  });

  backend.once('I1: leaves a landline, and an Argentine number of which no 549 is known, alone', async () => {
    await person('+551132654321', 'L1', 0);
    await person('+5511932654321', 'L2', 1);
    await person('+541112345678', 'L3', 2);
    const before = await dumpDatabase(store);
    const result = await run(store);
    expect(countsOf(result, 'lead')).toEqual({ groups: 0, rows: 0 });
    expect(await dumpDatabase(store)).toEqual(before);
  });

  backend.once('changes nothing without --apply, and says the same as the merge', async () => {
    const ana = await person(BRAZIL.canonical, 'A1', 0);
    const double = await person(BRAZIL.old, 'A2', 50, { identities: false });
    await insertTwins(store, ana, 'T', 60);
    await insertMessage(store, double, 'T2', 70);
    await insertMessage(store, ana, 'T2', 71, { external_id: 'T2' });
    const before = await dumpDatabase(store, []);
    const planned = await run(store, { apply: false });
    expect(await dumpDatabase(store, [])).toEqual(before);
    expect(countsOf(planned, 'lead')).toEqual({ groups: 1, rows: 1 });
    // The second pair comes together only when the leads are one.
    expect(countsOf(planned, 'same_message')).toEqual({ groups: 2, rows: 2 });
    const merged = await run(store);
    expect(merged.classes.map(({ class: name, groups, rows }) => ({ name, groups, rows }))).toEqual(
      planned.classes.map(({ class: name, groups, rows }) => ({ name, groups, rows })),
    );
    expect(countsOf(await run(store, { apply: false }), 'lead')).toEqual({ groups: 0, rows: 0 });
  });

  backend.once('keeps the names of a lead that only its row knew, and its phone as a name', async () => {
    await person(BRAZIL.canonical, 'A1', 0, { push_name: null });
    await person(BRAZIL.old, 'A2', 50, { identities: false, push_name: 'Ana (shop)', username: 'ana' });
    await run(store);
    expect(await leads()).toMatchObject([{ phone: BRAZIL.canonical, name: 'Ana (shop)' }]);
    expect(
      await store.sql.query(`select kind, value, book_name as name, username from lead_identities`),
    ).toEqual([{ kind: 'phone', value: BRAZIL.canonical, name: 'Ana (shop)', username: 'ana' }]);
  });

  it('keeps a name that people gave to one of the leads, whatever else is known of it', async () => {
    await insertLead(store, { phone_number: BRAZIL.canonical, push_name: null });
    await insertLead(store, {
      phone_number: BRAZIL.old,
      push_name: 'Bia da padaria',
      username: 'bia',
      first_seen_at: moment(10),
      last_synced_at: moment(20),
    });
    const before = await dumpDatabase(store);
    const merged = await run(store);
    expect(await store.sql.query('select push_name, username from leads')).toEqual([
      { push_name: 'Bia da padaria', username: 'bia' },
    ]);
    expect(await putBack(store, merged)).toEqual([]);
    expect(await dumpDatabase(store)).toEqual(before);
  });

  backend.once('turns a name in another spelling into the canonical one', async () => {
    const first = await person(BRAZIL.old, 'A1', 0);
    await person(BRAZIL.canonical, 'A2', 50);
    await run(store);
    expect(await store.sql.query(`select value, person_id as person from lead_identities`)).toEqual([
      { value: BRAZIL.canonical, person: first.leadId },
    ]);
    expect(await leads()).toMatchObject([{ id: first.leadId, phone: BRAZIL.canonical }]);
  });

  backend.once(
    'merges a lead of another program into the one that has its phone among its names',
    async () => {
      const ana = await person('+14155550100', 'A1', 0);
      await insertIdentity(store, ana.leadId, 'phone', `+${BRU}`);
      await person(`+${BRU}`, 'A2', 50, { identities: false });
      const result = await run(store);
      expect(result.classes[0]?.samples[0]?.evidence).toEqual([`both have the number +${BRU}`]);
      expect(await leads()).toHaveLength(1);
    },
  );

  backend.once('does not hide a person whose older lead was deleted once', async () => {
    await person(BRAZIL.canonical, 'A1', 0, { is_active: false, deleted_at: moment(10) });
    await person(BRAZIL.old, 'A2', 50, { identities: false });
    await run(store);
    expect(await leads()).toMatchObject([{ active: true }]);
  });

  it('leaves one open ticket: the earlier opening, the newer last message, and what people did with it', async () => {
    const first = await person(BRAZIL.canonical, 'A1', 0);
    const second = await person(BRAZIL.old, 'A2', 50, { identities: false });
    await insertTicket(store, first, wamid('A1'), 0);
    await insertTicket(store, second, wamid('A2'), 50, { stage: 'won' });
    await insertTicket(store, second, null, -500, {
      status: 'closed',
      closed_at: moment(-400),
      source: 'manual',
    });
    await run(store);
    const tickets = await store.sql.query(
      `select status, stage, opened_by_external_id as opener, last_inbound_at as last, conversation_id as thread
       from tickets order by opened_at`,
    );
    expect(tickets).toEqual([
      {
        status: 'closed',
        stage: 'new',
        opener: null,
        last: new Date(moment(-500)),
        thread: first.conversationId,
      },
      {
        status: 'open',
        stage: 'won',
        opener: wamid('A1'),
        last: new Date(moment(50)),
        thread: first.conversationId,
      },
    ]);
  });

  backend.once(
    'lets conversations on other connections follow, and joins several leads at once',
    async () => {
      const other = await damagedConnection(store, {
        name: 'other',
        phoneNumberId: '800000000000002',
        number: '+5511900000099',
      });
      const first = await person(BRAZIL.canonical, 'A1', 0);
      const second = await person(BRAZIL.old, 'A2', 50, { identities: false });
      await insertMessage(store, await insertConversation(store, other, second.leadId), 'O1', 60);
      const third = await insertLead(store, {
        phone_number: null,
        push_name: 'C',
        first_seen_at: moment(80),
      });
      await insertIdentity(store, third, 'wa_id', '551187654321');
      await insertMessage(store, await insertConversation(store, other, third), 'O2', 90);
      const before = await dumpDatabase(store);
      const result = await run(store);
      expect(countsOf(result, 'lead')).toEqual({ groups: 1, rows: 2 });
      const threads = await store.sql.query(
        `select c.connection_id = $1::uuid as is_other, c.lead_id as lead, count(*)::int as messages
       from conversations c join messages m on m.conversation_id = c.id group by 1, 2 order by 1`,
        [other],
      );
      expect(threads).toEqual([
        { is_other: false, lead: first.leadId, messages: 2 },
        { is_other: true, lead: first.leadId, messages: 2 },
      ]);
      expect(await putBack(store, result)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    },
  );

  it.each([1, 3, 1000])(
    'merges many groups in batches of %d rows, all under one run that can be undone',
    async (batchSize) => {
      for (let n = 0; n < 6; n += 1) {
        const one = await person(`+55119876543${20 + n}`, `A${n}`, n * 10);
        const two = await person(`+5511876543${20 + n}`, `B${n}`, n * 10 + 5, { identities: false });
        await insertTicket(store, one, wamid(`A${n}`), n * 10);
        await insertTicket(store, two, wamid(`B${n}`), n * 10 + 5);
      }
      const before = await dumpDatabase(store);
      const result = await run(store, { batchSize });
      expect(countsOf(result, 'lead')).toEqual({ groups: 6, rows: 6 });
      expect(await leads()).toHaveLength(6);
      expect(await store.sql.query(`select count(*)::int as n from tickets`)).toEqual([{ n: 6 }]);
      expect(await putBack(store, result)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    },
  );

  it('looks only at people of one connection when told so', async () => {
    await damagedConnection(store, {
      name: 'other',
      phoneNumberId: '800000000000002',
      number: '+5511900000099',
    });
    await person(BRAZIL.canonical, 'A1', 0);
    await person(BRAZIL.old, 'A2', 50, { identities: false });
    expect(countsOf(await run(store, { connection: 'other', apply: false }), 'lead')).toEqual({
      groups: 0,
      rows: 0,
    });
    expect(countsOf(await run(store, { connection: 'loja', apply: false }), 'lead')).toEqual({
      groups: 1,
      rows: 1,
    });
  });

  backend.once('never joins two organizations', async () => {
    await store.sql.execute(
      `insert into organizations (id, slug, name) values ('00000000-0000-7000-8000-000000000002', 'acme', 'Acme')`,
    );
    await person(BRAZIL.canonical, 'A1', 0);
    await insertLead(store, {
      phone_number: BRAZIL.canonical,
      identities: false,
      organization_id: '00000000-0000-7000-8000-000000000002',
    });
    expect(countsOf(await run(store, { apply: false }), 'lead')).toEqual({ groups: 0, rows: 0 });
  });

  describe('by the raw log', () => {
    it('I3: merges a lead known by a LID into the one whose phone an entry gives with it', async () => {
      await replayBodies(store, [
        live('A1', 0),
        webhook('messages', {
          contacts: [{ profile: { name: 'Ana' }, wa_id: ANA, user_id: ANA_BSUID }],
          messages: [item('A2', 10, { from_user_id: ANA_BSUID })],
        }),
      ]);
      // Another program did not read the second name, and made a lead of it.
      await store.sql.execute(`delete from lead_identities where kind = 'bsuid'`);
      const double = await insertLead(store, {
        phone_number: null,
        push_name: 'B',
        first_seen_at: moment(100),
      });
      await insertIdentity(store, double, 'bsuid', ANA_BSUID);
      await insertMessage(store, await insertConversation(store, connectionId, double), 'B1', 100);
      const before = await dumpDatabase(store);
      const result = await run(store);
      expect(countsOf(result, 'lead')).toEqual({ groups: 1, rows: 1 });
      expect(result.classes[0]?.samples[0]?.evidence.join()).toContain(ANA_BSUID);
      expect(await leads()).toMatchObject([{ phone: `+${ANA}` }]);
      expect(await store.sql.query(`select kind from lead_identities order by kind`)).toEqual([
        { kind: 'bsuid' },
        { kind: 'phone' },
      ]);
      expect(await putBack(store, result)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    });

    backend.once(
      'takes the word of an entry that nobody has replayed, in whatever spelling the phone is stored',
      async () => {
        const lid = await insertLead(store, { phone_number: null, push_name: 'L', first_seen_at: moment(0) });
        await insertIdentity(store, lid, 'lid', ANA_LID);
        await insertMessage(store, await insertConversation(store, connectionId, lid), 'L1', 0);
        const phone = await person('+551187654321', 'P1', 10, { identities: false });
        const body = {
          event: 'contacts.update',
          sessionId: 'loja',
          data: [{ id: ANA_LID, lid: ANA_LID, phoneNumber: '551187654321@s.whatsapp.net' }],
        };
        await store.sql.execute(
          `insert into webhook_log (id, sha256, provider, raw_body, chat_ids, status)
         values ($1::uuid, sha256(convert_to($2, 'UTF8')), 'baileys', convert_to($2, 'UTF8'), $3::text[], 'pending')`,
          [randomUUID(), JSON.stringify(body), `{"${ANA_LID}","+5511987654321"}`],
        );
        const result = await run(store);
        expect(countsOf(result, 'lead')).toEqual({ groups: 1, rows: 1 });
        expect(result.classes[0]?.samples[0]).toMatchObject({ survivor: lid, goes: [phone.leadId] });
        expect(await leads()).toMatchObject([{ id: lid, phone: '+5511987654321' }]);
      },
    );

    backend.once(
      'M9: makes a collision between leads that are one due again, and replay takes it up',
      async () => {
        await replayBodies(store, [live('A1', 0)]);
        const [log] = await store.sql.query(`select id from webhook_log`);
        const double = await person(null, 'B1', 100);
        await insertIdentity(store, double.leadId, 'wa_id', ANA);
        await store.sql.execute(
          `insert into rejects (id, run_id, webhook_log_id, connection_id, path, subject, reason, external_id, excerpt)
         values ($1::uuid, $1::uuid, $2::uuid, $3::uuid, '$', 'message', 'id_collision', $4, '')`,
          [randomUUID(), String(log?.id), connectionId, wamid('A1')],
        );
        const before = await dumpDatabase(store);
        const result = await run(store);
        expect(result).toMatchObject({ requeued: 1, status: 'partial' });
        expect(await store.sql.query(`select status, error from webhook_log`)).toEqual([
          { status: 'pending', error: 'requeued' },
        ]);
        expect(await putBack(store, result)).toEqual([]);
        expect(await dumpDatabase(store)).toEqual(before);
        await run(store);
        expect(await replayLog(store, { which: 'pending' })).toMatchObject({ status: 'completed' });
        expect(await store.sql.query(`select count(*)::int as n from rejects`)).toEqual([{ n: 0 }]);
      },
    );
  });
});

describeOnServer('dedupe of conversations', (backend) => {
  async function damaged(work: (store: Store, ana: Thread) => Promise<void>): Promise<void> {
    const store = await backend.open(dropUniqueIndexes);
    try {
      const connectionId = await damagedConnection(store);
      // The earlier conversation survives; two rows of one millisecond would be told apart by their random ids.
      const earlier = { created_at: moment(0) };
      await work(store, await insertConversation(store, connectionId, await insertLead(store), earlier));
    } finally {
      await store.close();
    }
  }

  it('merges two conversations of one lead on one connection, and then their messages', () =>
    damaged(async (store, ana) => {
      const second = await insertConversation(store, ana.connectionId, ana.leadId);
      await insertMessage(store, ana, 'A1', 0);
      await insertMessage(store, second, 'A2', 50);
      // One message in both: two copies of one id, and the two ids of one message.
      await insertMessage(store, second, 'A1', 0);
      await insertMessage(store, second, 'A1', 1, {
        external_id: 'A1',
        source: 'history',
        direction: 'INBOUND',
      });
      await insertTicket(store, ana, wamid('A1'), 0);
      await insertTicket(store, second, wamid('A2'), 50);
      const before = await dumpDatabase(store);
      const planned = await run(store, { apply: false });
      expect(await dumpDatabase(store)).toEqual(before);
      expect(countsOf(planned, 'conversation')).toEqual({ groups: 1, rows: 1 });
      expect(countsOf(planned, 'same_id')).toEqual({ groups: 1, rows: 1 });
      expect(countsOf(planned, 'same_message')).toEqual({ groups: 1, rows: 1 });
      const result = await run(store);
      expect(countsOf(result, 'conversation')).toEqual({ groups: 1, rows: 1 });
      expect(await store.sql.query(`select id, last_message_at as last from conversations`)).toEqual([
        { id: ana.conversationId, last: new Date(moment(50)) },
      ]);
      expect(await store.sql.query(`select external_id as id from messages order by timestamp`)).toEqual([
        { id: wamid('A1') },
        { id: wamid('A2') },
      ]);
      expect(
        await store.sql.query(`select opened_by_external_id as opener, last_inbound_at as last from tickets`),
      ).toEqual([{ opener: wamid('A1'), last: new Date(moment(50)) }]);
      expect(await putBack(store, result)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    }));

  it('makes one of the conversations of two leads that each have two', () =>
    damaged(async (store, ana) => {
      const double = await insertLead(store, {
        phone_number: `+${ANA}`,
        identities: false,
        first_seen_at: moment(10),
      });
      const threads = [
        ana,
        await insertConversation(store, ana.connectionId, ana.leadId),
        await insertConversation(store, ana.connectionId, double),
        await insertConversation(store, ana.connectionId, double),
      ];
      for (const [n, thread] of threads.entries()) {
        await insertMessage(store, thread, `M${n}`, n);
        await insertTicket(store, thread, wamid(`M${n}`), n);
      }
      const before = await dumpDatabase(store);
      const planned = await run(store, { apply: false });
      const result = await run(store);
      for (const each of [planned, result]) {
        expect(countsOf(each, 'lead')).toEqual({ groups: 1, rows: 1 });
        expect(countsOf(each, 'conversation')).toEqual({ groups: 1, rows: 1 });
      }
      expect(await store.sql.query(`select id from conversations`)).toEqual([{ id: ana.conversationId }]);
      expect(
        await store.sql.query(`select conversation_id as id, count(*)::int as n from messages group by 1`),
      ).toEqual([{ id: ana.conversationId, n: 4 }]);
      expect(await store.sql.query(`select opened_by_external_id as opener from tickets`)).toEqual([
        { opener: wamid('M0') },
      ]);
      expect(await putBack(store, result)).toEqual([]);
      expect(await dumpDatabase(store)).toEqual(before);
    }));
});
