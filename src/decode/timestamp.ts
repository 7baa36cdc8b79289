/** WhatsApp started in 2009; an older time, or one after 2100, is a bug of its sender. */
const EARLIEST = Date.UTC(2009, 0, 1);
const END = Date.UTC(2101, 0, 1);
/** Thirteen digits are milliseconds, fewer are seconds (rule M8); no second before the year 5138 has twelve. */
const SMALLEST_MILLISECONDS = 1e12;

/**
 * Milliseconds since 1970 from a timestamp of a webhook or dump: seconds or milliseconds as a number, text, bigint, or
 * the JSON of a protobuf Long (`{low, high, unsigned}`). undefined for anything else, for zero, and for years outside
 * 2009-2100: the caller then applies rule M7, and never uses the current time.
 */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value === 'string') {
    return value.length <= 20 && /^\s*\d+\s*$/.test(value) ? fromNumber(Number(value)) : undefined;
  }
  if (typeof value === 'number') return fromNumber(value);
  if (typeof value === 'bigint') return fromNumber(Number(value));
  return typeof value === 'object' && value !== null ? fromLong(value) : undefined;
}

function fromNumber(value: number): number | undefined {
  const ms = Math.trunc(value >= SMALLEST_MILLISECONDS ? value : value * 1000);
  // Also false for NaN.
  return ms >= EARLIEST && ms < END ? ms : undefined;
}

function fromLong(value: object): number | undefined {
  if (!('low' in value) || !('high' in value)) return undefined;
  const { low, high } = value;
  if (typeof low !== 'number' || typeof high !== 'number') return undefined;
  return fromNumber(high * 2 ** 32 + (low >>> 0));
}
