/** So many are remembered; of a database that misses more, a message may be counted once per telling. */
const REMEMBERED = 100_000;

/** Messages that were told already: webhooks repeat themselves, and one lost message is one finding. */
export class ToldOnce {
  private readonly keys = new Set<string>();

  /** True for what is told the first time. */
  add(key: string): boolean {
    if (this.keys.has(key)) return false;
    if (this.keys.size < REMEMBERED) this.keys.add(key);
    return true;
  }

  has(key: string): boolean {
    return this.keys.has(key);
  }
}
