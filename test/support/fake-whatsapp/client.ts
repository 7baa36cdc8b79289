import {
  type AuthenticationCreds,
  type AuthenticationState,
  type BaileysEventMap,
  initAuthCreds,
  makeWASocket,
  type UserFacingSocketConfig,
  type WASocket,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { mediaOptions } from './media-dispatcher.js';
import { createMemoryKeys } from './memory-keys.js';
import type { FakeWhatsApp } from './server.js';

export type HistorySet = BaileysEventMap['messaging-history.set'];

/** A genuine Baileys socket on the fake server, and what happened to it so far. */
export interface TestClient {
  readonly sock: WASocket;
  /** Settles when the socket is open; rejects if it ends before. */
  readonly opened: Promise<unknown>;
  /** Settles with the status code that it ended with. */
  readonly ended: Promise<number | undefined>;
  readonly isOpen: boolean;
  readonly qrs: readonly string[];
  /** History as Baileys decoded it, before its event buffer. */
  readonly rawHistory: readonly HistorySet[];
  /** History as a listener gets it. */
  readonly history: readonly HistorySet[];
  readonly messages: readonly BaileysEventMap['messages.upsert']['messages'][number][];
}

/** Credentials and keys in memory; fresh ones, or those of a device that is linked. */
export function memoryAuth(creds: AuthenticationCreds = initAuthCreds()): AuthenticationState {
  return { creds, keys: createMemoryKeys() };
}

export function connectClient(
  fake: FakeWhatsApp,
  auth: AuthenticationState,
  overrides: Partial<UserFacingSocketConfig> = {},
): TestClient {
  const sock = makeWASocket({
    auth,
    waWebSocketUrl: fake.url,
    logger: pino({ level: 'silent' }),
    markOnlineOnConnect: false,
    options: mediaOptions(fake.httpUrl),
    ...overrides,
  });
  const qrs: string[] = [];
  const rawHistory: HistorySet[] = [];
  const history: HistorySet[] = [];
  const messages: TestClient['messages'][number][] = [];
  let isOpen = false;

  const emit = sock.ev.emit.bind(sock.ev);
  sock.ev.emit = (event, data) => {
    if (isHistory(event, data)) rawHistory.push({ ...data, chats: data.chats.map((chat) => ({ ...chat })) });
    return emit(event, data);
  };
  sock.ev.on('messaging-history.set', (set) => history.push(set));
  sock.ev.on('messages.upsert', (upsert) => messages.push(...upsert.messages));

  const opened = settleLater<undefined>();
  const ended = settleLater<number | undefined>();
  opened.promise.catch(() => undefined);
  sock.ev.on('connection.update', ({ connection, qr, lastDisconnect }) => {
    if (qr !== undefined) qrs.push(qr);
    if (connection === 'open') {
      isOpen = true;
      opened.resolve(undefined);
    }
    if (connection === 'close') {
      isOpen = false;
      const code = statusCode(lastDisconnect?.error);
      opened.reject(new Error(`the socket ended: ${code ?? 'by itself'}`));
      ended.resolve(code);
    }
  });

  return {
    sock,
    opened: opened.promise,
    ended: ended.promise,
    get isOpen() {
      return isOpen;
    },
    qrs,
    rawHistory,
    history,
    messages,
  };
}

function isHistory(event: keyof BaileysEventMap, data: unknown): data is HistorySet {
  return event === 'messaging-history.set' && data !== undefined;
}

/** The code in Baileys' errors, which are Boom's. */
function statusCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('output' in error)) return undefined;
  const { output } = error;
  if (typeof output !== 'object' || output === null || !('statusCode' in output)) return undefined;
  return typeof output.statusCode === 'number' ? output.statusCode : undefined;
}

function settleLater<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  const settle: { resolve(value: T): void; reject(error: Error): void } = {
    resolve: () => undefined,
    reject: () => undefined,
  };
  const promise = new Promise<T>((resolve, reject) => Object.assign(settle, { resolve, reject }));
  return { promise, ...settle };
}
