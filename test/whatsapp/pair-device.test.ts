import { proto } from '@whiskeysockets/baileys';
import { getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { DeviceAuth } from '../../src/whatsapp/auth-state.js';
import { openSocket } from '../../src/whatsapp/open-socket.js';
import { type PairingStep, pairDevice, type PairOptions } from '../../src/whatsapp/pair-device.js';
import { openHistorySession } from '../../src/whatsapp/history-session.js';
import { logOut, unlinkDevice } from '../../src/whatsapp/unlink-device.js';
import { lidOf, pnOf, type FakePerson } from '../support/fake-whatsapp/account.js';
import { archived, conversation } from '../support/fake-whatsapp/archive.js';
import { randomAccount } from '../support/fake-whatsapp/credentials.js';
import { createMediaDispatcher } from '../support/fake-whatsapp/media-dispatcher.js';
import { startFakeWhatsApp } from '../support/fake-whatsapp/server.js';
import { quiet, until, useFakeWhatsApp } from '../support/fake-whatsapp/session.js';
import { memoryDevice, memoryKeeper } from '../support/memory-device.js';

const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };
const { HistorySyncType } = proto.HistorySync;
const whatsapp = useFakeWhatsApp();

const usual = getGlobalDispatcher();
beforeEach(() => {
  setGlobalDispatcher(createMediaDispatcher(whatsapp.fake.httpUrl));
});
afterEach(() => {
  setGlobalDispatcher(usual);
});

function startPairing(overrides: Partial<PairOptions> = {}) {
  const storage = memoryDevice();
  const keeper = memoryKeeper();
  const raw = keeper.kept;
  const steps: PairingStep[] = [];
  const stop = new AbortController();
  const outcome = pairDevice({
    storage,
    url: whatsapp.fake.url,
    method: { kind: 'qr' },
    accepts: ({ phone }) => phone === whatsapp.fake.account.phone,
    keeper,
    onStep: (step) => steps.push(step),
    signal: stop.signal,
    quietMs: 300,
    stallMs: 2_000,
    ...overrides,
  });
  const shown = async (): Promise<string> => {
    const step = await until(() => steps.find(({ step }) => step === 'qr' || step === 'pairing_code'));
    return step.step === 'qr' ? step.qr : step.step === 'pairing_code' ? step.code : '';
  };
  return { storage, keeper, raw, steps, stop, outcome, shown };
}

