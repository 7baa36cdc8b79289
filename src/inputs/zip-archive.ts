import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { addAbortSignal, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32, createInflateRaw } from 'node:zlib';
import { toBuffer } from './chunk-reader.js';
import { DamagedInputError } from './decompress.js';

/** One file in a zip archive. */
export interface ZipMember {
  name: string;
  /** Where its header is in the archive. */
  offset: number;
  compressedBytes: number;
  bytes: number;
  crc32: number;
  /** 0: as it is, 8: deflated. */
  method: number;
  isEncrypted: boolean;
}

const LOCAL_HEADER = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const DIRECTORY_ENTRY = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const END = 0x06054b50;
const END_BYTES = 22;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const LOCATOR_64_BYTES = 20;
const LONGEST_COMMENT = 0xffff;
const EXTRA_64 = 0x0001;
/** Larger directories are no archives of logs. */
const LARGEST_DIRECTORY = 64 * 1024 * 1024;

/** The files in the archive, in its own order; undefined for a file that is no zip archive. Throws DamagedInputError. */
export async function listZip(absolutePath: string): Promise<ZipMember[] | undefined> {
  const file = await open(absolutePath);
  try {
    const { size } = await file.stat();
    const begin = await readAt(file, 0, Math.min(4, size));
    if (begin.length < 4 || begin.readUInt32LE(0) !== LOCAL_HEADER) return undefined;
    const members = readDirectory(await findDirectory(file, size));
    rejectOverlaps(members, size);
    return members;
  } finally {
    await file.close();
  }
}

/** Why a file in an archive cannot be read; undefined for one that can. */
export function whyUnreadable({ method, isEncrypted }: ZipMember): string | undefined {
  if (isEncrypted)
    return 'This file of the archive is encrypted. Unpack it with its password and replay the result.';
  if (method === 0 || method === 8) return undefined;
  return `This file of the archive is compressed by method ${method}. Unpack it and replay the result.`;
}

/** The content of one file in an archive; never more than its directory says. Throws DamagedInputError. */
export async function* readZipMember(
  absolutePath: string,
  member: ZipMember,
  options: { chunkBytes: number; signal?: AbortSignal | undefined; onRead: (bytesRead: number) => void },
): AsyncGenerator<Buffer, void, undefined> {
  if (member.compressedBytes === 0) return;
  const start = await dataOffset(absolutePath, member);
  const end = start + member.compressedBytes - 1;
  const stream = createReadStream(absolutePath, { start, end, highWaterMark: options.chunkBytes });
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  const packed = counted(stream, options.onRead);
  let given = 0;
  let checksum = 0;
  for await (const chunk of member.method === 0 ? packed : inflate(packed)) {
    given += chunk.length;
    if (given > member.bytes)
      throw new DamagedInputError('the zip data is longer than the archive says', false);
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (given < member.bytes) throw new DamagedInputError('the zip data ends early', true);
  if (checksum !== member.crc32) {
    throw new DamagedInputError(
      'the zip checksum does not match, so what was read from it may be damaged too',
      false,
    );
  }
}

async function* counted(
  stream: Readable,
  onRead: (bytesRead: number) => void,
): AsyncGenerator<Buffer, void, undefined> {
  let bytesRead = 0;
  for await (const chunk of stream) {
    const bytes = toBuffer(chunk);
    bytesRead += bytes.length;
    onRead(bytesRead);
    yield bytes;
  }
}

/** With a larger buffer it would run ahead of its reader. */
const INFLATE = { highWaterMark: 1, chunkSize: 64 * 1024 };

async function* inflate(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const source = Readable.from(packed, { highWaterMark: 1 });
  const inflater = createInflateRaw(INFLATE);
  // An error of either surfaces in the loop below.
  const piped = pipeline(source, inflater).catch(() => undefined);
  try {
    for await (const chunk of inflater) yield toBuffer(chunk);
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    if (error instanceof Error && error.name === 'AbortError') throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new DamagedInputError(`the zip data is damaged (${detail})`, false, { cause: error });
  } finally {
    inflater.destroy();
    source.destroy();
    await piped;
  }
}

async function dataOffset(absolutePath: string, member: ZipMember): Promise<number> {
  const file = await open(absolutePath);
  try {
    const header = await readAt(file, member.offset, LOCAL_HEADER_BYTES);
    if (header.length < LOCAL_HEADER_BYTES || header.readUInt32LE(0) !== LOCAL_HEADER) throw noDirectory();
    return member.offset + LOCAL_HEADER_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
  } finally {
    await file.close();
  }
}

/** The bytes of the central directory. */
async function findDirectory(file: FileHandle, size: number): Promise<Buffer> {
  const tailStart = Math.max(0, size - END_BYTES - LONGEST_COMMENT);
  const tail = await readAt(file, tailStart, size - tailStart);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END || at + END_BYTES + tail.readUInt16LE(at + 20) > tail.length) continue;
    const small = { bytes: tail.readUInt32LE(at + 12), offset: tail.readUInt32LE(at + 16) };
    const { bytes, offset } =
      small.bytes === 0xffffffff || small.offset === 0xffffffff || tail.readUInt16LE(at + 10) === 0xffff
        ? await findDirectory64(file, tailStart + at)
        : small;
    if (bytes > LARGEST_DIRECTORY || offset + bytes > size) throw noDirectory();
    return readAt(file, offset, bytes);
  }
  throw noDirectory();
}

