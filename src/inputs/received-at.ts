const DATE_TIME =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?\s?(Z|UTC|[+-]\d{2}(?::?\d{2})?)?/;
const EPOCH = /^(\d{9,10})(\.\d+)?$|^(\d{12,13})(\.\d+)?$/;

/**
 * Reads the time in the cell of a log table: ISO 8601, PostgreSQL's `2025-09-16 05:00:00+00`, or seconds or
 * milliseconds since 1970. A time without a zone is taken for UTC, which is what servers and exports write.
 * Returns milliseconds since 1970, or undefined.
 */
export function parseReceivedAt(text: string): number | undefined {
  const trimmed = text.trim();
  const epoch = EPOCH.exec(trimmed);
  if (epoch !== null) return Math.trunc(Number(trimmed) * (epoch[1] === undefined ? 1 : 1000));
  const match = DATE_TIME.exec(trimmed);
  return match !== null && match[0].length === trimmed.length ? toMilliseconds(match) : undefined;
}

/** The time at the start of a log line (`2025-09-16T05:00:00Z INFO …`, `[2025-09-16 05:00:00] …`), as above. */
export function leadingTime(prefix: string): number | undefined {
  const match = DATE_TIME.exec(prefix.replace(/^[\s["'(<]+/, ''));
  return match === null ? undefined : toMilliseconds(match);
}

function toMilliseconds(match: RegExpExecArray): number | undefined {
  const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = match;
  const whole = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  // Date.UTC turns a 31st of February into a day in March; such a cell holds no time.
  if (new Date(whole).getUTCDate() !== Number(day) || new Date(whole).getUTCMonth() !== Number(month) - 1) {
    return undefined;
  }
  return whole + Number(fraction.slice(0, 3).padEnd(3, '0')) - zoneOffset(zone);
}

function zoneOffset(zone: string): number {
  const match = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone);
  if (match === null) return 0;
  const [, sign, hours, minutes = '0'] = match;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
