import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../cli/run-cli.js';
import { useServer } from '../../cli/database-home.js';
import { addConnection } from '../../support/connections.js';
import { compareAll, expectFound, replayDay } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { createDay, WEB } from '../../support/crm/day.js';
import type { Expectation } from '../../support/crm/expectation.js';
import { fillWid } from '../../support/crm/wid.js';
import { useBackend } from '../../support/databases.js';

const databases = useCrmDatabases();

/** What a user would write over the tables of their own program. */
const VIEW = `
  create schema reports;
  grant usage on schema reports to public;
  create view reports."WhatsApp" as
  select m.id, '${WEB.number}' as connection, m.wid as external_id,
    case when m."fromMe" then 'out' else 'in' end as direction,
    case when t."isGroup" then c.number || '@g.us' else c.number end as contact,
    m."createdAt" as timestamp, m."mediaType" as type, case when not m."isDeleted" then m.body end as body
  from "Messages" m join "Tickets" t on t.id = m."ticketId" join "Contacts" c on c.id = t."contactId"
  where not m."isPrivate" and m.channel = 'whatsapp';
  grant select on reports."WhatsApp" to public`;

/** Nothing is left out by design by a program that nobody knows, and the view leaves out what is no message. */
function asSeenByView(expectation: Expectation): Expectation {
  const messages = [...expectation.messages].map(([id, expected]) =>
    expected.class === 'not_kept_by_design'
      ? ([id, { ...expected, class: 'lost' }] as const)
      : ([id, expected] as const),
  );
  return {
    ...expectation,
    messages: new Map(messages),
    noMessages: expectation.noMessages.filter(({ why }) => why === 'group' || why === 'reaction'),
  };
}

describe('compare with a view of one’s own', () => {
  const backend = useBackend('postgresql');

  it('finds every planted difference, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 41, count: 400, batched: false });
    await replayDay(store, day);
    const crm = await databases.empty();
    const bugs = new Set(['lid_split', 'doubled_redelivery', 'random_loss'] as const);
    const expectation = asSeenByView(await fillWid(crm.sql, day, { bugs, seed: 3 }));
    await crm.sql(VIEW);
    const found = await compareAll(store, 'table', {
      kind: 'database',
      url: crm.readOnlyUrl,
      table: 'reports.WhatsApp',
    });
    expectFound(found, expectation, [WEB.name]);
    for (const name of ['lost', 'doubled', 'other_contact', 'only_in_crm', 'without_id'] as const) {
      expect([name, found.result.counts[name]]).not.toEqual([name, 0]);
    }
  });

  it('counts each row once, whatever rows have in common', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', kind: 'baileys', number: '+5511900000099' });
    const crm = await databases.empty();
    // Far more than a page, of which many have one key, many none, and all are alike but for it.
    await crm.sql(`
      create table wa as
      select 'loja' as connection, case when n % 3 = 0 then null when n % 3 = 1 then 'A' || n else 'B' end as external_id,
        'in' as direction, '5511988880001' as contact, 1758000000 as timestamp, 'text' as type, 'x' as body
      from generate_series(1, 18000) n`);
    const { result } = await compareAll(store, 'table', { kind: 'database', url: crm.url, table: 'wa' });
    expect(result.connections.map(({ rows }) => rows)).toEqual([18_000]);
    expect(result.counts).toMatchObject({
      same: 0,
      without_id: 6_000,
      only_in_crm: 6_001,
      doubled: 5_999,
    });
  });

  it('reads any types of columns', async () => {
    const store = await backend.open();
    await addConnection(store, { name: 'loja', kind: 'baileys', number: '+5511900000099' });
    const crm = await databases.empty();
    await crm.sql(`
      create type way as enum ('INBOUND', 'OUTBOUND');
      create table wa (connection bigint, external_id uuid, direction way, contact numeric, timestamp double precision,
        type varchar(20), body jsonb);
      insert into wa values (5511900000099, gen_random_uuid(), 'INBOUND', 5511988880001, 1758000000.25, 'text', '"x"'),
        (null, null, null, null, null, null, null)`);
    const { result } = await compareAll(store, 'table', { kind: 'database', url: crm.url, table: 'wa' });
    expect(result.counts).toMatchObject({ only_in_crm: 1 });
    expect(result.unmatched.crm).toEqual([{ key: '', name: '' }]);
  });
});

