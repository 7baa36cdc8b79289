import { EXIT } from '../model/errors.js';
import type { Io } from './io.js';

/** How long a batch may take to end after Ctrl-C before the process ends without it. */
const GRACE_MS = 30_000;

export interface StopWatch {
  /** Aborted at the first Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  close: () => void;
}

/**
 * First Ctrl-C or SIGTERM: say so at once and let the batch end; second one, or 30 s later: leave. Leaving in the middle of
 * a batch is safe, its transaction is rolled back and the same command does it again.
 */
export function watchSignals(io: Io, notice: (message: string) => void): StopWatch {
  const controller = new AbortController();
  let grace: NodeJS.Timeout | undefined;
  const stop = (): void => {
    if (controller.signal.aborted) {
      io.quit(EXIT.interrupted);
      return;
    }
    notice('Stopping: the current batch is finished and stored first. Press Ctrl-C again to leave at once.');
    controller.abort();
    grace = setTimeout(() => {
      notice(
        'The batch did not end within 30 s: left without it. Nothing is lost; the same command goes on.',
      );
      io.quit(EXIT.interrupted);
    }, GRACE_MS);
    grace.unref();
  };
  const removers = [io.onSignal('SIGINT', stop), io.onSignal('SIGTERM', stop)];
  return {
    signal: controller.signal,
    close: () => {
      clearTimeout(grace);
      for (const remove of removers) remove();
    },
  };
}
