/**
 * How Meta's access tokens begin, and what an app's own token looks like (`app id|app secret`). Capitals, since the hex
 * digits of an id may be `eaa…`.
 */
const TOKENS = /\bEAA[A-Za-z0-9_-]{8,}|\b\d{8,20}(?:\||%7[Cc])[\w-]{16,}/g;
const BEARER = /(bearer\s+)[^\s"',;]+/gi;

/**
 * A text without access tokens: Meta repeats a refused token in the error message, and an error repeats what was typed.
 * `known` are tokens in use, in any form.
 */
export function hideTokens(text: string, known: readonly string[] = []): string {
  const without = known
    .filter((token) => token !== '')
    .flatMap((token) => [token, encodeURIComponent(token)])
    .reduce((shown, token) => shown.replaceAll(token, '***'), text);
  return without.replace(TOKENS, '***').replace(BEARER, '$1***');
}

/** Whether a text has an access token in it, so that no message may repeat it. */
export function holdsToken(text: string): boolean {
  return hideTokens(text) !== text;
}
