import { homedir, hostname, userInfo } from 'node:os';
import { isatty } from 'node:tty';
import type { Io } from './io.js';

/** The real process as an {@link Io}. */
export function processIo(): Io {
  const { stdin, stdout, stderr } = process;
  return {
    stdin,
    stdout,
    stderr,
    stdinIsTTY: isatty(0),
    stdoutIsTTY: isatty(1),
    stderrIsTTY: isatty(2),
    columns: isatty(1) ? stdout.columns : undefined,
    env: process.env,
    cwd: process.cwd(),
    homeDirectory: homedir(),
    host: hostname(),
    user: userName(),
    pid: process.pid,
    startedAt: performance.timeOrigin,
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

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER ?? `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
