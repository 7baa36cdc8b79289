import type { AuthenticationState, UserFacingSocketConfig } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, vi } from 'vitest';
import { connectClient, memoryAuth, type TestClient } from './client.js';
import { randomAccount } from './credentials.js';
import type { LinkedDevice } from './linked-device.js';
import { type FakeWhatsApp, startFakeWhatsApp } from './server.js';

/** How long a genuine client is watched before it counts as having heard nothing; answers take some 50 ms. */
const QUIET_MS = 400;
const PATIENCE_MS = 15_000;

export interface FakeSession {
  /** The fake server of the test that runs. */
  readonly fake: FakeWhatsApp;
  /** A genuine client, with fresh credentials unless given; ends with the test. */
  connect(auth?: AuthenticationState, overrides?: Partial<UserFacingSocketConfig>): TestClient;
  /** A client of a device that is linked already, online. */
  connectLinked(
    overrides?: Partial<UserFacingSocketConfig>,
  ): Promise<TestClient & { readonly device: LinkedDevice }>;
}

/** A fake WhatsApp of its own for each test of the file or block that calls this. */
export function useFakeWhatsApp(): FakeSession {
  let current: FakeWhatsApp | undefined;
  const clients: TestClient[] = [];
  const session: FakeSession = {
    get fake() {
      if (current === undefined) throw new Error('the fake WhatsApp runs during a test only');
      return current;
    },
    connect(auth = memoryAuth(), overrides) {
      const client = connectClient(session.fake, auth, overrides);
      clients.push(client);
      return client;
    },
    async connectLinked(overrides) {
      const { device, auth } = await session.fake.linkedAuth();
      const client = session.connect(auth, overrides);
      await client.opened;
      return Object.assign(client, { device });
    },
  };
  beforeEach(async () => {
    current = await startFakeWhatsApp({ account: randomAccount() });
  });
  afterEach(async () => {
    for (const { sock } of clients.splice(0)) await sock.end(undefined);
    await current?.close();
  });
  return session;
}

/** Waits long enough that whatever was to arrive has arrived. */
export function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

/** Waits for something to be there, on a machine that may be busy with other things. */
export function until<T>(look: () => T): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  return vi.waitUntil(look, { timeout: PATIENCE_MS, interval: 5 });
}
