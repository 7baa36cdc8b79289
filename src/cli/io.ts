import type { Readable, Writable } from 'node:stream';

export type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * Everything the command line takes from its process. Tests pass their own and call `main` in process; only the entry
 * point builds the real one.
 */
export interface Io {
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  stdinIsTTY: boolean;
  stdoutIsTTY: boolean;
  stderrIsTTY: boolean;
  /** Width of the terminal behind stdout; undefined where there is none. */
  columns: number | undefined;
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  /** The user's home directory. */
  homeDirectory: string;
  host: string;
  /** Who runs it, by the operating system. */
  user: string;
  pid: number;
  /** When the process began, ms since 1970. */
  startedAt: number;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Calls `listener` at every such signal, until the returned function is called. */
  onSignal: (signal: StopSignal, listener: () => void) => () => void;
  /** Ends the process at once: only for a second Ctrl-C, when the user no longer wants to wait. */
  quit: (code: number) => void;
}
