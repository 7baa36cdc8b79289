import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { afterEach, beforeEach, onTestFinished } from 'vitest';
import {
  type HistorySession,
  type HistorySessionOptions,
  openHistorySession,
  type PageOutcome,
  type PageRequest,
} from '../../src/whatsapp/history-session.js';
import { type FakePerson, lidOf, pnOf } from './fake-whatsapp/account.js';
import { type ArchivedChat, archived } from './fake-whatsapp/archive.js';
import type { LinkedDevice } from './fake-whatsapp/linked-device.js';
import { createMediaDispatcher } from './fake-whatsapp/media-dispatcher.js';
import { type FakeSession, useFakeWhatsApp } from './fake-whatsapp/session.js';
import { memoryDevice, memoryKeeper } from './memory-device.js';

export const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };
export const FIRST_AT = 1_700_000_000;

export interface Opened {
  session: HistorySession;
  device: LinkedDevice;
  keeper: ReturnType<typeof memoryKeeper>;
  /** What was kept: the answers, and all else. */
  kept: readonly unknown[];
}

/** A fake WhatsApp for each test of a file, and sessions with it that end with the test. */
export function useHistorySessions(): {
  whatsapp: FakeSession;
  open: (options?: Partial<HistorySessionOptions>) => Promise<Opened>;
} {
  const whatsapp = useFakeWhatsApp();
  const usual = getGlobalDispatcher();
  beforeEach(() => {
    setGlobalDispatcher(createMediaDispatcher(whatsapp.fake.httpUrl));
  });
  afterEach(() => {
    setGlobalDispatcher(usual);
  });
  return {
    whatsapp,
    open: async (options = {}) => {
      const { device, creds } = whatsapp.fake.linkedCredentials();
      const keeper = memoryKeeper();
      const session = await openHistorySession({
        storage: memoryDevice(creds),
        url: whatsapp.fake.url,
        keeper,
        ...options,
      });
      onTestFinished(() => session.end());
      return { session, device, keeper, kept: keeper.kept };
    },
  };
}

/** `A0`, the oldest, up to `A<count - 1>`. */
export function chatOf(count: number, fields: Partial<ArchivedChat> = {}): ArchivedChat {
  const { id = pnOf(ANA) } = fields;
  const messages = Array.from({ length: count }, (_, n) =>
    archived({ chat: id, id: `A${n}`, at: FIRST_AT + n, fromMe: n % 2 === 1 }),
  );
  return { id, lidJid: lidOf(ANA), messages, ...fields };
}

/** Asks for three messages before `A<n>`. */
export function before(n: number, fields: Partial<PageRequest> = {}): PageRequest {
  const { chatJid = pnOf(ANA) } = fields;
  const anchor = { id: `A${n}`, fromMe: n % 2 === 1, remoteJid: chatJid, timestampMs: (FIRST_AT + n) * 1000 };
  return { chatJid, anchor, count: 3, timeoutMs: 10_000, ...fields };
}

/** The ids of a page's messages, of whatever chunk. */
export function idsOf(outcome: PageOutcome): string[] {
  if (outcome.kind !== 'page') throw new Error(`no page but ${JSON.stringify(outcome)}`);
  return outcome.chunks.flatMap((raw) => idsIn(Buffer.from(raw).toString()));
}

export function idsIn(json: string): string[] {
  return [...json.matchAll(/"id":"(A\d+)"/g)].map((match) => match[1] ?? '');
}
