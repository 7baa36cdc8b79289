import { proto } from '@whiskeysockets/baileys';
import { expect, test, it } from 'vitest';
import type { ProgressEvent } from '../../src/context.js';
import { THROTTLE_MS } from '../../src/commands/import/types.js';
import type { Store } from '../../src/store/store.js';
import { faults, runCheck } from '../support/checking.js';
import { addConnection, type ConnectionFields } from '../support/connections.js';
import { describeOnServer } from '../support/databases.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { fakePhones, historyEvent, phoneWith } from '../support/history-pages.js';
import { importOf, linkDevice } from '../support/importing.js';
import { replayBodies, replayLog } from '../support/replaying.js';
import { select, tickets, transcript, value } from '../support/shown.js';
import { ANA, ANA_LID, BRU, echo, live, T0, wamid } from '../support/webhooks.js';

const ANA_PN = `${ANA}@s.whatsapp.net`;
const BRU_PN = `${BRU}@s.whatsapp.net`;
const NUMBER = { number: '+5511900000000', phoneNumberId: '800000000000001' };

/** Ana's chat on the phone: five old messages, and those that the webhooks told. */
const CHAT = [
  archived({ chat: ANA_PN, id: 'old1', at: T0 - 500 }),
  archived({ chat: ANA_PN, id: 'old2', at: T0 - 400, fromMe: true }),
  archived({ chat: ANA_PN, id: 'old3', at: T0 - 300 }),
  archived({ chat: ANA_PN, id: 'old4', at: T0 - 200, fromMe: true }),
  archived({ chat: ANA_PN, id: 'old5', at: T0 - 100 }),
  archived({ chat: ANA_PN, id: 'hello', at: T0 }),
  archived({ chat: ANA_PN, id: 'answer', at: T0 + 60, fromMe: true }),
];

/** The coexistence number of the webhooks with a linked device, and what Ana and the business wrote today. */
async function shop(store: Store, fields: ConnectionFields = {}): Promise<void> {
  await addConnection(store, { ...NUMBER, ...fields });
  await linkDevice(store);
  await replayBodies(store, [live('hello', 0), echo('answer', 60)], { register: false });
}

function syncLogs(store: Store): Promise<Record<string, unknown>[]> {
  return select(
    store,
    `select l.status, l.messages_imported as imported, l.counters->>'outcome' as outcome, l.error_message as error
     from sync_logs l where sync_type = 'manual_recovery' order by started_at, id`,
  );
}

