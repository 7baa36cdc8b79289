import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../bench/random.js';
import { addConnection } from '../support/connections.js';
import { fillChatwoot } from '../support/crm/chatwoot.js';
import { useCrmDatabases, type Fill, type Sql } from '../support/crm/database.js';
import { asBaileysEvents } from '../support/crm/day-baileys.js';
import { asWebhooks } from '../support/crm/day-webhooks.js';
import { createDay, finalBody, WEB, type DayMessage } from '../support/crm/day.js';
import { fillEvolution } from '../support/crm/evolution.js';
import { idsOf, isLoggedMessage, type Bug, type Expectation } from '../support/crm/expectation.js';
import {
  watchChatwoot,
  watchEvolution,
  watchTickets,
  watchWhatrack,
  type Check,
} from '../support/crm/invariants.js';
import { fillTicketz } from '../support/crm/ticketz.js';
import { fillWhaticket } from '../support/crm/whaticket.js';
import { fillWhatrack } from '../support/crm/whatrack.js';
import { fillWid } from '../support/crm/wid.js';
import { useBackend } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';

const DAY = createDay({ seed: 11, count: 600, batched: true });

interface World {
  fill: Fill;
  /** Of the messages. */
  table: string;
  /** What an expectation calls a row of it. */
  id: string;
  bugs: readonly Bug[];
  /** The numbers that it serves. */
  connections: readonly DayMessage['connection'][];
}

const WORLDS: Readonly<Record<string, World>> = {
  evolution: {
    fill: fillEvolution,
    table: '"Message"',
    id: 'id',
    bugs: [
      'first_of_batch_only',
      'media_without_storage',
      'race_of_two_webhooks',
      'lid_split',
      'doubled_redelivery',
      'random_loss',
      'edits_overwrite',
    ],
    connections: ['cloud', 'web'],
  },
  whatrack: {
    fill: fillWhatrack,
    table: 'whatsapp_messages',
    id: 'id',
    bugs: ['first_of_batch_only', 'random_loss', 'direction_wrong', 'text_lost_131060'],
    connections: ['cloud'],
  },
  chatwoot: {
    fill: fillChatwoot,
    table: 'messages',
    id: 'id',
    bugs: ['first_of_batch_only', 'lid_split', 'doubled_redelivery', 'random_loss'],
    connections: ['cloud', 'web'],
  },
  ticketz: {
    fill: fillTicketz,
    table: '"Messages"',
    id: `id || '/' || "ticketId"`,
    bugs: ['lid_split', 'quoted_stubs', 'second_ticket_double', 'random_loss'],
    connections: ['web'],
  },
  wid: {
    fill: fillWid,
    table: '"Messages"',
    id: 'id',
    bugs: ['lid_split', 'doubled_redelivery', 'random_loss'],
    connections: ['web'],
  },
  whaticket: {
    fill: fillWhaticket,
    table: '"Messages"',
    id: 'id',
    bugs: ['lid_split', 'random_loss'],
    connections: ['web'],
  },
};

const databases = useCrmDatabases();

async function filled(
  world: World,
  bugs: readonly Bug[],
  day = DAY,
): Promise<{ expectation: Expectation; sql: Sql; url: string }> {
  const { crm, expectation } = await databases.filled(world.fill, day, bugs);
  return { expectation, sql: crm.sql, url: crm.url };
}

/** Every row that an expectation speaks of, as often as it does. */
function rowsOf(expectation: Expectation): string[] {
  return [
    ...[...expectation.messages.values()].flatMap(({ row }) => (row === undefined ? [] : [row])),
    ...expectation.doubled.map(({ row }) => row),
    ...expectation.onlyInCrm.map(({ row }) => row),
    ...expectation.withoutId,
    ...expectation.noMessages.map(({ row }) => row),
  ].sort();
}

