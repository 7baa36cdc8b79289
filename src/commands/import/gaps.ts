import type { HistoryGap } from '../../store/tables/history.js';
import type { PageOutcome } from './phone.js';

type Page = Extract<PageOutcome, { kind: 'page' }>;

/**
 * What an answer seems to leave out between its newest message and the one that was asked from; null where it is as long as
 * was asked for, or the phone has nothing older. WhatsApp numbers no messages, so a short answer is a suspicion only.
 */
export function gapIn(
  answer: Page,
  request: Pick<HistoryGap, 'chatJid' | 'otherJid' | 'anchor'>,
  count: number,
): HistoryGap | null {
  const [newest] = answer.own;
  if (newest === undefined) return null;
  const { chatJid, otherJid, anchor } = request;
  const { id, fromMe, timestampMs } = anchor;
  const reason =
    answer.missing ?? (answer.own.length < count && !answer.endOfHistory ? ('short' as const) : null);
  if (reason === null) return null;
  // It reaches over the message that was asked from: then nothing is between them.
  if (reason === 'short' && newest.timestampMs >= timestampMs) return null;
  return {
    chatJid,
    otherJid,
    anchor: { id, fromMe, timestampMs },
    behind: { id: newest.id, timestampMs: newest.timestampMs },
    reason,
  };
}

/** Whether something is known to be missing, and not only suspected. */
export function isKnownMissing({ reason }: HistoryGap): boolean {
  return reason !== 'short';
}

/** Whether what the phone has directly before a message is in the answer that began there. */
export function followsOn(look: Page, answer: Page): boolean {
  const [newest] = look.own;
  if (newest === undefined) return true;
  return answer.own.some(({ id, fromMe }) => id === newest.id && fromMe === newest.fromMe);
}
