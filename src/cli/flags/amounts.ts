const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|[smhdw])/gy;

/** `5m`, `90s`, `1h30m`, `2d`, `0`, in milliseconds; undefined when `text` is no duration. A bare number but 0 is none: its unit would be a guess. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let total = 0;
  let end = 0;
  for (const part of text.matchAll(DURATION_PART)) {
    const [whole, amount, unit] = part;
    const factor = unit === undefined ? undefined : DURATION_UNITS[unit];
    if (amount === undefined || factor === undefined) return undefined;
    total += Number(amount) * factor;
    end = part.index + whole.length;
  }
  return end > 0 && end === text.length && Number.isSafeInteger(Math.round(total))
    ? Math.round(total)
    : undefined;
}

const SIZE_UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

/** `16MB`, `512k`, `1048576`, in bytes (1 MB is 1,048,576); undefined when `text` is no size or is zero. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text);
  const amount = match?.[1];
  const factor = SIZE_UNITS[(match?.[2] ?? '').toUpperCase()];
  if (amount === undefined || factor === undefined) return undefined;
  const bytes = Math.floor(Number(amount) * factor);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
