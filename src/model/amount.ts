const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `12,345`. */
export function count(value: number): string {
  return NUMBER.format(value);
}

/** `1 message`, `12,345 messages`. */
export function amount(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}
