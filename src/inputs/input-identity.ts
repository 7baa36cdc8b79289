import { createHash } from 'node:crypto';
import { open, stat, type FileHandle } from 'node:fs/promises';
import type { ResolvedInput } from './resolve-inputs.js';
import { CONTAINER_HEAD_BYTES, sniffContainer } from './sniff-container.js';

/** What distinguishes two files with the same name. All numbers are bytes on disk. */
export interface InputIdentity {
  absolutePath: string;
  size: number;
  /** How far the file was read when this was taken; a compressed file counts as a whole. */
  offset: number;
  /** sha256, in hex, of the first 64 KiB, or of all before `offset` if that is less. */
  headSha256: string;
  /** sha256, in hex, of the 4 KiB before `offset`. */
  tailSha256: string;
}

const HEAD_BYTES = 64 * 1024;
const TAIL_BYTES = 4 * 1024;
const CHUNK_BYTES = 1024 * 1024;

/**
 * Describes an input so that a later run can tell whether its checkpoint still fits. To compare with a stored identity,
 * take the new one at the stored `offset`.
 *
 * `offset` is that of a Position (default: the file's size). A compressed or UTF-16 file is described as a whole, because
 * its positions do not count bytes on disk; any change makes it another file. Returns undefined for stdin and pipes,
 * which cannot be read twice. Throws what the file system throws.
 */
export async function identifyInput(
  input: ResolvedInput,
  offset?: number,
): Promise<InputIdentity | undefined> {
  if (input.kind === 'stdin' || !(await stat(input.absolutePath)).isFile()) return undefined;
  const file = await open(input.absolutePath);
  try {
    const { size } = await file.stat();
    const container = sniffContainer(await read(file, 0, CONTAINER_HEAD_BYTES));
    const upTo = container.kind === 'plain' && offset !== undefined ? offset : size;
    const head = await read(file, 0, Math.min(HEAD_BYTES, upTo));
    const tailStart = Math.max(0, upTo - TAIL_BYTES);
    const tail = await read(file, tailStart, upTo - tailStart);
    return {
      absolutePath: input.absolutePath,
      size,
      offset: upTo,
      headSha256: sha256(head),
      tailSha256: sha256(tail),
    };
  } finally {
    await file.close();
  }
}

/**
 * Whether a checkpoint with the identity `stored` fits the file as it is `now`. A file that has only grown fits; one that
 * was replaced, truncated or changed before the checkpoint does not, and neither does stdin.
 */
export function sameInput(stored: InputIdentity | undefined, now: InputIdentity | undefined): boolean {
  return (
    stored !== undefined &&
    now !== undefined &&
    stored.absolutePath === now.absolutePath &&
    stored.offset === now.offset &&
    now.size >= stored.offset &&
    stored.headSha256 === now.headSha256 &&
    stored.tailSha256 === now.tailSha256
  );
}

/**
 * One hash for the content of these files, whatever their names and order: equal for inputs with the same content.
 * Undefined for stdin and pipes, for files too large to read twice, and if the signal is aborted.
 */
const MOST_HASHED = 256 * 1024 * 1024;

/**
 * One hash for the content of these files, whatever they are called and in whatever order: equal for inputs that hold the
 * same. Undefined for stdin and pipes, for what is too large to be read twice, and when the signal is aborted.
 */
export async function contentOf(
  inputs: readonly ResolvedInput[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const paths = new Set<string>();
  for (const input of inputs) {
    if (input.kind === 'stdin') return undefined;
    paths.add(input.absolutePath);
  }
  const hashes: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    const stats = await stat(path);
    bytes += stats.size;
    if (!stats.isFile() || bytes > MOST_HASHED) return undefined;
    const hash = await hashOf(path, signal);
    if (hash === null) return undefined;
    hashes.push(hash);
  }
  return createHash('sha256').update(hashes.sort().join()).digest('hex');
}

/** Null when the signal is aborted. */
async function hashOf(path: string, signal: AbortSignal): Promise<string | null> {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const file = await open(path);
  try {
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (signal.aborted) return null;
      if (bytesRead === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
