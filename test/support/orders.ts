import { expect } from 'vitest';
import type { Store } from '../../src/store/store.js';
import type { TestBackend } from './databases.js';
import { normalizedDatabase } from './normalized.js';
import { replayBodies, type TestOptions } from './replaying.js';

export interface OrderOptions extends TestOptions {
  /** Puts into each of the databases what is there before the log: connections, leads of another program. */
  prepare?: (store: Store) => Promise<void>;
  /** Tables that are not compared, where the order may show. */
  without?: readonly string[];
}

/** Up to this many bodies, every order is tried; of more, only the telling ones. */
const ALL_ORDERS_UP_TO = 3;

/**
 * Replays the bodies in many orders, entry by entry and all at once, and each of them twice, and expects one and the same
 * database. Gives the store of the log as it was written, for what a test wants to see in it.
 */
export async function expectOneDatabase(
  backend: TestBackend,
  bodies: readonly unknown[],
  { prepare, without = [], ...options }: OrderOptions = {},
): Promise<Store> {
  const pictureOf = async (store: Store): Promise<Record<string, unknown[]>> => {
    const tables = Object.entries(await normalizedDatabase(store));
    return Object.fromEntries(tables.filter(([table]) => !without.includes(table)));
  };
  const first = await backend.open();
  await prepare?.(first);
  await replayBodies(first, bodies, options);
  const wanted = await pictureOf(first);

  await replayBodies(first, bodies, options);
  expect(await pictureOf(first), 'the same log again').toEqual(wanted);
  await replayBodies(first, [...bodies].reverse(), { ...options, batchSize: 1 });
  expect(await pictureOf(first), 'the same log again, backwards').toEqual(wanted);

  const forwards = bodies.map((_, index) => index);
  const runs = [
    { order: [...forwards].reverse(), batchSize: 1000 },
    // Each entry in a transaction of its own: what came before has to be read back from the database.
    ...ordersOf(bodies.length).map((order) => ({ order, batchSize: 1 })),
  ];
  // Which order comes out alike is the rules' matter; both backends store and read back.
  for (const { order, batchSize } of backend.some(runs, ({ batchSize }) => batchSize)) {
    const store = await backend.open();
    await prepare?.(store);
    const ordered = order.map((index) => bodies[index]);
    await replayBodies(store, ordered, { ...options, batchSize });
    const title = `order ${order.join(' ')}, batches of ${batchSize}`;
    expect(await pictureOf(store), title).toEqual(wanted);
    await store.close();
  }
  return first;
}

/** Orders of the numbers below `count`: all of few; of many the two ends, odd before even, and three shuffles. */
export function ordersOf(count: number): number[][] {
  const forwards = Array.from({ length: count }, (_, index) => index);
  if (count <= ALL_ORDERS_UP_TO) return permutations(forwards);
  const odd = forwards.filter((index) => index % 2 === 1);
  const even = forwards.filter((index) => index % 2 === 0);
  return [
    forwards,
    [...forwards].reverse(),
    [...odd, ...even],
    ...[1, 2, 3].map((seed) => shuffled(forwards, seed)),
  ];
}

function permutations(numbers: readonly number[]): number[][] {
  if (numbers.length <= 1) return [[...numbers]];
  return numbers.flatMap((head) =>
    permutations(numbers.filter((other) => other !== head)).map((tail) => [head, ...tail]),
  );
}

/** The same shuffle for the same seed: a failing order can be found again. */
export function shuffled<T>(items: readonly T[], seed: number): T[] {
  const mixed = items.map((item, index) => ({
    item,
    key: Math.imul(index + 1, 2_654_435_761) ^ Math.imul(seed, 40_503),
  }));
  return mixed.sort((a, b) => ((a.key * seed) % 9_973) - ((b.key * seed) % 9_973)).map(({ item }) => item);
}
