import type { BaileysEventMap } from './baileys.js';
import { accountOf, type LinkedAccount, DeviceAuth, type DeviceStorage } from './auth-state.js';
import { DEVICE_BROWSER, PAIRING_CODE_BROWSER } from './assumptions.js';
import { type CloseReason, type DeviceSocket, openSocket, type ServiceOptions } from './open-socket.js';
import { connectDevice, type NoConnection } from './connect-device.js';
import {
  FirstSync,
  type MissingChunk,
  type SyncPatience,
  type SyncProgress,
  type SyncWait,
} from './first-sync.js';
import type { HistoryKeeper } from './history-keeper.js';
import { isEvent, rawEvent } from './tap-events.js';
import { logOut } from './unlink-device.js';
import { pause, waitFor } from './wait.js';

export type { LinkedAccount } from './auth-state.js';
export type { SyncProgress } from './first-sync.js';

export type PairingStep =
  | { step: 'connecting' }
  /** The text of a QR code; each new one replaces the one before. */
  | { step: 'qr'; qr: string }
  | { step: 'pairing_code'; code: string }
  | { step: 'paired'; account: LinkedAccount }
  | { step: 'refused'; account: LinkedAccount }
  | ({ step: 'syncing' } & SyncProgress)
  /** Nothing has come for a few seconds. */
  | ({ step: 'waiting' } & SyncWait);

export interface PairOptions extends ServiceOptions, SyncPatience {
  storage: DeviceStorage;
  /** `phone`: the account's number, digits only, for which WhatsApp should accept the code. */
  method: { kind: 'qr' } | { kind: 'code'; phone: string };
  /** Whether this account may be linked; otherwise it is unlinked again, and nothing of it is stored. */
  accepts: (account: LinkedAccount) => boolean;
  /** Gets what the phone sends by itself. */
  keeper: HistoryKeeper;
  /** Notifications of files that failed to download in an earlier session: they are downloaded again. */
  owed?: readonly Uint8Array[];
  onStep: (step: PairingStep) => void;
  signal?: AbortSignal;
  /** How long a login may take, with its repetitions (default 30 s). */
  connectTimeoutMs?: number;
}

export type PairOutcome =
  | {
      kind: 'linked';
      account: LinkedAccount;
      /** The device was stored already; this call has only logged it in and waited for its sync. */
      wasLinked: boolean;
      sync: 'complete' | 'stalled' | 'interrupted';
      progress: SyncProgress;
      /** Chunks that could not be had, now or before. */
      missing: MissingChunk[];
    }
  | {
      kind: 'refused';
      account: LinkedAccount;
      /** False: only its owner can do it, on the phone. */ unlinked: boolean;
    }
  /** The code was not scanned or typed in time. */
  | { kind: 'expired' }
  | (NoConnection & { account: LinkedAccount | null });

const CONNECT_TIMEOUT_MS = 30_000;
const PAIRING_ATTEMPTS = 3;
const RETRY_PAUSE_MS = 1_000;
/** Where WhatsApp has not answered for this long, another attempt would fail, too. */
const UNREACHED_MS = 18_000;
/** How long what Baileys is reading may take when the user stops the sync: it is confirmed to WhatsApp already. */
const DRAIN_MS = 1_000;
/** How long files that are missing in the end may take, and how long when the user stops the sync. */
const FILES_MS = 20_000;
const LAST_FILES_MS = 4_000;
/** A connection that breaks this often during one sync will not hold. */
const MAX_LOGINS = 10;

/**
 * Links a device: shows a QR or pairing code until the phone agrees, logs in, and waits until what the phone sends to a new
 * device has settled. A device that is stored already is logged in instead, and its sync goes on where a kill left it.
 * Throws what the storage throws.
 */
export async function pairDevice(options: PairOptions): Promise<PairOutcome> {
  const stored = await DeviceAuth.load(options.storage);
  if (stored !== null) return finish(options, stored, true);
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = performance.now();
    options.onStep({ step: 'connecting' });
    const auth = DeviceAuth.create();
    const seen = { code: false };
    const ended = await pair(
      {
        ...options,
        onStep: (step) => {
          seen.code ||= step.step === 'qr' || step.step === 'pairing_code';
          options.onStep(step);
        },
      },
      auth,
    );
    const account = accountOf(auth.creds);
    if (auth.isPaired && account !== undefined) {
      if (!options.accepts(account)) return refuse(options, auth, account);
      return finish(options, auth, false);
    }
    if (ended === 'interrupted') return { kind: 'interrupted', account: null };
    switch (ended.kind) {
      case 'expired':
        return { kind: 'expired' };
      case 'conflict':
      case 'logged_out':
        return { kind: ended.kind, account: null };
      case 'outdated':
        return { kind: 'offline', reason: 'outdated', account: null };
      case 'lost':
      case 'restart':
      case 'ended':
        if (attempt === PAIRING_ATTEMPTS || (!seen.code && performance.now() - startedAt > UNREACHED_MS)) {
          return {
            kind: 'offline',
            reason: ended.kind === 'lost' ? ended.reason : ended.kind,
            account: null,
          };
        }
    }
    if (!(await pause(RETRY_PAUSE_MS * attempt, options.signal)))
      return { kind: 'interrupted', account: null };
  }
}

