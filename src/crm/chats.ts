import { parseJid } from '../identity/jid.js';
import type { AsideReason } from './crm.js';

/** Why a row of this chat needs no counterpart in the log; null for a conversation with one person. */
export function asideOfChat(jid: string): AsideReason | null {
  const { kind } = parseJid(jid);
  switch (kind) {
    case 'group':
    case 'status_broadcast':
    case 'broadcast':
    case 'newsletter':
      return kind;
    case 'official':
      return 'broadcast';
    case 'user':
    case 'lid':
    case 'unknown':
      return null;
  }
}

/** LIDs have as many digits; no phone that WhatsApp knows does. */
const LID_DIGITS = /^\+?(\d{15,})$/;

/** The LID whose digits a program took for a phone (I2): as one, it would become a lead's when adopted. */
export function lidTakenForPhone(number: string): string | undefined {
  const digits = LID_DIGITS.exec(number)?.[1];
  return digits === undefined ? undefined : `${digits}@lid`;
}

/** Rows about another message; replay stores none of them as a message (M5, M6). */
const NO_MESSAGES = new Map<string, AsideReason>([
  ['albumMessage', 'album'],
  ['editedMessage', 'edit'],
  ['encReactionMessage', 'reaction'],
  ['pollUpdateMessage', 'poll_vote'],
  ['protocolMessage', 'protocol'],
  ['reactionMessage', 'reaction'],
  ['secretEncryptedMessage', 'edit'],
  ['senderKeyDistributionMessage', 'protocol'],
]);

/** Why a row with this content of WhatsApp Web is no message; null for a message. */
export function asideOfContent(type: string): AsideReason | null {
  return NO_MESSAGES.get(type) ?? null;
}
