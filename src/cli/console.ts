import type { Io } from './io.js';
import { isClosedPipe } from './output.js';

/** stderr, line by line: notices, progress, log lines. A spinner that is running steps aside by itself (ora sees to that). */
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
 * Keeps a reader that went away (`| head`, a closed terminal) from ending the process with a stack trace in the middle of
 * a batch. Returns the way to undo it.
 */
export function ignoreClosedPipes(io: Pick<Io, 'stdout' | 'stderr'>): () => void {
  const listener = (error: Error): void => {
    if (!isClosedPipe(error)) throw error;
  };
  io.stdout.on('error', listener);
  io.stderr.on('error', listener);
  return () => {
    io.stdout.off('error', listener);
    io.stderr.off('error', listener);
  };
}
