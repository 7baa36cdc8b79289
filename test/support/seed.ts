import fc from 'fast-check';

/** What random tests begin with: the same every time, so that a failure is everybody's. `TEST_SEED` tries others. */
export const SEED = Number(process.env['TEST_SEED'] ?? 20261128);

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: SEED });
