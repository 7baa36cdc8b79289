import { isTarHeader } from './tar-archive.js';

/** The format of a file by its first bytes, whatever its name. */
export type Container =
  | { kind: 'plain' | 'gzip' | 'zstd' | 'utf-16le' | 'utf-16be' }
  | { kind: 'sqlite' | 'sqlite_log' | 'tar' | 'zip' }
  | { kind: 'unreadable'; what: string; remedy: string };

interface Signature {
  bytes: Buffer;
  what: string;
  remedy: string;
}

const UNPACK = 'Unpack it and replay the files in it.';

function signature(what: string, bytes: string | number[], remedy: string): Signature {
  return {
    bytes: typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes),
    what,
    remedy,
  };
}

/** From the formats' own specifications. */
const UNREADABLE = [
  signature('an empty zip archive', 'PK\x05\x06', UNPACK),
  signature('bzip2-compressed', 'BZh', 'Pipe what bzip2 -dc FILE prints into replay -'),
  signature('xz-compressed', '\xfd7zXZ\x00', 'Pipe what xz -dc FILE prints into replay -'),
  signature('lz4-compressed', [0x04, 0x22, 0x4d, 0x18], 'Pipe what lz4 -dc FILE prints into replay -'),
  signature('a 7-Zip archive', "7z\xbc\xaf'\x1c", UNPACK),
  signature('a RAR archive', 'Rar!\x1a\x07', UNPACK),
  signature(
    'a PostgreSQL custom-format dump',
    'PGDMP',
    'Export the log table with: copy … to stdout (format csv, header)',
  ),
  signature('a Parquet file', 'PAR1', 'Export it as CSV or NDJSON.'),
  signature('a PDF document', '%PDF-', 'Give the log itself.'),
  signature('a PNG image', '\x89PNG', 'Give the log itself.'),
  signature('a JPEG image', '\xff\xd8\xff', 'Give the log itself.'),
  signature('a GIF image', 'GIF8', 'Give the log itself.'),
  signature('a program', '\x7fELF', 'Give the log itself.'),
];

const SQLITE = Buffer.from('SQLite format 3\0');
/** The write-ahead log of an SQLite database, with checksums in either byte order. */
const SQLITE_LOGS: ReadonlySet<number> = new Set([0x377f0682, 0x377f0683]);

const ZIP = Buffer.from('PK\x03\x04', 'latin1');
const USTAR = Buffer.from('ustar');

/** Bytes that sniffContainer needs: a tar archive is told by its first header. */
export const CONTAINER_HEAD_BYTES = 512;

/** `head`: the first CONTAINER_HEAD_BYTES of the input, or all of it if it is shorter. */
export function sniffContainer(head: Buffer): Container {
  if (head[0] === 0x1f && head[1] === 0x8b) return { kind: 'gzip' };
  if (isZstd(head)) return { kind: 'zstd' };
  if (head.subarray(0, SQLITE.length).equals(SQLITE)) return { kind: 'sqlite' };
  if (head.length >= 4 && SQLITE_LOGS.has(head.readUInt32BE(0))) return { kind: 'sqlite_log' };
  if (head.subarray(0, ZIP.length).equals(ZIP)) return { kind: 'zip' };
  if (isTar(head)) return { kind: 'tar' };
  for (const { bytes, what, remedy } of UNREADABLE) {
    if (head.subarray(0, bytes.length).equals(bytes)) return { kind: 'unreadable', what, remedy };
  }
  // By its byte order mark, or by the NUL that every ASCII character has on one side.
  if (head[0] === 0xff && head[1] === 0xfe) return { kind: 'utf-16le' };
  if (head[0] === 0xfe && head[1] === 0xff) return { kind: 'utf-16be' };
  if (isAscii(head[0]) && head[1] === 0 && isAscii(head[2]) && head[3] === 0) return { kind: 'utf-16le' };
  if (head[0] === 0 && isAscii(head[1]) && head[2] === 0 && isAscii(head[3])) return { kind: 'utf-16be' };
  return { kind: 'plain' };
}

/** With the word `ustar` also where its header is cut off or damaged; no text has bytes 0 before it. */
function isTar(head: Buffer): boolean {
  return isTarHeader(head) || (head.subarray(257, 262).equals(USTAR) && head.subarray(0, 257).includes(0));
}

/** A frame of RFC 8878, or a skippable frame before one. */
function isZstd(head: Buffer): boolean {
  if (head.length < 4) return false;
  const magic = head.readUInt32LE(0);
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
}

function isAscii(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0 && byte < 0x80;
}
