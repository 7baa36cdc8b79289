/** `1 message`, `12 messages`. */
export function amount(count: number, singular: string, plural = `${singular}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? singular : plural}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(parts: readonly string[]): string {
  if (parts.length < 2) return parts.join('');
  return `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

/** Why a message waits, as a clause. */
export function waitingWords(reason: string | null, hint: string | null): string {
  const named = hint === null ? '' : ` (${hint})`;
  switch (reason) {
    case 'unknown_connection':
      return `waits for its connection${named}, which is not known`;
    case 'other_connection':
      return 'waits, because the replay was for another connection';
    default:
      return 'waits to be replayed';
  }
}