describeOnServer('import: the phone', (backend) => {
  test('a contact of the Cloud API: goes back from the stanza id in the wamid, and opens no ticket', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    const result = await importOf(store, phones);
    expect(result).toMatchObject({
      outcome: 'end_of_history',
      status: 'completed',
      contact: { phone: `+${ANA}` },
      connection: { name: 'loja', kind: 'coexistence' },
      messages: { seen: 5, created: 5 },
      fetch: {
        // The others look whether the short answer is whole, and whether its end is one.
        requests: 3,
        pages: [{ address: ANA_PN, received: 5, messages: { created: 5 }, ofOthers: 0, endOfHistory: true }],
        anchor: { id: 'hello', fromMe: false, address: ANA_PN, timestamp: new Date(T0 * 1000).toISOString() },
      },
      oldestMessageAt: new Date((T0 - 500) * 1000).toISOString(),
    });
    expect(phones.requests).toMatchObject([
      { chatJid: ANA_PN, count: 50, timeoutMs: 1000 },
      { chatJid: ANA_PN, count: 1, anchor: { id: 'hello' } },
      { chatJid: ANA_PN, count: 1, anchor: { id: 'old1' } },
    ]);
    expect(await transcript(store)).toEqual([
      '> old1',
      '< old2',
      '> old3',
      '< old4',
      '> old5',
      '> hello',
      '< answer',
    ]);
    expect(
      await select(
        store,
        `select distinct sync_source, source, is_sync_initial from messages where body like 'old%'`,
      ),
    ).toEqual([{ sync_source: 'manual_sync', source: 'history', is_sync_initial: false }]);
    // The one that the live message opened; by rule T4 its lead is now one that came with history.
    expect(await tickets(store)).toMatchObject([{ opened: 0, status: 'open' }]);
    expect(await syncLogs(store)).toEqual([
      { status: 'completed', imported: 5, outcome: 'end_of_history', error: null },
    ]);
    expect(
      await select(store, `select command, status, verdict from sync_runs where command = 'import'`),
    ).toEqual([
      {
        command: 'import',
        status: 'completed',
        verdict: expect.stringContaining('end_of_history: 5') as unknown,
      },
    ]);
  });

  it('page by page, from the oldest of the one before, until --pages', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    const result = await importOf(store, phones, { pages: 2, count: 2 });
    expect(result).toMatchObject({ outcome: 'fetched', messages: { created: 4 } });
    expect(phones.requests.map(({ anchor }) => anchor.id)).toEqual(['hello', 'hello', 'old5']);
    expect(phones.opened).toBe(1);
  });

  it('goes on where the last import stopped, and says when there is nothing older', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    await importOf(store, phones, { count: 3 });
    const result = await importOf(store, phones, { count: 3, force: true });
    expect(result).toMatchObject({ outcome: 'end_of_history', messages: { created: 2 } });
    expect(phones.requests.map(({ anchor, count }) => [anchor.id, count])).toEqual([
      ['hello', 3],
      ['hello', 1],
      ['old3', 3],
      ['old3', 1],
      ['old1', 1],
    ]);
  });

  test('stops at --until, and asks nobody when that is stored already', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    const until = (T0 - 250) * 1000;
    const result = await importOf(store, phones, { pages: 9, count: 1, until });
    expect(result).toMatchObject({ outcome: 'fetched', messages: { created: 3 } });
    expect(await importOf(store, phones, { until, force: true })).toMatchObject({
      outcome: 'cache',
      fetch: { requests: 0 },
    });
  });

  test('M10: what overlaps with the rows of the Cloud API joins them', async () => {
    const store = await backend.open();
    await shop(store);
    const messages = [...CHAT.slice(3), archived({ chat: ANA_PN, id: 'later', at: T0 + 90 })];
    const phones = fakePhones(() => ({ conversations: [conversation(ANA_PN, messages)] }));
    const result = await importOf(store, phones);
    expect(result.messages).toMatchObject({ seen: 5, created: 3 });
    expect(await select(store, `select external_id, stanza_id from messages where body = 'hello'`)).toEqual([
      { external_id: wamid('hello'), stanza_id: 'hello' },
    ]);
    expect(await transcript(store)).toEqual(['< old4', '> old5', '> hello', '< answer', '> later']);
  });

  it('asks once more under the other address after silence, and remembers which one answered', async () => {
    const store = await backend.open();
    await shop(store);
    await replayBodies(
      store,
      [await historyEvent({ conversations: [], mappings: [{ pn: ANA_PN, lid: ANA_LID }] })].map(text),
      {
        register: false,
        connection: 'loja',
      },
    );
    const byLid = CHAT.map((message) => ({ ...message, key: { ...message.key, remoteJid: ANA_LID } }));
    const phones = fakePhones(phoneWith({ id: ANA_LID, messages: byLid }));
    const result = await importOf(store, phones, { count: 3 });
    expect(result).toMatchObject({ outcome: 'fetched', fetch: { requests: 3 }, messages: { created: 3 } });
    expect(phones.requests.map(({ chatJid, otherJid }) => [chatJid, otherJid])).toEqual([
      [ANA_PN, ANA_LID],
      [ANA_LID, ANA_PN],
      [ANA_LID, ANA_PN],
    ]);
    await importOf(store, phones, { force: true });
    expect(phones.requests.at(3)?.chatJid).toBe(ANA_LID);
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);
  });

  it('an answer under the other address is the contact’s, whose number only the mapping tells', async () => {
    const store = await backend.open();
    await shop(store);
    const byLid = CHAT.slice(0, 5).map((message) => ({
      ...message,
      key: { ...message.key, remoteJid: ANA_LID },
    }));
    const phones = fakePhones(() => ({
      conversations: [conversation(ANA_LID, byLid)],
      mappings: [{ pn: ANA_PN, lid: ANA_LID }],
    }));
    expect(await importOf(store, phones)).toMatchObject({ outcome: 'fetched', messages: { created: 5 } });
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);
    expect(await value(store, `select count(*)::int from lead_identities where value = '${ANA_LID}'`)).toBe(
      1,
    );
  });

  test('takes what the owner has edited and revoked, in an answer beside a stranger’s messages', async () => {
    const store = await backend.open();
    await shop(store);
    const { Type } = proto.Message.ProtocolMessage;
    const key = (id: string): proto.IMessageKey => ({ remoteJid: ANA_PN, id, fromMe: true });
    const edited = {
      protocolMessage: {
        type: Type.MESSAGE_EDIT,
        key: key('old2'),
        editedMessage: { conversation: 'set right' },
        timestampMs: (T0 - 390) * 1000,
      },
    };
    const own = [
      archived({ chat: ANA_PN, id: 'edit', at: T0 - 390, fromMe: true, content: edited }),
      archived({
        chat: ANA_PN,
        id: 'revoke',
        at: T0 - 190,
        fromMe: true,
        content: { protocolMessage: { type: Type.REVOKE, key: key('old4') } },
      }),
    ];
    // Of another chat: nothing of it may touch Ana's.
    const theirs = archived({
      chat: BRU_PN,
      id: 'b2',
      at: T0 - 40,
      content: {
        protocolMessage: { type: Type.REVOKE, key: { remoteJid: BRU_PN, id: 'old1', fromMe: false } },
      },
    });
    const stranger = [archived({ chat: BRU_PN, id: 'b1', at: T0 - 50 }), theirs];
    const phones = fakePhones(() => ({
      conversations: [conversation(ANA_PN, [...CHAT.slice(0, 5), ...own]), conversation(BRU_PN, stranger)],
    }));
    const result = await importOf(store, phones);
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: { created: 5, rejected: {} },
      problemCount: 0,
    });
    expect(result.remedies).toContainEqual(expect.objectContaining({ command: 'replay', args: [] }));
    const rows = await select(
      store,
      `select external_id, body, edited_at is not null as edited, deleted_at is not null as deleted,
         (select count(*)::int from message_revisions r where r.message_id = m.id) as revisions
       from messages m where external_id in ('old1', 'old2', 'old4') order by 1`,
    );
    expect(rows).toEqual([
      { external_id: 'old1', body: 'old1', edited: false, deleted: false, revisions: 0 },
      { external_id: 'old2', body: 'set right', edited: true, deleted: false, revisions: 1 },
      expect.objectContaining({ external_id: 'old4', deleted: true, revisions: 1 }),
    ]);
    await replayLog(store, { which: 'pending' });
    expect(await value(store, `select count(*)::int from webhook_log where status <> 'processed'`)).toBe(0);
    expect(await value(store, `select count(*)::int from messages where external_id = 'b1'`)).toBe(1);
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
  });

  test('leaves out other chats, groups, status and newsletters, counts them, and loses nothing', async () => {
    const store = await backend.open();
    await shop(store);
    const group = '120363000000000000@g.us';
    const noise = [
      [group, [archived({ chat: group, id: 'g1', at: T0 - 50, participant: BRU_PN })]],
      [
        'status@broadcast',
        [archived({ chat: 'status@broadcast', id: 's1', at: T0 - 50, participant: BRU_PN })],
      ],
      [
        '120363000000000001@newsletter',
        [archived({ chat: '120363000000000001@newsletter', id: 'n1', at: T0 - 50 })],
      ],
      [BRU_PN, [archived({ chat: BRU_PN, id: 'b1', at: T0 - 50 })]],
    ] as const;
    const phones = fakePhones(() => ({
      conversations: [
        conversation(ANA_PN, CHAT.slice(0, 5)),
        ...noise.map(([id, messages]) => conversation(id, messages)),
      ],
    }));
    const result = await importOf(store, phones);
    expect(result).toMatchObject({
      outcome: 'fetched',
      status: 'completed',
      messages: {
        seen: 9,
        created: 5,
        skipped: { group: 1, status_broadcast: 1, newsletter: 1, other_contact: 1 },
      },
    });
    expect(await value(store, 'select count(*)::int from leads')).toBe(1);
    expect(
      await select(store, `select status, error from webhook_log where fields = '{messaging-history.set}'`),
    ).toEqual([{ status: 'pending', error: 'other_contact' }]);
    // What was left out is due, and comes in with the next replay.
    await replayLog(store, { which: 'pending' });
    expect(await transcript(store)).toContain('> b1');
    expect(await value(store, 'select count(*)::int from messages')).toBe(8);
    expect(await value(store, `select count(*)::int from webhook_log where status <> 'processed'`)).toBe(0);
    expect(await value(store, `select count(*)::int from messages where sync_source = 'manual_sync'`)).toBe(
      6,
    );
    expect(faults(await runCheck(store, 'raw_log'))).toEqual([]);
  });

  it('keeps a LID without a number: a lead without phone', async () => {
    const store = await backend.open();
    await addConnection(store, { kind: 'baileys', number: NUMBER.number });
    await linkDevice(store);
    const chat = CHAT.map((message) => ({ ...message, key: { ...message.key, remoteJid: ANA_LID } }));
    const newest = await historyEvent({ conversations: [conversation(ANA_LID, chat.slice(5))] });
    await replayBodies(store, [text(newest)], { register: false, connection: 'loja' });
    const phones = fakePhones(phoneWith({ id: ANA_LID, messages: chat }));
    const result = await importOf(store, phones, { contact: ANA_LID });
    expect(result).toMatchObject({
      outcome: 'end_of_history',
      contact: { phone: null },
      messages: { created: 5 },
    });
    expect(phones.requests.map(({ chatJid, otherJid }) => [chatJid, otherJid])).toEqual([
      [ANA_LID, undefined],
      [ANA_LID, undefined],
      [ANA_LID, undefined],
    ]);
  });
});

