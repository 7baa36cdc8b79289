import {
  boundsOf,
  CLOCK_CHANGES,
  findClock,
  isNear,
  type ChatClock,
  type ChatPrecision,
} from './chat-clock.js';
import {
  doubtAbout,
  isSame,
  isTelling,
  type ChatLine,
  type Doubt,
  type StoredMessage,
} from './chat-content.js';
import { groupBy } from './group-by.js';
import { pairInOrder, type Shortage } from './pair-in-order.js';

/**
 * An exported chat compared with the stored conversation. Every line is in exactly one of matched, lost, ambiguous and
 * notices.
 */
export interface ChatAlignment {
  clock: ChatClock;
  matched: readonly { line: ChatLine; message: StoredMessage }[];
  lost: readonly LostLine[];
  ambiguous: readonly AmbiguousLine[];
  /** WhatsApp's own lines under a person's name, without a message. */
  notices: readonly ChatLine[];
  /** Messages from the chat's time span missing from it. */
  onlyInDatabase: readonly StoredMessage[];
  /** Messages before the chat's first line or after its last: an export may be cut. */
  outside: number;
  /**
   * When its first line was sent, and when its last minute or second ended, ms since 1970; null if the clock is
   * unknown.
   */
  covered: { from: number; to: number } | null;
}

/** The phone has it; the database does not. */
export interface LostLine {
  line: ChatLine;
  /** When it was sent, ms since 1970; null if the phone's clock is unknown. */
  at: number | null;
  /** Lines that may be missing instead, if the same text was sent several times: how many are lost is certain. */
  or: readonly ChatLine[];
}

/** The line may be one of the messages without a line, or of something deleted from the phone as well. */
export interface AmbiguousLine {
  line: ChatLine;
  doubt: Doubt;
  /** Messages it may be. */
  candidates: readonly StoredMessage[];
}

const LONGEST_LIST = 100;

/**
 * Aligns a chat with its stored messages. Equal contents pair in order, within the precision of the phone's times; a
 * line counts as lost only if every pairing leaves it, or an identical one, without a message, and no unpaired message
 * raises a doubt. Pure. `lines` are messages of the two people only, in file order.
 */
export function alignChat(
  lines: readonly ChatLine[],
  stored: readonly StoredMessage[],
  { precision, timeZone }: { precision: ChatPrecision; timeZone?: string | undefined },
): ChatAlignment {
  const messages = stored.toSorted((a, b) => a.at - b.at);
  const clock = findClock(lines, messages, precision, timeZone);
  const said = lines.filter(({ content }) => content.kind !== 'notice');
  const times = new Times(messages, clock, precision);
  const pairing = pairInOrder(said.length, messages.length, (index) => {
    const line = said[index];
    return line === undefined ? [] : times.sameAs(line);
  });
  const doubts = new Doubts(
    pairing.unused.flatMap((index) => messages[index] ?? []),
    clock,
    precision,
  );
  const lost: LostLine[] = [];
  const ambiguous: AmbiguousLine[] = [];
  for (const shortage of pairing.shortages) judge(shortage, said, doubts, clock, { lost, ambiguous });
  const notices = lines.filter((line) => {
    if (line.content.kind !== 'notice') return false;
    const about = doubts.about([line]);
    const doubt = about.values().next().value;
    if (doubt !== undefined) ambiguous.push({ line, doubt, candidates: [...about.keys()] });
    return doubt === undefined;
  });
  const without = doubts.unexplained();
  const covered = coverageOf(lines, clock, precision);
  const onlyInDatabase = without.filter(
    ({ at }) => covered !== null && at >= covered.from && at < covered.to,
  );
  return {
    clock,
    matched: pairing.partners.flatMap((partner, index) => {
      const [line, message] = [said[index], partner === undefined ? undefined : messages[partner]];
      return line === undefined || message === undefined ? [] : [{ line, message }];
    }),
    lost: lost.sort((a, b) => a.line.line - b.line.line),
    ambiguous: ambiguous.sort((a, b) => a.line.line - b.line.line),
    notices,
    onlyInDatabase,
    outside: without.length - onlyInDatabase.length,
    covered,
  };
}

/** Decides about lines without a message: each doubt spares one of them. */
function judge(
  { without, among }: Shortage,
  said: readonly ChatLine[],
  doubts: Doubts,
  clock: ChatClock,
  into: { lost: LostLine[]; ambiguous: AmbiguousLine[] },
): void {
  const lines = without.flatMap((index) => said[index] ?? []);
  const alternatives = among.flatMap((index) => said[index] ?? []);
  const named = new Set(lines);
  const others = alternatives.filter((line) => !named.has(line));
  const about = doubts.about(alternatives);
  let spared = about.size;
  for (const line of lines) {
    const doubt = about.values().next().value;
    if (doubt !== undefined && spared > 0) {
      into.ambiguous.push({ line, doubt, candidates: [...about.keys()] });
      spared--;
    } else if (line.isUnsure === true) {
      into.ambiguous.push({ line, doubt: 'unreadable', candidates: [] });
    } else if (line.content.kind === 'deleted') {
      // Its text is gone from the phone, too: what is missing is unknown.
      into.ambiguous.push({ line, doubt: 'revoked', candidates: [] });
    } else {
      const [offset] = clock.offsetsAt(line.at);
      // A bot that says one word every minute for a month: use one list for all lines, including look-alikes.
      const or = others.length > LONGEST_LIST ? others : others.filter((other) => !looksLike(other, line));
      into.lost.push({ line, at: offset === undefined ? null : line.at - offset, or });
    }
  }
}

