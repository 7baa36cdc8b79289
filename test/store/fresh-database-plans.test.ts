import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.js';
import type { Sql } from '../../src/store/sql.js';
import type { Store } from '../../src/store/store.js';
import { BY_INDEX } from '../../src/store/tables/message-lookup.js';
import { describeOnBackends, TEST_OPTIONS } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { watchReads } from '../support/table-reads.js';
import { liveFrom, status } from '../support/webhooks.js';

/** Rows of other people that the batches have no business with. */
const STRANGERS = 10_000;
const BATCH = 200;
/** Rows of one table that a batch may read: each of its people and messages is looked up a few times. */
const ALLOWED = BATCH * 20;
/** So many that the planner, without statistics, likes to read two indexes for one message. */
const MANY_MESSAGES = 40_000;
/** A statement is planned for good at its sixth execution. */
const PLANNED_FOR_GOOD = 6;

function bodies(batches: number, from: number): unknown[] {
  return Array.from({ length: batches * BATCH }, (_, i) => {
    const n = from + i;
    const phone = `55119${70_000_000 + n}`;
    return i % 5 === 0
      ? status(`K${n - 1}`, 'read', n)
      : // Every other one is known already: what it leads to is looked up, too.
        liveFrom(`Name ${n}`, `K${n}`, n, { from: i % 2 === 0 ? phone : `55119${70_000_000 + (n % 7)}` });
  });
}

/** Other leads of the same organization with all that hangs on them, and nothing that tells the planner of them. */
async function addStrangers(sql: Sql): Promise<void> {
  await sql.execute('create temporary table strangers (n int, lead uuid, conversation uuid, entry uuid)');
  await sql.execute(
    `insert into strangers select n, gen_random_uuid(), gen_random_uuid(), gen_random_uuid() from generate_series(1, ${STRANGERS}) n`,
  );
  const organization = `(select organization_id from connections limit 1)`;
  const connection = `(select id from connections limit 1)`;
  await sql.execute(
    `insert into leads (id, organization_id, phone_number, source, first_seen_at, is_active)
     select lead, ${organization}, '+4930' || (10000000 + n), 'live_message', now(), true from strangers`,
  );
  await sql.execute(
    `insert into lead_identities (organization_id, kind, value, person_id, lead_id)
     select ${organization}, 'phone', '+4930' || (10000000 + n), lead, lead from strangers`,
  );
  await sql.execute(
    `insert into conversations (id, lead_id, connection_id) select conversation, lead, ${connection} from strangers`,
  );
  await sql.execute(
    `insert into webhook_log (id, connection_scope, sha256, provider, raw_body, fields, phone_number_ids, chat_ids, status, attempts)
     select s.entry, w.connection_scope, sha256(s.entry::text::bytea), w.provider, s.entry::text::bytea, w.fields, w.phone_number_ids,
       array['+4930' || (10000000 + s.n)], 'processed', 1
     from strangers s cross join (select * from webhook_log limit 1) w`,
  );
  await sql.execute(
    `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, timestamp,
       source, sync_source, is_sync_initial, evidence)
     select gen_random_uuid(), ${connection}, 'stranger ' || n, conversation, lead, 'S' || n, 'INBOUND', 'text', now(),
       'live', 'webhook', false, 3
     from strangers`,
  );
  await sql.execute(
    `insert into tickets (id, conversation_id, lead_id, source, originated_from, status, opened_at)
     select gen_random_uuid(), conversation, lead, 'incoming_message', 'new_contact', 'open', now() from strangers`,
  );
  await sql.execute('drop table strangers');
}

/** Nobody analyzes the tables, as in the first hour of a replay. */
async function withoutStatistics(store: Store): Promise<void> {
  for (const table of ['leads', 'lead_identities', 'conversations', 'messages', 'tickets', 'webhook_log'])
    await store.sql.execute(`alter table ${table} set (autovacuum_enabled = off)`);
}

describeOnBackends('a batch in a database without statistics', (backend) => {
  async function assertFrugal(store: Store, from: number): Promise<void> {
    const watched = watchReads(store);
    await replayBodies(watched.store, bodies(1, from), { batchSize: BATCH });
    expect(watched.reads.length).toBeGreaterThan(0);
    expect(watched.reads.filter(({ rows }) => rows > ALLOWED)).toEqual([]);
  }

  test('reads what it is about and no more, planned while the tables are empty or large', async () => {
    const config = await backend.config();
    const first = await openStore(config, { ...TEST_OPTIONS, poolSize: 1 });
    try {
      await withoutStatistics(first);
      await replayBodies(first, bodies(PLANNED_FOR_GOOD, 0), { batchSize: BATCH });
      await addStrangers(first.sql);
      await assertFrugal(first, 10_000);
    } finally {
      await first.close();
    }
    // A new connection plans its first statements for the values at hand. PostgreSQL 16 and older then walk the index of
    // the whole organization for a list of phones, if they may.
    const second = await openStore(config, { ...TEST_OPTIONS, poolSize: 1 });
    try {
      await assertFrugal(second, 20_000);
    } finally {
      await second.close();
    }
  });

  test('finds a key id by its own index alone, however many messages the connection has', async () => {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    try {
      await withoutStatistics(store);
      await replayBodies(store, bodies(1, 0), { batchSize: BATCH });
      await store.sql.execute(
        `insert into messages (id, connection_id, external_id, conversation_id, lead_id, stanza_id, direction, type, timestamp,
           source, sync_source, is_sync_initial, evidence)
         select gen_random_uuid(), m.connection_id, 'stranger ' || n, m.conversation_id, m.lead_id, 'S' || n, 'INBOUND', 'text',
           now(), 'live', 'webhook', false, 3
         from (select * from messages limit 1) m cross join generate_series(1, ${MANY_MESSAGES}) n`,
      );
      const keys = `(select id as connection_id, 'S' || n as stanza_id from connections, generate_series(1, 100) n) as k`;
      const plan = await store.sql.query(`explain select m.id from ${BY_INDEX.byStanzaId(keys)}`);
      const scans = plan.flatMap(
        (row) => /Scan (?:using|on) (messages\w*)/.exec(String(row['QUERY PLAN']))?.[1] ?? [],
      );
      expect(scans).toContain('messages_stanza_id_idx');
      expect(scans).not.toContain('messages_connection_id_external_id_key');
    } finally {
      await store.close();
    }
  });
});
