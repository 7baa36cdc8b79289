import type { JsonObject } from '../../model/json.js';

/** A command as it can be pasted into a POSIX shell; names come from outside and may hold anything. */
export function commandOf(...words: readonly string[]): string {
  return ['wa-reconcile', ...words.map(quote)].join(' ');
}

function quote(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** What a run records of its options although nobody asked for it: the defaults. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  batchSize: 1000,
  tickets: 'auto',
  maxEntrySize: 16 * 1024 * 1024,
};

/** The command line of a recorded run, from what it says that it was asked for. */
export function commandOfRun(command: string, options: JsonObject): string {
  const { paths, ...flags } = options;
  const words = Object.entries(flags).flatMap(([key, value]): string[] => {
    const flag = `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (value === false || value === null || DEFAULTS[key] === value) return [];
    if (value === true) return [flag];
    if (Array.isArray(value)) return value.length === 0 ? [] : [flag, value.map(String).join(',')];
    return typeof value === 'object' ? [] : [flag, String(value)];
  });
  const given = Array.isArray(paths) ? paths.filter((path) => typeof path === 'string') : [];
  return commandOf(...command.split(' '), ...given, ...words);
}
