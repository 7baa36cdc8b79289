import type { SyncSource } from '../model/enumerations.js';
import type { MessageFact } from '../model/facts.js';

/** How a message comes that only another program has (`--adopt`); nothing else comes so. */
export const ADOPTED_SYNC_SOURCE: SyncSource = 'batch_recover';

/** A message, and the Meta field or Baileys event in which it came. */
interface Arrival {
  fact: Pick<MessageFact, 'origin' | 'isSyncInitial'>;
  field: string;
}

/**
 * How a run that applies entries as `applied` brings a message in. History requested from the phone stays `manual_sync`, even when its
 * raw entry is replayed later: the same log gives the same database.
 */
export function syncSourceOf({ fact, field }: Arrival, applied: SyncSource): SyncSource {
  if (fact.origin === 'adopted') return ADOPTED_SYNC_SOURCE;
  const isOnDemand = field === 'messaging-history.set' && fact.origin === 'history' && !fact.isSyncInitial;
  return isOnDemand ? 'manual_sync' : applied;
}

/**
 * The least that a message's row says of how it came, whichever runs have applied its entry. What a linked device sent is applied by
 * `link` and `import`, and only maybe by a replay; everything else is applied by a replay.
 */
export function leastSyncSource(arrival: Arrival, isFromDevice: boolean): SyncSource {
  return syncSourceOf(arrival, isFromDevice ? 'manual_sync' : 'webhook');
}
