import type { Io } from './io.js';

/** stderr, line by line: notices, progress, log lines. A running spinner makes room by itself (ora handles that). */
export interface Console {
  line: (text: string) => void;
}

export function createConsole(io: Pick<Io, 'stderr'>): Console {
  return {
    line: (text) => {
      if (!io.stderr.destroyed) io.stderr.write(`${text}\n`);
    },
  };
}

/**
 * Keeps a closed reader (`| head`, a closed terminal) or a full disk from ending the process with a stack trace in the
 * middle of a batch: the writer of a result sees the error from the write itself. Returns a function that undoes this.
 */
export function keepStreamErrors(io: Pick<Io, 'stdout' | 'stderr'>): () => void {
  const listener = (): void => undefined;
  io.stdout.on('error', listener);
  io.stderr.on('error', listener);
  return () => {
    io.stdout.off('error', listener);
    io.stderr.off('error', listener);
  };
}
