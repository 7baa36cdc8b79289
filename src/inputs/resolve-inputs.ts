import path from 'node:path';
import { constants, type Stats } from 'node:fs';
import { access, open, readdir, realpath, stat } from 'node:fs/promises';
import { ConfigError } from '../model/errors.js';
import { bomLength, skipBlank } from './bytes.js';
import { DamagedInputError } from './decompress.js';
import { holdsMessages, withoutSideFiles } from './exports/packed-database.js';
import {
  isCalled,
  isDatabaseName,
  isLeftBehind,
  mayBeLog,
  namedAs,
  nameInside,
  PlacesInArchive,
} from './log-names.js';
import { FORMAT_HEAD_BYTES } from './sniff-format.js';
import { sniffSqlDump } from './split-sql.js';
import { listZip, type ZipMember } from './zip-archive.js';

export type ResolvedInput =
  | {
      kind: 'file';
      /** As it is shown to the user: relative if it was given so. */
      path: string;
      absolutePath: string;
      /** Bytes on disk. */
      size: number;
      /** For a file in a zip archive, whose path is then `archive.zip/day.log`. */
      member?: ZipMember;
    }
  | { kind: 'stdin' };

/** Where and how paths are looked up. */
interface Lookup {
  cwd: string;
  /** Called for each existing file and directory that is not read: hidden, or not a log by its name. */
  onPassedOver?: (path: string) => void;
}

/**
 * Turns what a user typed into the list of inputs to read: files, directories (recursive, sorted; hidden files and files
 * that are clearly no logs are passed over), shell patterns, and `-` for standard input. A file that is named twice is read
 * once. Throws a ConfigError, with the remedy, for a path that leads to nothing readable.
 */
export async function resolveInputs(paths: readonly string[], lookup: Lookup): Promise<ResolvedInput[]> {
  const files = new Map<string, ResolvedInput>();
  const inputs: ResolvedInput[] = [];
  for (const given of paths) {
    if (given === '-') {
      if (inputs.some((input) => input.kind === 'stdin')) {
        throw new ConfigError('Standard input (-) was given twice.', { remedy: 'Give - once.' });
      }
      inputs.push({ kind: 'stdin' });
      continue;
    }
    for (const input of await resolvePath(given, lookup)) {
      // By where it is: an archive may hold two files of one name.
      const place = [input.absolutePath, input.member?.offset ?? ''].join('\0');
      if (files.has(place)) continue;
      files.set(place, input);
      inputs.push(input);
    }
  }
  return withoutSideFiles(inputs);
}

type FileInput = Extract<ResolvedInput, { kind: 'file' }>;

async function resolvePath(given: string, lookup: Lookup): Promise<FileInput[]> {
  const { cwd } = lookup;
  try {
    const stats = await statIfPresent(path.resolve(cwd, given));
    // A file whose name holds glob characters is meant literally, as in a shell.
    if (stats !== undefined) return await resolvePresent(given, lookup, stats);
    if (!hasGlob(given)) throw await missing(given, cwd);
    const matches = await expandGlob(given, cwd);
    const found: FileInput[] = [];
    for (const match of matches) {
      const matched = await statIfPresent(path.resolve(cwd, match));
      if (matched?.isDirectory() === true) found.push(...(await listDirectory(match, lookup)));
      else if (matched !== undefined) found.push(...(await fileInputs(match, lookup, matched)));
    }
    if (found.length === 0) {
      throw new ConfigError(`No file matches the pattern ${given}.`, {
        remedy: `Check the pattern; it was looked up in ${cwd}.`,
      });
    }
    return found;
  } catch (error) {
    throw isSystemError(error) ? describeSystemError(given, error) : error;
  }
}

async function resolvePresent(given: string, lookup: Lookup, stats: Stats): Promise<FileInput[]> {
  if (!stats.isDirectory()) {
    const files = await fileInputs(given, lookup, stats);
    if (files.length > 0) return files;
    throw new ConfigError(`The archive ${given} holds no logs.`, {
      remedy: 'Give an archive with webhook logs, or the logs themselves.',
    });
  }
  const found = await listDirectory(given, lookup);
  if (found.length === 0) {
    throw new ConfigError(`The directory ${given} holds no logs.`, {
      remedy:
        'Give the directory or the files with the webhook logs (.ndjson, .json, .log, .csv, .sql, .gz, .zst).',
    });
  }
  return found;
}

