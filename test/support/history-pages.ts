import { deflateSync } from 'node:zlib';
import { downloadAndProcessHistorySyncNotification, proto } from '@whiskeysockets/baileys';
import type { PageOutcome, PageRequest, Phones } from '../../src/commands/import/phone.js';
import type { HistoryAnchor, HistoryPage } from '../../src/whatsapp/history-page.js';
import { rawEvent } from '../../src/whatsapp/tap-events.js';
import { type ArchivedChat, conversation } from './fake-whatsapp/archive.js';
import type { HistoryAnswer } from './fake-whatsapp/history-requests.js';

const { HistorySyncType } = proto.HistorySync;
const { EndOfHistoryTransferType } = proto.Conversation;

/** The event that Baileys makes of what a phone sends, as bytes: genuine, by Baileys' own proto and functions. */
export async function historyEvent(
  { conversations, mappings = [] }: Pick<HistoryAnswer, 'conversations' | 'mappings'>,
  { syncType = HistorySyncType.ON_DEMAND, sessionId = 'session' } = {},
): Promise<Uint8Array> {
  const history = proto.HistorySync.fromObject({
    syncType,
    conversations,
    phoneNumberToLidMappings: mappings.map(({ pn, lid }) => ({ pnJid: pn, lidJid: lid })),
  });
  const notification = proto.Message.HistorySyncNotification.fromObject({
    syncType,
    initialHistBootstrapInlinePayload: deflateSync(proto.HistorySync.encode(history).finish()),
  });
  const set = await downloadAndProcessHistorySyncNotification(notification, {});
  return rawEvent('messaging-history.set', { ...set, peerDataRequestSessionId: sessionId });
}

/** An answer in several chunks. */
export async function historyPages(answers: readonly HistoryAnswer[]): Promise<HistoryPage> {
  const pages = await Promise.all(answers.map((answer) => historyPage(answer)));
  return {
    kind: 'page',
    chunks: pages.flatMap(({ chunks }) => chunks),
    messages: pages.reduce((sum, { messages }) => sum + messages, 0),
    own: pages.flatMap(({ own }) => own).toSorted((a, b) => b.timestampMs - a.timestampMs),
    parts: pages.flatMap(({ parts }) => parts),
    endOfHistory: pages.some(({ endOfHistory }) => endOfHistory),
    moreRemain: pages.some(({ moreRemain }) => moreRemain),
    missing: null,
  };
}

/** The same as the answer to a request. */
export async function historyPage(answer: HistoryAnswer): Promise<HistoryPage> {
  const [chat] = answer.conversations;
  const keyed = (chat?.messages ?? []).flatMap(({ message }): HistoryAnchor[] => {
    const { id, remoteJid, fromMe } = message?.key ?? {};
    if (typeof id !== 'string' || typeof remoteJid !== 'string') return [];
    return [
      { id, remoteJid, fromMe: fromMe === true, timestampMs: Number(message?.messageTimestamp) * 1000 },
    ];
  });
  const own = keyed.toSorted((a, b) => b.timestampMs - a.timestampMs);
  return {
    kind: 'page',
    chunks: [await historyEvent(answer)],
    messages: answer.conversations.reduce((sum, { messages }) => sum + (messages?.length ?? 0), 0),
    own,
    parts: own.length === 0 ? [] : [own],
    endOfHistory: chat?.endOfHistoryTransferType === NO_MORE,
    moreRemain: chat?.endOfHistoryTransferType === MORE,
    missing: null,
  };
}

export interface FakePhones extends Phones {
  requests: PageRequest[];
  /** How often a device was brought online, and whether one still is. */
  opened: number;
  isOpen: boolean;
  /** What the directory knows: a chat's address and its other one. */
  otherAddresses: Map<string, string>;
}

type Answered = PageOutcome | HistoryAnswer | 'silence';

/** Phones without WhatsApp: what each request is answered with. */
export function fakePhones(answer: (request: PageRequest) => Answered | Promise<Answered>): FakePhones {
  const phones: FakePhones = {
    requests: [],
    opened: 0,
    isOpen: false,
    otherAddresses: new Map(),
    open: () => {
      if (!phones.isOpen) phones.opened += 1;
      phones.isOpen = true;
      return Promise.resolve({
        fetchPage,
        otherAddress: (address) => Promise.resolve(phones.otherAddresses.get(address) ?? null),
        settle: () => Promise.resolve(),
      });
    },
    close: () => {
      phones.isOpen = false;
      return Promise.resolve();
    },
  };
  async function fetchPage(request: PageRequest): Promise<PageOutcome> {
    phones.requests.push(request);
    request.onProgress?.('asked');
    const answered = await answer(request);
    if (answered === 'silence') return { kind: 'silent' };
    return 'kind' in answered ? answered : historyPage(answered);
  }
  return phones;
}

/** The phone's own chats: what came before the anchor, and silence about an address or a message that it does not know. */
export function phoneWith(...chats: ArchivedChat[]): (request: PageRequest) => HistoryAnswer | 'silence' {
  return ({ chatJid, anchor, count }) => {
    const chat = chats.find(({ id }) => id === chatJid);
    const at = chat?.messages.findIndex(({ key }) => key?.id === anchor.id) ?? -1;
    if (chat === undefined || at < 0) return 'silence';
    const from = Math.max(0, at - count);
    const { id, answersAs = id, pnJid, lidJid, name } = chat;
    return {
      conversations: [
        conversation(answersAs, chat.messages.slice(from, at), {
          endOfHistoryTransferType: from === 0 ? NO_MORE : MORE,
          ...(pnJid !== undefined && { pnJid }),
          ...(lidJid !== undefined && { lidJid }),
          ...(name !== undefined && { name }),
        }),
      ],
    };
  };
}

const NO_MORE = EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;
const MORE = EndOfHistoryTransferType.COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY;
