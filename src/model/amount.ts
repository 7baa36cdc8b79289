const THOUSANDS = /\B(?=(?:\d{3})+$)/g;

/** `12,345`. Without `Intl`, whose first use takes 7 ms of every start. */
export function count(value: number): string {
  return value.toFixed(0).replace(THOUSANDS, ',');
}

/** `1 message`, `12,345 messages`. */
export function amount(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'] as const;

/** Bytes in binary units: `512 B`, `14.2 KB`, `3.0 MB`. */
export function bytes(value: number): string {
  const power = UNITS.findLastIndex((_, exponent) => exponent === 0 || value >= 1024 ** exponent);
  return power === 0
    ? `${Math.round(value)} B`
    : `${(value / 1024 ** power).toFixed(1)} ${UNITS[power] ?? 'B'}`;
}
