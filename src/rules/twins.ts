import type { Direction } from '../model/enumerations.js';

/** WhatsApp's two ways to one message may disagree by this much about its time (rule M10). */
export const TWIN_TOLERANCE_MS = 2_000;

/** What rule M10 looks at. */
export interface TwinTraits {
  externalId: string;
  stanzaId: string | null;
  direction: Direction;
  timestamp: number;
}

/** Only the Cloud API names messages so; everything else is WhatsApp Web's key id. */
export function isWamid(id: string): boolean {
  return id.startsWith('wamid.');
}

/**
 * Rule M10: two names of one message have the same stanza id and direction, times within 2 s, and exactly one of them is a
 * wamid. Whether they are in the same conversation is for the caller to see.
 */
export function areTwins(a: TwinTraits, b: TwinTraits): boolean {
  return (
    a.stanzaId !== null &&
    a.stanzaId === b.stanzaId &&
    a.direction === b.direction &&
    Math.abs(a.timestamp - b.timestamp) <= TWIN_TOLERANCE_MS &&
    isWamid(a.externalId) !== isWamid(b.externalId)
  );
}
