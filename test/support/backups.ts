import { fileURLToPath } from 'node:url';
import { backup } from '../../src/commands/backup/backup.js';
import { openForRestore, restore } from '../../src/commands/backup/restore.js';
import type {
  BackupResult,
  BackupSource,
  BackupTarget,
  RestoreResult,
} from '../../src/commands/backup/types.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { TEST_OPTIONS, type TestBackend } from './databases.js';
import { replayFiles, testContext } from './replaying.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';

/** A target in memory. */
export function memoryTarget(): { target: BackupTarget; bytes: () => Buffer; isDiscarded: () => boolean } {
  const pieces: Uint8Array[] = [];
  let isDiscarded = false;
  return {
    target: {
      place: 'memory',
      write: (bytes) => {
        pieces.push(Buffer.from(bytes));
        return Promise.resolve();
      },
      finish: () => Promise.resolve(),
      discard: () => {
        isDiscarded = true;
        return Promise.resolve();
      },
    },
    bytes: () => Buffer.concat(pieces),
    isDiscarded: () => isDiscarded,
  };
}

/** A backup in memory, in pieces of an odd length. */
export function memorySource(bytes: Uint8Array, piece = 65_537): BackupSource {
  return {
    place: 'memory',
    size: bytes.length,
    isEncrypted: false,
    open: async function* () {
      for (let at = 0; at < bytes.length; at += piece) {
        yield await Promise.resolve(bytes.subarray(at, at + piece));
      }
    },
  };
}

export async function backUp(
  store: Store,
  options: Partial<Parameters<typeof backup>[1]> = {},
): Promise<{ bytes: Buffer; result: BackupResult }> {
  const memory = memoryTarget();
  const clock = (): number => Date.parse('2026-11-30T03:15:00.000Z');
  const result = await backup(testContext(store, { clock }), {
    target: memory.target,
    tool: '0.0.0-test',
    ...options,
  });
  return { bytes: memory.bytes(), result };
}

/** Restores into a database that is open and empty. */
export async function restoreOn(store: Store, bytes: Uint8Array): Promise<RestoreResult> {
  const source = memorySource(bytes);
  const archive = await openForRestore(source);
  return restore(testContext(store), { source, archive });
}

/** Restores into a database as the command opens it; its store closes before this resolves. */
export function restoreInto(config: DatabaseConfig, bytes: Uint8Array): Promise<RestoreResult> {
  return withStore(config, (store) => restoreOn(store, bytes), { asItIs: true });
}

/**
 * A store with what a backup holds, for a look at it. Into which databases a backup goes is tested where it is restored: making
 * one and its tables takes longer than all else that such a test does.
 */
export async function restored(backend: TestBackend, bytes: Uint8Array): Promise<Store> {
  const store = await backend.open();
  await restoreOn(store, bytes);
  return store;
}

export async function withStore<T>(
  config: DatabaseConfig,
  work: (store: Store) => Promise<T>,
  options: { asItIs?: boolean } = {},
): Promise<T> {
  const store = await openStore(config, { ...TEST_OPTIONS, ...options });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

/** Rows and digest of each table, as PostgreSQL prints its rows: another way than that of a backup. */
export async function tableDigests(store: Store): Promise<Record<string, string>> {
  const tables = await store.sql.query(
    `select relname::text as name from pg_class where relnamespace = ${OWN_SCHEMA} and relkind = 'r'
       and relname <> '_prisma_migrations' order by relname`,
  );
  const digests: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await store.sql.query(
      `select count(*)::text || ' ' || coalesce(md5(string_agg(t::text, E'\\n' order by t::text collate "C")), '') as digest
       from "${String(name)}" t`,
    );
    digests[String(name)] = String(row?.['digest']);
  }
  const [sequence] = await store.sql.query(
    `select last_value::text || ' ' || is_called::text as state from change_journal_id_seq`,
  );
  digests['change_journal_id_seq'] = String(sequence?.['state']);
  return digests;
}

const DEMO_DAY = fileURLToPath(new URL('../../fixtures/demo-day.ndjson', import.meta.url));

/** A day of webhooks, and in every other table rows with the values that a copy could spoil. */
export async function fillEverything(store: Store): Promise<void> {
  await replayFiles(store, [DEMO_DAY]);
  for (const statement of STRANGE_ROWS) await store.sql.execute(statement);
}

