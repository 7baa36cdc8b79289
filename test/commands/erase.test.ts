import { mkdtemp, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { RawKeeper } from '../../src/commands/devices/raw-keeper.js';
import { openDirectory } from '../../src/commands/replay/open-directory.js';
import { readConnections } from '../../src/store/tables/connections.js';
import { createIdGenerator } from '../../src/store/uuid.js';
import { SecretKey } from '../../src/commands/devices/secret-key.js';
import { allowErased, erase } from '../../src/commands/erase/erase.js';
import { storeToken } from '../../src/commands/graph/token.js';
import { rawDiscard } from '../../src/commands/raw-discard/raw-discard.js';
import { replayAdopted } from '../../src/commands/replay/replay-adopted.js';
import { undo } from '../../src/commands/undo/undo.js';
import { rekey } from '../../src/commands/rekey/rekey.js';
import { report } from '../../src/commands/report/report.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { Context } from '../../src/context.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { describeOnBackends } from '../support/databases.js';
import { tracesIn } from '../support/database-dump.js';
import { dyingStore } from '../support/dying-store.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { SECRET } from '../support/secret.js';
import { value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  ANA_BSUID,
  ANA_LID,
  BRU,
  echo,
  edit,
  item,
  live,
  liveFrom,
  old,
  reaction,
  status,
  wamid,
  webhook,
  webHistory,
  webLive,
  webMessage,
} from '../support/webhooks.js';

const OTHER_SECRET = SecretKey.parse(Buffer.alloc(32, 8).toString('base64'), 'the test');
const KEYED = { secretKey: () => SECRET } as const;

const TOGETHER = webhook('messages', {
  contacts: [
    { profile: { name: 'Ana Maria' }, wa_id: ANA },
    { profile: { name: 'Bru' }, wa_id: BRU },
  ],
  messages: [
    item('A1', 0, { text: { body: 'secret of hers' } }),
    item('B1', 1, { from: BRU }),
    item('A2', 2, { id: undefined }),
    item('B2', 3, { from: BRU, id: undefined }),
  ],
});

const LOG = [
  liveFrom('Ana Maria', 'A0', -10),
  TOGETHER,
  webhook('history', {
    history: [
      {
        metadata: { phase: 0, chunk_order: 1, progress: 100 },
        threads: [
          { id: ANA, messages: [old('AH', -900)] },
          { id: BRU, messages: [old('BH', -800, { from: BRU })] },
        ],
      },
    ],
  }),
  status('A0', 'read', 5),
  status('LATE', 'read', 6),
  echo('E1', 20),
  edit('A0', 'A0e', 25, { type: 'text', text: { body: 'hers, edited' } }),
  reaction('A0', 26, '👍'),
  addressBook('add', { full_name: 'Ana da Loja', phone_number: ANA }, 30),
  live('B3', 40, { from: BRU }),
  webhook('messages', {
    contacts: [{ profile: { name: 'Ana Maria' }, wa_id: ANA, user_id: ANA_BSUID }],
    messages: [item('A5', 50, { from_user_id: ANA_BSUID })],
  }),
  webLive('WEB1', 60, {}, { remoteJid: ANA_LID, remoteJidAlt: `${ANA}@s.whatsapp.net` }),
  webLive('WEB2', 70, {}, { remoteJid: `${BRU}@s.whatsapp.net` }),
] satisfies JsonObject[];

/** Whatever the person may be recognized by. */
const HERS = [
  ANA,
  '551190000001',
  '90000-0001',
  ANA_LID.split('@')[0] ?? '',
  ANA_BSUID,
  'Ana Maria',
  'Ana da Loja',
  'secret of hers',
  'hers, edited',
];

const traces = (store: Store): Promise<string[]> => tracesIn(store, HERS, ANA);

/** What other people have. */
async function others(store: Store): Promise<unknown> {
  const read = (table: string, without: string): Promise<unknown> =>
    store.sql.query(`select (${without})::text as row from ${table} t order by 1`);
  const bru = `(select id from leads where phone_number = '+${BRU}')`;
  return Promise.all([
    read('leads', `to_jsonb(t)`),
    read(`(select * from messages where lead_id = ${bru})`, `to_jsonb(t)`),
    read(`(select * from conversations where lead_id = ${bru})`, `to_jsonb(t)`),
    read(`(select * from tickets where lead_id = ${bru})`, `to_jsonb(t)`),
    read('lead_identities', `to_jsonb(t)`),
    read('history_chunks', `to_jsonb(t)`),
  ]);
}

async function clean(store: Store): Promise<void> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  const findings = checks.filter(({ check, status: how }) => check !== 'rejects' && how === 'findings');
  expect(findings.map(({ check, summary }) => `${check}: ${summary}`)).toEqual([]);
  const { connections } = await report(testContext(store), reportOptions());
  for (const { accounts } of connections) expect(accounts.unexplained).toBe(0);
}

