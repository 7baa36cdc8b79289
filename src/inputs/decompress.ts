import * as zlib from 'node:zlib';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ConfigError } from '../model/errors.js';
import { dropFirst, notingError, toBuffer } from './chunk-reader.js';

type Chunks = AsyncGenerator<Buffer, void, undefined>;

/** Node's zlib streams count in bytesWritten how much of their input they have used up. */
type Decompressor = Duplex & { bytesWritten: number };

/**
 * With a larger buffer a decompressor runs ahead of its reader, and loses what is in the buffer when the next piece is
 * damaged.
 */
const OPTIONS = { highWaterMark: 1, chunkSize: 64 * 1024 };

/**
 * Decompresses gzip of any number of members. Throws a DamagedInputError at the point where the data becomes
 * unreadable; `again` opens the same data a second time, so that every byte before the damage is recovered first.
 */
export function gunzip(chunks: AsyncIterable<Buffer>, again?: () => AsyncIterable<Buffer>): Chunks {
  return decompress(chunks, again, {
    format: 'gzip',
    create: () => zlib.createGunzip(OPTIONS),
    // Node's decompressor stops at bytes 0 behind a member, as of whoever writes whole blocks, and ignores what is behind them.
    padded: true,
  });
}

/**
 * The same for zstd, with Node's own decompressor (22.15 and newer) or else the program; a ConfigError if neither
 * exists.
 */
export function unzstd(chunks: AsyncIterable<Buffer>, again?: () => AsyncIterable<Buffer>): Chunks {
  if (!hasZstd(zlib)) return unzstdWithProgram(chunks);
  const { createZstdDecompress } = zlib;
  return decompress(chunks, again, {
    format: 'zstd',
    create: () => createZstdDecompress(OPTIONS),
    // Node's decompressor stops at the end of the first frame and ignores the ones after it.
    padded: false,
  });
}

interface ZstdZlib {
  createZstdDecompress: (options: typeof OPTIONS) => Decompressor;
}

/** The types are those of the oldest Node that is supported, which has no zstd. */
function hasZstd(module: object): module is ZstdZlib {
  return 'createZstdDecompress' in module && typeof module.createZstdDecompress === 'function';
}

interface Codec {
  format: string;
  create: () => Decompressor;
  /** Whether bytes 0 may be behind a frame. */
  padded: boolean;
}

async function* decompress(
  chunks: AsyncIterable<Buffer>,
  again: (() => AsyncIterable<Buffer>) | undefined,
  codec: Codec,
): Chunks {
  const tally = { consumed: 0, given: 0 };
  try {
    for await (const chunk of decompressFrames(chunks, codec, tally)) {
      tally.given += chunk.length;
      yield chunk;
    }
  } catch (error) {
    if (again === undefined || !(error instanceof DamagedInputError) || error.endsEarly) throw error;
    // The failing step loses what it had decompressed before the damage: repeat it byte by byte.
    const steps = byteByByte(again(), tally.consumed);
    yield* dropFirst(decompressFrames(steps, codec, { consumed: 0 }), tally.given);
    throw error;
  }
}

async function* byteByByte(chunks: AsyncIterable<Buffer>, from: number): Chunks {
  let offset = 0;
  for await (const chunk of chunks) {
    const whole = Math.min(Math.max(0, from - offset), chunk.length);
    if (whole > 0) yield chunk.subarray(0, whole);
    for (let at = whole; at < chunk.length; at++) yield chunk.subarray(at, at + 1);
    offset += chunk.length;
  }
}

/** `tally.consumed`: input used by all frames so far. */
async function* decompressFrames(
  chunks: AsyncIterable<Buffer>,
  { format, create, padded }: Codec,
  tally: { consumed: number },
): Chunks {
  const feed = new CompressedFeed(chunks);
  try {
    for (;;) {
      const decompressor = create();
      const consumedBefore = tally.consumed;
      try {
        yield* decompressFrame(feed, decompressor, format);
      } finally {
        tally.consumed = consumedBefore + decompressor.bytesWritten;
      }
      feed.startAnew(decompressor.bytesWritten);
      if (padded) tally.consumed += await feed.skipPadding();
      if (await feed.isAtEnd()) return;
    }
  } finally {
    await feed.close();
  }
}

