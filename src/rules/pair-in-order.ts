import { groupBy, UnionFind } from './group-by.js';

/** The outcome for the left side of a pairing. Indexes are those of the two sides. */
export interface Pairing {
  /** For each left item its partner; undefined if none. */
  partners: readonly (number | undefined)[];
  /** Right items without a partner. */
  unused: readonly number[];
  /** Left items without a partner, together with equally possible candidates. */
  shortages: readonly Shortage[];
}

/** This many more items than partners: how many lack one is certain, but not which of `among`. */
export interface Shortage {
  without: number[];
  /** In order; all of `without` and every item that could lack a partner instead of one of them. */
  among: number[];
}

/**
 * Pairs as many left items with right ones as possible. `candidates` gives the possible partners of an item in rounds,
 * best first: the items take theirs in order, round by round, so that equal ones pair in order; then partners are
 * passed on to free one for an unpaired item.
 *
 * The number of unpaired items is minimal; and each is reported together with those that could be unpaired instead.
 */
export function pairInOrder(
  leftSize: number,
  rightSize: number,
  candidates: (left: number) => readonly (readonly number[])[],
): Pairing {
  const partners: (number | undefined)[] = Array.from({ length: leftSize }, () => undefined);
  const owners: (number | undefined)[] = Array.from({ length: rightSize }, () => undefined);
  const possible = Array.from({ length: leftSize }, (_, left) => candidates(left));
  const rounds = Math.max(0, ...new Set(possible.map((one) => one.length)));
  for (let round = 0; round < rounds; round++) {
    possible.forEach((one, left) => {
      if (partners[left] !== undefined) return;
      const free = one[round]?.find((right) => owners[right] === undefined);
      if (free === undefined) return;
      partners[left] = free;
      owners[free] = left;
    });
  }
  const search = new Search(possible, partners, owners);
  possible.forEach((_, left) => {
    if (partners[left] === undefined) search.findFor(left);
  });
  return {
    partners,
    unused: owners.flatMap((owner, right) => (owner === undefined ? [right] : [])),
    shortages: search.shortages(),
  };
}

/** Passes partners on (augmenting paths). What one search could not reach, no later one can: walk it once. */
class Search {
  /** For each right item that a failed search reached: a left item of that search. */
  private readonly exhausted = new Map<number, number>();
  private readonly groups = new UnionFind();
  /** Everything that a failed search reached. */
  private readonly grouped = new Set<number>();
  private readonly without: number[] = [];

  constructor(
    private readonly possible: readonly (readonly (readonly number[])[])[],
    private readonly partners: (number | undefined)[],
    private readonly owners: (number | undefined)[],
  ) {}

  findFor(start: number): void {
    const reachedFrom = new Map<number, number>();
    const reached = [start];
    const met: number[] = [];
    for (const left of reached) {
      for (const right of this.possible[left]?.flat() ?? []) {
        if (reachedFrom.has(right)) continue;
        const group = this.exhausted.get(right);
        if (group !== undefined) {
          met.push(group);
          continue;
        }
        reachedFrom.set(right, left);
        const owner = this.owners[right];
        if (owner === undefined) {
          this.passOn(right, reachedFrom);
          return;
        }
        reached.push(owner);
      }
    }
    this.without.push(start);
    for (const left of [...reached, ...met]) {
      this.groups.join(String(start), String(left));
      this.grouped.add(left);
    }
    for (const right of reachedFrom.keys()) this.exhausted.set(right, start);
  }

  private passOn(free: number, reachedFrom: ReadonlyMap<number, number>): void {
    let right: number | undefined = free;
    while (right !== undefined) {
      const left = reachedFrom.get(right);
      if (left === undefined) return;
      const before: number | undefined = this.partners[left];
      this.partners[left] = right;
      this.owners[right] = left;
      right = before;
    }
  }

  shortages(): Shortage[] {
    const among = groupBy(
      [...this.grouped].sort((a, b) => a - b),
      (left) => this.groups.find(String(left)),
    );
    const without = groupBy(this.without, (left) => this.groups.find(String(left)));
    return [...without].map(([group, lefts]) => ({ without: lefts, among: among.get(group) ?? lefts }));
  }
}
