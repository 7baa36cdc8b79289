import type { Command } from 'commander';
import type { ExitCode } from '../model/errors.js';
import type { Console } from './console.js';
import type { Environment } from './environment.js';
import type { GlobalSettings } from './flags/global.js';
import type { GivenFlags } from './flags/table.js';
import type { Io } from './io.js';
import type { Look } from './ui/look.js';
import type { Presentation } from './ui/presentation.js';
import type { StopWatch } from './signals.js';

/** One call of one command: what was typed, its meaning, and the output streams. */
export interface Call {
  io: Io;
  console: Console;
  /** Everything typed after `wa-reconcile`. */
  argv: readonly string[];
  /** The command's own arguments. */
  args: readonly string[];
  given: GivenFlags;
  environment: Environment;
  settings: GlobalSettings;
  /** What Ctrl-C and SIGTERM do. */
  stop: StopWatch;
  /** How stderr looks. */
  look: Look;
  /** Prints a non-error notice on stderr for a person; a program gets it as an event, `--quiet` nothing. */
  notice: (message: string) => void;
  /** Writes a result to the `-o` target, for a command with several. */
  deliver: (outcome: Outcome) => Promise<void>;
  /** Whether a result is not printed at all, under --quiet. */
  isSilent: (outcome: Pick<Outcome, 'presentation' | 'exitCode'>) => boolean;
  /** Prints an error on stderr, for a command that continues. */
  complain: (error: unknown) => Promise<void>;
  /** The command's help, for a line that is unclear without it. */
  helpText: () => string;
}

/** A command's result: output to write, and the exit code. */
export interface Outcome {
  presentation: Presentation;
  /** The result as a browser page, if there is one. */
  page?: () => Promise<string>;
  exitCode: ExitCode;
  /** The command has already written it. */
  isDelivered?: boolean;
}

export type Action = (call: Call) => Promise<Outcome>;

/** What sets a command apart from the others. */
export interface Traits {
  /** Forms that other commands do not make: a page for the browser, metrics, a text to read. */
  makes?: readonly ('page' | 'metrics' | 'text')[];
  /** It writes what it makes to the `-o` target itself; its result, which says what that was, goes to stdout. */
  writesItself?: boolean;
}

/** Gives a command its action. */
export type Attach = (command: Command, action: Action, traits?: Traits) => void;
