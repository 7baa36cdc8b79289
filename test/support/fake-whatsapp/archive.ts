import { proto } from '@whiskeysockets/baileys';
import type { HistoryAnswer, HistoryHandler } from './history-requests.js';

type Delivery = Omit<HistoryAnswer, 'conversations'>;

const { EndOfHistoryTransferType } = proto.Conversation;
/** A later date in seconds is one in milliseconds: the year 5138. */
const LATEST_SECONDS = 100_000_000_000;

/** A chat as the account's phone keeps it. */
export interface ArchivedChat {
  /** The one address that the phone answers to for this chat: a number's or a LID's. */
  id: string;
  /** The address that it puts on its answers, if that is another one. */
  answersAs?: string;
  pnJid?: string;
  lidJid?: string;
  name?: string;
  /** The oldest first. */
  messages: readonly proto.IWebMessageInfo[];
}

/** A message as history holds it. */
export interface ArchivedMessage {
  chat: string;
  id: string;
  fromMe?: boolean;
  /** In a group, who wrote it. */
  participant?: string;
  /** Seconds since 1970. */
  at: number;
  text?: string;
  /** Instead of a text. */
  content?: proto.IMessage;
}

export function archived(message: ArchivedMessage): proto.IWebMessageInfo {
  const { chat, id, fromMe = false, participant, at, text = id, content = { conversation: text } } = message;
  return {
    key: { remoteJid: chat, id, fromMe, ...(participant !== undefined && { participant }) },
    messageTimestamp: at,
    message: content,
    ...(participant !== undefined && { participant }),
    ...(fromMe && { status: proto.WebMessageInfo.Status.READ }),
  };
}

/** A conversation of a history chunk; its messages go the newest first, as a phone sends them. */
export function conversation(
  id: string,
  messages: readonly proto.IWebMessageInfo[],
  fields: Partial<proto.IConversation> = {},
): proto.IConversation {
  return { ...fields, id, messages: messages.toReversed().map((message) => ({ message })) };
}

/**
 * A phone with these chats: it sends up to so many messages before the anchor, and says whether there are older ones. Like
 * a real one it is silent where it cannot answer: an address or an anchor it does not know, a date in milliseconds.
 */
export function answerFromArchive(
  chats: readonly ArchivedChat[],
  delivery: Omit<HistoryAnswer, 'conversations'> = {},
): HistoryHandler {
  return ({ chatJid, oldestMessageId, oldestMessageFromMe, oldestMessageTimestamp, count }) => {
    const chat = chats.find(({ id }) => id === chatJid);
    const anchor = chat?.messages.findIndex(
      ({ key }) => key?.id === oldestMessageId && (key.fromMe === true) === oldestMessageFromMe,
    );
    if (chat === undefined || anchor === undefined || anchor < 0) return 'silence';
    if (oldestMessageTimestamp > LATEST_SECONDS) return 'silence';
    const from = Math.max(0, anchor - count);
    const { id, answersAs = id, messages, name, pnJid, lidJid } = chat;
    return {
      ...delivery,
      conversations: [
        conversation(answersAs, messages.slice(from, anchor), {
          endOfHistoryTransferType:
            from === 0
              ? EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY
              : EndOfHistoryTransferType.COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY,
          ...(name !== undefined && { name }),
          ...(pnJid !== undefined && { pnJid }),
          ...(lidJid !== undefined && { lidJid }),
        }),
      ],
    };
  };
}

/**
 * The same phone, whose answers come in chunks of at most so many messages, the newest first; `deliver` says how the n-th of
 * them travels, and null that it never does.
 */
export function inChunks(
  phone: HistoryHandler,
  size: number,
  deliver: (chunk: number) => Delivery | null = () => ({}),
): HistoryHandler {
  return async (request) => {
    const answer = await phone(request);
    if (answer === 'silence' || !('conversations' in answer)) return answer;
    const { conversations, ...rest } = answer;
    const [chat] = conversations;
    const messages = chat?.messages ?? [];
    const chunks: HistoryAnswer[] = [];
    for (let at = 0; at < messages.length; at += size) {
      const delivery = deliver(at / size);
      if (delivery === null) continue;
      const part = { ...chat, id: chat?.id ?? '', messages: messages.slice(at, at + size) };
      chunks.push({ ...rest, ...delivery, conversations: [part] });
    }
    return chunks;
  };
}
