import { DeviceAuth, type DeviceStorage } from './auth-state.js';
import { connectDevice, type NoConnection } from './connect-device.js';
import { type DeviceSocket, openSocket, type ServiceOptions } from './open-socket.js';
import { waitFor } from './wait.js';

export interface UnlinkOptions extends ServiceOptions {
  storage: DeviceStorage;
  signal?: AbortSignal;
  /** Default 20 s. */
  connectTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 20_000;
const LOGOUT_TIMEOUT_MS = 5_000;

/**
 * Logs the stored device in and unlinks it. `logged_out`: the phone had done so already. `none`: nothing is stored. The
 * storage keeps what it has; the caller deletes it.
 */
export async function unlinkDevice(
  options: UnlinkOptions,
): Promise<{ kind: 'unlinked' | 'none' } | NoConnection> {
  const auth = await DeviceAuth.load(options.storage);
  if (auth === null) return { kind: 'none' };
  const connected = await connectDevice(
    () =>
      openSocket({
        ...options,
        auth: auth.state,
        shouldSyncHistory: () => false,
        onCredentials: () => {
          auth.save();
        },
        tap: () => undefined,
      }),
    performance.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
    options.signal,
  );
  try {
    if (connected.kind !== 'open') return connected;
    return (await logOut(connected.socket)) ? { kind: 'unlinked' } : { kind: 'offline', reason: 'lost' };
  } finally {
    await auth.close();
  }
}

/**
 * Permanently unlinks the online device; false if the line was lost first, and the phone still has it. Nothing else in
 * the tool calls Baileys' `logout`.
 */
export async function logOut(socket: DeviceSocket): Promise<boolean> {
  try {
    await socket.sock.logout();
  } catch (error) {
    await socket.end();
    // Baileys' own errors, which are Boom's, tell of the line.
    if (error instanceof Error && 'output' in error) return false;
    throw error;
  }
  await waitFor(socket.closed, LOGOUT_TIMEOUT_MS);
  await socket.end();
  return true;
}
