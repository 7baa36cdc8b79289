/** A decompressor is never more chunks behind than its own buffer and the stream's before it hold. */
const KEPT_CHUNKS = 8;

/** Feeds compressed chunks to one decompressor after another, each from where the one before it stopped. */
export class CompressedFeed {
  #chunks: AsyncIterator<Buffer>;
  #ended = false;
  #returned: Buffer[] = [];
  /** What the current decompressor was given last, and how much before that. */
  #given: Buffer[] = [];
  #givenBefore = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The chunks for one decompressor. */
  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const chunk = this.#returned.shift() ?? (await this.#read());
      if (chunk === undefined) return;
      this.#given.push(chunk);
      if (this.#given.length > KEPT_CHUNKS) this.#givenBefore += this.#given.shift()?.length ?? 0;
      yield chunk;
    }
  }

  /** The decompressor has taken `consumed` bytes; the rest is for the next one. Returns whether there is any. */
  async startAnew(consumed: number): Promise<boolean> {
    const rest = Buffer.concat(this.#given).subarray(consumed - this.#givenBefore);
    if (rest.length > 0) this.#returned.unshift(rest);
    this.#given = [];
    this.#givenBefore = 0;
    if (this.#returned.length === 0) {
      const next = await this.#read();
      if (next !== undefined) this.#returned.push(next);
    }
    return this.#returned.length > 0;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #read(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined;
    const result = await this.#chunks.next();
    if (result.done !== true) return result.value;
    this.#ended = true;
    return undefined;
  }
}
