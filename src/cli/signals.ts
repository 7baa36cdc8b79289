import { EXIT, UserError, type ExitCode } from '../model/errors.js';
import type { Io, StopSignal } from './io.js';

/**
 * How long work may take to end after the first signal before the process ends anyway. Container runtimes and service
 * managers kill after ten seconds; on a busy machine, seconds pass before the signal is even noticed.
 */
const GRACE_MS = 6_000;

/** Read-only work has nothing to store, and shows what it found. */
const READING_GRACE_MS = 2_000;

/** What is at work when a signal comes, if it may end by itself. */
export type Interruptible = 'batches' | 'reading' | 'rehearsal';

export interface StopWatch {
  /** Aborted at the first Ctrl-C or SIGTERM. */
  signal: AbortSignal;
  /** From now on a signal lets the work at hand end; until then it ends the process at once. */
  letEnd: (work: Interruptible) => void;
  /** An exit code, or an error with one, by which signal it was that interrupted. */
  exitCode: (code: ExitCode) => ExitCode;
  error: (error: unknown) => unknown;
  close: () => void;
}

/**
 * Ends any command on request. Read-only or single-transaction work ends at once: nothing of it stays. Work in batches
 * is notified first, and keeps what it has committed; a second signal, or the end of the grace, ends it in the middle
 * of a batch, which is rolled back and done again by the same command.
 */
export function watchSignals(io: Io, notice: (message: string) => void): StopWatch {
  const controller = new AbortController();
  let work: Interruptible | null = null;
  let by: StopSignal = 'SIGINT';
  let grace: NodeJS.Timeout | undefined;
  const leave = (): void => {
    io.quit(codeOf(by));
  };
  const stop = (signal: StopSignal): void => {
    if (controller.signal.aborted) {
      leave();
      return;
    }
    by = signal;
    if (work === null) {
      notice('Interrupted.');
      controller.abort();
      leave();
      return;
    }
    const { graceMs, first, last } = ENDINGS[work];
    notice(first);
    controller.abort();
    grace = setTimeout(() => {
      notice(last);
      leave();
    }, graceMs);
    grace.unref();
  };
  const removers = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    io.onSignal(signal, () => {
      stop(signal);
    }),
  );
  const exitCode = (code: ExitCode): ExitCode => (code === EXIT.interrupted ? codeOf(by) : code);
  return {
    signal: controller.signal,
    letEnd: (begun) => {
      work = begun;
    },
    exitCode,
    error: (error) => {
      if (!(error instanceof UserError) || error.exitCode !== EXIT.interrupted) return error;
      const { message, code, remedy, cause } = error;
      return new UserError(message, {
        code,
        cause,
        exitCode: exitCode(error.exitCode),
        ...(remedy === undefined ? {} : { remedy }),
      });
    },
    close: () => {
      clearTimeout(grace);
      for (const remove of removers) remove();
    },
  };
}

const ENDINGS: Readonly<Record<Interruptible, { graceMs: number; first: string; last: string }>> = {
  batches: {
    graceMs: GRACE_MS,
    first: 'Stopping: the current batch is finished and stored first. Press Ctrl-C again to leave at once.',
    last: `The batch did not end within ${GRACE_MS / 1000} s and is rolled back. What was committed is stored; run the same command again to resume.`,
  },
  rehearsal: {
    graceMs: READING_GRACE_MS,
    first: 'Stopping: a dry run stores nothing. Press Ctrl-C again to leave at once.',
    last: 'Interrupted; nothing was stored.',
  },
  reading: {
    graceMs: READING_GRACE_MS,
    first: 'Stopping. Press Ctrl-C again to leave at once.',
    last: 'Interrupted.',
  },
};

function codeOf(signal: StopSignal): ExitCode {
  switch (signal) {
    case 'SIGINT':
      return EXIT.interrupted;
    case 'SIGTERM':
      return EXIT.terminated;
  }
}
