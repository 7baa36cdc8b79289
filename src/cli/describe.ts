import { Option, type Command } from 'commander';
import { EXIT, type ExitCode } from '../model/errors.js';
import { optionsOf, type Table } from './flags/table.js';
import { GLOBAL_GROUP, globalOptions } from './flags/global.js';
import { widthOf, wrapText } from './ui/width.js';

/** Maximum help width. */
export const HELP_WIDTH = 80;
/** The column where exit-code meanings start. */
const MEANING_COLUMN = 7;

/** A command's help beyond its options. */
export interface Description {
  /** One line, for the command list and the top of its own help. */
  summary: string;
  /** What a user must know before the first use. */
  details?: string;
  /** Its own flags. */
  flags?: Table;
  examples: readonly (readonly [command: string, does: string])[];
  /** The exit codes' meanings for this command; others cannot occur, except 130 and 143: any command can be stopped. */
  exits: Partial<Record<ExitCode, string>>;
}

/** Exit codes of every command that opens the database. */
export const DATABASE_EXITS = {
  [EXIT.ok]: 'done',
  [EXIT.failure]: 'it failed: database unreachable, disk full, …',
  [EXIT.usage]: 'wrong usage or configuration; no database; migrations pending',
  [EXIT.locked]: 'another run holds the database; the message names it',
} as const;

/** Adds help and the common options to a command. */
export function describe(command: Command, description: Description): Command {
  const { summary, details, flags = {}, examples, exits } = description;
  const paragraphs = [summary, ...(details === undefined ? [] : [details]), exampleText(examples)];
  command.summary(lowerFirst(summary).replace(/\.$/, '')).description(paragraphs.join('\n\n'));
  for (const option of [...optionsOf(flags), ...globalOptions()]) command.addOption(option);
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(GLOBAL_GROUP));
  command.addHelpText('after', ({ command: helped }) => `\n${exitText(exits, helpWidthOf(helped))}`);
  return command;
}

/** The words of a command line; what is quoted stays together. */
const WORDS = /(?:[^\s'"]+|'[^']*'|"[^"]*")+/g;

/**
 * Wraps the lines of a description. An example stays one: its comment begins with # on each line, and its command goes on behind a
 * backslash, so that it can be copied.
 */
export function wrapDescription(text: string, width: number, wrapProse: (line: string) => string): string {
  const wrapLine = (line: string): string => {
    if (!line.startsWith('  ')) return wrapProse(line);
    if (widthOf(line) <= width) return line;
    if (line.startsWith('  # '))
      return wrapText(line.slice(4), width - 4)
        .map((part) => `  # ${part}`)
        .join('\n');
    const lines: string[] = [];
    for (const word of line.match(WORDS) ?? []) {
      const last = lines.at(-1);
      if (last === undefined) lines.push(`  ${word}`);
      else if (widthOf(`${last} ${word} \\`) <= width) lines[lines.length - 1] = `${last} ${word}`;
      else lines.push(`    ${word}`);
    }
    return lines.join(' \\\n');
  };
  return text.split('\n').map(wrapLine).join('\n');
}

function exampleText(examples: Description['examples']): string {
  return ['Examples:', ...examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`])].join('\n');
}

/** Maximum width of a command's help. */
export function helpWidthOf(command: Command): number {
  return command.configureOutput().getOutHelpWidth?.() ?? HELP_WIDTH;
}

/** The exit codes and what they mean, in lines of at most `width` characters. */
export function exitText(exits: Description['exits'], width: number): string {
  const all = {
    [EXIT.interrupted]: 'interrupted by Ctrl-C; nothing is left half done',
    ...exits,
    [EXIT.terminated]: 'the same, by SIGTERM',
  };
  const lines = Object.entries(all).flatMap(([code, meaning]) =>
    wrap(meaning, Math.min(width, HELP_WIDTH) - MEANING_COLUMN).map(
      (line, index) => `  ${(index === 0 ? code : '').padEnd(MEANING_COLUMN - 2)}${line}`,
    ),
  );
  return ['Exit status:', ...lines].join('\n');
}

/** Wraps words into lines of at most `width` characters; commander wraps everything except text added after its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