describe.each(Object.entries(WORLDS))('the world of %s', (_name, world) => {
  it.each([{ bugs: [] }, { bugs: world.bugs }, ...world.bugs.map((bug) => ({ bugs: [bug] }))])(
    'speaks of every message and of every row once, with the bugs $bugs',
    async ({ bugs }) => {
      const { expectation, sql } = await filled(world, bugs);
      const rows = await sql(`select ${world.id} as id from ${world.table}`);
      expect(rowsOf(expectation)).toEqual(rows.map(({ id }) => String(id)).sort());
      expect([...expectation.messages.keys()].sort()).toEqual(
        DAY.messages
          .filter((message) => isLoggedMessage(message) && world.connections.includes(message.connection))
          .map(({ id }) => id)
          .sort(),
      );
    },
  );

  it('finds nothing wrong where the CRM does nothing wrong', async () => {
    const { expectation } = await filled(world, []);
    expect(idsOf(expectation, 'lost')).toEqual([]);
    expect(idsOf(expectation, 'differs')).toEqual([]);
    expect(idsOf(expectation, 'other_contact')).toEqual([]);
    expect(expectation.doubled).toEqual([]);
    expect(idsOf(expectation, 'same').length).toBeGreaterThan(100);
    expect(expectation.onlyInCrm.length).toBeGreaterThan(5);
  });

  it.each(world.bugs)('shows the bug %s', async (bug) => {
    const buggy = await filled(world, [bug]);
    const causes = [...buggy.expectation.messages.values(), ...buggy.expectation.doubled].map(
      ({ cause }) => cause,
    );
    if (causes.includes(bug)) return;
    // A bug that no comparison may report shows in the rows alone.
    const healthy = await filled(world, []);
    expect(await contentOf(buggy.sql, world)).not.toEqual(await contentOf(healthy.sql, world));
  });

  it('speaks of them with any bugs on any day', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = createRandom(seed);
      const day = createDay({ seed, count: 60, batched: random.chance(0.5) });
      const bugs = world.bugs.filter(() => random.chance(0.5));
      const { expectation, sql } = await filled(world, bugs, day);
      const rows = await sql(`select ${world.id} as id from ${world.table}`);
      expect(rowsOf(expectation)).toEqual(rows.map(({ id }) => String(id)).sort());
    }
  });

  it('is the same for the same seed', async () => {
    const [first, second] = [await filled(world, world.bugs), await filled(world, world.bugs)];
    expect(second.expectation).toEqual(first.expectation);
    expect(await contentOf(second.sql, world)).toEqual(await contentOf(first.sql, world));
  });
});

/** Every row that a comparison reads, whole. */
async function contentOf(sql: Sql, world: World): Promise<unknown> {
  return sql(`select to_jsonb(message) as row from ${world.table} message order by 1`);
}

/** A repair as it may be, and others that break something: what they do, and what the check says of it. */
interface Repairs {
  watch: (sql: Sql) => Promise<Check>;
  good: string;
  bad: readonly [what: RegExp, statements: string][];
}

const EVOLUTION_ROW = (changes: string): string => `
  insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId", status)
  select id, key, "messageType", message, source, "messageTimestamp", "instanceId", status
  from jsonb_populate_record(
    null::"Message",
    (select to_jsonb(m) || '{"id": "wr_1", "status": "READ"}' || jsonb_build_object('key', key || '{"id": "NEW"}')
     from "Message" m order by id limit 1) || ${changes})`;

const CHATWOOT_CONVERSATION = (fields: string, messages: string): string => `
  with conversation as (
    insert into conversations (account_id, inbox_id, status, contact_id, contact_inbox_id, additional_attributes,
      created_at, updated_at, last_activity_at, agent_last_seen_at, assignee_last_seen_at)
    select (r).account_id, (r).inbox_id, (r).status, (r).contact_id, (r).contact_inbox_id, (r).additional_attributes,
      (r).created_at, (r).updated_at, (r).last_activity_at, (r).agent_last_seen_at, (r).assignee_last_seen_at
    from (
      select jsonb_populate_record(null::conversations, to_jsonb(c) || '{"status": 1, "additional_attributes": {"source": "wa-reconcile"},
        "last_activity_at": "2025-09-01", "agent_last_seen_at": "2025-09-01", "assignee_last_seen_at": "2025-09-01"}'
        || '${fields}'::jsonb) as r
      from (select * from conversations order by id limit 1) c
    ) made
    returning *
  )
  insert into messages (account_id, inbox_id, conversation_id, message_type, source_id, created_at, updated_at)
  select account_id, inbox_id, id, 0, 'wamid.' || n, at, at
  from conversation, lateral (${messages}) as made (n, at) order by n`;
const RISING = `select n, timestamp '2025-08-01' + n * interval '1 minute' from generate_series(1, 45) n`;
const FALLING = RISING.replace('+ n', '- n');

