/** In which order a chat writes day, month and year. */
export type DateOrder = 'dmy' | 'mdy' | 'ymd' | 'ydm';

/** A date as it stands in the chat: three numbers whose order is another question. */
export interface WrittenDate {
  /** 1-based line of the file. */
  line: number;
  parts: readonly [number, number, number];
  separator: string;
  /** How many digits the first part was written with: four are a year. */
  firstDigits: number;
}

/** A date that a file's name carries (`IMG-20260921-WA0003.jpg`), with the line on which it was sent. */
export interface NamedDate {
  line: number;
  year: number;
  month: number;
  day: number;
}

/**
 * How sure the order is, and why. `line` is the line that decides.
 * - given: the caller said so, and every date allows it.
 * - year_first: no phone writes the day between year and month.
 * - dots: no phone writes the month first and dots between.
 * - above_12: a number above 12 is no month.
 * - file_name: the names of files carry their dates.
 * - sequence: the chat runs forward in one order only.
 * - equal: every date reads the same either way.
 */
export type DateReading =
  | {
      kind: 'certain';
      order: DateOrder;
      because: 'given' | 'year_first' | 'dots' | 'above_12' | 'file_name' | 'sequence' | 'equal';
      line: number;
    }
  /** Every date is possible in both orders: only a person who knows the phone can decide. */
  | { kind: 'ambiguous'; candidates: readonly DateOrder[]; line: number; written: string }
  /** No order allows every date; each candidate with the line that refutes it. */
  | { kind: 'contradictory'; refuted: readonly { order: DateOrder; line: number; written: string }[] };

/** Messages may stand a little out of order; a chat does not step back by days. */
const BACKWARD_TOLERANCE_DAYS = 2;
const DAY_MS = 86_400_000;

/** Derives the order from all dates of a chat, in sequence. Never guesses: see {@link DateReading}. */
export function readOrder(
  dates: readonly WrittenDate[],
  named: readonly NamedDate[],
  given?: DateOrder,
): DateReading {
  const [first] = dates;
  if (first === undefined) return { kind: 'ambiguous', candidates: ['dmy', 'mdy'], line: 0, written: '' };
  const candidates: DateOrder[] =
    given !== undefined ? [given] : first.firstDigits > 2 ? ['ymd', 'ydm'] : ['dmy', 'mdy'];
  const refuted = candidates.flatMap((order) => {
    const against = dates.find((date) => dayOf(date.parts, order) === undefined);
    return against === undefined ? [] : [{ order, line: against.line, written: textOf(against) }];
  });
  const possible = candidates.filter((order) => refuted.every((other) => other.order !== order));
  const [order, other] = possible;
  if (order === undefined) return { kind: 'contradictory', refuted };
  const certain = (
    chosen: DateOrder,
    because: Extract<DateReading, { kind: 'certain' }>['because'],
    line: number,
  ): DateReading => ({ kind: 'certain', order: chosen, because, line });
  if (given !== undefined) return certain(given, 'given', first.line);
  if (other === undefined) return certain(order, 'above_12', refuted[0]?.line ?? first.line);
  if (first.firstDigits > 2) return certain('ymd', 'year_first', first.line);
  if (first.separator === '.') return certain('dmy', 'dots', first.line);

  const byFiles = [order, other].map((one) => supportingFile(dates, named, one));
  if (byFiles[0] !== undefined && byFiles[1] === undefined) return certain(order, 'file_name', byFiles[0]);
  if (byFiles[1] !== undefined && byFiles[0] === undefined) return certain(other, 'file_name', byFiles[1]);
  const differing = dates.find(({ parts }) => dayOf(parts, order) !== dayOf(parts, other));
  if (differing === undefined) return certain(order, 'equal', first.line);
  const back = [order, other].map((one) => stepBack(dates, one));
  if (back[0] === undefined && back[1] !== undefined) return certain(order, 'sequence', back[1]);
  if (back[1] === undefined && back[0] !== undefined) return certain(other, 'sequence', back[0]);
  return { kind: 'ambiguous', candidates: possible, line: differing.line, written: textOf(differing) };
}

/** The day as ms since 1970, as if the phone's clock were UTC; undefined for a date that does not exist. */
export function dayOf(parts: readonly [number, number, number], order: DateOrder): number | undefined {
  const [year, month, day] = ordered(parts, order);
  const full = year < 100 ? 2000 + year : year;
  // WhatsApp started in 2009; another calendar's year must not pass for ours.
  if (full < 2009 || full > 2100 || month < 1 || month > 12 || day < 1) return undefined;
  const at = new Date(Date.UTC(full, month - 1, day));
  return at.getUTCMonth() === month - 1 ? at.getTime() : undefined;
}

function ordered([a, b, c]: readonly [number, number, number], order: DateOrder): [number, number, number] {
  switch (order) {
    case 'dmy':
      return [c, b, a];
    case 'mdy':
      return [c, a, b];
    case 'ymd':
      return [a, b, c];
    case 'ydm':
      return [a, c, b];
  }
}

/** The first line whose date fits the date in its file's name, give or take a day for the zone. */
function supportingFile(
  dates: readonly WrittenDate[],
  named: readonly NamedDate[],
  order: DateOrder,
): number | undefined {
  if (named.length === 0) return undefined;
  const byLine = new Map(dates.map((date) => [date.line, date]));
  return named.find(({ line, year, month, day }) => {
    const date = byLine.get(line);
    const at = date && dayOf(date.parts, order);
    return at !== undefined && Math.abs(at - Date.UTC(year, month - 1, day)) <= DAY_MS;
  })?.line;
}

/** The first line that is days before one above it. */
function stepBack(dates: readonly WrittenDate[], order: DateOrder): number | undefined {
  let latest = -Infinity;
  for (const { parts, line } of dates) {
    const at = dayOf(parts, order) ?? latest;
    if (at < latest - BACKWARD_TOLERANCE_DAYS * DAY_MS) return line;
    latest = Math.max(latest, at);
  }
  return undefined;
}

function textOf({ parts, separator }: WrittenDate): string {
  return parts.join(separator);
}
