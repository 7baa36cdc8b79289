import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { bomLength, NEWLINE, OPEN_BRACE } from './bytes.js';
import { ChunkReader, dropFirst, toBuffer } from './chunk-reader.js';
import { gunzip, unzstd } from './decompress.js';
import type { ResolvedInput } from './resolve-inputs.js';
import { CONTAINER_HEAD_BYTES, sniffContainer, type Container } from './sniff-container.js';
import { FORMAT_HEAD_BYTES, isSettled } from './sniff-format.js';
import { readZipMember, whyUnreadable } from './zip-archive.js';

export interface OpenOptions {
  stdin: Readable;
  signal?: AbortSignal | undefined;
  /** Size of the pieces read from disk. */
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

/** An SQLite database, or the write-ahead log of one: not text, and SQLite does not read it as a stream. */
export interface DatabaseBytes {
  kind: 'sqlite' | 'sqlite_log';
  /** For who expects a text. */
  message: string;
  containers: readonly string[];
  chunks: AsyncIterable<Buffer>;
  resumable: boolean;
  close(): Promise<void>;
}

/** The input is in a format that holds no log as it is. */
export interface NoText {
  kind: 'unreadable';
  message: string;
}

/** A file compressed twice by mistake is read; a bomb of nested archives is not. */
const MOST_LAYERS = 3;

/**
 * Opens an input for reading from `offset` of its text. A plain file is opened there; anything else has to be decoded
 * from its start.
 */
export async function openText(
  input: ResolvedInput,
  offset: number,
  options: OpenOptions,
): Promise<OpenText | DatabaseBytes | NoText> {
  const resumable = input.kind === 'file' && (await stat(input.absolutePath)).isFile();
  const member = input.kind === 'file' ? input.member : undefined;
  const problem = member === undefined ? undefined : whyUnreadable(member);
  if (problem !== undefined) return { kind: 'unreadable', message: problem };
  let reader = new ChunkReader(readBytes(input, 0, options));
  let container = sniffContainer(await reader.peek(CONTAINER_HEAD_BYTES, beginsAsText));
  const containers: string[] = member === undefined ? [] : ['zip'];
  while (container.kind !== 'plain') {
    if (container.kind === 'sqlite' || container.kind === 'sqlite_log') {
      const bytes = reader;
      const [kind, message] = [container.kind, NOT_TEXT[container.kind]];
      const close = () => bytes.close();
      return { kind, message, containers, chunks: bytes.chunks(), resumable, close };
    }
    const layers = containers.length;
    if (container.kind === 'unreadable' || layers === MOST_LAYERS) {
      await reader.close();
      return { kind: 'unreadable', message: describe(container) };
    }
    const again = resumable && layers === 0 ? () => readBytes(input, 0, options) : undefined;
    reader = new ChunkReader(decode(reader.chunks(), container.kind, again));
    containers.push(container.kind);
    container = sniffContainer(await reader.peek(CONTAINER_HEAD_BYTES, beginsAsText));
  }
  const head = await reader.peek(FORMAT_HEAD_BYTES, isSettled);
  const start = Math.max(offset, bomLength(head));
  const enter = resumable && containers.length === 0 && offset > 0;
  if (enter) {
    await reader.close();
    reader = new ChunkReader(readBytes(input, start, options));
  }
  const text = reader;
  return {
    kind: 'text',
    head,
    containers,
    offset: start,
    chunks: enter ? text.chunks() : dropFirst(text.chunks(), start),
    resumable,
    close: () => text.close(),
  };
}

const NOT_TEXT: Readonly<Record<DatabaseBytes['kind'], string>> = {
  sqlite: 'This is an SQLite database, not a log. Export the log table as CSV.',
  sqlite_log:
    'This is the write-ahead log of an SQLite database. Give the database itself, with this file beside it: both are read together.',
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
    bytesRead += bytes.length;
    onRead(bytesRead);
    if (bytes.length > 0) yield bytes;
  }
}

function openFile(absolutePath: string, start: number, highWaterMark: number): Readable {
  // Reading a pipe (a shell's <(…)) fails when given a position.
  return createReadStream(absolutePath, start > 0 ? { start, highWaterMark } : { highWaterMark });
}

function decode(
  chunks: AsyncIterable<Buffer>,
  kind: Exclude<Container['kind'], 'plain' | 'unreadable' | DatabaseBytes['kind']>,
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
