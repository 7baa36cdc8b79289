import type { Command } from 'commander';
import { ConfigError, EXIT, type ExitCode } from '../model/errors.js';
import type { Action, Call, Outcome, Traits } from './call.js';
import { carriedFlags } from './carried-flags.js';
import { createConsole, type Console } from './console.js';
import { readEnvironment } from './environment.js';
import { readGlobalFlags, type GlobalSettings } from './flags/global.js';
import { givenFlags, rejectFlagsOfParents } from './flags/table.js';
import type { Io } from './io.js';
import { failureOf, failureText, type ErrorStyle } from './exit.js';
import { prepareOutput, writeAll } from './output.js';
import { allowsColor, createLook } from './ui/look.js';
import type { Format } from './ui/formats.js';
import { hasVerdict, render, type Presentation } from './ui/presentation.js';
import { sanitize } from './ui/sanitize.js';
import { watchSignals } from './signals.js';

/** Runs one command: settings, the work, then the result on stdout or in a file, and nothing else there. */
export async function runAction(
  action: Action,
  { command, traits }: { command: Command; traits: Traits },
  argv: readonly string[],
  io: Io,
  useErrorStyle: (errorStyle: ErrorStyle) => void,
): Promise<ExitCode> {
  rejectFlagsOfParents(command);
  const environment = readEnvironment(io);
  const given = givenFlags(command);
  const settings = readGlobalFlags({ given, environment, io });
  const carried = carriedFlags(command, given, io.cwd);
  const colorOnStderr = allowsColor(io.stderrIsTTY, io.env, settings.noColor);
  const errorStyle: ErrorStyle = {
    json: settings.events || isMachineFormat(settings.format),
    debug: settings.debug,
    color: colorOnStderr,
    columns: io.stderrIsTTY ? io.columns : undefined,
    carried,
  };
  useErrorStyle(errorStyle);
  assertMade(traits, settings);
  const { writesItself = false } = traits;
  const output = await prepareOutput(writesItself ? undefined : settings.output, io);
  const console = createConsole(io);
  const notice = noticeWriter(console, settings, io);
  const stop = watchSignals(io, notice);
  const format = writesItself && settings.format !== 'json' ? 'table' : settings.format;
  const shown = { ...settings, format, output: writesItself ? undefined : settings.output };
  const deliver = async ({ presentation, page, exitCode }: Outcome): Promise<void> => {
    if (isSilent(presentation, exitCode, shown)) return;
    const toTerminal = output.file === undefined && io.stdoutIsTTY;
    const look = toTerminal
      ? createLook(allowsColor(true, io.env, settings.noColor), io.columns, carried, true)
      : createLook(false, undefined, carried);
    await output.write(
      settings.page && page !== undefined ? await page() : await render(presentation, format, look),
    );
  };
  const call: Call = {
    io,
    console,
    argv,
    args: command.args,
    given,
    environment,
    settings,
    look: createLook(colorOnStderr, io.columns, carried),
    stop,
    notice,
    deliver,
    isSilent: ({ presentation, exitCode }) => isSilent(presentation, exitCode, shown),
    complain: async (error) => {
      const failure = failureOf(error);
      if (failure !== undefined) await writeAll(io.stderr, failureText(failure, errorStyle));
    },
    helpText: () => command.helpInformation({ error: true }),
  };
  try {
    const outcome = await action(call);
    if (outcome.isDelivered !== true) {
      await deliver(outcome);
      // Also of a file for a program: its result is not on stdout, where the program would look.
      if (output.file !== undefined)
        noticeWriter(console, { ...settings, format: 'table' }, io)(`Result written to ${output.file}`);
    }
    return stop.exitCode(outcome.exitCode);
  } catch (error) {
    throw stop.error(error);
  } finally {
    stop.close();
  }
}

const MAKES = {
  page: { format: 'html', words: 'only report and export make a page for the browser' },
  metrics: { format: 'openmetrics', words: 'only report makes metrics for Prometheus' },
  text: { format: 'txt', words: 'only export makes a text to read' },
} as const;

/** Throws ConfigError before the work of a command that does not make what is asked for. */
function assertMade({ makes = [] }: Traits, settings: GlobalSettings): void {
  const { origin, output, format, page, plain } = settings;
  const asksFor = page ? 'page' : plain ? 'text' : format === 'openmetrics' ? 'metrics' : null;
  if (asksFor === null || makes.includes(asksFor)) return;
  const { format: named, words } = MAKES[asksFor];
  const isImplied = origin('format').from === 'default';
  const asked = isImplied
    ? `${origin('output').place} ${output ?? ''}`
    : `${origin('format').place} ${named}`;
  throw new ConfigError(`${asked}: ${words}.`, {
    remedy: isImplied
      ? 'Name a file that ends with .json, .ndjson, .csv or .md, or pass --format.'
      : 'Give table, json, ndjson, csv or markdown.',
  });
}

/** Under --quiet a verdict that is good is not printed. A list has no verdict: it is what was asked for. */
function isSilent(presentation: Presentation, exitCode: ExitCode, settings: GlobalSettings): boolean {
  const isForPeople = settings.format === 'table' && settings.output === undefined;
  const isWell = exitCode === EXIT.ok && hasVerdict(presentation) && presentation.isNews !== true;
  return settings.quiet && isForPeople && isWell;
}

function isMachineFormat(format: Format): boolean {
  return format === 'json' || format === 'ndjson';
}

function noticeWriter(console: Console, settings: GlobalSettings, io: Io): (message: string) => void {
  if (settings.events) {
    return (message) => {
      console.line(JSON.stringify({ event: 'notice', message, ts: new Date(io.clock()).toISOString() }));
    };
  }
  // A program that requested JSON may parse all of stderr for the error; no person reads it.
  const unread = isMachineFormat(settings.format) && !io.stderrIsTTY;
  return (message) => {
    if (!settings.quiet && !unread) console.line(sanitize(message));
  };
}
