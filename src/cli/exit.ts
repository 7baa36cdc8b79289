import { CommanderError } from 'commander';
import type { RunResult } from '../model/run-result.js';
import { EXIT, UserError, type ExitCode } from '../model/errors.js';
import { hideTokens } from '../model/hidden-tokens.js';
import { adviceList, isRemedy, type Advice, type Advices } from '../model/remedy.js';
import { shownRemedy } from './advice.js';
import type { CarriedFlags } from './carried-flags.js';
import { visible } from './transcript/harmless.js';
import { createLook, type Look } from './ui/look.js';
import { sanitize } from './ui/sanitize.js';
import { wrapText } from './ui/width.js';
import { wrongUsage } from './wrong-usage.js';

/** An error's exit code and message. */
export interface Failure {
  exitCode: ExitCode;
  code: string;
  message: string;
  remedy: Advices | undefined;
  /** Only for unexpected errors. */
  stack: string | undefined;
}

/** A run's verdict as an exit code. Errors beat partial, partial beats findings. */
export function exitCodeOf(status: RunResult['status']): ExitCode {
  switch (status) {
    case 'completed':
      return EXIT.ok;
    case 'partial':
      return EXIT.partial;
    case 'failed':
      return EXIT.failure;
    case 'interrupted':
      return EXIT.interrupted;
  }
}

/** The only place that turns an error into an exit code. Undefined if it is not an error: help was requested. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof CommanderError) return usageFailure(error);
  if (error instanceof UserError) {
    const { exitCode, code, message, remedy } = error;
    return { exitCode, code, message, remedy, stack: error.stack };
  }
  if (isAbandonedPrompt(error)) {
    return {
      exitCode: EXIT.interrupted,
      code: 'interrupted',
      message: 'Nothing was changed: the question was not answered.',
      remedy: undefined,
      stack: undefined,
    };
  }
  return {
    exitCode: EXIT.failure,
    code: 'bug',
    message: `This is a bug in wa-reconcile: ${redact(error instanceof Error ? error.message : String(error))}`,
    remedy: 'What was committed is safe. Run the same command with --debug and report what it prints.',
    stack: error instanceof Error ? error.stack : undefined,
  };
}

/** How to print errors, as soon as the settings are known. */
export interface ErrorStyle {
  json: boolean;
  debug: boolean;
  color: boolean;
  /** The terminal's width; undefined if stderr is not one. */
  columns?: number | undefined;
  /** For commands in an error's advice. */
  carried: CarriedFlags;
}

/** A failure as printed on stderr. */
export function failureText(failure: Failure, style: ErrorStyle): string {
  return describeFailure(failure, {
    ...style,
    look: createLook(style.color, style.columns, style.carried, style.columns !== undefined),
  });
}

/**
 * The stderr text: the message and advice for people, one object for programs. `look` knows the database. Shows no
 * access token: one that was typed in the wrong place must not get into a log.
 */
export function describeFailure(
  failure: Failure,
  form: { json: boolean; debug: boolean; look?: Look },
): string {
  const { code, remedy } = failure;
  const message = hideTokens(failure.message);
  const look = form.look ?? createLook(false);
  const stack = form.debug && failure.stack !== undefined ? redact(failure.stack) : undefined;
  if (form.json) {
    const shown = remedy === undefined ? { next: null } : shownRemedy(remedy, look.line);
    // Value by value: the whole text has escapes that a token may end with.
    const text = JSON.stringify({ error: { code, message, ...shown, stack } }, (_key, value: unknown) =>
      typeof value === 'string' ? hideTokens(value) : value,
    );
    // JSON itself escapes only the oldest of what a terminal obeys.
    return `${visible(text)}\n`;
  }
  const [first = '', ...rest] = wrapped(`wa-reconcile: ${message}`, look);
  const lines = [first.replace('wa-reconcile:', look.red('wa-reconcile:')), ...rest];
  for (const advice of adviceList(remedy)) lines.push(...adviceLines(advice, look));
  if (stack !== undefined) lines.push(look.dim(lineByLine(stack)));
  return `${lines.join('\n')}\n`;
}

/** A command has its own line, for copying; its effect follows below. */
function adviceLines(advice: Advice, look: Look): string[] {
  const line = hideTokens(look.line(advice));
  if (!isRemedy(advice)) return wrapped(line, look, '  ');
  return [`  ${look.cyan(line)}`, ...wrapped(hideTokens(advice.why), look, '    ').map(look.dim)];
}

/** Wraps text to the terminal; unchanged in a pipe. */
function wrapped(text: string, look: Look, indent = ''): string[] {
  const lines = text.split('\n').map(sanitize);
  const fitting = look.isTerminal
    ? lines.flatMap((line) => wrapText(line, look.width - indent.length))
    : lines;
  return fitting.map((line) => `${indent}${line}`);
}

/** A text without passwords in URLs, which drivers repeat, and without access tokens. */
export function redact(text: string): string {
  return hideTokens(text.replace(/(\w+:\/\/[^\s:/@]*):[^\s"'\\]*@/g, '$1:***@'));
}

function lineByLine(text: string): string {
  return text.split('\n').map(sanitize).join('\n');
}

/** Commander exits with 1 on wrong usage, after printing its message; here it is a normal usage error. */
function usageFailure(error: CommanderError): Failure | undefined {
  return error.exitCode === 0 ? undefined : failureOf(wrongUsage(error));
}

/** Inquirer's error for Ctrl-C or a closed input; matched by name, so that inquirer need not be loaded. */
function isAbandonedPrompt(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ExitPromptError' || error.name === 'AbortPromptError');
}
