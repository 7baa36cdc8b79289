import { randomUUID } from 'node:crypto';
import { encodeWamid } from '../../src/identity/wamid.js';
import type { Store } from '../../src/store/store.js';
import { addConnection, type ConnectionFields } from './connections.js';
import { ANA, T0 } from './webhooks.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

/**
 * What real databases hold because nothing prevented it: rows written before the unique indexes existed, by other programs,
 * or restored from a dump. A test that drops indexes opens its store with `backend.open(dropUniqueIndexes)` if it wants them gone
 * from the start, with `backend.open(restoreUniqueIndexes)` if it drops some later: so that others do not get that store.
 */

/** The indexes that make doubles impossible, by the damage that needs them gone. */
export const UNIQUE_INDEXES = {
  same_id: 'messages_connection_id_external_id_key',
  conversation: 'conversations_lead_id_connection_id_key',
  ticket: 'tickets_one_open_per_conversation',
  phone: 'leads_organization_id_phone_number_key',
} as const;

export async function dropUniqueIndexes(
  store: Store,
  which: readonly (keyof typeof UNIQUE_INDEXES)[] = ['same_id', 'conversation', 'ticket', 'phone'],
): Promise<void> {
  for (const name of which) await store.sql.execute(`drop index if exists ${UNIQUE_INDEXES[name]}`);
}

const asMigrated = new WeakMap<Store, readonly Record<string, unknown>[]>();

/** Makes them as the migrations make them, on an empty database, whatever an earlier test has done to them. */
export async function restoreUniqueIndexes(store: Store): Promise<void> {
  const known =
    asMigrated.get(store) ??
    (await store.sql.query(
      `select indexname as name, indexdef as definition from pg_indexes
       where schemaname = current_schema() and indexname = any(string_to_array($1, ' '))`,
      [Object.values(UNIQUE_INDEXES).join(' ')],
    ));
  asMigrated.set(store, known);
  for (const { name, definition } of known) {
    await store.sql.execute(`drop index if exists ${String(name)}`);
    await store.sql.execute(String(definition));
  }
}

/** For the next test, which may get the same database, emptied. */
export async function restoreUniqueIndex(store: Store): Promise<void> {
  await store.sql.execute('delete from messages');
  await store.sql.execute(
    'create unique index if not exists messages_connection_id_external_id_key on messages (connection_id, external_id)',
  );
}

type Values = Record<string, unknown>;

/** Inserts a row as somebody else's program would, without any of our rules. Columns in snake_case; JSON as values. */
export async function insertRow(store: Store, table: string, values: Values): Promise<void> {
  const columns = Object.keys(values).join(', ');
  await store.sql.execute(
    `insert into ${table} (${columns}) select ${columns} from jsonb_populate_record(null::${table}, $1::jsonb)`,
    [JSON.stringify(values)],
  );
}

/** RFC 3339 for so many seconds after T0. */
export function moment(offset: number): string {
  return new Date((T0 + offset) * 1000).toISOString();
}

/** The connection of the webhooks' business, `loja`, as somebody entered it. Gives its id. */
export async function damagedConnection(store: Store, fields: ConnectionFields = {}): Promise<string> {
  const { name = 'loja' } = fields;
  await addConnection(store, { phoneNumberId: '800000000000001', ...fields });
  const [row] = await store.sql.query('select id from connections where name = $1', [name]);
  return String(row?.id);
}

export interface LeadFields extends Values {
  /** Without identities, as other programs write leads: known by phone_number only. Default: with one, the phone. */
  identities?: boolean;
  phone_number?: string | null;
  first_seen_at?: string;
}

/** A lead, Ana's unless told otherwise; `first_seen_at` at T0. Gives its id. */
export async function insertLead(store: Store, fields: LeadFields = {}): Promise<string> {
  const { identities = true, phone_number = `+${ANA}`, first_seen_at = moment(0), ...columns } = fields;
  const id = randomUUID();
  await insertRow(store, 'leads', {
    id,
    organization_id: '00000000-0000-7000-8000-000000000001',
    phone_number,
    push_name: 'Ana',
    source: 'live_message',
    first_seen_at,
    last_message_at: first_seen_at,
    is_active: true,
    ...columns,
  });
  if (identities && phone_number !== null) {
    await insertIdentity(store, id, 'phone', phone_number, { first_seen_at });
  }
  return id;
}

/** Another name of a lead. */
export async function insertIdentity(
  store: Store,
  leadId: string,
  kind: 'phone' | 'wa_id' | 'lid' | 'bsuid',
  value: string,
  columns: Values = {},
): Promise<void> {
  const organization_id = '00000000-0000-7000-8000-000000000001';
  await insertRow(store, 'lead_identities', {
    organization_id,
    kind,
    value,
    person_id: leadId,
    lead_id: leadId,
    ...columns,
  });
}

