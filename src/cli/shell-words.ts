import { sanitize } from './ui/sanitize.js';
import type { GivenFlags } from './flags/table.js';

/** One argument as it can be pasted into a POSIX shell. */
export function quoteForShell(word: string): string {
  const clean = sanitize(word);
  return /^[\w@%+=:,./~-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
}

/** The command line that was typed, ready to be typed again. */
export function commandLine(argv: readonly string[]): string {
  return ['wa-reconcile', ...argv].map(quoteForShell).join(' ');
}

/** The typed database flags: without them, an advised command would run on another one. */
export function databaseFlags(given: GivenFlags): string[] {
  return (
    [
      ['--home', given.get('home')],
      ['--database-url-file', given.get('databaseUrlFile')],
      ['--direct-database-url-file', given.get('directDatabaseUrlFile')],
    ] as const
  ).flatMap(([flag, value]) => (typeof value === 'string' ? [flag, value] : []));
}