describe('pairing', () => {
  it('links by QR code, logs in and keeps all that the phone sends by itself, whole', async () => {
    const { outcome, shown, raw, storage, steps } = startPairing();
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    await whatsapp.fake.pushHistory(
      device,
      {
        syncType: HistorySyncType.FULL,
        conversations: [
          conversation(pnOf(ANA), [archived({ chat: pnOf(ANA), id: 'A1', at: 1_700_000_000 })], {
            lidJid: lidOf(ANA),
          }),
        ],
      },
      { progress: 100, chunkOrder: 1 },
    );
    expect(await outcome).toMatchObject({
      kind: 'linked',
      account: { id: device.jid, phone: whatsapp.fake.account.phone, device: device.number },
      wasLinked: false,
      sync: 'complete',
      progress: { announced: 3, received: 3, messages: 1, percent: 100 },
    });
    expect(raw).toHaveLength(3);
    expect(raw.filter((event) => JSON.stringify(event).includes('"A1"'))).toMatchObject([
      {
        event: 'messaging-history.set',
        data: { syncType: 2, lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }] },
      },
    ]);
    expect(device.isRemoved).toBe(false);
    expect(steps.map(({ step }) => step)).toContain('paired');
    // The key that the phone shares is stored, and opens the account's settings.
    expect([...storage.keys.keys()].filter((key) => key.startsWith('app-state-sync-key/'))).toHaveLength(1);
    expect(JSON.parse(storage.credentials ?? '{}')).toMatchObject({
      me: { name: whatsapp.fake.account.name },
    });
    // What is stored is enough to come back.
    const session = await openHistorySession({
      storage,
      keeper: memoryKeeper(),
      url: whatsapp.fake.url,
    });
    expect(session.problem).toBeNull();
    await session.end();
  });

  it('is not disturbed by what the owner does on the phone meanwhile', async () => {
    const { outcome, shown } = startPairing();
    await whatsapp.fake.scan(await shown());
    await whatsapp.fake.pushOwnMessage(pnOf(ANA), {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.REVOKE,
        key: { remoteJid: pnOf(ANA), fromMe: true, id: 'GONE' },
      },
    });
    await whatsapp.fake.pushOwnMessage(pnOf(ANA), { conversation: 'by hand' });
    // A notification of history that names no file.
    await whatsapp.fake.pushOwnMessage(pnOf(ANA), {
      protocolMessage: {
        type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          syncType: proto.Message.HistorySyncType.NO_HISTORY,
          progress: 100,
          chunkOrder: 1,
        },
      },
    });
    expect(await outcome).toMatchObject({
      kind: 'linked',
      sync: 'complete',
      progress: { announced: 2, received: 2 },
    });
  });

  it('goes on when a listener fails, and says so in the log', async () => {
    const log: string[] = [];
    const { outcome, shown, storage } = startPairing({
      log: (line) => log.push(line),
      keeper: {
        ...memoryKeeper(),
        keep: () => {
          throw new Error('no room');
        },
      },
    });
    await whatsapp.fake.scan(await shown());
    expect(await outcome).toMatchObject({ kind: 'linked', sync: 'complete' });
    expect([...storage.keys.keys()].some((key) => key.startsWith('app-state-sync-key/'))).toBe(true);
    expect(log).toContain('whatsapp: messaging-history.set could not be processed: no room');
  });

  const CHAT = {
    syncType: HistorySyncType.FULL,
    conversations: [conversation(pnOf(ANA), [archived({ chat: pnOf(ANA), id: 'A1', at: 1_700_000_000 })])],
  };

  it('owes a file that could not be had, and downloads it when it is linked again', async () => {
    const first = startPairing({ stallMs: 1_500 });
    const device = await whatsapp.fake.scan(await first.shown());
    await until(() => device.isOnline);
    await whatsapp.fake.pushHistory(device, CHAT, { as: 'missing-blob', chunkOrder: 1, progress: 100 });
    expect(await first.outcome).toMatchObject({
      kind: 'linked',
      sync: 'stalled',
      progress: { announced: 3, received: 2 },
    });
    expect(await first.outcome).toMatchObject({ missing: [{ type: 'full', chunk: 1 }] });
    expect(first.keeper.owed.size).toBe(1);
    whatsapp.fake.healFiles();
    const owed = [...first.keeper.owed.values()].map(({ notification }) => notification);
    const again = startPairing({ storage: first.storage, keeper: first.keeper, owed });
    expect(await again.outcome).toMatchObject({
      kind: 'linked',
      wasLinked: true,
      sync: 'complete',
      progress: { announced: 1, received: 1, messages: 1 },
      missing: [],
    });
    expect(first.keeper.owed.size).toBe(0);
    expect(JSON.stringify(first.keeper.kept)).toContain('"A1"');
  });

  it('has a file in the end that Baileys could not have, and is complete', async () => {
    const { outcome, shown, raw, keeper } = startPairing({ stallMs: 1_500 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    await whatsapp.fake.pushHistory(device, CHAT, { as: 'missing-blob', chunkOrder: 1, progress: 100 });
    await until(() => whatsapp.fake.downloads.length > 0);
    whatsapp.fake.healFiles();
    expect(await outcome).toMatchObject({
      kind: 'linked',
      sync: 'complete',
      progress: { announced: 3, received: 3 },
    });
    expect(JSON.stringify(raw)).toContain('"A1"');
    expect(keeper.owed.size).toBe(0);
  });

  it('waits no longer for a file than it is downloaded again, whatever the patience', async () => {
    const { outcome, shown, steps } = startPairing({ stallMs: 120_000 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    const startedAt = performance.now();
    await whatsapp.fake.pushHistory(device, CHAT, { as: 'missing-blob', chunkOrder: 3, progress: 100 });
    expect(await outcome).toMatchObject({
      kind: 'linked',
      sync: 'stalled',
      progress: { announced: 3, received: 2 },
      missing: [{ type: 'full', chunk: 3, reason: expect.any(String) as unknown }],
    });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    expect(steps.at(-1)).toMatchObject({ step: 'syncing', announced: 3, received: 2 });
  });

  it('says after a few seconds which file it waits for, and how long at most', async () => {
    const { outcome, shown, steps, stop } = startPairing({ stallMs: 120_000 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    // A little longer than it takes to be said.
    const file = { as: 'blob', downloadMs: 4_800, chunkOrder: 2, progress: 100 } as const;
    await whatsapp.fake.pushHistory(device, CHAT, file);
    const wait = await until(() => steps.find(({ step }) => step === 'waiting'));
    stop.abort();
    await outcome;
    expect(wait).toMatchObject({ for: 'files', chunks: [{ type: 'full', chunk: 2 }] });
    expect(wait).toHaveProperty('atMostMs', expect.any(Number));
  });

  it('says that it waits for the phone, where nothing tells the end of the history', async () => {
    const fake = await startFakeWhatsApp({
      account: randomAccount(),
      historyOnLink: [
        { history: { syncType: HistorySyncType.INITIAL_BOOTSTRAP }, chunkOrder: 1, progress: 40 },
      ],
    });
    onTestFinished(() => fake.close());
    const { outcome, shown, steps } = startPairing({
      url: fake.url,
      accepts: () => true,
      stallMs: 4_500,
    });
    await fake.scan(await shown());
    expect(await outcome).toMatchObject({
      sync: 'stalled',
      progress: { announced: 1, received: 1 },
      missing: [],
    });
    const wait = steps.find(({ step }) => step === 'waiting');
    expect(wait).toMatchObject({ for: 'history', chunks: [] });
  });

  it('has a damaged file again, too, and owes it when it is still damaged', async () => {
    const { outcome, shown, keeper } = startPairing({ stallMs: 120_000 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    await whatsapp.fake.pushHistory(device, CHAT, { as: 'corrupt-blob', chunkOrder: 1, progress: 100 });
    expect(await outcome).toMatchObject({ sync: 'stalled', missing: [{ type: 'full', chunk: 1 }] });
    expect(keeper.owed.size).toBe(1);
    expect(keeper.failures).toHaveLength(1);
  });

  it('ends soon when the user stops a slow file, which stays owed', async () => {
    const { outcome, shown, keeper, stop } = startPairing({ stallMs: 60_000 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    await whatsapp.fake.pushHistory(device, CHAT, {
      as: 'blob',
      downloadMs: 60_000,
      chunkOrder: 1,
      progress: 100,
    });
    await until(() => keeper.owed.size === 1);
    const stoppedAt = performance.now();
    stop.abort();
    // Linked or not: the phone may send before WhatsApp has opened the line.
    expect(['linked', 'interrupted']).toContain((await outcome).kind);
    expect(performance.now() - stoppedAt).toBeLessThan(9_000);
    expect(keeper.owed.size).toBe(1);
  });

  it('links by pairing code', async () => {
    const { outcome, shown } = startPairing({ method: { kind: 'code', phone: whatsapp.fake.account.phone } });
    const device = await whatsapp.fake.enterPairingCode(await shown());
    expect(await outcome).toMatchObject({ kind: 'linked', account: { id: device.jid }, sync: 'complete' });
  });

  it('refuses an account that is not the one, unlinks itself and stores nothing', async () => {
    const { outcome, shown, raw, storage } = startPairing({ accepts: () => false });
    const device = await whatsapp.fake.scan(await shown());
    expect(await outcome).toMatchObject({ kind: 'refused', unlinked: true });
    expect(device.isRemoved).toBe(true);
    expect(storage.credentials).toBeNull();
    expect(storage.keys.size).toBe(0);
    expect(raw).toEqual([]);
  });

  it('goes on where it was stopped after the phone had agreed', async () => {
    const first = startPairing();
    const device = await whatsapp.fake.scan(await first.shown());
    await until(() => first.storage.credentials);
    first.stop.abort();
    await first.outcome;
    const again = startPairing({ storage: first.storage });
    expect(await again.outcome).toMatchObject({
      kind: 'linked',
      account: { id: device.jid },
      wasLinked: true,
    });
    expect(whatsapp.fake.devices).toHaveLength(1);
  });

  it('ends when nobody scans, and leaves nothing behind', async () => {
    const { outcome, shown, stop, storage } = startPairing();
    await shown();
    stop.abort();
    expect(await outcome).toEqual({ kind: 'interrupted', account: null });
    expect(storage.credentials).toBeNull();
  });

  it('says so when WhatsApp refuses the version', async () => {
    whatsapp.fake.refuseConnections(405);
    expect(await startPairing().outcome).toEqual({ kind: 'offline', reason: 'outdated', account: null });
  });

  it('does not come back when another login takes over during the sync', async () => {
    const { outcome, shown } = startPairing({ quietMs: 5_000, stallMs: 20_000 });
    const device = await whatsapp.fake.scan(await shown());
    await until(() => device.isOnline);
    device.replace();
    expect(await outcome).toMatchObject({ kind: 'conflict' });
    expect(device.logins).toBe(1);
  });
});

describe('unlinking', () => {
  it('logs the device out', async () => {
    const { device, creds } = whatsapp.fake.linkedCredentials();
    const storage = memoryDevice(creds);
    expect(await unlinkDevice({ storage, url: whatsapp.fake.url })).toEqual({ kind: 'unlinked' });
    expect(device.isRemoved).toBe(true);
    // Baileys goes on writing for a moment: what the caller has removed by now must stay away.
    storage.keys.clear();
    await quiet();
    expect(storage.keys.size).toBe(0);
    expect(await unlinkDevice({ storage, url: whatsapp.fake.url })).toEqual({ kind: 'logged_out' });
  });

  it('says that the phone still has the device when the line was lost before it could be told', async () => {
    const { device, creds } = whatsapp.fake.linkedCredentials();
    const auth = await DeviceAuth.load(memoryDevice(creds));
    if (auth === null) throw new Error('nothing is stored');
    const socket = openSocket({
      url: whatsapp.fake.url,
      auth: auth.state,
      onCredentials: () => undefined,
      tap: () => undefined,
      shouldSyncHistory: () => false,
    });
    await socket.opened;
    device.drop();
    await socket.closed;
    expect(await logOut(socket)).toBe(false);
    expect(device.isRemoved).toBe(false);
  });

  it('has nothing to do without a device', async () => {
    expect(await unlinkDevice({ storage: memoryDevice(), url: whatsapp.fake.url })).toEqual({ kind: 'none' });
  });
});
