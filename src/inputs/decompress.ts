import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { dropFirst, notingError, toBuffer } from './chunk-reader.js';
import { CompressedFeed } from './compressed-feed.js';
import { DamagedInputError } from './damaged-input.js';
import { unzstdWithProgram } from './zstd-program.js';

type Chunks = AsyncGenerator<Buffer, void, undefined>;

/** Node's zlib streams count in bytesWritten how much of their input they have used up. */
type Decompressor = Duplex & { bytesWritten: number };

/**
 * With a larger buffer a decompressor runs ahead of its reader, and what lies in the buffer is thrown away when the
 * piece after it proves to be damaged.
 */
const OPTIONS = { highWaterMark: 1, chunkSize: 64 * 1024 };

/**
 * Decompresses gzip of any number of members. Throws a DamagedInputError where the data cannot be read on; `again` opens
 * the same data a second time, which lets everything before the damage be given, to the last byte.
 */
export function gunzip(chunks: AsyncIterable<Buffer>, again?: () => AsyncIterable<Buffer>): Chunks {
  return decompress(chunks, again, {
    format: 'gzip',
    create: () => zlib.createGunzip(OPTIONS),
    frames: false,
  });
}

/** The same for zstd, with Node's own decompressor (22.15 and newer) or else the program; a ConfigError where there is neither. */
export function unzstd(chunks: AsyncIterable<Buffer>, again?: () => AsyncIterable<Buffer>): Chunks {
  if (!hasZstd(zlib)) return unzstdWithProgram(chunks);
  const { createZstdDecompress } = zlib;
  return decompress(chunks, again, {
    format: 'zstd',
    create: () => createZstdDecompress(OPTIONS),
    // Node's stops at the end of the first frame, and says nothing of those behind it.
    frames: true,
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
  /** Whether each frame needs a decompressor of its own. */
  frames: boolean;
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
    // What the failing step had decompressed before the damage is lost with it: repeat it in the smallest steps.
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

/** `tally.consumed`: input used up by all steps that went well. */
async function* decompressFrames(
  chunks: AsyncIterable<Buffer>,
  { format, create, frames }: Codec,
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
      if (!frames || !(await feed.startAnew(decompressor.bytesWritten))) return;
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
    // A chunk that is being read right now belongs to the next frame.
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
