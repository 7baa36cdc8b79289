import { EXIT, type ExitCode } from '../model/errors.js';
import { keepStreamErrors } from './console.js';
import { failureOf, failureText, type ErrorStyle } from './exit.js';
import { peek } from './flags/global.js';
import type { Io } from './io.js';
import { writeAll } from './output.js';
import { buildProgram, conciseHelp, type HelpStreams } from './program.js';
import { allowsColor, createLook } from './ui/look.js';
import { helpSubject } from './wrong-usage.js';
import { runAction } from './run-action.js';
import { aboutTypedToken } from './typed-token.js';

/**
 * The command line: `argv` is everything after the program's name. Returns the exit code and never ends the process
 * itself (except on a second Ctrl-C), so that all output is flushed first.
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  const release = keepStreamErrors(io);
  const seen = peek(argv);
  const noColor = argv.includes('--no-color');
  let errorStyle: ErrorStyle = {
    json: seen.json,
    debug: seen.debug,
    color: allowsColor(io.stderrIsTTY, io.env, noColor),
    carried: () => [],
  };
  try {
    return await dispatch(argv, io, (next) => {
      errorStyle = next;
    });
  } catch (error) {
    const failure = failureOf(error);
    if (failure === undefined) return EXIT.ok;
    await writeAll(io.stderr, failureText(aboutTypedToken(failure, argv), errorStyle));
    return failure.exitCode;
  } finally {
    release();
  }
}

async function dispatch(
  argv: readonly string[],
  io: Io,
  useErrorStyle: (errorStyle: ErrorStyle) => void,
): Promise<ExitCode> {
  const help = helpStreams(argv, io);
  let exitCode: ExitCode = EXIT.ok;
  const program = buildProgram(help.streams, async (action, command, traits) => {
    exitCode = await runAction(action, { command, traits }, argv, io, useErrorStyle);
  });
  try {
    if (peek(argv).version) {
      const { describeVersion } = await import('./version.js');
      help.streams.writeOut(await describeVersion(argv, io));
    } else if (isWholeHelp(argv)) {
      const { renderReference } = await import('./reference.js');
      help.streams.writeOut(`${renderReference()}\n`);
    } else if (argv.length === 0) {
      help.streams.writeOut(conciseHelp(program, createLook(help.streams.color, io.columns)));
    } else {
      const subject = helpSubject(program, argv);
      if (subject === undefined) await program.parseAsync(argv, { from: 'user' });
      else subject.outputHelp();
    }
  } finally {
    await help.flush();
  }
  return exitCode;
}

/** `help --all`: the reference of every command, as Markdown. */
function isWholeHelp(argv: readonly string[]): boolean {
  return argv[0] === 'help' && argv[1] === '--all' && argv.length === 2;
}

/** Commander writes without waiting: what it writes is collected, and leaves before the process may end. */
function helpStreams(argv: readonly string[], io: Io): { streams: HelpStreams; flush: () => Promise<void> } {
  const { json } = peek(argv);
  let out = '';
  let err = '';
  return {
    streams: {
      writeOut: (text) => {
        out += text;
      },
      writeErr: (text) => {
        // Under --json, stderr holds one object and nothing else.
        if (!json) err += text;
      },
      width: io.columns ?? 80,
      color: allowsColor(io.stdoutIsTTY, io.env, argv.includes('--no-color')),
    },
    flush: async () => {
      await writeAll(io.stdout, out);
      await writeAll(io.stderr, err);
    },
  };
}
