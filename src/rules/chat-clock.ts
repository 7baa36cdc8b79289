import { wallTimeAt } from '../model/time.js';
import { isTelling, type ChatLine, type StoredMessage } from './chat-content.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No real clock is set between these steps. */
const STEP = 15 * MINUTE;
const LARGEST = 14 * HOUR;

/** The precision of a phone's times, and how far its clock may be from the server's. */
export interface ChatPrecision {
  unit: number;
  tolerance: number;
}

/** Android writes minutes. */
export const MINUTES: ChatPrecision = { unit: MINUTE, tolerance: MINUTE };
/** iPhones write seconds. */
export const SECONDS: ChatPrecision = { unit: 1000, tolerance: 2000 };

export function precisionOf({ hasSeconds }: { hasSeconds: boolean }): ChatPrecision {
  return hasSeconds ? SECONDS : MINUTES;
}

/** The first and the last of unordered times. Not with `...`: a chat has more lines than a call can take arguments. */
export function boundsOf(times: readonly number[]): { first: number; last: number } {
  return {
    first: times.reduce((least, at) => Math.min(least, at), Infinity),
    last: times.reduce((most, at) => Math.max(most, at), -Infinity),
  };
}

/** Clock changes shift by this much. */
export const CLOCK_CHANGES = [-HOUR, -HOUR / 2, HOUR / 2, HOUR];

/**
 * The time zone of a phone's clock, found from texts that both sides have. A phone writes its whole chat in one zone.
 */
export interface ChatClock {
  /**
   * How the clock is known. zone: given by the caller. texts: from texts that both sides have once. none: the stored
   * conversation shares nothing usable with the chat.
   */
  source: 'zone' | 'texts' | 'none';
  /** Texts that both sides have once, and how many of them the clock matches. */
  anchors: number;
  agreeing: number;
  /** Offsets by local start time, ms ahead of UTC: several if the clock changed. Empty if unknown. */
  spans: readonly ClockSpan[];
  /** The offset at a local time; both if the clock changed around then at an unknown moment. */
  offsetsAt: (local: number) => readonly number[];
}

export interface ClockSpan {
  /** Local times of the first and the last line that show it. */
  from: number;
  to: number;
  offset: number;
}

interface Anchor {
  line: number;
  stored: number;
}

/**
 * Finds the clock. `timeZone` wins unless the texts contradict it: a phone may have been elsewhere. Without one, texts
 * must decide: an offset that only fits some `ok` never counts as known.
 */
export function findClock(
  lines: readonly ChatLine[],
  messages: readonly StoredMessage[],
  precision: ChatPrecision,
  timeZone?: string,
): ChatClock {
  const anchors = anchorsOf(lines, messages, precision);
  const clockOf = (
    source: 'zone' | 'texts',
    offsetsAt: ChatClock['offsetsAt'],
    spans: readonly ClockSpan[],
  ): ChatClock => ({
    source,
    anchors: anchors.length,
    agreeing: anchors.filter(({ line, stored }) =>
      offsetsAt(line).some((offset) => isNear(line, stored + offset, precision)),
    ).length,
    spans,
    offsetsAt,
  });
  const spans = anchors.length > 0 ? spansOf(anchors, precision) : commonOffset(lines, messages, precision);
  const byTexts = spans === undefined ? undefined : clockOf('texts', offsetsBySpans(spans), spans);
  if (timeZone !== undefined) {
    const zone = zoneOffsets(timeZone);
    const byZone = clockOf('zone', zone, spansOfZone(lines, zone));
    if (byTexts === undefined || isAsGood(byZone, byTexts)) return byZone;
  }
  return byTexts ?? { source: 'none', anchors: 0, agreeing: 0, spans: [], offsetsAt: () => [] };
}

/** One text sent twice, years apart, must not outvote a person's statement about the phone. */
function isAsGood(byZone: ChatClock, byTexts: ChatClock): boolean {
  if (byTexts.anchors === 0)
    return byTexts.spans.every(({ from, offset }) => byZone.offsetsAt(from).includes(offset));
  if (byTexts.agreeing < 2) return true;
  return byZone.agreeing >= Math.min(byTexts.agreeing - 1, byTexts.agreeing * 0.95) && byZone.agreeing > 0;
}

/** Whether a line written at `line` may show the instant whose local time is `shown`. */
export function isNear(line: number, shown: number, { unit, tolerance }: ChatPrecision): boolean {
  return Math.abs(Math.floor(shown / unit) * unit - line) <= tolerance;
}

/** Distinctive texts that both sides have once, in chat order. */
function anchorsOf(
  lines: readonly ChatLine[],
  messages: readonly StoredMessage[],
  precision: ChatPrecision,
): Anchor[] {
  const written = onlyOnes(
    lines.flatMap(({ direction, content, at }) =>
      content.kind === 'text' && isTelling(content.key) ? [[`${direction} ${content.key}`, at] as const] : [],
    ),
  );
  const stored = onlyOnes(
    messages.flatMap(({ direction, texts: [text], at }) =>
      text !== undefined && isTelling(text) ? [[`${direction} ${text}`, at] as const] : [],
    ),
  );
  return [...written]
    .flatMap(([key, line]) => {
      const at = stored.get(key);
      return at === undefined || gridOffset(line, at, precision) === undefined ? [] : [{ line, stored: at }];
    })
    .sort((a, b) => a.line - b.line);
}

