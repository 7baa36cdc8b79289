import { reconcile } from '../../src/commands/reconcile/reconcile.js';
import type { ReconcileOptions, ReconcileResult } from '../../src/commands/reconcile/types.js';
import type { Store } from '../../src/store/store.js';
import { testContext, type TestOptions } from './replaying.js';

export type NightOptions = Partial<ReconcileOptions> &
  Pick<TestOptions, 'signal' | 'clock' | 'onEvent' | 'appSecrets' | 'secretKey'>;

/** A run of `reconcile` as it is without any option; connections may be silent as long as they like. */
export function night(
  store: Store,
  { signal, clock, onEvent, appSecrets, secretKey, ...options }: NightOptions = {},
): Promise<ReconcileResult> {
  const context = testContext(store, {
    ...(signal === undefined ? {} : { signal }),
    ...(clock === undefined ? {} : { clock }),
    ...(onEvent === undefined ? {} : { onEvent }),
    ...(appSecrets === undefined ? {} : { appSecrets }),
    ...(secretKey === undefined ? {} : { secretKey }),
  });
  return reconcile(context, {
    full: false,
    apply: false,
    dryRun: false,
    register: false,
    tickets: 'auto',
    include: new Set(),
    batchSize: 1000,
    historyMinutes: 60,
    silentHours: 1_000_000,
    timeZone: 'UTC',
    recordedOptions: {},
    ...options,
  });
}
