/** The values by key, keys and values in their original order. */
export function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

/** Groups of keys that belong together. An unjoined key is its own group. */
export class UnionFind {
  private readonly parents = new Map<string, string>();

  add(key: string): void {
    if (!this.parents.has(key)) this.parents.set(key, key);
  }

  /** The group's representative; the same for all of its keys until the next join. */
  find(key: string): string {
    let root = key;
    for (
      let parent = this.parents.get(root);
      parent !== undefined && parent !== root;
      parent = this.parents.get(root)
    ) {
      root = parent;
    }
    for (let at = key; at !== root;) {
      const next = this.parents.get(at) ?? root;
      this.parents.set(at, root);
      at = next;
    }
    return root;
  }

  join(a: string, b: string): void {
    this.add(a);
    this.add(b);
    const left = this.find(a);
    const right = this.find(b);
    if (left !== right) this.parents.set(right, left);
  }
}
