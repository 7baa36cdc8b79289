import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Remedy } from '../model/remedy.js';
import { APP_SECRET_FLAG } from './app-secrets.js';
import type { GivenFlags } from './flags/table.js';

/** The flags of a run that a command it advises gets, too: without them, it would not do what is said of it (V4). */
export type CarriedFlags = (advised: Pick<Remedy, 'command' | 'args'>) => readonly string[];

/** The flags that say which database: every command has them. */
const OF_DATABASE = [
  ['--home', 'home'],
  ['--database-url-file', 'databaseUrlFile'],
  ['--direct-database-url-file', 'directDatabaseUrlFile'],
] as const;

const CARRIED: ReadonlySet<string> = new Set([...OF_DATABASE.map(([flag]) => flag), APP_SECRET_FLAG]);

/** What a run hands on of what was typed for it; what it has from the environment, the next command has from there. */
export function carriedFlags(command: Command, given: GivenFlags, cwd: string): CarriedFlags {
  const database = OF_DATABASE.flatMap(([flag, key]) => {
    const value = given.get(key);
    return typeof value === 'string' ? [flag, value] : [];
  });
  const file = given.get('appSecretFile');
  if (typeof file !== 'string') return () => database;
  const all = [APP_SECRET_FLAG, resolve(cwd, file), ...database];
  const program = programOf(command);
  return (advised) =>
    checksSignatures(program, advised) && !isGiven(APP_SECRET_FLAG, advised.args) ? all : database;
}

/** What was typed, without the flags that are carried anyway. */
export function withoutCarriedFlags(argv: readonly string[]): string[] {
  const end = argv.indexOf('--');
  return argv.filter((word, index) => {
    if (end !== -1 && index >= end) return true;
    const before = argv[index - 1];
    if (before !== undefined && CARRIED.has(before)) return false;
    return !CARRIED.has(nameOf(word));
  });
}

function checksSignatures(program: Command, { command, args }: Pick<Remedy, 'command' | 'args'>): boolean {
  let found = program;
  // Of a command that was typed, the second word may stand among the arguments: `connection`, [`check`, …].
  for (const word of [...command.split(' '), ...args]) {
    const next = found.commands.find((one) => one.name() === word);
    if (next === undefined) break;
    found = next;
  }
  return found.options.some(({ long }) => long === APP_SECRET_FLAG);
}

function isGiven(flag: string, args: readonly string[]): boolean {
  return args.some((word) => nameOf(word) === flag);
}

/** `--home=DIR`: `--home`. */
function nameOf(word: string): string {
  return word.split('=', 1)[0] ?? '';
}

function programOf(command: Command): Command {
  let program = command;
  while (program.parent !== null) program = program.parent;
  return program;
}
