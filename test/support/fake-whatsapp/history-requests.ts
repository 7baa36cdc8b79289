import { proto } from '@whiskeysockets/baileys';
import type { LinkedDevice } from './linked-device.js';
import type { Delivery, HistoryRequest } from './peer-messages.js';

/** What the phone sends for one request. */
export interface HistoryAnswer extends Omit<Delivery, 'sessionId'> {
  conversations: proto.IConversation[];
  /** Pairs of addresses that come beside the chats. */
  mappings?: { pn: string; lid: string }[];
  /** The request's own id (the default), none, or another one. */
  sessionId?: 'of-request' | 'none' | (string & {});
}

type HistoryAnswers = HistoryAnswer | readonly HistoryAnswer[] | 'silence';

/**
 * Answers a request for a chat's older messages: with one answer, with several in order, or not at all. It may use the
 * request's device: to drop its line, to unlink it.
 */
export type HistoryHandler = (request: HistoryRequest) => HistoryAnswers | Promise<HistoryAnswers>;

type Push = (device: LinkedDevice, history: proto.IHistorySync, delivery: Delivery) => Promise<void>;

export async function answerHistoryRequest(
  request: HistoryRequest,
  handler: HistoryHandler,
  push: Push,
): Promise<void> {
  const answered = await handler(request);
  if (answered === 'silence') return;
  for (const answer of [answered].flat()) {
    const { conversations, mappings = [], sessionId = 'of-request', ...delivery } = answer;
    const history: proto.IHistorySync = {
      syncType: proto.HistorySync.HistorySyncType.ON_DEMAND,
      conversations,
      phoneNumberToLidMappings: mappings.map(({ pn, lid }) => ({ pnJid: pn, lidJid: lid })),
    };
    await push(request.device, history, {
      ...delivery,
      ...(sessionId !== 'none' && { sessionId: sessionId === 'of-request' ? request.id : sessionId }),
    });
  }
}