const CONNECTION = `(select id from connections order by id limit 1)`;
const MESSAGE = `(select id from messages order by id limit 1)`;
/** Control characters, quotes, backslashes, a line separator, other scripts, what JSON escapes. */
const TEXT = `E'tab\\t line\\n return\\r quote" back\\\\slash \\u0001\\u001f\\u007f\\u2028 \\\\u0041 \\U0001F6B2 שלום {"a":1},'`;
const JSON_VALUES = `'{"a": 1.10, "b": 12345678901234567890123, "c": null, "ü": "\\u0001\\n\\\\"}'::jsonb`;

const STRANGE_ROWS = [
  `update messages set body = ${TEXT}, raw_meta = ${JSON_VALUES}, media = 'null'::jsonb, errors = '[]'::jsonb,
     edited_at = 'infinity', deleted_at = '-infinity', meta_confirmed_at = '0044-03-15 12:00:00.123 BC' where id = ${MESSAGE}`,
  `update messages set body = '', media = '"text"'::jsonb, raw_meta = '0'::jsonb, timestamp = '294276-12-31 23:59:59.999+00'
   where id = (select id from messages order by id desc limit 1)`,
  `update connections set waba_ids = array['{}', 'NULL', '', 'a,b', 'q"\\'], numbers = '{}', last_sync_at = '2026-02-28 23:59:59.9996+00'`,
  `update webhook_log set fields = null, phone_number_ids = '[3:4]={a,NULL}', chat_ids = '{{a,b},{c,d}}',
     raw_body = decode('00ff5c78225c7800e2', 'hex'), error = ${TEXT} where id = (select id from webhook_log order by id limit 1)`,
  `update webhook_log set raw_body = '' where id = (select id from webhook_log order by id desc limit 1)`,
  `insert into change_journal (run_id, table_name, key, before, after)
   select gen_random_uuid(), 'leads', 'null'::jsonb, ${JSON_VALUES}, '{}'::jsonb from generate_series(1, 20)`,
  // The sequence is then ahead of the rows.
  `delete from change_journal where id > (select max(id) - 3 from change_journal)`,
  // Begins as PostgreSQL's digits do, and has every byte.
  `insert into discarded_bodies (webhook_log_id, run_id, raw_body) select gen_random_uuid(), gen_random_uuid(),
     '\\x5c783030'::bytea || string_agg(set_byte('\\x00', 0, b), ''::bytea order by b) from generate_series(0, 255) b`,
  `insert into linked_devices (connection_id, account_id, credentials, updated_at, device_key)
   values (${CONNECTION}, 'a', sha256('c'), now(), sha256('d'))`,
  `insert into linked_device_keys (connection_id, type, key_id, value) values (${CONNECTION}, 'session', '1', sha256('e'))`,
  `insert into alert_acks (alert_id, kind, state, acked_by, host, acked_at) values ('a', 'silent', ${TEXT}, 'x', 'y', now())`,
  `insert into proven_blocks (block, rows, digest, advance) values ('01a2', 9223372036854775807, '1', -9223372036854775808)`,
  `insert into owed_files (connection_id, file_id, notification, announced_at) values (${CONNECTION}, 'f', '\\x01', now())`,
  `insert into history_gaps (connection_id, chat_jid, anchor_id, anchor_from_me, anchor_at, behind_id, behind_at, reason, found_at)
   values (${CONNECTION}, 'j', 'a', true, now(), 'b', now(), 'short', now())`,
  `insert into saved_comparisons (name, crm, url, options, result) values ('s', 'table', '\\x02', 'null'::jsonb, 'null'::jsonb)`,
  `insert into graph_credentials (connection_id, token, saved_at, findings) values (${CONNECTION}, '\\x03', now(), '[]')`,
  `insert into history_requests (connection_id, sync_type, onboarded_at, requested_at, deadline, outcome, requested_by, host)
   values (${CONNECTION}, 'history', now(), now(), now(), 'sent', 'x', 'y')`,
  `insert into media_files (connection_id, media_id, message_id, state, attempts, first_tried_at, tried_at, size, path)
   values (${CONNECTION}, 'm', 'w', 'fetched', 1, now(), now(), 9007199254740993, 'ab/cd.jpg')`,
  `insert into erasures (id, run_id, started_at, counts) values (gen_random_uuid(), gen_random_uuid(), now(), ${JSON_VALUES})`,
  `insert into erased_identities (name_hash, erasure_id) select repeat('a', 64), id from erasures`,
  `insert into erasure_keys (name, sealed) values ('names', '\\x04')`,
];
