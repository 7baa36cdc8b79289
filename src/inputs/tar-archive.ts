import { DamagedInputError } from './decompress.js';

/** One file in a tar archive. Its content can be read until the next file is asked for. */
export interface TarMember {
  name: string;
  bytes: number;
  /** `other`: a link, a device or what else has no content of its own. */
  kind: 'file' | 'directory' | 'other';
  /** Why its bytes are not the file's content. */
  unread?: string;
  content: AsyncIterable<Buffer>;
}

const BLOCK_BYTES = 512;
const NO_BYTES = Buffer.alloc(BLOCK_BYTES);
/** No path is longer; what says so is damaged or a bomb. */
const LONGEST_HEADER = 1024 * 1024;

const SPARSE =
  'This file of the archive is stored without its holes (sparse). Unpack it and replay the result.';
const CONTINUED = 'This file of the archive begins in another volume. Unpack the volumes together.';

/**
 * The files of a tar archive in its order, whatever program made it (v7, ustar, pax, GNU), as a stream: nothing is kept but the
 * current piece. Archives one behind the other are one. Throws DamagedInputError, or what the chunks throw, where the archive
 * cannot be read on: the same error that the content of the file gave that stands there.
 */
export async function* readTar(chunks: AsyncIterable<Buffer>): AsyncGenerator<TarMember, void, undefined> {
  const feed = new TarFeed(chunks);
  const forAll = new Map<string, string>();
  let forNext = new Map<string, string>();
  let hasEnded = false;
  try {
    for (;;) {
      const block = await feed.block(hasEnded);
      if (block === undefined) return;
      if (block.equals(NO_BYTES)) {
        hasEnded = true;
        continue;
      }
      if (!isTarHeader(block)) throw feed.fail('the tar archive is damaged', false);
      hasEnded = false;
      const header = headerOf(block, new Map([...forAll, ...forNext]));
      if (header.bytes === undefined) throw feed.fail('the tar archive is damaged', false);
      switch (header.type) {
        case 'L':
          forNext.set('path', textIn(await feed.whole(header.bytes)));
          continue;
        case 'K':
        case 'N':
          await feed.skip(padded(header.bytes));
          continue;
        case 'x':
        case 'X':
        case 'g': {
          const records = readPax(await feed.whole(header.bytes));
          if (records === undefined) throw feed.fail('the tar archive is damaged', false);
          for (const [key, value] of records) (header.type === 'g' ? forAll : forNext).set(key, value);
          continue;
        }
      }
      forNext = new Map();
      // Blocks that go on with the list of its parts are not counted in its size.
      for (let more = header.type === 'S' && block[482] !== 0; more;) {
        const list = await feed.block(false);
        more = list !== undefined && list[504] !== 0;
      }
      const left = { bytes: header.bytes };
      if (header.type !== 'V') {
        const { name, kind, unread } = header;
        const content = feed.content(left);
        yield { name, bytes: header.bytes, kind, content, ...(unread === undefined ? {} : { unread }) };
      }
      await feed.skip(left.bytes + padded(header.bytes) - header.bytes);
    }
  } finally {
    await feed.close();
  }
}

/** Whether a block of 512 bytes is the header of a file: it holds the sum of its own bytes. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK_BYTES) return false;
  const written = numberIn(block, 148, 8);
  let sum = 8 * 0x20;
  // Old programs added the bytes with their signs.
  let signed = sum;
  for (let at = 0; at < BLOCK_BYTES; at++) {
    if (at === 148) at += 8;
    const byte = block[at] ?? 0;
    sum += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  return written === sum || written === signed;
}

interface Header {
  type: string;
  name: string;
  /** Of its data in the archive; undefined where that cannot be read. */
  bytes: number | undefined;
  kind: TarMember['kind'];
  unread?: string;
}

