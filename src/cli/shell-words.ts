import { sanitize } from './ui/sanitize.js';

/** One argument as it can be pasted into a POSIX shell. */
export function quoteForShell(word: string): string {
  const clean = sanitize(word);
  return /^[\w@%+=:,./~-]+$/.test(clean) ? clean : `'${clean.replaceAll("'", `'\\''`)}'`;
}

/** The command line that was typed, ready to be typed again. */
export function commandLine(argv: readonly string[]): string {
  return ['wa-reconcile', ...argv].map(quoteForShell).join(' ');
}
