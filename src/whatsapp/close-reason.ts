import { DisconnectReason } from '@whiskeysockets/baileys';

/**
 * Why a socket closed, as far as it decides what to do next.
 * - ended: we closed it.
 * - restart: WhatsApp wants a new login, as it does once after pairing.
 * - conflict: another login with this device's credentials took over; coming back would kick that one out.
 * - logged_out: the device is not linked any more, or the account is blocked.
 * - outdated: WhatsApp refuses this version of its protocol.
 * - expired: nobody scanned the last QR code.
 * - lost: anything that may be better in a moment.
 */
export type CloseReason =
  | { kind: 'ended' | 'restart' | 'conflict' | 'logged_out' | 'outdated' | 'expired' }
  | { kind: 'lost'; reason: string };

/** WhatsApp's answer to clients that are too old; Baileys has no name for it. */
const OUTDATED = 405;
/** The account may not use this client. */
const GONE = 419;

/** Reads what Baileys gives as the last error; undefined when it was `end(undefined)`. */
export function closeReasonOf(error: Error | undefined): CloseReason {
  if (error === undefined) return { kind: 'ended' };
  if (statusCodeOf(error) === DisconnectReason.timedOut && error.message.startsWith('QR refs')) {
    return { kind: 'expired' };
  }
  return closeReasonOfCode(statusCodeOf(error));
}

/** Reads the code alone, WhatsApp's or Baileys' own. */
export function closeReasonOfCode(code: number | undefined): CloseReason {
  switch (code) {
    case DisconnectReason.restartRequired:
      return { kind: 'restart' };
    case DisconnectReason.connectionReplaced:
      return { kind: 'conflict' };
    case DisconnectReason.loggedOut:
    case DisconnectReason.forbidden:
    case GONE:
      return { kind: 'logged_out' };
    case OUTDATED:
      return { kind: 'outdated' };
    default:
      return { kind: 'lost', reason: code === undefined ? 'unknown' : String(code) };
  }
}

/** The code in Baileys' errors, which are Boom's. */
function statusCodeOf(error: Error): number | undefined {
  if (!('output' in error)) return undefined;
  const { output } = error;
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined;
  return typeof output.statusCode === 'number' ? output.statusCode : undefined;
}
