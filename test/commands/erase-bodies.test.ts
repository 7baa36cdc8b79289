import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { eraseBodies } from '../../src/commands/erase/erase-bodies.js';
import { report } from '../../src/commands/report/report.js';
import { CHECK_NAMES } from '../../src/commands/verify/types.js';
import { verify } from '../../src/commands/verify/verify.js';
import type { JsonObject } from '../../src/model/json.js';
import type { Store } from '../../src/store/store.js';
import { findingsBeside } from '../support/checking.js';
import { describeOnServer } from '../support/databases.js';
import { ask } from '../support/explaining.js';
import { night } from '../support/nights.js';
import { replayBodies, replayLog, testContext } from '../support/replaying.js';
import { reportOptions } from '../support/reporting.js';
import { value } from '../support/shown.js';
import {
  addressBook,
  ANA,
  BRU,
  echo,
  item,
  live,
  liveFrom,
  old,
  status,
  wamid,
  webhook,
  webLive,
} from '../support/webhooks.js';

const RUN = '0199f2a4-7c31-7000-8000-5d2f4c6a1b3e';
const ANA_IS = { names: new Set([`+${ANA}`]), words: [ANA, 'Ana Maria'], messages: new Set<string>() };

/** Entries with nothing but Ana, entries with her and Bru, and a quote of hers. */
const TOGETHER = webhook('messages', {
  contacts: [
    { profile: { name: 'Ana Maria' }, wa_id: ANA },
    { profile: { name: 'Bru' }, wa_id: BRU },
  ],
  messages: [
    item('A1', 0),
    item('B1', 1, { from: BRU }),
    item('A2', 2),
    item('B2', 3, { from: BRU, id: undefined }),
  ],
});
const THREADS = webhook('history', {
  history: [
    {
      metadata: { phase: 0, chunk_order: 1, progress: 100 },
      threads: [
        { id: ANA, messages: [old('AH', -900)] },
        { id: BRU, messages: [old('BH', -800, { from: BRU })] },
      ],
    },
  ],
});
const LOG = [
  liveFrom('Ana Maria', 'A0', -10),
  TOGETHER,
  THREADS,
  status('A0', 'read', 5),
  echo('E1', 20),
  addressBook('add', { full_name: 'Ana Maria', phone_number: ANA }, 30),
  live('B3', 40, { from: BRU }),
  // In a wrapper, as text in text.
  { level: 'info', body: JSON.stringify({ ...TOGETHER, received: 1 }) },
  live('Q', 50, { from: BRU, context: { from: ANA, id: wamid('A1') }, text: { body: `call ${ANA}` } }),
  webLive('G', 60, {}, { remoteJid: '120363000000000001@g.us', participant: `${ANA}@s.whatsapp.net` }),
] satisfies JsonObject[];

const emptyBodies = (store: Store) => eraseBodies(testContext(store), RUN, ANA_IS, () => Promise.resolve());

/** What a person’s erasure removes of the other tables, in short. */
async function eraseRows(store: Store): Promise<void> {
  for (const sql of [
    `delete from tickets where lead_id in (select id from leads where phone_number = '+${ANA}')`,
    `delete from messages where lead_id in (select id from leads where phone_number = '+${ANA}')`,
    `delete from conversations where lead_id in (select id from leads where phone_number = '+${ANA}')`,
    `delete from lead_identities where value = '+${ANA}'`,
    `delete from sync_logs where lead_id in (select id from leads where phone_number = '+${ANA}')`,
    `delete from leads where phone_number = '+${ANA}'`,
  ])
    await store.sql.execute(sql);
}

/** What other people have; where an item stands in its entry changes if one before it goes. */
async function others(store: Store): Promise<unknown> {
  const read = (table: string): Promise<unknown> =>
    store.sql.query(
      `select (to_jsonb(t) - 'path')::text as row from ${table} t where to_jsonb(t)::text not like '%${ANA}%' order by 1`,
    );
  return Promise.all(['leads', 'lead_identities', 'rejects', 'history_chunks'].map(read));
}

const findings = (store: Store): Promise<string[]> => findingsBeside(store, ['rejects']);

function record(store: Store): Promise<number> {
  return store.sql.execute(
    `insert into sync_runs (id, command, options, status, host, pid, started_at) values ($1, 'erase', '{}', 'completed', '', 1, now())`,
    [RUN],
  );
}

