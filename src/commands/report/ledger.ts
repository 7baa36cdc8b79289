import { asObject } from '../../decode/read.js';
import { countIn, type PartsOf } from '../../audit/entry-owners.js';
import type { JsonObject } from '../../model/json.js';
import type { ReasonCounts } from '../../model/run-result.js';
import type { EntryGroup } from '../../store/queries/report.js';

/** The raw log of one connection, by outcome of its entries. Messages, not entries. */
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

/** The ledgers of all connections; unassigned entries are under the empty string. */
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

/**
 * One order of reasons for every report: most frequent first. The words come from outside, so `__proto__` must be an
 * ordinary key.
 */
export function reasonsOf(counts: ReadonlyMap<string, number>): ReasonCounts {
  return Object.fromEntries([...counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)));
}
