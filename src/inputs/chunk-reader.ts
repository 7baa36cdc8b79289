/**
 * Peeks at the beginning of a stream of chunks before reading it. An error met while peeking is thrown once the chunks
 * before it have been read.
 */
export class ChunkReader {
  #iterator: AsyncIterator<Buffer>;
  #ahead: Buffer[] = [];
  #end: { error: unknown } | 'ended' | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#iterator = chunks[Symbol.asyncIterator]();
  }

  /** The first `size` bytes, or fewer if the stream is shorter, or if `enough` is satisfied with fewer. */
  async peek(size: number, enough: (head: Buffer) => boolean = () => false): Promise<Buffer> {
    let head = Buffer.concat(this.#ahead);
    while (head.length < size && !enough(head)) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      this.#ahead.push(chunk);
      head = Buffer.concat([head, chunk]);
    }
    return head.subarray(0, size);
  }

  async *chunks(): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* this.#ahead.splice(0);
      for (;;) {
        const chunk = await this.#next();
        if (chunk === undefined) break;
        yield chunk;
      }
      if (this.#end !== undefined && this.#end !== 'ended') throw this.#end.error;
    } finally {
      await this.close();
    }
  }

  /** Releases the stream, whether it was read to its end or not. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#end !== undefined) return undefined;
    try {
      const result = await this.#iterator.next();
      if (result.done !== true) return result.value;
      this.#end = 'ended';
    } catch (error) {
      this.#end = { error };
    }
    return undefined;
  }
}

/** A chunk of a stream as bytes; a stream with an encoding gives text. */
export function toBuffer(chunk: unknown): Buffer {
  if (Buffer.isBuffer(chunk)) return chunk;
  if (typeof chunk === 'string') return Buffer.from(chunk);
  if (chunk instanceof Uint8Array) return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError('An input stream gave something that is neither bytes nor text.');
}

/** All but the first `count` bytes. */
export async function* dropFirst(
  chunks: AsyncIterable<Buffer>,
  count: number,
): AsyncGenerator<Buffer, void, undefined> {
  let left = count;
  for await (const chunk of chunks) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

/**
 * The same chunks; notes the error that ends them. A stream made of them also reports the errors of its reader
 * (pipeline() throws those into this generator), so the stream alone does not tell which of the two failed.
 */
export async function* notingError(
  chunks: AsyncIterable<Buffer>,
  note: { error?: Error },
): AsyncGenerator<Buffer, void, undefined> {
  const iterator = chunks[Symbol.asyncIterator]();
  try {
    for (;;) {
      const result = await iterator.next().catch((error: unknown) => {
        if (error instanceof Error) note.error = error;
        throw error;
      });
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}
