import { expect, it } from 'vitest';
import { z } from 'zod';
import type { UndoResult } from '../../../src/commands/undo/types.js';
import { undo } from '../../../src/commands/undo/undo.js';
import { readMessages } from '../../../src/commands/messages/read-messages.js';
import { presentMessages } from '../../../src/cli/views/messages.js';
import { renderChat } from '../../../src/cli/views/chat.js';
import { createLook } from '../../../src/cli/ui/look.js';
import { report } from '../../../src/commands/report/report.js';
import { reportOptions } from '../../support/reporting.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { CHECK_NAMES } from '../../../src/commands/verify/types.js';
import { isAtLeast } from '../../../src/model/enumerations.js';
import { replayBodies, replayLog, testContext } from '../../support/replaying.js';
import { compareAll, notInCrm, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { asBaileysEvents } from '../../support/crm/day-baileys.js';
import { asWebhooks } from '../../support/crm/day-webhooks.js';
import { createDay, WEB, CLOUD, type DayMessage } from '../../support/crm/day.js';
import { fillEvolution } from '../../support/crm/evolution.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { addConnection } from '../../support/connections.js';
import { dumpDatabase, type Dump } from '../../support/damage.js';
import { ask } from '../../support/explaining.js';
import { describeOnBackends } from '../../support/databases.js';
import type { Store } from '../../../src/store/store.js';

const databases = useCrmDatabases();

/** What a reader of the messages sees. */
async function messagesOf(store: Store): Promise<unknown> {
  return store.sql.query(
    `select m.external_id as id, m.direction, m.type, m.body, m.timestamp, m.source, m.sync_source, l.phone_number as phone
     from messages m join leads l on l.id = m.lead_id order by 1`,
  );
}

/** All rows but those about runs, and when a connection was last synchronized. */
function rowsOf(store: Store): Promise<Dump> {
  return dumpDatabase(store, ['sync_runs', 'sync_logs', 'change_journal', 'connections', 'discarded_bodies']);
}

/** Somebody writes whom WhatsApp Web names by a LID alone. */
function lidMessage(lid: string): string {
  const key = { remoteJid: `${lid}@lid`, fromMe: false, id: '3EB0SPLIT1' };
  const message = { key, message: { conversation: 'Oi' }, messageTimestamp: 1_758_000_500, pushName: 'Ana' };
  return JSON.stringify({
    event: 'messages.upsert',
    sessionId: WEB.name,
    data: { type: 'notify', messages: [message] },
  });
}

async function addConnections(store: Store): Promise<void> {
  await addConnection(store, { name: WEB.name, kind: 'baileys', number: `+${WEB.number}` });
  await addConnection(store, {
    name: `+${CLOUD.number}`,
    kind: 'coexistence',
    number: `+${CLOUD.number}`,
    phoneNumberId: CLOUD.phoneNumberId,
  });
}

describeOnBackends('compare --adopt', (backend) => {
  backend.once('stores what only the CRM has, below history, without tickets, and once', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 31, count: 250, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const tickets = await store.sql.query(`select count(*)::int as n from tickets`);
    const planned = await compareAll(store, 'evolution', place, { adopt: { dryRun: true } });
    const only = planned.result.counts.only_in_crm;
    expect(only).toBeGreaterThan(3);
    expect(planned.result.adopted).toMatchObject({ dryRun: true, entries: only, created: only });

    const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    expect(result.adopted).toMatchObject({ dryRun: false, entries: only, created: only, rejected: 0 });
    const stored = await store.sql.query(
      `select w.provider, m.source, m.sync_source, count(*)::int as n
       from messages m join webhook_log w on w.id = m.batch_id where w.provider like 'crm:%' group by 1, 2, 3`,
    );
    expect(stored).toEqual([
      { provider: 'crm:evolution', source: 'history', sync_source: 'batch_recover', n: only },
    ]);
    expect(await store.sql.query(`select count(*)::int as n from tickets`)).toEqual(tickets);

    // The judge of the raw log agrees, and a replay of all of it changes nothing.
    const verified = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    expect(verified.checks.filter(({ status }) => status === 'findings')).toEqual([]);
    const before = await messagesOf(store);
    await replayLog(store, { which: 'all' });
    expect(await messagesOf(store)).toEqual(before);

    const again = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    expect(again.result.counts).toMatchObject({
      only_in_crm: 0,
      lost: result.counts.lost,
      same: result.counts.same + only,
    });
    expect(again.result.adopted).toMatchObject({ entries: 0, created: 0 });
  });

  backend.once(
    'learns from the CRM which LID is whose, and then finds no split people any more',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 33, count: 250, batched: true });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day, ['lid_split']);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const people = day.people.flatMap(({ lid, phone }) =>
        lid === undefined ? [] : [{ phone, lid: lid.digits }],
      );
      await crm.sql(
        `insert into "IsOnWhatsapp" (id, "remoteJid", "jidOptions", "updatedAt")
       select 'pair' || p.phone, p.phone || '@s.whatsapp.net', p.phone || '@s.whatsapp.net,' || p.lid || '@lid', now()
       from json_to_recordset($1::json) as p (phone text, lid text) on conflict ("remoteJid") do nothing`,
        [JSON.stringify(people)],
      );
      const before = await compareAll(store, 'evolution', place);
      expect(before.result.counts.other_contact).toBeGreaterThan(0);
      const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
      expect(result.adopted?.pairs).toBeGreaterThan(0);
      const leads = new Map(
        (
          await store.sql.query(
            `select i.value as lid, l.phone_number as phone from lead_identities i join leads l on l.id = i.lead_id
           where i.kind = 'lid'`,
          )
        ).map(({ lid, phone }) => [String(lid), String(phone)]),
      );
      const known = new Set(
        (await store.sql.query(`select phone_number as phone from leads`)).map(({ phone }) => phone),
      );
      const withLid = day.people.filter(({ lid, phone }) => lid !== undefined && known.has(`+${phone}`));
      expect(withLid.length).toBeGreaterThan(2);
      for (const { lid, phone } of withLid) expect(leads.get(`${lid?.digits ?? ''}@lid`)).toBe(`+${phone}`);
      const after = await compareAll(store, 'evolution', place, { adopt: { dryRun: true } });
      expect(after.result.counts).toMatchObject({ other_contact: 0, only_in_crm: 0 });
      expect(after.result.adopted).toMatchObject({ entries: 0, pairs: 0 });
    },
  );

  backend.once('says where an adopted message came from, until the log has it', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 36, count: 200, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    const created = result.adopted?.created ?? 0;
    const [adopted] = await store.sql.query(
      `select m.external_id as id, m.lead_id::text as lead from messages m join webhook_log w on w.id = m.batch_id
       where w.provider like 'crm:%' and m.type = 'text' order by 1 limit 1`,
    );
    const page = await readMessages(testContext(store), { contact: String(adopted?.lead), limit: 1000 });
    const from = page.messages.filter(({ provider }) => provider !== undefined);
    expect(from.map(({ externalId }) => externalId)).toContain(adopted?.id);
    expect(new Set(from.map(({ provider }) => provider))).toEqual(new Set(['crm:evolution']));
    expect(from.length).toBeLessThan(page.messages.length);
    const { csv, document } = presentMessages(page, 'UTC', undefined);
    expect(csv.columns.at(-1)).toBe('provider');
    expect(csv.rows.filter((row) => row.at(-1) === 'crm:evolution')).toHaveLength(from.length);
    expect(JSON.stringify(document)).toContain('crm:evolution');
    expect(renderChat(page, 'UTC', createLook(false, 100)).join('\n')).toContain('only in evolution');

    const reported = async () =>
      (await report(testContext(store), reportOptions())).connections.map(({ messages }) => messages.byCrm);
    const counts = await reported();
    expect(counts.flatMap((byCrm) => Object.values(byCrm ?? {})).reduce((a, b) => a + b, 0)).toBe(created);
    expect(counts.flatMap((byCrm) => Object.keys(byCrm ?? {}))).toContain('crm:evolution');
    for (const run of result.adopted?.runs.toReversed() ?? [])
      await undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {} });
    expect(await reported()).toEqual(counts.map(() => undefined));
  });

  backend.once(
    'is taken back row by row, people whom it merged included, and can be done again',
    async () => {
      const store = await backend.open();
      const day = createDay({ seed: 33, count: 250, batched: true });
      await replayDay(store, day);
      const { crm } = await databases.filled(fillEvolution, day, ['lid_split']);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      await crm.sql(
        `insert into "IsOnWhatsapp" (id, "remoteJid", "jidOptions", "updatedAt")
       select 'pair' || p.phone, p.phone || '@s.whatsapp.net', p.phone || '@s.whatsapp.net,' || p.lid || '@lid', now()
       from json_to_recordset($1::json) as p (phone text, lid text) on conflict ("remoteJid") do nothing`,
        [JSON.stringify(day.people.flatMap(({ lid, phone }) => (lid ? [{ phone, lid: lid.digits }] : [])))],
      );
      // A person whom the log knows by two names, as two: only the CRM says that they are one.
      const [split] = day.people.filter(({ lid }) => lid?.told === false);
      await replayBodies(store, [lidMessage(split?.lid?.digits ?? '')]);
      const before = await rowsOf(store);
      const counts = (await compareAll(store, 'evolution', place)).result.counts;

      const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
      expect(result.adopted?.merged).toBeGreaterThan(0);
      expect(result.adopted?.created).toBeGreaterThan(0);
      const runs = result.adopted?.runs ?? [];
      expect(result.next.map(({ command, args }) => [command, ...args])).toEqual(
        runs.map((run) => ['undo', run]),
      );
      const adopted = await rowsOf(store);
      expect(adopted).not.toEqual(before);

      const takeBack = (run: string, dryRun = false): Promise<UndoResult> =>
        undo(testContext(store), { run, force: false, dryRun, recordedOptions: {} });
      const undone: UndoResult[] = [];
      for (const run of runs.toReversed()) {
        expect(await takeBack(run, true)).toMatchObject({ status: 'completed', left: { found: 0 } });
        undone.push(await takeBack(run));
      }
      expect(undone.map(({ status }) => status)).toEqual(runs.map(() => 'completed'));
      expect(await rowsOf(store)).toEqual(before);
      expect((await compareAll(store, 'evolution', place)).result.counts).toEqual(counts);
      const verified = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
      expect(verified.checks.filter(({ status }) => status === 'findings')).toEqual([]);
      // The log does not bring it back by itself.
      await replayLog(store, { which: 'all' });
      expect((await compareAll(store, 'evolution', place)).result.counts).toEqual(counts);
    },
  );

  backend.once('is taken back after it was taken back, and adopts again what is gone', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 34, count: 150, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const before = await rowsOf(store);
    const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    const adopted = await rowsOf(store);
    const undos: string[] = [];
    const take = async (run: string): Promise<void> => {
      const options = { run, force: false, dryRun: false, recordedOptions: {} };
      undos.push((await undo(testContext(store), options)).runId ?? '');
    };
    for (const run of result.adopted?.runs.toReversed() ?? []) await take(run);
    expect(await rowsOf(store)).toEqual(before);
    for (const run of undos.splice(0).toReversed()) await take(run);
    expect(await rowsOf(store)).toEqual(adopted);
    for (const run of undos.splice(0).toReversed()) await take(run);
    expect(await rowsOf(store)).toEqual(before);
    const again = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    expect(again.result.adopted?.created).toBe(result.adopted?.created);
  });

  it('leaves no message without its entry where the log has brought it meanwhile, or something else changed it', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 37, count: 200, batched: true });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const { result } = await compareAll(store, 'evolution', place, { adopt: { dryRun: false } });
    const isLate = ({ connection, via, type }: DayMessage): boolean =>
      connection === 'web' && via === 'unlogged' && type === 'text';
    const late = day.messages.filter(isLate).map((message) => ({ ...message, via: 'live' as const }));
    expect(late.length).toBeGreaterThan(0);
    await replayBodies(store, asBaileysEvents({ ...day, messages: late }));
    // Of one more, only a status came since: no other entry holds it.
    const [other] = await store.sql.query(
      `update messages set status = 'read' where id = (
         select m.id from messages m join webhook_log w on w.id = m.batch_id
         where w.provider like 'crm:%' and m.external_id <> all($1::text[]) and m.status is distinct from 'read' limit 1
       ) returning external_id, batch_id::text`,
      [`{${late.map(({ keyId }) => keyId).join(',')}}`],
    );
    const findings = async (least: 'loss' | 'note', enforce = false): Promise<unknown[]> => {
      const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce });
      return checks.filter(
        ({ severity, status }) => status === 'findings' && severity !== null && isAtLeast(severity, least),
      );
    };
    expect(await findings('note')).toEqual([]);
    const adopted = await rowsOf(store);

    const undos: string[] = [];
    const take = async (run: string, force: boolean): Promise<UndoResult['status']> => {
      const undone = await undo(testContext(store), { run, force, dryRun: false, recordedOptions: {} });
      if (undone.runId !== null) undos.push(undone.runId);
      return undone.status;
    };
    const runs = result.adopted?.runs.toReversed() ?? [];
    const refused: string[] = [];
    for (const run of runs) if ((await take(run, false)) === 'failed') refused.push(run);
    expect(refused.length).toBeGreaterThan(0);
    for (const run of refused) expect(await take(run, true)).toBe('partial');
    expect(await findings('loss')).toEqual([]);
    const left = await store.sql.query(
      `select m.external_id, m.batch_id::text from messages m join webhook_log w on w.id = m.batch_id
       where w.provider like 'crm:%'`,
    );
    expect(left).toEqual([other]);
    const kept = await store.sql.query(
      `select external_id from messages where external_id = any($1::text[])`,
      [`{${late.map(({ keyId }) => keyId).join(',')}}`],
    );
    expect(kept).toHaveLength(late.length);

    for (const run of undos.splice(0).toReversed()) await take(run, false);
    expect(await rowsOf(store)).toEqual(adopted);
    for (const run of undos.splice(0).toReversed()) await take(run, false);
    expect(await findings('loss')).toEqual([]);
    await findings('note', true);
    expect(await findings('note')).toEqual([]);
  });

  it.each(backend.some(['race_of_two_webhooks', 'lid_split'] as const, () => 'bug'))(
    'loses nothing where the log knows better whose a message is: %s',
    async (bug) => {
      const day = createDay({ seed: 35, count: 200, batched: true });
      const { crm, expectation } = await databases.filled(fillEvolution, day, [bug]);
      const misfiled = [...expectation.messages].flatMap(([id, said]) =>
        said.class === 'other_contact' ? [id] : [],
      );
      expect(misfiled.length).toBeGreaterThan(1);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const log = [...asWebhooks(day), ...asBaileysEvents(day)];
      const logFirst = await backend.open();
      await addConnections(logFirst);
      await replayBodies(logFirst, log);
      await compareAll(logFirst, 'evolution', place, { adopt: { dryRun: false } });

      const crmFirst = await backend.open();
      await addConnections(crmFirst);
      await compareAll(crmFirst, 'evolution', place, { adopt: { dryRun: false } });
      const replayed = await replayBodies(crmFirst, log);
      expect(replayed).toMatchObject({ status: 'completed', problemCount: 0 });
      expect(await messagesOf(crmFirst)).toEqual(await messagesOf(logFirst));
      const verifying = async (): Promise<unknown[]> => {
        const { checks } = await verify(testContext(crmFirst), {
          checks: new Set(CHECK_NAMES),
          enforce: false,
        });
        return checks.filter(({ status }) => status === 'findings');
      };
      expect(await verifying()).toEqual([]);
      for (const id of misfiled.slice(0, 3)) {
        const { facts } = z
          .looseObject({
            facts: z.array(
              z.looseObject({ kind: z.string(), outcome: z.string(), reason: z.string().nullable() }),
            ),
          })
          .parse(await ask(crmFirst, id));
        expect(facts.filter(({ outcome }) => outcome === 'skipped')).toMatchObject([
          { kind: 'message', reason: 'overruled' },
        ]);
      }
      // The same again, from the beginning.
      expect(await replayLog(crmFirst, { which: 'all' })).toMatchObject({
        status: 'completed',
        problemCount: 0,
      });
      expect(await messagesOf(crmFirst)).toEqual(await messagesOf(logFirst));
      expect(await verifying()).toEqual([]);
    },
  );

  backend.once('gives way to the log, whichever comes first', async () => {
    const day = createDay({ seed: 32, count: 200, batched: true });
    const { crm } = await databases.filled(fillEvolution, day);
    const place = { kind: 'database', url: crm.readOnlyUrl } as const;
    const log = [...asWebhooks(day), ...asBaileysEvents(day)];
    const logFirst = await backend.open();
    await addConnections(logFirst);
    await replayBodies(logFirst, log);
    await compareAll(logFirst, 'evolution', place, { adopt: { dryRun: false } });

    const crmFirst = await backend.open();
    await addConnections(crmFirst);
    const adopted = await compareAll(crmFirst, 'evolution', place, { adopt: { dryRun: false } });
    expect(adopted.result.adopted?.created).toBeGreaterThan(50);
    await replayBodies(crmFirst, log);
    expect(await messagesOf(crmFirst)).toEqual(await messagesOf(logFirst));
  });

  backend.once(
    'counts as history only until the log has it: a message sent from the phone is an echo, in any order',
    async () => {
      const day = createDay({ seed: 38, count: 150, batched: true });
      const { crm } = await databases.filled(fillEvolution, day);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const log = [...asWebhooks(day), ...asBaileysEvents(day)];
      const [even, odd] = [0, 1].map((rest) => log.filter((_, index) => index % 2 === rest));
      const steps = {
        adopt: (store: Store) => compareAll(store, 'evolution', place, { adopt: { dryRun: false } }),
        even: (store: Store) => replayBodies(store, even ?? []),
        odd: (store: Store) => replayBodies(store, odd ?? []),
      };
      const orders: (keyof typeof steps)[][] = [
        ['even', 'odd', 'adopt'],
        ['adopt', 'even', 'odd'],
        ['adopt', 'odd', 'even'],
        ['odd', 'adopt', 'even'],
        ['even', 'adopt', 'odd'],
      ];
      const ends: unknown[] = [];
      for (const order of backend.some(orders, ([first]) => first === 'adopt')) {
        const store = await backend.open();
        await addConnections(store);
        for (const step of order) await steps[step](store);
        ends.push([order, await messagesOf(store)]);
        await replayLog(store, { which: 'all' });
        ends.push([[...order, 'all'], await messagesOf(store)]);
        const verified = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
        expect([order, verified.checks.filter(({ status }) => status === 'findings')]).toEqual([order, []]);
        const [echoes] = await store.sql.query(
          `select count(*)::int as n from messages m join webhook_log w on w.id = m.batch_id
         where w.provider like 'crm:%' and m.source = 'app_echo'`,
        );
        if (order[0] === 'adopt') expect(echoes?.n).toBeGreaterThan(3);
      }
      const expected = z.tuple([z.unknown(), z.unknown()]).parse(ends[0])[1];
      for (const end of ends) {
        const [order, messages] = z.tuple([z.unknown(), z.unknown()]).parse(end);
        expect([order, messages]).toEqual([order, expected]);
      }
    },
  );

  backend.once(
    'is not held against a CRM for a time that it has from another one, unless that is the message’s own',
    async () => {
      const day = createDay({ seed: 39, count: 150, batched: true });
      const { crm } = await databases.filled(fillWhaticket, day);
      await crm.sql(`update "Messages" set "createdAt" = "createdAt" + interval '1 hour'`);
      const { crm: exact } = await databases.filled(fillEvolution, day);
      const place = { kind: 'database', url: crm.readOnlyUrl } as const;
      const truer = { kind: 'database', url: exact.readOnlyUrl } as const;
      const store = await backend.open();
      await addConnections(store);
      await compareAll(store, 'whaticket', place, { map: notInCrm([WEB.name]), adopt: { dryRun: false } });
      const [flagged] = await store.sql.query(
        `select count(*)::int as n from messages where raw_meta->>'timestampFrom' = 'crm_stored_at'`,
      );
      expect(flagged?.n).toBeGreaterThan(50);
      const differing = async (): Promise<unknown> =>
        (await compareAll(store, 'evolution', truer, { connection: WEB.name })).result.connections[0]?.fields
          .timestamp;
      expect(await differing()).toBeUndefined();
      // The flag stays in the row, and the log's time is compared.
      await replayBodies(store, asBaileysEvents(day));
      expect(await differing()).toBeUndefined();
      await exact.sql(`update "Message" set "messageTimestamp" = "messageTimestamp" + 60`);
      expect(await differing()).toBeGreaterThan(50);
    },
  );
});
