import { isCutId, type ChatWitness, type Witness } from '../model/chat-line.js';
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
  const { beginning, direction, at } = witness;
  return rivals.find(
    (rival) =>
      rival.direction === direction &&
      Math.abs(rival.at - at) <= TWIN_TOLERANCE_MS &&
      rival.keyId?.startsWith(beginning) === true,
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
