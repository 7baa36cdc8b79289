/** What ended a wait: the thing waited for, the time, or the user. */
type Waited<T> = { kind: 'settled'; value: T } | { kind: 'timeout' } | { kind: 'aborted' };

/** Waits for a promise that does not reject, at most `ms` (Infinity: as long as it takes), and until `signal` says stop. */
export async function waitFor<T>(promise: Promise<T>, ms: number, signal?: AbortSignal): Promise<Waited<T>> {
  if (signal?.aborted === true) return { kind: 'aborted' };
  let timer: NodeJS.Timeout | undefined;
  let stop: (() => void) | undefined;
  const others = new Promise<Waited<T>>((resolve) => {
    stop = (): void => {
      resolve({ kind: 'aborted' });
    };
    signal?.addEventListener('abort', stop, { once: true });
    if (ms !== Infinity)
      timer = setTimeout(
        () => {
          resolve({ kind: 'timeout' });
        },
        Math.max(0, ms),
      );
  });
  try {
    return await Promise.race([promise.then((value): Waited<T> => ({ kind: 'settled', value })), others]);
  } finally {
    clearTimeout(timer);
    if (stop !== undefined) signal?.removeEventListener('abort', stop);
  }
}

/** Pauses; false when `signal` stopped it. */
export async function pause(ms: number, signal?: AbortSignal): Promise<boolean> {
  return (await waitFor(new Promise<never>(() => undefined), ms, signal)).kind !== 'aborted';
}
