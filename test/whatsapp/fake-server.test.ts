import { proto, type WASocket } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type FakePerson, lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import {
  type ArchivedChat,
  answerFromArchive,
  archived,
  conversation,
} from '../support/fake-whatsapp/archive.js';
import { connectClient, memoryAuth, type TestClient } from '../support/fake-whatsapp/client.js';
import { randomAccount } from '../support/fake-whatsapp/credentials.js';
import type { LinkedDevice } from '../support/fake-whatsapp/linked-device.js';
import { type FakeWhatsApp, startFakeWhatsApp } from '../support/fake-whatsapp/server.js';

const { HistorySyncType } = proto.HistorySync;
const { EndOfHistoryTransferType } = proto.Conversation;
const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };
/** How long a genuine client is watched before it counts as having heard nothing; answers take some 50 ms. */
const QUIET_MS = 400;

let fake: FakeWhatsApp;
const clients: TestClient[] = [];

beforeEach(async () => {
  fake = await startFakeWhatsApp({ account: randomAccount() });
});
afterEach(async () => {
  for (const { sock } of clients.splice(0)) await sock.end(undefined);
  await fake.close();
});

function connect(...[auth = memoryAuth(), overrides]: Partial<ConnectArguments>): TestClient {
  const client = connectClient(fake, auth, overrides);
  clients.push(client);
  return client;
}
type ConnectArguments = [
  auth: Parameters<typeof connectClient>[1],
  overrides: Parameters<typeof connectClient>[2],
];

/** A client of a device that is linked already, online. */
async function connectLinked(
  overrides?: ConnectArguments[1],
): Promise<TestClient & { device: LinkedDevice }> {
  const { device, creds } = fake.linkedCredentials();
  const client = connect(memoryAuth(creds), overrides);
  await client.opened;
  return Object.assign(client, { device });
}

function messagesOf(count: number, chat = pnOf(ANA)): proto.IWebMessageInfo[] {
  return Array.from({ length: count }, (_, index) =>
    archived({ chat, id: `A${index}`, at: 1_700_000_000 + index, fromMe: index % 2 === 1 }),
  );
}

/** Asks for what came before the nth message of `messagesOf`. */
function askBefore(sock: WASocket, index: number, count = 50, chat = pnOf(ANA)): Promise<string> {
  const key = { remoteJid: chat, id: `A${index}`, fromMe: index % 2 === 1 };
  return sock.fetchMessageHistory(count, key, 1_700_000_000 + index);
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, QUIET_MS));
}

function idsOf(sets: TestClient['history']): (string | null | undefined)[] {
  return sets.flatMap(({ messages }) => messages.map(({ key }) => key.id));
}

describe('linking', () => {
  it('links a client by QR code, which then logs in and gets its first history', async () => {
    const auth = memoryAuth();
    const first = connect(auth);
    const device = await fake.scan(await vi.waitUntil(() => first.qrs[0]));
    expect(await first.ended).toBe(515);
    expect(auth.creds.me).toMatchObject({ id: device.jid, lid: device.lid });

    const second = connect(auth);
    await second.opened;
    await vi.waitUntil(() => second.rawHistory.length === 2);
    expect(second.rawHistory.map(({ syncType }) => syncType)).toEqual([
      HistorySyncType.INITIAL_BOOTSTRAP,
      HistorySyncType.RECENT,
    ]);
    expect(device.preKeys.size).toBeGreaterThan(800);
    expect(auth.creds.account?.accountSignatureKey).toBeDefined();
  });

  it('links a client by pairing code', async () => {
    const auth = memoryAuth();
    const first = connect(auth);
    await vi.waitUntil(() => first.qrs[0]);
    const code = await first.sock.requestPairingCode(fake.account.phone);
    const device = await fake.enterPairingCode(code);
    expect(await first.ended).toBe(515);
    expect(auth.creds.me?.id).toBe(device.jid);

    const second = connect(auth);
    await second.opened;
    expect(device.logins).toBe(1);
  });

  it('does not link a client by a wrong pairing code', async () => {
    const client = connect();
    await vi.waitUntil(() => client.qrs[0]);
    await client.sock.requestPairingCode(fake.account.phone, 'AAAABBBB');
    await expect(fake.enterPairingCode('CCCCDDDD')).rejects.toThrow('not the one');
    expect(fake.devices).toHaveLength(0);
  });

  it('refuses a QR code that no client shows', async () => {
    await expect(fake.scan('https://wa.me/settings/linked_devices#2@x,eA==,eA==,eA==,1')).rejects.toThrow(
      'no client',
    );
  });

  it('lets a linked device unlink itself, and refuses it from then on', async () => {
    const { sock, device, ended } = await connectLinked();
    await sock.logout();
    expect(await ended).toBe(401);
    await vi.waitUntil(() => device.isRemoved);
    const again = connect({ ...memoryAuth(sock.authState.creds) });
    expect(await again.ended).toBe(401);
  });
});

