import { expect, it } from 'vitest';
import { CHECK_NAMES, type CheckName, type VerifyResult } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { typed } from '../../support/checking.js';
import { damagedConnection, dropUniqueIndexes, restoreUniqueIndexes } from '../../support/damage.js';
import { describeOnBackends, TEST_OPTIONS, type TestBackend } from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import {
  ANA,
  BRU,
  echo,
  history,
  live,
  old,
  oldOut,
  reaction,
  SECOND,
  edit,
  status,
  wamid,
  webhook,
} from '../../support/webhooks.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A sound database in which every check has something to look at. */
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

interface Damage {
  title: string;
  damage: (store: Store) => Promise<unknown>;
  /** It changes more than rows and unique indexes, so that no other test can use the database. */
  ownDatabase?: boolean;
  /** What is found, and how often. */
  finds: Partial<Record<CheckName, number>>;
  /** What is only noted. */
  notes?: CheckName[];
  remedy?: string | RegExp | null;
  /** A few words of the first sample. */
  sample?: RegExp;
}

const copyOf = (key: string, columns: string, phone = ANA): string =>
  `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()) || ${columns})).*
   from messages m where external_id = '${wamid(key, phone)}'`;

const DAMAGES: Damage[] = [
  {
    title: 'rejects: an item that was rejected, and an entry that is no JSON',
    damage: (store) =>
      replayBodies(store, [webhook('messages', { messages: [{ from: ANA, type: 'text' }] }), '{"a":']),
    finds: { rejects: 2 },
    notes: ['raw_log'],
    remedy: /^wa-reconcile explain log:/,
    sample: /1 entry is invalid JSON, the first at stdin:2/,
  },
  {
    title: 'unique_index: an index that is missing',
    damage: (store) => dropUniqueIndexes(store, ['same_id']),
    finds: { unique_index: 1 },
    remedy: 'wa-reconcile verify --enforce',
    sample: /messages_connection_id_external_id_key is missing on messages \(connection_id, external_id\)/,
  },
  {
    title: 'unique_index: an index of its name that is not unique',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(
        store,
        'create index messages_connection_id_external_id_key on messages (connection_id, external_id)',
      );
    },
    finds: { unique_index: 1 },
    sample: /is not unique/,
  },
  {
    title: 'unique_index: an index on the wrong columns',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(
        store,
        'create unique index messages_connection_id_external_id_key on messages (conversation_id, external_id)',
      );
    },
    finds: { unique_index: 1 },
    sample: /is on \(conversation_id, external_id\) instead of \(connection_id, external_id\)/,
  },
  {
    title: 'unique_index: an index over a part of the rows',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(
        store,
        `create unique index messages_connection_id_external_id_key on messages (connection_id, external_id) where direction = 'INBOUND'`,
      );
    },
    finds: { unique_index: 1 },
    sample: /covers only rows where/,
  },
  {
    title: 'unique_index: an index that compares ids by another collation',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(
        store,
        `create unique index messages_connection_id_external_id_key on messages (connection_id, external_id collate "POSIX")`,
      );
    },
    finds: { unique_index: 1 },
    sample: /another collation/,
  },
  {
    title: 'unique_index: one that covers every ticket instead of the open ones',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['ticket']);
      await run(store, 'create unique index tickets_one_open_per_conversation on tickets (conversation_id)');
    },
    finds: { unique_index: 1 },
    sample: /covers every row instead of those where status = 'open'/,
  },
  {
    title: 'unique_index: an index in another schema does not count',
    ownDatabase: true,
    damage: async (store) => {
      await run(store, 'create schema elsewhere');
      await run(store, 'create table elsewhere.messages as select * from messages');
      await dropUniqueIndexes(store, ['same_id']);
      await run(
        store,
        'create unique index messages_connection_id_external_id_key on elsewhere.messages (connection_id, external_id)',
      );
    },
    finds: { unique_index: 1 },
    sample: /is missing/,
  },
  {
    title: 'duplicate_ids: a second row of one id',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(store, copyOf('A2', `'{}'`));
    },
    finds: { unique_index: 1, duplicate_ids: 1 },
    remedy: 'wa-reconcile dedupe --apply --force',
    sample: /1 duplicate, /,
  },
  {
    title: 'duplicate_ids: one message under both of its names (M10)',
    damage: (store) => run(store, copyOf('A2', `'{"external_id": "A2"}'`)),
    finds: { duplicate_ids: 1 },
    remedy: 'wa-reconcile dedupe --apply --force',
    sample: /A2 is the id inside wamid/,
  },
  {
    title: 'missing_ids: a copy without an id, and a message that nothing can name',
    damage: async (store) => {
      await run(store, copyOf('A2', `'{"external_id": null}'`));
      await run(store, copyOf('A2', `'{"external_id": " ", "stanza_id": null, "body": "something else"}'`));
    },
    finds: { missing_ids: 2 },
    remedy: 'wa-reconcile dedupe --apply --force',
  },
  {
    title: 'missing_ids: a copy with the key id of the message, whatever else was changed in it',
    damage: (store) => run(store, copyOf('A2', `'{"external_id": null, "body": "something else"}'`)),
    finds: { missing_ids: 1 },
    remedy: 'wa-reconcile dedupe --apply --force',
    sample: /a duplicate of wamid/,
  },
  {
    title: 'missing_ids: what the raw log may restore under its id comes first',
    damage: (store) =>
      run(
        store,
        `update messages set external_id = null, body = 'something else' where external_id = '${wamid('A2')}'`,
      ),
    // The reaction to it has lost its message.
    finds: { raw_log: 1, consistency: 1, missing_ids: 1 },
    remedy: 'wa-reconcile reconcile --apply',
    sample: /is no duplicate/,
  },
  {
    title: 'missing_ids: nothing restores what the raw log has not',
    damage: (store) =>
      run(store, copyOf('A2', `'{"external_id": null, "stanza_id": null, "body": "something else"}'`)),
    finds: { missing_ids: 1 },
    remedy: null,
    sample: /is no duplicate/,
  },
  {
    title: 'collisions: one id in two conversations',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(store, copyOf('A2', `'{"external_id": "K", "stanza_id": null}'`));
      await run(store, copyOf('B1', `'{"external_id": "K", "stanza_id": null}'`, BRU));
    },
    // Nor does the raw entry that each names hold it.
    finds: { unique_index: 1, raw_log: 2, collisions: 1 },
    remedy: 'wa-reconcile explain K',
    sample: /2 messages in several conversations/,
  },
  {
    title: 'collisions: one id with two texts',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await run(store, copyOf('A2', `'{"body": "something else"}'`));
    },
    finds: { unique_index: 1, collisions: 1 },
    sample: /2 messages with different contents/,
  },
  {
    title: 'raw_log: a message under another id than its raw entry gives it',
    damage: (store) =>
      run(
        store,
        `update messages set external_id = 'wamid.FORGED' where external_id = '${wamid('B1', BRU)}'`,
      ),
    finds: { ticket_rules: 1, raw_log: 2 },
    remedy: 'wa-reconcile replay --all',
    sample: /./,
  },
  {
    title: 'raw_log: another reaction than the raw log has, of the same moment',
    damage: (store) => run(store, `update message_reactions set emoji = '👎'`),
    finds: { raw_log: 1 },
    remedy: 'wa-reconcile replay --all',
    sample: /reaction is neither applied nor pending/,
  },
  {
    title: 'raw_log: a history chunk of the log that the ledger lacks',
    damage: (store) => run(store, 'delete from history_chunks'),
    finds: { raw_log: 1 },
    remedy: 'wa-reconcile replay --all',
    sample: /history chunk 1 of phase 0 is not in the ledger/,
  },
  {
    title: 'ticket_rules: conversations whose newest live message has no ticket',
    damage: (store) => run(store, 'delete from tickets'),
    finds: {},
    notes: ['ticket_rules'],
    remedy: 'wa-reconcile replay --all',
    sample: /no ticket of its conversation is open or was closed since/,
  },
  {
    title: 'raw_log: a message of another connection than its raw entry names',
    damage: async (store) => {
      await damagedConnection(store, { name: 'other', phoneNumberId: '800000000000077' });
      await run(
        store,
        `with thread as (
           insert into conversations (id, lead_id, connection_id)
           select gen_random_uuid(), m.lead_id, o.id from messages m, connections o
           where o.name = 'other' and m.external_id = '${wamid('A3')}' returning id, connection_id
         )
         insert into messages select (jsonb_populate_record(m, jsonb_build_object(
           'id', gen_random_uuid(), 'connection_id', thread.connection_id, 'conversation_id', thread.id))).*
         from messages m, thread where m.external_id = '${wamid('A3')}'`,
      );
    },
    finds: { conversation_times: 1, raw_log: 1 },
    remedy: 'wa-reconcile verify --enforce',
    sample: /names a raw entry of another connection/,
  },
  {
    title: 'pending_facts: a status that has waited for two days',
    damage: async (store) => {
      await replayBodies(store, [status('NEVER-CAME', 'read', 60)]);
      await run(store, `update pending_facts set created_at = current_timestamp - interval '2 days'`);
    },
    finds: { pending_facts: 1 },
    remedy: `wa-reconcile explain ${wamid('NEVER-CAME')}`,
    sample: /status of .*: target message not received/,
  },
  {
    title: 'pending_facts: one whose message another program has written',
    damage: async (store) => {
      await run(
        store,
        `insert into pending_facts (connection_id, target_external_id, kind, fact_key, at, payload, created_at)
         select connection_id, external_id, 'status', 'read 1', timestamp, '{"status": "read"}', current_timestamp - interval '2 days'
         from messages where external_id = '${wamid('A2')}'`,
      );
    },
    finds: { pending_facts: 1 },
    remedy: 'wa-reconcile replay --all',
    sample: /its message is stored, and it was not applied/,
  },
  {
    title: 'one_conversation: a second one of a lead',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['conversation']);
      await run(
        store,
        `insert into conversations (id, connection_id, lead_id)
         select gen_random_uuid(), connection_id, lead_id from conversations limit 1`,
      );
    },
    finds: { unique_index: 1, one_conversation: 1 },
    remedy: 'wa-reconcile dedupe --apply',
    sample: /lead .* has 2 conversations/,
  },
  {
    title: 'one_open_ticket: a second one',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['ticket']);
      await run(
        store,
        `insert into tickets select (jsonb_populate_record(t, jsonb_build_object('id', gen_random_uuid()))).*
         from tickets t order by opened_at limit 1`,
      );
    },
    finds: { unique_index: 1, one_open_ticket: 1 },
    remedy: 'wa-reconcile dedupe --apply',
    sample: /conversation .* has 2 open tickets/,
  },
  {
    title: 'conversation_times: a last message that is not the last',
    damage: (store) =>
      run(
        store,
        `update conversations set last_message_at = last_message_at + interval '1 hour'
                  where id = (select conversation_id from messages where external_id = '${wamid('A2')}')`,
      ),
    finds: { conversation_times: 1 },
    remedy: 'wa-reconcile verify --enforce',
    sample: /conversation .* last message: .* instead of /,
  },
  {
    title: 'conversation_times: a lead whose last message is another one, and who has two conversations',
    damage: async (store) => {
      await replayBodies(store, [live('A9', 60, {}, SECOND)]);
      await run(store, `update leads set last_message_at = null where phone_number = '+${ANA}'`);
    },
    finds: { conversation_times: 1 },
    remedy: 'wa-reconcile verify --enforce',
    sample: /lead .* last message: none instead of 2025-09-16T05:21:00.000Z/,
  },
  {
    title: 'conversation_times: the wrong source of the first message',
    damage: (store) =>
      run(
        store,
        `update conversations set first_message_source = 'app_echo'
                  where id = (select conversation_id from messages where external_id = '${wamid('A2')}')`,
      ),
    // The lead's source follows from the messages, and is right.
    finds: { conversation_times: 1 },
    sample: /its source: app_echo instead of history/,
  },
  {
    title: 'lead_values: a phone that nobody wrote from, and another source',
    damage: async (store) => {
      await run(store, `update leads set phone_number = '+5511955555555' where phone_number = '+${ANA}'`);
      await run(store, `update leads set source = 'state_sync' where phone_number = '+${BRU}'`);
    },
    // The origin of a ticket follows from the source that its lead should have, and is right.
    finds: { lead_values: 2 },
    remedy: 'wa-reconcile verify --enforce',
    sample: /lead .* differs from its identities and messages in (phone|source)/,
  },
  {
    title: 'history_ledger: a chunk that never came',
    damage: (store) => run(store, `update history_chunks set chunk_order = 2`),
    finds: { raw_log: 1, history_ledger: 1 },
    remedy: 'wa-reconcile replay LOG',
    sample: /chunk 1 of phase 0 is missing/,
  },
  {
    title: 'history_ledger: a history that stopped on its way',
    damage: async (store) => {
      await run(store, `update connections set history_sync_status = 'syncing', history_sync_progress = 40`);
      await run(store, `update history_chunks set processed_at = current_timestamp - interval '2 days'`);
    },
    finds: { history_ledger: 1 },
    remedy: null,
    sample: /arrived up to 40%, then stopped/,
  },
  {
    title: 'history_ledger: a history that failed',
    damage: (store) =>
      run(store, `update connections set history_sync_status = 'failed', history_sync_error = '1: no'`),
    finds: { history_ledger: 1 },
    sample: /failed: 1: no/,
  },
  {
    title: 'history_ledger: a history that never came although the number was onboarded',
    damage: (store) =>
      run(
        store,
        `update connections set history_sync_status = 'pending_history', webhook_activated_at = current_timestamp - interval '2 days'`,
      ),
    finds: { history_ledger: 1 },
    sample: /no history arrived/,
  },
  {
    title: 'history_ledger: one that was declined is only noted',
    damage: (store) => run(store, `update connections set history_sync_status = 'declined'`),
    finds: {},
    notes: ['history_ledger'],
  },
  {
    title: 'media_owed: a placeholder is only noted, with the day its window ends',
    damage: (store) =>
      replayBodies(store, [
        history([old('PIC', -1000, { type: 'media_placeholder', text: undefined })], {
          order: 2,
          progress: 100,
        }),
      ]),
    finds: {},
    notes: ['media_owed'],
    sample: /media_placeholder, could arrive until 2025-09-30/,
  },
  {
    title: 'consistency: a message that disagrees with its conversation, and no foreign key that forbids it',
    ownDatabase: true,
    damage: async (store) => {
      await run(
        store,
        'alter table messages drop constraint messages_conversation_id_connection_id_lead_id_fkey',
      );
      const bru = `(select jsonb_build_object('lead_id', id, 'external_id', 'K') from leads where phone_number = '+${BRU}')`;
      await run(store, copyOf('A2', bru));
    },
    finds: { duplicate_ids: 1, raw_log: 1, consistency: 2 },
    remedy: null,
    sample: /is in a conversation of another lead/,
  },
  {
    title: 'consistency: a foreign key that is missing',
    ownDatabase: true,
    damage: (store) => run(store, 'alter table tickets drop constraint tickets_lead_id_fkey'),
    finds: { consistency: 1 },
    sample: /tickets: FOREIGN KEY \(lead_id\) REFERENCES leads\(id\) .* is missing/,
  },
  {
    title: 'consistency: a check that was never validated',
    ownDatabase: true,
    damage: async (store) => {
      await run(store, 'alter table messages drop constraint messages_direction_check');
      await run(
        store,
        `alter table messages add constraint messages_direction_check check (direction in ('INBOUND', 'OUTBOUND')) not valid`,
      );
    },
    finds: { consistency: 1 },
    sample: /messages_direction_check is not validated/,
  },
  {
    title: 'consistency: an identity whose lead is of another organization',
    damage: async (store) => {
      await run(
        store,
        `insert into organizations (id, slug, name) values (gen_random_uuid(), 'other', 'Other')`,
      );
      await run(
        store,
        `update lead_identities set organization_id = (select id from organizations where slug = 'other')
                        where kind = 'phone' and value = '+${BRU}'`,
      );
    },
    // Nor does the organization whose log gives the name have it any more.
    finds: { raw_log: 1, consistency: 1 },
    sample: /names a lead of another organization/,
  },
  {
    title: 'consistency: two leads with one phone',
    damage: async (store) => {
      await dropUniqueIndexes(store, ['phone']);
      await run(
        store,
        `insert into leads select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'last_message_at', null))).* from leads l where phone_number = '+${BRU}'`,
      );
    },
    finds: { unique_index: 1, consistency: 1 },
    remedy: 'wa-reconcile dedupe --apply',
    sample: /leads 1 group of rows shares organization_id, phone_number/,
  },
  {
    title: 'consistency: a reaction to nothing',
    damage: (store) =>
      run(
        store,
        `insert into message_reactions select connection_id, 'gone', reactor, emoji, at from message_reactions`,
      ),
    finds: { consistency: 1 },
    sample: /gone has a reaction, but there is no such message/,
  },
  {
    title: 'consistency: an earlier version of nothing',
    ownDatabase: true,
    damage: async (store) => {
      await run(store, 'alter table message_revisions drop constraint message_revisions_message_id_fkey');
      await run(store, `update message_revisions set message_id = gen_random_uuid()`);
    },
    // What the edited message said first is lost, too.
    finds: { raw_log: 1, consistency: 2 },
    sample: /has an earlier version, but there is no such message/,
  },
];

