import { expect, it } from 'vitest';
import { dedupe } from '../../../src/commands/dedupe/dedupe.js';
import { DUPLICATE_CLASSES } from '../../../src/commands/dedupe/result.js';
import { CHECK_NAMES, type CheckName, type CheckResult } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { typed } from '../../support/checking.js';
import { dropUniqueIndexes, restoreUniqueIndexes } from '../../support/damage.js';
import { addConnection } from '../../support/connections.js';
import { describeOnBackends, describeOnServer, TEST_OPTIONS } from '../../support/databases.js';
import { replayBodies, replayLog, testContext } from '../../support/replaying.js';
import {
  ANA,
  BRU,
  echo,
  edit,
  history,
  live,
  old,
  oldOut,
  reaction,
  revoke,
  SECOND,
  status,
  wamid,
  webHistory,
  webLive,
  webMessage,
} from '../../support/webhooks.js';

const LOG = [
  history([old('H1', -900), oldOut('H2', -800)], { progress: 100 }),
  live('A1', 0),
  live('A2', 10),
  echo('A3', 20),
  status('A3', 'delivered', 21),
  edit('A1', 'A1-edited', 30, { type: 'text', text: { body: 'A1, better' } }),
  reaction('A2', 40, '👍'),
  live('B1', 50, { from: BRU }),
];

interface Ailment {
  title: string;
  check: CheckName;
  /** What is damaged; of a connection that exists already, and that WhatsApp Web tells of as well. */
  log?: unknown[];
  damage: (store: Store) => Promise<unknown>;
  remedy: string;
  /** What the remedy leaves to people. */
  leaves?: number;
  /** Drops unique indexes. */
  dropsIndexes?: boolean;
}

const A2 = `external_id = '${wamid('A2')}'`;
const copyOf = (condition: string, columns: string): string =>
  `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()) || '${columns}')).*
   from messages m where ${condition}`;
const sql =
  (...statements: string[]) =>
  async (store: Store): Promise<void> => {
    for (const statement of statements) await store.sql.execute(statement);
  };

const DEDUPE = 'wa-reconcile dedupe --apply';
/** More than 5 % of so few messages. */
const DEDUPE_MANY = 'wa-reconcile dedupe --apply --force';
const ENFORCE = 'wa-reconcile verify --enforce';
const REPLAY_ALL = 'wa-reconcile replay --all';
const REPLAY_FILE = 'wa-reconcile replay FILE';

