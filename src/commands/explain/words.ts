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
