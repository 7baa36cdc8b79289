import { expect, it } from 'vitest';
import type { EnforcedIndex, VerifyResult } from '../../../src/commands/verify/types.js';
import { CHECK_NAMES } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { openStore } from '../../../src/store/open-store.js';
import type { Store } from '../../../src/store/store.js';
import { copyMessage, dropUniqueIndexes } from '../../support/damage.js';
import { describeOnServer, TEST_OPTIONS, useBackend } from '../../support/databases.js';
import { replayBodies, testContext, type TestOptions } from '../../support/replaying.js';
import { live } from '../../support/webhooks.js';

const MESSAGE_KEY = 'messages_connection_id_external_id_key';

function enforce(store: Store, options: TestOptions = {}): Promise<VerifyResult> {
  return verify(testContext(store, options), {
    checks: new Set(CHECK_NAMES),
    enforce: true,
    recordedOptions: { enforce: true },
  });
}

/** What was not there already. */
function changes({ enforced }: VerifyResult): EnforcedIndex[] {
  return enforced.filter(({ outcome }) => outcome !== 'present');
}

async function indexes(store: Store): Promise<string[]> {
  const rows = await store.sql.query(
    `select indexdef from pg_indexes where schemaname = current_schema() order by indexname`,
  );
  return rows.map((row) => String(row['indexdef']));
}

async function lastRun(store: Store): Promise<Record<string, unknown> | undefined> {
  const [row] = await store.sql.query(
    `select id, command, status, verdict, counters from sync_runs order by started_at desc, id desc limit 1`,
  );
  return row;
}

describeOnServer('verify --enforce', (backend) => {
  async function ownStore(work: (store: Store) => Promise<void>): Promise<void> {
    const store = await openStore(await backend.config(), TEST_OPTIONS);
    try {
      await work(store);
    } finally {
      await store.close();
    }
  }

  it('makes what is missing and what is wrong as the migrations make it, and is recorded as a run', () =>
    ownStore(async (store) => {
      const before = await indexes(store);
      await replayBodies(store, [live('A', 0), live('B', 10)]);
      await dropUniqueIndexes(store);
      await store.sql.execute('alter table message_reactions drop constraint message_reactions_pkey');
      await store.sql.execute(`create index ${MESSAGE_KEY} on messages (external_id)`);
      const result = await enforce(store);
      expect(changes(result)).toEqual([
        { index: MESSAGE_KEY, outcome: 'recreated' },
        { index: 'conversations_lead_id_connection_id_key', outcome: 'created' },
        { index: 'tickets_one_open_per_conversation', outcome: 'created' },
        { index: 'leads_organization_id_phone_number_key', outcome: 'created' },
        { index: 'message_reactions_pkey', outcome: 'created' },
      ]);
      expect(await indexes(store)).toEqual(before);
      expect(result.findings).toBe(0);
      expect(await lastRun(store)).toMatchObject({
        id: result.runId,
        command: 'verify',
        status: 'completed',
        verdict: '5 unique indexes created',
        counters: { created: 4, recreated: 1, blocked: 0 },
      });
    }));

  it('changes nothing where everything is there', async () => {
    const store = await backend.open();
    const result = await enforce(store);
    expect(changes(result)).toEqual([]);
    expect(result).toMatchObject({ status: 'completed', findings: 0 });
    expect(await lastRun(store)).toMatchObject({ verdict: 'All unique indexes were present' });
  });

  it('reports what blocks an index, and goes on with the others', () =>
    ownStore(async (store) => {
      await replayBodies(store, [live('A', 0), live('B', 10)]);
      await dropUniqueIndexes(store, ['same_id', 'phone']);
      const [row] = await store.sql.query(`select id from messages where body = 'A'`);
      await copyMessage(store, String(row?.['id']));
      const result = await enforce(store);
      expect(changes(result)).toEqual([
        {
          index: MESSAGE_KEY,
          outcome: 'blocked',
          reason: expect.stringMatching(
            /^1 duplicate row in messages: 1 group shares connection_id, external_id \(\+5511900000000 wamid\.\S+\)$/,
          ) as unknown,
          remedy: expect.objectContaining({ command: 'dedupe', args: ['--apply', '--force'] }) as unknown,
        },
        { index: 'leads_organization_id_phone_number_key', outcome: 'created' },
      ]);
      expect(result.doubled).toBe(1);
      expect(result.checks[0]).toMatchObject({
        check: 'unique_index',
        found: 1,
        remedy: { command: 'dedupe', args: ['--apply', '--force'] },
      });
      expect((await indexes(store)).filter((definition) => definition.includes(MESSAGE_KEY))).toEqual([]);
      expect(await lastRun(store)).toMatchObject({ status: 'partial' });
    }));

  it('keeps the index of another name that does the same', () =>
    ownStore(async (store) => {
      await dropUniqueIndexes(store, ['same_id']);
      await store.sql.execute('create unique index ours on messages (external_id, connection_id)');
      expect(changes(await enforce(store))).toEqual([]);
    }));

  it('stops between two indexes when it is interrupted', async () => {
    const store = await backend.open();
    const result = await enforce(store, { signal: AbortSignal.abort() });
    expect(result).toMatchObject({ status: 'interrupted', checks: [], enforced: [] });
    expect(await lastRun(store)).toMatchObject({ status: 'interrupted' });
  });
});

