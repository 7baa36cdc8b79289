import { setTimeout as delay } from 'node:timers/promises';

/** Waits so long, in ms; false when the user stopped it. */
export async function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, true, { signal }).catch((error: unknown) => {
    if (error instanceof Error && error.name === 'AbortError') return false;
    throw error;
  });
}
