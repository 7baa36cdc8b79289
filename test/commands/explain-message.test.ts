import { describe, expect, it } from 'vitest';
import { editConnection } from '../../src/commands/connections/save.js';
import { explain } from '../../src/commands/explain/explain.js';
import { addConnection } from '../support/connections.js';
import { copyMessage, dropUniqueIndexes, restoreUniqueIndex } from '../support/damage.js';
import { describeOnServer } from '../support/databases.js';
import { ask, told } from '../support/explaining.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { select, value } from '../support/shown.js';
import {
  ANA,
  ANA_LID,
  BRU,
  BUSINESS,
  echo,
  edit,
  FIRST,
  history,
  item,
  live,
  liveFrom,
  old,
  reaction,
  revoke,
  SECOND,
  status,
  wamid,
  webEvent,
  webhook,
  webLive,
} from '../support/webhooks.js';

const picture = {
  type: 'image',
  text: undefined,
  image: { id: 'M1', mime_type: 'image/jpeg', caption: 'foto' },
};

describeOnServer('explain a message', (backend) => {
  it('tells each fact in the order in which it was applied, and what it changed', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      history([old('K1', 0, { type: 'media_placeholder', text: undefined })], {
        phase: 1,
        order: 2,
        progress: 55,
      }),
      webhook('history', { messages: [item('K1', 0, picture)] }),
      live('K1', 0, picture),
      live('K1', 0, picture, SECOND),
    ]);
    const result = await ask(store, wamid('K1'), { connection: `+${FIRST.number}` });
    expect(result.facts.map(told)).toEqual([
      'history message created',
      'follow_up message changed: type media_placeholder → image, text, media',
      'live message changed: source history → live',
    ]);
    expect(result.facts[0]).toMatchObject({
      chunk: { phase: 1, chunkOrder: 2, progress: 55 },
      entryOrigin: 'stdin:1',
      path: '$.entry[0].changes[0].value.history[0].threads[0].messages[0]',
    });
    expect(result.messages).toMatchObject([
      {
        externalId: wamid('K1'),
        stanzaId: 'K1',
        source: 'live',
        contact: `+${ANA}`,
        unexplained: [],
        broughtBy: { origin: 'stdin:1' },
        run: { command: 'replay' },
      },
    ]);
    expect(result.messages[0]?.openedTicket).not.toBeNull();
    expect(result.findings).toEqual([]);
    expect(result.verdict).toContain('In the database: an image from +5511900000001');
  });

  it('explains every connection that has the id, and one of them when told which', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K1', 0, {}, SECOND)]);
    expect((await ask(store, wamid('K1'))).messages).toHaveLength(2);
    const one = await ask(store, wamid('K1'), { connection: `+${SECOND.number}` });
    expect(one.messages).toMatchObject([{ connection: `+${SECOND.number}` }]);
    await expect(ask(store, wamid('K1'), { connection: 'nobody' })).rejects.toMatchObject({ exitCode: 2 });
  });

  it('tells statuses, also those that came before their message and those that changed nothing', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      status('K1', 'delivered', 3),
      echo('K1', 0),
      status('K1', 'read', 5),
      status('K1', 'sent', 1),
    ]);
    const { facts, messages } = await ask(store, wamid('K1'));
    expect(facts.map(told)).toEqual([
      'status delivered changed (waited_for_message): status sent → delivered',
      'echo message created',
      'status read changed: status delivered → read',
      'status sent unchanged',
    ]);
    expect(messages[0]).toMatchObject({ status: 'read', unexplained: [] });
  });

  it('tells edits, revokes and reactions, without what was said', async () => {
    const store = await backend.open();
    await replayBodies(store, [
      live('K1', 0, { text: { body: 'segredo' } }),
      edit('K1', 'K1b', 10, { type: 'text', text: { body: 'outro segredo' } }),
      reaction('K1', 15, '👍'),
      revoke('K1', 20),
    ]);
    const result = await ask(store, wamid('K1'));
    expect(result.facts.map((fact) => [fact.kind, fact.changes.map(({ field }) => field)])).toEqual([
      ['message', []],
      ['edit', ['editedAt', 'text']],
      ['reaction', ['reaction']],
      ['revoke', ['deletedAt', 'text']],
    ]);
    expect(result.messages[0]).toMatchObject({ revisions: 2, reactions: 1, unexplained: [] });
    expect(JSON.stringify(result)).not.toContain('segredo');
    const open = await ask(store, wamid('K1'), { bodies: true });
    expect(open.facts.map((fact) => fact.excerpt)).toEqual(['segredo', 'outro segredo', '👍', null]);
    // What the row shows no more is not shown as the row's.
    expect(open.messages[0]?.excerpt).toBeNull();
  });

  it('M10: finds a message by either of its names, and tells both copies', async () => {
    const store = await backend.open();
    await addConnection(store);
    await replayBodies(store, [webLive('K1', 1), live('K1', 0)], { register: false });
    for (const id of ['K1', wamid('K1')]) {
      const { facts, messages } = await ask(store, id);
      expect(facts.map((fact) => fact.externalId)).toEqual(['K1', wamid('K1')]);
      expect(facts[1]?.changes).toContainEqual({ field: 'externalId', from: 'K1', to: wamid('K1') });
      expect(messages).toMatchObject([{ externalId: wamid('K1'), twins: ['K1'] }]);
    }
  });

  it('says of a status which reason of a failure it added', async () => {
    const store = await backend.open();
    const failed = (at: number, code: number): object =>
      status('K1', 'failed', at, { errors: [{ code, title: 'why' }] });
    await replayBodies(store, [echo('K1', 0), failed(10, 131047)]);
    await replayBodies(store, [failed(20, 131026)]);
    const { facts } = await ask(store, wamid('K1'));
    expect(facts.at(-1)?.changes).toEqual([{ field: 'errors', from: '131047', to: '131026, 131047' }]);
  });

  // Without the index, the row that comes first on the disk is the one that is compared.
  it.each([
    ['behind it', false],
    ['before it', true],
  ])('calls copies of a row duplicates, and holds each of them against the log: %s', async (_, isFirst) => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K2', 5)]);
    await dropUniqueIndexes(store, ['same_id']);
    const [row] = await select(store, `select id from messages where external_id = '${wamid('K1')}'`);
    await copyMessage(store, String(row?.['id']), { type: 'video' });
    if (isFirst)
      await store.sql.execute(`update messages set body = body where id = '${String(row?.['id'])}'`);
    for (const subject of [wamid('K1'), `+${ANA}`, 'stdin:1']) {
      const { findings, remedies } = await ask(store, subject);
      expect(
        findings.map(({ outcome }) => outcome),
        subject,
      ).toContain('different');
      expect(remedies, subject).toContainEqual(expect.objectContaining({ do: 'dedupe' }));
    }
    const { messages } = await ask(store, wamid('K1'));
    expect(
      messages.map(({ type, differences }) => [type, differences.map(({ field }) => field)]).sort(),
    ).toEqual([
      ['text', []],
      ['video', ['type']],
    ]);
    expect((await ask(store, wamid('K2'))).findings).toEqual([]);
    await restoreUniqueIndex(store);
  });

  it('explains a row of the database by its own id', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    const id = String(await value(store, 'select id from messages'));
    expect((await ask(store, id)).messages).toMatchObject([{ id, externalId: wamid('K1') }]);
  });

  it('M9: tells both origins of a collision, and finds something wrong', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0), live('K1', 0, { from: BRU, id: wamid('K1') })]);
    const result = await ask(store, wamid('K1'));
    expect(result.facts.map(told)).toEqual(['live message created', 'live message rejected (id_collision)']);
    expect(result.facts.map((fact) => fact.entryOrigin)).toEqual(['stdin:1', 'stdin:2']);
    expect(result.facts[1]?.takenBy).toMatchObject({ messageId: result.messages[0]?.id });
    expect(result.findings).toMatchObject([{ outcome: 'rejected', reason: 'id_collision', count: 1 }]);
    expect(result.verdict).toContain('1 other message claims its id');
  });

  it('finds statuses that name nobody, far from the message, only when the whole log is searched, and says so', async () => {
    const store = await backend.open();
    await replayBodies(store, [echo('K1', 0, { id: 'wamid.odd' })]);
    await store.sql.execute(
      `insert into webhook_log (id, sha256, provider, raw_body, status, chat_ids, fields, phone_number_ids)
       select gen_random_uuid(), sha256(convert_to('{"i":' || i || '}', 'UTF8')), 'meta', convert_to('{"i":' || i || '}', 'UTF8'), 'ignored', '{}', '{}', '{}'
       from generate_series(1, 4000) i`,
    );
    // Random ids: all of them lie after an id that begins with the time.
    await store.sql.execute(
      `update webhook_log set id = overlay(id::text placing 'f' from 1 for 1)::uuid where status = 'ignored'`,
    );
    await replayBodies(store, [status('K1', 'read', 5, { id: 'wamid.odd', recipient_id: undefined })]);
    await store.sql.execute(
      `update webhook_log set id = 'ffffffff-ffff-ffff-ffff-ffffffffffff' where id = (select id from webhook_log where status <> 'ignored' order by id desc limit 1)`,
    );
    const near = await ask(store, 'wamid.odd');
    expect(near.facts.map(told)).toEqual(['echo message created']);
    expect(near.messages[0]?.unexplained).toEqual([{ field: 'status', from: 'sent', to: 'read' }]);
    expect(near.notices.join()).toContain('--scan');
    expect(near.remedies).toContainEqual({ do: 'scan' });
    const early = await ask(store, 'wamid.odd', { scan: true, until: Date.parse('2020-01-01T00:00:00Z') });
    expect(early.facts.map(told)).toEqual(['echo message created']);
    expect(early.notices).toContain('Only entries received before 2020-01-01 00:00 UTC were searched.');
    const all = await ask(store, 'wamid.odd', { scan: true });
    expect(all.facts.map(told)).toEqual(['echo message created', 'status read changed: status sent → read']);
    expect(all).toMatchObject({ searched: { scanned: true, complete: true }, notices: [], remedies: [] });
  });

  it('I3: tells that a merge of leads moved it', async () => {
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
    const { messages } = await ask(store, 'K2');
    expect(messages).toMatchObject([{ contact: `+${ANA}` }]);
    expect(messages[0]?.journal.map((note) => note.what).join()).toMatch(/moved to lead/);
    expect(messages[0]?.journal[0]).toMatchObject({ command: 'replay' });
  });

  it('says when another program wrote the row', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    await store.sql.execute(`update messages set batch_id = null, run_id = null`);
    await store.sql.execute(`delete from webhook_log`);
    const result = await ask(store, wamid('K1'));
    expect(result.verdict).toContain('written by another program');
    expect(result.facts).toEqual([]);
    expect(result.known).toBe(true);
  });

  it('says that a row has no id, and that the raw log may restore the message under it', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    const [row] = await store.sql.query('update messages set external_id = null returning id');
    const result = await ask(store, String(row?.id));
    expect(result.findings).toMatchObject([
      { outcome: 'missing' },
      { outcome: 'different', reason: 'no_id' },
    ]);
    expect(result.verdict).toMatch(/^Without its id: a text from /);
    expect(result.remedies).toContainEqual({ do: 'reconcile' });
  });

  it('I4: does not call a row right that the next replay takes back', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'shop', phoneNumberId: '800000000000001' });
    await store.sql.execute('update connections set display_phone_number = null');
    const own = liveFrom('Shop', 'K1', 0, { from: BUSINESS });
    const body = JSON.stringify(own).replace(/"display_phone_number":"[^"]*",?/, '');
    await replayBodies(store, [body]);
    await editConnection(testContext(store), 'shop', { phone: `+${BUSINESS}` });
    expect((await ask(store, `+${BUSINESS}`)).findings).toMatchObject([{ outcome: 'pending' }]);
    await replayLog(store, { which: 'pending' });
    expect(await store.sql.query('select from messages')).toEqual([]);
  });

  describe('that is not there', () => {
    it('says what waits for a message that never came', async () => {
      const store = await backend.open();
      await replayBodies(store, [status('K1', 'delivered', 3)]);
      const result = await ask(store, wamid('K1'));
      expect(result).toMatchObject({
        known: true,
        messages: [],
        pending: [{ kind: 'status', status: 'delivered', entryOrigin: 'stdin:1' }],
      });
      expect(result.verdict).toBe(
        'The message itself was not received: 1 update is pending for it (status delivered).',
      );
      expect(result.findings).toMatchObject([{ outcome: 'pending', reason: 'no_message_yet' }]);
    });

    it('says so of a message that another program names by a UUID', async () => {
      const store = await backend.open();
      const id = '11111111-c39a-4121-90b5-f53f26d522b3';
      await expect(ask(store, id)).rejects.toMatchObject({ code: 'unknown_subject' });
      const body = JSON.stringify(status('K1', 'delivered', 3)).replaceAll(wamid('K1'), id);
      await replayBodies(store, [JSON.parse(body)]);
      expect((await ask(store, id)).findings).toMatchObject([{ reason: 'no_message_yet' }]);
      expect((await ask(store, id, { as: 'message' })).pending).toHaveLength(1);
    });

    it('M6: says that a group message is left out by rule, and how to bring it in', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('G1', 0, { group_id: 'Z3J1cG8=' })]);
      const result = await ask(store, wamid('G1'));
      expect(result.facts.map(told)).toEqual(['live message skipped (group)']);
      expect(result).toMatchObject({ known: true, findings: [] });
      expect(result.remedies).toContainEqual({ do: 'include', kind: 'group' });
      await replayBodies(store, [live('G1', 0, { group_id: 'Z3J1cG8=' })], {
        include: new Set(['group'] as const),
      });
      expect((await ask(store, wamid('G1'))).messages).toHaveLength(1);
    });

    it('H1: says for which connection a message waits, and what adds it', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('K1', 0, {}, SECOND)], { register: false });
      const result = await ask(store, wamid('K1'));
      expect(result.facts.map(told)).toEqual(['live message pending (unknown_connection)']);
      expect(result.verdict).toContain(`its connection (${SECOND.id}) is unknown`);
      expect(result.remedies[0]).toEqual({
        do: 'add_connection',
        phoneNumberId: SECOND.id,
        displayPhone: SECOND.number,
        entries: 1,
      });
      // Entered meanwhile, it only has to be replayed.
      await addConnection(store, { number: `+${SECOND.number}`, phoneNumberId: SECOND.id });
      const known = await ask(store, wamid('K1'));
      expect(known.facts.map(told)).toEqual(['live message pending (not_replayed)']);
      expect(known.remedies[0]).toEqual({ do: 'replay_pending', entries: 1 });
    });

    it('M7: finds a rejected item by its id', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('K1', 0, { timestamp: 'ontem' })]);
      const result = await ask(store, wamid('K1'));
      expect(result.facts.map(told)).toEqual(['rejected rejected (bad_timestamp)']);
      expect(result.findings).toMatchObject([{ outcome: 'rejected', reason: 'bad_timestamp' }]);
    });

    it('says that it is missing when the raw log has it and nothing on record says why it is gone', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('K1', 0)]);
      await store.sql.execute('delete from messages');
      const result = await ask(store, wamid('K1'));
      expect(result.facts.map(told)).toEqual(['live message missing']);
      expect(result.findings).toMatchObject([{ outcome: 'missing', count: 1 }]);
      expect(result.verdict).toMatch(/^Missing: the message is in stdin:1/);
    });

    it('says that a dedupe removed a copy', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('K1', 0)]);
      await store.sql.execute(
        `insert into change_journal (run_id, table_name, key, before)
         select r.id, 'messages', '{"id":"01990000-0000-7000-8000-000000000001"}', '{"external_id":"LOST1","stanza_id":"LOST1"}' from sync_runs r`,
      );
      const result = await ask(store, 'LOST1');
      expect(result.verdict).toContain('deleted a row with this id');
      expect(result.journal).toMatchObject([{ what: 'removed', was: 'LOST1' }]);
    });

    it('says that nothing is known, and whose message the id would be', async () => {
      const store = await backend.open();
      await replayBodies(store, [live('K1', 0)]);
      const result = await ask(store, wamid('NEVER'));
      expect(result).toMatchObject({
        known: false,
        findings: [{ outcome: 'unknown' }],
        searched: { scanned: true },
      });
      expect(result.verdict).toContain('it is not in the database, and no raw entry contains it');
      expect(result.remedies).toEqual([{ do: 'explain', subject: `+${ANA}`, why: 'the contact in the id' }]);
    });

    it('points at an entry that holds the id and could not be read', async () => {
      const store = await backend.open();
      await replayBodies(store, [JSON.stringify(live('K1', 0)).slice(0, -5)]);
      const result = await ask(store, wamid('K1'));
      expect(result.notices.join()).toContain('stdin:1 contains the id, but could not be parsed');
      expect(result.verdict).toContain('the raw entry that contains it was not read (stdin:1)');
    });
  });

  it('stops when it is interrupted, and says how far it came', async () => {
    const store = await backend.open();
    await replayBodies(store, [live('K1', 0)]);
    const stopped = testContext(store, { signal: AbortSignal.abort() });
    const options = { subject: wamid('K1'), limit: 5000, scan: true, bodies: false };
    const result = await explain(stopped, options);
    expect(result.searched).toMatchObject({ entries: 0, complete: false });
    expect(result.notices.join()).toContain('Interrupted');
    expect(result.messages).toHaveLength(1);
  });

  it('names ids that are nothing as such', async () => {
    const store = await backend.open();
    for (const subject of [
      '',
      '????',
      'two words',
      '01990000-0000-7000-8000-00000000dead',
      'log:1',
      'nowhere.ndjson:7',
    ]) {
      await expect(ask(store, subject)).rejects.toMatchObject({ exitCode: 2 });
    }
  });
});
