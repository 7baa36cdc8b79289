import { proto } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { connectClient, memoryAuth, type TestClient } from '../support/fake-whatsapp/client.js';
import { randomAccount } from '../support/fake-whatsapp/credentials.js';
import { type FakeWhatsApp, startFakeWhatsApp } from '../support/fake-whatsapp/server.js';

let fake: FakeWhatsApp;

beforeEach(async () => {
  fake = await startFakeWhatsApp({ account: randomAccount() });
});
afterEach(() => fake.close());

describe('linking', () => {
  it('links a client by QR code, which then logs in and gets its first history', async () => {
    const auth = memoryAuth();
    const first = connectClient(fake, auth);
    const qr = await vi.waitUntil(() => first.qrs[0]);
    const device = await fake.scan(qr);
    expect(await first.ended).toBe(515);

    const second = connectClient(fake, auth);
    await second.opened;
    expect(auth.creds.me?.id).toBe(device.jid);
    await vi.waitUntil(() => second.history.length > 0);
    expect(device.isOnline).toBe(true);
    await second.sock.end(undefined);
  });
});