/** The file, or for a zip archive the logs in it. */
async function fileInputs(given: string, { cwd, onPassedOver }: Lookup, stats: Stats): Promise<FileInput[]> {
  const absolutePath = path.resolve(cwd, given);
  await access(absolutePath, constants.R_OK);
  const members = stats.isFile() ? await filesInZip(absolutePath) : undefined;
  if (members === undefined || members === 'damaged')
    return [{ kind: 'file', path: given, absolutePath, size: stats.size }];
  const inputs: FileInput[] = [];
  const databases: FileInput[] = [];
  const places = new PlacesInArchive();
  for (const member of members) {
    const inside = `${given}/${nameInside(member.name)}`;
    const named = namedAs(member.name);
    if (named === 'left_behind') continue;
    const input: FileInput = {
      kind: 'file',
      path: inside,
      absolutePath,
      size: member.compressedBytes,
      member,
    };
    const isRead = named === 'database' ? await holdsMessages(input) : named === 'log' || named === 'archive';
    if (isRead) {
      inputs.push({ ...input, path: places.placeOf(inside) });
    } else {
      if (named === 'database') databases.push(input);
      onPassedOver?.(inside);
    }
  }
  return withoutSideFiles(inputs, databases);
}

/** The files in an archive that hold anything; undefined for what is no zip archive, whatever its name. */
async function filesInZip(absolutePath: string): Promise<ZipMember[] | 'damaged' | undefined> {
  try {
    const members = await listZip(absolutePath);
    return members
      ?.filter(({ name, bytes }) => bytes > 0 && !name.endsWith('/'))
      .sort((a, b) => byCodeUnits(a.name, b.name));
  } catch (error) {
    if (error instanceof DamagedInputError) return 'damaged';
    throw error;
  }
}

/** The logs in a directory and below it, sorted by path. */
async function listDirectory(directory: string, lookup: Lookup): Promise<FileInput[]> {
  const { cwd, onPassedOver } = lookup;
  const found: FileInput[] = [];
  const databases: FileInput[] = [];
  const seen = new Set<string>();
  const visit = async (current: string): Promise<void> => {
    // A symbolic link to a parent directory would be walked forever.
    const real = await realpath(path.resolve(cwd, current));
    if (seen.has(real)) return;
    seen.add(real);
    for (const name of await readdir(real)) {
      if (isLeftBehind(name)) continue;
      const inside = path.join(current, name);
      const stats = await statIfPresent(path.resolve(cwd, inside));
      const isFile = stats?.isFile() === true;
      const isDirectory = stats?.isDirectory() === true;
      if (name.startsWith('.')) {
        if (isFile || isDirectory) onPassedOver?.(inside);
      } else if (isDirectory) {
        await visit(inside);
      } else if (isFile) {
        const file = path.resolve(cwd, inside);
        const input: FileInput = { kind: 'file', path: inside, absolutePath: file, size: stats.size };
        const isDatabase = isDatabaseName(name);
        const isRead = isDatabase
          ? await holdsMessages(input)
          : isCalled('.sql', name)
            ? await isSqlDump(file)
            : mayBeLog(name) || (await isZip(file));
        if (isRead) {
          found.push(...(await fileInputs(inside, lookup, stats)));
        } else {
          if (isDatabase) databases.push(input);
          onPassedOver?.(inside);
        }
      }
    }
  };
  await visit(directory);
  return (await withoutSideFiles(found, databases)).sort((a, b) => byCodeUnits(a.path, b.path));
}

/** Whether a file is what its name `.zip` says. */
async function isZip(absolutePath: string): Promise<boolean> {
  return isCalled('.zip', absolutePath) && (await filesInZip(absolutePath)) !== undefined;
}

/** Whether a file `.sql` has rows: a migration or a query beside logs has none, and nobody misses it. */
async function isSqlDump(absolutePath: string): Promise<boolean> {
  const file = await open(absolutePath);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(FORMAT_HEAD_BYTES), 0, FORMAT_HEAD_BYTES, 0);
    const head = buffer.subarray(0, bytesRead);
    // SQL Server writes UTF-16.
    const isWide = head[0] === 0xff && head[1] === 0xfe;
    const text = isWide ? Buffer.from(head.toString('utf16le')) : head;
    return sniffSqlDump(text.subarray(skipBlank(text, bomLength(text)))) !== undefined;
  } finally {
    await file.close();
  }
}

