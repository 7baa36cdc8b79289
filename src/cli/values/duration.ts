const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const PART = /(\d+(?:\.\d+)?)(ms|[smhdw])/gy;

/** `5m`, `90s`, `1h30m`, `2d`, `0`, in milliseconds; undefined when `text` is no duration. A bare number but 0 is none: its unit would be a guess. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  let total = 0;
  let end = 0;
  for (const part of text.matchAll(PART)) {
    const [whole, amount, unit] = part;
    const factor = unit === undefined ? undefined : UNITS[unit];
    if (amount === undefined || factor === undefined) return undefined;
    total += Number(amount) * factor;
    end = part.index + whole.length;
  }
  return end > 0 && end === text.length && Number.isSafeInteger(Math.round(total))
    ? Math.round(total)
    : undefined;
}
