import { expect, it } from 'vitest';
import { z } from 'zod';
import { presentCompare } from '../../../src/cli/views/compare.js';
import { compareAll, expectFound, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import { fillEvolution, WEB_INSTANCE } from '../../support/crm/evolution.js';
import { watchEvolution } from '../../support/crm/invariants.js';
import { applyScript, dumpTables, makePrune, makeRepair } from '../../support/crm/repairing.js';
import { describeOnBackends } from '../../support/databases.js';

const TABLES = [
  '"Instance"',
  '"Message"',
  '"MessageUpdate"',
  '"Chat"',
  '"Contact"',
  '"IsOnWhatsapp"',
  '"Media"',
];

const databases = useCrmDatabases();

describeOnBackends('the repair of Evolution', (backend) => {
  backend.once(
    'puts back what is lost, adds nothing the second time, and is taken back without a trace',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 21, count: 300, batched: true });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day, [
        'first_of_batch_only',
        'random_loss',
        'lid_split',
      ]);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const check = await watchEvolution(crm.sql);
      const before = await dumpTables(crm.sql, TABLES);
      const repair = await makeRepair(store, 'evolution', place);
      const { lost } = repair.result.counts;
      expect(lost).toBeGreaterThan(20);
      expect(repair.result.repair).toMatchObject({ messages: lost, leftOut: {} });
      // Comparing and writing the files has changed nothing.
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);

      await applyScript(crm.sql, repair.sql);
      const after = await dumpTables(crm.sql, TABLES);
      const again = await compareAll(store, 'evolution', place, { repaired: repair.ids });
      expect(again.result.counts).toEqual({
        ...repair.result.counts,
        lost: 0,
        same: repair.result.counts.same + lost,
      });
      expect(again.result.repaired).toEqual({ messages: lost, same: lost });
      expect(await check()).toEqual([]);
      // What was there is as it was.
      for (const table of TABLES) expect(after[table]).toEqual(expect.arrayContaining(before[table] ?? []));

      await applyScript(crm.sql, repair.sql);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
      await applyScript(crm.sql, repair.undo);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
    },
  );

  backend.once(
    'takes the chat back that it made for older messages, unless a message has come into it since',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 26, count: 200, batched: true });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day, ['random_loss']);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      // As where Evolution keeps no chats: its messages have none.
      await crm.sql(`delete from "Chat"`);
      const before = await dumpTables(crm.sql, TABLES);
      const repair = await makeRepair(store, 'evolution', place);
      await applyScript(crm.sql, repair.sql);
      const chats = await crm.sql(
        `select "instanceId" as instance, "remoteJid" as jid from "Chat" order by id`,
      );
      expect(chats.length).toBeGreaterThan(3);
      await applyScript(crm.sql, repair.undo);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
      // Taken back twice.
      await applyScript(crm.sql, repair.undo);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);

      await applyScript(crm.sql, repair.sql);
      const [chat] = chats;
      await crm.sql(
        `insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId")
       values ('new', jsonb_build_object('id', '3EB0NEW', 'fromMe', false, 'remoteJid', $1::text), 'conversation', '{}', 'web', 1, $2)`,
        [chat?.jid, chat?.instance],
      );
      await applyScript(crm.sql, repair.sql);
      await applyScript(crm.sql, repair.undo);
      expect(await crm.sql(`select "instanceId" as instance, "remoteJid" as jid from "Chat"`)).toEqual([
        chat,
      ]);
      expect(await crm.sql(`select from pg_class where relname like 'wa_reconcile%'`)).toEqual([]);
    },
  );

  backend.once(
    'writes to a person in the chat and under the addresses that the CRM has for them',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 27, count: 300, batched: false });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      // Their messages name the LID with the phone beside it, their chats the phone alone.
      const addresses = await crm.sql(
        `select distinct key->>'remoteJid' as lid, key->>'remoteJidAlt' as phone from "Message" where key ? 'remoteJidAlt' order by 1`,
      );
      expect(addresses.length).toBeGreaterThan(1);
      for (const { lid, phone } of addresses) {
        await crm.sql(`delete from "Chat" where "remoteJid" = $1`, [lid]);
        await crm.sql(
          `insert into "Chat" (id, "remoteJid", "instanceId") values ('c' || $1::text, $1::text, $2) on conflict do nothing`,
          [phone, WEB_INSTANCE],
        );
        await crm.sql(
          `delete from "Message" where key->>'remoteJid' = $2 or id = (
           select min(id) from "Message" where key->>'remoteJid' = $1)`,
          [lid, phone],
        );
      }
      const check = await watchEvolution(crm.sql);
      const chats = await crm.sql(`select count(*)::int as chats from "Chat"`);
      const before = await dumpTables(crm.sql, TABLES);
      const repair = await makeRepair(store, 'evolution', place);
      expect(repair.result.counts.lost).toBeGreaterThan(1);
      await applyScript(crm.sql, repair.sql);
      expect(await crm.sql(`select count(*)::int as chats from "Chat"`)).toEqual(chats);
      expect(await check()).toEqual([]);
      const written = await crm.sql(
        `select distinct key->>'remoteJid' as lid, key->>'remoteJidAlt' as phone, key->>'addressingMode' as mode
       from "Message" where starts_with(id, 'wr_') order by 1`,
      );
      expect(written.filter(({ lid }) => String(lid).endsWith('@lid'))).toEqual(
        addresses.map((address) => ({ ...address, mode: 'lid' })),
      );
      const again = await compareAll(store, 'evolution', place);
      expect(again.result.counts).toMatchObject({ lost: 0, other_contact: 0, doubled: 0 });
      await applyScript(crm.sql, repair.undo);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
    },
  );

  it('gives places and contacts back as such, and says what becomes a text', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 28, count: 300, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const kinds = `select "messageType" as type, key->>'id' as id, message from "Message"
      where "messageType" in ('locationMessage', 'contactMessage') order by 2`;
    const before = await crm.sql(kinds);
    expect(new Set(before.map(({ type }) => type)).size).toBe(2);
    await crm.sql(`delete from "Message" where "messageType" in ('locationMessage', 'contactMessage')`);
    // One says where only by a name, one is of a type that Evolution has no form for here.
    const [unknown, poll] = (
      await store.sql.query(
        `update messages set raw_meta = '{}', type = case when id::text > (
             select min(id::text) from messages where type = 'location' and source = 'live') then type else 'button' end
         where type = 'location' and source = 'live' and id in (
           select id from messages where type = 'location' and source = 'live' order by id limit 2)
         returning external_id`,
      )
    ).map(({ external_id: id }) => String(id));
    // Of a revoked one only that is known.
    const revoked = await store.sql.query(
      `select external_id, stanza_id from messages where deleted_at is not null and body is null and type <> 'location'`,
    );
    const revokedIds = revoked.flatMap((row) => Object.values(row).filter((id) => typeof id === 'string'));
    const gone = await crm.sql(`delete from "Message" where key->>'id' = any($1::text[]) returning id`, [
      revokedIds,
    ]);
    expect(gone.length).toBeGreaterThan(0);
    const repair = await makeRepair(store, 'evolution', place);
    await applyScript(crm.sql, repair.sql);
    const shownAs = `select distinct "messageType" as type, message->>'conversation' as text from "Message"
      where key->>'id' = any($1::text[]) and starts_with(id, 'wr_')`;
    expect(await crm.sql(shownAs, [revokedIds])).toEqual([
      { type: 'conversation', text: 'This message was deleted' },
    ]);
    const after = new Map((await crm.sql(kinds)).map((row) => [row.id, row]));
    let compared = 0;
    for (const { id, type, message } of before) {
      const row = after.get(id);
      if (!repair.ids.has(String(id)) || id === unknown || id === poll) continue;
      compared += 1;
      expect(row?.type).toBe(type);
      const shape = z.looseObject({
        locationMessage: z
          .looseObject({ degreesLatitude: z.number(), degreesLongitude: z.number() })
          .optional(),
        contactMessage: z.looseObject({ displayName: z.string(), vcard: z.string() }).optional(),
      });
      const [is, was] = [shape.parse(row?.message), shape.parse(message)];
      expect(is.locationMessage?.degreesLatitude).toBe(was.locationMessage?.degreesLatitude);
      expect(is.locationMessage?.degreesLongitude).toBe(was.locationMessage?.degreesLongitude);
      expect(is.contactMessage?.displayName).toBe(was.contactMessage?.displayName);
      const waid = /waid=(\d+)/;
      expect(waid.exec(is.contactMessage?.vcard ?? '')?.[1]).toBe(
        waid.exec(was.contactMessage?.vcard ?? '')?.[1],
      );
    }
    expect(compared).toBeGreaterThan(5);
    expect(repair.result.repair?.asText).toEqual({ button: 1, location: 1 });
    expect(repair.sql).toMatch(
      /-- Stored as text, which says what they were: (button 1, location 1|location 1, button 1)\./,
    );
    const texts = await crm.sql(
      `select "messageType" as type from "Message" where key->>'id' = any($1::text[])`,
      [[unknown, poll]],
    );
    expect(texts).toEqual([{ type: 'conversation' }, { type: 'conversation' }]);
    const shown = presentCompare(repair.result, ['compare', 'evolution']);
    expect(JSON.stringify(shown.document)).toContain('stored as text, which says what they were');
    const typed = ['compare', 'evolution', '--crm-url-file', 'url', '--repair', 'lost.sql'];
    const written = presentCompare(repair.result, typed, { isSql: true, file: 'lost.sql' });
    expect(JSON.stringify(written.document.blocks)).toMatch(/lost\.sql.*lost\.undo\.sql.*lost\.ids/);
    expect(written.document.next?.[0]).toMatchObject({
      command: 'compare',
      args: ['evolution', '--crm-url-file', 'url', '--verify-repair', 'lost.ids'],
    });
    const files = ['compare', 'chatwoot', 'messages.csv'];
    expect(presentCompare({ ...repair.result, repair: null }, files).document.next?.[0]).toMatchObject({
      args: ['chatwoot', 'messages.csv', '--repair', 'lost.ndjson'],
    });
  });

  backend.once(
    'leaves unread counts alone and writes no row that Chatwoot’s import would push on',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 22, count: 200, batched: true });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day, ['random_loss']);
      const place = { kind: 'database', url: crm.url } as const;
      const repair = await makeRepair(store, 'evolution', place);
      await applyScript(crm.sql, repair.sql);
      const rows = await crm.sql(
        `select status, "messageTimestamp" as at from "Message" where starts_with(id, 'wr_')`,
      );
      expect(rows.length).toBe(repair.result.counts.lost);
      for (const { status, at } of rows) {
        expect(status).toBe('READ');
        expect(Number(at)).toBeLessThan(Date.now() / 1000 - 6 * 3600);
      }
      expect(await crm.sql(`select sum("unreadMessages")::int as unread from "Chat"`)).toEqual([
        { unread: 0 },
      ]);
    },
  );

  backend.once('writes hostile texts as they are, and nothing else', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 23, count: 60, batched: false });
    await replayDay(store, day);
    const hostile = [
      `'; drop table "Message"; --`,
      `\\'; commit; \\`,
      '$$ $1 $wr$',
      'line\n\\! echo no\n\\.\nend',
      '–‘’“” 👩‍👩‍👧 \u202e x',
      '%s %I {0} \\x41 \\u0041',
    ];
    const texts = await store.sql.query(
      `update messages set body = (array[${hostile.map((_, at) => `$${at + 1}::text`).join(', ')}])[1 + (abs(hashtext(external_id)) % ${hostile.length})]
       where type = 'text' and deleted_at is null and edited_at is null returning external_id as id, body`,
      hostile,
    );
    const { crm } = await databases.filled(fillEvolution, day);
    await crm.sql(`delete from "Message"`);
    const place = { kind: 'database', url: crm.url } as const;
    const repair = await makeRepair(store, 'evolution', place);
    await applyScript(crm.sql, repair.sql);
    const written = new Map(
      (await crm.sql(`select key->>'id' as id, message->>'conversation' as body from "Message"`)).map(
        ({ id, body }) => [id, body],
      ),
    );
    const kept = texts.filter(({ id }) => repair.ids.has(String(id)));
    expect(kept.length).toBeGreaterThan(10);
    for (const { id, body } of kept) expect(written.get(id)).toBe(body);
    const again = await compareAll(store, 'evolution', place);
    expect(again.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
  });

  backend.once('removes duplicates with what hangs on them, and puts them back as they were', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 25, count: 300, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day, ['doubled_redelivery', 'first_of_batch_only']);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    // Every second row has a file, the duplicates among them.
    await crm.sql(
      `insert into "Media" (id, "fileName", type, mimetype, "messageId", "instanceId")
       select 'f' || id, 'a.jpg', 'image', 'image/jpeg', id, "instanceId" from "Message" where hashtext(id) % 2 = 0`,
    );
    const before = await dumpTables(crm.sql, TABLES);
    const prune = await makePrune(store, 'evolution', place);
    const { doubled } = prune.result.counts;
    expect(doubled).toBeGreaterThan(5);
    await applyScript(crm.sql, prune.sql);
    const again = await compareAll(store, 'evolution', place);
    expect(again.result.counts).toEqual({ ...prune.result.counts, doubled: 0 });
    const after = await dumpTables(crm.sql, TABLES);
    expect(after['"Message"']?.length).toBe((before['"Message"']?.length ?? 0) - doubled);
    expect(after['"MessageUpdate"']?.length).toBe(before['"MessageUpdate"']?.length);
    await applyScript(crm.sql, prune.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
    await applyScript(crm.sql, prune.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  backend.once(
    'counts for a cause only what it explains, beside losses of other kinds, and finds none in single messages',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 25, count: 400, batched: true });
      await replayDay(store, day);
      const { crm, expectation } = await databases.filled(fillEvolution, day, [
        'first_of_batch_only',
        'media_without_storage',
        'random_loss',
      ]);
      const found = await compareAll(store, 'evolution', { kind: 'database', url: crm.url });
      expectFound(found, expectation);
      const causes = new Map(
        found.result.connections.flatMap(({ connection, counts, causes: list }) =>
          list.map(
            ({ cause, messages }) => [`${connection} ${cause}`, { messages, lost: counts.lost }] as const,
          ),
        ),
      );
      expect([...causes.keys()].sort()).toEqual([
        '+5511900000000 first_of_batch_only',
        '+5511900000000 media_without_storage',
      ]);
      for (const { messages, lost } of causes.values()) {
        expect(messages).toBeGreaterThan(0);
        expect(messages).toBeLessThan(lost);
      }
    },
  );

  backend.once(
    'keeps of several copies the one with the right words, then the furthest status, a file, the oldest',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 29, count: 200, batched: false });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const texts = day.messages.filter(
        ({ connection, via, type, edit, revoke, group }) =>
          connection === 'web' && via === 'live' && type === 'text' && !edit && !revoke && !group,
      );
      const [known = '', wrong = '', filed = '', alone = '', thrice = '', changed = ''] = texts.map(
        ({ keyId }) => keyId,
      );
      const ids = [known, wrong, filed, alone, thrice, changed];
      expect(new Set(ids).size).toBe(6);
      await crm.sql(
        `update "Message" set id = 'c1' || (key->>'id'), status = 'PENDING' where key->>'id' = any($1::text[])`,
        [ids],
      );
      const copy = async (keyId: string, id: string, status: string, body?: string): Promise<void> => {
        await crm.sql(
          `insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId", status)
         select $2::text || $1::text, key, "messageType",
           case when $4::text is null then message else jsonb_build_object('conversation', $4::text) end, source,
           "messageTimestamp", "instanceId", $3::text
         from "Message" where id = 'c1' || $1::text`,
          [keyId, id, status, body ?? null],
        );
      };
      await copy(known, 'c2', 'READ');
      await copy(wrong, 'c2', 'READ', 'anything else');
      await copy(filed, 'c2', 'PENDING');
      await crm.sql(
        `insert into "Media" (id, "fileName", type, mimetype, "messageId", "instanceId") values ('f', 'a', 'image', 'image/jpeg', $1, $2)`,
        [`c2${filed}`, WEB_INSTANCE],
      );
      await copy(alone, 'c2', 'PENDING');
      await copy(thrice, 'c2', 'PLAYED');
      await copy(thrice, 'c3', 'DELIVERY_ACK');
      await copy(changed, 'c2', 'SERVER_ACK');
      const before = await dumpTables(crm.sql, TABLES);
      const prune = await makePrune(store, 'evolution', place);
      expect(prune.result.counts.doubled).toBe(7);
      // What a copy has become since the comparison counts, too.
      await crm.sql(`update "Message" set status = 'READ' where id = 'c1' || $1::text`, [changed]);
      const kept = async (): Promise<unknown[]> =>
        (
          await crm.sql(
            `select id from "Message" where key->>'id' = any($1::text[]) order by array_position($1::text[], key->>'id')`,
            [ids],
          )
        ).map(({ id }) => id);
      await applyScript(crm.sql, prune.sql);
      expect(await kept()).toEqual([
        `c2${known}`,
        `c1${wrong}`,
        `c2${filed}`,
        `c1${alone}`,
        `c2${thrice}`,
        `c1${changed}`,
      ]);
      const after = await dumpTables(crm.sql, TABLES);
      await applyScript(crm.sql, prune.sql);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(after);
      await applyScript(crm.sql, prune.undo);
      await crm.sql(`update "Message" set status = 'PENDING' where id = 'c1' || $1::text`, [changed]);
      expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
    },
  );

  backend.once('names the causes and the people of what it finds', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 24, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fillEvolution, day, [
      'first_of_batch_only',
      'lid_split',
    ]);
    const found = await compareAll(store, 'evolution', { kind: 'database', url: crm.url });
    expectFound(found, expectation);
    const causes = found.result.connections.flatMap(({ connection, causes: list }) =>
      list.map(({ cause }) => `${connection} ${cause}`),
    );
    expect(causes).toEqual(['+5511900000000 first_of_batch_only', 'loja-web lid_split']);
    expect(found.result.severity).toBe('loss');
    expect(found.result.people.length).toBeGreaterThan(0);
    for (const { contact } of found.result.people) expect(contact).toMatch(/^\+\d+$/);
    const first = found.result.connections
      .flatMap((one) => one.causes)
      .find((one) => one.cause === 'first_of_batch_only');
    expect(first?.why).toContain('Evolution API up to 2.4.0');
    const web = found.result.connections.find(({ connection }) => connection === 'loja-web');
    expect(web?.splitPeople).toBeGreaterThan(0);
    expect(web?.splitContacts).toHaveLength(Math.min(5, web?.splitPeople ?? 0));
    for (const contact of web?.splitContacts ?? []) expect(contact).toMatch(/^\+\d+$/);
    const shown = JSON.stringify(presentCompare(found.result, ['compare', 'evolution', 'rows.csv']).document);
    expect(shown).toContain(`several contacts in the CRM: ${web?.splitPeople} (${web?.splitContacts[0]}`);
  });
});
