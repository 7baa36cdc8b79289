import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { expect, onTestFinished } from 'vitest';
import { formatOrigin, type Position, type SourceItem } from '../../src/model/raw-entry.js';
import { openFileSource, type FileSource, type FileSourceOptions } from '../../src/inputs/file-source.js';
import { resolveInputs } from '../../src/inputs/resolve-inputs.js';

/**
 * A directory for one test, removed after it. Made at once: properties make thousands, and a trip to the thread pool costs several times
 * the call itself.
 */
export function temporaryDirectory(): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'wa-sources-'));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true });
  });
  return Promise.resolve(directory);
}

/** Writes a file into a directory of its own and returns its path. */
export async function fileWith(content: string | Uint8Array, name = 'log'): Promise<string> {
  const file = path.join(await temporaryDirectory(), name);
  writeFileSync(file, content);
  return file;
}

/** What a reader of the items notices, in a form that compares well. */
export interface Seen {
  /** `file:line` without the directory. */
  at: string;
  text?: string;
  receivedAt?: string;
  problem?: string;
}

export interface ReadResult {
  items: SourceItem[];
  seen: Seen[];
  /** The text of each entry. */
  texts: string[];
  /** Reason and place of each problem. */
  problems: string[];
  source: FileSource;
}

type Options = Partial<FileSourceOptions>;

export const NO_STDIN = Readable.from([]);

export async function openPaths(paths: string[], options: Options = {}): Promise<FileSource> {
  const inputs = await resolveInputs(paths, { cwd: '/' });
  return openFileSource(inputs, { stdin: NO_STDIN, maxEntryBytes: 1_000_000, ...options });
}

export async function read(paths: string | string[], options: Options = {}): Promise<ReadResult> {
  const source = await openPaths([paths].flat(), options);
  const items: SourceItem[] = [];
  for await (const item of source.items()) items.push(item);
  const seen = items.map(describe);
  return {
    items,
    seen,
    texts: seen.flatMap(({ text }) => text ?? []),
    problems: seen.flatMap(({ at, problem }) => (problem === undefined ? [] : `${problem} ${at}`)),
    source,
  };
}

/** Reads a file with this content. */
export async function readText(content: string | Uint8Array, options: Options = {}): Promise<ReadResult> {
  return read(await fileWith(content), options);
}

export function describe(item: SourceItem): Seen {
  const origin = item.kind === 'entry' ? item.entry.origin : item.problem.origin;
  const at = path.basename(formatOrigin(origin));
  if (item.kind === 'problem') return { at, problem: item.problem.reason };
  const { bytes, receivedAt } = item.entry;
  const text = Buffer.from(bytes).toString('latin1');
  return receivedAt === undefined
    ? { at, text }
    : { at, text, receivedAt: new Date(receivedAt).toISOString() };
}

export function after(item: SourceItem | undefined): Position {
  if (item?.after === undefined) throw new Error('this item cannot be resumed after');
  return item.after;
}

/** What the message of the first problem says. */
export function firstProblem({ items }: ReadResult): string {
  for (const item of items) if (item.kind === 'problem') return item.problem.message;
  return 'no problem';
}

/** Expects the rest of a file, read on after one of its items (`point` chooses which), to be what the whole read gave behind it. */
export async function expectResumed(
  file: string,
  { items, seen }: Pick<ReadResult, 'items' | 'seen'>,
  point: number,
  options: Options,
): Promise<void> {
  const resumeAt = point % items.length;
  const rest = await read(file, { ...options, resume: after(items[resumeAt]) });
  expect(rest.seen).toEqual(seen.slice(resumeAt + 1));
}
