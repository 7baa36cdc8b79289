import { asObject } from '../../decode/read.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import type { ReasonCounts } from '../../model/run-result.js';
import type { EntryGroup } from '../../store/queries/report.js';

/** What the raw log holds for one connection, by how its entries ended. Messages, not entries. */
export class Ledger {
  items = 0;
  readonly skipped = new Map<string, number>();
  readonly pending = new Map<string, number>();

  add(part: JsonObject, { status, reason, count }: EntryGroup): void {
    const items = countIn(part['message']) * count;
    this.items += items;
    let left = items;
    const skipped = asObject(asObject(part['skipped'])?.['message']);
    for (const [why, times] of Object.entries(skipped ?? {})) {
      increase(this.skipped, why, countIn(times) * count);
      left -= countIn(times) * count;
    }
    if (status === 'pending') increase(this.pending, reason ?? 'pending', left);
  }
}

/** Whose the entries of a group are: by connection id, the empty word for nobody; with what of their counters is whose. */
export type PartsOf = (group: EntryGroup) => [connectionId: string, part: JsonObject][];

/** Finds the connections of entries by what the entries say: their scope, their numbers, their counters' own parts. */
export function ownersOf(connections: readonly { id: string; phoneNumberId: string | null }[]): PartsOf {
  const ids = new Set(connections.map(({ id }) => id));
  const byNumber = new Map(connections.map(({ id, phoneNumberId }) => [phoneNumberId, id]));
  const find = (key: string): string => byNumber.get(key) ?? (ids.has(key) ? key : '');
  return ({ scope, counters, phoneNumberIds }) => {
    const whole = counters ?? {};
    if (scope !== null) return [[find(scope), whole]];
    const parts = asObject(whole['connections']);
    if (parts === undefined) {
      const [only, second] = phoneNumberIds;
      return [[only === undefined || second !== undefined ? '' : find(only), whole]];
    }
    const named = Object.entries(parts).map(([key, part]): [string, JsonObject] => [
      find(key),
      asObject(part) ?? {},
    ]);
    const rest =
      countIn(whole['message']) - named.reduce((sum, [, part]) => sum + countIn(part['message']), 0);
    return rest > 0 ? [...named, ['', { message: rest }]] : named;
  };
}

/** The ledgers of all connections; what nobody takes is under the empty word. */
export function ledgersOf(groups: readonly EntryGroup[], partsOf: PartsOf): Map<string, Ledger> {
  const ledgers = new Map<string, Ledger>();
  for (const group of groups) {
    if (group.counters === null) continue;
    for (const [id, part] of partsOf(group)) {
      const ledger = ledgers.get(id) ?? new Ledger();
      ledgers.set(id, ledger);
      ledger.add(part, group);
    }
  }
  return ledgers;
}

export function increase(counts: Map<string, number>, key: string, by: number): void {
  if (by !== 0) counts.set(key, (counts.get(key) ?? 0) + by);
}

/** Reasons in one order in every report: the most frequent first. Words come from outside: `__proto__` is one like any other. */
export function reasonsOf(counts: ReadonlyMap<string, number>): ReasonCounts {
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}

function countIn(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
