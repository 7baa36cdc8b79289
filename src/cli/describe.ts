import { Option, type Command } from 'commander';
import { EXIT, type ExitCode } from '../model/errors.js';
import { GLOBAL_GROUP, globalOptions } from './flags.js';

/** What a command's help says besides its options. */
export interface Description {
  /** One line, for the list of commands and the top of its own help. */
  summary: string;
  /** Sentences that a user needs before the first use. */
  details?: string;
  examples: readonly (readonly [command: string, does: string])[];
  /** What the exit codes mean here; those that are not named cannot occur. */
  exits: Partial<Record<ExitCode, string>>;
}

/** Exit codes that every command that opens the database can end with. */
export const DATABASE_EXITS = {
  [EXIT.ok]: 'done',
  [EXIT.failure]: 'it failed: database unreachable, disk full, …',
  [EXIT.usage]: 'wrong usage or configuration; migrations pending',
  [EXIT.locked]: 'another run holds the database (it is named)',
} as const;

/** Gives a command its help and the options that all commands have. */
export function describe(command: Command, description: Description): Command {
  const { summary, details, examples, exits } = description;
  const paragraphs = [summary, ...(details === undefined ? [] : [details]), exampleText(examples)];
  command.summary(lowerFirst(summary).replace(/\.$/, '')).description(paragraphs.join('\n\n'));
  for (const option of globalOptions()) command.addOption(option);
  command.addHelpOption(new Option('-h, --help', 'show this help').helpGroup(GLOBAL_GROUP));
  command.addHelpText('after', `\n${exitText(exits)}`);
  return command;
}

function exampleText(examples: Description['examples']): string {
  return ['Examples:', ...examples.flatMap(([line, does]) => [`  # ${does}`, `  ${line}`])].join('\n');
}

function exitText(exits: Description['exits']): string {
  const lines = Object.entries(exits).map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}`);
  return ['Exit status:', ...lines].join('\n');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