const TICKET = (ticket: string, message: string, idColumn = 'id'): string => `
  with ticket as (
    insert into "Tickets" (status, "contactId", "whatsappId", "companyId", "unreadMessages", "createdAt", "updatedAt")
    select (r).status, (r)."contactId", (r)."whatsappId", (r)."companyId", 0, (r)."createdAt", (r)."updatedAt"
    from (
      select jsonb_populate_record(null::"Tickets", to_jsonb(t) || '{"status": "closed", "createdAt": "2025-08-01", "updatedAt": "2025-08-01"}'
        || '${ticket}'::jsonb) as r
      from (select * from "Tickets" order by id limit 1) t
    ) made
    returning *
  )
  insert into "Messages" (${idColumn}, body, read, "ticketId", "companyId", "createdAt", "updatedAt")
  select 'NEW', '', (r).read, ticket.id, ticket."companyId", (r)."createdAt", (r)."createdAt"
  from ticket, jsonb_populate_record(null::"Messages",
    '{"read": true, "createdAt": "2025-08-01"}'::jsonb || '${message}'::jsonb) as r`;

const WHATRACK_ROW = `
  insert into whatsapp_messages (wamid, "leadId", "instanceId", app_conversation_id, "directionId", type, status,
    timestamp, "updatedAt")
  select 'wamid.NEW', "leadId", "instanceId", app_conversation_id, "directionId", 'text', 'read', '2025-08-01', now()
  from (select * from whatsapp_messages order by id limit 1) m`;
const WHATRACK_COUNTERS = `
  update crm_conversations c
  set "messagesCount" = s.n, "inboundMessagesCount" = s.i, "outboundMessagesCount" = s.n - s.i,
      "lastInboundAt" = s.li, "lastOutboundAt" = s.lo
  from (
    select app_conversation_id as id, count(*) as n, count(*) filter (where name = 'INBOUND') as i,
           max(timestamp) filter (where name = 'INBOUND') as li, max(timestamp) filter (where name = 'OUTBOUND') as lo
    from whatsapp_messages m join crm_message_directions d on d.id = m."directionId"
    where app_conversation_id = (select app_conversation_id from whatsapp_messages where wamid = 'wamid.NEW')
    group by 1
  ) s
  where c.id = s.id`;

const REPAIRS: Readonly<Record<string, Repairs>> = {
  evolution: {
    watch: watchEvolution,
    good: EVOLUTION_ROW(`'{}'`),
    bad: [
      [/is unread/, EVOLUTION_ROW(`'{"status": "DELIVERY_ACK"}'`)],
      [
        /younger than six hours/,
        EVOLUTION_ROW(`jsonb_build_object('messageTimestamp', extract(epoch from now())::int - 60)`),
      ],
      [
        /is a double/,
        EVOLUTION_ROW(`(select jsonb_build_object('key', key) from "Message" order by id limit 1)`),
      ],
      [
        /has no chat/,
        EVOLUTION_ROW(`'{"key": {"id": "NEW", "fromMe": false, "remoteJid": "1@s.whatsapp.net"}}'`),
      ],
      [/chat .* changed/, 'update "Chat" set "unreadMessages" = 1'],
      [/message .* is gone/, 'delete from "Message"'],
    ],
  },
  chatwoot: {
    watch: watchChatwoot,
    good: CHATWOOT_CONVERSATION('{}', RISING),
    bad: [
      [/is shown 0 times/, CHATWOOT_CONVERSATION('{}', FALLING)],
      [/conversation that is open/, CHATWOOT_CONVERSATION('{"status": 0}', RISING)],
      [/something unread/, CHATWOOT_CONVERSATION('{"agent_last_seen_at": "2025-07-01"}', RISING)],
      [/something unread/, CHATWOOT_CONVERSATION('{"agent_last_seen_at": null}', RISING)],
      [/not its own/, CHATWOOT_CONVERSATION('{"additional_attributes": {}}', RISING)],
      [/of another contact/, CHATWOOT_CONVERSATION('{"contact_id": 1}', RISING)],
      [/conversation .* changed/, 'update conversations set status = 0, updated_at = now()'],
      [/contact .* changed/, 'update contacts set last_activity_at = now()'],
      [
        /display id 9000/,
        `${CHATWOOT_CONVERSATION('{}', RISING)};
         update conversations set display_id = 9000 where id = (select max(id) from conversations)`,
      ],
      [
        /next id of messages is taken/,
        `insert into messages (id, account_id, inbox_id, conversation_id, message_type, created_at, updated_at)
         select 100000, account_id, inbox_id, conversation_id, 0, now(), now() from messages limit 1`,
      ],
    ],
  },
  ticketz: {
    watch: (sql) => watchTickets(sql, 'ticketz'),
    good: TICKET('{}', '{}'),
    bad: [
      [/ticket that is not closed/, TICKET('{"status": "open"}', '{}')],
      [/unread or new/, TICKET('{}', '{"read": false}')],
      [/changed of late/, TICKET('{"updatedAt": "2100-01-01"}', '{}')],
      [/of another time/, TICKET('{"createdAt": "2025-01-01"}', '{}')],
      [/ticket .* changed/, 'update "Tickets" set "updatedAt" = now()'],
      [/ticket of another company/, TICKET('{"companyId": null}', '{}')],
    ],
  },
  wid: {
    watch: (sql) => watchTickets(sql, 'wid'),
    good: TICKET('{}', '{}', 'wid'),
    bad: [
      [/ticket that is not closed/, TICKET('{"status": "pending"}', '{}', 'wid')],
      [/unread or new/, TICKET('{}', '{"createdAt": "2100-01-01"}', 'wid')],
      [
        /next id of "Messages" is taken/,
        `${TICKET('{}', '{}', 'wid')}; update "Messages" set id = 100000 where wid = 'NEW'`,
      ],
    ],
  },
  whatrack: {
    watch: watchWhatrack,
    good: `${WHATRACK_ROW}; ${WHATRACK_COUNTERS}`,
    bad: [
      [/counters/, WHATRACK_ROW],
      [
        /conversation .* changed/,
        `${WHATRACK_ROW}; ${WHATRACK_COUNTERS}; update crm_conversations set "unreadCount" = 99`,
      ],
      [/conversation .* changed/, 'update crm_conversations set "messagesCount" = 0'],
      [/deal .* changed/, 'update crm_deals set "messagesCount" = 0'],
      [/last seen earlier/, `update crm_leads set last_message_at = '2020-01-01'`],
    ],
  },
};

