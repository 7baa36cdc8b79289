import type { Fact, SkipReason } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { subjectOf } from '../../rules/fact-traits.js';
import type { PreparedEntry, PreparedSection } from './batch.js';
import { OwnNumbers, ownNumberReason } from './own-number.js';

/**
 * How many items of each kind an entry holds (`webhook_log.counters`), for `report` and `explain`; zero counts are
 * omitted, and null means none at all:
 *
 *     { "message": 5, "status": 1, "skipped": { "message": { "group": 2 } } }
 *
 * Skipped items leave no other trace, so their reasons are kept. If the entry is about several numbers, or names none,
 * `connections` repeats this for each: by phone_number_id, else by the connection's id. A few bytes for few entries;
 * without them the items could not be counted per connection later. `isScoped`: the entry as a whole belongs to one
 * connection (WhatsApp Web), named in `connection_scope`. `refused`: the bodies with a bad signature, by path; not
 * counted. `unchecked`: those of them that were applied before their signature could be checked.
 * `verified`: the bodies whose signature fitted a secret. `elsewhere`: numbers whose connections stayed behind when a part was copied.
 */
export function countersOf(
  {
    sections,
    refused,
    verified,
    included,
  }: Pick<PreparedEntry, 'sections' | 'refused' | 'verified' | 'included'>,
  isScoped: boolean,
): JsonObject | null {
  const counters = countSections(sections, isScoped);
  return refused.length + verified.length + included.length === 0
    ? counters
    : {
        ...counters,
        ...(refused.length === 0 ? {} : { refused: [...refused] }),
        ...(verified.length === 0 ? {} : { verified: [...verified] }),
        ...(included.length === 0 ? {} : { include: [...included] }),
      };
}

/** Counters of what is left of a body, with what erased people had in it, as its counters said before. */
export function withErased(counters: JsonObject | null, before: JsonObject | null): JsonObject | null {
  const skipped = Object.entries(objectOf(before?.['skipped'])).flatMap(([subject, reasons]) => {
    const erased = objectOf(reasons)['erased'];
    return typeof erased === 'number' ? [{ subject, erased }] : [];
  });
  const parts = Object.entries(objectOf(before?.['connections'])).map(([key, part]): [string, JsonObject] => [
    key,
    withErased(objectOf(objectOf(counters?.['connections'])[key]), objectOf(part)) ?? {},
  ]);
  if (skipped.length === 0 && parts.length === 0) return counters;
  const sum: JsonObject = { ...counters };
  const left: JsonObject = { ...objectOf(counters?.['skipped']) };
  for (const { subject, erased } of skipped) {
    const items = sum[subject];
    sum[subject] = (typeof items === 'number' ? items : 0) + erased;
    const reasons = objectOf(left[subject]);
    const now = reasons['erased'];
    left[subject] = { ...reasons, erased: (typeof now === 'number' ? now : 0) + erased };
  }
  return {
    ...sum,
    ...(skipped.length === 0 ? {} : { skipped: left }),
    ...(parts.length === 0
      ? {}
      : { connections: { ...objectOf(counters?.['connections']), ...Object.fromEntries(parts) } }),
  };
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function countSections(sections: readonly PreparedSection[], isScoped: boolean): JsonObject | null {
  const filled = sections.filter(({ section }) => section.facts.length > 0);
  const total = count(filled);
  const keys = [...new Set(filled.map(keyOf))];
  const isPlain =
    keys.length < 2 &&
    (isScoped || filled.every(({ section }) => section.connection.phoneNumberId !== undefined));
  if (total === null || isPlain) return total;
  const parts = keys
    .filter((key) => key !== '')
    .flatMap((key): [string, JsonObject][] => {
      const part = count(filled.filter((section) => keyOf(section) === key));
      return part === null ? [] : [[key, part]];
    });
  return parts.length === 0 ? total : { ...total, connections: Object.fromEntries(parts) };
}

function count(sections: readonly PreparedSection[]): JsonObject | null {
  const counters = new Counters();
  const own = new OwnNumbers();
  for (const { section, connection } of sections) {
    for (const fact of section.facts) counters.add(fact, skipReasonOf(fact, connection, own));
  }
  return counters.json();
}

/** The connection of a section's items; '' for none. */
function keyOf({ section, connection }: PreparedSection): string {
  return section.connection.phoneNumberId ?? connection?.id ?? '';
}

/**
 * Why an item is skipped: the decoder's reason, or that it is about the connection's own number, unknown to decoders.
 */
function skipReasonOf(
  fact: Fact,
  connection: PreparedSection['connection'],
  own: OwnNumbers,
): SkipReason | null {
  if (fact.kind === 'skipped') return fact.reason;
  return connection === null ? null : (ownNumberReason(own, fact, connection)?.reason ?? null);
}

class Counters {
  private readonly items = new Map<string, number>();
  private readonly skipped = new Map<string, Map<string, number>>();

  add(fact: Fact, reason: SkipReason | null): void {
    if (fact.kind === 'event') {
      increment(this.items, 'event');
      return;
    }
    const subject = subjectOf(fact);
    if (subject === null) return;
    increment(this.items, subject);
    if (reason === null) return;
    const reasons = this.skipped.get(subject) ?? new Map<string, number>();
    this.skipped.set(subject, reasons);
    increment(reasons, reason);
  }

  json(): JsonObject | null {
    if (this.items.size === 0) return null;
    if (this.skipped.size === 0) return Object.fromEntries(this.items);
    const skipped = [...this.skipped].map(([subject, reasons]): [string, JsonObject] => [
      subject,
      Object.fromEntries(reasons),
    ]);
    return { ...Object.fromEntries(this.items), skipped: Object.fromEntries(skipped) };
  }
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
