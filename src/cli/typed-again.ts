import { remedy, type Remedy } from '../model/remedy.js';
import { withoutCarriedFlags } from './carried-flags.js';
import { globalOptions } from './flags/global.js';

/** The command that was typed, as advice to type it again: as it was, or with other words. `argv` is without the program's name. */
export function typedAgain(
  argv: readonly string[],
  why: string,
  change: (words: readonly string[]) => readonly string[] = (words) => words,
): Remedy {
  const words = withoutCarriedFlags(argv);
  const at = commandAt(words);
  const args = [...words.slice(0, at), ...words.slice(at + 1)];
  return remedy(words[at] ?? '', change(args), why);
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
