declare global {
  // In every supported Node (V8 11), but only in TypeScript's es2024 library.
  interface String {
    isWellFormed(): boolean;
    toWellFormed(): string;
  }
}

/**
 * A text that PostgreSQL stores: NUL and lone surrogates become U+FFFD (rule M8), as either aborts a whole batch. Everything
 * else, control characters included, stays; the same string comes back when nothing is to be done.
 */
export function cleanText(text: string): string {
  const wellFormed = text.isWellFormed() ? text : text.toWellFormed();
  return wellFormed.includes('\0') ? wellFormed.replaceAll('\0', '\uFFFD') : wellFormed;
}

/** The first `length` characters; a pair that the cut would halve becomes U+FFFD, not a lone surrogate. */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : text.slice(0, length).toWellFormed();
}