/** What a check finds is of one kind, but for indexes: those are read from the catalogs, which belong to the backend. */
function kindOfDamage({ title }: Damage): string | undefined {
  const [check] = title.split(':');
  return check === 'unique_index' ? title : check;
}

describeOnBackends('verify finds', (backend) => {
  it.each(backend.some(DAMAGES, kindOfDamage))(
    '$title',
    async ({ damage, ownDatabase = false, finds, notes = [], remedy, sample }) => {
      await withStore(backend, ownDatabase, async (store) => {
        await replayBodies(store, LOG);
        expect(byStatus(await verifyAll(store), 'findings')).toEqual({});
        await damage(store);
        const result = await verifyAll(store);
        expect(byStatus(result, 'findings')).toEqual(finds);
        const noted = byStatus(result, 'note');
        for (const name of notes) expect(noted).toHaveProperty(name);
        const names = Object.keys(finds);
        const found = result.checks.find(({ check }) => check === (names.at(-1) ?? notes.at(0)));
        if (remedy instanceof RegExp) expect(typed(found?.remedy)).toMatch(remedy);
        else if (remedy !== undefined) expect(typed(found?.remedy)).toBe(remedy);
        const [first] = found?.samples ?? [];
        if (sample !== undefined) expect(`${first?.subject ?? ''} ${first?.detail ?? ''}`).toMatch(sample);
      });
    },
  );

  backend.once(
    'nothing in facts that have waited for less than a day, nor in a history that still comes',
    async () => {
      const store = await backend.open();
      await replayBodies(store, [
        ...LOG,
        status('SOON', 'read', 60),
        history([], { order: 2, progress: 60 }),
      ]);
      await store.sql.execute(`update connections set history_sync_status = 'syncing'`);
      const before = await verifyAll(store);
      expect(byStatus(before, 'findings')).toEqual({});
      expect(byStatus(before, 'note')).toMatchObject({ history_ledger: 1 });
      const dayLater = await verifyAll(store, { clock: () => Date.now() + DAY_MS + 60_000 });
      expect(byStatus(dayLater, 'findings')).toEqual({ pending_facts: 1, history_ledger: 1 });
    },
  );
});

async function withStore(
  backend: TestBackend,
  isOwn: boolean,
  work: (store: Store) => Promise<void>,
): Promise<void> {
  const store = isOwn
    ? await openStore(await backend.config(), TEST_OPTIONS)
    : await backend.open(restoreUniqueIndexes);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

function verifyAll(store: Store, options: { clock?: () => number } = {}): Promise<VerifyResult> {
  return verify(testContext(store, options), { checks: new Set(CHECK_NAMES), enforce: false });
}

function byStatus(result: VerifyResult, status: string): Partial<Record<CheckName, number>> {
  const found = result.checks.filter((check) => check.status === status);
  return Object.fromEntries(found.map(({ check, found: count }) => [check, count]));
}

function run(store: Store, statement: string): Promise<number> {
  return store.sql.execute(statement);
}
