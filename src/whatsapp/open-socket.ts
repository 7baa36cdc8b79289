import {
  type AuthenticationState,
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  getErrorCodeFromStreamError,
  makeWASocket,
  type proto,
  type WASocket,
  type WAVersion,
  DisconnectReason,
} from './baileys.js';
import { DEVICE_BROWSER } from './assumptions.js';
import { createBaileysLogger, type LogLine, quietLibsignal } from './baileys-log.js';
import { type EventTap, tapEvents } from './tap-events.js';
import { waitFor } from './wait.js';

/** Where WhatsApp is and how to speak to it; see `checkServiceUrl`. */
export interface ServiceOptions {
  /** Default: WhatsApp itself. */
  url?: string | undefined;
  /** The version of WhatsApp Web to say; WhatsApp refuses old ones. Default: what Baileys was released with. */
  version?: readonly [number, number, number] | undefined;
  log?: LogLine;
}

interface SocketOptions extends ServiceOptions {
  auth: AuthenticationState;
  /** Called whenever `auth.creds` has changed. */
  onCredentials: () => void;
  /** Gets every event before Baileys' buffer. */
  tap: EventTap;
  /** Called when Baileys could not handle a message, which it reports nowhere else. */
  onMessageFailed?: () => void;
  browser?: [string, string, string];
  shouldSyncHistory: (notification: proto.Message.IHistorySyncNotification) => boolean;
}

/** A socket of the tool's own device. */
export interface DeviceSocket {
  sock: WASocket;
  /** Settles when it is logged in, or with why it closed before. */
  opened: Promise<'open' | CloseReason>;
  /** Settles when WhatsApp has sent what it kept while the device was away. */
  caughtUp: Promise<'caught_up'>;
  /** Settles with why it closed, or is about to. */
  closed: Promise<CloseReason>;
  /** Closes it, without waiting long for a goodbye. Never `logout()`, which would unlink the device. */
  end(): Promise<void>;
}

/** A write that fails is tried again at once or not at all; Baileys would try for half a minute. */
const KEY_TRANSACTIONS = { maxCommitRetries: 1, delayBetweenTriesMs: 100 };
const QUERY_TIMEOUT_MS = 20_000;
const CONNECT_TIMEOUT_MS = 20_000;
/** Where the network is gone no goodbye comes back; the web socket itself would wait for half a minute. */
const END_TIMEOUT_MS = 2_000;

/** Opens a socket without side effects for others: not online, requesting nothing, sending only receipts. */
export function openSocket(options: SocketOptions): DeviceSocket {
  const { auth, url, version, log = () => undefined, browser = DEVICE_BROWSER } = options;
  quietLibsignal(log);
  const sock = makeWASocket({
    auth,
    browser,
    version: version === undefined ? DEFAULT_CONNECTION_CONFIG.version : mutable(version),
    waWebSocketUrl: url ?? DEFAULT_CONNECTION_CONFIG.waWebSocketUrl,
    logger: createBaileysLogger(log, options.onMessageFailed),
    // Online, the phone would stop notifying its owner.
    markOnlineOnConnect: false,
    fireInitQueries: false,
    syncFullHistory: false,
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    shouldSyncHistoryMessage: options.shouldSyncHistory,
    // Nothing was sent from here, so nothing can be sent again.
    getMessage: () => Promise.resolve(undefined),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    defaultQueryTimeoutMs: QUERY_TIMEOUT_MS,
    transactionOpts: KEY_TRANSACTIONS,
  });
  tapEvents(sock, options.tap, log);
  storeBeforeSending(sock);
  sock.ev.on('creds.update', options.onCredentials);

  const open = new Promise<'open'>((resolve) => {
    sock.ev.on('connection.update', ({ connection }) => {
      if (connection === 'open') resolve('open');
    });
  });
  const caughtUp = new Promise<'caught_up'>((resolve) => {
    sock.ev.on('connection.update', ({ receivedPendingNotifications }) => {
      if (receivedPendingNotifications === true) resolve('caught_up');
    });
  });
  const gone = new Promise<CloseReason>((resolve) => {
    sock.ev.on('connection.update', ({ connection, lastDisconnect }) => {
      if (connection === 'close') resolve(closeReasonOf(lastDisconnect?.error));
    });
  });
  // Baileys reports it only when the connection has closed, which may take half a minute: a conflict must be known sooner.
  const told = new Promise<CloseReason>((resolve) => {
    sock.ws.on('CB:stream:error', (stanza: BinaryNode) => {
      resolve(closeReasonOfCode(getErrorCodeFromStreamError(stanza).statusCode));
    });
  });
  const closed = Promise.race([told, gone]);
  return {
    sock,
    opened: Promise.race([open, closed]),
    caughtUp,
    closed,
    end: async () => {
      void sock.end(undefined);
      await waitFor(gone, END_TIMEOUT_MS);
    },
  };
}

function mutable([major, minor, patch]: readonly [number, number, number]): WAVersion {
  return [major, minor, patch];
}

/**
 * Lets a message leave only when the ratchet that encrypted it is stored. Baileys 7.0.0-rc14 sends inside a transaction of
 * its keys, under the device's own address, and writes them after that: a kill in between would use a key twice, and the
 * phone could read nothing until the session is renewed. Without that outer transaction each encryption is one of its own.
 */
function storeBeforeSending(sock: WASocket): void {
  const { creds, keys } = sock.authState;
  const transaction = keys.transaction.bind(keys);
  keys.transaction = (work, key) => (key === creds.me?.id ? work() : transaction(work, key));
}

/**
 * Why a socket closed, as far as it decides what to do next.
 * - ended: we closed it.
 * - restart: WhatsApp requires a new login, as it does once after pairing.
 * - conflict: another login with this device's credentials took over; reconnecting would close that one.
 * - logged_out: the device is no longer linked, or the account is blocked.
 * - outdated: WhatsApp refuses this version of its protocol.
 * - expired: the last QR code was not scanned.
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
function closeReasonOf(error: Error | undefined): CloseReason {
  if (error === undefined) return { kind: 'ended' };
  if (statusCodeOf(error) === DisconnectReason.timedOut && error.message.startsWith('QR refs')) {
    return { kind: 'expired' };
  }
  return closeReasonOfCode(statusCodeOf(error));
}

/** Reads the code alone, WhatsApp's or Baileys' own. */
function closeReasonOfCode(code: number | undefined): CloseReason {
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
