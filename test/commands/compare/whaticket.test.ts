import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { CompareOptions, CrmName } from '../../../src/commands/compare/types.js';
import { resolveInputs } from '../../../src/inputs/resolve-inputs.js';
import { createRandom } from '../../bench/random.js';
import { temporaryDirectory } from '../../cli/run-cli.js';
import {
  compareAll,
  expectFound,
  notInCrm,
  replayDay,
  type Comparison,
} from '../../support/crm/comparing.js';
import { useCrmDatabases, type CrmDatabase, type Fill } from '../../support/crm/database.js';
import { createDay, WEB, type Day } from '../../support/crm/day.js';
import type { Bug, Expectation } from '../../support/crm/expectation.js';
import { fillTicketz } from '../../support/crm/ticketz.js';
import { fillWhaticket } from '../../support/crm/whaticket.js';
import { fillWid } from '../../support/crm/wid.js';
import { useBackend } from '../../support/databases.js';

interface World {
  crm: CrmName;
  fill: Fill;
  bugs: readonly Bug[];
}

const WORLDS: Readonly<Record<string, World>> = {
  ticketz: {
    crm: 'ticketz',
    fill: fillTicketz,
    bugs: ['lid_split', 'quoted_stubs', 'second_ticket_double', 'random_loss'],
  },
  'a fork with wid': {
    crm: 'ticketz',
    fill: fillWid,
    bugs: ['lid_split', 'doubled_redelivery', 'random_loss'],
  },
  'whaticket-community': { crm: 'whaticket', fill: fillWhaticket, bugs: ['lid_split', 'random_loss'] },
};

const databases = useCrmDatabases();

async function filled(
  { fill }: World,
  day: Day,
  bugs: readonly Bug[],
): Promise<{ crm: CrmDatabase; expectation: Expectation }> {
  const { crm, expectation } = await databases.filled(fill, day, bugs);
  const [first] = await crm.sql(
    `select floor(extract(epoch from min("createdAt")))::int as at from "Messages"`,
  );
  return { crm, expectation: withoutThePast(expectation, day, Number(first?.at)) };
}

/** What was said before the CRM's first row is no loss: the number was not linked to it yet. */
function withoutThePast(expectation: Expectation, day: Day, beginning: number): Expectation {
  const past = new Set(
    day.messages.filter(({ via, at }) => via === 'history' && at < beginning).map(({ id }) => id),
  );
  const messages = [...expectation.messages].map(([id, expected]) =>
    expected.class === 'lost' && past.has(id)
      ? ([id, { ...expected, class: 'not_kept_by_design' }] as const)
      : ([id, expected] as const),
  );
  return { ...expectation, messages: new Map(messages) };
}

describe.each(Object.entries(WORLDS))('compare with %s', (_name, world) => {
  const backend = useBackend('postgresql');

  it('finds nothing wrong with a CRM that does nothing wrong, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 31, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await filled(world, day, []);
    const found = await compareAll(
      store,
      world.crm,
      { kind: 'database', url: crm.readOnlyUrl },
      { map: notInCrm([WEB.name]) },
    );
    expectFound(found, expectation, [WEB.name]);
    expect(found.result).toMatchObject({ severity: 'note', status: 'completed', people: [] });
    expect(found.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
    expect(found.result.counts.same).toBeGreaterThan(100);
  });

  it('knows a connection by the number that its session is linked to', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 32, count: 100, batched: false });
    await replayDay(store, day);
    const { crm } = await filled(world, day, []);
    const session = { creds: { me: { id: `${WEB.number}:12@s.whatsapp.net`, name: 'Loja' } } };
    await crm.sql(`update "Whatsapps" set name = 'balcão', session = $1`, [JSON.stringify(session)]);
    const { result } = await compareAll(store, world.crm, { kind: 'database', url: crm.readOnlyUrl });
    expect(result.connections.map(({ connection }) => connection)).toEqual([WEB.name]);
  });

  it.each(world.bugs)('finds what the bug %s planted, and nothing else', async (bug) => {
    const store = await backend.open();
    const day = createDay({ seed: 35, count: 300, batched: false });
    await replayDay(store, day);
    const { crm, expectation } = await filled(world, day, [bug]);
    const found = await compareAll(store, world.crm, { kind: 'database', url: crm.url });
    expectFound(found, expectation, [WEB.name]);
  });

  it('finds them in any mixture, on any day', async () => {
    for (let seed = 1; seed <= 6; seed += 1) {
      const random = createRandom(seed);
      const store = await backend.open();
      const day = createDay({ seed: seed + 200, count: 120, batched: false });
      await replayDay(store, day);
      const bugs = world.bugs.filter(() => random.chance(0.5));
      const { crm, expectation } = await filled(world, day, bugs);
      const found = await compareAll(store, world.crm, { kind: 'database', url: crm.url });
      expectFound(found, expectation, [WEB.name]);
    }
  });
});

