import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import type { FakePerson } from '../support/fake-whatsapp/account.js';
import { memoryAuth } from '../support/fake-whatsapp/client.js';
import type { LinkedDevice } from '../support/fake-whatsapp/linked-device.js';
import { quiet, until, useFakeWhatsApp } from '../support/fake-whatsapp/session.js';

const { HistorySyncType } = proto.HistorySync;
const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };

const whatsapp = useFakeWhatsApp();

describe('linking', () => {
  it('links a client by QR code, which then logs in and gets its first history', async () => {
    const auth = memoryAuth();
    const first = whatsapp.connect(auth);
    const device = await whatsapp.fake.scan(await until(() => first.qrs[0]));
    expect(await first.ended).toBe(515);
    expect(auth.creds.me).toMatchObject({ id: device.jid, lid: device.lid });

    const second = whatsapp.connect(auth);
    await second.opened;
    await until(() => second.rawHistory.length === 2);
    expect(second.rawHistory.map(({ syncType }) => syncType)).toEqual([
      HistorySyncType.INITIAL_BOOTSTRAP,
      HistorySyncType.RECENT,
    ]);
    expect(device.preKeys.size).toBeGreaterThan(800);
    expect(auth.creds.account?.accountSignatureKey).toBeDefined();
  });

  it('links a client by pairing code', async () => {
    const auth = memoryAuth();
    const first = whatsapp.connect(auth);
    await until(() => first.qrs[0]);
    const code = await first.sock.requestPairingCode(whatsapp.fake.account.phone);
    const device = await whatsapp.fake.enterPairingCode(code);
    expect(await first.ended).toBe(515);
    expect(auth.creds.me?.id).toBe(device.jid);

    const second = whatsapp.connect(auth);
    await second.opened;
    expect(device.logins).toBe(1);
  });

  it('does not link a client by a wrong pairing code', async () => {
    const client = whatsapp.connect();
    await until(() => client.qrs[0]);
    await client.sock.requestPairingCode(whatsapp.fake.account.phone, 'AAAABBBB');
    await expect(whatsapp.fake.enterPairingCode('CCCCDDDD')).rejects.toThrow('not the one');
    expect(whatsapp.fake.devices).toHaveLength(0);
  });

  it('refuses a QR code that no client shows', async () => {
    await expect(
      whatsapp.fake.scan('https://wa.me/settings/linked_devices#2@x,eA==,eA==,eA==,1'),
    ).rejects.toThrow('no client');
  });

  it('lets a linked device unlink itself, and refuses it from then on', async () => {
    const { sock, device, ended } = await whatsapp.connectLinked();
    await sock.logout();
    expect(await ended).toBe(401);
    await until(() => device.isRemoved);
    const again = whatsapp.connect({ ...memoryAuth(sock.authState.creds) });
    expect(await again.ended).toBe(401);
  });
});

describe('connections', () => {
  it('logs a linked device in again and again', async () => {
    const { device, creds } = whatsapp.fake.linkedCredentials();
    const auth = memoryAuth(creds);
    for (const login of [1, 2, 3]) {
      const client = whatsapp.connect(auth);
      await client.opened;
      expect(device.logins).toBe(login);
      await client.sock.end(undefined);
      await until(() => !device.isOnline);
    }
  });

  it('refuses the Noise key of another device', async () => {
    const { creds } = whatsapp.fake.linkedCredentials();
    const { creds: others } = whatsapp.fake.linkedCredentials();
    const client = whatsapp.connect(memoryAuth({ ...creds, noiseKey: others.noiseKey }));
    expect(await client.ended).toBe(401);
  });

  it('tells the first of two logins with the same credentials that it was replaced', async () => {
    const first = await whatsapp.connectLinked();
    const second = whatsapp.connect(memoryAuth(first.sock.authState.creds));
    expect(await first.ended).toBe(440);
    await second.opened;
  });

  it.each([
    [
      'replaced by another login',
      (device: LinkedDevice) => {
        device.replace();
      },
      440,
    ],
    [
      'unlinked on the phone',
      (device: LinkedDevice) => {
        device.unlink();
      },
      401,
    ],
    [
      'dropped',
      (device: LinkedDevice) => {
        device.drop();
      },
      428,
    ],
    [
      'hung up',
      (device: LinkedDevice) => {
        device.hangUp();
      },
      428,
    ],
    [
      'told that the service is unavailable',
      (device: LinkedDevice) => {
        device.endStream(503);
      },
      503,
    ],
  ])('ends a line that is %s, and leaves other devices alone', async (_, end, code) => {
    const witness = await whatsapp.connectLinked();
    const client = await whatsapp.connectLinked();
    end(client.device);
    expect(await client.ended).toBe(code);
    await quiet();
    expect(witness.isOpen).toBe(true);
    expect(witness.device.logins).toBe(1);
  });

  it('refuses connections with a code of choice, to log in and to link', async () => {
    const { creds } = whatsapp.fake.linkedCredentials();
    whatsapp.fake.refuseConnections(405);
    expect(await whatsapp.connect(memoryAuth(creds)).ended).toBe(405);
    expect(await whatsapp.connect().ended).toBe(405);
    whatsapp.fake.refuseConnections(undefined);
    await whatsapp.connect(memoryAuth(creds)).opened;
  });

  it('answers pings and the queries that Baileys begins with', async () => {
    const { sock, device } = await whatsapp.connectLinked({
      keepAliveIntervalMs: 100,
      fireInitQueries: true,
    });
    await until(() => device.received.filter(({ attrs }) => attrs.xmlns === 'w:p').length > 2);
    expect(await sock.fetchBlocklist()).toEqual([]);
    expect(await sock.fetchPrivacySettings()).toEqual({ readreceipts: 'all' });
    await sock.resyncAppState(['regular'], false);
    expect(device.isOnline).toBe(true);
  });

  it('keeps what a device has not confirmed, and delivers it at the next login', async () => {
    const { sock, device } = await whatsapp.connectLinked();
    await sock.end(undefined);
    await until(() => !device.isOnline);
    const id = await whatsapp.fake.pushMessage(ANA, { conversation: 'while you were away' });
    const again = whatsapp.connect({ creds: sock.authState.creds, keys: sock.authState.keys });
    await until(() => again.messages.some(({ key }) => key.id === id));
    expect(again.messages[0]?.message?.conversation).toBe('while you were away');
  });
});
