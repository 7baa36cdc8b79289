/** A wait that ends with its time, or when somebody says stop. */
export interface Deadline {
  /** Aborted with a `TimeoutError` when the time is over, else with the reason of whoever said stop. */
  signal: AbortSignal;
  stop: (reason?: unknown) => void;
  /** The wait is over: keeps neither the process nor the other signals busy any longer. */
  clear: () => void;
}

/**
 * Begins a wait of at most `ms` (Infinity: as long as it takes), which also ends with any of `others`. It holds its timer itself: on Node 20 what
 * `AbortSignal.any` makes of an `AbortSignal.timeout` may be collected before it fires, and the wait then never ends.
 */
export function startDeadline(ms: number, ...others: readonly AbortSignal[]): Deadline {
  const controller = new AbortController();
  const stop = (reason?: unknown): void => {
    controller.abort(reason);
  };
  const isLate = new DOMException('The operation was aborted due to timeout', 'TimeoutError');
  const timer = ms === Infinity ? undefined : setTimeout(stop, ms, isLate);
  const ends = others.map((other) => {
    const pass = (): void => {
      stop(other.reason);
    };
    other.addEventListener('abort', pass, { once: true });
    if (other.aborted) pass();
    return () => {
      other.removeEventListener('abort', pass);
    };
  });
  return {
    signal: controller.signal,
    stop,
    clear: () => {
      clearTimeout(timer);
      for (const end of ends) end();
    },
  };
}
