import { remedy, type Remedy } from '../model/remedy.js';
import { globalOptions } from './flags/global.js';

/** The flags that say which database: every command that is advised gets them anyway. */
const DATABASE_FLAGS = new Set(['--home', '--database-url-file', '--direct-database-url-file']);

/** The command that was typed, as advice to type it again: as it was, or with other words. `argv` is without the program's name. */
export function typedAgain(
  argv: readonly string[],
  why: string,
  change: (words: readonly string[]) => readonly string[] = (words) => words,
): Remedy {
  const words = withoutDatabaseFlags(argv);
  const at = commandAt(words);
  const args = [...words.slice(0, at), ...words.slice(at + 1)];
  return remedy(words[at] ?? '', change(args), why);
}

function withoutDatabaseFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.filter((word, index) => {
    if (end !== -1 && index >= end) return true;
    const before = argv[index - 1];
    if (before !== undefined && DATABASE_FLAGS.has(before)) return false;
    return !DATABASE_FLAGS.has(word.split('=', 1)[0] ?? '');
  });
}

/** Where the command stands: the first word that is neither a flag nor the value of a global one. */
function commandAt(words: readonly string[]): number {
  const valued = new Set(
    globalOptions().flatMap(({ required, short, long }) =>
      required ? [short, long].filter((flag) => flag !== undefined) : [],
    ),
  );
  const isValue = (before: string | undefined): boolean => before !== undefined && valued.has(before);
  return words.findIndex((word, index) => !word.startsWith('-') && !isValue(words[index - 1]));
}

/** The words of a dry run, for doing it: `-qn` becomes `-q`. */
export function withoutDryRun(words: readonly string[]): string[] {
  return words
    .map((word) => (/^-[nqvy]{2,}$/.test(word) ? word.replace('n', '') : word))
    .filter((word) => word !== '-n' && word !== '--dry-run');
}
