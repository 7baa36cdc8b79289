import {
  type AuthenticationState,
  type BinaryNode,
  DEFAULT_CONNECTION_CONFIG,
  getErrorCodeFromStreamError,
  makeWASocket,
  type proto,
  type WASocket,
  type WAVersion,
} from '@whiskeysockets/baileys';
import { DEVICE_BROWSER } from './assumptions.js';
import { createBaileysLogger, type LogLine } from './baileys-logger.js';
import { type CloseReason, closeReasonOf, closeReasonOfCode } from './close-reason.js';
import { quietLibsignal } from './quiet-libsignal.js';
import { storeBeforeSending } from './store-before-sending.js';
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

/** Opens a socket that changes nothing for anybody else: not online, nothing asked for, nothing sent but receipts. */
export function openSocket(options: SocketOptions): DeviceSocket {
  const { auth, url, version, log = () => undefined, browser = DEVICE_BROWSER } = options;
  quietLibsignal(log);
  const sock = makeWASocket({
    auth,
    browser,
    version: version === undefined ? DEFAULT_CONNECTION_CONFIG.version : mutable(version),
    waWebSocketUrl: url ?? DEFAULT_CONNECTION_CONFIG.waWebSocketUrl,
    logger: createBaileysLogger(log),
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
  // Baileys tells it only when the line has closed, which may take half a minute: meanwhile nobody would know of a conflict.
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