/** The two lines look the same to a reader of the chat. */
function looksLike(a: ChatLine, b: ChatLine): boolean {
  return a.at === b.at && JSON.stringify(a.content) === JSON.stringify(b.content);
}

/** From the first line to the last, half-open, ms since 1970; null if the phone's clock is unknown. */
function coverageOf(
  lines: readonly ChatLine[],
  clock: ChatClock,
  { unit }: ChatPrecision,
): { from: number; to: number } | null {
  const { first, last } = boundsOf(lines.map(({ at }) => at));
  const [from] = clock.offsetsAt(first);
  const [to] = clock.offsetsAt(last);
  return from === undefined || to === undefined ? null : { from: first - from, to: last - to + unit };
}

const MINUTE = 60_000;

/** Whether a clock this far ahead of UTC shows a message at a time; one known to the minute, at any second of it. */
function isShownAt(
  local: number,
  { at, isToTheMinute }: StoredMessage,
  offset: number,
  { unit, tolerance }: ChatPrecision,
): boolean {
  const shown = at + offset;
  if (isToTheMinute !== true || unit >= MINUTE) return isNear(local, shown, { unit, tolerance });
  return local >= shown - tolerance && local < shown + MINUTE + tolerance;
}

/** Messages by the phone's local time. */
class Times {
  constructor(
    private readonly messages: readonly StoredMessage[],
    private readonly clock: ChatClock,
    private readonly precision: ChatPrecision,
  ) {}

  /** Indexes of the messages that the line may show: those of its own minute or second, then adjacent ones. */
  sameAs(line: ChatLine): readonly (readonly number[])[] {
    const { unit } = this.precision;
    const exact: number[] = [];
    const beside: number[] = [];
    for (const offset of this.clock.offsetsAt(line.at)) {
      for (const index of this.near(line.at, offset)) {
        const message = this.messages[index];
        if (message?.direction !== line.direction || !isSame(line, message)) continue;
        const isExact = isShownAt(line.at, message, offset, { unit, tolerance: 0 });
        (isExact ? exact : beside).push(index);
      }
    }
    return [exact, beside];
  }

  /** Messages shown around this time by a clock this far ahead of UTC. */
  *near(local: number, offset: number): Generator<number> {
    const { unit, tolerance } = this.precision;
    const end = local - offset + unit + tolerance;
    for (
      let index = this.firstSince(local - offset - tolerance - MINUTE);
      index < this.messages.length;
      index++
    ) {
      const message = this.messages[index];
      if (message === undefined || message.at >= end) return;
      if (isShownAt(local, message, offset, this.precision)) yield index;
    }
  }

  private firstSince(at: number): number {
    let [low, high] = [0, this.messages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.messages[middle]?.at ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The messages without a line, and what they may be. */
class Doubts {
  private readonly times: Times;
  private readonly byText: ReadonlyMap<string, readonly { message: StoredMessage }[]>;
  private readonly explained = new Set<StoredMessage>();

  constructor(
    private readonly unused: readonly StoredMessage[],
    private readonly clock: ChatClock,
    precision: ChatPrecision,
  ) {
    this.times = new Times(unused, clock, precision);
    const telling = unused.flatMap((message) =>
      message.texts.filter(isTelling).map((text) => ({ message, key: `${message.direction} ${text}` })),
    );
    this.byText = groupBy(telling, ({ key }) => key);
  }

  /** Messages that one of these lines may be, with the reason for the doubt. */
  about(lines: readonly ChatLine[]): Map<StoredMessage, Doubt> {
    const found = new Map<StoredMessage, Doubt>();
    const add = (message: StoredMessage, doubt: Doubt): void => {
      if (!found.has(message)) found.set(message, doubt);
      this.explained.add(message);
    };
    for (const line of lines) {
      for (const offset of this.clock.offsetsAt(line.at)) {
        for (const message of this.at(line.at, offset)) {
          const doubt = doubtAbout(line, message);
          if (doubt !== undefined) add(message, doubt);
        }
        // If the time of a clock change is unknown, a line may be off by this much.
        for (const change of CLOCK_CHANGES) {
          for (const message of this.at(line.at, offset + change))
            if (message.direction === line.direction && isSame(line, message)) add(message, 'other_time');
        }
      }
      const text = line.content.kind === 'text' ? line.content.key : '';
      for (const { message } of this.byText.get(`${line.direction} ${text}`) ?? [])
        add(message, 'other_time');
    }
    return found;
  }

  unexplained(): StoredMessage[] {
    return this.unused.filter((message) => !this.explained.has(message));
  }

  private *at(local: number, offset: number): Generator<StoredMessage> {
    for (const index of this.times.near(local, offset)) {
      const message = this.unused[index];
      if (message !== undefined) yield message;
    }
  }
}
