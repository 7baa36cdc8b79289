import type { JsonObject } from '../../model/json.js';
import type { BatchOutcome, KeptGroup, MergedGroup } from './duplicate-work.js';
import type { DedupeResult, DuplicateClass, DuplicateCounts, LookAlike } from './result.js';

/** How many groups of a class are shown. */
const SAMPLES = 5;

/** Classes whose rows are messages: what the limit on removed messages counts. */
const OF_MESSAGES: ReadonlySet<DuplicateClass> = new Set(['same_id', 'same_message', 'no_id']);

/** What was found or merged so far; sums and a few samples, so it stays small whatever the database holds. */
export class Account {
  private readonly classes = new Map<DuplicateClass, DuplicateCounts>();
  private readonly collisions: DedupeResult['collisions'] = { found: 0, samples: [] };
  private readonly withoutId: DedupeResult['withoutId'] = { found: 0, samples: [] };
  /** Rows of messages that go, by connection. */
  private readonly doubled = new Map<string, number>();
  changed = 0;
  requeued = 0;

  /** `names`: of all connections, by id. */
  constructor(
    classes: Iterable<DuplicateClass>,
    private readonly names: ReadonlyMap<string, string>,
  ) {
    for (const name of classes) this.classes.set(name, { class: name, groups: 0, rows: 0, samples: [] });
  }

  /** For a batch that may yet be rolled back. */
  copy(): Account {
    const copy = new Account([], this.names);
    for (const [name, counts] of this.classes) {
      copy.classes.set(name, { ...counts, samples: [...counts.samples] });
    }
    for (const [id, rows] of this.doubled) copy.doubled.set(id, rows);
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

  merged(group: MergedGroup): void {
    const counts = this.countsOf(group.class);
    counts.groups += 1;
    counts.rows += group.goes.length;
    if (group.connectionId !== null && OF_MESSAGES.has(group.class)) {
      this.doubled.set(group.connectionId, (this.doubled.get(group.connectionId) ?? 0) + group.goes.length);
    }
    if (counts.samples.length >= SAMPLES) return;
    counts.samples.push({
      connection: group.connectionId === null ? null : this.nameOf(group.connectionId),
      survivor: group.survivor,
      goes: [...group.goes],
      evidence: group.evidence(),
    });
  }

  kept({ connectionId, ...group }: KeptGroup): void {
    const list = group.why === 'no_twin' ? this.withoutId : this.collisions;
    list.found += 1;
    if (list.samples.length >= SAMPLES) return;
    const sample: LookAlike = { connection: this.nameOf(connectionId), ...group };
    list.samples.push(sample);
  }

  /** Whether one more group of the class would be shown: only then its words are worth a look. */
  isShown(name: DuplicateClass): boolean {
    return this.countsOf(name).samples.length < SAMPLES;
  }

  /** Rows of messages that go. */
  doubledOn(connectionId: string): number {
    return this.doubled.get(connectionId) ?? 0;
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
    return {
      ...Object.fromEntries(
        [...this.classes.values()].map(({ class: name, groups, rows }) => [name, { groups, rows }]),
      ),
      collisions: this.collisions.found,
      withoutId: this.withoutId.found,
      changed: this.changed,
      requeued: this.requeued,
    };
  }

  private countsOf(name: DuplicateClass): DuplicateCounts {
    const known = this.classes.get(name);
    if (known !== undefined) return known;
    const counts: DuplicateCounts = { class: name, groups: 0, rows: 0, samples: [] };
    this.classes.set(name, counts);
    return counts;
  }

  /** A connection that is gone (a restored dump) is named by its id. */
  private nameOf(id: string): string {
    return this.names.get(id) ?? id;
  }
}
