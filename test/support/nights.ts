import { reconcile } from '../../src/commands/reconcile/reconcile.js';
import type { ReconcileResult } from '../../src/commands/reconcile/types.js';
import type { Store } from '../../src/store/store.js';
import { testContext } from './replaying.js';

/** A night's `reconcile --apply`. */
export function night(store: Store): Promise<ReconcileResult> {
  return reconcile(testContext(store), {
    full: false,
    apply: true,
    dryRun: false,
    register: true,
    tickets: 'auto',
    include: new Set(),
    batchSize: 1000,
    historyMinutes: 60,
    silentHours: 1_000_000,
    timeZone: 'UTC',
    recordedOptions: {},
  });
}
