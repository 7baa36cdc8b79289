import { Damage } from './damage.js';

/** One file of the archive, before its content has been read. */
export interface Entry {
  name: string;
  size: number;
  /** The content, whole. Throws Damage where the archive ends in it. */
  read: () => Promise<Buffer>;
}

const BLOCK = 512;
const NO_BYTES = Buffer.alloc(0);
const END = Buffer.alloc(2 * BLOCK);
/** The largest size that eleven octal digits hold. */
const MOST_BYTES = 8 ** 11 - 1;

/** The header and the padding around a file's content: ustar, which every tar reads. `at` in seconds since 1970. */
export function frameOf(name: string, size: number, at: number): { head: Buffer; tail: Buffer } {
  return { head: headerOf(name, size, at), tail: Buffer.alloc(paddingOf(size)) };
}

/** What ends an archive. */
export function endOfTar(): Buffer {
  return END;
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function headerOf(name: string, size: number, at: number): Buffer {
  if (Buffer.byteLength(name) > 100 || size > MOST_BYTES) throw new RangeError(`${name} does not fit a tar`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  const texts: readonly (readonly [offset: number, text: string])[] = [
    [0, name],
    [100, octal(0o600, 7)],
    [108, octal(0, 7)],
    [116, octal(0, 7)],
    [124, octal(size, 11)],
    [136, octal(at, 11)],
    // The sum of all bytes counts these as blanks.
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\0'],
    [263, '00'],
  ];
  for (const [offset, text] of texts) block.write(text, offset, 'latin1');
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, 148, 'latin1');
  return block;
}

/**
 * The files of an archive that {@link frameOf} framed, in order. Strict: a byte of a header, of a padding or behind the end that
 * the writer would not have written is Damage, which names the file or what stands before it. A caller that does not read
 * a file's content skips it.
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<Entry> {
  const bytes = new ByteQueue(source);
  try {
    yield* readEntries(bytes);
  } finally {
    await bytes.close();
  }
}

async function* readEntries(bytes: ByteQueue): AsyncGenerator<Entry> {
  let before = 'the beginning';
  let at: number | undefined;
  for (;;) {
    const block = await bytes.take(BLOCK);
    if (block.length < BLOCK) throw new Damage('archive', `it ends behind ${before}, before its end`);
    if (block.every((byte) => byte === 0)) break;
    const header = parseHeader(block, before);
    at ??= header.at;
    if (at !== header.at || !headerOf(header.name, header.size, at).equals(block))
      throw damagedHeader(before);
    const { name, size } = header;
    before = name;
    let content: Promise<Buffer> | undefined;
    const read = (): Promise<Buffer> => (content ??= readContent(bytes, name, size));
    yield { name, size, read };
    await read();
  }
  const rest = await bytes.take(BLOCK + 1);
  if (rest.length !== BLOCK || rest.some((byte) => byte !== 0)) {
    throw new Damage('archive', 'what stands behind its last part is not the end that was written');
  }
}

async function readContent(bytes: ByteQueue, name: string, size: number): Promise<Buffer> {
  const content = await bytes.take(size);
  const padding = await bytes.take(paddingOf(size));
  if (content.length < size || padding.length < paddingOf(size))
    throw new Damage(name, 'the file ends in it');
  if (padding.some((byte) => byte !== 0)) throw new Damage(name, 'the padding behind it was changed');
  return content;
}

function parseHeader(block: Buffer, before: string): { name: string; size: number; at: number } {
  const text = (from: number, to: number): string =>
    block.toString('latin1', from, to).split('\0', 1)[0] ?? '';
  const [size, at] = [text(124, 136), text(136, 148)];
  const name = text(0, 100);
  if (!/^[0-7]{11}$/.test(size) || !/^[0-7]{11}$/.test(at) || !/^[\w./-]+$/.test(name))
    throw damagedHeader(before);
  return { name, size: Number.parseInt(size, 8), at: Number.parseInt(at, 8) };
}

function damagedHeader(before: string): Damage {
  return new Damage('archive', `the header behind ${before} was changed`);
}

/** A stream, cut into the lengths that are asked for. */
class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #left: Buffer = NO_BYTES;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** So many bytes; fewer where the stream ends. */
  async take(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#left.length === 0) {
        const next = await this.#source.next();
        if (next.done === true) break;
        this.#left = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
      }
      const piece = this.#left.subarray(0, missing);
      this.#left = this.#left.subarray(piece.length);
      missing -= piece.length;
      pieces.push(piece);
    }
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }
}
