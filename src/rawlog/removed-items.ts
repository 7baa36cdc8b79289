import type { JsonObject, JsonValue } from '../model/json.js';

/** How many items of one kind nobody can read any more, and how many of them a rule left out. */
export interface RemovedItems {
  items: number;
  skipped: number;
}

/** The message items of an entry whose body is gone, or of one connection's part of it, by its counters. */
export function messagesIn(counters: JsonObject): RemovedItems {
  const reasons = objectOf(objectOf(counters['skipped'])['message']);
  return { items: countOf(counters['message']), skipped: sumOf(reasons) };
}

/** The same of a body that was written anew: what was taken out of it, for the sake of a person. */
export function erasedMessagesIn(counters: JsonObject): RemovedItems {
  const erased = countOf(objectOf(objectOf(counters['skipped'])['message'])['erased']);
  return { items: erased, skipped: erased };
}

/** Whether an entry whose body is gone had any item that a rule did not leave out. */
export function heldItems(counters: JsonObject | null): boolean {
  return keptIn(counters) > 0;
}

/** Whether an entry whose body is gone had any edit that a rule did not leave out. */
export function heldEdits(counters: JsonObject | null): boolean {
  return countOf(counters?.['edit']) > sumOf(objectOf(objectOf(counters?.['skipped'])['edit']));
}

/** Whether an entry has more items of erased people than its counters said before. */
export function losesMoreThan(counters: JsonObject | null, before: JsonObject): boolean {
  return erasedIn(counters) > erasedIn(before);
}

/** Whether an entry has fewer items of erased people than its counters said before, and more that no rule leaves out. */
export function holdsMoreThan(counters: JsonObject | null, before: JsonObject): boolean {
  return erasedIn(counters) < erasedIn(before) && keptIn(counters) > keptIn(before);
}

function keptIn(counters: JsonObject | null): number {
  const items = Object.entries(counters ?? {}).reduce(
    (sum, [name, value]) => (name === 'event' ? sum : sum + countOf(value)),
    0,
  );
  return items - reasonsOf(counters).reduce((sum, reasons) => sum + sumOf(reasons), 0);
}

function erasedIn(counters: JsonObject | null): number {
  return reasonsOf(counters).reduce((sum, reasons) => sum + countOf(reasons['erased']), 0);
}

/** Why items of each kind are skipped, with their numbers. */
function reasonsOf(counters: JsonObject | null): JsonObject[] {
  return Object.values(objectOf(counters?.['skipped'])).map(objectOf);
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
