import { setTimeout as delay } from 'node:timers/promises';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import {
  ANA,
  before,
  chatOf,
  FIRST_AT,
  idsIn,
  idsOf,
  useHistorySessions,
} from '../support/asking-history.js';
import { lidOf, pnOf } from '../support/fake-whatsapp/account.js';
import { answerFromArchive, conversation, inChunks } from '../support/fake-whatsapp/archive.js';
import { until } from '../support/fake-whatsapp/session.js';

const { whatsapp, open } = useHistorySessions();
const PHONE = answerFromArchive([chatOf(40)]);
const { Type } = proto.Message.ProtocolMessage;

function range(from: number, to: number): Set<string> {
  return new Set(Array.from({ length: to - from }, (_, n) => `A${from + n}`));
}

describe('an answer in several chunks', () => {
  it.each(['inline', 'blob'] as const)('is one page, sent %s', async (as) => {
    whatsapp.fake.onHistoryRequest(inChunks(PHONE, 5, () => ({ as })));
    const { session, kept, keeper } = await open();
    const page = await session.fetchPage(before(39, { count: 20 }));
    expect(page).toMatchObject({ kind: 'page', messages: 20, missing: null, endOfHistory: false });
    expect(new Set(idsOf(page))).toEqual(range(19, 39));
    expect(page.kind === 'page' ? page.own.at(-1) : null).toMatchObject({ id: 'A19' });
    expect(kept).toHaveLength(4);
    expect(keeper.owed.size).toBe(0);
  });

  it('whose second part takes a while is waited for', async () => {
    whatsapp.fake.onHistoryRequest(inChunks(PHONE, 10, (chunk) => ({ afterMs: chunk * 1_200 })));
    const { session } = await open();
    expect(new Set(idsOf(await session.fetchPage(before(39, { count: 20 }))))).toEqual(range(19, 39));
  });

  it('that comes the oldest first loses nothing', async () => {
    whatsapp.fake.onHistoryRequest(async (request) => {
      const chunks = await inChunks(PHONE, 10)(request);
      return Array.isArray(chunks) ? chunks.toReversed() : chunks;
    });
    const { session } = await open();
    expect(new Set(idsOf(await session.fetchPage(before(39, { count: 20 }))))).toEqual(range(19, 39));
  });

  it('of which one comes when the next request waits is no answer to that one, and is kept', async () => {
    whatsapp.fake.onHistoryRequest(async (request) => {
      if (whatsapp.fake.historyRequests.length === 1)
        return inChunks(PHONE, 10, (chunk) => ({ afterMs: chunk * 4_500 }))(request);
      await delay(4_000);
      return PHONE(request);
    });
    const { session, kept } = await open();
    expect(new Set(idsOf(await session.fetchPage(before(39, { count: 20 }))))).toEqual(range(29, 39));
    const second = await session.fetchPage(before(29, { count: 5 }));
    expect(new Set(idsOf(second))).toEqual(range(24, 29));
    // The late one is between them, and among what was kept.
    expect(new Set(idsIn(JSON.stringify(kept)))).toEqual(range(19, 39));
  });

  it('of which one never comes is known to be incomplete by the numbers of the others', async () => {
    whatsapp.fake.onHistoryRequest(
      inChunks(PHONE, 5, (chunk) => (chunk === 1 ? null : { chunkOrder: chunk + 1 })),
    );
    const { session } = await open();
    expect(await session.fetchPage(before(39, { count: 15 }))).toMatchObject({ missing: 'chunk' });
  });

  it('of which one file cannot be had says so, and the file stays owed', async () => {
    whatsapp.fake.onHistoryRequest(
      inChunks(PHONE, 5, (chunk) => ({ as: chunk === 0 ? 'missing-blob' : 'blob' })),
    );
    const { session, keeper, kept } = await open();
    const page = await session.fetchPage(before(39, { count: 10 }));
    expect(page).toMatchObject({ kind: 'page', messages: 5, missing: 'file' });
    expect([...keeper.owed.values()]).toMatchObject([
      { request: { chatJid: pnOf(ANA), anchor: { id: 'A39', timestampMs: (FIRST_AT + 39) * 1000 } } },
    ]);
    expect(keeper.failures).toHaveLength(1);
    whatsapp.fake.healFiles();
    await session.retry([...keeper.owed.values()].map(({ notification }) => notification));
    expect(keeper.owed.size).toBe(0);
    expect(new Set(idsIn(JSON.stringify(kept)))).toEqual(range(29, 39));
  });
});

