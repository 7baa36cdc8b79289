import { describe, expect, it } from 'vitest';
import { CLOUD_INBOX, fillChatwoot, WEB_INBOX } from '../../support/crm/chatwoot.js';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import type { Bug } from '../../support/crm/expectation.js';
import { watchChatwoot } from '../../support/crm/invariants.js';
import { applyScript, dumpTables, makePrune, makeRepair } from '../../support/crm/repairing.js';
import { useBackend } from '../../support/databases.js';

const TABLES = ['contacts', 'contact_inboxes', 'conversations', 'messages', 'attachments'];

const databases = useCrmDatabases();

describe('the repair of Chatwoot', () => {
  const backend = useBackend('postgresql');

  async function damaged(seed: number, planted: readonly Bug[]) {
    const store = await backend.open();
    const day = createDay({ seed, count: 400, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillChatwoot, day, planted);
    return { store, day, crm, place: { kind: 'database', url: crm.readOnlyUrl } as const };
  }

  it('puts back what is lost, adds nothing the second time, and is taken back without a trace', async () => {
    const { store, crm, place } = await damaged(21, ['first_of_batch_only', 'random_loss', 'lid_split']);
    const check = await watchChatwoot(crm.sql);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'chatwoot', place);
    const { lost } = repair.result.counts;
    expect(lost).toBeGreaterThan(20);
    expect(repair.result.repair).toMatchObject({ messages: lost, leftOut: {} });

    await applyScript(crm.sql, repair.sql);
    const after = await dumpTables(crm.sql, TABLES);
    const again = await compareAll(store, 'chatwoot', place, { repaired: repair.ids });
    expect(again.result.counts).toEqual({
      ...repair.result.counts,
      lost: 0,
      same: repair.result.counts.same + lost,
    });
    expect(again.result.repaired).toEqual({ messages: lost, same: lost });
    expect(await check()).toEqual([]);

    await applyScript(crm.sql, repair.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('leaves out what a row without an id may be, one for each row, and says how many', async () => {
    const { store, crm, place } = await damaged(26, []);
    const healthy = await compareAll(store, 'chatwoot', place);
    const before = healthy.result.counts;
    const same = new Set(healthy.items.flatMap((item) => (item.class === 'same' ? [item.rowId] : [])));
    const texts = `select min(m.id) as id from messages m
      where m.inbox_id = ${WEB_INBOX} and m.message_type = 0 and m.source_id is not null and m.content_type = 0
        and not exists (select from attachments a where a.message_id = m.id)
        and coalesce(m.content_attributes::text, '') not like '%deleted%'
      group by m.conversation_id order by 1`;
    const rows = (await crm.sql(texts))
      .flatMap(({ id }) => (same.has(String(id)) ? [Number(id)] : []))
      .slice(0, 5);
    expect(rows).toHaveLength(5);
    const [other, late, ...alike] = rows;
    await crm.sql('update messages set source_id = null where id = any($1)', [rows]);
    // These are other messages: another text, another time.
    await crm.sql(`update messages set content = 'something else' where id = $1`, [other]);
    await crm.sql(
      `update messages set created_at = created_at + interval '1 hour', content_attributes = '{}' where id = $1`,
      [late],
    );
    // Of these nothing says when they were sent, only when they were stored.
    await crm.sql(`update messages set content_attributes = '{}' where id = any($1)`, [alike.slice(1)]);
    const repair = await makeRepair(store, 'chatwoot', place);
    expect(repair.result.counts).toMatchObject({
      lost: before.lost + rows.length,
      without_id: before.without_id + rows.length,
    });
    expect(repair.result.repair).toMatchObject({
      messages: before.lost + 2,
      leftOut: { row_without_id: alike.length },
    });
    await applyScript(crm.sql, repair.sql);
    expect((await compareAll(store, 'chatwoot', place)).result.counts.lost).toBe(alike.length);
  });

  it('finds a contact by every spelling of the number, makes one for a stranger, and words what is no text', async () => {
    const { store, day, crm, place } = await damaged(22, []);
    const known = `+${day.people.find(({ phone, crmPhone }) => phone !== crmPhone)?.crmPhone ?? ''}`;
    const stranger = `+${day.people.find(({ phone, crmPhone, lid }) => phone === crmPhone && !lid)?.phone ?? ''}`;
    const people = 'select id from contacts where phone_number = any($1)';
    await crm.sql(
      `delete from messages where conversation_id in (select id from conversations where contact_id in (${people}))`,
      [[known, stranger]],
    );
    await crm.sql(`delete from conversations where contact_id in (${people})`, [[known, stranger]]);
    await crm.sql(`delete from contact_inboxes where contact_id in (${people})`, [[known, stranger]]);
    await crm.sql('delete from contacts where phone_number = $1', [stranger]);
    await crm.sql(
      'delete from attachments a where not exists (select from messages m where m.id = a.message_id)',
    );
    const check = await watchChatwoot(crm.sql);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'chatwoot', place);
    expect(repair.result.counts.lost).toBeGreaterThan(10);
    await applyScript(crm.sql, repair.sql);
    expect(await check()).toEqual([]);
    expect((await compareAll(store, 'chatwoot', place)).result.counts).toMatchObject({
      lost: 0,
      other_contact: 0,
      doubled: 0,
    });
    expect(
      await crm.sql(
        `select phone_number from contacts where additional_attributes->>'source' = 'wa-reconcile'`,
      ),
    ).toEqual([{ phone_number: stranger }]);
    const rows = await crm.sql(
      `select content, source_id, inbox_id from messages where additional_attributes->>'source' = 'wa-reconcile' order by id`,
    );
    expect(rows.some(({ content }) => /^\[image[^\]]*: file not restored\]/.test(String(content)))).toBe(
      true,
    );
    for (const { source_id, inbox_id } of rows) {
      expect(String(source_id)).toMatch(inbox_id === CLOUD_INBOX ? /^wamid\./ : /^WAID:3EB0/);
    }
    expect(new Set(rows.map(({ inbox_id }) => inbox_id))).toEqual(new Set([CLOUD_INBOX, WEB_INBOX]));
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('stops where Chatwoot would go on in the new conversation', async () => {
    const { store, crm, place } = await damaged(23, ['random_loss']);
    const repair = await makeRepair(store, 'chatwoot', place);
    await crm.sql('update inboxes set lock_to_single_conversation = true');
    const before = await dumpTables(crm.sql, TABLES);
    await expect(applyScript(crm.sql, repair.sql)).rejects.toThrow('lock_to_single_conversation');
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('leaves, when it is taken back, a conversation into which something else came', async () => {
    const { store, crm, place } = await damaged(24, ['random_loss']);
    const repair = await makeRepair(store, 'chatwoot', place);
    const before = await dumpTables(crm.sql, TABLES);
    await applyScript(crm.sql, repair.sql);
    await crm.sql(
      `insert into messages (content, account_id, inbox_id, conversation_id, message_type, created_at, updated_at)
       select 'Bom dia', account_id, inbox_id, id, 0, now(), now() from conversations order by id desc limit 1`,
    );
    await applyScript(crm.sql, repair.undo);
    const after = await dumpTables(crm.sql, TABLES);
    expect(after.messages?.length).toBe((before.messages?.length ?? 0) + 1);
    expect(after.conversations?.length).toBe((before.conversations?.length ?? 0) + 1);
  });

  it('keeps of several copies the one with the furthest status', async () => {
    const { store, crm, place } = await damaged(26, ['doubled_redelivery']);
    const { items } = await compareAll(store, 'chatwoot', place);
    const [sent, failed, alike] = items
      .filter((item) => item.class === 'doubled')
      .map(({ rowId, detail }) => ({ first: detail.replace('duplicate of row ', ''), last: rowId }));
    const set = (id: unknown, status: number) =>
      crm.sql(`update messages set status = $2 where id = $1`, [id, status]);
    await set(sent?.first, 0);
    await set(sent?.last, 2);
    await set(failed?.first, 3);
    await set(failed?.last, 1);
    await set(alike?.first, 1);
    await set(alike?.last, 1);
    await crm.sql(`delete from attachments where message_id = any($1)`, [
      [sent, failed, alike].flatMap((pair) => [pair?.first, pair?.last]),
    ]);
    const before = await dumpTables(crm.sql, TABLES);
    const prune = await makePrune(store, 'chatwoot', place);
    await applyScript(crm.sql, prune.sql);
    const left = await crm.sql(`select id from messages where id = any($1) order by id`, [
      [sent, failed, alike].flatMap((pair) => [pair?.first, pair?.last]),
    ]);
    expect(left.map(({ id }) => Number(id))).toEqual(
      [sent?.last, failed?.last, alike?.first].map(Number).sort((a, b) => a - b),
    );
    const after = await dumpTables(crm.sql, TABLES);
    await applyScript(crm.sql, prune.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, prune.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('removes duplicates, keeps one copy of their files, and puts them back as they were', async () => {
    const { store, crm, place } = await damaged(25, ['doubled_redelivery']);
    const first = await makePrune(store, 'chatwoot', place);
    // Of some messages only the duplicate has the file.
    await crm.sql(
      `delete from attachments a using messages m
       where m.id = a.message_id and m.id % 2 = 0 and exists (
         select from messages d where d.inbox_id = m.inbox_id and d.source_id = m.source_id and d.id > m.id)`,
    );
    const before = await dumpTables(crm.sql, TABLES);
    const filesOf = async () =>
      await crm.sql(
        `select m.source_id, count(distinct m.id)::int as rows, count(a.id)::int as files, count(distinct a.message_id)::int as with_files
         from messages m left join attachments a on a.message_id = m.id
         where m.source_id <> '' group by m.source_id order by 1`,
      );
    const filesBefore = await filesOf();
    const prune = await makePrune(store, 'chatwoot', place);
    const { doubled } = prune.result.counts;
    expect(doubled).toBe(first.result.counts.doubled);
    expect(doubled).toBeGreaterThan(5);
    await applyScript(crm.sql, prune.sql);
    const after = await dumpTables(crm.sql, TABLES);
    expect(after.messages?.length).toBe((before.messages?.length ?? 0) - doubled);
    expect((await compareAll(store, 'chatwoot', place)).result.counts).toEqual({
      ...prune.result.counts,
      doubled: 0,
    });
    // What had a file in any of its rows still has it, once.
    const having = (rows: typeof filesBefore) =>
      rows.flatMap(({ source_id, files }) => (Number(files) > 0 ? [source_id] : []));
    expect(having(await filesOf())).toEqual(having(filesBefore));
    expect(filesBefore.some(({ rows, with_files }) => Number(rows) > 1 && Number(with_files) === 1)).toBe(
      true,
    );
    await applyScript(crm.sql, prune.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, prune.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });
});
