import { CommanderError, type Command } from 'commander';
import { ConfigError } from '../model/errors.js';
import { similarWord } from './similar.js';

/** Words that other tools have for what is called otherwise here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  status: 'report, db status or link status',
  list: 'connection list, runs list or alerts list',
  ls: 'connection list, runs list or alerts list',
  init: 'replay LOG --register, or db migrate for PostgreSQL',
  version: '--version',
  run: 'runs list, or reconcile',
  migrate: 'db migrate',
  sync: 'reconcile',
  check: 'verify or doctor',
};

/** Wrong usage, with the command that was used wrongly: `connection add`; empty for the program itself. */
export class UsageError extends CommanderError {
  constructor(
    error: CommanderError,
    readonly command: string,
    /** Names of its subcommands. */
    readonly subcommands: readonly string[],
  ) {
    super(error.exitCode, error.code, error.message);
  }
}

/** Lets every error of commander name its command; commander itself says only what is wrong. */
export function nameCommands(command: Command, path: readonly string[] = []): void {
  const names = command.commands.map((sub) => sub.name());
  command.exitOverride((error) => {
    throw new UsageError(error, path.join(' '), names);
  });
  for (const sub of command.commands) nameCommands(sub, [...path, sub.name()]);
}

/** How commander says that a word is none of those it knows. */
const CHOICE =
  /^(?:option '(?:-\w, )?|command-argument value ')(?<first>[^']*)'(?: argument '(?<second>[^']*)' is invalid| is invalid for argument '(?<argument>[^']*)')\. Allowed choices are (?<choices>.*)\.$/;

/** What is wrong with the line, as the user is told. */
export function wrongUsage(error: CommanderError): ConfigError {
  const [command, subcommands] = error instanceof UsageError ? [error.command, error.subcommands] : ['', []];
  if (error.code === 'commander.help') {
    // It has printed the help of a group without its command.
    return new ConfigError('A command is missing.', {
      remedy:
        command === ''
          ? 'Type one of those listed above.'
          : `Give a subcommand: ${listedWords(subcommands.filter((name) => name !== 'help'))}.`,
    });
  }
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const unknown = error.code === 'commander.unknownCommand' ? /'(.*)'/.exec(first)?.[1] : undefined;
  if (unknown !== undefined && command === '' && Object.hasOwn(ELSEWHERE, unknown)) {
    return unknownCommand(unknown, subcommands);
  }
  const choice = CHOICE.exec(first)?.groups;
  if (choice !== undefined) {
    const { first: named = '', second, argument, choices = '' } = choice;
    const where = argument ?? named.split(' ', 1)[0] ?? '';
    const typed = second ?? named;
    return new ConfigError(`Unknown value '${typed}' for ${where}.`, {
      remedy: `It is one of: ${choices}.`,
    });
  }
  const near = rest
    .join(' ')
    .trim()
    .replace(/^\((.*)\)$/, '$1');
  const option = error.code === 'commander.unknownOption' ? /'--([\w-]+)/.exec(first)?.[1] : undefined;
  const suggestion = option !== undefined && isGuess(option, near) ? '' : near;
  return new ConfigError(
    `${first.charAt(0).toUpperCase()}${first.slice(1)}${/[.?!]$/.test(first) ? '' : '.'}`,
    { remedy: suggestion === '' ? helpOf(command) : suggestion },
  );
}

/** `list, ack or unack`. */
function listedWords(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`;
}

/** A suggestion that shares half of the letters is a guess: `--home` for `--nope`. */
function isGuess(typed: string, suggestion: string): boolean {
  const flag = /--([\w-]+)\?/.exec(suggestion)?.[1];
  return flag !== undefined && similarWord(typed, [flag]) === undefined;
}

function unknownCommand(word: string, known: readonly string[]): ConfigError {
  const meant = ELSEWHERE[word] ?? similarWord(word, known);
  return new ConfigError(`Unknown command '${word}'.`, {
    remedy: meant === undefined ? helpOf('') : `Did you mean ${meant}?`,
  });
}

function helpOf(command: string): string {
  return command === ''
    ? 'wa-reconcile --help lists the commands.'
    : `wa-reconcile ${command} --help shows its arguments and options.`;
}

/**
 * The command whose help `help connection add`, or `connection help add`, asks for; undefined where none is asked for this
 * way. Throws ConfigError for one that there is not: commander would print the help of everything.
 */
export function helpSubject(program: Command, argv: readonly string[]): Command | undefined {
  const words = argv.filter((word) => !word.startsWith('-'));
  const at = words.indexOf('help');
  if (at === -1 || words.length === at + 1) return undefined;
  const before = words
    .slice(0, at)
    .reduce<Command | undefined>((command, word) => subcommand(command, word), program);
  if (before === undefined || before.commands.length === 0) return undefined;
  return words.slice(at + 1).reduce<Command>((command, word) => {
    const found = subcommand(command, word);
    if (found !== undefined) return found;
    throw unknownCommand(
      word,
      command.commands.map((sub) => sub.name()),
    );
  }, before);
}

function subcommand(command: Command | undefined, word: string): Command | undefined {
  return command?.commands.find((sub) => sub.name() === word);
}
