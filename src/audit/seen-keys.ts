/** So many are remembered; of a database that misses more, a message may be counted once per entry that holds it. */
const REMEMBERED = 100_000;

/** Keys that were seen already: webhooks repeat themselves, and one lost message is one finding. */
export class SeenKeys {
  private readonly keys = new Set<string>();

  /** True for a key that is seen for the first time. */
  add(key: string): boolean {
    if (this.keys.has(key)) return false;
    if (this.keys.size < REMEMBERED) this.keys.add(key);
    return true;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }
}
