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

/** One call of one command: what was typed, what it means, and the streams to answer on. */
export interface Call {
  io: Io;
  console: Console;
  /** All that was typed after `wa-reconcile`. */
  argv: readonly string[];
  /** The command's own arguments. */
  args: readonly string[];
  given: GivenFlags;
  environment: Environment;
  settings: GlobalSettings;
  /** What Ctrl-C and SIGTERM do. */
  stop: StopWatch;
  /** How stderr may look. */
  look: Look;
  /** Tells a person something on stderr that is no error; a program gets it as an event, `--quiet` nothing. */
  notice: (message: string) => void;
  /** Writes a result where `-o` says, for a command that has more than one. */
  deliver: (outcome: Outcome) => Promise<void>;
  /** Says an error on stderr, for a command that goes on after it. */
  complain: (error: unknown) => Promise<void>;
  /** The command's help, for a line that cannot be understood without it. */
  helpText: () => string;
}

/** What a command gives back: a result to write, and what the shell is to be told. */
export interface Outcome {
  presentation: Presentation;
  /** The result as a page for the browser, where there is one. */
  page?: () => Promise<string>;
  exitCode: ExitCode;
  /** The command has written it itself. */
  isDelivered?: boolean;
}

export type Action = (call: Call) => Promise<Outcome>;

/** Gives a command its action. */
export type Attach = (command: Command, action: Action) => void;