async function statIfPresent(absolutePath: string): Promise<Stats | undefined> {
  try {
    return await stat(absolutePath);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function missing(given: string, cwd: string): Promise<ConfigError> {
  const near = await similarNames(given, cwd);
  return new ConfigError(`There is no file or directory ${given}.`, {
    remedy:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : path.isAbsolute(given)
          ? 'Check the path.'
          : `Check the path; it was looked up in ${cwd}.`,
  });
}

/** Names in the same directory that extend the missing one or begin it: `day.log` for `day.log.gz` and the reverse. */
async function similarNames(given: string, cwd: string): Promise<string[]> {
  const directory = path.dirname(given);
  const wanted = path.basename(given).toLowerCase();
  const names = await readdir(path.resolve(cwd, directory)).catch(() => []);
  return names
    .filter((name) => {
      const lower = name.toLowerCase();
      return lower.startsWith(`${wanted}.`) || wanted.startsWith(`${lower}.`) || lower === wanted;
    })
    .sort(byCodeUnits)
    .slice(0, 3)
    .map((name) => path.join(directory, name));
}

/** Exported for its test: a test that runs as root always has permission. */
export function describeSystemError(given: string, error: SystemError): ConfigError {
  if (error.code === 'EACCES' || error.code === 'EPERM') {
    return new ConfigError(`No permission to read ${given}.`, {
      remedy: 'Run as a user who may read it, or change its permissions (chmod u+r).',
      cause: error,
    });
  }
  return new ConfigError(`${given} cannot be read: ${error.message}`, {
    remedy: 'Check the path and the disk it is on.',
    cause: error,
  });
}

/** An error of the operating system: ENOENT, EACCES, EIO, … */
export interface SystemError extends Error {
  code: string;
}

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && 'syscall' in error;
}

/** Whether a path holds any of `* ? [ {`. */
function hasGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * The files and directories that a shell pattern names, sorted, written as the pattern writes them (relative stays
 * relative). Knows `*`, `?`, `[a-z]`, `[!a]`, `{a,b}` and `**` (any depth, symbolic links not followed); a name that
 * starts with a dot is only matched by a pattern that does. A missing directory matches nothing; any other error of the
 * file system is thrown.
 */
async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  const found = new Set<string>();
  for (const alternative of expandBraces(pattern)) {
    const absolute = path.isAbsolute(alternative);
    const segments = alternative.split('/').filter((segment) => segment !== '' && segment !== '.');
    await walk({ cwd, found }, absolute ? '/' : '', segments);
  }
  return [...found].sort(byCodeUnits);
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Search {
  cwd: string;
  found: Set<string>;
}

async function walk(search: Search, base: string, segments: readonly string[]): Promise<void> {
  const [segment, ...rest] = segments;
  if (segment === undefined) {
    if (base !== '' && (await statIfPresent(path.resolve(search.cwd, base))) !== undefined)
      search.found.add(base);
    return;
  }
  if (segment === '**') {
    await walk(search, base, rest);
    for (const entry of await list(search, base)) {
      if (entry.isDirectory() && !entry.name.startsWith('.')) {
        await walk(search, path.join(base, entry.name), segments);
      }
    }
    return;
  }
  if (!hasGlob(segment)) {
    await walk(search, path.join(base, segment), rest);
    return;
  }
  const matches = segmentPattern(segment);
  for (const entry of await list(search, base)) {
    if (entry.name.startsWith('.') && !segment.startsWith('.')) continue;
    if (matches.test(entry.name)) await walk(search, path.join(base, entry.name), rest);
  }
}

async function list({ cwd }: Search, base: string) {
  try {
    return await readdir(path.resolve(cwd, base), { withFileTypes: true });
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** `a{b,c}d` as `abd` and `acd`, nested ones too; braces without a comma are kept. */
export function expandBraces(pattern: string): string[] {
  for (let open = pattern.indexOf('{'); open !== -1; open = pattern.indexOf('{', open + 1)) {
    const alternatives = readBraces(pattern, open);
    if (alternatives === undefined) continue;
    const { choices, end } = alternatives;
    const before = pattern.slice(0, open);
    return choices.flatMap((choice) => expandBraces(before + choice + pattern.slice(end)));
  }
  return [pattern];
}

/** The choices of the braces that open at `open`, and the index after them; undefined if they are no choice. */
function readBraces(pattern: string, open: number): { choices: string[]; end: number } | undefined {
  const choices: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '{') {
      depth++;
    } else if (character === ',' && depth === 1) {
      choices.push(pattern.slice(start, at));
      start = at + 1;
    } else if (character === '}' && --depth === 0) {
      choices.push(pattern.slice(start, at));
      return choices.length > 1 ? { choices, end: at + 1 } : undefined;
    }
  }
  return undefined;
}

/** One segment of a pattern as a regular expression over a whole file name. */
function segmentPattern(segment: string): RegExp {
  let source = '';
  for (let at = 0; at < segment.length; at++) {
    const character = segment[at] ?? '';
    const close = character === '[' ? segment.indexOf(']', at + 2) : -1;
    if (character === '*') {
      while (segment[at + 1] === '*') at++;
      source += '.*';
    } else if (character === '?') {
      source += '.';
    } else if (close !== -1) {
      const set = segment.slice(at + 1, close).replace(/[\\\]^[]/g, '\\$&');
      source += `[${set.replace(/^(!|\\\^)/, '^')}]`;
      at = close;
    } else {
      source += character.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    }
  }
  return new RegExp(`^${source}$`, 'us');
}
