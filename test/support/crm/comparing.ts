import { expect, it } from 'vitest';
import { compare } from '../../../src/commands/compare/compare.js';
import {
  NOT_IN_CRM,
  type ComparedItem,
  type CompareOptions,
  type CompareResult,
  type CrmName,
} from '../../../src/commands/compare/types.js';
import type { Store } from '../../../src/store/store.js';
import { createRandom } from '../../bench/random.js';
import { addConnection } from '../connections.js';
import type { TestBackend } from '../databases.js';
import { replayBodies, testContext } from '../replaying.js';
import type { CrmDatabases, Fill } from './database.js';
import { asBaileysEvents } from './day-baileys.js';
import { asWebhooks } from './day-webhooks.js';
import { CLOUD, createDay, WEB, type Day } from './day.js';
import type { Bug, Expectation } from './expectation.js';

/** Replays the log of a day into a store. */
export async function replayDay(store: Store, day: Day): Promise<void> {
  await addConnection(store, { name: WEB.name, kind: 'baileys', number: `+${WEB.number}` });
  const result = await replayBodies(store, [...asWebhooks(day), ...asBaileysEvents(day)]);
  expect(result.status).toBe('completed');
}

export interface Comparison {
  result: CompareResult;
  items: ComparedItem[];
}

/** Compares as the command does, and keeps every item. */
export async function compareAll(
  store: Store,
  crm: CrmName,
  place: CompareOptions['place'],
  options: Partial<CompareOptions> = {},
): Promise<Comparison> {
  const items: ComparedItem[] = [];
  const result = await compare(testContext(store), {
    crm,
    place,
    map: [],
    ...options,
    onItem: (item) => {
      items.push(item);
    },
  });
  return { result, items };
}

/** Every planted difference is found in its class, and nothing else is. */
export function expectFound(
  { result, items }: Comparison,
  expectation: Expectation,
  connections: readonly string[] = [`+${CLOUD.number}`, WEB.name],
): void {
  const found = new Map<string, { class: string; row: string | null; fields: readonly string[] }>();
  const rowsOf = (name: ComparedItem['class']): string[] =>
    items.flatMap((item) => (item.class === name ? [item.rowId ?? ''] : [])).sort();
  for (const item of items) {
    switch (item.class) {
      case 'same':
      case 'lost':
      case 'not_kept_by_design':
      case 'differs':
      case 'other_contact':
        expect(found.has(item.externalId ?? '')).toBe(false);
        found.set(item.externalId ?? '', {
          class: item.class,
          row: item.rowId,
          fields: item.class === 'differs' ? item.detail.split(', ') : [],
        });
        break;
      case 'only_in_crm':
      case 'doubled':
      case 'without_id':
        break;
    }
  }
  const wanted = new Map(
    [...expectation.messages].map(([id, { class: name, row, fields }]) => [
      id,
      { class: name, row: row ?? null, fields },
    ]),
  );
  const doubles = new Map(expectation.doubled.map(({ id }) => [id, true]));
  const differences = [...new Set([...found.keys(), ...wanted.keys()])].flatMap((id) => {
    const [is, should] = [found.get(id), wanted.get(id)];
    // Which row of a doubled message is the message, and which is the double, is nobody's to say.
    const sameRow = is?.row === should?.row || doubles.has(id);
    return is?.class === should?.class && sameRow ? [] : [{ id, is, should }];
  });
  expect(differences).toEqual([]);
  expect(rowsOf('doubled')).toHaveLength(expectation.doubled.length);
  expect(rowsOf('only_in_crm')).toEqual(expectation.onlyInCrm.map(({ row }) => row).sort());
  expect(rowsOf('without_id')).toEqual([...expectation.withoutId].sort());
  const aside = result.connections.flatMap((connection) => Object.values(connection.aside));
  expect(aside.reduce((sum, count) => sum + count, 0)).toBe(expectation.noMessages.length);
  expect(result.connections.map(({ connection }) => connection).sort()).toEqual([...connections].sort());
}

/** Says of the day's connections which a CRM with these never had. */
export function notInCrm(
  connections: readonly string[] = [`+${CLOUD.number}`, WEB.name],
): CompareOptions['map'] {
  return [`+${CLOUD.number}`, WEB.name]
    .filter((name) => !connections.includes(name))
    .map((connection) => ({ connection, crm: NOT_IN_CRM }));
}

/** A CRM as it is after a day, with or without faults. */
export interface PlantedCrm {
  crm: CrmName;
  fill: Fill;
  bugs: readonly Bug[];
  /** Those that it serves; both of the day's without. */
  connections?: readonly string[];
}

/** Declares what holds of every CRM: a healthy one is clean, and of a faulty one every fault is found, and nothing else. */
export function findsWhatIsPlanted(
  backend: TestBackend,
  databases: CrmDatabases,
  { crm: name, fill, bugs, connections }: PlantedCrm,
): void {
  it('finds nothing wrong with a CRM that does nothing wrong, as a role that may only select', async () => {
    const store = await backend.open();
    const day = createDay({ seed: 11, count: 400, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fill, day);
    const found = await compareAll(
      store,
      name,
      { kind: 'database', url: crm.readOnlyUrl },
      { map: notInCrm(connections) },
    );
    expectFound(found, expectation, connections);
    expect(found.result).toMatchObject({ severity: 'note', status: 'completed', people: [] });
    expect(found.result.counts).toMatchObject({ lost: 0, differs: 0, other_contact: 0, doubled: 0 });
  });

  it.each(backend.some(bugs, () => 'bug'))('finds what the bug %s planted, and nothing else', async (bug) => {
    const store = await backend.open();
    const day = createDay({ seed: 5, count: 300, batched: true });
    await replayDay(store, day);
    const { crm, expectation } = await databases.filled(fill, day, [bug]);
    expectFound(await compareAll(store, name, { kind: 'database', url: crm.url }), expectation, connections);
  });

  it('finds them in any mixture, on any day', async () => {
    for (const seed of backend.some([1, 2, 3, 4, 5, 6], () => 'seed')) {
      const random = createRandom(seed);
      const store = await backend.open();
      const day = createDay({ seed: seed + 100, count: 120, batched: random.chance(0.5) });
      await replayDay(store, day);
      const mixture = bugs.filter(() => random.chance(0.5));
      const { crm, expectation } = await databases.filled(fill, day, mixture);
      expectFound(
        await compareAll(store, name, { kind: 'database', url: crm.url }),
        expectation,
        connections,
      );
    }
  });
}