const AILMENTS: Ailment[] = [
  {
    title: 'two rows of one message',
    check: 'duplicate_ids',
    damage: sql(copyOf(A2, '{"external_id": "A2"}')),
    remedy: DEDUPE_MANY,
  },
  {
    title: 'a copy without an id, and a row that nothing can name',
    check: 'missing_ids',
    damage: sql(
      copyOf(A2, '{"external_id": null}'),
      copyOf(A2, '{"external_id": "", "stanza_id": null, "body": "else"}'),
    ),
    remedy: DEDUPE_MANY,
    leaves: 1,
  },
  {
    title: 'two conversations',
    check: 'one_conversation',
    dropsIndexes: true,
    damage: async (store) => {
      await dropUniqueIndexes(store, ['conversation']);
      await sql(
        `insert into conversations (id, connection_id, lead_id)
         select gen_random_uuid(), connection_id, lead_id from conversations limit 1`,
      )(store);
    },
    remedy: DEDUPE,
  },
  {
    title: 'a lead without its phone number',
    check: 'consistency',
    damage: sql(`update leads set phone_number = null`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a lead without its names',
    check: 'consistency',
    damage: sql(`delete from lead_identities`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a message that is gone',
    check: 'raw_log',
    damage: sql(`delete from messages where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a text that was blanked',
    check: 'raw_log',
    damage: sql(`update messages set body = null where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a text that was cut short',
    check: 'raw_log',
    damage: sql(`update messages set body = 'A' where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a direction that was turned around',
    check: 'raw_log',
    damage: sql(`update messages set direction = 'OUTBOUND' where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a time that was changed',
    check: 'raw_log',
    damage: sql(`update messages set timestamp = timestamp + interval '1 minute' where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a text that was replaced by one that merging would keep',
    check: 'raw_log',
    damage: sql(`update messages set body = 'zzz' where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a time that was set back',
    check: 'raw_log',
    damage: sql(`update messages set timestamp = timestamp - interval '1 minute' where ${A2}`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'an echo that was turned around',
    check: 'raw_log',
    damage: sql(`update messages set direction = 'INBOUND' where external_id = '${wamid('A3')}'`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a type, a reply and a key id that were replaced',
    check: 'raw_log',
    log: [
      live('R1', 0),
      live('R2', 5, { context: { from: '5511900000000', id: wamid('R1') } }),
      live('R3', 9, {
        type: 'image',
        text: undefined,
        image: { id: 'm1', mime_type: 'image/jpeg', sha256: 'a' },
      }),
    ],
    damage: sql(
      `update messages set type = 'video', stanza_id = 'OTHER' where external_id = '${wamid('R1')}'`,
      `update messages set context_external_id = 'zzz' where external_id = '${wamid('R2')}'`,
      `update messages set media = media || '{"id": "zzz"}' where external_id = '${wamid('R3')}'`,
    ),
    remedy: REPLAY_ALL,
  },
  {
    title: 'the text of an edit that was replaced',
    check: 'raw_log',
    damage: sql(`update messages set body = 'zzz' where external_id = '${wamid('A1')}'`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'an earlier version that was replaced',
    check: 'raw_log',
    damage: sql(`update message_revisions set body = 'zzz'`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a revoke that was put at another time',
    check: 'raw_log',
    damage: async (store) => {
      await replayBodies(store, [live('A7', 70), revoke('A7', 71)]);
      await sql(`update messages set deleted_at = '2020-01-01' where external_id = '${wamid('A7')}'`)(store);
    },
    remedy: REPLAY_ALL,
  },
  {
    title: 'a status that stepped down',
    check: 'raw_log',
    damage: sql(`update messages set status = 'sent' where external_id = '${wamid('A3')}'`),
    remedy: REPLAY_ALL,
  },
  {
    title: 'an edit that was undone',
    check: 'raw_log',
    damage: sql(
      'delete from message_revisions',
      `update messages set body = 'A1', edited_at = null, edit_external_id = null where external_id = '${wamid('A1')}'`,
    ),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a reaction that is gone',
    check: 'raw_log',
    damage: sql('delete from message_reactions'),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a revoke that was undone',
    check: 'raw_log',
    damage: async (store) => {
      await replayBodies(store, [live('A7', 70), revoke('A7', 71)]);
      await sql(
        `delete from message_revisions where message_id = (select id from messages where external_id = '${wamid('A7')}')`,
        `update messages set deleted_at = null, body = 'A7' where external_id = '${wamid('A7')}'`,
      )(store);
    },
    remedy: REPLAY_ALL,
  },
  {
    title: 'a message that is with another lead',
    check: 'raw_log',
    damage: sql(
      `update messages set (conversation_id, lead_id) = (
         select c.id, c.lead_id from conversations c join leads l on l.id = c.lead_id where l.phone_number = '+${BRU}'
       ) where ${A2}`,
    ),
    remedy: REPLAY_ALL,
  },
  {
    title: 'a reject that is on record no more',
    check: 'raw_log',
    damage: async (store) => {
      await replayBodies(store, [
        live('C1', 90, { id: undefined }),
        live('B9', 95, { from: BRU, id: wamid('A2') }),
      ]);
      await sql('delete from rejects')(store);
    },
    remedy: REPLAY_ALL,
  },
  {
    title: 'a message that is there under both of its names',
    check: 'raw_log',
    log: [
      webHistory([webMessage('3AKEY', 0)], { lidPnMappings: [] }),
      live('3AKEY', 1),
      webLive('3AOTHER', 50),
    ],
    damage: sql(copyOf(`external_id = '${wamid('3AKEY')}'`, '{"external_id": "3AKEY"}')),
    remedy: DEDUPE,
  },
  {
    title: 'a raw entry whose bytes were changed, and its text and its neighbor with them',
    check: 'raw_log',
    damage: sql(
      `update webhook_log set raw_body = convert_to(replace(convert_from(raw_body, 'UTF8'), '"A2"', '"X2"'), 'UTF8')
       where id = (select batch_id from messages where ${A2})`,
      `update messages set body = 'X2' where ${A2}`,
    ),
    remedy: REPLAY_FILE,
  },
  {
    title: 'a raw entry whose bytes are broken',
    check: 'raw_log',
    damage: sql(
      `update webhook_log set raw_body = substring(raw_body from 1 for 50)
       where id = (select batch_id from messages where ${A2})`,
    ),
    remedy: REPLAY_FILE,
  },
  {
    title: 'a raw entry that is gone',
    check: 'raw_entry',
    damage: sql(
      `delete from webhook_log where id = (select batch_id from messages where ${A2})`,
      `update messages set body = 'zzz' where ${A2}`,
    ),
    remedy: REPLAY_FILE,
  },
  {
    title: 'all raw entries that are gone',
    check: 'raw_entry',
    damage: sql('delete from webhook_log'),
    remedy: REPLAY_FILE,
  },
  {
    title: 'entries that failed, and can be read now',
    check: 'raw_log',
    damage: sql(`update webhook_log set status = 'failed'`),
    remedy: 'wa-reconcile replay --failed',
  },
  {
    title: 'entries that were never replayed',
    check: 'raw_log',
    damage: sql(`update webhook_log set status = 'pending'`),
    remedy: 'wa-reconcile replay',
  },
  {
    title: 'entries of an unknown connection',
    check: 'raw_log',
    damage: (store) => replayBodies(store, [live('S1', 0, {}, SECOND)], { register: false }),
    remedy: 'wa-reconcile replay --register',
  },
  {
    title: 'a status that waits for a message of another program',
    check: 'pending_facts',
    damage: async (store) => {
      await replayBodies(store, [status('E1', 'read', 60)]);
      await sql(
        `update pending_facts set created_at = current_timestamp - interval '2 days'`,
        copyOf(
          `external_id = '${wamid('A3')}'`,
          `{"external_id": "${wamid('E1')}", "stanza_id": "E1", "batch_id": null, "status": "sent"}`,
        ),
      )(store);
    },
    remedy: REPLAY_ALL,
  },
  {
    title: 'several open tickets',
    check: 'one_open_ticket',
    dropsIndexes: true,
    damage: async (store) => {
      await dropUniqueIndexes(store, ['ticket']);
      await sql(
        `insert into tickets select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).* from tickets t`,
      )(store);
    },
    remedy: DEDUPE,
  },
  {
    title: 'tickets with another window and another origin',
    check: 'ticket_rules',
    damage: sql(`update tickets set message_window_expires_at = '2025-01-01', originated_from = 'existing'`),
    remedy: ENFORCE,
  },
  {
    title: 'tickets that were opened, and spoken of, at other times',
    check: 'ticket_rules',
    damage: sql(
      `update tickets set opened_at = opened_at - interval '1 day', last_inbound_at = last_inbound_at + interval '1 day'`,
    ),
    remedy: ENFORCE,
  },
  {
    title: 'tickets that name no message',
    check: 'ticket_rules',
    damage: sql(`update tickets set opened_by_external_id = null, last_inbound_at = null`),
    remedy: ENFORCE,
  },
  {
    title: 'a ticket that rests on no live message, and another one that is only late',
    check: 'ticket_rules',
    damage: sql(
      `update tickets set last_inbound_at = null`,
      `update messages set evidence = evidence & ~15 | 3 where external_id = '${wamid('B1', BRU)}'`,
    ),
    remedy: ENFORCE,
    leaves: 1,
  },
  {
    title: 'conversations and leads with other times',
    check: 'conversation_times',
    damage: sql(
      `update conversations set first_message_at = null, first_message_source = 'app_echo'`,
      `update leads set last_message_at = '2030-01-01'`,
    ),
    remedy: ENFORCE,
  },
  {
    title: 'a chunk of the history that another log holds',
    check: 'history_ledger',
    damage: (store) => replayBodies(store, [history([old('H4', -600)], { order: 3, progress: 100 })]),
    remedy: 'wa-reconcile replay LOG',
  },
  {
    title: 'two leads with one phone',
    check: 'consistency',
    dropsIndexes: true,
    damage: async (store) => {
      await dropUniqueIndexes(store, ['phone']);
      await sql(
        `insert into leads select (jsonb_populate_record(l, '{"id": "00000000-0000-7000-8000-00000000000a", "last_message_at": null}')).*
         from leads l where phone_number = '+${ANA}'`,
      )(store);
    },
    remedy: DEDUPE,
  },
  {
    title: 'a missing index',
    check: 'unique_index',
    dropsIndexes: true,
    damage: (store) => dropUniqueIndexes(store),
    remedy: ENFORCE,
  },
];

describeOnBackends('the remedy that verify names mends', (backend) => {
  it.each(backend.some(AILMENTS, ({ check, remedy }) => `${check} ${remedy}`))(
    '$check: $title',
    async ({ check, log, damage, remedy, leaves = 0, dropsIndexes = false }) => {
      const store = await backend.open(dropsIndexes ? restoreUniqueIndexes : undefined);
      try {
        if (log !== undefined) await addConnection(store);
        await replayBodies(store, log ?? LOG);
        await damage(store);
        const found = await look(store, check);
        expect({ status: found.status, remedy: typed(found.remedy) }).toEqual({ status: 'findings', remedy });
        // Changed bytes are neither believed nor stored as an entry of their own.
        if (remedy === REPLAY_FILE) await follow(store, REPLAY_ALL);
        await follow(store, remedy);
        if (remedy === REPLAY_FILE) await expectSound(store);
        const left = await look(store, check);
        expect({ found: left.status === 'findings' ? left.found : 0, samples: left.samples }).toEqual({
          found: leaves,
          samples: leaves === 0 ? [] : (expect.anything() as unknown),
        });
        // The same advice is not given again for what it leaves.
        if (leaves > 0)
          expect(typed(left.remedy)).toBe(check === 'missing_ids' ? 'wa-reconcile reconcile --apply' : null);
      } finally {
        await store.close();
      }
    },
  );
});

describeOnServer('verify advises a restore before --enforce', (backend) => {
  it('where derived values are wrong for want of a message, and finds nothing afterwards', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute(`delete from messages where external_id = '${wamid('B1', BRU)}'`);
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    const found = checks.filter(({ status }) => status === 'findings');
    expect(found.map(({ check }) => check)).toEqual(
      expect.arrayContaining(['raw_log', 'conversation_times']) as unknown,
    );
    expect([...new Set(found.flatMap(({ remedy }) => typed(remedy) ?? []))]).toEqual([REPLAY_ALL]);
    await follow(store, REPLAY_ALL);
    await expectSound(store);
  });

  it('advises to restore lost messages, before anybody closes tickets for the lack of them', async () => {
    const store = await backend.open();
    await replayBodies(store, LOG);
    await store.sql.execute('delete from messages');
    const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
    const tickets = checks.find(({ check }) => check === 'ticket_rules');
    expect(tickets?.summary).toBe(
      '2 open tickets do not follow the open/close rules; 2 of them have no live message in the database',
    );
    expect(typed(tickets?.remedy)).toBe(REPLAY_ALL);
    await follow(store, REPLAY_ALL);
    await expectSound(store);
  });
});

describeOnServer(
  'where only people can decide, verify names no command that would be of no use',
  (backend) => {
    it.each<[string, string, CheckName, string | null, string]>([
      [
        'a message with somebody else than the one in its id',
        `update leads set phone_number = '+5511955555555' where phone_number = '+${BRU}'`,
        'wamid_phone',
        `wa-reconcile explain ${wamid('B1', BRU)}`,
        '1 message is with a lead other than the phone in the id',
      ],
      [
        'a ticket that rests on no live message',
        `update messages set evidence = evidence & ~15 | 3 where external_id = '${wamid('B1', BRU)}'`,
        'ticket_rules',
        null,
        '1 of them has no live message in the database: close or keep by hand',
      ],
      [
        'a fact of no entry that waits for a message of no entry',
        `with lost as (update messages set batch_id = null where ${A2} returning *)
       insert into pending_facts (connection_id, target_external_id, kind, fact_key, at, payload, created_at)
       select connection_id, external_id, 'status', 'read 1', timestamp, '{"status": "read"}', current_timestamp - interval '2 days'
       from lost`,
        'pending_facts',
        `wa-reconcile explain ${wamid('A2')}`,
        '1 update not applied although the target message is stored',
      ],
    ])('%s', async (_title, damage, check, remedy, summary) => {
      const store = await backend.open();
      await replayBodies(store, LOG);
      if (check === 'wamid_phone') await store.sql.execute('delete from lead_identities');
      await store.sql.execute(damage);
      const found = await look(store, check);
      expect({ status: found.status, remedy: typed(found.remedy) }).toEqual({ status: 'findings', remedy });
      expect(found.summary).toContain(summary);
      // Where the log has the entry, it is told what the log says; here nothing is left that could tell.
      if (check !== 'raw_log') await store.sql.execute('delete from webhook_log');
      for (const vain of [DEDUPE, ENFORCE, REPLAY_ALL]) await follow(store, vain);
      expect((await look(store, check)).found).toBe(found.found);
    });

    it('a constraint that is gone, and says where its definition is', async () => {
      const store = await openStore(await backend.config(), TEST_OPTIONS);
      try {
        await store.sql.execute('alter table tickets drop constraint tickets_lead_id_fkey');
        expect(await look(store, 'consistency')).toMatchObject({
          found: 1,
          remedy: null,
          summary: '1 constraint missing or not validated: add by hand as in prisma/migrations',
        });
      } finally {
        await store.close();
      }
    });
  },
);

/** Every message of the log, each entry once and as it was, and nothing else. */
async function expectSound(store: Store): Promise<void> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  expect(checks.filter(({ status }) => status === 'findings')).toEqual([]);
  const [count] = await store.sql.query(
    `select count(*)::int as entries, count(*) filter (where status = 'processed')::int as processed from webhook_log`,
  );
  expect(count).toEqual({ entries: LOG.length, processed: LOG.length });
  const [row] = await store.sql.query(`select body from messages where ${A2}`);
  expect(row).toEqual({ body: 'A2' });
}

async function look(store: Store, check: CheckName): Promise<CheckResult> {
  const { checks } = await verify(testContext(store), { checks: new Set([check]), enforce: false });
  const [result] = checks;
  if (result === undefined) throw new Error(`${check} did not run`);
  return result;
}

/** Does what the command does. */
async function follow(store: Store, remedy: string): Promise<void> {
  switch (remedy) {
    case DEDUPE:
    case DEDUPE_MANY:
      await dedupe(testContext(store), {
        classes: new Set(DUPLICATE_CLASSES),
        apply: true,
        batchSize: 1000,
        force: true,
        recordedOptions: {},
      });
      return;
    case ENFORCE:
      await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: true });
      return;
    case REPLAY_ALL:
      await replayLog(store, { which: 'all' }, { register: false });
      return;
    case REPLAY_FILE:
      await replayBodies(store, LOG, { register: false });
      return;
    case 'wa-reconcile replay --failed':
      await replayLog(store, { which: 'failed' }, { register: false });
      return;
    case 'wa-reconcile replay':
      await replayLog(store, { which: 'pending' }, { register: false });
      return;
    case 'wa-reconcile replay --register':
      await replayLog(store, { which: 'pending' });
      return;
    case 'wa-reconcile replay LOG':
      await replayBodies(store, [history([old('H3', -700)], { order: 2, progress: 70 })]);
      return;
    default:
      throw new Error(`nobody knows how to follow ${remedy}`);
  }
}