async function* decompressFrame(feed: CompressedFeed, decompressor: Decompressor, format: string): Chunks {
  const note: { error?: Error } = {};
  const source = Readable.from(notingError(feed.chunks(), note), { highWaterMark: 1 });
  // Unlike pipe(), pipeline() passes an error of the source on; it surfaces in the loop below.
  const piped = pipeline(source, decompressor).catch(() => undefined);
  try {
    for await (const chunk of decompressor) yield toBuffer(chunk);
  } catch (error) {
    throw note.error ?? describeDamage(format, error);
  } finally {
    decompressor.destroy();
    source.destroy();
    // A read that is in progress belongs to the next frame.
    if (!source.closed) await new Promise((resolve) => source.once('close', resolve));
    await piped;
  }
}

function describeDamage(format: string, cause: unknown): DamagedInputError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  if (/unexpected end|truncated/i.test(detail)) {
    return new DamagedInputError(`the ${format} data ends early`, true, { cause });
  }
  const problem = /incorrect (data|length) check|checksum/.test(detail)
    ? `the ${format} checksum does not match, so what was read from it may be damaged too`
    : `the ${format} data is damaged (${detail})`;
  return new DamagedInputError(problem, false, { cause });
}

/** A decompressor lags by no more chunks than its own buffer and the stream before it hold. */
const KEPT_CHUNKS = 8;

/** Feeds compressed chunks to one decompressor after another, each from where the one before it stopped. */
class CompressedFeed {
  #chunks: AsyncIterator<Buffer>;
  #ended = false;
  #returned: Buffer[] = [];
  /** The last chunks given to the current decompressor, and how many bytes came before them. */
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

  /** The decompressor used `consumed` bytes; the rest is for the next one. */
  startAnew(consumed: number): void {
    const rest = Buffer.concat(this.#given).subarray(consumed - this.#givenBefore);
    if (rest.length > 0) this.#returned.unshift(rest);
    this.#given = [];
    this.#givenBefore = 0;
  }

  /** Skips bytes 0, however many, and returns how many. */
  async skipPadding(): Promise<number> {
    let skipped = 0;
    while (!(await this.isAtEnd())) {
      const chunk = this.#returned.shift() ?? Buffer.alloc(0);
      const end = chunk.findIndex((byte) => byte !== 0);
      skipped += end === -1 ? chunk.length : end;
      if (end === -1) continue;
      this.#returned.unshift(chunk.subarray(end));
      break;
    }
    return skipped;
  }

  /** Whether nothing is left for another decompressor. */
  async isAtEnd(): Promise<boolean> {
    if (this.#returned.length === 0) {
      const next = await this.#read();
      if (next !== undefined) this.#returned.push(next);
    }
    return this.#returned.length === 0;
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

/** The rest of an input is unreadable; everything before it is good. The message names the fault. */
export class DamagedInputError extends Error {
  override readonly name = 'DamagedInputError';

  constructor(
    message: string,
    /** Whether the data stops too early, rather than being wrong. */
    readonly endsEarly: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Decompresses with the `zstd` program, for a Node that has no zstd of its own. Throws a ConfigError if it is not installed. */
export async function* unzstdWithProgram(
  chunks: AsyncIterable<Buffer>,
  program = 'zstd',
): AsyncGenerator<Buffer, void, undefined> {
  const child = spawn(program, ['-dcq'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn').catch((cause: unknown) => {
    throw new ConfigError(
      'This Node cannot read zstd-compressed files, and the program zstd was not found.',
      {
        remedy: 'Install zstd (apt install zstd, brew install zstd), or use Node 22.15 or newer.',
        cause,
      },
    );
  });
  await started;
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 500);
  });
  const exited = once(child, 'exit');
  const note: { error?: Error } = {};
  const source = Readable.from(notingError(chunks, note), { highWaterMark: 1 });
  // Where zstd stops early, writing to it fails; its exit status says why.
  const fed = pipeline(source, child.stdin).catch(() => undefined);
  let finished = false;
  try {
    for await (const chunk of child.stdout) yield toBuffer(chunk);
    await exited;
    finished = true;
  } finally {
    if (!finished) child.kill('SIGKILL');
    source.destroy();
    await Promise.all([fed, exited]);
  }
  if (note.error !== undefined) throw note.error;
  if (child.exitCode !== 0) throw describeComplaint(complaint);
}

function describeComplaint(complaint: string): DamagedInputError {
  if (/premature end|unexpected end/i.test(complaint)) {
    return new DamagedInputError('the zstd data ends early', true);
  }
  const [detail = ''] = complaint
    .replace(/^zstd: |\/\*stdin\*\\? ?: /g, '')
    .trim()
    .split('\n');
  return new DamagedInputError(`the zstd data is damaged (${detail})`, false);
}