function onlyOnes(entries: readonly (readonly [key: string, at: number])[]): Map<string, number> {
  const once = new Map<string, number>();
  const often = new Set<string>();
  for (const [key, at] of entries) {
    if (once.has(key)) often.add(key);
    once.set(key, at);
  }
  for (const key of often) once.delete(key);
  return once;
}

/** The offset of a clock that shows `stored` at `line`; undefined if no zone has it. */
function gridOffset(line: number, stored: number, precision: ChatPrecision): number | undefined {
  const offset = Math.round((line - stored) / STEP) * STEP;
  return Math.abs(offset) <= LARGEST && isNear(line, stored + offset, precision) ? offset : undefined;
}

/** More than half of one mismatched text: one text is enough to show that the clock changed. */
const COST_OF_CHANGE = 0.6;

/** The offsets that explain the most texts with the fewest clock changes. */
function spansOf(anchors: readonly Anchor[], precision: ChatPrecision): ClockSpan[] | undefined {
  const offsets = anchors.map(({ line, stored }) => gridOffset(line, stored, precision) ?? 0);
  const best = mostFrequent(offsets);
  if (best === undefined) return undefined;
  // A phone writes the chat in one zone, so all of its offsets lie around one.
  const states = [best, ...CLOCK_CHANGES.map((change) => best + change)];
  let costs = states.map(() => 0);
  const cameFrom: number[][] = [];
  for (const offset of offsets) {
    const cheapest = costs.indexOf(Math.min(...costs));
    const change = (costs[cheapest] ?? 0) + COST_OF_CHANGE;
    cameFrom.push(costs.map((cost, state) => (cost <= change ? state : cheapest)));
    costs = costs.map((cost, state) => Math.min(cost, change) + (states[state] === offset ? 0 : 1));
  }
  let state = costs.indexOf(Math.min(...costs));
  const spans: ClockSpan[] = [];
  for (let index = anchors.length - 1; index >= 0; index--) {
    const at = anchors[index]?.line ?? 0;
    const offset = states[state] ?? best;
    const [next] = spans;
    if (next?.offset === offset) next.from = at;
    else spans.unshift({ from: at, to: at, offset });
    state = cameFrom[index]?.[state] ?? state;
  }
  return spans;
}

function mostFrequent(offsets: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const offset of offsets) counts.set(offset, (counts.get(offset) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || Math.abs(a[0]) - Math.abs(b[0]))[0]?.[0];
}

/** A frequent text says little about the clock, and its cost is quadratic. */
const MOST_REPEATED = 20;
const FEWEST_COMMON = 3;

/** If no text is distinctive: the offset that fits many short ones, if every other one fits less than half as many. */
function commonOffset(
  lines: readonly ChatLine[],
  messages: readonly StoredMessage[],
  precision: ChatPrecision,
): ClockSpan[] | undefined {
  const stored = new Map<string, number[]>();
  for (const {
    direction,
    texts: [text = ''],
    at,
  } of messages) {
    const key = `${direction} ${text}`;
    if (text !== '') stored.set(key, [...(stored.get(key) ?? []), at].slice(0, MOST_REPEATED + 1));
  }
  const votes = new Map<number, number>();
  for (const { direction, content, at } of lines) {
    const times = content.kind === 'text' ? (stored.get(`${direction} ${content.key}`) ?? []) : [];
    if (times.length > MOST_REPEATED) continue;
    const fitting = new Set(times.map((time) => gridOffset(at, time, precision)));
    for (const offset of fitting) if (offset !== undefined) votes.set(offset, (votes.get(offset) ?? 0) + 1);
  }
  const [best, second] = [...votes].sort((a, b) => b[1] - a[1]);
  if (best === undefined || best[1] < FEWEST_COMMON || (second?.[1] ?? 0) * 2 >= best[1]) return undefined;
  const [from = 0, to = from] = [lines[0]?.at, lines.at(-1)?.at];
  return [{ from, to, offset: best[0] }];
}

function offsetsBySpans(spans: readonly ClockSpan[]): ChatClock['offsetsAt'] {
  return (local) => {
    const index = spans.findIndex(({ to }) => local <= to);
    const [before, after] = index === -1 ? [spans.at(-1), undefined] : [spans[index - 1], spans[index]];
    if (after === undefined || after.from <= local) {
      const span = after ?? before;
      return span === undefined ? [] : [span.offset];
    }
    return before === undefined ? [after.offset] : [before.offset, after.offset];
  };
}

/** The offsets of a zone; two on a day of a clock change and on the adjacent days. */
function zoneOffsets(timeZone: string): ChatClock['offsetsAt'] {
  // Asking the platform is slow, and a day has thousands of lines.
  const known = new Map<number, readonly number[]>();
  const offsetAt = (instant: number): number => {
    const { year, month, day, hour, minute, second } = wallTimeAt(instant, timeZone);
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  };
  return (local) => {
    const day = Math.floor(local / DAY) * DAY;
    const offsets = known.get(day) ?? [...new Set([offsetAt(day - DAY), offsetAt(day + 2 * DAY)])];
    known.set(day, offsets);
    return offsets;
  };
}

/** The spans that the lines show, for display. */
function spansOfZone(lines: readonly ChatLine[], offsetsAt: ChatClock['offsetsAt']): ClockSpan[] {
  const spans: ClockSpan[] = [];
  for (const { at } of lines) {
    const [offset, other] = offsetsAt(at);
    if (offset === undefined || other !== undefined) continue;
    const last = spans.at(-1);
    if (last?.offset === offset) last.to = at;
    else spans.push({ from: at, to: at, offset });
  }
  return spans;
}