describe('a fork with wid whose rows have another time', () => {
  const backend = useBackend('postgresql');

  it('differs in it, whatever the message itself says beside it', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 42, count: 120, batched: false });
    await replayDay(store, day);
    const { crm } = await databases.filled(fillWid, day);
    const place = { kind: 'database', url: crm.url } as const;
    const before = await compareAll(store, 'ticketz', place);
    expect(before.result.counts.differs).toBe(0);
    await crm.sql(`update "Messages" set "createdAt" = "createdAt" + interval '5 hours'`);
    const { result } = await compareAll(store, 'ticketz', place);
    const { same } = before.result.counts;
    expect(result.counts).toMatchObject({ same: 0, differs: same });
    expect(result.connections.map(({ fields }) => fields)).toEqual([{ timestamp: same }]);
  });
});

describe('exports of the family', () => {
  const backend = useBackend('postgresql');

  /** Every table as a file with a row a line, as its columns are, or some of its rows. */
  async function exported({ sql }: CrmDatabase, tables: readonly string[], some = ''): Promise<string[]> {
    const directory = await temporaryDirectory();
    const paths: string[] = [];
    for (const table of tables) {
      const path = join(directory, `${table}.ndjson`);
      const rows = await sql(`select row_to_json(t)::text as line from "${table}" t ${some}`);
      await writeFile(path, rows.map(({ line }) => `${String(line)}\n`).join(''));
      paths.push(path);
    }
    return paths;
  }

  async function filesOf(crm: CrmDatabase, tables: readonly string[]): Promise<CompareOptions['place']> {
    const inputs = await resolveInputs(await exported(crm, tables), { cwd: process.cwd() });
    return { kind: 'files', inputs, stdin: Readable.from([]) };
  }

  it.each(Object.entries(WORLDS))('say of %s what its database says', async (_name, world) => {
    const store = await backend.open();
    const day = createDay({ seed: 37, count: 250, batched: false });
    await replayDay(store, day);
    const isTicketz = world.fill === fillTicketz;
    // Of who is split, ticketz maps no LID.
    const bugs = world.bugs.filter((bug) => !isTicketz || bug !== 'lid_split');
    const { crm } = await filled(world, day, bugs);
    const asDatabase = await compareAll(store, world.crm, { kind: 'database', url: crm.url });
    const tables = ['Messages', 'Tickets', 'Contacts', 'Whatsapps'];
    if (isTicketz) tables.push('WhatsappLidMaps');
    const asFiles = await compareAll(store, world.crm, await filesOf(crm, tables));
    expect(asFiles.result.counts).toEqual(asDatabase.result.counts);
    // Month by month, page by page: exports overlap.
    const again = await resolveInputs(await exported(crm, ['Messages'], 'order by id desc limit 90'), {
      cwd: process.cwd(),
    });
    const place = await filesOf(crm, tables);
    if (place.kind !== 'files') throw new Error('exports are files');
    const overlapping = await compareAll(store, world.crm, { ...place, inputs: [...place.inputs, ...again] });
    expect(overlapping.result.counts).toEqual(asFiles.result.counts);
    expect(asFiles.result.connections).toMatchObject(
      asDatabase.result.connections.map(({ counts, rows, aside }) => ({ counts, rows, aside })),
    );
    // Of two rows of one message either may be the double.
    const told = ({ items }: Comparison): string[] =>
      items
        .filter((item) => item.class !== 'doubled')
        .map((item) => `${item.class} ${item.externalId ?? item.rowId ?? ''} ${item.detail}`)
        .sort();
    expect(told(asFiles)).toEqual(told(asDatabase));
  });

  it('of messages alone are enough of ticketz, and too little of the community’s Whaticket', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 38, count: 150, batched: false });
    await replayDay(store, day);
    const ticketz = WORLDS.ticketz;
    const community = WORLDS['whaticket-community'];
    if (ticketz === undefined || community === undefined) throw new Error('there are such worlds');
    const { crm } = await filled(ticketz, day, ['random_loss', 'quoted_stubs']);
    const whole = await compareAll(store, 'ticketz', { kind: 'database', url: crm.url });
    const alone = await compareAll(store, 'ticketz', await filesOf(crm, ['Messages']), {
      connection: WEB.name,
    });
    expect(alone.result.counts).toEqual(whole.result.counts);
    expect(alone.result.missingContacts).toEqual(['Tickets', 'Contacts']);
    const other = await filled(community, day, []);
    await expect(
      compareAll(store, 'whaticket', await filesOf(other.crm, ['Messages', 'Tickets'])),
    ).rejects.toMatchObject({ code: 'crm_export_incomplete' });
  });

  it('keep what tickets of a deleted connection hold, until it is said whose they are', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 39, count: 150, batched: false });
    await replayDay(store, day);
    const { crm, expectation } = await filled({ crm: 'whaticket', fill: fillWhaticket, bugs: [] }, day, []);
    await crm.sql(`update "Tickets" set "whatsappId" = null where status = 'closed'`);
    const place = { kind: 'database', url: crm.url } as const;
    const without = await compareAll(store, 'whaticket', place);
    expect(without.result.unmatched.crm).toEqual([{ key: 'none', name: 'tickets without a connection' }]);
    expect(without.result.counts.lost).toBeGreaterThan(10);
    const map = ['9', 'none'].map((key) => ({ connection: WEB.name, crm: key }));
    expectFound(await compareAll(store, 'whaticket', place, { map }), expectation, [WEB.name]);
  });
});
