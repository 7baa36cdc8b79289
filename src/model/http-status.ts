import { EXIT, type ExitCode } from './exit-code.js';

/** What a server answers a request that ended with an error: no such thing, another mistake of the request, or not its fault. */
export type HttpStatus = 404 | 400 | 503;

/** What was asked for does not exist. */
const MISSING: ReadonlySet<string> = new Set([
  'alert_unknown',
  'connection_unknown',
  'not_erased',
  'organization_unknown',
  'unknown_comparison',
  'unknown_contact',
  'unknown_entry',
  'unknown_run',
  'unknown_subject',
]);

/** Mistakes of a request that are no wrong usage on the command line: the words are right, and the answer is still no. */
const REFUSED: ReadonlySet<string> = new Set([
  'already_requested',
  'already_undone',
  'not_confirmed',
  'touched_since',
]);

/** The database, its address, and the settings of the program: wrong usage on the command line, but nothing that a request says. */
const SETTINGS =
  /^(?:database|migrations?|direct_url|secret_key|app_secret|token|graph|whatsapp|proxy|erasures|session)_/;

/** The status for an error's code; wrong usage (`EXIT.usage`) is the request's unless the setting is not its own. */
export function httpStatusOf(code: string, exitCode: ExitCode): HttpStatus {
  if (MISSING.has(code)) return 404;
  if (REFUSED.has(code)) return 400;
  return exitCode === EXIT.usage && !SETTINGS.test(code) ? 400 : 503;
}