/** Where messages go. */
export interface Thread {
  connectionId: string;
  leadId: string;
  conversationId: string;
}

/** A conversation without messages. A second one of the same lead needs the index of `conversation` gone. */
export async function insertConversation(
  store: Store,
  connectionId: string,
  leadId: string,
  columns: Values = {},
): Promise<Thread> {
  const id = randomUUID();
  await insertRow(store, 'conversations', { id, connection_id: connectionId, lead_id: leadId, ...columns });
  return { connectionId, leadId, conversationId: id };
}

/**
 * One message, as replay stores a live text from Ana `at` seconds after T0; `external_id` is the wamid of `key`. The
 * conversation's first and last message follow. Gives the row's id.
 */
export async function insertMessage(
  store: Store,
  thread: Thread,
  key: string,
  at: number,
  columns: Values = {},
): Promise<string> {
  const id = randomUUID();
  await insertRow(store, 'messages', {
    id,
    connection_id: thread.connectionId,
    conversation_id: thread.conversationId,
    lead_id: thread.leadId,
    external_id: encodeWamid(ANA, key),
    stanza_id: key,
    direction: 'INBOUND',
    type: 'text',
    body: key,
    timestamp: moment(at),
    status: 'delivered',
    source: 'live',
    sync_source: 'webhook',
    is_sync_initial: false,
    // A live text: see src/rules/evidence.ts.
    evidence: 5 | (15 << 4) | (15 << 8),
    ...columns,
  });
  await store.sql.execute(
    `update conversations c set first_message_at = ends.first_at, last_message_at = ends.last_at,
       first_message_source = (select m.source from messages m where m.conversation_id = c.id
                               order by m.timestamp, case m.source when 'live' then 0 when 'app_echo' then 1 else 2 end limit 1)
     from (select min(timestamp) as first_at, max(timestamp) as last_at from messages where conversation_id = $1::uuid) ends
     where c.id = $1::uuid`,
    [thread.conversationId],
  );
  return id;
}

/** An open ticket, as a live message opens it. Gives its id. */
export async function insertTicket(
  store: Store,
  thread: Thread,
  openedBy: string | null,
  at: number,
  columns: Values = {},
): Promise<string> {
  const id = randomUUID();
  await insertRow(store, 'tickets', {
    id,
    conversation_id: thread.conversationId,
    lead_id: thread.leadId,
    source: 'incoming_message',
    originated_from: 'new_contact',
    stage: 'new',
    status: 'open',
    opened_by_external_id: openedBy,
    opened_at: moment(at),
    last_inbound_at: moment(at),
    message_window_expires_at: moment(at + 24 * 3600),
    ...columns,
  });
  return id;
}

/** A copy of a message under a new row id, but for the columns given. Class `same_id`: needs its index gone. */
export async function copyMessage(store: Store, messageId: string, columns: Values = {}): Promise<string> {
  const id = randomUUID();
  await store.sql.execute(
    `insert into messages select (jsonb_populate_record(m, $2::jsonb)).* from messages m where m.id = $1::uuid`,
    [messageId, JSON.stringify({ ...columns, id })],
  );
  return id;
}

/** Copies a message under another row id and changes the text of the copy, or of the row itself. Drops the index that forbids it. */
export async function forgeCopy(store: Store, externalId: string, isCopy: boolean): Promise<void> {
  await dropUniqueIndexes(store, ['same_id']);
  await store.sql.execute(
    `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', 'ffffffff-0000-4000-8000-000000000001'))).*
     from messages m where external_id = $1`,
    [externalId],
  );
  const forged = await store.sql.execute(
    `update messages set body = 'forged' where external_id = $1 and (id::text like 'ffffffff%') = $2::boolean`,
    [externalId, isCopy],
  );
  if (forged !== 1) throw new Error(`${forged} rows were forged`);
}

/** Class `same_message`: the row of the Cloud API and that of WhatsApp Web, `skew` seconds apart. Gives both ids. */
export async function insertTwins(
  store: Store,
  thread: Thread,
  key: string,
  at: number,
  { skew = 1, web = {}, cloud = {} }: { skew?: number; web?: Values; cloud?: Values } = {},
): Promise<{ wamid: string; keyId: string }> {
  return {
    wamid: await insertMessage(store, thread, key, at, cloud),
    keyId: await insertMessage(store, thread, key, at + skew, {
      external_id: key,
      source: 'history',
      ...web,
    }),
  };
}

/** Class `no_id`: a copy of a message without an id, null or blank. */
export function copyWithoutId(
  store: Store,
  messageId: string,
  externalId: null | '' | ' ' = null,
  columns: Values = {},
): Promise<string> {
  return copyMessage(store, messageId, { external_id: externalId, stanza_id: null, ...columns });
}

