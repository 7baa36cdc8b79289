import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { bomLength, NEWLINE, OPEN_BRACE } from './bytes.js';
import { ChunkReader, dropFirst, toBuffer } from './chunk-reader.js';
import { gunzip, unzstd } from './decompress.js';
import type { ResolvedInput } from './resolve-inputs.js';
import { CONTAINER_HEAD_BYTES, sniffContainer, type Container } from './sniff-container.js';
import { FORMAT_HEAD_BYTES, isSettled, sniffFormat } from './sniff-format.js';
import { readZipMember, whyUnreadable } from './zip-archive.js';

export interface OpenOptions {
  stdin: Readable;
  signal?: AbortSignal | undefined;
  /** Most bytes of a chunk. */
  chunkBytes: number;
  /** Called with the number of bytes read from disk so far. */
  onRead: (bytesRead: number) => void;
}

/** An input as text: decompressed, UTF-8, without its byte order mark. */
export interface OpenText {
  kind: 'text';
  /** The beginning of the text, wherever reading starts. */
  head: Buffer;
  /** What the text is packed in, outermost first. */
  containers: readonly string[];
  /** Where the first chunk starts. */
  offset: number;
  chunks: AsyncIterable<Buffer>;
  /** Whether the input can be opened a second time. */
  resumable: boolean;
  /** For a text whose chunks are not read. */
  close(): Promise<void>;
}

/** Bytes that hold logs, and are not text. */
interface Packed {
  /** For who expects a text. */
  message: string;
  /** What they are packed in, outermost first. */
  containers: readonly string[];
  chunks: AsyncIterable<Buffer>;
  resumable: boolean;
  close(): Promise<void>;
}

/** An SQLite database, or the write-ahead log of one: SQLite does not read it as a stream. */
export interface DatabaseBytes extends Packed {
  kind: 'sqlite' | 'sqlite_log';
}

/** An archive of files. */
export interface ArchiveBytes extends Packed {
  kind: 'tar' | 'zip';
}

/** The input is in a format that holds no log as it is. */
export interface NoText {
  kind: 'unreadable';
  message: string;
}

/** A file compressed twice by mistake is read; a bomb of nested archives is not. */
const MOST_LAYERS = 3;

export type Opened = OpenText | DatabaseBytes | ArchiveBytes | NoText;

/**
 * Opens an input for reading from `offset` of its text. A plain file is opened there; anything else has to be decoded
 * from its start.
 */
export async function openText(input: ResolvedInput, offset: number, options: OpenOptions): Promise<Opened> {
  const resumable = input.kind === 'file' && (await stat(input.absolutePath)).isFile();
  const member = input.kind === 'file' ? input.member : undefined;
  const problem = member === undefined ? undefined : whyUnreadable(member);
  if (problem !== undefined) return { kind: 'unreadable', message: problem };
  const read = (start: number) => readBytes(input, start, options);
  const again = resumable ? read : undefined;
  return openChunks(read(0), { containers: member === undefined ? [] : ['zip'], offset, resumable, again });
}

/** Where chunks come from, and from where on their text is wanted. */
export interface ChunksToOpen {
  /** What is already taken off, outermost first. */
  containers: readonly string[];
  offset: number;
  resumable: boolean;
  /** Reads the same bytes once more, from a byte on; a file in an archive is read once. */
  again?: ((start: number) => AsyncIterable<Buffer>) | undefined;
}

/** Takes compression and encoding off. */
export async function openChunks(chunks: AsyncIterable<Buffer>, whole: ChunksToOpen): Promise<Opened> {
  const { resumable, again } = whole;
  let reader = new ChunkReader(chunks);
  let container = sniffContainer(await reader.peek(CONTAINER_HEAD_BYTES, beginsAsText));
  const containers = [...whole.containers];
  while (container.kind !== 'plain') {
    if (isPacked(container)) {
      const bytes = reader;
      const close = () => bytes.close();
      const { kind } = container;
      const packed = { message: NOT_TEXT[kind], containers, chunks: bytes.chunks(), resumable, close };
      return kind === 'tar' || kind === 'zip' ? { kind, ...packed } : { kind, ...packed };
    }
    const layers = containers.length - whole.containers.length;
    if (container.kind === 'unreadable' || layers === MOST_LAYERS) {
      await reader.close();
      return { kind: 'unreadable', message: describe(container) };
    }
    const once = again !== undefined && containers.length === 0 ? () => again(0) : undefined;
    reader = new ChunkReader(decode(reader.chunks(), container.kind, once));
    containers.push(container.kind);
    container = sniffContainer(await reader.peek(CONTAINER_HEAD_BYTES, beginsAsText));
  }
  const head = await reader.peek(FORMAT_HEAD_BYTES, isSettled);
  // A message of WhatsApp-Chat-Exporter does not name its chat, which may stand anywhere before it.
  const isWanted = whole.offset > 0 && sniffFormat(head).kind !== 'chat_exporter';
  const start = Math.max(isWanted ? whole.offset : 0, bomLength(head));
  const enter = containers.length === 0 && isWanted ? again : undefined;
  if (enter !== undefined) {
    await reader.close();
    reader = new ChunkReader(enter(start));
  }
  const text = reader;
  return {
    kind: 'text',
    head,
    containers,
    offset: start,
    chunks: enter === undefined ? dropFirst(text.chunks(), start) : text.chunks(),
    resumable,
    close: () => text.close(),
  };
}

