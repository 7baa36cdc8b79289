import { setTimeout as delay } from 'node:timers/promises';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it, vi } from 'vitest';
import { openHistorySession } from '../../src/whatsapp/history-session.js';
import { lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import { answerFromArchive, conversation } from '../support/fake-whatsapp/archive.js';
import { until } from '../support/fake-whatsapp/session.js';
import { ANA, before, chatOf, FIRST_AT, idsOf, useHistorySessions } from '../support/asking-history.js';
import { memoryDevice, memoryKeeper } from '../support/memory-device.js';

vi.mock('../../src/whatsapp/assumptions.js', async (load) =>
  (await import('../support/short-pauses.js')).shorten(await load<object>()),
);

const { whatsapp, open } = useHistorySessions();
const { EndOfHistoryTransferType } = proto.Conversation;

describe('a session for history', () => {
  it.each(['inline', 'blob'] as const)('brings page after page, whole, sent %s', async (as) => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(6)], { as }));
    const { session } = await open();
    const first = await session.fetchPage(before(5));
    expect(first).toMatchObject({
      kind: 'page',
      messages: 3,
      endOfHistory: false,
      own: [
        { id: 'A4' },
        { id: 'A3' },
        { id: 'A2', fromMe: false, remoteJid: pnOf(ANA), timestampMs: (FIRST_AT + 2) * 1000 },
      ],
      missing: null,
    });
    expect(new Set(idsOf(first))).toEqual(new Set(['A4', 'A3', 'A2']));
    const second = await session.fetchPage(before(2));
    expect(second).toMatchObject({ kind: 'page', messages: 2, endOfHistory: true });
    const event: unknown = JSON.parse(
      second.kind === 'page' ? Buffer.concat(second.chunks).toString() : 'null',
    );
    expect(event).toMatchObject({
      event: 'messaging-history.set',
      data: {
        syncType: 6,
        lidPnMappings: [{ lid: lidOf(ANA), pn: pnOf(ANA) }],
        chats: [{ endOfHistoryTransferType: 'COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY' }],
        peerDataRequestSessionId: whatsapp.fake.historyRequests[1]?.id,
      },
    });
    expect(whatsapp.fake.historyRequests[0]).toMatchObject({
      chatJid: pnOf(ANA),
      oldestMessageTimestamp: FIRST_AT + 5,
      count: 3,
    });
  });

  it('takes an answer under the other address, which does not name the request', async () => {
    const other = chatOf(6, { answersAs: lidOf(ANA), pnJid: pnOf(ANA) });
    whatsapp.fake.onHistoryRequest(answerFromArchive([other], { from: 'lid', sessionId: 'none' }));
    const { session, kept } = await open();
    const page = await session.fetchPage(before(5, { otherJid: lidOf(ANA) }));
    expect(page).toMatchObject({ kind: 'page', messages: 3 });
    expect(kept).toHaveLength(1);
  });

  it.each([
    { flag: 'COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY', end: false, more: true },
    { flag: 'COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY', end: false, more: true },
    { flag: 'COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY', end: true, more: false },
    { flag: null, end: false, more: false },
  ] as const)('reads what an empty answer says of the rest: $flag', async ({ flag, end, more }) => {
    const said = flag === null ? {} : { endOfHistoryTransferType: EndOfHistoryTransferType[flag] };
    whatsapp.fake.onHistoryRequest(({ chatJid }) => ({ conversations: [conversation(chatJid, [], said)] }));
    const { session } = await open();
    expect(await session.fetchPage(before(5))).toMatchObject({
      kind: 'page',
      own: [],
      endOfHistory: end,
      moreRemain: more,
    });
  });

  it('hands on an answer about somebody else, and goes on waiting', async () => {
    whatsapp.fake.onHistoryRequest(() => ({
      sessionId: 'none',
      conversations: [conversation('5511911112222@s.whatsapp.net', [])],
    }));
    const { session, kept } = await open();
    expect(await session.fetchPage(before(5, { timeoutMs: 600 }))).toEqual({ kind: 'silent' });
    expect(kept).toMatchObject([{ event: 'messaging-history.set' }]);
  });

  it('says that the phone is silent when the time is over', async () => {
    const { session } = await open();
    const began = performance.now();
    expect(await session.fetchPage(before(5, { timeoutMs: 500 }))).toEqual({ kind: 'silent' });
    expect(performance.now() - began).toBeGreaterThan(490);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it.each(['missing-blob', 'corrupt-blob'] as const)('says that the download of a %s failed', async (as) => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(6)], { as }));
    const { session } = await open();
    expect(await session.fetchPage(before(5))).toMatchObject({ kind: 'download_failed' });
  });

  it('builds a line up again that was lost, and gets the answer that was kept', async () => {
    const archive = answerFromArchive([chatOf(6)]);
    whatsapp.fake.onHistoryRequest((request) => {
      if (whatsapp.fake.historyRequests.length === 1) request.device.drop();
      return archive(request);
    });
    const { session, device } = await open();
    expect(await session.fetchPage(before(5))).toMatchObject({ kind: 'page', messages: 3 });
    expect(device.logins).toBe(2);
  });

  it('asks again when the request was lost with the line', async () => {
    const archive = answerFromArchive([chatOf(6)]);
    whatsapp.fake.onHistoryRequest((request) => {
      if (whatsapp.fake.historyRequests.length > 1) return archive(request);
      request.device.drop();
      return 'silence';
    });
    const { session } = await open();
    expect(await session.fetchPage(before(5))).toMatchObject({ kind: 'page', messages: 3 });
    expect(whatsapp.fake.historyRequests).toHaveLength(2);
  });

  it('builds another line up when the old one carries nothing and does not close', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(6)]));
    const { session, device } = await open();
    device.send({ tag: 'xmlstreamend', attrs: {} });
    device.freeze();
    // Baileys says goodbye, and nobody answers.
    await delay(200);
    expect(await session.fetchPage(before(5))).toMatchObject({ kind: 'page', messages: 3 });
    expect(device.logins).toBe(2);
  });

  it('knows of a conflict before the line has closed, and does not come back', async () => {
    const { session, device } = await open();
    device.send({
      tag: 'stream:error',
      attrs: {},
      content: [{ tag: 'conflict', attrs: { type: 'replaced' } }],
    });
    device.freeze();
    await delay(200);
    expect(await session.fetchPage(before(5))).toEqual({ kind: 'conflict' });
    expect(device.logins).toBe(1);
  });

  it('ends soon where nobody answers the goodbye', async () => {
    const { session, device } = await open();
    device.freeze();
    const startedAt = performance.now();
    await session.end();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('leaves at once when another login takes over, and never comes back', async () => {
    whatsapp.fake.onHistoryRequest(({ device }) => {
      device.replace();
      return 'silence';
    });
    const { session, device } = await open();
    expect(await session.fetchPage(before(5))).toEqual({ kind: 'conflict' });
    expect(await session.fetchPage(before(5))).toEqual({ kind: 'conflict' });
    expect(device.logins).toBe(1);
  });

  it('says that the phone has unlinked the device, while it waits and before', async () => {
    whatsapp.fake.onHistoryRequest(({ device }) => {
      device.unlink();
      return 'silence';
    });
    const { session } = await open();
    expect(await session.fetchPage(before(5))).toEqual({ kind: 'logged_out' });
    whatsapp.fake.refuseConnections(401);
    const late = await open();
    expect(late.session.problem).toEqual({ kind: 'logged_out' });
    expect(await late.session.fetchPage(before(5))).toEqual({ kind: 'logged_out' });
  });

  it('is offline when WhatsApp cannot be reached in time, and says why', async () => {
    whatsapp.fake.refuseConnections(503);
    const { session } = await open({ connectTimeoutMs: 800 });
    expect(session.problem).toEqual({ kind: 'offline', reason: '503' });
    expect(await session.fetchPage(before(5, { timeoutMs: 300 }))).toEqual({
      kind: 'offline',
      reason: '503',
    });
    whatsapp.fake.refuseConnections(undefined);
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(6)]));
    expect(await session.fetchPage(before(5))).toMatchObject({ kind: 'page' });
  });

  it('stops when it is told to', async () => {
    const { session } = await open();
    const stop = new AbortController();
    const page = session.fetchPage(before(5, { signal: stop.signal }));
    await until(() => whatsapp.fake.historyRequests.length > 0);
    stop.abort();
    expect(await page).toEqual({ kind: 'interrupted' });
  });

  it('needs a device, and says how to link one', async () => {
    await expect(
      openHistorySession({ storage: memoryDevice(), keeper: memoryKeeper() }),
    ).rejects.toMatchObject({
      code: 'not_linked',
      exitCode: 6,
    });
  });
});
