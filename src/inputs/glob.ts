import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** Whether a path holds any of `* ? [ {`. */
export function hasGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

/**
 * The files and directories that a shell pattern names, sorted, written as the pattern writes them (relative stays
 * relative). Knows `*`, `?`, `[a-z]`, `[!a]`, `{a,b}` and `**` (any depth, symbolic links not followed); a name that
 * starts with a dot is only matched by a pattern that does. Throws what the file system throws, a missing directory aside.
 */
export async function expandGlob(pattern: string, cwd: string): Promise<string[]> {
  const found = new Set<string>();
  for (const alternative of expandBraces(pattern)) {
    const absolute = path.isAbsolute(alternative);
    const segments = alternative.split('/').filter((segment) => segment !== '' && segment !== '.');
    await walk({ cwd, found }, absolute ? '/' : '', segments);
  }
  return [...found].sort(byCodeUnits);
}

export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface Search {
  cwd: string;
  found: Set<string>;
}

async function walk(search: Search, base: string, segments: readonly string[]): Promise<void> {
  const [segment, ...rest] = segments;
  if (segment === undefined) {
    if (base !== '' && (await exists(path.resolve(search.cwd, base)))) search.found.add(base);
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

async function exists(absolutePath: string): Promise<boolean> {
  try {
    await stat(absolutePath);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
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
