import { describe, expect, it } from 'vitest';
import { addConnection } from '../support/connections.js';
import { dropUniqueIndexes } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { ask, told } from '../support/explaining.js';
import { replayBodies, replayFiles, replayLog, sample } from '../support/replaying.js';
import { value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  ANA_BSUID,
  ANA_LID,
  BRU,
  CAR,
  echo,
  FIRST,
  history,
  item,
  live,
  liveFrom,
  old,
  oldOut,
  reaction,
  SECOND,
  status,
  wamid,
  webEvent,
  webhook,
  webLive,
} from '../support/webhooks.js';

const DEMO_DAY = new URL('../../fixtures/demo-day.ndjson', import.meta.url).pathname;

describeOnServer('explain a contact', (backend) => {
  it('counts each message once, however often it came, and says that all are there', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      history([old('K1', 0), oldOut('K2', 5)]),
      live('K1', 0),
      live('K3', 10),
      echo('K2', 5),
      live('B1', 0, { from: BRU }),
    ]);
    const result = await ask(store, `+${ANA}`);
    expect(result.verdict).toBe(`All 3 messages of +${ANA} in the raw log are in the database.`);
    expect(result.findings).toEqual([]);
    expect(result.contact).toMatchObject({
      messages: { total: 3, outcomes: { stored: 3 } },
      entries: 4,
      lead: { source: 'live_message' },
      conversations: [
        { connection: `+${FIRST.number}`, messages: 3, inbound: 2, outbound: 1, live: 2, fromHistory: 1 },
      ],
      tickets: [{ openedByEntry: 'stdin:2', status: 'open' }],
    });
  });

  it('says which source each of its names comes from', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      liveFrom('Ana', 'K1', 0),
      addressBook('add', { full_name: 'Ana da Agenda', phone_number: ANA }, 60),
    ]);
    const both = await ask(store, `+${ANA}`);
    expect(both.contact?.lead).toMatchObject({
      name: 'Ana da Agenda',
      nameFrom: 'address_book',
      namesFrom: [
        { from: 'address_book', name: 'Ana da Agenda' },
        { from: 'profile', name: 'Ana' },
      ],
    });
    await store.sql.execute(`update leads set push_name = 'Anna'`);
    const written = await ask(store, `+${ANA}`);
    expect(written.contact?.lead).toMatchObject({ name: 'Anna', nameFrom: 'elsewhere' });
    await replayBodies(store, [liveFrom('Bruno', 'B1', 0, { from: BRU })]);
    const one = await ask(store, `+${BRU}`);
    expect(one.contact?.lead).toMatchObject({ nameFrom: 'profile', namesFrom: [{ from: 'profile' }] });
  });

  it('V4: the replay of a contact that it advises brings their statuses, too, which name a recipient only', async () => {
    const store = await backend.open();
    const bodies = [
      live('K1', 0),
      echo('K2', 5),
      status('K2', 'delivered', 7),
      // The id does not say whose it is, and no recipient stands beside the other.
      echo('other', 8, { id: 'wamid.odd' }),
      status('other', 'read', 9, { id: 'wamid.odd' }),
      status('K2', 'read', 11, { recipient_id: undefined }),
    ];
    await replayBodies(store, bodies);
    expect(await statuses()).toEqual(['delivered', 'read', 'read']);
    await store.sql.execute('delete from messages');

    const lost = await ask(store, `+${ANA}`);
    expect(lost.remedies).toEqual([{ do: 'replay_contact', contact: `+${ANA}` }]);
    await replayLog(store, { which: 'all', contact: `+${ANA}` });
    expect(await statuses()).toEqual(['delivered', 'read', 'read']);
    expect((await ask(store, `+${ANA}`)).findings).toEqual([]);

    async function statuses(): Promise<unknown[]> {
      const rows = await store.sql.query('select status from messages order by timestamp');
      return rows.map((row) => row['status']);
    }
  });

  it('a lacking status or a changed row is no clean contact', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), echo('K2', 5), status('K2', 'read', 7)]);
    await store.sql.execute("update messages set status = 'sent' where direction = 'OUTBOUND'");
    const lacking = await ask(store, `+${ANA}`);
    expect(lacking.verdict).toBe(
      `All 2 messages of +${ANA} in the raw log are in the database; 1 update is not applied.`,
    );
    expect(lacking.findings).toMatchObject([{ outcome: 'missing', count: 1 }]);
    expect(lacking.remedies).toEqual([{ do: 'replay_contact', contact: `+${ANA}` }]);

    await replayBodies(store, [history([oldOut('K2', 5)])]);
    await store.sql.execute("update messages set body = 'changed' where direction = 'OUTBOUND'");
    const changed = await ask(store, `+${ANA}`);
    expect(changed.verdict).toBe(
      `1 of the 2 messages of +${ANA} in the raw log is in the database: 1 differs from the raw log.`,
    );
  });

  it('I6: says what evidence the lead’s source rests on', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      addressBook('add', { full_name: 'Ana', phone_number: ANA }, 50),
      history([old('K1', 0)]),
      live('B1', 5, { from: BRU }),
      addressBook('add', { full_name: 'Carla', phone_number: CAR }, 50),
    ]);
    const because = async (who: string) => (await ask(store, who)).contact?.lead;
    expect(await because(ANA)).toMatchObject({
      source: 'history_sync',
      sourceBecause: { what: 'history message', at: '2025-09-16T05:20:00.000Z' },
    });
    expect(await because(BRU)).toMatchObject({
      source: 'live_message',
      sourceBecause: { what: 'live message' },
    });
    expect(await because(CAR)).toMatchObject({
      source: 'state_sync',
      sourceBecause: { what: 'address-book entry', connection: null },
    });
  });

  it('finds somebody by any of their names, and says which entry linked them', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [live('K1', 0), webLive('K2', 5, {}, { remoteJid: ANA_LID })], {
      register: false,
    });
    await replayBodies(
      store,
      [webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` })],
      { register: false },
    );
    await replayBodies(
      store,
      [webhook('messages', { contacts: [{ wa_id: ANA, user_id: ANA_BSUID }], messages: [item('K3', 9)] })],
      { register: false },
    );
    const lead = String(await value(store, `select id from leads`));
    for (const name of [ANA, '+55 (11) 90000-0001', ANA_LID, `${ANA}@s.whatsapp.net`, ANA_BSUID, lead]) {
      const { contact } = await ask(store, name);
      expect(contact?.lead).toMatchObject({ id: lead, phone: `+${ANA}` });
      const links = (contact?.identities ?? []).map((one) => [
        one.kind,
        one.linkedBy?.kind ?? null,
        one.linkedBy?.origin ?? null,
      ]);
      expect(links).toEqual([
        ['phone', null, null],
        ['lid', 'identity_link', 'stdin:1'],
        ['bsuid', 'message', 'stdin:1'],
      ]);
      expect(contact?.merges).toMatchObject([{ what: 'merged into this lead', command: 'replay' }]);
    }
  });

  it('follows the id of a lead that was merged to the one that it was merged into', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [live('K1', 0), webLive('K2', 5, {}, { remoteJid: ANA_LID })], {
      register: false,
    });
    const lost = String(await value(store, `select lead_id from lead_identities where kind = 'lid'`));
    await replayBodies(
      store,
      [webEvent('lid-mapping.update', { lid: ANA_LID, pn: `${ANA}@s.whatsapp.net` })],
      { register: false },
    );
    const result = await ask(store, lost);
    expect(result.contact?.lead).toMatchObject({ phone: `+${ANA}` });
    expect(result.notices.join()).toContain('was merged into');
  });

  it('H1: counts what waits for a connection, and says which', async () => {
    const store = await backend.open();
    await replayBodies(store, [history([old('K1', 0), old('K2', 5)]), live('K3', 9, {}, SECOND)], {
      register: false,
    });
    const result = await ask(store, ANA);
    expect(result.verdict).toBe(
      `None of the 3 messages of ${ANA} in the raw log is in the database: 3 are pending (unknown connection).`,
    );
    expect(result.contact).toMatchObject({
      lead: null,
      messages: { total: 3, outcomes: { 'pending: unknown_connection': 3 } },
    });
    expect(result.remedies).toEqual([
      { do: 'add_connection', phoneNumberId: FIRST.id, displayPhone: FIRST.number, entries: 1 },
      { do: 'add_connection', phoneNumberId: SECOND.id, displayPhone: SECOND.number, entries: 1 },
    ]);
    await replayLog(store, { which: 'pending' });
    expect((await ask(store, ANA)).verdict).toMatch(/^All 3 messages/);
  });

  it('H1: an event of WhatsApp Web that names nobody waits for somebody to say whose it is', async () => {
    const store = await backend.open();
    await replayBodies(store, [{ event: 'messages.upsert', data: webLive('K1', 0)['data'] ?? null }], {
      register: false,
    });
    const result = await ask(store, ANA);
    expect(result.remedies).toEqual([{ do: 'name_connection', session: null, candidates: [], entries: 1 }]);
  });

  it('M9: tells where the id of a rejected message went', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('K1', 0),
      live('K1', 0, { from: BRU, id: wamid('K1') }),
      live('B2', 3, { from: BRU }),
    ]);
    const result = await ask(store, BRU);
    expect(result.verdict).toBe(
      `1 of the 2 messages of +${BRU} in the raw log is in the database: 1 was rejected (id_collision).`,
    );
    expect(result.facts.map(told)).toEqual(['live message rejected (id_collision)', 'live message created']);
    expect(result.remedies).toContainEqual({
      do: 'explain',
      subject: wamid('K1'),
      why: 'the message that has the id',
    });
    expect((await ask(store, ANA)).findings).toEqual([]);
  });

  it('M6: counts what was left out by rule, which is no finding', async () => {
    const store = await backend.open();
    const group = live('G1', 0, { group_id: 'Z3J1cG8=' });
    await replayBodies(store, [
      live('K1', 0),
      group,
      webhook('messages', {
        contacts: [{ wa_id: ANA, profile: { name: 'Ana' } }],
        messages: [item('G2', 5, { group_id: 'Z3J1cG8=' })],
      }),
    ]);
    const result = await ask(store, ANA);
    expect(result.contact?.messages.outcomes).toEqual({ stored: 1, 'skipped: group': 1 });
    expect(result.findings).toEqual([]);
    const all = await ask(store, ANA, { scan: true });
    expect(all.contact?.messages.outcomes).toEqual({ stored: 1, 'skipped: group': 2 });
  });

  it('M7: finds rejected items that name the contact, though nothing files them under anybody', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('K1', 0),
      webhook('messages', { messages: [item('K2', 0, { id: undefined })] }),
    ]);
    const result = await ask(store, ANA);
    expect(result.contact?.messages.outcomes).toEqual({ stored: 1, 'rejected: missing_id': 1 });
    expect(result.findings).toMatchObject([{ outcome: 'rejected', reason: 'missing_id', count: 1 }]);
    expect((await ask(store, BRU)).known).toBe(false);
  });

  it('counts what is missing, and says what puts it back', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5), live('K3', 9)]);
    await store.sql.execute(`delete from messages where stanza_id in ('K1', 'K2')`);
    const result = await ask(store, ANA);
    expect(result.verdict).toBe(
      `1 of the 3 messages of +${ANA} in the raw log is in the database: 2 are missing.`,
    );
    expect(result.findings).toMatchObject([{ outcome: 'missing', count: 2 }]);
    expect(result.remedies).toEqual([{ do: 'replay_contact', contact: ANA }]);
    await replayLog(store, { which: 'all', contact: ANA });
    expect((await ask(store, ANA)).findings).toEqual([]);
  });

  it('tells what waits for messages that never came, also statuses, which name nobody', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('K1', 0),
      status('P1', 'read', 9),
      reaction('P2', 10, '👍'),
      live('B1', 0, { from: BRU }),
    ]);
    const result = await ask(store, ANA);
    expect(result.pending.map((one) => [one.kind, one.targetExternalId])).toEqual([
      ['status', wamid('P1')],
      ['reaction', wamid('P2')],
    ]);
    expect(result.verdict).toContain('2 updates are pending: target message not received');
    expect((await ask(store, BRU)).pending).toEqual([]);
    // As verify has it: for a day it is no fault.
    expect(result.findings).toEqual([]);
    await store.sql.execute(`update pending_facts set created_at = created_at - interval '25 hours'`);
    expect((await ask(store, ANA)).findings).toMatchObject([
      { outcome: 'pending', reason: 'no_message_yet', count: 2 },
    ]);
  });

  it('says how many messages no raw entry brought', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5)]);
    await store.sql.execute(`update messages set batch_id = null where stanza_id = 'K2'`);
    expect((await ask(store, ANA)).contact?.conversations).toMatchObject([{ messages: 2, fromElsewhere: 1 }]);
  });

  it('reads no more entries than it is told, the newest, and says so', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5), live('K3', 9)]);
    const result = await ask(store, ANA, { limit: 2 });
    expect(result.contact?.messages.total).toBe(2);
    expect(result.searched.complete).toBe(false);
    expect(result.notices.join()).toContain('Only the newest 2 entries');
    expect(result.verdict).toContain('the part of the raw log that was read');
  });

  it('narrows to one connection', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5, {}, SECOND)]);
    const result = await ask(store, ANA, { connection: `+${SECOND.number}` });
    expect(result.contact).toMatchObject({
      messages: { total: 1 },
      conversations: [{ connection: `+${SECOND.number}` }],
    });
  });

  it('lists the leads when several are meant', async () => {
    const store = await backend.open(dropUniqueIndexes);
    await replayBodies(store, [live('K1', 0)]);
    await store.sql.execute(
      `insert into organizations (id, slug, name) values ('01990000-0000-7000-8000-0000000000aa', 'other', 'Other')`,
    );
    await store.sql.execute(
      `insert into leads (id, organization_id, phone_number, source, first_seen_at) values
       ('01990000-0000-7000-8000-0000000000ab', '01990000-0000-7000-8000-0000000000aa', '+${ANA}', 'direct_creation', now())`,
    );
    await expect(ask(store, ANA)).rejects.toMatchObject({ code: 'ambiguous_contact', exitCode: 2 });
    const { contact } = await ask(store, '01990000-0000-7000-8000-0000000000ab');
    expect(contact?.lead).toMatchObject({
      organization: 'other',
      source: 'direct_creation',
      sourceBecause: null,
    });
  });

  it('asks which is meant when a word is the id of a message and of a contact', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [webLive(ANA, 0)], { register: false });
    await expect(ask(store, ANA)).rejects.toMatchObject({ code: 'ambiguous_subject', exitCode: 2 });
    expect((await ask(store, ANA, { as: 'message' })).subject).toBe('message');
    expect((await ask(store, ANA, { as: 'contact' })).subject).toBe('contact');
  });

  it('says that nothing is known about somebody whom no byte of the log names', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    const result = await ask(store, `+${BRU}`);
    expect(result).toMatchObject({
      known: false,
      searched: { scanned: true },
      findings: [{ outcome: 'unknown' }],
    });
    expect(result.verdict).toBe(`No data found for +${BRU}: no raw entry names it.`);
  });

  describe('of the demo day', () => {
    it('accounts for everybody', async () => {
      const store = await backend.open();
      await replayFiles(store, [DEMO_DAY]);
      const ana = await ask(store, ANA);
      expect(ana.verdict).toBe(
        `All 12 messages of +${ANA} in the raw log are in the database; 1 update is pending: target message not received.`,
      );
      expect(ana.contact?.conversations).toMatchObject([
        { messages: 11, missingChunks: ['1/3'] },
        { messages: 1, history: 'declined' },
      ]);
      const carla = await ask(store, CAR);
      expect(carla.contact?.identities.find((one) => one.kind === 'bsuid')?.linkedBy?.origin).toBe(
        `${DEMO_DAY}:9`,
      );
    });

    it('says that somebody’s only message came in a form that nobody understands, and that they were removed', async () => {
      const store = await backend.open();
      await replayFiles(store, [DEMO_DAY]);
      const result = await ask(store, '+5581900000009');
      expect(result.contact?.lead).toMatchObject({ isActive: false });
      expect(result.verdict).toContain('1 entry that names it is in an unknown format');
      expect(result.findings).toMatchObject([{ outcome: 'unread', count: 1 }]);
      expect(result.facts.filter((fact) => fact.outcome === 'unread')).toMatchObject([
        { entryOrigin: `${DEMO_DAY}:69` },
      ]);
    });
  });

  it('takes a connection by its phone, and asks which one where two organizations have one of that name', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    const byPhone = await ask(store, ANA, { connection: '+55 11 90000-0000' });
    expect(byPhone.contact?.conversations).toMatchObject([{ connection: `+${FIRST.number}`, messages: 1 }]);
    await addConnection(store, { name: 'shop', number: '+5511900000001' });
    await store.sql.execute(
      `with acme as (
         insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme') returning id
       )
       insert into connections (id, organization_id, name, kind, history_sync_status)
       select gen_random_uuid(), id, 'shop', 'baileys', 'not_supported' from acme`,
    );
    await expect(ask(store, ANA, { connection: 'shop' })).rejects.toMatchObject({
      code: 'connection_ambiguous',
    });
    await expect(ask(store, ANA, { connection: 'nobody' })).rejects.toMatchObject({
      code: 'connection_unknown',
    });
  });

  it('tells a lead only what came to its own organization', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    await store.sql.execute(
      `with acme as (
         insert into organizations (id, slug, name) values (gen_random_uuid(), 'acme', 'Acme') returning id
       )
       insert into leads (id, organization_id, phone_number, source, first_seen_at)
       select gen_random_uuid(), id, '+${ANA}', 'direct_creation', now() from acme`,
    );
    const theirs = await value(
      store,
      `select l.id from leads l join organizations o on o.id = l.organization_id where o.slug = 'acme'`,
    );
    const result = await ask(store, String(theirs));
    expect(result).toMatchObject({
      facts: [],
      findings: [],
      contact: { messages: { total: 0 }, entries: 0 },
    });
  });

  it('I4: says that what the business wrote to itself was left out', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [
      webLive('W1', 0, {}, { remoteJid: `${FIRST.number}@s.whatsapp.net`, fromMe: true }),
    ]);
    const result = await ask(store, `+${FIRST.number}`);
    expect(result.facts.map(told)).toEqual(['echo message skipped (self_thread)']);
    expect(result.findings).toEqual([]);
  });

  it('changes nothing', async () => {
    const store = await backend.open();
    await replayFiles(store, [sample('logs/full-day.ndjson')], { register: false });
    const before = await store.sql.query(
      `select md5(string_agg(w::text, '|' order by w.id)) as sum from webhook_log w`,
    );
    const connections = await store.sql.query('select * from connections');
    await ask(store, ANA, { scan: true });
    expect(
      await store.sql.query(`select md5(string_agg(w::text, '|' order by w.id)) as sum from webhook_log w`),
    ).toEqual(before);
    expect(await store.sql.query('select * from connections')).toEqual(connections);
  });
});
