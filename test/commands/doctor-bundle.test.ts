import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collectBundle } from '../../src/commands/doctor/bundle.js';
import { Shapes } from '../../src/commands/doctor/shapes.js';
import type { DoctorOptions } from '../../src/commands/doctor/types.js';
import { openStore, type DatabaseConfig } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { describeOnServer, TEST_OPTIONS } from '../support/databases.js';
import { replayBodies } from '../support/replaying.js';
import { live } from '../support/webhooks.js';
import { OWN_SCHEMA } from '../../src/store/own-schema.js';
import { tries } from '../support/seed.js';

function options(database: DatabaseConfig, value = 'value'): DoctorOptions & { version: string } {
  return {
    version: '1.2.3',
    nodeVersion: 'v24.1.0',
    host: value,
    pid: 1,
    clock: Date.now,
    signal: new AbortController().signal,
    settings: [
      { name: 'home', value, origin: `WA_RECONCILE_HOME in /srv/${value}/.env` },
      { name: 'events', value: 'true', origin: '--events' },
    ],
    unknownSettings: [{ place: `WA_RECONCILE_${value}` }],
    secretFiles: [value],
    secretKey: null,
    database,
    looked: [value],
  };
}

/** What people write, are called, and can be reached by. */
const VALUE = fc.oneof(
  fc
    .string({ minLength: 8, maxLength: 30, unit: 'grapheme-ascii' })
    .filter((text) => /[a-z0-9]{5}/i.test(text)),
  fc.stringMatching(/^\+?55 ?11 ?9\d{4}[- ]?\d{4}$/),
  fc.integer({ min: 10_000_000, max: 99_999_999_999 }).map(String),
  fc
    .array(fc.constantFrom('💚', '🌵', '🚲', '👩‍👩‍👧'), { minLength: 3, maxLength: 6 })
    .map((all) => all.join('')),
  fc.uint8Array({ minLength: 12, maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.webUrl().map((url) => `${url}?token=Xk29fQ`),
  fc.ipV4(),
  fc.stringMatching(/^\/home\/[a-z]{6,9}\/[a-z]{6,9}\.ndjson$/),
  fc.stringMatching(/^[A-ZÀ-Ý][a-zà-ý]{5,9} [A-ZÀ-Ý][a-zà-ý]{5,9}$/),
);

/** All ways in which a value could be in a text. */
function waysOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const inside = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    // Without the ends, which depend on what stands beside it.
    return text.slice(shift === 0 ? 0 : 4, Math.max(0, Math.floor((bytes.length + shift) / 3) * 4));
  });
  return [
    value,
    value.toLowerCase(),
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value),
    bytes.toString('hex'),
    ...inside.filter((text) => text.length >= 8),
    ...(/^\+?[\d\s-]+$/.test(value) ? [value.replace(/\D/g, '')] : []),
  ];
}

async function plant(store: Store, value: string): Promise<void> {
  const { sql } = store;
  const body = JSON.stringify({
    entry: [{ [value]: value, id: value, changes: { text: { body: `${value}!` } } }],
    [`x${value}`]: 1,
  });
  await sql.execute(`update connections set name = $1, display_phone_number = $1`, [value]);
  await sql.execute(`update leads set push_name = $1, username = $1`, [value]);
  await sql.execute(
    `update messages set body = $1, type = $1, media = jsonb_build_object('fileName', $1::text)`,
    [value],
  );
  await sql.execute(
    `update webhook_log set status = 'failed', provider = $1, origin = $1, error = 'bad ' || $1 || ' in ' || $1, raw_body = $2`,
    [value, Buffer.from(body)],
  );
  await sql.execute(
    `insert into webhook_log (id, sha256, provider, raw_body, fields, phone_number_ids, chat_ids, status)
     select gen_random_uuid(), sha256($2), $1, $2, array[$1], array[$1], array[$1], 'failed'`,
    [value, Buffer.from(`${value} said "${value}" {${value}`)],
  );
  await sql.execute(
    `update sync_runs set verdict = $1 || ' lost', error = 'No ' || $1, host = $1,
       options = jsonb_build_object($1::text, $1::text, 'paths', jsonb_build_array($1::text), 'connection', $1::text),
       counters = jsonb_build_object('skipped.' || $1, 3, 'events', jsonb_build_object($1::text, 1))`,
    [value],
  );
  await sql.execute(
    `insert into rejects (id, run_id, webhook_log_id, path, subject, reason, excerpt)
     select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), '$.entry[0].' || $1, $1, $1, $1`,
    [value],
  );
  await sql.execute(
    `insert into alert_acks (alert_id, kind, state, reason, acked_by, host, acked_at) values ($1, $1, $1, $1, $1, $1, now())`,
    [value],
  );
}