/** Look-alikes that every dedupe must leave alone. Gives the ids of all of their rows. `same_id` and its index: gone. */
export async function insertLookAlikes(store: Store, thread: Thread, other: Thread): Promise<string[]> {
  const image = (sha256: string): Values => ({
    type: 'image',
    body: null,
    media: { id: sha256.slice(0, 8), mimeType: 'image/jpeg', sha256 },
  });
  return [
    // The customer wrote "ok" twice within two seconds.
    await insertMessage(store, thread, 'OK1', 900, { body: 'ok' }),
    await insertMessage(store, thread, 'OK2', 901, { body: 'ok' }),
    // One id for the pictures of an album.
    await insertMessage(store, thread, 'ALBUM', 910, image('aaaaaaaaaaaa')),
    await insertMessage(store, thread, 'ALBUM', 910, image('bbbbbbbbbbbb')),
    // One id in two conversations (M9).
    await insertMessage(store, thread, 'BOTH', 920, { body: 'for you' }),
    await insertMessage(store, other, 'BOTH', 920, { body: 'for you' }),
    // A row without an id, and nothing that it could be a copy of.
    await insertMessage(store, thread, 'ALONE', 930, { external_id: null, stanza_id: null, body: 'alone' }),
    await insertMessage(store, thread, 'ALONE', 931, { external_id: '', stanza_id: null, body: 'alone too' }),
    // WhatsApp Web's key id is that of a wamid, but the other way round, or at another time.
    await insertMessage(store, thread, 'KEY1', 940),
    await insertMessage(store, thread, 'KEY1', 940, { external_id: 'KEY1', direction: 'OUTBOUND' }),
    await insertMessage(store, thread, 'KEY2', 950),
    await insertMessage(store, thread, 'KEY2', 960, { external_id: 'KEY2' }),
  ];
}

/**
 * Fills a thread with `messages` messages `W0`, `W1` …, a second apart, in one statement; every tenth of them twice (class
 * `same_id`, needs its index gone) unless `doubledEvery` says otherwise. Gives the number of copies.
 */
export async function fillThread(
  store: Store,
  thread: Thread,
  messages: number,
  doubledEvery = 10,
): Promise<number> {
  const rows = await store.sql.query(
    `with made as (
       insert into messages (id, connection_id, conversation_id, lead_id, external_id, stanza_id, direction, type, body,
         timestamp, status, source, sync_source, is_sync_initial, evidence)
       select gen_random_uuid(), $1::uuid, $2::uuid, $3::uuid, 'W' || n, 'W' || n, 'INBOUND', 'text', 'text ' || n,
         $4::timestamptz + n * interval '1 second', 'delivered', 'live', 'webhook', false, $7::int
       from generate_series(0, $5::int - 1) n, generate_series(0, 1) copy
       where copy = 0 or n % $6::int = 0
       returning external_id
     )
     select count(*)::int as rows from made`,
    [
      thread.connectionId,
      thread.conversationId,
      thread.leadId,
      moment(0),
      messages,
      doubledEvery,
      4 | (15 << 4) | (15 << 8),
    ],
  );
  await store.sql.execute(
    `update conversations set first_message_at = $2::timestamptz, first_message_source = 'live',
       last_message_at = $2::timestamptz + ($3::int - 1) * interval '1 second' where id = $1::uuid`,
    [thread.conversationId, moment(0), messages],
  );
  return Number(rows[0]?.rows) - messages;
}

/** Every table with its exact rows, each column as PostgreSQL writes it, ordered by key. */
export type Dump = Record<string, Record<string, unknown>[]>;

/** The whole database, byte for byte; what runs write about themselves is left out unless `except` says otherwise. */
export async function dumpDatabase(
  store: Store,
  except: readonly string[] = ['sync_runs', 'change_journal'],
): Promise<Dump> {
  const tables = await store.sql.query(
    `select c.relname::text as name,
       string_agg(quote_ident(a.attname) || '::text as ' || quote_ident(a.attname), ', ' order by a.attnum) as columns,
       (select string_agg(quote_ident(k.attname) || '::text collate "C"', ', ' order by k.attname)
        from pg_index i join pg_attribute k on k.attrelid = c.oid and k.attnum = any(i.indkey::int2[])
        where i.indrelid = c.oid and i.indisprimary) as key
     from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     where c.relkind = 'r' and c.relnamespace = ${OWN_SCHEMA} and c.relname <> '_prisma_migrations'
     group by c.oid, c.relname order by c.relname`,
  );
  const dump: Dump = {};
  for (const { name, columns, key } of tables) {
    if (except.includes(String(name))) continue;
    dump[String(name)] = await store.sql.query(
      `select ${String(columns)} from ${String(name)} t order by ${String(key).replaceAll(/(^|, )/g, '$1t.')}`,
    );
  }
  return dump;
}