describeOnServer('import: what can go wrong', (backend) => {
  test('silence is told as silence, and never as the end', async () => {
    const store = await backend.open();
    await shop(store);
    const result = await importOf(
      store,
      fakePhones(() => 'silence'),
    );
    expect(result).toMatchObject({ outcome: 'silent', status: 'failed', messages: { seen: 0 } });
    expect(await syncLogs(store)).toEqual([
      { status: 'failed', imported: 0, outcome: 'silent', error: 'silent' },
    ]);
  });

  it('pages that came are kept when the next one does not', async () => {
    const store = await backend.open();
    await shop(store);
    const phone = phoneWith({ id: ANA_PN, messages: CHAT });
    const phones = fakePhones((request) =>
      request.anchor.id === 'hello' ? phone(request) : { kind: 'conflict' },
    );
    const result = await importOf(store, phones, { pages: 3, count: 2 });
    expect(result).toMatchObject({ outcome: 'conflict', status: 'partial', messages: { created: 2 } });
    expect(await value(store, 'select count(*)::int from messages')).toBe(4);
  });

  test.each([
    { kind: 'conflict' },
    { kind: 'logged_out' },
    { kind: 'offline', reason: '503' },
    { kind: 'download_failed', reason: 'Failed to fetch stream' },
    { kind: 'interrupted' },
  ] as const)('$kind is an outcome of its own', async (outcome) => {
    const store = await backend.open();
    await shop(store);
    const result = await importOf(
      store,
      fakePhones(() => outcome),
    );
    expect(result.outcome).toBe(outcome.kind);
    expect(result.reason).toBe('reason' in outcome ? outcome.reason : null);
  });

  it('an empty answer is no end', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => ({ conversations: [conversation(ANA_PN, [])] }));
    expect(await importOf(store, phones)).toMatchObject({ outcome: 'empty', status: 'completed' });
  });

  test('an item that cannot be read costs no other, and is told', async () => {
    const store = await backend.open();
    await shop(store);
    const [first, ...others] = CHAT.slice(0, 5);
    const nameless = { ...first, key: { remoteJid: ANA_PN, fromMe: false } };
    const phones = fakePhones(() => ({ conversations: [conversation(ANA_PN, [nameless, ...others])] }));
    expect(await importOf(store, phones)).toMatchObject({
      outcome: 'fetched',
      status: 'partial',
      messages: { seen: 5, created: 4, rejected: { missing_id: 1 } },
      problems: [{ origin: 'whatsapp:loja', reason: 'missing_id' }],
    });
    // It is on record now, and no fault of the next import.
    expect(
      await importOf(store, fakePhones(phoneWith({ id: ANA_PN, messages: CHAT })), { force: true }),
    ).toMatchObject({
      status: 'completed',
    });
  });

  it('without a stored message there is nothing to go back from', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => 'silence');
    expect(await importOf(store, phones, { contact: BRU })).toMatchObject({ outcome: 'no_anchor' });
    expect(phones.requests).toEqual([]);
  });

  test.each([
    ['coexistence', 'loja'],
    ['cloud_api', 'loja'],
  ])('a %s number without a linked device is told as such', async (kind, name) => {
    const store = await backend.open();
    await addConnection(store, { ...NUMBER, kind });
    await replayBodies(store, [live('hello', 0)], { register: false });
    const phones = fakePhones(() => 'silence');
    expect(await importOf(store, phones)).toMatchObject({
      outcome: 'not_linked',
      connection: { name },
      status: 'failed',
    });
    expect(phones.opened).toBe(0);
  });

  it('several linked connections that could be meant are asked back', async () => {
    const store = await backend.open();
    await shop(store);
    await addConnection(store, { name: 'filial', kind: 'baileys', number: '+5511900000099' });
    await linkDevice(store, 'filial');
    await replayBodies(
      store,
      [text(await historyEvent({ conversations: [conversation(ANA_PN, CHAT.slice(4, 5))] }))],
      { register: false, connection: 'filial' },
    );
    const phones = fakePhones(() => 'silence');
    await expect(importOf(store, phones)).rejects.toThrow('can be imported over 2 connections');
    expect(await importOf(store, phones, { connection: 'filial' })).toMatchObject({
      connection: { name: 'filial' },
      fetch: { anchor: { id: 'old5' } },
    });
  });
});

