import { isCutId, type ChatWitness, type CutId, type Witness } from '../model/chat-line.js';
import type { Direction } from '../model/enumerations.js';
import { isNear } from './chat-clock.js';
import { isSame, type StoredMessage } from './chat-content.js';
import { TWIN_TOLERANCE_MS } from './message-state.js';
import { pairInOrder } from './pair-in-order.js';

/** A message with its own id, as far as a chat line can show it. */
export type Rival = Omit<StoredMessage, 'isEdited'> & {
  /** WhatsApp Web's id of it; null if its id does not tell. */
  keyId?: string | null;
};

/**
 * The message that a line of an exported chat shows (M11); undefined if no known one can be it. Pairs all lines that
 * might show the same messages with them in order, those of the line's own minute or second first, so that equal texts
 * count: of two lines `ok` in one minute, one message `ok` is the first. The answer depends only on the lines and the
 * messages, and an additional message never takes a line's match away: any order of the log leads to the same rows.
 */
export function messageOfLine(witness: ChatWitness, rivals: readonly Rival[]): Rival | undefined {
  const { direction, unit, tolerance, lines, index } = witness;
  const sorted = rivals
    .filter((rival) => rival.direction === direction)
    .sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  const { partners } = pairInOrder(lines.length, sorted.length, (left) => {
    const line = lines[left];
    if (line === undefined) return [];
    const near = sorted.flatMap((rival, right) =>
      isNear(line.at, rival.at, { unit, tolerance }) && isSame(line, rival) ? [right] : [],
    );
    const isExact = (right: number): boolean =>
      isNear(line.at, sorted[right]?.at ?? 0, { unit, tolerance: 0 });
    return [near.filter(isExact), near.filter((right) => !isExact(right))];
  });
  const partner = partners[index];
  return partner === undefined ? undefined : sorted[partner];
}

/** The message that takes the place of one whose id is made up (M11, M12); undefined if no known one does. */
export function messageOf(witness: Witness, rivals: readonly Rival[]): Rival | undefined {
  if (!isCutId(witness)) return messageOfLine(witness, rivals);
  return rivals.find((rival) => isCutOf(witness, rival));
}

/**
 * Whether a message with its own id is the one whose id is cut (M12). What is not known of it (a CRM keeps no true time) contradicts
 * nothing.
 */
export function isCutOf(
  { beginning, direction, at }: CutId,
  message: { keyId?: string | null; direction: Direction | null; at: number | null },
): boolean {
  return (
    message.keyId?.startsWith(beginning) === true &&
    (message.direction === null || message.direction === direction) &&
    (message.at === null || Math.abs(message.at - at) <= TWIN_TOLERANCE_MS)
  );
}

/** The time range of messages that may take its place: half-open, ms since 1970. */
export function windowOfWitness(witness: Witness): { from: number; to: number } {
  if (isCutId(witness))
    return { from: witness.at - TWIN_TOLERANCE_MS, to: witness.at + TWIN_TOLERANCE_MS + 1 };
  const { lines, unit, tolerance } = witness;
  const times = lines.map(({ at }) => at);
  return { from: Math.min(...times) - tolerance, to: Math.max(...times) + unit + tolerance };
}
