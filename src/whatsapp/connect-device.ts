import type { DeviceSocket } from './open-socket.js';
import { pause, waitFor } from './wait.js';

/** Why there is no connection, in the words of an import's outcome. */
export type NoConnection =
  | { kind: 'conflict' | 'logged_out' | 'interrupted' }
  /** `reason`: WhatsApp's code (`503`), `timeout`, or `outdated` when WhatsApp wants a newer version. */
  | { kind: 'offline'; reason: string };

type Connected = { kind: 'open'; socket: DeviceSocket } | NoConnection;

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** More consecutive restarts than this are not part of a login. */
const MAX_RESTARTS = 2;

/**
 * Logs in, repeatedly if the line drops, until `deadline` (as of `performance.now()`). A conflict ends it at once: the
 * next login would kick out the other one.
 */
export async function connectDevice(
  open: () => DeviceSocket,
  deadline: number,
  signal?: AbortSignal,
): Promise<Connected> {
  let reason = 'timeout';
  let restarts = 0;
  for (let attempt = 0; ; attempt += 1) {
    const left = deadline - performance.now();
    if (attempt > 0 && left <= 0) return { kind: 'offline', reason };
    const socket = open();
    const waited = await waitFor(socket.opened, Math.max(left, 0), signal);
    if (waited.kind === 'settled' && waited.value === 'open') return { kind: 'open', socket };
    await socket.end();
    if (waited.kind === 'aborted') return { kind: 'interrupted' };
    if (waited.kind === 'timeout') return { kind: 'offline', reason };
    const closed = waited.value;
    if (closed === 'open') continue;
    switch (closed.kind) {
      case 'conflict':
      case 'logged_out':
        return { kind: closed.kind };
      case 'outdated':
        return { kind: 'offline', reason: 'outdated' };
      case 'restart':
        restarts += 1;
        if (restarts <= MAX_RESTARTS) continue;
        reason = '515';
        break;
      case 'lost':
        reason = closed.reason;
        break;
      case 'ended':
      case 'expired':
        break;
    }
    const wait = Math.min(
      FIRST_PAUSE_MS * 2 ** attempt,
      LONGEST_PAUSE_MS,
      Math.max(0, deadline - performance.now()),
    );
    if (!(await pause(wait, signal))) return { kind: 'interrupted' };
  }
}
