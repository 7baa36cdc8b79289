import { holdsToken } from '../model/hidden-tokens.js';
import { adviceList } from '../model/remedy.js';
import type { Failure } from './exit.js';

/** What to do about an access token that was typed: hiding it in our own words does not take it back. */
export const TOKEN_WAS_TYPED =
  'Every user of the machine can read a command line, and the shell keeps it: create the token anew, and pipe it in, or name a file.';

/** The code of an error that already says so. */
export const TOKEN_TYPED = 'token_typed';

/** A failure with that advice, first of all, if the command line holds a token. */
export function aboutTypedToken(failure: Failure, argv: readonly string[]): Failure {
  return failure.code === TOKEN_TYPED || !argv.some((word) => holdsToken(word))
    ? failure
    : { ...failure, remedy: [TOKEN_WAS_TYPED, ...adviceList(failure.remedy)] };
}
