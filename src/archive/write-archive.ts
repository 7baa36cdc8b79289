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

/** A table to write: its rows come as lines, in batches. */
export interface TableSource extends Omit<DumpedTable, 'rows' | 'parts'> {
  lines: AsyncIterable<readonly string[]>;
}

/** A part is closed at so many bytes of NDJSON: small enough to hold a few in memory, large enough to compress well. */
const PART_BYTES = 8 * 1024 * 1024;
/** Parts being compressed while the next one is read: the thread pool and the database work at the same time. */
const IN_FLIGHT = 2;
/** Nearly as small as the default of 6, in a third of the time. */
const LEVEL = 1;

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

/** The lines of a table as compressed parts, in order. */
async function* partsOf(batches: AsyncIterable<readonly string[]>): AsyncGenerator<Compressed> {
  const inFlight: Promise<Compressed>[] = [];
  let texts: string[] = [];
  let length = 0;
  const close = (): void => {
    const rows = texts.length;
    const ndjson = Buffer.from(`${texts.join('\n')}\n`);
    const part = compress(ndjson, { level: LEVEL }).then((content) => ({
      content,
      rows,
      bytes: ndjson.length,
    }));
    // Whoever waits for it gets the error; nobody does after an error elsewhere.
    part.catch(() => undefined);
    inFlight.push(part);
    texts = [];
    length = 0;
  };
  for await (const batch of batches) {
    for (const line of batch) {
      texts.push(line);
      length += line.length + 1;
      if (length >= PART_BYTES) close();
    }
    while (inFlight.length > IN_FLIGHT) {
      const first = await inFlight.shift();
      if (first !== undefined) yield first;
    }
  }
  if (texts.length > 0) close();
  for (const part of inFlight) yield await part;
}