const eraseAna = (ctx: Context, contact = '+55 11 90000-0001') =>
  erase(ctx, { contact, secretKey: SECRET, batchSize: 2 });

/** Other wrappers of the same bodies: other bytes, other hashes. */
const wrapped = (body: JsonObject): JsonObject => ({ level: 'info', at: 1, body: JSON.stringify(body) });

describeOnBackends('erase', (backend) => {
  backend.once(
    'leaves nothing of a person, everything of others, and what comes again is skipped',
    async () => {
      const store = await backend.open();
      const directory = await mkdtemp(join(tmpdir(), 'erase-'));
      await replayBodies(store, LOG);
      const hers = join(directory, 'hers.jpg');
      await writeFile(hers, 'x');
      await store.sql.execute(
        `insert into media_files (connection_id, media_id, message_id, state, attempts, first_tried_at, tried_at, sha256, size, path)
       select connection_id, 'M1', external_id, 'fetched', 1, now(), now(), 'ab', 1, $1 from messages where body = 'A0' or body = 'hers, edited' limit 1`,
        [hers],
      );
      await store.sql.execute(
        `update sync_runs set options = '{"contact": "+55 11 90000-0001"}', error = 'nothing of Ana Maria'`,
      );
      const ctx = testContext(store, KEYED);
      const bru = await keepBru(store);
      const result = await eraseAna(ctx);
      expect(result).toMatchObject({ action: 'erased', status: 'completed' });
      expect(result.tables.find(({ table }) => table === 'leads')).toEqual({ table: 'leads', rows: 1 });
      expect(await traces(store)).toEqual([]);
      expect(existsSync(hers)).toBe(false);
      expect(await bru()).toEqual([]);
      await clean(store);
      const after = await others(store);

      // The same log; in another order, in parts, and in another wrapper; the stored log; a night.
      await replayBodies(store, LOG, KEYED);
      await replayBodies(store, [...LOG].reverse(), KEYED);
      for (const body of LOG) await replayBodies(store, [body], KEYED);
      const again = await replayBodies(store, LOG.map(wrapped), KEYED);
      expect(again.messages.skipped['erased']).toBe(7);
      expect(await traces(store)).toEqual([]);
      await replayLog(store, { which: 'all' });
      await night(store, { full: true, apply: true });
      expect(await traces(store)).toEqual([]);
      expect(await others(store)).toEqual(after);
      await clean(store);

      // Once more: there is nothing left to do.
      const second = await eraseAna(ctx);
      expect(second).toMatchObject({ status: 'completed', tables: result.tables, bodies: result.bodies });
      expect(await value(store, `select count(*)::int from erasures`)).toBe(1);
      await expect(
        erase(ctx, { contact: '+5541900000009', secretKey: SECRET, batchSize: 9 }),
      ).rejects.toMatchObject({ code: 'unknown_contact' });
    },
  );

  backend.once('keeps the person out of a database that has nothing of them yet, in any order', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await eraseAna(testContext(store, KEYED));
    const shuffled = [...LOG.slice(6), ...LOG.slice(0, 6)];
    await replayBodies(store, shuffled.map(wrapped), { ...KEYED, batchSize: 1 });
    expect(await traces(store)).toEqual([]);
    // An unreadable line, and one whose wrapper names her.
    await replayBodies(store, [`{"broken": "${ANA}"`, { peer: ANA, body: JSON.stringify(TOGETHER) }], KEYED);
    expect(await traces(store)).toEqual([]);
    await clean(store);
  });

  it('needs the key as soon as somebody was erased, and works under another one', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await expect(
      erase(testContext(store), { contact: ANA, secretKey: null, batchSize: 9 }),
    ).rejects.toMatchObject({
      code: 'secret_key_missing',
      remedy: expect.stringContaining('create one with') as string,
    });
    await eraseAna(testContext(store, KEYED));
    // A new key would not know her: whatever is to be sealed next needs the old one.
    const [connection] = await readConnections(store.sql);
    const token = { text: 'EAAtoken0123456789', place: 'the test' };
    for (const work of [
      () => erase(testContext(store), { contact: BRU, secretKey: null, batchSize: 9 }),
      () =>
        storeToken(testContext(store), connection?.id ?? '', token, {
          secretKey: null,
          organization: undefined,
        }),
    ]) {
      const refused: unknown = await work().catch((error: unknown) => error);
      expect(refused).toMatchObject({
        code: 'secret_key_missing',
        remedy: [
          expect.stringContaining('to the key with which they were erased') as string,
          { command: 'erase' },
        ],
      });
      expect(JSON.stringify(refused)).not.toContain('openssl');
    }
    const before = await value(store, `select count(*)::int from webhook_log`);
    await expect(replayBodies(store, LOG.map(wrapped))).rejects.toMatchObject({ code: 'secret_key_missing' });
    expect(await value(store, `select count(*)::int from webhook_log`)).toBe(before);
    await replayLog(store, { which: 'all' });

    expect(await rekey(testContext(store), SECRET, OTHER_SECRET)).toMatchObject({ erased: 1 });
    await expect(replayBodies(store, LOG, KEYED)).rejects.toMatchObject({ code: 'secret_key_wrong' });
    await replayBodies(store, LOG.map(wrapped), { secretKey: () => OTHER_SECRET });
    expect(await traces(store)).toEqual([]);
  });

  it('reaches the journal of merges and of discarded entries, and leaves the files of others', async () => {
    const store = await backend.open();
    const directory = await mkdtemp(join(tmpdir(), 'erase-'));
    // Two leads that turn out to be one: the merge is in the journal.
    await replayBodies(store, [webLive('W1', 1, { pushName: 'Ana Maria' }, { remoteJid: ANA_LID })]);
    await replayBodies(store, [LOG[0]]);
    await replayBodies(store, [...LOG, live('PIC', 80, { from: BRU })]);
    expect(
      await value(store, `select count(*)::int from change_journal where before::text like '%@lid%'`),
    ).toBeGreaterThan(0);
    await replayBodies(store, [`{"object": "whatsapp_business_account", "entry": "${ANA}`]);
    const entry = await value(
      store,
      `select id from webhook_log where status in ('failed', 'unrecognized') limit 1`,
    );
    await rawDiscard(testContext(store), { entries: [String(entry)], apply: true, recordedOptions: {} });
    expect(await value(store, `select count(*)::int from discarded_bodies`)).toBe(1);
    // Both sent one file: it is on record once.
    const shared = join(directory, 'shared.jpg');
    await writeFile(shared, 'x');
    await store.sql.execute(`update messages set media = '{"id": "M1"}' where external_id in ($1, $2)`, [
      wamid('A1'),
      wamid('PIC', BRU),
    ]);
    await store.sql.execute(
      `insert into media_files (connection_id, media_id, message_id, state, attempts, first_tried_at, tried_at, sha256, size, path)
       select connection_id, 'M1', external_id, 'fetched', 1, now(), now(), 'ab', 1, $1 from messages where external_id = $2`,
      [shared, wamid('A1')],
    );
    await eraseAna(testContext(store, KEYED));
    expect(await traces(store)).toEqual([]);
    expect(await value(store, `select json_agg(message_id) from media_files`)).toEqual([wamid('PIC', BRU)]);
    expect(existsSync(shared)).toBe(true);
  });

  backend.once(
    'keeps out what a CRM or a phone’s chat still has of the person, and undo of that run works',
    async () => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      const connection = { id: String(await value(store, `select id from connections limit 1`)), name: 'x' };
      const ctx = testContext(store, KEYED);
      await eraseAna(ctx);
      const row = (phone: string, id: string) => ({
        bytes: Buffer.from(
          JSON.stringify({
            crm: 'evolution',
            message: {
              external_id: id,
              direction: 'INBOUND',
              people: [`+${phone}`],
              timestamp: 1_758_000_300,
              type: 'text',
              body: id,
            },
            row: { remoteJid: `${phone}@s.whatsapp.net`, pushName: 'Ana Maria' },
          }),
        ),
        origin: { kind: 'crm' as const, crm: 'evolution' as const, rowId: id },
      });
      async function* entries() {
        yield row(ANA, 'CRM-A');
        yield await Promise.resolve(row(BRU, 'CRM-B'));
      }
      const run = await replayAdopted(ctx, {
        crm: 'evolution',
        connection,
        entries: entries(),
        dryRun: false,
      });
      expect(run.messages).toMatchObject({ created: 1, skipped: { erased: 1 } });
      expect((await traces(store)).filter((word) => word !== 'Ana Maria')).toEqual([]);
      expect(await value(store, `select count(*)::int from messages where body = 'CRM-B'`)).toBe(1);
      await clean(store);
      expect(
        (await undo(ctx, { run: run.runId, dryRun: false, force: false, recordedOptions: {} })).status,
      ).toBe('completed');
      await clean(store);
    },
  );

  backend.once('keeps out what the phone sends of the person', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    const ctx = testContext(store, KEYED);
    await eraseAna(ctx);
    const [connection] = await readConnections(store.sql);
    if (connection === undefined) throw new Error('no connection');
    const newId = createIdGenerator(Date.now);
    const where = { register: false, connection: connection.id };
    await expect(openDirectory(store.sql, where, newId, testContext(store))).rejects.toMatchObject({
      code: 'secret_key_missing',
    });
    const directory = await openDirectory(store.sql, where, newId, ctx);
    const run = { runId: newId(), newId };
    const keeper = new RawKeeper(ctx, { connection, directory, secretKey: SECRET, run });
    const ofBru = { remoteJid: `${BRU}@s.whatsapp.net` };
    for (const messages of [
      [webMessage('P1', -9000), webMessage('P2', -9001, {}, ofBru)],
      [webMessage('P3', -9002, {}, { remoteJid: ANA_LID })],
      [webMessage('P4', -9003, {}, ofBru)],
    ])
      keeper.keep(Buffer.from(JSON.stringify(webHistory(messages))));
    await keeper.flush();
    expect(await traces(store)).toEqual([]);
    const pending = await replayLog(store, { which: 'pending' });
    expect(pending.messages.created).toBe(2);
    expect(
      await value(
        store,
        `select json_agg(external_id order by external_id) from messages where external_id like 'P%'`,
      ),
    ).toEqual(['P2', 'P4']);
    expect(await value(store, `select count(*)::int from webhook_log where status = 'pending'`)).toBe(0);
    await clean(store);
  });

  backend.once('is lifted when the person agrees, and only then', async () => {
    const store = await backend.open();
    const ctx = testContext(store, KEYED);
    await replayBodies(store, LOG);
    await expect(allowErased(ctx, ANA)).rejects.toMatchObject({ code: 'not_erased' });
    await eraseAna(ctx);
    await replayBodies(store, [live('NEW', 900)], KEYED);
    expect(await value(store, `select count(*)::int from leads where phone_number = '+${ANA}'`)).toBe(0);
    expect(await allowErased(ctx, ANA_LID)).toMatchObject({ action: 'allowed', allowed: 1 });
    await replayBodies(store, [live('NEW2', 901)]);
    expect(
      await value(
        store,
        `select json_agg(body) from messages where external_id is not null and lead_id in (select id from leads where phone_number = '+${ANA}')`,
      ),
    ).toEqual(['NEW2']);
    await clean(store);
  });

  backend.once('goes on where it was stopped', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    for (let steps = 1; ; steps += 1) {
      if (steps > 60) throw new Error('it never ends');
      const dying = dyingStore(store, steps);
      const ended = await eraseAna({ ...testContext(store, KEYED), store: dying }).catch(() => null);
      // Whatever there is: nothing brings the person back.
      if (steps > 1) await replayBodies(store, [wrapped(live(`K${steps}`, 500 + steps))], KEYED);
      if (ended !== null) break;
    }
    expect(await traces(store)).toEqual([]);
    expect(await value(store, `select count(*)::int from erasures where completed_at is not null`)).toBe(1);
    await clean(store);
  });
});

/** What of Bru differs after something happened. */
async function keepBru(store: Store): Promise<() => Promise<string[]>> {
  const read = async (): Promise<string[]> => {
    const rows = await store.sql.query(
      `select to_jsonb(m)::text as row from messages m where lead_id in (select id from leads where phone_number = '+${BRU}')
       union all select to_jsonb(l)::text from leads l where phone_number = '+${BRU}'
       union all select to_jsonb(c)::text from conversations c where lead_id in (select id from leads where phone_number = '+${BRU}')
       union all select to_jsonb(t)::text from tickets t where lead_id in (select id from leads where phone_number = '+${BRU}')
       union all select to_jsonb(i)::text from lead_identities i where value = '+${BRU}'
       union all select (to_jsonb(r) - 'path')::text from rejects r where excerpt like '%${BRU}%'
       order by 1`,
    );
    return rows.map(({ row }) => String(row));
  };
  const before = await read();
  expect(before.length).toBeGreaterThan(6);
  return async () => {
    const after = new Set(await read());
    return before.filter((row) => !after.has(row));
  };
}
