import { prune } from '../../src/commands/prune/prune.js';
import type { PruneOptions, PruneResult } from '../../src/commands/prune/types.js';
import { PRUNE_CLASSES, type PruneClass } from '../../src/model/enumerations.js';
import type { Store } from '../../src/store/store.js';
import { testContext } from './replaying.js';

type Chosen = Partial<Omit<PruneOptions, 'classes'>> & { classes?: PruneClass[] };

/**
 * Retention an hour later: of statuses, groups and newsletters unless told otherwise. `together`: entries that are compared at once, a
 * log of these tests in several parts unless told otherwise.
 */
export function pruned(store: Store, options: Chosen = {}, together = 4): Promise<PruneResult> {
  const { classes = ['status', 'group', 'newsletter'], ...rest } = options;
  return prune(
    testContext(store, { clock: () => Date.now() + 3_600_000 }),
    {
      olderThan: 0,
      keepAlerts: true,
      apply: true,
      vacuum: false,
      batchSize: 3,
      recordedOptions: {},
      ...rest,
      classes: new Set(classes),
    },
    together,
  );
}

export const EVERYTHING: Chosen = { classes: [...PRUNE_CLASSES] };
