import { homedir } from 'node:os';
import { isatty } from 'node:tty';
import { ownProcess } from '../context.js';
import type { Io } from './io.js';

/** The real process as an {@link Io}. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  const own = ownProcess();
  return {
    stdin,
    stdout,
    stderr,
    stdinIsTTY: isatty(0),
    stdoutIsTTY: isatty(1),
    stderrIsTTY: isatty(2),
    // A terminal of an unknown size says 0.
    columns: isatty(1) && stdout.columns > 0 ? stdout.columns : undefined,
    env: process.env,
    cwd: process.cwd(),
    homeDirectory: homedir(),
    host: own.host,
    user: own.user,
    pid: own.pid,
    startedAt: own.processStartedAt,
    clock: Date.now,
    onSignal: (signal, listener) => {
      process.on(signal, listener);
      return () => {
        process.off(signal, listener);
      };
    },
    quit: (code) => process.exit(code),
  };
}
