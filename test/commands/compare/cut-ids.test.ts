import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { CompareOptions } from '../../../src/commands/compare/types.js';
import { undo } from '../../../src/commands/undo/undo.js';
import { CHECK_NAMES } from '../../../src/commands/verify/types.js';
import { verify } from '../../../src/commands/verify/verify.js';
import { resolveInputs } from '../../../src/inputs/resolve-inputs.js';
import type { JsonObject } from '../../../src/model/json.js';
import type { Store } from '../../../src/store/store.js';
import { temporaryDirectory } from '../../cli/run-cli.js';
import { addConnection } from '../../support/connections.js';
import { compareAll } from '../../support/crm/comparing.js';
import { useCrmDatabases } from '../../support/crm/database.js';
import { makeRepair } from '../../support/crm/repairing.js';
import { createEvolution } from '../../support/crm/schemas/evolution.js';
import { cut } from '../../support/cut-ids.js';
import { describeOnBackends } from '../../support/databases.js';
import { replayBodies, testContext } from '../../support/replaying.js';
import { select } from '../../support/shown.js';
import { ANA, T0 } from '../../support/webhooks.js';

const NUMBER = '5511900000099';
const [KEY, SENT, LACKING] = [
  '3A1234567890ABCDEF01',
  '3ABBBBBBBBBBBBBBBB02',
  '3ACCCCCCCCCCCCCCCC03',
] as const;

const databases = useCrmDatabases();

/** A row of a CRM; without a time where it keeps none. */
interface Row {
  id: string;
  at: number | null;
  direction?: 'in' | 'out' | null;
  body?: string;
}

async function prepare(store: Store, bodies: readonly JsonObject[], kind = 'baileys'): Promise<void> {
  await addConnection(store, { kind, number: `+${NUMBER}` });
  await replayBodies(store, bodies, { connection: 'loja' });
}

async function inDatabase(rows: readonly Row[]): Promise<CompareOptions['place']> {
  const crm = await databases.empty();
  await crm.sql(`create table wa (connection text, external_id text, direction text, contact text, timestamp bigint,
    type text, body text)`);
  for (const { id, at, direction = 'in', body = 'do telefone' } of rows) {
    await crm.sql(`insert into wa values ('loja', $1, $2, '${ANA}', $3, 'text', $4)`, [
      id,
      direction,
      at === null ? null : T0 + at,
      body,
    ]);
  }
  return { kind: 'database', url: crm.url, table: 'wa' };
}

async function inFile(rows: readonly Row[]): Promise<CompareOptions['place']> {
  const cwd = await temporaryDirectory();
  const lines = rows.map(({ id, at, direction = 'in', body = 'do telefone' }) =>
    ['loja', id, direction ?? '', ANA, at === null ? '' : T0 + at, 'text', body].join(','),
  );
  await writeFile(
    join(cwd, 'rows.csv'),
    ['connection,external_id,direction,contact,timestamp,type,body', ...lines].join('\n'),
  );
  return { kind: 'files', inputs: await resolveInputs(['rows.csv'], { cwd }), stdin: Readable.from([]) };
}

function ids(store: Store): Promise<Record<string, unknown>[]> {
  return select(store, 'select external_id as id, body from messages order by timestamp, external_id');
}

async function expectClean(store: Store): Promise<void> {
  const { checks } = await verify(testContext(store), { checks: new Set(CHECK_NAMES), enforce: false });
  expect(checks.filter((check) => check.status === 'findings')).toEqual([]);
}

