import {
  downloadAndProcessHistorySyncNotification,
  getHistoryMsg,
  proto,
  type WASocket,
} from '@whiskeysockets/baileys';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type FakePerson, lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import {
  type ArchivedChat,
  answerFromArchive,
  archived,
  conversation,
} from '../support/fake-whatsapp/archive.js';
import type { HistorySet } from '../support/fake-whatsapp/client.js';
import { mediaOptions } from '../support/fake-whatsapp/media-dispatcher.js';
import { quiet, until, useFakeWhatsApp } from '../support/fake-whatsapp/session.js';

const { HistorySyncType } = proto.HistorySync;
const { EndOfHistoryTransferType } = proto.Conversation;
const ON_DEMAND_NOTIFICATION = proto.Message.HistorySyncType.ON_DEMAND;
const ANA: FakePerson = { phone: '5521987654321', lid: '998877665544332', name: 'Ana' };

const whatsapp = useFakeWhatsApp();

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

function idsOf(sets: readonly HistorySet[]): (string | null | undefined)[] {
  return sets.flatMap(({ messages }) => messages.map(({ key }) => key.id));
}

describe('what arrives without being asked for', () => {
  it('delivers a message from somebody else, with both of his addresses', async () => {
    const { messages, sock } = await whatsapp.connectLinked();
    const id = await whatsapp.fake.pushMessage(ANA, { conversation: 'oi' });
    await until(() => messages.length > 0);
    expect(messages[0]).toMatchObject({
      key: { id, remoteJid: pnOf(ANA), remoteJidAlt: lidOf(ANA), fromMe: false },
      pushName: 'Ana',
      message: { conversation: 'oi' },
    });
    expect(await sock.signalRepository.lidMapping.getLIDForPN(pnOf(ANA))).toBe(lidOf(ANA));
  });

  it.each(['inline', 'blob'] as const)('delivers every kind of history %s', async (as) => {
    const { device, rawHistory, sock } = await whatsapp.connectLinked({
      shouldSyncHistoryMessage: () => true,
    });
    const chat = conversation(pnOf(ANA), messagesOf(3), { lidJid: lidOf(ANA), name: 'Ana' });
    const kinds = [HistorySyncType.INITIAL_BOOTSTRAP, HistorySyncType.RECENT, HistorySyncType.FULL];
    for (const syncType of kinds) {
      await whatsapp.fake.pushHistory(
        device,
        { syncType, conversations: [structuredClone(chat)] },
        { as, progress: 40 },
      );
    }
    await whatsapp.fake.pushHistory(
      device,
      { syncType: HistorySyncType.PUSH_NAME, pushnames: [{ id: pnOf(ANA), pushname: 'Aninha' }] },
      { as },
    );
    await until(() => rawHistory.length === 4);
    expect(rawHistory.map(({ syncType }) => syncType)).toEqual([...kinds, HistorySyncType.PUSH_NAME]);
    expect(rawHistory[0]).toMatchObject({
      messages: [{ key: { id: 'A2' } }, { key: { id: 'A1' } }, { key: { id: 'A0' } }],
      lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }],
      chats: [{ id: pnOf(ANA), name: 'Ana' }],
    });
    expect(rawHistory[3]?.contacts).toEqual([{ id: pnOf(ANA), notify: 'Aninha' }]);
    expect(whatsapp.fake.downloads).toHaveLength(as === 'blob' ? 4 : 0);
    expect(await sock.signalRepository.lidMapping.getLIDForPN(pnOf(ANA))).toBe(lidOf(ANA));
  });

  it('says that history is complete before Baileys has read it', async () => {
    const { device, rawHistory, sock } = await whatsapp.connectLinked();
    const readBefore: number[] = [];
    sock.ev.on('messaging-history.status', () => readBefore.push(rawHistory.length));
    await whatsapp.fake.pushHistory(
      device,
      {
        syncType: HistorySyncType.RECENT,
        progress: 100,
        conversations: [conversation(pnOf(ANA), messagesOf(3))],
      },
      { progress: 100 },
    );
    await until(() => rawHistory.length === 1);
    expect(readBefore).toEqual([0]);
  });
});

