import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { compareAll, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases, type Sql } from '../../support/crm/database.js';
import { createDay } from '../../support/crm/day.js';
import type { Bug } from '../../support/crm/expectation.js';
import { watchTickets } from '../../support/crm/invariants.js';
import { applyScript, dumpTables, makeRepair } from '../../support/crm/repairing.js';
import { fillTicketz } from '../../support/crm/ticketz.js';
import { fillWid } from '../../support/crm/wid.js';
import { useBackend } from '../../support/databases.js';

const TABLES = ['"Contacts"', '"Tickets"', '"Messages"', '"OldMessages"', '"Whatsapps"'];

const WORLDS = [
  { name: 'ticketz', kind: 'ticketz', fill: fillTicketz, bugs: ['random_loss', 'lid_split', 'quoted_stubs'] },
  { name: 'a fork with wid', kind: 'wid', fill: fillWid, bugs: ['random_loss', 'lid_split'] },
] as const;

const databases = useCrmDatabases();

/** Makes the tables those of a fork that goes on in the one ticket of a contact, closed or not. */
async function keepOneTicket(sql: Sql): Promise<void> {
  await sql(
    `update "Messages" m set "ticketId" = (select min(k.id) from "Tickets" k where k."contactId" = t."contactId")
     from "Tickets" t where t.id = m."ticketId"`,
  );
  await sql(
    `delete from "Tickets" t where exists (select from "Tickets" k where k."contactId" = t."contactId" and k.id < t.id)`,
  );
  await sql(`update "Tickets" set status = case when id % 2 = 0 then 'closed' else 'open' end`);
  await sql(`alter table "Tickets" add unique ("contactId", "companyId", "whatsappId")`);
}

/** Runs a script as psql does, and gives what it warns of. */
async function applyAndListen(url: string, script: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const warnings: string[] = [];
  client.on('notice', ({ severity, message }) => {
    if (severity === 'WARNING') warnings.push(message ?? '');
  });
  try {
    await applyScript(async (text) => (await client.query<Record<string, unknown>>(text)).rows, script);
  } finally {
    await client.end();
  }
  return warnings;
}