describeOnServer('import: the throttle', (backend) => {
  test('one fetch per contact in five minutes; it says when the next is allowed, and --force overrides it', async () => {
    const store = await backend.open();
    await shop(store);
    let now = T0 * 1000 + 3_600_000;
    const clock = (): number => now;
    const phones = fakePhones(() => 'silence');
    await importOf(store, phones, { clock });
    now += 60_000;
    expect(await importOf(store, phones, { clock })).toMatchObject({
      outcome: 'throttled',
      status: 'failed',
      nextAllowedAt: new Date(now - 60_000 + THROTTLE_MS).toISOString(),
    });
    expect(phones.requests).toHaveLength(1);
    expect(await importOf(store, phones, { clock, force: true })).toMatchObject({ outcome: 'silent' });
    now += THROTTLE_MS;
    expect(await importOf(store, phones, { clock })).toMatchObject({ outcome: 'silent' });
  });

  test('an import that was cut short may be typed again at once', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => ({ kind: 'offline', reason: '503' }));
    await importOf(store, phones);
    expect(await importOf(store, phones)).toMatchObject({ outcome: 'offline', nextAllowedAt: null });
    // Killed: its log has begun and never ended.
    await store.sql.execute(`update sync_logs set status = 'running', completed_at = null`);
    expect(await importOf(store, phones)).toMatchObject({ outcome: 'offline' });
  });
});