describe('connections', () => {
  it('logs a linked device in again and again', async () => {
    const { device, creds } = fake.linkedCredentials();
    const auth = memoryAuth(creds);
    for (const login of [1, 2, 3]) {
      const client = connect(auth);
      await client.opened;
      expect(device.logins).toBe(login);
      await client.sock.end(undefined);
      await vi.waitUntil(() => !device.isOnline);
    }
  });

  it('refuses the Noise key of another device', async () => {
    const { creds } = fake.linkedCredentials();
    const { creds: others } = fake.linkedCredentials();
    const client = connect(memoryAuth({ ...creds, noiseKey: others.noiseKey }));
    expect(await client.ended).toBe(401);
  });

  it('tells the first of two logins with the same credentials that it was replaced', async () => {
    const first = await connectLinked();
    const second = connect(memoryAuth(first.sock.authState.creds));
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
    const witness = await connectLinked();
    const client = await connectLinked();
    end(client.device);
    expect(await client.ended).toBe(code);
    await quiet();
    expect(witness.isOpen).toBe(true);
    expect(witness.device.logins).toBe(1);
  });

  it('refuses logins with a code of choice', async () => {
    const { creds } = fake.linkedCredentials();
    fake.refuseLogins(405);
    expect(await connect(memoryAuth(creds)).ended).toBe(405);
    fake.refuseLogins(undefined);
    await connect(memoryAuth(creds)).opened;
  });

  it('answers pings and the queries that Baileys begins with', async () => {
    const { sock, device } = await connectLinked({ keepAliveIntervalMs: 100, fireInitQueries: true });
    await vi.waitUntil(() => device.received.filter(({ attrs }) => attrs.xmlns === 'w:p').length > 2);
    expect(await sock.fetchBlocklist()).toEqual([]);
    expect(await sock.fetchPrivacySettings()).toEqual({ readreceipts: 'all' });
    await sock.resyncAppState(['regular'], false);
    expect(device.isOnline).toBe(true);
  });

  it('keeps what a device has not confirmed, and delivers it at the next login', async () => {
    const { sock, device } = await connectLinked();
    await sock.end(undefined);
    await vi.waitUntil(() => !device.isOnline);
    const id = await fake.pushMessage(ANA, { conversation: 'while you were away' });
    const again = connect({ creds: sock.authState.creds, keys: sock.authState.keys });
    await vi.waitUntil(() => again.messages.some(({ key }) => key.id === id));
    expect(again.messages[0]?.message?.conversation).toBe('while you were away');
  });
});