const server = useBackend('postgresql');

it('verify --enforce takes the left-over of an attempt that failed away, and makes the index anew', async () => {
  const store = await openStore(await server.config(), TEST_OPTIONS);
  try {
    await replayBodies(store, [live('A', 0)]);
    await dropUniqueIndexes(store, ['same_id']);
    const [row] = await store.sql.query('select id from messages');
    const copy = await copyMessage(store, String(row?.['id']));
    await expect(
      store.sql.execute(
        `create unique index concurrently ${MESSAGE_KEY} on messages (connection_id, external_id)`,
      ),
    ).rejects.toThrow();
    const blocked = await verify(testContext(store), { checks: new Set(['unique_index']), enforce: true });
    expect(changes(blocked)).toMatchObject([{ index: MESSAGE_KEY, outcome: 'blocked' }]);
    expect(blocked.checks[0]?.samples[0]?.detail).toMatch(/is invalid/);
    await store.sql.execute('delete from messages where id = $1::uuid', [copy]);
    expect(changes(await enforce(store))).toEqual([{ index: MESSAGE_KEY, outcome: 'recreated' }]);
  } finally {
    await store.close();
  }
});

it('verify --enforce makes its indexes while another program writes', async () => {
  const config = await server.config();
  const store = await openStore(config, TEST_OPTIONS);
  const other = await openStore(config, TEST_OPTIONS);
  try {
    await replayBodies(store, [live('A', 0)]);
    await dropUniqueIndexes(store);
    let written = 0;
    const end = new AbortController();
    async function write(): Promise<void> {
      for (; !end.signal.aborted; written += 1) {
        await other.sql.execute(
          `insert into messages select (jsonb_populate_record(m, jsonb_build_object(
             'id', gen_random_uuid(), 'external_id', 'K' || $1::text, 'stanza_id', null))).*
           from messages m where body = 'A' limit 1`,
          [String(written)],
        );
      }
    }
    const writer = write();
    const result = await enforce(store);
    const during = written;
    end.abort();
    await writer;
    expect(changes(result).map(({ outcome }) => outcome)).toEqual([
      'created',
      'created',
      'created',
      'created',
    ]);
    expect(during).toBeGreaterThan(0);
    await expect(
      other.sql.execute(
        `insert into messages select (jsonb_populate_record(m, jsonb_build_object('id', gen_random_uuid()))).*
         from messages m limit 1`,
      ),
    ).rejects.toThrow();
  } finally {
    await store.close();
    await other.close();
  }
});
