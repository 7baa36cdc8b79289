import fc from 'fast-check';

/** What random tests begin with: the same every time, so that a failure is everybody's. `TEST_SEED` tries others. */
export const SEED = Number(process.env['TEST_SEED'] ?? 20261128);

const RUNS_ALL = process.env['TEST_RUNS'] === 'all';

/** How many inputs a random test tries: a third of them each time, all of them with `TEST_RUNS=all`, as before a release. */
export function tries(all: number): number {
  return RUNS_ALL ? all : Math.ceil(all / 3);
}

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });

/** Of a row of combinations, every third or so, from another one on in each row; all of them with `TEST_RUNS=all`. */
export function inTurn<T>(combinations: readonly T[], row: number, step = 3): readonly T[] {
  return combinations.filter((_, at) => RUNS_ALL || (at + row) % step === 0);
}