describeOnServer('bodies without an erased person', (backend) => {
  it('hold nothing of them, and read as before for everybody else', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await record(store);
    const before = await others(store);
    expect(await emptyBodies(store)).toEqual({
      erased: 5,
      redacted: 3,
      items: 10,
      others: 0,
      mentions: 1,
    });
    await eraseRows(store);

    expect(await others(store)).toEqual(before);
    const left = await store.sql.query(
      `select convert_from(raw_body, 'UTF8') as body from webhook_log
       where convert_from(raw_body, 'UTF8') ~ '${ANA}|Ana Maria' or '+${ANA}' = any(chat_ids)`,
    );
    // Bru quotes her, and has her number in a text.
    expect(left.map(({ body }) => JSON.parse(String(body)) as unknown)).toEqual([LOG[8]]);
    expect(await findings(store)).toEqual([]);
    const { connections } = await report(testContext(store), reportOptions());
    const accounts = connections.map(({ accounts: of }) => of);
    expect(accounts.reduce((sum, { explained }) => sum + (explained['skipped.erased'] ?? 0), 0)).toBe(8);
    expect(accounts.map(({ unexplained }) => unexplained)).toEqual([0, 0]);
    // The accounts are of messages; verify says how many of all items these are.
    const { checks } = await verify(testContext(store), { checks: new Set(['raw_bodies']), enforce: false });
    expect(checks[0]?.summary).toContain('(10 items erased, 8 of them messages)');
    const [entry] = await store.sql.query(`select id from webhook_log where body_state = 'erased' limit 1`);
    expect((await ask(store, `log:${String(entry?.['id'])}`)).verdict).toContain('its body was erased');

    // The log itself, and a night, bring nothing back; a second time there is nothing to do.
    await replayLog(store, { which: 'all' });
    await night(store, { full: true, apply: true });
    expect(await value(store, `select count(*)::int from leads where phone_number = '+${ANA}'`)).toBe(0);
    expect(await others(store)).toEqual(before);
    expect(await findings(store)).toEqual([]);
    expect(await emptyBodies(store)).toEqual({
      erased: 0,
      redacted: 0,
      items: 0,
      others: 0,
      mentions: 1,
    });
  });

  it('go as a whole where the person cannot be separated, and what they held of others stays in the database', async () => {
    const store = await backend.open();
    // Text around it: it cannot be written anew.
    await replayBodies(store, [`2025-09-16T05:20:00Z INFO webhook ${JSON.stringify(TOGETHER)}`, LOG[0]]);
    await record(store);
    expect(await emptyBodies(store)).toMatchObject({
      erased: 2,
      redacted: 0,
      others: 3,
    });
    await eraseRows(store);
    expect(await findings(store)).toEqual([]);
    await night(store, { full: true, apply: true });
    expect(await value(store, `select json_agg(body) from messages`)).toEqual(['B1']);
    expect(await findings(store)).toEqual([]);
  });

  it('are no forgery for want of their signature, and a forgery with the person in it goes as a whole', async () => {
    const store = await backend.open();
    const body = JSON.stringify(TOGETHER);
    const signed = (secret: string, more: object) => {
      const signature = createHmac('sha256', secret).update(body).digest('hex');
      return { headers: { 'X-Hub-Signature-256': `sha256=${signature}` }, body, ...more };
    };
    const appSecrets = ['the app’s'];
    await replayBodies(store, [signed('the app’s', {}), signed('another', { at: 1 })], { appSecrets });
    await record(store);
    expect(await emptyBodies(store)).toMatchObject({ erased: 1, redacted: 1 });
    await eraseRows(store);
    await replayLog(store, { which: 'all' }, { appSecrets });
    const { checks } = await verify(testContext(store, { appSecrets }), {
      checks: new Set(CHECK_NAMES),
      enforce: false,
    });
    expect(checks.filter(({ status: how }) => how === 'findings').map(({ check }) => check)).toEqual([
      'rejects',
    ]);
    expect(await value(store, `select json_agg(body) from messages`)).toEqual(['B1']);
  });

  it('take the person out of what nobody could read, and of what entries are found by', async () => {
    const store = await backend.open();
    await replayBodies(store, [`{"broken": "${ANA}"`, LOG[0]]);
    await record(store);
    // Pruned before: nothing is left of it but whom it was about.
    await store.sql.execute(
      `update webhook_log set raw_body = '', body_state = 'pruned', body_run_id = '${RUN}', body_messages = 0 where status = 'processed'`,
    );
    await store.sql.execute(
      `insert into change_journal (run_id, table_name, key, before) values ('${RUN}', 'raw_bodies', '{}', '{"rows": 1}')`,
    );
    await emptyBodies(store);
    const log = await store.sql.query(
      `select body_state, raw_body, to_jsonb(w)::text as row from webhook_log w order by id`,
    );
    expect(log.map(({ body_state: state }) => state)).toEqual(['erased', 'pruned']);
    for (const { row, raw_body: bytes } of log) {
      expect(String(row)).not.toContain(ANA);
      expect(bytes).toHaveLength(0);
    }
  });

  it('are found where somebody tampers with them', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await record(store);
    await emptyBodies(store);
    await eraseRows(store);
    await store.sql.execute(
      `update webhook_log set raw_body = convert_to(replace(convert_from(raw_body, 'UTF8'), 'B1', 'B9'), 'UTF8') where body_state = 'redacted'`,
    );
    expect((await findings(store)).map((found) => found.split(':')[0])).toContain('raw_log');
  });
});
