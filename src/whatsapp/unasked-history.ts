import { FirstSync } from './first-sync.js';
import type { DeviceSocket } from './open-socket.js';
import { waitFor } from './wait.js';

/** How long history that nobody asked for may still come when a session ends. */
const PATIENCE = { quietMs: 400, stallMs: 3_000 };

/** Counts the history that the phone sends by itself to a device that has its first sync behind it. */
export function createUnasked(): FirstSync {
  return new FirstSync(
    () => true,
    () => undefined,
    PATIENCE,
  );
}

/**
 * Waits, not long, for what is on its way before a socket is ended: Baileys confirms history to WhatsApp before it reads it,
 * so what is cut off here would never come again.
 */
export async function takeWhatComes(socket: DeviceSocket, unasked: FirstSync): Promise<void> {
  let isClosed = false;
  const closed = socket.closed.then(() => {
    isClosed = true;
  });
  await waitFor(Promise.race([socket.caughtUp, closed]), PATIENCE.stallMs);
  await unasked.settle(undefined, () => isClosed);
}