describe.each(WORLDS)('the repair of $name', ({ kind, fill, bugs }) => {
  const backend = useBackend('postgresql');

  async function damaged(seed: number, planted: readonly Bug[]) {
    const store = await backend.open();
    const day = createDay({ seed, count: 400, batched: false });
    await replayDay(store, day);
    const { crm } = await databases.filled(fill, day, planted);
    return { store, day, crm, place: { kind: 'database', url: crm.readOnlyUrl } as const };
  }

  it('puts back what is lost, adds nothing the second time, and is taken back without a trace', async () => {
    const { store, crm, place } = await damaged(21, bugs);
    const check = await watchTickets(crm.sql, kind);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'ticketz', place);
    const { lost } = repair.result.counts;
    expect(lost).toBeGreaterThan(5);
    expect(repair.result.repair).toMatchObject({ messages: lost, leftOut: {} });

    await applyScript(crm.sql, repair.sql);
    const after = await dumpTables(crm.sql, TABLES);
    const again = await compareAll(store, 'ticketz', place, { repaired: repair.ids });
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
    expect(await crm.sql(`select from pg_class where relname like 'wa_reconcile%'`)).toEqual([]);
  });

  it('finds the contact of a person under every spelling of the number, and makes one only for strangers', async () => {
    const { store, day, crm, place } = await damaged(22, []);
    const known = day.people.find(({ phone, crmPhone }) => phone !== crmPhone)?.crmPhone ?? '';
    const stranger = day.people.find(({ phone, crmPhone, lid }) => phone === crmPhone && !lid)?.phone ?? '';
    // Another company has a contact of the same number, and the stranger none at all.
    await crm.sql(
      `insert into "Companies" (id, name, "createdAt", "updatedAt") values (2, 'Outra', now(), now())`,
    );
    await crm.sql(
      `insert into "Contacts" (name, number, "companyId", "createdAt", "updatedAt")
       select 'Outra', number, 2, now(), now() from unnest($1::text[]) as number`,
      [[known, stranger]],
    );
    await crm.sql(
      `delete from "Tickets" where "contactId" in (select id from "Contacts" where number = any($1) and "companyId" = 1)`,
      [[known, stranger]],
    );
    await crm.sql(`delete from "Contacts" where number = $1 and "companyId" = 1`, [stranger]);
    const check = await watchTickets(crm.sql, kind);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'ticketz', place);
    expect(repair.result.counts.lost).toBeGreaterThan(10);
    await applyScript(crm.sql, repair.sql);
    expect(await check()).toEqual([]);
    expect((await compareAll(store, 'ticketz', place)).result.counts).toMatchObject({
      lost: 0,
      other_contact: 0,
      doubled: 0,
    });
    const made = await crm.sql(`select number from "Contacts" where to_jsonb("Contacts")::text <> all ($1)`, [
      before['"Contacts"'],
    ]);
    expect(made).toEqual([{ number: stranger }]);
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('writes texts as they are, says which file is missing, and keeps quotes', async () => {
    const { store, crm, place } = await damaged(23, []);
    const hostile = `'; drop table "Messages"; --\\ $$ $block$ [a] %s {"wa_reconcile_repair": 1}\n\\! echo`;
    await store.sql.query(
      `update messages set body = $1 where type = 'text' and edited_at is null and deleted_at is null`,
      [hostile],
    );
    // A row stays: without any, nothing says since when the CRM is linked.
    const [first] = await crm.sql(`select min("createdAt")::text as at from "Messages"`);
    await crm.sql(`delete from "Messages" where "createdAt" > $1`, [first?.at]);
    const repair = await makeRepair(store, 'ticketz', place);
    await applyScript(crm.sql, repair.sql);
    const rows = await crm.sql(
      `select m.body, m."dataJson"::jsonb as json, m."quotedMsgId"::text as quoted, m."createdAt" as at, m."mediaUrl" as url
       from "Messages" m where m."dataJson" like '%"wa_reconcile_repair": "%'`,
    );
    expect(rows.length).toBe(repair.ids.size);
    expect(rows.filter(({ body }) => body === hostile).length).toBeGreaterThan(20);
    expect(rows.filter(({ body }) => String(body).startsWith('[image]')).length).toBeGreaterThan(3);
    expect(rows.filter(({ quoted }) => quoted !== null).length).toBeGreaterThan(3);
    for (const { at, json, url } of rows) {
      expect(json).toMatchObject({ messageTimestamp: Math.floor(new Date(String(at)).getTime() / 1000) });
      expect(url).toBeNull();
    }
  });

  it('gives a contact who may have one ticket only no second one, and touches none that is open', async () => {
    const { store, crm, place } = await damaged(25, ['random_loss']);
    await keepOneTicket(crm.sql);
    // Two contacts have none yet, and must get one: what they had is lost, too.
    await crm.sql(
      `delete from "Tickets" where "contactId" in (
         select t."contactId" from "Tickets" t join "Contacts" c on c.id = t."contactId"
         where not c."isGroup" and t.status = 'closed' order by 1 limit 2)`,
    );
    const check = await watchTickets(crm.sql, kind);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'ticketz', place);
    const { lost } = repair.result.counts;

    const notices = await applyAndListen(crm.url, repair.sql);
    const again = await compareAll(store, 'ticketz', place);
    const left = again.result.counts.lost;
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(lost);
    expect(notices).toEqual([
      `${left} messages are left out: the only ticket that their contacts can have is not closed`,
    ]);
    expect(await check()).toEqual([]);
    const made = await crm.sql(
      `select count(*)::int as tickets from "Tickets" t where to_jsonb(t)::text <> all ($1)`,
      [before['"Tickets"']],
    );
    expect(made).toEqual([{ tickets: 2 }]);

    // Once their tickets are closed, the same file brings the others, and a third run nothing.
    const open = await crm.sql(`select id, status from "Tickets" where status <> 'closed'`);
    await crm.sql(`update "Tickets" set status = 'closed'`);
    expect(await applyAndListen(crm.url, repair.sql)).toEqual([]);
    const whole = await dumpTables(crm.sql, TABLES);
    expect((await compareAll(store, 'ticketz', place)).result.counts.lost).toBe(0);
    await applyScript(crm.sql, repair.sql);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(whole);

    await applyScript(crm.sql, repair.undo);
    for (const { id, status } of open)
      await crm.sql(`update "Tickets" set status = $2 where id = $1`, [id, status]);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
  });

  it('is taken back twice, or without having been run, without an error', async () => {
    const { store, crm, place } = await damaged(24, ['random_loss']);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'ticketz', place);
    await applyScript(crm.sql, repair.undo);
    await applyScript(crm.sql, repair.sql);
    await applyScript(crm.sql, repair.undo);
    await applyScript(crm.sql, repair.undo);
    expect(await dumpTables(crm.sql, TABLES)).toEqual(before);
    expect(await crm.sql(`select from pg_class where relname like 'wa_reconcile%'`)).toEqual([]);
  });

  it('leaves, when it is taken back, a ticket into which something else came', async () => {
    const { store, crm, place } = await damaged(24, ['random_loss']);
    const before = await dumpTables(crm.sql, TABLES);
    const repair = await makeRepair(store, 'ticketz', place);
    await applyScript(crm.sql, repair.sql);
    const [ticket] = await crm.sql(`select max(id) as id from "Tickets"`);
    const key = kind === 'wid' ? 'wid' : 'id';
    await crm.sql(
      `insert into "Messages" (${key}, body, "ticketId", "companyId", "createdAt", "updatedAt")
       values ('3EB0NEW', 'Bom dia', $1, 1, now(), now())`,
      [ticket?.id],
    );
    await applyScript(crm.sql, repair.undo);
    const after = await dumpTables(crm.sql, TABLES);
    expect(after['"Messages"']?.length).toBe((before['"Messages"']?.length ?? 0) + 1);
    expect(after['"Tickets"']?.length).toBe((before['"Tickets"']?.length ?? 0) + 1);
  });
});
