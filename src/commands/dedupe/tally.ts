import type { JsonObject } from '../../model/json.js';
import type { BatchOutcome, KeptGroup, MergedGroup } from './batches.js';
import type { DedupeResult, DuplicateClass, DuplicateCounts } from './result.js';

/** How many groups of a class are shown. */
const SAMPLES = 5;

/** Classes of message rows: counted against the deletion limit. */
const OF_MESSAGES: ReadonlySet<DuplicateClass> = new Set(['same_id', 'same_message', 'no_id']);

/** Sums so far and a few samples, so it stays small whatever the database size. */
export class Tally {
  private readonly classes = new Map<DuplicateClass, DuplicateCounts>();
  private readonly collisions: DedupeResult['collisions'] = { found: 0, samples: [] };
  private readonly withoutId: DedupeResult['withoutId'] = { found: 0, samples: [] };
  /** Messages deleted, or to delete, by connection. */
  private readonly deleted = new Map<string, number>();
  changed = 0;
  requeued = 0;

  /** `names`: of all connections, by id. */
  constructor(
    classes: Iterable<DuplicateClass>,
    private readonly names: ReadonlyMap<string, string>,
  ) {
    for (const name of classes) this.countsOf(name);
  }

  /** For a batch that may yet be rolled back. */
  copy(): Tally {
    const copy = new Tally([], this.names);
    for (const [name, counts] of this.classes) {
      copy.classes.set(name, { ...counts, samples: [...counts.samples] });
    }
    for (const [id, rows] of this.deleted) copy.deleted.set(id, rows);
    copy.changed = this.changed;
    copy.requeued = this.requeued;
    for (const key of ['collisions', 'withoutId'] as const) {
      copy[key].found = this[key].found;
      copy[key].samples.push(...this[key].samples);
    }
    return copy;
  }

  absorb(outcome: BatchOutcome): void {
    for (const group of outcome.groups) this.merged(group);
    for (const group of outcome.kept) this.kept(group);
    this.changed += outcome.changed;
    this.requeued += outcome.requeued;
  }

  merged({ class: name, connectionId, survivor, goes, evidence }: MergedGroup): void {
    const counts = this.countsOf(name);
    counts.groups += 1;
    counts.rows += goes.length;
    if (connectionId !== null && OF_MESSAGES.has(name)) {
      this.deleted.set(connectionId, this.deletedOn(connectionId) + goes.length);
    }
    if (!this.isShown(name)) return;
    const connection = connectionId === null ? null : this.nameOf(connectionId);
    counts.samples.push({ connection, survivor, goes: [...goes], evidence: evidence() });
  }

  private kept({ connectionId, ...group }: KeptGroup): void {
    const list = group.why === 'no_twin' ? this.withoutId : this.collisions;
    list.found += 1;
    if (list.samples.length < SAMPLES) list.samples.push({ connection: this.nameOf(connectionId), ...group });
  }

  /** Whether one more group of the class would be shown. Otherwise its rows need not be read for evidence. */
  isShown(name: DuplicateClass): boolean {
    return this.countsOf(name).samples.length < SAMPLES;
  }

  /** Messages deleted, or to delete, on a connection. */
  deletedOn(connectionId: string): number {
    return this.deleted.get(connectionId) ?? 0;
  }

  rows(): number {
    return [...this.classes.values()].reduce((sum, { rows }) => sum + rows, 0);
  }

  groups(): number {
    return [...this.classes.values()].reduce((sum, { groups }) => sum + groups, 0);
  }

  result(): Pick<DedupeResult, 'classes' | 'collisions' | 'withoutId' | 'changed' | 'requeued'> {
    const { collisions, withoutId, changed, requeued } = this;
    return { classes: [...this.classes.values()], collisions, withoutId, changed, requeued };
  }

  /** For sync_runs. */
  counters(): JsonObject {
    const { classes, collisions, withoutId, changed, requeued } = this.result();
    return {
      ...Object.fromEntries(classes.map(({ class: name, groups, rows }) => [name, { groups, rows }])),
      collisions: collisions.found,
      withoutId: withoutId.found,
      changed,
      requeued,
    };
  }

  private countsOf(name: DuplicateClass): DuplicateCounts {
    const known = this.classes.get(name);
    if (known !== undefined) return known;
    const counts: DuplicateCounts = { class: name, groups: 0, rows: 0, samples: [] };
    this.classes.set(name, counts);
    return counts;
  }

  /** A connection that no longer exists (a restored dump) is named by its id. */
  private nameOf(id: string): string {
    return this.names.get(id) ?? id;
  }
}
