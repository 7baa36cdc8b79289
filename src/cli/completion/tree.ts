import type { Command, Option } from 'commander';
import { FlagOption, NAMED, type Named } from '../flags/flag.js';

/** What can follow on the command line after one command. */
export interface CompletionNode {
  /** Words after `wa-reconcile`: `''`, `connection`, `connection add`. */
  path: string;
  summary: string;
  /** Names of its subcommands, with descriptions. */
  commands: readonly { name: string; summary: string }[];
  options: readonly CompletionOption[];
  /** The possible words for its argument; files for paths; names from the database. */
  argument: readonly string[] | 'files' | 'none' | Named;
}

export interface CompletionOption {
  /** `--format`, and `-o` where there is one. */
  flags: readonly string[];
  summary: string;
  /**
   * The possible words for its value; `files` for a path; names from the database; `any` other value; `none` for a
   * switch.
   */
  value: readonly string[] | 'files' | 'any' | 'none' | Named;
}

const FILE_VALUES = new Set(['file', 'dir']);

/** Every command, the program first. */
export function completionTree(program: Command): CompletionNode[] {
  return walk(program, []);
}

function walk(command: Command, path: readonly string[]): CompletionNode[] {
  const node: CompletionNode = {
    path: path.join(' '),
    summary: command.summary(),
    commands: command.commands.map((sub) => ({ name: sub.name(), summary: sub.summary() })),
    options: [...command.options.filter((option) => !option.hidden).map(describeOption), HELP],
    argument: argumentOf(command),
  };
  return [node, ...command.commands.flatMap((sub) => walk(sub, [...path, sub.name()]))];
}

const HELP: CompletionOption = { flags: ['--help', '-h'], summary: 'show this help', value: 'none' };

function describeOption(option: Option): CompletionOption {
  return {
    flags: [option.long, option.short].filter((flag) => flag !== undefined),
    summary: option.description,
    value: valueOf(option),
  };
}

function valueOf(option: Option): CompletionOption['value'] {
  if (!option.required && !option.optional) return 'none';
  if (option instanceof FlagOption && option.completion !== undefined) return option.completion;
  const name = /<(\w+)/.exec(option.flags)?.[1];
  return name !== undefined && FILE_VALUES.has(name) ? 'files' : 'any';
}

function argumentOf(command: Command): CompletionNode['argument'] {
  const [argument] = command.registeredArguments;
  if (argument === undefined) return 'none';
  if (argument.argChoices !== undefined) return argument.argChoices;
  // A replay cannot be undone, and is most of the runs.
  const name = command.name() === 'undo' ? 'undoable' : `${argument.name()}s`;
  if (isNamed(name)) return name;
  return argument.name() === 'path' ? 'files' : 'none';
}

/** How the words on the line lead from one command to its subcommand. */
export function transitionsOf(
  nodes: readonly CompletionNode[],
): { from: string; word: string; to: string }[] {
  return nodes.flatMap(({ path, commands }) =>
    commands.map(({ name }) => ({ from: path, word: name, to: path === '' ? name : `${path} ${name}` })),
  );
}

/** Every word that may follow: subcommands, the argument's choices, flags. */
export function wordsOf({ commands, argument, options }: CompletionNode): string[] {
  return [
    ...commands.map(({ name }) => name),
    ...(typeof argument === 'string' ? [] : argument),
    ...options.flatMap(({ flags }) => flags),
  ];
}

/** Whether the words come from a query: `completion names connections`. */
export function isNamed(value: unknown): value is Named {
  return NAMED.some((name) => name === value);
}

/**
 * The command that queries the database for names, the same in every shell; one name a line, nothing without a
 * database.
 */
export function namesCommand(named: Named): string {
  return `wa-reconcile completion names ${named} --quiet 2>/dev/null`;
}
