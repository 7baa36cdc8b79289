import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DamagedInputError } from '../decompress.js';
import { openText, type DatabaseBytes, type OpenOptions } from '../open-text.js';
import type { ResolvedInput } from '../resolve-inputs.js';
import { listZip } from '../zip-archive.js';
import { isKnownDatabase, isSqlite } from './read-database.js';

type FileInput = Extract<ResolvedInput, { kind: 'file' }>;

/** A copy of a database, for as long as it is read. */
export interface DatabaseCopy {
  path: string;
  remove(): Promise<void>;
}

/**
 * Unpacks a database, and the write-ahead log that was packed with it, into a directory that only this user may read: SQLite reads pages
 * in any order, which no compressed file and no pipe allows. Throws what unpacking throws.
 */
export async function unpackDatabase(
  input: ResolvedInput,
  database: DatabaseBytes,
  options: OpenOptions,
): Promise<DatabaseCopy> {
  const directory = await mkdtemp(path.join(tmpdir(), 'wa-reconcile-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  const file = path.join(directory, 'database');
  try {
    await write(file, database.chunks);
    const beside = input.kind === 'file' ? await logBeside(input) : undefined;
    if (beside !== undefined) {
      const log = await openText(beside, 0, { ...options, onRead: () => undefined });
      if (log.kind === 'sqlite_log') await write(`${file}-wal`, log.chunks);
      else if (log.kind !== 'unreadable') await log.close();
    }
  } catch (error) {
    await remove();
    throw error;
  }
  return { path: file, remove };
}

async function write(file: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  await pipeline(Readable.from(chunks), createWriteStream(file, { mode: 0o600 }));
}

/** `wacli.db.gz` as `wacli.db` and `.gz`. */
const PACKED = /^(.*?)((?:\.(?:gz|zst))*)$/is;
const BESIDE = /^(.*)-(?:wal|shm|journal)((?:\.(?:gz|zst))*)$/is;

/** The write-ahead log of a packed database: in the same archive, or in the same directory, packed or not. */
async function logBeside(input: FileInput): Promise<FileInput | undefined> {
  const [, name = '', packing = ''] = PACKED.exec(input.member?.name ?? input.absolutePath) ?? [];
  const candidates = [`${name}-wal${packing}`, `${name}-wal`];
  if (input.member !== undefined) {
    const members = (await listZip(input.absolutePath)) ?? [];
    const member = members.find((one) => one.bytes > 0 && candidates.includes(one.name));
    return member === undefined ? undefined : { ...input, member };
  }
  for (const absolutePath of candidates) {
    const found = await stat(absolutePath).catch(() => undefined);
    if (found?.isFile() === true) return { kind: 'file', path: absolutePath, absolutePath, size: found.size };
  }
  return undefined;
}

const UNWATCHED: Omit<OpenOptions, 'chunkBytes'> = { stdin: Readable.from([]), onRead: () => undefined };

/** Whether an input is an SQLite database whose messages are read. */
export async function holdsMessages(input: FileInput): Promise<boolean> {
  if (input.member === undefined && (await isSqlite(input.absolutePath)))
    return isKnownDatabase(input.absolutePath);
  const options = { ...UNWATCHED, chunkBytes: 64 * 1024 };
  return whileOpen(input, options, async (bytes) => {
    const copy = await unpackDatabase(input, bytes, options);
    try {
      return await isKnownDatabase(copy.path);
    } finally {
      await copy.remove();
    }
  });
}

/** False for what is no database. What is damaged counts as one: reading it says so. */
async function whileOpen(
  input: FileInput,
  options: OpenOptions,
  ask: (bytes: DatabaseBytes) => Promise<boolean>,
): Promise<boolean> {
  try {
    const bytes = await openText(input, 0, options);
    if (bytes.kind === 'sqlite') return await ask(bytes);
    if (bytes.kind !== 'unreadable') await bytes.close();
    return false;
  } catch (error) {
    if (error instanceof DamagedInputError) return true;
    throw error;
  }
}

/** Names under which the database of a file beside it (`-wal`, `-shm`, `-journal`) may stand; none for any other file. */
function databaseNames(name: string): string[] {
  const [, database, packing = ''] = BESIDE.exec(name) ?? [];
  if (database === undefined) return [];
  return packing === '' ? ['', '.gz', '.zst'].map((end) => `${database}${end}`) : [`${database}${packing}`];
}

/**
 * The inputs without the files that SQLite keeps beside a database: they are read with it. A database that is `passedOver` takes
 * its own along.
 */
export async function withoutSideFiles<T extends ResolvedInput>(
  inputs: readonly T[],
  passedOver: readonly FileInput[] = [],
): Promise<T[]> {
  const others = new Map<string, FileInput>();
  for (const input of [...inputs, ...passedOver]) if (input.kind === 'file') others.set(keyOf(input), input);
  const kept: T[] = [];
  for (const input of inputs) if (!(await isBesideDatabase(input, others))) kept.push(input);
  return kept;
}

async function isBesideDatabase(
  input: ResolvedInput,
  others: ReadonlyMap<string, FileInput>,
): Promise<boolean> {
  if (input.kind !== 'file') return false;
  const name = input.member?.name ?? input.absolutePath;
  for (const database of databaseNames(name)) {
    const main = others.get(input.member === undefined ? database : `${input.absolutePath}\0${database}`);
    if (main === undefined) continue;
    const options = { ...UNWATCHED, chunkBytes: 4096 };
    const isDatabase = await whileOpen(main, options, async (bytes) => {
      await bytes.close();
      return true;
    });
    if (isDatabase) return true;
  }
  return false;
}

function keyOf({ absolutePath, member }: FileInput): string {
  return member === undefined ? absolutePath : `${absolutePath}\0${member.name}`;
}
