import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import {
  DIGEST_NAME,
  HEADER_NAME,
  MANIFEST_NAME,
  partName,
  type DumpedTable,
  type Header,
  type Manifest,
} from './format.js';
import { endOfTar, frameOf } from './tar.js';

/** A table to write: its rows come as whole lines of NDJSON, some at a time. */
export interface TableSource extends Omit<DumpedTable, 'rows' | 'parts'> {
  lines: AsyncIterable<{ ndjson: Buffer; rows: number }>;
}

/** A part is closed at so many bytes of NDJSON: small enough to hold a few in memory, large enough to compress well. */
const PART_BYTES = 8 * 1024 * 1024;
/** Parts being compressed while the next one is read: the thread pool and the database work at the same time. */
const IN_FLIGHT = 2;
/** Nearly as small as the default of 6, in a third of the time. */
const LEVEL = 1;

/** A part comes from the thread pool in a few turns, not in hundreds. */
export const CHUNK = 1024 * 1024;

const NEWLINE = 10;

const compress = promisify(gzip);

/**
 * The bytes of a backup: its header, the tables' parts, the manifest and its digest. `written` is told of every part and of the
 * manifest.
 */
export async function* writeArchive(
  header: Header,
  tables: readonly TableSource[],
  written: (part: { table: string; rows: number; bytes: number }) => void,
): AsyncGenerator<Uint8Array, Manifest> {
  const at = Math.floor(Date.parse(header.createdAt) / 1000);
  const headerBytes = jsonBytes(header);
  yield* entry(HEADER_NAME, headerBytes, at);
  const manifest: Manifest = {
    header: { size: headerBytes.length, sha256: digestOf(headerBytes) },
    tables: [],
    rows: 0,
  };
  for (const { lines, ...table } of tables) {
    const dumped: DumpedTable = { ...table, rows: 0, parts: [] };
    for await (const { content, rows, bytes } of partsOf(lines)) {
      const name = partName(table.name, dumped.parts.length + 1);
      dumped.parts.push({ name, size: content.length, sha256: digestOf(content), rows, bytes });
      dumped.rows += rows;
      yield* entry(name, content, at);
      written({ table: table.name, rows, bytes });
    }
    manifest.tables.push(dumped);
    manifest.rows += dumped.rows;
  }
  const manifestBytes = jsonBytes(manifest);
  yield* entry(MANIFEST_NAME, manifestBytes, at);
  yield* entry(DIGEST_NAME, Buffer.from(`${digestOf(manifestBytes)}  ${MANIFEST_NAME}\n`), at);
  yield endOfTar();
  return manifest;
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 1)}\n`);
}

function* entry(name: string, content: Buffer, at: number): Generator<Uint8Array> {
  const { head, tail } = frameOf(name, content.length, at);
  yield head;
  yield content;
  if (tail.length > 0) yield tail;
}

interface Compressed {
  content: Buffer;
  rows: number;
  bytes: number;
}

/**
 * The lines of a table as compressed parts, in order. A part ends with the line that fills it, however the lines come: two backups of
 * equal tables are equal.
 */
async function* partsOf(batches: TableSource['lines']): AsyncGenerator<Compressed> {
  const inFlight: Promise<Compressed>[] = [];
  let pieces: Buffer[] = [];
  let rows = 0;
  let length = 0;
  const close = (): void => {
    const [only, ...others] = pieces;
    const ndjson = only !== undefined && others.length === 0 ? only : Buffer.concat(pieces, length);
    const part = compressed(ndjson, rows);
    // Whoever waits for it gets the error; nobody does after an error elsewhere.
    part.catch(() => undefined);
    inFlight.push(part);
    pieces = [];
    rows = 0;
    length = 0;
  };
  const add = (ndjson: Buffer, lines: number): void => {
    pieces.push(ndjson);
    rows += lines;
    length += ndjson.length;
  };
  for await (const batch of batches) {
    let left = batch;
    while (length + left.ndjson.length >= PART_BYTES) {
      const end = left.ndjson.indexOf(NEWLINE, Math.max(PART_BYTES - length - 1, 0)) + 1;
      const filling = left.ndjson.subarray(0, end);
      const lines = end === left.ndjson.length ? left.rows : linesIn(filling);
      add(filling, lines);
      close();
      left = { ndjson: left.ndjson.subarray(end), rows: left.rows - lines };
    }
    if (left.rows > 0) add(left.ndjson, left.rows);
    while (inFlight.length > IN_FLIGHT) {
      const first = await inFlight.shift();
      if (first !== undefined) yield first;
    }
  }
  if (rows > 0) close();
  for (const part of inFlight) yield await part;
}

async function compressed(ndjson: Buffer, rows: number): Promise<Compressed> {
  return { content: await compress(ndjson, { level: LEVEL, chunkSize: CHUNK }), rows, bytes: ndjson.length };
}

/** How many lines of NDJSON end in some bytes. */
export function linesIn(ndjson: Buffer): number {
  let lines = 0;
  for (let at = ndjson.indexOf(NEWLINE); at !== -1; at = ndjson.indexOf(NEWLINE, at + 1)) lines += 1;
  return lines;
}