describe('what arrives without being asked for', () => {
  it('delivers a message from somebody else, with both of his addresses', async () => {
    const { messages, sock } = await connectLinked();
    const id = await fake.pushMessage(ANA, { conversation: 'oi' });
    await vi.waitUntil(() => messages.length > 0);
    expect(messages[0]).toMatchObject({
      key: { id, remoteJid: pnOf(ANA), remoteJidAlt: lidOf(ANA), fromMe: false },
      pushName: 'Ana',
      message: { conversation: 'oi' },
    });
    expect(await sock.signalRepository.lidMapping.getLIDForPN(pnOf(ANA))).toBe(lidOf(ANA));
  });

  it.each(['inline', 'blob'] as const)('delivers every kind of history %s', async (as) => {
    const { device, rawHistory, sock } = await connectLinked({ shouldSyncHistoryMessage: () => true });
    const chat = conversation(pnOf(ANA), messagesOf(3), { lidJid: lidOf(ANA), name: 'Ana' });
    const kinds = [HistorySyncType.INITIAL_BOOTSTRAP, HistorySyncType.RECENT, HistorySyncType.FULL];
    for (const syncType of kinds) {
      await fake.pushHistory(
        device,
        { syncType, conversations: [structuredClone(chat)] },
        { as, progress: 40 },
      );
    }
    await fake.pushHistory(
      device,
      { syncType: HistorySyncType.PUSH_NAME, pushnames: [{ id: pnOf(ANA), pushname: 'Aninha' }] },
      { as },
    );
    await vi.waitUntil(() => rawHistory.length === 4);
    expect(rawHistory.map(({ syncType }) => syncType)).toEqual([...kinds, HistorySyncType.PUSH_NAME]);
    expect(rawHistory[0]).toMatchObject({
      messages: [{ key: { id: 'A2' } }, { key: { id: 'A1' } }, { key: { id: 'A0' } }],
      lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }],
      chats: [{ id: pnOf(ANA), name: 'Ana' }],
    });
    expect(rawHistory[3]?.contacts).toEqual([{ id: pnOf(ANA), notify: 'Aninha' }]);
    expect(fake.downloads).toHaveLength(as === 'blob' ? 4 : 0);
    expect(await sock.signalRepository.lidMapping.getLIDForPN(pnOf(ANA))).toBe(lidOf(ANA));
  });
});