describe('what comes when nobody waits any more', () => {
  it('is kept when the answer comes after the time is over', async () => {
    whatsapp.fake.onHistoryRequest(inChunks(PHONE, 50, () => ({ afterMs: 900 })));
    const { session, kept } = await open();
    expect(await session.fetchPage(before(39, { timeoutMs: 300 }))).toEqual({ kind: 'silent' });
    await until(() => kept.length === 1);
  });

  it('an unnamed file whose download outlasts the time is still the answer', async () => {
    whatsapp.fake.onHistoryRequest(
      answerFromArchive([chatOf(40, { answersAs: lidOf(ANA), pnJid: pnOf(ANA) })], {
        as: 'blob',
        downloadMs: 1_000,
        sessionId: 'none',
      }),
    );
    const { session } = await open();
    const page = await session.fetchPage(before(39, { timeoutMs: 600, otherJid: lidOf(ANA) }));
    expect(page).toMatchObject({ kind: 'page', messages: 3 });
  });

  it('a file that is still downloaded when the session ends is waited for, and that is said', async () => {
    whatsapp.fake.onHistoryRequest(() => 'silence');
    const waiting: number[] = [];
    const { session, device, kept, keeper } = await open({ onWaiting: (files) => waiting.push(files) });
    await whatsapp.fake.pushHistory(
      device,
      {
        syncType: proto.HistorySync.HistorySyncType.ON_DEMAND,
        conversations: [conversation(pnOf(ANA), chatOf(3).messages)],
      },
      { as: 'blob', downloadMs: 1_200 },
    );
    await until(() => keeper.owed.size === 1);
    await session.end();
    expect(waiting).toEqual([1]);
    expect(kept).toHaveLength(1);
    expect(keeper.owed.size).toBe(0);
  });

  it('a download that never ends is given up, said, and owed', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(40)], { as: 'blob', downloadMs: 600_000 }));
    const waiting: [files: number, ms: number][] = [];
    const { session, keeper } = await open({
      downloadTimeoutMs: 6_000,
      onWaiting: (...said) => waiting.push(said),
    });
    const startedAt = performance.now();
    expect(await session.fetchPage(before(39))).toMatchObject({ kind: 'download_failed' });
    expect(performance.now() - startedAt).toBeLessThan(12_000);
    // Nearly all of the 6 s are over when it is said.
    expect(waiting).toEqual([[1, 2_000]]);
    await session.end();
    expect(keeper.owed.size).toBe(1);
  });

  it('a file that never ends has one time for all requests that complete its answer, and for the end', async () => {
    whatsapp.fake.onHistoryRequest(
      inChunks(answerFromArchive([chatOf(40)]), 5, (chunk) =>
        chunk === 0 ? {} : { as: 'blob', downloadMs: 600_000 },
      ),
    );
    const { session, keeper } = await open({ downloadTimeoutMs: 7_000 });
    const first = await session.fetchPage(before(39, { count: 10 }));
    expect(first).toMatchObject({ kind: 'page', messages: 5, missing: 'file' });
    const startedAt = performance.now();
    const again = await session.fetchPage(before(34, { count: 10, isFurther: true }));
    expect(again).toMatchObject({ kind: 'page', messages: 5, missing: 'file' });
    await session.end();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    expect(keeper.owed.size).toBe(2);
  });

  it('a user who stops waits a few seconds at most; what is missing then is owed', async () => {
    whatsapp.fake.onHistoryRequest(answerFromArchive([chatOf(40)], { as: 'blob', downloadMs: 30_000 }));
    const stop = new AbortController();
    const { session, keeper } = await open({ signal: stop.signal });
    const page = session.fetchPage(before(39, { signal: stop.signal }));
    await until(() => whatsapp.fake.downloads.length === 1);
    stop.abort();
    const stoppedAt = performance.now();
    expect(await page).toMatchObject({ kind: 'interrupted' });
    await session.end();
    expect(performance.now() - stoppedAt).toBeLessThan(9_000);
    expect(keeper.owed.size).toBe(1);
  });
});

describe('the owner uses the phone while an import waits', () => {
  it.each([
    [
      'revokes',
      { protocolMessage: { type: Type.REVOKE, key: { remoteJid: pnOf(ANA), fromMe: true, id: 'A9' } } },
    ],
    [
      'edits',
      {
        editedMessage: {
          message: {
            protocolMessage: {
              type: Type.MESSAGE_EDIT,
              key: { remoteJid: pnOf(ANA), fromMe: true, id: 'A9' },
              editedMessage: { conversation: 'better' },
            },
          },
        },
      },
    ],
    ['writes', { conversation: 'by hand' }],
  ])('and %s a message', async (_what, content) => {
    whatsapp.fake.onHistoryRequest(async (request) => {
      await whatsapp.fake.pushOwnMessage(pnOf(ANA), content);
      return PHONE(request);
    });
    const log: string[] = [];
    const { session, kept } = await open({ log: (line) => log.push(line) });
    expect(await session.fetchPage(before(39))).toMatchObject({ kind: 'page', messages: 3 });
    expect(kept).toHaveLength(1);
    expect(log.filter((line) => line.includes('not taken in') || line.includes('error in handling'))).toEqual(
      [],
    );
  });
});
