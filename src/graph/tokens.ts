import { remedy, type Advices } from '../model/remedy.js';

/** A token that ends sooner must be renewed now. */
export const TOKEN_ENDS_SOON_MS = 7 * 86_400_000;

/** How a connection gets a token; `name` is the connection's, where it is known. */
export function newTokenAdvice(name = 'NAME'): Extract<Advices, readonly unknown[]> {
  return [
    'Create a token of a system user in the Business Manager, and store it:',
    remedy('connection token', [name, '--file', 'FILE'], 'stores the token, encrypted'),
  ];
}
