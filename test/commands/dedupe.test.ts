import { beforeEach, expect, it } from 'vitest';
import { dedupe } from '../../src/commands/dedupe/dedupe.js';
import {
  DUPLICATE_CLASSES,
  type DedupeOptions,
  type DedupeResult,
  type DuplicateClass,
} from '../../src/commands/dedupe/result.js';
import type { JsonValue } from '../../src/model/json.js';
import type { SqlRow } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import {
  copyMessage,
  copyWithoutId,
  damagedConnection,
  dropUniqueIndexes,
  dumpDatabase,
  fillThread,
  insertConversation,
  insertLead,
  insertLookAlikes,
  insertMessage,
  insertRow,
  insertTicket,
  insertTwins,
  moment,
  type Thread,
} from '../support/damage.js';
import { describeOnBackends } from '../support/databases.js';
import { testContext } from '../support/replaying.js';
import { BRU, SECOND, wamid } from '../support/webhooks.js';

const OF_MESSAGES: ReadonlySet<DuplicateClass> = new Set(['same_id', 'same_message', 'no_id']);

describeOnBackends('dedupe', (backend) => {
  let store: Store;
  let connection: string;
  let ana: Thread;
  let bru: Thread;

  beforeEach(async () => {
    store = await backend.open(dropUniqueIndexes);
    connection = await damagedConnection(store);
    ana = await insertConversation(store, connection, await insertLead(store));
    bru = await insertConversation(store, connection, await insertLead(store, { phone_number: `+${BRU}` }));
    return () => store.close();
  });

  function run(options: Partial<DedupeOptions> = {}, signal?: AbortSignal): Promise<DedupeResult> {
    return dedupe(testContext(store, signal === undefined ? {} : { signal }), {
      classes: new Set(DUPLICATE_CLASSES),
      apply: true,
      batchSize: 1000,
      force: true,
      recordedOptions: {},
      ...options,
    });
  }
  const query = (text: string, parameters: string[] = []): Promise<SqlRow[]> =>
    store.sql.query(text, parameters);
  const message = async (id: string): Promise<SqlRow | undefined> =>
    (await query('select * from messages where id = $1::uuid', [id]))[0];
  const insertReaction = (target: string, reactor: string, emoji: string): Promise<void> =>
    insertRow(store, 'message_reactions', {
      connection_id: connection,
      target_external_id: target,
      reactor,
      emoji,
      at: moment(50),
      created_at: moment(50),
    });
  const insertPending = (target: string, kind: string, at: number, payload: JsonValue): Promise<void> =>
    insertRow(store, 'pending_facts', {
      connection_id: connection,
      target_external_id: target,
      kind,
      fact_key: `${kind} ${at}`,
      at: moment(at),
      payload,
      created_at: moment(at),
    });

  backend.once(
    'merges duplicates of every class, leaves look-alikes alone, and has nothing to do the second time',
    async () => {
      const lookAlikes = await insertLookAlikes(store, ana, bru);
      const first = await insertMessage(store, ana, 'A', 0);
      await copyMessage(store, first, { status: 'read' });
      const twins = await insertTwins(store, ana, 'B', 10);
      const third = await insertMessage(store, ana, 'C', 20);
      await copyWithoutId(store, third, ' ');

      const before = await dumpDatabase(store, ['change_journal']);
      const plan = await run({ apply: false });
      expect(await dumpDatabase(store, ['change_journal'])).toEqual(before);
      expect(plan).toMatchObject({ runId: null, applied: false, status: 'completed', changed: 0 });
      expect(figuresOf(plan)).toEqual({ same_id: [1, 1], same_message: [1, 1], no_id: [1, 1] });
      expect(plan.connections).toEqual([{ name: 'loja', messages: 18, doubled: 3, share: 3 / 18 }]);
      expect(plan.collisions.samples.map(({ why }) => why).sort()).toEqual([
        'other_content',
        'other_conversation',
      ]);
      expect(plan.withoutId).toMatchObject({ found: 2, samples: [{ why: 'no_twin' }, { why: 'no_twin' }] });

      const applied = await run();
      expect(figuresOf(applied)).toEqual(figuresOf(plan));
      expect(applied).toMatchObject({
        applied: true,
        status: 'completed',
        collisions: { found: 2 },
        withoutId: { found: 2 },
      });
      const rows = await query('select id::text as id from messages');
      expect(rows.map(({ id }) => id)).toEqual(expect.arrayContaining([...lookAlikes, twins.wamid, third]));
      expect(rows).toHaveLength(lookAlikes.length + 3);
      expect(await query('select status from messages where external_id = $1', [wamid('A')])).toEqual([
        { status: 'read' },
      ]);

      const settled = await dumpDatabase(store);
      expect(figuresOf(await run())).toEqual({});
      expect(await dumpDatabase(store)).toEqual(settled);
    },
  );

  backend.once(
    'shows for each class which row is kept, which are deleted and what proves it, without message text',
    async () => {
      await copyMessage(store, await insertMessage(store, ana, 'SECRET', 0), { ...SILENT });
      await insertTwins(store, ana, 'PAIR', 10, { cloud: { body: 'SECRET' }, web: { body: 'SECRET' } });
      const { classes } = await run({ apply: false });
      const evidence = classes.flatMap(({ samples }) => samples.map((sample) => sample.evidence));
      expect(evidence).toEqual([
        [`both have the id ${wamid('SECRET')}`, 'one is a placeholder (unsupported)'],
        [`PAIR is the id inside ${wamid('PAIR')}`, 'same conversation and direction', 'times 1 s apart'],
      ]);
    },
  );

  it('M2: keeps the best row, and loses nothing that only another one knew', async () => {
    const thin = await insertMessage(store, ana, 'A', 0, { ...SILENT, batch_id: BATCH });
    const full = await copyMessage(store, thin, {
      type: 'image',
      body: 'legenda',
      media: { id: '77', url: 'https://crm.example/77' },
      raw_meta: { agent: 'Bia' },
      status: 'delivered',
      evidence: 0,
      batch_id: null,
      stanza_id: null,
    });
    await copyMessage(store, full, { media: { mimeType: 'image/jpeg', size: 12 }, status: 'read' });
    expect(figuresOf(await run())).toEqual({ same_id: [1, 2] });
    const [row] = await query('select * from messages');
    expect(row).toMatchObject({
      id: full,
      type: 'image',
      body: 'legenda',
      media: { id: '77', mimeType: 'image/jpeg', url: 'https://crm.example/77', size: 12 },
      raw_meta: { agent: 'Bia' },
      status: 'read',
      stanza_id: 'A',
      batch_id: BATCH,
    });
  });

  it('M5: keeps what was said before an edit and a revoke, of whichever row it hung on', async () => {
    const edited = await insertMessage(store, ana, 'A', 0, {
      body: 'novo',
      edited_at: moment(60),
      edit_external_id: 'wamid.edit',
    });
    await insertRevision(edited, 'original', 'velho');
    const better = await copyMessage(store, edited, {
      body: 'velho',
      edited_at: null,
      edit_external_id: null,
      raw_meta: { more: true },
      evidence: 5 | (15 << 4) | (15 << 8) | (15 << 20),
    });
    await run();
    expect(await message(better)).toMatchObject({ body: 'novo', edit_external_id: 'wamid.edit' });
    expect(await query('select message_id, version, body from message_revisions')).toEqual([
      { message_id: better, version: 'original', body: 'velho' },
    ]);
  });

  it('M5: keeps the time of an edit of which no program wrote down more', async () => {
    const first = await insertMessage(store, ana, 'A', 0, { edited_at: moment(60) });
    await copyMessage(store, first, { evidence: 0, edited_at: moment(90) });
    const second = await insertMessage(store, ana, 'B', 10);
    await copyMessage(store, second, { evidence: 0, edited_at: moment(70) });
    expect(figuresOf(await run())).toEqual({ same_id: [2, 2] });
    expect(await query('select edited_at, edit_external_id from messages order by timestamp')).toEqual([
      { edited_at: new Date(moment(90)), edit_external_id: null },
      { edited_at: new Date(moment(70)), edit_external_id: null },
    ]);
  });

  backend.once(
    'tells contact cards apart that say all they say in raw_meta, and brings a copy to its own',
    async () => {
      const card = (name: string): Record<string, unknown> => ({
        type: 'contacts',
        body: null,
        evidence: 0,
        raw_meta: { contacts: [{ name }] },
      });
      for (const name of ['Rui', 'Lia']) await insertMessage(store, ana, 'ONE', 0, card(name));
      const rui = await insertMessage(store, ana, 'A', 100, card('Rui'));
      const lia = await insertMessage(store, ana, 'B', 101, card('Lia'));
      await copyWithoutId(store, lia, null, {
        timestamp: moment(100),
        raw_meta: { contacts: [{ name: 'Lia' }], agent: 'Bia' },
      });
      await copyWithoutId(store, rui, '', { raw_meta: { contacts: [{ name: 'Eva' }] } });
      const plan = await run({ apply: false });
      const applied = await run();
      for (const result of [plan, applied]) {
        expect(figuresOf(result)).toEqual({ no_id: [1, 1] });
        expect(result).toMatchObject({ collisions: { found: 1 }, withoutId: { found: 1 } });
      }
      expect((await message(lia))?.['raw_meta']).toEqual({ contacts: [{ name: 'Lia' }], agent: 'Bia' });
      expect((await message(rui))?.['raw_meta']).toEqual({ contacts: [{ name: 'Rui' }] });
      expect(await query('select from messages')).toHaveLength(5);
    },
  );

  it('M10: moves to the wamid what named the key id: reactions, replies, the ticket', async () => {
    const web = await insertMessage(store, ana, 'A', 1, { external_id: 'A' });
    const reply = await insertMessage(store, ana, 'B', 60, { context_external_id: 'A' });
    const stranger = await insertMessage(store, bru, 'C', 60, { context_external_id: 'A' });
    const ticket = await insertTicket(store, ana, 'A', 1, { last_inbound_at: moment(60) });
    await insertReaction('A', 'customer', '👍');
    await insertReaction('A', 'business', '🙏');
    await insertMessage(store, ana, 'A', 0, { ...SILENT });
    await insertReaction(wamid('A'), 'business', '👀');

    expect(figuresOf(await run())).toEqual({ same_message: [1, 1] });
    expect(await message(web)).toMatchObject({ external_id: wamid('A'), body: 'A' });
    expect(await message(reply)).toMatchObject({ context_external_id: wamid('A') });
    expect(await message(stranger)).toMatchObject({ context_external_id: 'A' });
    expect(await query('select opened_by_external_id from tickets where id = $1::uuid', [ticket])).toEqual([
      { opened_by_external_id: wamid('A') },
    ]);
    // Of two reactions of one person at one moment, the larger counts, as everywhere.
    expect(
      await query(
        'select target_external_id as target, reactor, emoji from message_reactions order by reactor',
      ),
    ).toEqual([
      { target: wamid('A'), reactor: 'business', emoji: '🙏' },
      { target: wamid('A'), reactor: 'customer', emoji: '👍' },
    ]);
  });

  backend.once('applies what waited for a message that was there under another row', async () => {
    await insertTwins(store, ana, 'A', 0);
    await insertPending('A', 'status', 90, { status: 'read' });
    await insertPending(wamid('A'), 'reaction', 91, { reactor: 'customer', emoji: '🎉' });
    await insertPending(wamid('ELSE'), 'status', 92, { status: 'read' });
    await run();
    expect(await query('select status from messages')).toEqual([{ status: 'read' }]);
    expect(await query('select target_external_id as target, emoji from message_reactions')).toEqual([
      { target: wamid('A'), emoji: '🎉' },
    ]);
    expect(await query('select target_external_id as target from pending_facts')).toEqual([
      { target: wamid('ELSE') },
    ]);
  });

  backend.once('finds twins of which no program wrote down the id inside the wamid', async () => {
    await insertTwins(store, ana, 'A', 0, { cloud: { stanza_id: null }, web: { stanza_id: null } });
    // Not base64, or not a message's id: neither may fail the look for those that are.
    await insertMessage(store, ana, 'B', 50, { external_id: 'wamid.HBg§$%', stanza_id: null });
    await insertMessage(store, ana, 'C', 60, { external_id: 'wamid.HBgNN', stanza_id: null });
    await insertMessage(store, ana, 'D', 70, { external_id: 'wamid.HBg=', stanza_id: null });
    expect(figuresOf(await run())).toEqual({ same_message: [1, 1] });
    expect(await query('select stanza_id from messages where external_id = $1', [wamid('A')])).toEqual([
      { stanza_id: 'A' },
    ]);
  });

  backend.once('brings every copy without an id to the nearest message that says the same', async () => {
    const [early, late] = [
      await insertMessage(store, ana, 'OK1', 0, { body: 'ok', status: 'sent' }),
      await insertMessage(store, ana, 'OK2', 1.5, { body: 'ok', status: 'sent' }),
    ];
    await insertMessage(store, bru, 'OK3', 1, { body: 'ok', status: 'sent' });
    await copyWithoutId(store, late, '', { timestamp: moment(1), status: 'read' });
    for (const id of [null, '', ' '] as const) await copyWithoutId(store, early, id);
    expect(figuresOf(await run())).toEqual({ no_id: [2, 4] });
    expect((await message(late))?.['status']).toBe('read');
    expect((await message(early))?.['status']).toBe('sent');
    expect(await query('select from messages')).toHaveLength(3);
  });

  it('moves the ends of a conversation, its lead and its ticket with the message', async () => {
    await insertMessage(store, ana, 'B', 500);
    // Another program wrote when it stored the message, which is not when it was sent.
    const first = await insertMessage(store, ana, 'A', 100);
    await copyMessage(store, first, { timestamp: moment(10), evidence: 0, source: 'history' });
    const ticket = await insertTicket(store, ana, wamid('A'), 10, { last_inbound_at: moment(500) });
    await store.sql.execute(
      `update conversations set first_message_at = $2::timestamptz, first_message_source = 'history' where id = $1::uuid`,
      [ana.conversationId, moment(10)],
    );
    await run();
    expect(
      await query('select first_message_at, first_message_source from conversations where id = $1::uuid', [
        ana.conversationId,
      ]),
    ).toEqual([{ first_message_at: new Date(moment(100)), first_message_source: 'live' }]);
    expect(await query('select opened_at from tickets where id = $1::uuid', [ticket])).toEqual([
      { opened_at: new Date(moment(100)) },
    ]);
  });

  backend.once('plans messages as if the conversations before them had been joined', async () => {
    const second = await insertConversation(store, connection, ana.leadId);
    const one = await insertMessage(store, ana, 'A', 0);
    await copyMessage(store, one, { conversation_id: second.conversationId });
    await insertMessage(store, ana, 'B', 10);
    await insertMessage(store, second, 'B', 11, { external_id: 'B' });
    await insertMessage(store, second, 'C', 20, { external_id: null, stanza_id: null });
    await insertMessage(store, ana, 'C', 20);
    const expected = { conversation: [1, 1], same_id: [1, 1], same_message: [1, 1], no_id: [1, 1] };
    const plan = await run({ apply: false });
    expect(figuresOf(plan)).toEqual(expected);
    expect(plan.collisions.found).toBe(0);
    expect(figuresOf(await run())).toEqual(expected);
    const alone = await run({ apply: false, classes: OF_MESSAGES });
    expect(figuresOf(alone)).toEqual({});
  });

  backend.once(
    'refuses to remove more than 5 % of a connection unless told to, and has changed nothing',
    async () => {
      await copyMessage(store, await insertMessage(store, ana, 'A', 0));
      for (let i = 1; i <= 17; i += 1) await insertMessage(store, ana, `M${i}`, i * 10);
      const before = await dumpDatabase(store, []);
      await expect(run({ force: false })).rejects.toMatchObject({
        code: 'too_many_duplicates',
        exitCode: 2,
        message: "1 of 19 messages of 'loja' (5.3 %) would be deleted: more than 5 %. Nothing was changed.",
      });
      expect(await dumpDatabase(store, [])).toEqual(before);
      await insertMessage(store, ana, 'M18', 180);
      expect(figuresOf(await run({ force: false }))).toEqual({ same_id: [1, 1] });
    },
  );

  it('keeps to the connection and the classes that it is given', async () => {
    const other = await damagedConnection(store, { name: 'outra', phoneNumberId: SECOND.id });
    const there = await insertConversation(store, other, ana.leadId);
    await copyMessage(store, await insertMessage(store, there, 'A', 0));
    const here = await insertMessage(store, ana, 'A', 0);
    await copyMessage(store, here);
    await copyWithoutId(store, here);
    expect(figuresOf(await run({ classes: new Set(['no_id']) }))).toEqual({ no_id: [1, 1] });
    const result = await run({ connection: 'outra' });
    expect(figuresOf(result)).toEqual({ same_id: [1, 1] });
    expect(result.connections).toEqual([{ name: 'outra', messages: 2, doubled: 1, share: 0.5 }]);
    expect(await query('select from messages where connection_id = $1::uuid', [connection])).toHaveLength(2);
    await expect(run({ connection: 'keine' })).rejects.toMatchObject({ exitCode: 2 });
  });

  backend.once('records a run with its counters and verdict, and none for a plan', async () => {
    await copyMessage(store, await insertMessage(store, ana, 'A', 0));
    await run({ apply: false });
    expect(await query('select from sync_runs')).toHaveLength(0);
    const { runId } = await run({ recordedOptions: { apply: true } });
    expect(
      await query('select id::text as id, command, options, status, verdict, checkpoint from sync_runs'),
    ).toEqual([
      {
        id: runId,
        command: 'dedupe',
        options: { apply: true },
        status: 'completed',
        verdict: 'completed: 1 duplicate merged (1 same_id)',
        checkpoint: null,
      },
    ]);
    expect(await query('select sync_type, status, counters from sync_logs')).toEqual([
      { sync_type: 'batch', status: 'completed', counters: { merged: 1 } },
    ]);
  });

  backend.once('stops after its batch when asked to, and the next run goes on to the same end', async () => {
    await fillThread(store, ana, 300);
    const stop = new AbortController();
    const stopped = await dedupe(
      testContext(store, {
        signal: stop.signal,
        onEvent: (event) => {
          if (event.event === 'progress' && event.messages >= 5) stop.abort();
        },
      }),
      {
        classes: new Set(DUPLICATE_CLASSES),
        apply: true,
        batchSize: 4,
        force: true,
        recordedOptions: {},
      },
    );
    expect(stopped).toMatchObject({ status: 'interrupted', applied: true });
    expect(figuresOf(stopped)).toEqual({ same_id: [6, 6] });
    const [checkpoint] = await query('select checkpoint from sync_runs');
    expect(checkpoint?.['checkpoint']).toMatchObject({ version: 1 });

    // A run of another kind is not its continuation.
    expect((await run({ classes: new Set(['no_id']) })).resumedFrom).toBeUndefined();
    const next = await run({ batchSize: 7 });
    expect(next.resumedFrom).toEqual({ runId: stopped.runId });
    expect(figuresOf(next)).toEqual({ same_id: [24, 24] });
    expect(await query('select from messages')).toHaveLength(300);
    expect((await run()).resumedFrom).toBeUndefined();
  });

  backend.once('takes copies of one id by the hundred, in batches smaller than the group', async () => {
    const id = await insertMessage(store, ana, 'A', 0);
    await store.sql.execute(
      `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
       from messages m, generate_series(1, 250) where m.id = $1::uuid`,
      [id],
    );
    expect(figuresOf(await run({ batchSize: 10 }))).toEqual({ same_id: [1, 250] });
  });

  async function insertRevision(messageId: string, version: string, body: string): Promise<void> {
    await insertRow(store, 'message_revisions', {
      message_id: messageId,
      version,
      type: 'text',
      body,
      at: moment(0),
      created_at: moment(0),
    });
  }
});

const BATCH = '0199f2a4-0000-7000-8000-000000000001';
const SILENT = { type: 'unsupported', body: null, status: null, evidence: 3 | (6 << 4) };

/** Groups and rows of the classes that have any. */
function figuresOf({ classes }: DedupeResult): Record<string, [groups: number, rows: number]> {
  return Object.fromEntries(
    classes.filter(({ groups }) => groups > 0).map(({ class: name, groups, rows }) => [name, [groups, rows]]),
  );
}
