import type { JsonObject, JsonValue } from '../model/json.js';
import { erasedMessagesIn, messagesIn, type RemovedItems } from '../rawlog/removed-items.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import { NO_SCOPE } from '../store/tables/webhook-log.js';
import type { EntryGroup } from '../store/queries/report.js';

/**
 * The owners of a group's entries: by connection id, the empty string for none; with each one's share of the counters.
 */
export type PartsOf = (
  group: Pick<EntryGroup, 'scope' | 'counters' | 'phoneNumberIds'>,
) => [connectionId: string, part: JsonObject][];

/** Finds the connections of entries by what the entries say: their scope, their numbers, their counters' own parts. */
export function ownersOf(connections: readonly { id: string; phoneNumberId: string | null }[]): PartsOf {
  const ids = new Set(connections.map(({ id }) => id));
  const byNumber = new Map(connections.map(({ id, phoneNumberId }) => [phoneNumberId, id]));
  const find = (key: string): string => byNumber.get(key) ?? (ids.has(key) ? key : '');
  return ({ scope, counters, phoneNumberIds }) => {
    const whole = counters ?? {};
    if (scope !== null) return [[find(scope), whole]];
    const parts = objectIn(whole['connections']);
    if (parts === undefined) {
      const [only, second] = phoneNumberIds;
      return [[only === undefined || second !== undefined ? '' : find(only), whole]];
    }
    const named = Object.entries(parts).map(([key, part]): [string, JsonObject] => [
      find(key),
      objectIn(part) ?? {},
    ]);
    const rest =
      countIn(whole['message']) - named.reduce((sum, [, part]) => sum + countIn(part['message']), 0);
    return rest > 0 ? [...named, ['', { message: rest }]] : named;
  };
}

/** The message items of an entry that nobody can read any more, by connection id; '' for none. */
export function removedMessages(
  {
    bodyState,
    removedCounters: counters,
    connectionScope,
    phoneNumberIds,
  }: Pick<StoredEntry, 'bodyState' | 'removedCounters' | 'connectionScope' | 'phoneNumberIds'>,
  partsOf: PartsOf,
): (RemovedItems & { connectionId: string })[] {
  const scope = connectionScope === NO_SCOPE ? null : connectionScope;
  const read = bodyState === 'redacted' ? erasedMessagesIn : messagesIn;
  return partsOf({ scope, counters, phoneNumberIds: [...phoneNumberIds] }).map(([connectionId, part]) => ({
    connectionId,
    ...read(part),
  }));
}

/** A count in counters that came from a column of JSON. */
export function countIn(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function objectIn(value: JsonValue | undefined): JsonObject | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
}