describeOnServer('import: the raw log', (backend) => {
  /** What waits in the raw log for a connection that nobody had entered yet. */
  async function waiting(store: Store): Promise<void> {
    const chats = [
      conversation(ANA_PN, CHAT.slice(0, 5)),
      conversation(BRU_PN, [archived({ chat: BRU_PN, id: 'b1', at: T0 })]),
    ];
    const event = await historyEvent({ conversations: chats });
    await replayBodies(store, [live('hello', 0), live('other', 5, { from: BRU }), text(event)], {
      register: false,
    });
    expect(await value(store, 'select count(*)::int from messages')).toBe(0);
    await addConnection(store, NUMBER);
    await linkDevice(store);
  }

  test('gives what is missing without asking anybody, this contact’s alone, as a replay would', async () => {
    const store = await backend.open();
    await waiting(store);
    const phones = fakePhones(() => 'silence');
    const result = await importOf(store, phones, { connection: 'loja' });
    expect(result).toMatchObject({
      outcome: 'cache',
      messages: { created: 6, skipped: { other_contact: 1 } },
      cache: { entries: 2, created: 6 },
    });
    expect(phones.opened).toBe(0);
    expect(await transcript(store)).toEqual(['> old1', '< old2', '> old3', '< old4', '> old5', '> hello']);
    // The live message opens its ticket, as it would have.
    expect(await tickets(store)).toHaveLength(1);
    expect(await syncLogs(store)).toMatchObject([{ status: 'completed', imported: 6, outcome: 'cache' }]);
    expect(
      await select(store, `select status, count(*)::int as n from webhook_log group by 1 order by 1`),
    ).toEqual([
      { status: 'pending', n: 2 },
      { status: 'processed', n: 1 },
    ]);
    await replayLog(store, { which: 'pending' }, { connection: 'loja' });
    expect(await transcript(store)).toContain('> b1');
    expect(await transcript(store)).toContain('> other');
  });

  test('gives back what somebody has deleted or changed, and leaves the entries done', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(() => 'silence');
    const before = await transcript(store);
    expect(await importOf(store, phones, { phase: 'cache' })).toMatchObject({ outcome: 'empty' });
    await store.sql.execute(`update messages set body = 'forged'`);
    expect(await importOf(store, phones, { phase: 'cache' })).toMatchObject({
      outcome: 'cache',
      messages: { created: 0, updated: before.length },
    });
    expect(await transcript(store)).toEqual(before);
    await store.sql.execute('delete from messages');
    expect(await importOf(store, phones)).toMatchObject({
      outcome: 'cache',
      status: 'completed',
      messages: { created: before.length },
    });
    expect(await transcript(store)).toEqual(before);
    expect(await value(store, `select count(*)::int from webhook_log where status <> 'processed'`)).toBe(0);
    expect(phones.opened).toBe(0);
  });

  it('is left alone under --phase fetch, and is all there is under --phase cache', async () => {
    const store = await backend.open();
    await shop(store);
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    expect(await importOf(store, phones, { phase: 'cache' })).toMatchObject({ outcome: 'empty' });
    expect(phones.opened).toBe(0);
    expect(await importOf(store, phones, { phase: 'fetch' })).toMatchObject({ outcome: 'end_of_history' });
  });

  it('a dry run writes nothing and opens no socket', async () => {
    const store = await backend.open();
    await waiting(store);
    const phones = fakePhones(() => 'silence');
    const asked = { connection: 'loja', dryRun: true } as const;
    expect(await importOf(store, phones, asked)).toMatchObject({
      outcome: 'cache',
      runId: null,
      dryRun: true,
      messages: { created: 6 },
    });
    expect(await value(store, 'select count(*)::int from messages')).toBe(0);
    expect(await value(store, `select count(*)::int from sync_runs where command = 'import'`)).toBe(0);
    await importOf(store, phones, { connection: 'loja' });
    expect(await importOf(store, phones, asked)).toMatchObject({
      outcome: 'would_fetch',
      fetch: { requests: 0, anchor: { id: 'old1' } },
    });
    expect(phones.opened).toBe(0);
  });
});

describeOnServer('import: progress and Ctrl-C', (backend) => {
  it('tells every step', async () => {
    const store = await backend.open();
    await shop(store);
    const events: ProgressEvent[] = [];
    const phones = fakePhones(phoneWith({ id: ANA_PN, messages: CHAT }));
    await importOf(store, phones, { onEvent: (event) => events.push(event) });
    expect(events.flatMap((event) => (event.event === 'import' ? [event.step] : []))).toEqual([
      'cache',
      'connecting',
      'asked',
      'received',
      'saved',
      'checking',
      'checking',
    ]);
  });

  test('Ctrl-C between two pages keeps the first and asks for no second', async () => {
    const store = await backend.open();
    await shop(store);
    const stop = new AbortController();
    const phone = phoneWith({ id: ANA_PN, messages: CHAT });
    const phones = fakePhones((request) => {
      stop.abort();
      return phone(request);
    });
    const result = await importOf(store, phones, { pages: 3, count: 2, signal: stop.signal });
    expect(result).toMatchObject({ outcome: 'interrupted', status: 'interrupted', messages: { created: 2 } });
    expect(phones.requests).toHaveLength(1);
  });
});

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}