describe('history on demand', () => {
  const chat: ArchivedChat = { id: pnOf(ANA), lidJid: lidOf(ANA), name: 'Ana', messages: messagesOf(12) };

  it('reads the request that Baileys sent, and answers it from the phone', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, history, device } = await whatsapp.connectLinked();
    const id = await askBefore(sock, 10, 3);
    await until(() => history.length > 0);
    expect(whatsapp.fake.historyRequests).toEqual([
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
      whatsapp.fake.onHistoryRequest(answerFromArchive([chat], { as }));
      const { sock, history } = await whatsapp.connectLinked();
      for (const [page, anchor] of [10, 7, 4].entries()) {
        await askBefore(sock, anchor, 3);
        await until(() => history.length > page);
      }
      expect(whatsapp.fake.historyRequests.map(({ encryption }) => encryption)).toEqual([
        'pkmsg',
        'msg',
        'msg',
      ]);
      expect(idsOf(history)).toEqual(['A9', 'A8', 'A7', 'A6', 'A5', 'A4', 'A3', 'A2', 'A1']);
    },
  );

  it('goes on in a new Signal session that the phone begins, about which libsignal writes on the console', async () => {
    const written = vi.spyOn(console, 'info').mockReturnValue();
    vi.spyOn(console, 'warn').mockReturnValue();
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    whatsapp.fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, history, device } = await whatsapp.connectLinked();
    await askBefore(sock, 10, 3);
    await until(() => history.length === 1);
    whatsapp.fake.renewSession(device);
    await askBefore(sock, 7, 3);
    await until(() => history.length === 2);
    await askBefore(sock, 4, 3);
    await until(() => history.length === 3);
    // Once by the phone, once by the client: keys and all, on a program's standard output.
    expect(written.mock.calls.map(([text]: unknown[]) => text)).toEqual([
      'Closing session:',
      'Closing session:',
    ]);
    expect(whatsapp.fake.historyRequests).toHaveLength(3);
  });

  it('says on the last page that nothing older remains, which only the raw event still holds', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, history, rawHistory } = await whatsapp.connectLinked();
    await askBefore(sock, 10, 8);
    await until(() => history.length === 1);
    await askBefore(sock, 2, 8);
    await until(() => history.length === 2);
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
    whatsapp.fake.onHistoryRequest(answerFromArchive([other], { from: 'lid', sessionId: 'none' }));
    const { sock, rawHistory } = await whatsapp.connectLinked();
    await askBefore(sock, 5);
    await until(() => rawHistory.length > 0);
    expect(rawHistory[0]).toMatchObject({
      chats: [{ id: lidOf(ANA), pnJid: pnOf(ANA) }],
      lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }],
    });
    expect(rawHistory[0]?.peerDataRequestSessionId).toBeFalsy();
  });

  it('brings mappings beside the chats', async () => {
    whatsapp.fake.onHistoryRequest(() => ({
      conversations: [conversation(lidOf(ANA), messagesOf(1, lidOf(ANA)))],
      mappings: [{ pn: pnOf(ANA), lid: lidOf(ANA) }],
    }));
    const { sock, rawHistory } = await whatsapp.connectLinked();
    await askBefore(sock, 5);
    await until(() => rawHistory.length > 0);
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
    whatsapp.fake.onHistoryRequest(answerFromArchive([chat]));
    const { sock, rawHistory } = await whatsapp.connectLinked();
    await ask(sock);
    await until(() => whatsapp.fake.historyRequests.length === 1);
    await quiet();
    expect(rawHistory).toEqual([]);
  });

  it.each(['missing-blob', 'corrupt-blob'] as const)(
    'sends a %s, of which Baileys says nothing',
    async (as) => {
      whatsapp.fake.onHistoryRequest(answerFromArchive([chat], { as }));
      const { sock, rawHistory, device } = await whatsapp.connectLinked();
      await askBefore(sock, 5);
      await until(() => whatsapp.fake.downloads.length > 0);
      await until(() => device.received.some(({ attrs }) => attrs.type === 'hist_sync'));
      await quiet();
      expect(rawHistory).toEqual([]);
      expect(device.isOnline).toBe(true);
    },
  );

  it.each([
    ['inline', undefined],
    ['blob', undefined],
    ['missing-blob', 'Failed to fetch stream'],
    // What zlib finds wrong depends on the random bytes.
    ['corrupt-blob', /incorrect|unknown|invalid/],
  ] as const)(
    'lets a client read the notification of a %s by itself, and know what went wrong',
    async (as, wrong) => {
      whatsapp.fake.onHistoryRequest(answerFromArchive([chat], { as }));
      const { sock, messages, rawHistory } = await whatsapp.connectLinked({
        shouldSyncHistoryMessage: ({ syncType }) => syncType !== ON_DEMAND_NOTIFICATION,
      });
      const id = await askBefore(sock, 5, 2);
      const notification = await until(() => getHistoryMsg(messages[0]?.message ?? {}));
      expect(notification).toMatchObject({ syncType: ON_DEMAND_NOTIFICATION, peerDataRequestSessionId: id });
      const read = downloadAndProcessHistorySyncNotification(
        notification,
        mediaOptions(whatsapp.fake.httpUrl),
      );
      if (wrong === undefined) {
        expect((await read).messages.map(({ key }) => key.id)).toEqual(['A4', 'A3']);
      } else {
        await expect(read).rejects.toThrow(wrong);
      }
      expect(rawHistory).toEqual([]);
    },
  );

  it('loses the line while a client waits, and delivers the answer when it is back', async () => {
    const archive = answerFromArchive([chat]);
    whatsapp.fake.onHistoryRequest((request) => {
      request.device.drop();
      return archive(request);
    });
    const { sock, ended, rawHistory } = await whatsapp.connectLinked();
    await askBefore(sock, 5, 2);
    expect(await ended).toBe(428);
    expect(rawHistory).toEqual([]);
    await expect(askBefore(sock, 5)).rejects.toThrow('Connection Closed');
    const again = whatsapp.connect({ creds: sock.authState.creds, keys: sock.authState.keys });
    await until(() => again.rawHistory.length > 0);
    expect(idsOf(again.rawHistory)).toEqual(['A4', 'A3']);
  });

  it('serves two devices at once, each with its own answers', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chat]));
    const [one, two] = [await whatsapp.connectLinked(), await whatsapp.connectLinked()];
    const ids = await Promise.all([askBefore(one.sock, 5, 1), askBefore(two.sock, 9, 1)]);
    await until(() => one.history.length > 0 && two.history.length > 0);
    expect([one, two].map(({ history }) => history[0]?.peerDataRequestSessionId)).toEqual(ids);
    expect([idsOf(one.history), idsOf(two.history)]).toEqual([['A4'], ['A8']]);
  });
});