describeOnServer('a bundle for a maintainer', (backend) => {
  test('holds no value of the input, in whatever form', async () => {
    const config = await backend.config();
    const names = [VALUE, VALUE];
    const opened = await openStore(config, TEST_OPTIONS);
    // What another program may have written where these were not in force.
    const checks = await opened.sql.query(
      `select conrelid::regclass::text as table, conname::text as name from pg_constraint
       where contype = 'c' and connamespace = ${OWN_SCHEMA}`,
    );
    for (const { table, name } of checks)
      await opened.sql.execute(`alter table ${String(table)} drop constraint "${String(name)}"`);
    await replayBodies(opened, [live('first', 0)]);
    await opened.close();
    await fc.assert(
      fc.asyncProperty(fc.tuple(...names), async (values) => {
        const store = await openStore(config, TEST_OPTIONS);
        try {
          for (const table of ['rejects', 'alert_acks', 'webhook_log where run_id is null'])
            await store.sql.execute(`delete from ${table}`);
          for (const value of values) await plant(store, value);
        } finally {
          await store.close();
        }
        const bundle = await collectBundle(options(config, values[0]), {
          checks: [{ name: 'database', status: 'ok', message: values[0] ?? '' }],
        });
        const text = JSON.stringify(bundle);
        expect(bundle.database['error']).toBeUndefined();
        for (const value of values)
          for (const way of waysOf(value))
            expect(text.includes(way), `${value} as ${way} in ${text}`).toBe(false);
      }),
      {
        numRuns: tries(30),
        seed: Number(process.env.TEST_SEED ?? 1),
        endOnFailure: true,
      },
    );
  });

  test('says what a maintainer needs: versions, migrations, counts, verdicts, shapes', async () => {
    const config = await backend.config();
    const store = await openStore(config, TEST_OPTIONS);
    await replayBodies(store, [
      live('first', 0),
      live('second', 10),
      { entry: [{ changes: [{ name: 'Ana', value: 17 }] }] },
    ]);
    await store.close();
    const bundle = await collectBundle(options(config), { checks: [] });
    expect(bundle.versions).toMatchObject({ tool: '1.2.3', node: 'v24.1.0' });
    expect(bundle.settings).toContainEqual({ name: 'events', value: 'true', from: 'flag' });
    expect(bundle.database).toMatchObject({
      backend: backend.name,
      migrations: { pending: [] },
      tables: {
        messages: [{ source: 'live', sync_source: 'webhook', type: 'text', rows: 2 }],
        leads: [{ source: 'live_message', rows: 1 }],
      },
      runs: [{ command: 'replay' }],
    });
    expect(JSON.stringify(bundle.database['migrations'])).toContain('20261130002000_access_log');
  });

  test('says what it can of a broken database', async () => {
    const config = await backend.config();
    const store = await openStore(config, TEST_OPTIONS);
    await store.sql.execute('drop table rejects');
    await store.sql.execute('alter table sync_runs drop column verdict');
    await store.close();
    const { database } = await collectBundle(options(config), { checks: [] });
    expect(database).toMatchObject({
      rejects: { error: '42P01' },
      tables: { rejects: { error: '42P01' }, messages: [] },
    });
  });
});

describe('shapes', () => {
  test('keep the reasons and the counters of this tool', () => {
    const shapes = new Shapes();
    for (const reason of ['missing_id', 'id_collision', 'self_thread', 'no_json'])
      expect(shapes.word(reason)).toBe(reason);
    const counters = {
      entries: { read: 101, stored: 100, ignored: 1 },
      messages: { seen: 5, rejected: { missing_id: 1 } },
    };
    expect(shapes.facts(counters)).toEqual(counters);
  });

  test('keep the structure and the fields of formats, and nothing else', () => {
    const shapes = new Shapes();
    const shape = shapes.body(
      '{"entry":[{"id":"123456","Ana Souza":{"text":"hi"}}],"from":123456,"ok":true}',
    );
    expect(shape).toMatchObject({
      entry: [{ 'key 2: string(9)': { text: 'string(2)' } }],
      from: expect.stringMatching(/^number\(6\)#[0-9a-f]{8}$/) as unknown,
      'key 3: string(2)': 'boolean',
    });
    expect(shapes.text('+55 11 91234-5678')).toBe(shapes.text('+55 11 91234-5678'));
    expect(shapes.text('5511912345678').split('#')[1]).toBe(shapes.text('+55 11 91234-5678').split('#')[1]);
    expect(new Shapes().text('5511912345678')).not.toBe(shapes.text('5511912345678'));
  });

  test('leave the tool’s own words in its sentences', () => {
    const shapes = new Shapes();
    expect(
      shapes.sentence('3 connections: 1,204 log items compared, 0 missing of Ana, +55 11 91234-5678'),
    ).toBe('3 connections: 1,204 log items compared, 0 missing of ‹3›s3‹2› ‹2› ‹5›-‹4›');
  });
});