type PackedKind = (DatabaseBytes | ArchiveBytes)['kind'];

function isPacked(container: Container): container is { kind: PackedKind } {
  return Object.hasOwn(NOT_TEXT, container.kind);
}

const NOT_TEXT: Readonly<Record<PackedKind, string>> = {
  sqlite: 'This is an SQLite database, not a log. Export the log table as CSV.',
  sqlite_log:
    'This is the write-ahead log of an SQLite database. Give the database itself, with this file beside it: both are read together.',
  tar: 'This is a tar archive. Unpack it, and give the files in it.',
  zip: 'This is a zip archive in another one, or a damaged one. Unpack it, and give the files in it.',
};

async function* readBytes(
  input: ResolvedInput,
  start: number,
  { stdin, signal, chunkBytes, onRead }: OpenOptions,
): AsyncGenerator<Buffer, void, undefined> {
  if (input.kind === 'file' && input.member !== undefined) {
    yield* readZipMember(input.absolutePath, input.member, { chunkBytes, signal, onRead });
    return;
  }
  const stream = input.kind === 'stdin' ? stdin : openFile(input.absolutePath, start, chunkBytes);
  if (signal !== undefined) addAbortSignal(signal, stream);
  let bytesRead = start;
  for await (const chunk of stream) {
    const bytes = toBuffer(chunk);
    for (let from = 0; from < bytes.length; from += chunkBytes) {
      const piece = bytes.subarray(from, from + chunkBytes);
      bytesRead += piece.length;
      onRead(bytesRead);
      yield piece;
    }
  }
}

/** What is read from disk at least: a read costs the same for one byte as for all of these. */
const DISK_BYTES = 64 * 1024;

function openFile(absolutePath: string, start: number, chunkBytes: number): Readable {
  const highWaterMark = chunkBytes * Math.ceil(DISK_BYTES / chunkBytes);
  // Reading a pipe (a shell's <(…)) fails when given a position.
  return createReadStream(absolutePath, start > 0 ? { start, highWaterMark } : { highWaterMark });
}

function decode(
  chunks: AsyncIterable<Buffer>,
  kind: Exclude<Container['kind'], 'plain' | 'unreadable' | PackedKind>,
  again: (() => AsyncIterable<Buffer>) | undefined,
): AsyncIterable<Buffer> {
  switch (kind) {
    case 'gzip':
      return gunzip(chunks, again);
    case 'zstd':
      return unzstd(chunks, again);
    case 'utf-16le':
    case 'utf-16be':
      return decodeUtf16(chunks, kind);
  }
}

/** A short first line on a pipe that stays open: no archive begins so. */
function beginsAsText(head: Buffer): boolean {
  return head[0] === OPEN_BRACE && head[1] !== 0 && head.includes(NEWLINE);
}

function describe(container: Container): string {
  return container.kind === 'unreadable'
    ? `This is ${container.what}, not a log. ${container.remedy}`
    : 'This is compressed several times over. Decompress it and replay the result.';
}

/** Text that a Windows shell wrote as UTF-16, as UTF-8 without its byte order mark; a lone surrogate becomes U+FFFD. */
async function* decodeUtf16(
  chunks: AsyncIterable<Buffer>,
  encoding: 'utf-16le' | 'utf-16be',
): AsyncGenerator<Buffer, void, undefined> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of chunks) {
    const text = decoder.decode(chunk, { stream: true });
    if (text !== '') yield Buffer.from(text);
  }
  const rest = decoder.decode();
  if (rest !== '') yield Buffer.from(rest);
}
