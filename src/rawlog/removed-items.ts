import type { JsonObject, JsonValue } from '../model/json.js';

/** What the counters of an entry say about one kind of its items; see src/ingest/batch/entry-counters.ts. */
export interface RemovedItems {
  items: number;
  /** Of these, the ones that a rule left out. */
  skipped: number;
}

/** The message items of an entry whose body is gone, or of one connection's part of it. */
export function messagesIn(counters: JsonObject): RemovedItems {
  return {
    items: countOf(counters['message']),
    skipped: sumOf(objectOf(objectOf(counters['skipped'])['message'])),
  };
}

/** Whether an entry whose body is gone had any item that a rule did not leave out. */
export function heldItems(counters: JsonObject | null): boolean {
  if (counters === null) return false;
  const items = Object.entries(counters).reduce(
    (sum, [name, value]) => (name === 'event' ? sum : sum + countOf(value)),
    0,
  );
  const skipped = Object.values(objectOf(counters['skipped'])).reduce<number>(
    (sum, reasons) => sum + sumOf(objectOf(reasons)),
    0,
  );
  return items > skipped;
}

function sumOf(counts: JsonObject): number {
  return Object.values(counts).reduce<number>((sum, value) => sum + countOf(value), 0);
}

function countOf(value: JsonValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