/** Shows codes until the socket closes: after pairing WhatsApp closes it, so that the device logs in. */
async function pair(options: PairOptions, auth: DeviceAuth): Promise<CloseReason | 'interrupted'> {
  const { method, storage, accepts, onStep, signal } = options;
  let isSettled = false;
  let hasCode = false;
  const socket = openSocket({
    ...options,
    browser: method.kind === 'code' ? PAIRING_CODE_BROWSER : DEVICE_BROWSER,
    auth: auth.state,
    shouldSyncHistory: () => true,
    onCredentials: () => {
      if (isSettled || !auth.isPaired) return;
      isSettled = true;
      const account = accountOf(auth.creds);
      if (account === undefined) return;
      const accepted = accepts(account);
      // At once: from here on the phone believes that the device is linked.
      if (accepted) auth.attach(storage);
      onStep({ step: accepted ? 'paired' : 'refused', account });
    },
    tap: (event, data) => {
      if (!isEvent('connection.update', event, data) || data.qr === undefined) return;
      if (method.kind === 'qr') onStep({ step: 'qr', qr: data.qr });
      else if (!hasCode) {
        // The first QR code says that WhatsApp is ready to link.
        hasCode = true;
        void showCode(socket, method.phone, onStep);
      }
    },
  });
  try {
    const waited = await waitFor(socket.closed, Infinity, signal);
    return waited.kind === 'settled' ? waited.value : 'interrupted';
  } finally {
    await socket.end();
    await auth.flush();
  }
}

async function showCode(
  { sock }: DeviceSocket,
  phone: string,
  onStep: (step: PairingStep) => void,
): Promise<void> {
  try {
    onStep({ step: 'pairing_code', code: await sock.requestPairingCode(phone) });
  } catch (error) {
    // The line went away meanwhile: the next one shows a new code.
    if (!(error instanceof Error && 'output' in error)) throw error;
  }
}

/** Logs in for the one thing that is left to do: to unlink. Nothing that the phone sends meanwhile is looked at. */
async function refuse(options: PairOptions, auth: DeviceAuth, account: LinkedAccount): Promise<PairOutcome> {
  const open = (): DeviceSocket =>
    openSocket({
      ...options,
      auth: auth.state,
      shouldSyncHistory: () => false,
      onCredentials: () => undefined,
      tap: () => undefined,
    });
  const deadline = performance.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  // Not `options.signal`: another person's phone must not keep a device that is not stored anywhere.
  const connected = await connectDevice(open, deadline);
  if (connected.kind !== 'open') {
    return { kind: 'refused', account, unlinked: connected.kind === 'logged_out' };
  }
  return { kind: 'refused', account, unlinked: await logOut(connected.socket) };
}

async function finish(options: PairOptions, auth: DeviceAuth, wasLinked: boolean): Promise<PairOutcome> {
  const { onStep, keeper, signal } = options;
  const account = accountOf(auth.creds);
  if (account === undefined) throw new Error('the stored credentials name no account');
  const sync = new FirstSync(
    keeper,
    options.owed ?? [],
    () => auth.creds.accountSyncCounter > 0,
    {
      onProgress: (progress) => {
        onStep({ step: 'syncing', ...progress });
      },
      onWaiting: (wait) => {
        onStep({ step: 'waiting', ...wait });
      },
    },
    options,
    (line) => options.log?.(line),
  );
  const open = (): DeviceSocket =>
    openSocket({
      ...options,
      auth: auth.state,
      shouldSyncHistory: () => true,
      onCredentials: () => {
        auth.save();
      },
      tap: (event, data) => {
        let isKept = false;
        try {
          if (KEPT.has(event) && data !== undefined) keeper.keep(rawEvent(event, data));
          isKept = true;
        } finally {
          // Counted even if storing it fails: the sync must not wait for a chunk that has arrived.
          sync.tap(event, data, isKept);
        }
      },
      onMessageFailed: sync.mayHaveFailed,
    });
  if (wasLinked) onStep({ step: 'connecting' });
  try {
    for (let login = 1; ; login += 1) {
      const deadline = performance.now() + (options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
      const connected = await connectDevice(open, deadline, signal);
      if (connected.kind !== 'open') {
        // The phone may have sent before the line was open.
        await sync.drain(DRAIN_MS);
        return { ...connected, account };
      }
      const { socket } = connected;
      let closed: CloseReason | null = null;
      void socket.closed.then((reason) => {
        closed = reason;
      });
      const settled = await sync.settle(socket.sock, signal, () => closed !== null);
      if (settled !== 'closed') {
        if (settled === 'interrupted') await sync.drain(DRAIN_MS);
        await sync.takeMissing(socket.sock, settled === 'interrupted' ? LAST_FILES_MS : FILES_MS);
        await sync.close();
        await socket.end();
        const ended = settled === 'stalled' && sync.isComplete() ? 'complete' : settled;
        return {
          kind: 'linked',
          account,
          wasLinked,
          sync: ended,
          progress: sync.progress,
          missing: sync.missing,
        };
      }
      await socket.end();
      const reason = await socket.closed;
      if (reason.kind === 'conflict' || reason.kind === 'logged_out') return { kind: reason.kind, account };
      if (login === MAX_LOGINS)
        return { kind: 'offline', reason: reason.kind === 'lost' ? reason.reason : reason.kind, account };
    }
  } finally {
    await sync.close();
    await auth.close();
  }
}

/** What of a device's first events is worth keeping: history of every kind, contacts and LIDs. Live messages go to the CRM. */
const KEPT: ReadonlySet<keyof BaileysEventMap> = new Set([
  'messaging-history.set',
  'contacts.upsert',
  'contacts.update',
  'lid-mapping.update',
] as const);
