import { remedy, type Advices } from '../model/remedy.js';

/** How Meta's access tokens begin, and what an app's own token looks like (`app id|app secret`). */
const TOKENS = /\bEAA[A-Za-z0-9_-]{8,}|\b\d{8,20}(?:\||%7C)[\w-]{16,}/gi;
const BEARER = /(bearer\s+)[^\s"',;]+/gi;

/**
 * A text without access tokens: Meta repeats a refused token in the error message. `known` are tokens in use, in any
 * form.
 */
export function hideTokens(text: string, known: readonly string[] = []): string {
  const without = known
    .filter((token) => token !== '')
    .flatMap((token) => [token, encodeURIComponent(token)])
    .reduce((shown, token) => shown.replaceAll(token, '***'), text);
  return without.replace(TOKENS, '***').replace(BEARER, '$1***');
}

/** A token that ends sooner must be renewed now. */
export const TOKEN_ENDS_SOON_MS = 7 * 86_400_000;

/** How a connection gets a token; `name` is the connection's, where it is known. */
export function newTokenAdvice(name = 'NAME'): Extract<Advices, readonly unknown[]> {
  return [
    'Create a token of a system user in the Business Manager, and store it:',
    remedy('connection token', [name, '--file', 'FILE'], 'stores the token, encrypted'),
  ];
}