describe.each(Object.entries(REPAIRS))('the check of %s after a repair', (name, { watch, good, bad }) => {
  const world = WORLDS[name];
  if (world === undefined) throw new Error(`there is no world of ${name}`);

  it('has nothing to say of a good one, and names what others break', async () => {
    const { sql } = await filled(world, ['random_loss']);
    const check = await watch(sql);
    expect(await check()).toEqual([]);
    for (const [what, statements] of bad) {
      await sql('begin');
      await sql(statements);
      expect((await check()).join('\n'), statements).toMatch(what);
      await sql('rollback');
    }
    await sql(good);
    expect(await check()).toEqual([]);
  });
});

describe('the database of a world', () => {
  it('can be read and not written by who may only select', async () => {
    const database = await databases.empty();
    await database.sql('create table messages (id int)');
    const reader = new pg.Client({ connectionString: database.readOnlyUrl });
    await reader.connect();
    const tried = async (statement: string): Promise<unknown> =>
      reader.query(statement).then(
        () => 'done',
        (error: unknown) => (error instanceof pg.DatabaseError ? error.code : error),
      );
    expect(await tried('select * from messages')).toBe('done');
    for (const statement of [
      'insert into messages values (1)',
      'create table other (id int)',
      'create temporary table other (id int)',
    ]) {
      expect(await tried(statement)).toBe('42501');
    }
    await reader.end();
  });
});

describe('the log of a day', () => {
  const backend = useBackend('postgresql');

  it('holds, as the product reads it, exactly the messages of the day', async () => {
    const store = await backend.open();
    await addConnection(store, { name: WEB.name, kind: 'baileys', number: `+${WEB.number}` });
    const result = await replayBodies(store, [...asWebhooks(DAY), ...asBaileysEvents(DAY)]);
    expect(result.status).toBe('completed');
    const stored = await store.sql.query(
      `select m.external_id as id, l.phone_number as phone, m.direction, m.type, m.body,
              extract(epoch from m.timestamp)::int as at, m.deleted_at is not null as revoked
       from messages m join leads l on l.id = m.lead_id`,
    );
    const said = DAY.messages.filter(isLoggedMessage).map((message) => ({
      id: message.id,
      phone: `+${message.person.phone}`,
      direction: message.direction === 'in' ? 'INBOUND' : 'OUTBOUND',
      type: message.type,
      at: message.at,
      revoked: message.revoke !== undefined,
      // Of a revoked message the words are no longer shown.
      ...(message.type === 'text' ? { body: message.revoke === undefined ? finalBody(message) : null } : {}),
    }));
    const sorted = stored
      // How the product words a card or a place is not the log's to say.
      .map((row) => (row.type === 'text' ? row : { ...row, body: undefined }))
      .sort((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    expect(sorted).toEqual(said.sort((a, b) => (a.id < b.id ? -1 : 1)));
  });
});
