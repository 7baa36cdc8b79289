/**
 * Gathers the bytes of one entry over chunk boundaries, up to a limit. Past the limit only the size is kept, so that
 * an entry of any size is read past in constant memory.
 */
export class ByteCollector {
  size = 0;
  #parts: Buffer[] = [];

  constructor(readonly limit: number) {}

  add(part: Buffer): void {
    if (part.length === 0) return;
    this.size += part.length;
    if (this.size <= this.limit) this.#parts.push(part);
    else this.#parts = [];
  }

  /** What was gathered, or undefined if it was too large; starts anew. */
  take(): Buffer | undefined {
    const parts = this.#parts;
    const tooLarge = this.size > this.limit;
    this.#parts = [];
    this.size = 0;
    if (tooLarge) return undefined;
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
  }
}
