import pg from 'pg';
import { afterEach, describe, expect, it } from 'vitest';
import { createRandom } from '../bench/random.js';
import { addConnection } from '../support/connections.js';
import { fillChatwoot } from '../support/crm/chatwoot.js';
import { createCrmDatabase, type CrmDatabase, type Sql } from '../support/crm/database.js';
import { asBaileysEvents } from '../support/crm/day-baileys.js';
import { asWebhooks } from '../support/crm/day-webhooks.js';
import { createDay, finalBody, WEB, type Day, type DayMessage } from '../support/crm/day.js';
import { fillEvolution } from '../support/crm/evolution.js';
import {
  idsOf,
  isLoggedMessage,
  type Bug,
  type Expectation,
  type FillOptions,
} from '../support/crm/expectation.js';
import { fillTicketz } from '../support/crm/ticketz.js';
import { fillWhaticket } from '../support/crm/whaticket.js';
import { fillWhatrack } from '../support/crm/whatrack.js';
import { fillWid } from '../support/crm/wid.js';
import { useBackend } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';

const DAY = createDay({ seed: 11, count: 600, batched: true });

interface World {
  fill: (sql: Sql, day: Day, options: FillOptions) => Promise<Expectation>;
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

let open: CrmDatabase[] = [];
afterEach(async () => {
  await Promise.all(open.map((database) => database.remove()));
  open = [];
});

async function filled(
  world: World,
  bugs: readonly Bug[],
  day = DAY,
): Promise<{ expectation: Expectation; sql: Sql; url: string }> {
  const database = await createCrmDatabase();
  open.push(database);
  const expectation = await world.fill(database.sql, day, { bugs: new Set(bugs), seed: 3 });
  return { expectation, sql: database.sql, url: database.url };
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

describe('the database of a world', () => {
  it('can be read and not written by who may only select', async () => {
    const database = await createCrmDatabase();
    open.push(database);
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
