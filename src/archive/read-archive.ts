import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { z } from 'zod';
import { Damage } from './damage.js';
import {
  DIGEST_NAME,
  HEADER_NAME,
  headerSchema,
  MANIFEST_NAME,
  manifestSchema,
  type DumpedTable,
  type Header,
  type Manifest,
  type Part,
} from './format.js';
import { readTar } from './tar.js';
import { CHUNK, digestOf, linesIn } from './write-archive.js';

/** A backup all of whose bytes are what was written. */
export interface CheckedArchive {
  header: Header;
  manifest: Manifest;
}

const decompress = promisify(gunzip);

/**
 * Reads a backup to its end and proves every byte of it. Throws Damage, which names the first damaged part. `deep` also
 * decompresses the parts and counts their rows: what the writer has promised, and not only what has reached the disk.
 */
export async function checkArchive(
  source: AsyncIterable<Uint8Array>,
  {
    deep = false,
    read = () => undefined,
  }: { deep?: boolean; /** Told of each entry's size. */ read?: (size: number) => void } = {},
): Promise<CheckedArchive> {
  const seen: { name: string; size: number; sha256: string; rows: number | undefined }[] = [];
  const kept = new Map<string, Buffer>();
  for await (const entry of readTar(source)) {
    const content = await entry.read();
    const isPart = entry.name.endsWith('.gz');
    if (!isPart) kept.set(entry.name, content);
    const rows = isPart && deep ? linesIn(await decompressed(entry.name, content)) : undefined;
    seen.push({ name: entry.name, size: entry.size, sha256: digestOf(content), rows });
    read(entry.size);
  }
  const { manifest, header } = readTexts(kept);
  const expected = [
    { name: HEADER_NAME, rows: undefined, ...manifest.header },
    ...manifest.tables.flatMap(({ parts }) => parts),
  ];
  const parts = seen.slice(0, -2);
  for (const [at, want] of expected.entries()) {
    const found = parts[at];
    if (found?.name !== want.name) throw new Damage(want.name, 'it is missing');
    if (found.size !== want.size || found.sha256 !== want.sha256) {
      throw new Damage(want.name, 'its content is not what was written (another SHA-256)');
    }
    if (found.rows !== undefined && found.rows !== want.rows) {
      throw new Damage(want.name, `it has ${found.rows} rows where the manifest counts ${want.rows ?? 0}`);
    }
  }
  assertSums(manifest);
  const surplus = parts[expected.length];
  if (surplus !== undefined) throw new Damage(surplus.name, 'the manifest does not name it');
  return { manifest, header: header() };
}

/** What a restore says that it has stored is what the parts hold. */
function assertSums({ tables, rows }: Manifest): void {
  const sum = (counts: readonly { rows: number }[]): number =>
    counts.reduce((total, count) => total + count.rows, 0);
  if (rows !== sum(tables) || tables.some((table) => table.rows !== sum(table.parts))) {
    throw new Damage(MANIFEST_NAME, 'its numbers of rows do not add up');
  }
}

/** Opens the manifest by its digest; the header when its own digest has been compared. */
function readTexts(kept: ReadonlyMap<string, Buffer>): { manifest: Manifest; header: () => Header } {
  const text = (name: string): Buffer => {
    const content = kept.get(name);
    if (content === undefined) throw new Damage(name, 'it is missing: the backup is not complete');
    return content;
  };
  const names = [...kept.keys()];
  const manifest = text(MANIFEST_NAME);
  const digest = text(DIGEST_NAME);
  if (names.slice(-2).join() !== [MANIFEST_NAME, DIGEST_NAME].join()) {
    throw new Damage(names.at(-1) ?? 'archive', 'it stands behind the manifest');
  }
  const written = /^([0-9a-f]{64}) {2}manifest\.json\n$/.exec(digest.toString('latin1'))?.[1];
  if (written === undefined) throw new Damage(DIGEST_NAME, 'it is no SHA-256');
  if (written !== digestOf(manifest)) throw new Damage(MANIFEST_NAME, `it does not fit ${DIGEST_NAME}`);
  return {
    manifest: parsed(MANIFEST_NAME, manifest, manifestSchema),
    header: () => parsed(HEADER_NAME, text(HEADER_NAME), headerSchema),
  };
}

function parsed<T>(name: string, content: Buffer, schema: z.ZodType<T>): T {
  try {
    return schema.parse(JSON.parse(content.toString('utf8')));
  } catch {
    throw new Damage(name, 'this version cannot read it');
  }
}

/** The header alone, unproved: to say which version wrote a file that this one cannot read. */
export async function peekHeader(source: AsyncIterable<Uint8Array>): Promise<Header | undefined> {
  for await (const entry of readTar(source)) {
    if (entry.name !== HEADER_NAME) return undefined;
    return parsed(HEADER_NAME, await entry.read(), headerSchema);
  }
  return undefined;
}

/** A part of a table, decompressed: whole lines of NDJSON. */
export interface LoadedPart {
  table: DumpedTable;
  part: Part;
  ndjson: Buffer;
}

/**
 * The parts of a checked backup, proved again: the file may have changed since. The next part is read and decompressed while the
 * caller works on one.
 */
export async function* readParts(
  source: AsyncIterable<Uint8Array>,
  manifest: Manifest,
): AsyncGenerator<LoadedPart> {
  const known = new Map(
    manifest.tables.flatMap((table) => table.parts.map((part) => [part.name, { table, part }] as const)),
  );
  let ahead: Promise<LoadedPart> | undefined;
  for await (const entry of readTar(source)) {
    const found = known.get(entry.name);
    if (found === undefined) continue;
    known.delete(entry.name);
    const content = await entry.read();
    if (digestOf(content) !== found.part.sha256) throw new Damage(entry.name, 'it changed while it was read');
    const next = decompressed(entry.name, content, found.part.bytes).then((ndjson) => ({ ...found, ndjson }));
    next.catch(() => undefined);
    if (ahead !== undefined) yield await ahead;
    ahead = next;
  }
  if (ahead !== undefined) yield await ahead;
  const [missing] = known.keys();
  if (missing !== undefined) throw new Damage(missing, 'it is missing');
}

async function decompressed(name: string, content: Buffer, bytes?: number): Promise<Buffer> {
  // Into one piece of memory, which has room for a byte that is too much.
  const options =
    bytes === undefined ? { chunkSize: CHUNK } : { chunkSize: bytes + 64, maxOutputLength: bytes + 1 };
  const ndjson = await decompress(content, options).catch(() => {
    throw new Damage(name, 'it cannot be decompressed');
  });
  if (bytes !== undefined && ndjson.length !== bytes) throw new Damage(name, 'it has another length');
  return ndjson;
}
