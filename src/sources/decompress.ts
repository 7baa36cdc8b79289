import { Readable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { toBuffer } from './chunk-reader.js';
import { DamagedInputError } from './damaged-input.js';
import { unzstdWithProgram } from './zstd-program.js';

/**
 * A decompressor reads its input's next piece only once its output has been taken: with a larger buffer, what lies in it
 * is thrown away when the piece after it proves to be damaged.
 */
const OPTIONS = { highWaterMark: 1, chunkSize: 64 * 1024 };

export async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield* through(chunks, zlib.createGunzip(OPTIONS), 'gzip');
}

/** Uses Node's own zstd (22.15 and newer) or else the `zstd` program; throws a ConfigError where there is neither. */
export async function* unzstd(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  if (hasZstd(zlib)) yield* through(chunks, zlib.createZstdDecompress(OPTIONS), 'zstd');
  else yield* unzstdWithProgram(chunks);
}

interface ZstdZlib {
  createZstdDecompress(options: typeof OPTIONS): Duplex;
}

/** The types are those of the oldest Node that is supported, which has no zstd. */
function hasZstd(module: object): module is ZstdZlib {
  return 'createZstdDecompress' in module && typeof module.createZstdDecompress === 'function';
}

async function* through(
  chunks: AsyncIterable<Buffer>,
  decompressor: Duplex,
  format: string,
): AsyncGenerator<Buffer, void, undefined> {
  let sourceError: Error | undefined;
  const source = Readable.from(chunks, { highWaterMark: 1 });
  source.once('error', (error: Error) => {
    sourceError = error;
  });
  // Unlike pipe(), pipeline() passes an error of the source on; it surfaces in the loop below.
  const done = pipeline(source, decompressor).catch(() => undefined);
  try {
    for await (const chunk of decompressor) yield toBuffer(chunk);
  } catch (error) {
    throw sourceError ?? new DamagedInputError(describeDamage(format, error), { cause: error });
  } finally {
    source.destroy();
    decompressor.destroy();
    await done;
  }
}

function describeDamage(format: string, error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  if (/unexpected end|Truncated/i.test(detail)) return `the ${format} data ends early`;
  if (/incorrect (data|length) check/.test(detail)) {
    return `the ${format} checksum does not match, so what was read from it may be damaged too`;
  }
  return `the ${format} data is damaged (${detail})`;
}