describeOnBackends('M12: a CRM beside messages whose ids are cut', (backend) => {
  it.each([
    ['a database', inDatabase],
    ['a file', inFile],
  ])('has them by beginning, direction and time, in %s', async (_, placed) => {
    const store = await backend.open();
    await prepare(store, [
      cut(KEY, 0),
      cut(SENT, 60, { from_me: true }),
      cut(LACKING, 120),
      cut('3ADDDDDDDDDDDDDDDD04', 180),
    ]);
    const place = await placed([
      { id: KEY, at: 2 },
      { id: SENT, at: 59, direction: 'out', body: 'other' },
      // Too late, and in the other direction.
      { id: LACKING, at: 123 },
      { id: '3ADDDDDDDDDDDDDDDD04', at: 180, direction: 'out' },
    ]);
    const { result, items } = await compareAll(store, 'table', place);
    expect(result).toMatchObject({ severity: 'loss', connections: [{ notKept: {} }] });
    expect(result.counts).toMatchObject({ lost: 2, only_in_crm: 2, not_kept_by_design: 0 });
    expect(result.counts.same + result.counts.differs).toBe(2);
    expect(items.find(({ class: name }) => name === 'same')?.externalId).toBe(
      `export-cut:in:${T0}:${KEY.slice(0, 17)}`,
    );
  });

  backend.once(
    'has them where it keeps no time and no direction, twice where two rows have the id',
    async () => {
      const store = await backend.open();
      await prepare(store, [cut(KEY, 0), cut(SENT, 60, { from_me: true })]);
      const { result } = await compareAll(
        store,
        'table',
        await inDatabase([
          { id: KEY, at: null, direction: null },
          { id: SENT, at: null, direction: null },
          { id: SENT, at: null, direction: null },
        ]),
      );
      expect(result.counts).toMatchObject({ same: 2, lost: 0, doubled: 1, only_in_crm: 0 });
    },
  );

  it('is not taken to have one that two of its messages fit, and adopting them tells', async () => {
    const store = await backend.open();
    await prepare(store, [cut(KEY, 0), cut(SENT, 60), cut(SENT, 61)]);
    const place = await inDatabase([
      { id: KEY, at: 0 },
      { id: `${KEY.slice(0, 17)}FFF`, at: 1 },
      // One row, of two messages.
      { id: SENT, at: 60 },
    ]);
    const { result } = await compareAll(store, 'table', place, { adopt: { dryRun: false } });
    expect(result.counts).toMatchObject({ same: 0, lost: 3, only_in_crm: 3 });
    expect((await compareAll(store, 'table', place)).result.counts).toMatchObject({ same: 3, lost: 0 });
    expect(await ids(store)).toHaveLength(3);
    await expectClean(store);
  });

  backend.once(
    'gives them their whole ids by --adopt, without a second message, and takes that back',
    async () => {
      const store = await backend.open();
      await prepare(store, [cut(KEY, 0), cut(SENT, 60, { data: 'do meu telefone' })]);
      const before = await ids(store);
      const place = await inDatabase([
        { id: KEY, at: 0 },
        // What the phone shows is better than what differs from it.
        { id: SENT, at: 60, body: 'do meu' },
        { id: LACKING, at: 120 },
      ]);
      const dry = await compareAll(store, 'table', place, { adopt: { dryRun: true } });
      expect(dry.result).toMatchObject({ counts: { lost: 0, only_in_crm: 1 }, adopted: { dryRun: true } });
      expect(await ids(store)).toEqual(before);
      const { result } = await compareAll(store, 'table', place, { adopt: { dryRun: false } });
      expect(await ids(store)).toContainEqual({ id: KEY, body: 'do telefone' });
      expect((await ids(store)).filter(({ id }) => String(id).startsWith('export-cut:'))).toHaveLength(1);
      const again = await compareAll(store, 'table', place, { adopt: { dryRun: false } });
      expect(again.result.counts.lost).toBe(0);
      expect(again.result.adopted?.created).toBe(0);
      await expectClean(store);
      const [run = ''] = result.adopted?.runs ?? [];
      await undo(testContext(store), { run, force: false, dryRun: false, recordedOptions: {} });
      expect(await ids(store)).toEqual(before);
      await expectClean(store);
    },
  );

  it('gets none of them by a repair: their ids are unknown', async () => {
    const store = await backend.open();
    await prepare(store, [cut(KEY, 0), cut(SENT, 60)]);
    const crm = await databases.empty();
    await createEvolution(crm.sql);
    await crm.sql(`insert into "Instance" (id, name, integration, "ownerJid") values ('i', 'loja', 'WHATSAPP-BAILEYS',
      '${NUMBER}@s.whatsapp.net')`);
    await crm.sql(
      `insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId")
       values ('c1', $1, 'conversation', '{"conversation": "do telefone"}', 'ios', $2, 'i')`,
      [{ id: KEY, fromMe: false, remoteJid: `${ANA}@s.whatsapp.net` }, T0],
    );
    const { result, sql } = await makeRepair(store, 'evolution', { kind: 'database', url: crm.url });
    expect(result.counts).toMatchObject({ same: 1, lost: 1 });
    expect(result.repair).toEqual({ messages: 0, leftOut: { cut_id: 1 }, asText: {} });
    expect(sql).not.toContain('export-cut');
  });

  backend.once('is held to those that were news to it, and to no others', async () => {
    const store = await backend.open();
    await prepare(
      store,
      [cut(KEY, 0), cut(SENT, 60), cut(LACKING, 120), cut('3ADDDDDDDDDDDDDDDD04', 180, { from_me: true })],
      'coexistence',
    );
    const crm = await databases.empty();
    await createEvolution(crm.sql);
    await crm.sql(
      `insert into "Instance" (id, name, integration, number) values ('i', 'loja', 'WHATSAPP-BUSINESS', '800000000000009')`,
    );
    await crm.sql(
      `insert into "Message" (id, key, "messageType", message, source, "messageTimestamp", "instanceId")
       values ('c1', $1, 'conversation', '{"conversation": "do telefone"}', 'unknown', $2, 'i')`,
      [{ id: SENT, fromMe: false, remoteJid: `${ANA}@s.whatsapp.net` }, T0 + 60],
    );
    const map = [{ connection: 'loja', crm: 'i' }];
    const { result } = await compareAll(store, 'evolution', { kind: 'database', url: crm.url }, { map });
    // Older than the CRM; sent from the phone, which the webhook of the Cloud API never brings there.
    expect(result.connections[0]?.notKept).toEqual({ history: 1, echo: 1 });
    expect(result.counts).toMatchObject({ same: 1, lost: 1 });
  });
});