async function findDirectory64(file: FileHandle, end: number): Promise<{ bytes: number; offset: number }> {
  const locator = await readAt(file, Math.max(0, end - LOCATOR_64_BYTES), LOCATOR_64_BYTES);
  if (locator.length < LOCATOR_64_BYTES || locator.readUInt32LE(0) !== LOCATOR_64) throw noDirectory();
  const record = await readAt(file, Number(locator.readBigUInt64LE(8)), 56);
  if (record.length < 56 || record.readUInt32LE(0) !== END_64) throw noDirectory();
  return { bytes: Number(record.readBigUInt64LE(40)), offset: Number(record.readBigUInt64LE(48)) };
}

function readDirectory(directory: Buffer): ZipMember[] {
  const members: ZipMember[] = [];
  for (let at = 0; at + DIRECTORY_ENTRY_BYTES <= directory.length;) {
    if (directory.readUInt32LE(at) !== DIRECTORY_ENTRY) throw noDirectory();
    const nameBytes = directory.readUInt16LE(at + 28);
    const extraBytes = directory.readUInt16LE(at + 30);
    const name = at + DIRECTORY_ENTRY_BYTES;
    const extra = directory.subarray(name + nameBytes, name + nameBytes + extraBytes);
    const large = sizes64(extra);
    // In this order, and only those that do not fit.
    const wide = (offset: number): number => {
      const value = directory.readUInt32LE(at + offset);
      return value === 0xffffffff ? (large.shift() ?? value) : value;
    };
    const bytes = wide(24);
    const compressedBytes = wide(20);
    members.push({
      name: directory.toString('utf8', name, name + nameBytes),
      bytes,
      compressedBytes,
      offset: wide(42),
      crc32: directory.readUInt32LE(at + 16),
      method: directory.readUInt16LE(at + 10),
      isEncrypted: (directory.readUInt16LE(at + 8) & 1) === 1,
    });
    at = name + nameBytes + extraBytes + directory.readUInt16LE(at + 32);
  }
  return members;
}

function sizes64(extra: Buffer): number[] {
  const sizes: number[] = [];
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === EXTRA_64) {
      for (let field = at + 4; field + 8 <= Math.min(end, extra.length); field += 8) {
        sizes.push(Number(extra.readBigUInt64LE(field)));
      }
    }
    at = end;
  }
  return sizes;
}

/** A bomb shares the same compressed data among many files. */
function rejectOverlaps(members: readonly ZipMember[], size: number): void {
  let end = 0;
  for (const { offset, compressedBytes } of [...members].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw new DamagedInputError('files of the zip archive overlap', false);
    end = offset + LOCAL_HEADER_BYTES + compressedBytes;
    if (end > size) throw noDirectory();
  }
}

function noDirectory(): DamagedInputError {
  return new DamagedInputError('the zip archive is cut off or damaged: its directory cannot be read', true);
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
