import type { JsonValue } from '../../model/json.js';

/** What narrows the work of a run; what is absent or empty narrows nothing. */
type Narrowing = Readonly<Record<string, JsonValue | undefined>>;

/**
 * What a run is to do, for sync_runs.work: equal for runs that do the same, however it was typed. `<kind> {}` is all there
 * is, so that it makes up for every narrower one of its kind; see src/store/tables/sync-runs.ts.
 */
export function workOf(kind: string, narrowing: Narrowing): string {
  const narrow = Object.entries(narrowing)
    .filter(
      ([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `${kind} ${JSON.stringify(Object.fromEntries(narrow))}`;
}
