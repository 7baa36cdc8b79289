import type { SameIdRow } from '../../store/checks/message-ids.js';

/** What several rows with one id turn out to be. */
export interface SameIdGroup {
  /** Rows too many: further copies of a message that is there. */
  copies: number;
  /** Different messages that claim the id; 1 if the copies are all there is. */
  claims: number;
  /** What makes them different; null where nothing does. */
  why: 'other_conversation' | 'other_content' | null;
}

/**
 * Tells copies of one message from different messages with one id (rule M9): another conversation or direction, or another
 * text or file, makes another message. What is absent contradicts nothing (M2), nor does what an edit or revoke changed (M5).
 */
export function judgeSameId(rows: readonly SameIdRow[]): SameIdGroup {
  const claims: SameIdRow[][] = [];
  for (const row of rows) {
    const same = claims.find((claim) => claim.every((other) => isSameMessage(row, other)));
    if (same === undefined) claims.push([row]);
    else same.push(row);
  }
  const conversations = new Set(rows.map((row) => row.conversationId));
  return {
    copies: rows.length - claims.length,
    claims: claims.length,
    why: claims.length === 1 ? null : conversations.size > 1 ? 'other_conversation' : 'other_content',
  };
}

function isSameMessage(a: SameIdRow, b: SameIdRow): boolean {
  if (a.conversationId !== b.conversationId || a.direction !== b.direction) return false;
  if (a.isAmended || b.isAmended) return true;
  return agree(a.bodyHash, b.bodyHash) && agree(a.mediaSha256, b.mediaSha256);
}

function agree(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b;
}
