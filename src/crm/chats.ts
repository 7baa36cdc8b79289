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