describe('history on demand', () => {
  const chat: ArchivedChat = { id: pnOf(ANA), lidJid: lidOf(ANA), name: 'Ana', messages: messagesOf(12) };

  it('reads the request that Baileys sent, and answers it from the phone', async () => {
    fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, history, device } = await connectLinked();
    const id = await askBefore(sock, 10, 3);
    await vi.waitUntil(() => history.length > 0);
    expect(fake.historyRequests).toEqual([
      {
        device,
        id,
        chatJid: pnOf(ANA),
        oldestMessageId: 'A10',
        oldestMessageFromMe: false,
        oldestMessageTimestamp: 1_700_000_010,
        count: 3,
        encryption: 'pkmsg',
      },
    ]);
    expect(history[0]).toMatchObject({ syncType: HistorySyncType.ON_DEMAND, peerDataRequestSessionId: id });
    expect(idsOf(history)).toEqual(['A9', 'A8', 'A7']);
  });

  it.each(['inline', 'blob'] as const)(
    'goes on with the same Signal session, page by page, %s',
    async (as) => {
      fake.onHistoryRequest(answerFromArchive([chat], { as }));
      const { sock, history } = await connectLinked();
      for (const [page, anchor] of [10, 7, 4].entries()) {
        await askBefore(sock, anchor, 3);
        await vi.waitUntil(() => history.length > page);
      }
      expect(fake.historyRequests.map(({ encryption }) => encryption)).toEqual(['pkmsg', 'msg', 'msg']);
      expect(idsOf(history)).toEqual(['A9', 'A8', 'A7', 'A6', 'A5', 'A4', 'A3', 'A2', 'A1']);
    },
  );

  it('says on the last page that nothing older remains, which only the raw event still holds', async () => {
    fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, history, rawHistory } = await connectLinked();
    await askBefore(sock, 10, 8);
    await vi.waitUntil(() => history.length === 1);
    await askBefore(sock, 2, 8);
    await vi.waitUntil(() => history.length === 2);
    expect(rawHistory.map(({ chats }) => chats[0]?.endOfHistoryTransferType)).toEqual([
      EndOfHistoryTransferType.COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY,
      EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY,
    ]);
    expect(history.map(({ chats }) => chats.length)).toEqual([1, 0]);
    expect(history.map(({ lidPnMappings }) => lidPnMappings)).toEqual([undefined, undefined]);
    expect(rawHistory[1]?.lidPnMappings).toEqual([{ lid: lidOf(ANA), pn: pnOf(ANA) }]);
  });

  it('may answer from its LID, under the chat’s other address, without the request’s id', async () => {
    const other = { id: pnOf(ANA), answersAs: lidOf(ANA), pnJid: pnOf(ANA), messages: messagesOf(6) };
    fake.onHistoryRequest(answerFromArchive([other], { from: 'lid', sessionId: 'none' }));
    const { sock, rawHistory } = await connectLinked();
    await askBefore(sock, 5);
    await vi.waitUntil(() => rawHistory.length > 0);
    expect(rawHistory[0]).toMatchObject({
      chats: [{ id: lidOf(ANA), pnJid: pnOf(ANA) }],
      lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }],
    });
    expect(rawHistory[0]?.peerDataRequestSessionId).toBeFalsy();
  });

  it('brings mappings beside the chats', async () => {
    fake.onHistoryRequest(() => ({
      conversations: [conversation(lidOf(ANA), messagesOf(1, lidOf(ANA)))],
      mappings: [{ pn: pnOf(ANA), lid: lidOf(ANA) }],
    }));
    const { sock, rawHistory } = await connectLinked();
    await askBefore(sock, 5);
    await vi.waitUntil(() => rawHistory.length > 0);
    expect(rawHistory[0]?.lidPnMappings).toEqual([{ lid: lidOf(ANA), pn: pnOf(ANA) }]);
  });

  it.each([
    ['the chat’s other address', (sock: WASocket) => askBefore(sock, 5, 50, lidOf(ANA))],
    ['an anchor that it does not have', (sock: WASocket) => askBefore(sock, 99)],
    [
      'a date in milliseconds',
      (sock: WASocket) =>
        sock.fetchMessageHistory(50, { remoteJid: pnOf(ANA), id: 'A5', fromMe: true }, 1_700_000_005_000),
    ],
  ])('is silent about %s', async (_, ask) => {
    fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, rawHistory } = await connectLinked();
    await ask(sock);
    await vi.waitUntil(() => fake.historyRequests.length === 1);
    await quiet();
    expect(rawHistory).toEqual([]);
  });

  it.each(['missing-blob', 'corrupt-blob'] as const)(
    'sends a %s, of which Baileys says nothing',
    async (as) => {
      fake.onHistoryRequest(answerFromArchive([chat], { as }));
      const { sock, rawHistory, device } = await connectLinked();
      await askBefore(sock, 5);
      await vi.waitUntil(() => fake.downloads.length > 0);
      await vi.waitUntil(() => device.received.some(({ attrs }) => attrs.type === 'hist_sync'));
      await quiet();
      expect(rawHistory).toEqual([]);
      expect(device.isOnline).toBe(true);
    },
  );

  it('loses the line while a client waits, and delivers the answer when it is back', async () => {
    const archive = answerFromArchive([chat]);
    fake.onHistoryRequest((request) => {
      request.device.drop();
      return archive(request);
    });
    const { sock, ended, rawHistory } = await connectLinked();
    await askBefore(sock, 5, 2);
    expect(await ended).toBe(428);
    expect(rawHistory).toEqual([]);
    await expect(askBefore(sock, 5)).rejects.toThrow('Connection Closed');
    const again = connect({ creds: sock.authState.creds, keys: sock.authState.keys });
    await vi.waitUntil(() => again.rawHistory.length > 0);
    expect(idsOf(again.rawHistory)).toEqual(['A4', 'A3']);
  });

  it('serves two devices at once, each with its own answers', async () => {
    fake.onHistoryRequest(answerFromArchive([chat]));
    const [one, two] = [await connectLinked(), await connectLinked()];
    const ids = await Promise.all([askBefore(one.sock, 5, 1), askBefore(two.sock, 9, 1)]);
    await vi.waitUntil(() => one.history.length > 0 && two.history.length > 0);
    expect([one, two].map(({ history }) => history[0]?.peerDataRequestSessionId)).toEqual(ids);
    expect([idsOf(one.history), idsOf(two.history)]).toEqual([['A4'], ['A8']]);
  });
});