/** `pax`: what the extended headers before it say. */
function headerOf(block: Buffer, pax: ReadonlyMap<string, string>): Header {
  const type = String.fromCharCode(block[156] ?? 0).replace('\0', '0');
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? textIn(block.subarray(345, 500)) : '';
  const short = textIn(block.subarray(0, 100));
  const name = pax.get('path') ?? (prefix === '' ? short : `${prefix}/${short}`);
  // A link may tell the size of the file that it leads to.
  const hasData = !/[1-6]/.test(type);
  const stated = pax.get('size');
  const bytes = hasData ? (stated === undefined ? numberIn(block, 124, 12) : Number(stated)) : 0;
  const isFile = /[07SM]/.test(type) && !name.endsWith('/');
  const isDirectory = /[5D]/.test(type) || (type === '0' && name.endsWith('/'));
  const isSparse = type === 'S' || [...pax.keys()].some((key) => key.startsWith('GNU.sparse.'));
  const unread = type === 'M' ? CONTINUED : isSparse ? SPARSE : undefined;
  return {
    type,
    name: pax.get('GNU.sparse.name') ?? name,
    bytes: bytes !== undefined && Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined,
    kind: isFile ? 'file' : isDirectory ? 'directory' : 'other',
    ...(unread === undefined ? {} : { unread }),
  };
}

/** Octal digits, or for large numbers the number itself behind a byte 0x80. */
function numberIn(block: Buffer, start: number, length: number): number | undefined {
  const field = block.subarray(start, start + length);
  if (field[0] === 0x80) return Number(field.readBigUInt64BE(length - 8));
  const digits = /^[ \0]*([0-7]*)[ \0]/.exec(`${field.toString('latin1')}\0`)?.[1];
  return digits === undefined ? undefined : digits === '' ? 0 : parseInt(digits, 8);
}

/** The records `LENGTH key=value\n` of a pax header; undefined where they are damaged. */
function readPax(bytes: Buffer): Map<string, string> | undefined {
  const records = new Map<string, string>();
  for (let at = 0; at < bytes.length && bytes[at] !== 0;) {
    const space = bytes.indexOf(0x20, at);
    const length = space === -1 ? 0 : Number(bytes.toString('latin1', at, space));
    const end = at + length;
    if (!Number.isInteger(length) || end <= space + 1 || end > bytes.length) return undefined;
    const record = bytes.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

function textIn(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end === -1 ? bytes.length : end);
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/** The bytes of an archive, taken piece by piece. */
class TarFeed {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  /** Why nothing can be read any more: whoever asks gets the same error, which is reported once. */
  #failure: { error: unknown } | undefined;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next 512 bytes; undefined at the end of the archive, which only what `hasEnded` may reach. */
  async block(hasEnded: boolean): Promise<Buffer | undefined> {
    const block = await this.#take(BLOCK_BYTES);
    if (block.length === BLOCK_BYTES) return block;
    // A program may leave out what fills the last block.
    if (hasEnded && block.every((byte) => byte === 0)) return undefined;
    throw this.fail('the tar archive ends early', true);
  }

  /** The data of a header that goes on. */
  async whole(bytes: number): Promise<Buffer> {
    if (bytes > LONGEST_HEADER) throw this.fail('the tar archive is damaged', false);
    const data = await this.#take(padded(bytes));
    if (data.length < padded(bytes)) throw this.fail('the tar archive ends early', true);
    return data.subarray(0, bytes);
  }

  /** The content of a file of which `left.bytes` are still to come. */
  async *content(left: { bytes: number }): AsyncGenerator<Buffer, void, undefined> {
    while (left.bytes > 0) {
      const piece = await this.#piece(left.bytes);
      if (piece === undefined) throw this.fail('the tar archive ends early', true);
      left.bytes -= piece.length;
      yield piece;
    }
  }

  async skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0;) {
      const piece = await this.#piece(left);
      if (piece === undefined) throw this.fail('the tar archive ends early', true);
      left -= piece.length;
    }
  }

  /** The error with which reading ends. */
  fail(message: string, endsEarly: boolean): unknown {
    this.#failure ??= { error: new DamagedInputError(message, endsEarly) };
    return this.#failure.error;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  /** As many bytes, or as there are. */
  async #take(bytes: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for (let left = bytes; left > 0;) {
      const piece = await this.#piece(left);
      if (piece === undefined) break;
      left -= piece.length;
      pieces.push(piece);
    }
    const [only] = pieces;
    return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
  }

  /** The next bytes, no more than `most`; undefined at the end. */
  async #piece(most: number): Promise<Buffer | undefined> {
    if (this.#failure !== undefined) throw this.#failure.error;
    while (this.#rest.length === 0) {
      try {
        const next = await this.#chunks.next();
        if (next.done === true) return undefined;
        this.#rest = next.value;
      } catch (error) {
        this.#failure = { error };
        throw error;
      }
    }
    const piece = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}