describe('the command', () => {
  const server = useServer();

  it('needs the name of the view, and takes it for nothing else', async () => {
    const run = await server.prepare();
    const crm = await databases.empty();
    const refused = async (...argv: string[]): Promise<string> => {
      const { code, stderr } = await run(['compare', ...argv]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('table', '--crm-url', crm.url)).toContain('--crm-table [SCHEMA.]NAME');
    expect(await refused('evolution', '--crm-url', crm.url, '--crm-table', 'wa')).toContain(
      'names a table of a program of your own',
    );
    expect(await refused('table', 'wa.csv', '--crm-table', 'wa')).toContain(
      'names a table of a program of your own',
    );
    expect(await refused('saved-one', '--crm-table', 'wa')).toContain(
      'names a table of a program of your own',
    );
    expect(await refused('table', '--crm-url', crm.url, '--crm-table', 'a.b.c')).toContain(
      'no name of a table',
    );
    expect(await refused('table', '--crm-url', crm.url, '--crm-table', 'reports.wa')).toContain('"wa"');
    await crm.sql('create view wa as select 1 as connection, 2 as external_id');
    expect(await refused('table', '--crm-url', crm.url, '--crm-table', 'wa')).toContain(
      'the column "direction" of "wa"',
    );
  });

  it('refuses a view that says from_me, and says what to write', async () => {
    const run = await server.prepare();
    await run(['connection', 'add', '--name', 'loja', '--kind', 'baileys', '--phone', '+5511900000099']);
    const crm = await databases.empty();
    await crm.sql(
      `create view wa as select 'loja' as connection, 'A' as external_id, true as direction, '5511988880001' as contact,
         now() as timestamp, 'text' as type, 'x' as body`,
    );
    const { code, stderr } = await run(['compare', 'table', '--crm-url', crm.url, '--crm-table', 'wa']);
    expect(code).toBe(2);
    expect(stderr).toContain("case when from_me then 'outbound' else 'inbound' end as direction");
  });

  it('remembers the view of a saved comparison', async () => {
    const run = await server.prepare();
    await run(['connection', 'add', '--name', 'loja', '--kind', 'baileys', '--phone', '+5511900000099']);
    const crm = await databases.empty();
    await crm.sql(
      `create view wa as select 'loja' as connection, 'A' as external_id, 'in' as direction, '5511988880001' as contact,
         now() as timestamp, 'text' as type, 'x' as body`,
    );
    const env = { WA_RECONCILE_SECRET_KEY: randomBytes(32).toString('base64') };
    const named = ['--crm-url', crm.url, '--crm-table', 'wa', '--save', 'own'];
    expect(await run(['compare', 'table', ...named], { env })).toMatchObject({ code: 0 });
    const { code, stdout } = await run(['compare', 'own', '--json'], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ crm: 'table', counts: { only_in_crm: 1 } });
  });

  it('reads the same columns from a file', async () => {
    const run = await server.prepare();
    await run(['connection', 'add', '--name', 'loja', '--kind', 'baileys', '--phone', '+5511900000099']);
    const directory = await temporaryDirectory();
    const path = join(directory, 'messages.csv');
    await writeFile(
      path,
      [
        'connection;external_id;direction;contact;timestamp;type;body',
        '+55 11 90000-0099;A;in;5511988880001;1758000000;text;x',
        '+55 11 90000-0099;A;in;5511988880001;1758000000;text;x',
        '+55 11 90000-0099;;out;5511988880001;2025-09-16 05:20:00;image;',
        '',
      ].join('\n'),
    );
    const { code, stdout, stderr } = await run(['compare', 'table', path, '--json']);
    expect({ code, stderr }).toMatchObject({ code: 3 });
    expect(JSON.parse(stdout)).toMatchObject({ counts: { only_in_crm: 1, doubled: 1, without_id: 1 } });
  });

  it('reads texts that no database takes', async () => {
    const run = await server.prepare();
    await run(['connection', 'add', '--name', 'loja', '--kind', 'baileys', '--phone', '+5511900000099']);
    const path = join(await temporaryDirectory(), 'messages.ndjson');
    const row = { connection: 'loja', direction: 'in', timestamp: 1_758_000_000 };
    await writeFile(
      path,
      [
        { ...row, external_id: 'A\0B', contact: '55119\0', type: 'te\0xt', body: '\0\ud800' },
        { ...row, external_id: { a: 1 }, contact: ['x'], timestamp: null, type: 5, body: 7 },
      ]
        .map((record) => `${JSON.stringify(record)}\n`)
        .join(''),
    );
    const { stdout } = await run(['compare', 'table', path, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ counts: { only_in_crm: 1, without_id: 1 } });
  });
});
