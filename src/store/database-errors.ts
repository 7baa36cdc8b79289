import { ConfigError, UserError } from '../model/errors.js';
import { errorMessages, firstInChain, sqlState, systemCode } from './sql-state.js';

/** The failure in one word, also the error's `code` after `database_`. */
type Failure =
  | 'unreachable'
  | 'starting_up'
  | 'not_accepting'
  | 'out_of_memory'
  | 'auth_failed'
  | 'access_refused'
  | 'unknown'
  | 'permission_denied'
  | 'too_many_connections'
  | 'disk_full'
  | 'read_only'
  | 'tls_required'
  | 'tls_not_offered'
  | 'tls_untrusted'
  | 'connection_lost'
  | 'pooler_refused_option'
  | 'pooler_without_transactions'
  | 'pooler_exhausted'
  | 'pooler_unknown_tenant'
  | 'closed'
  | 'stopped'
  | 'server_error';

/** By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const BY_SQL_STATE: Readonly<Record<string, Failure>> = {
  // Poolers and other servers refuse a connection or its protocol with these.
  '0A000': 'server_error',
  '08000': 'connection_lost',
  '08001': 'unreachable',
  '08003': 'connection_lost',
  '08004': 'access_refused',
  '08006': 'connection_lost',
  '25006': 'read_only',
  '28000': 'access_refused',
  '28P01': 'auth_failed',
  '3D000': 'unknown',
  '42501': 'permission_denied',
  '53100': 'disk_full',
  '53200': 'out_of_memory',
  '53300': 'too_many_connections',
  '53400': 'too_many_connections',
  '57P01': 'connection_lost',
  '57P02': 'connection_lost',
  '57P03': 'starting_up',
  '57P04': 'connection_lost',
  '57P05': 'connection_lost',
  XX000: 'server_error',
  XX001: 'server_error',
  XX002: 'server_error',
};

/** By system error name. */
const BY_SYSTEM_CODE: Readonly<Record<string, Failure>> = {
  ECONNREFUSED: 'unreachable',
  ENOTFOUND: 'unreachable',
  EAI_AGAIN: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ETIMEDOUT: 'unreachable',
  ECONNRESET: 'connection_lost',
  EPIPE: 'connection_lost',
  ENOSPC: 'disk_full',
  EDQUOT: 'disk_full',
  EROFS: 'read_only',
};

/** Poolers' own messages, under less specific SQLSTATEs; the texts are those of PgBouncer and Supavisor. */
const BY_POOLER_MESSAGE: readonly (readonly [RegExp, Failure])[] = [
  [/unsupported startup parameter/i, 'pooler_refused_option'],
  [/transaction blocks not allowed in statement pooling mode/i, 'pooler_without_transactions'],
  [/tenant or user not found|tenant\/user .* not found/i, 'pooler_unknown_tenant'],
  [/^(?:server login failed: )?(?:FATAL:? *)?database "[^"]*" does not exist$/i, 'unknown'],
  [/query_wait_timeout|no more connections allowed|max client connections reached/i, 'pooler_exhausted'],
];

/** For errors without any code; the texts are those of `pg` 8 and of Emscripten. */
const BY_MESSAGE: readonly (readonly [RegExp, Failure])[] = [
  ...BY_POOLER_MESSAGE,
  [/server does not support SSL connections/i, 'tls_not_offered'],
  [/error establishing an SSL connection/i, 'tls_not_offered'],
  // The second is a standby's that takes no queries; one that starts is "not yet accepting" them.
  [/not currently accepting connections|system is not accepting connections/i, 'not_accepting'],
  [/(?:no encryption|SSL off|SSL connection is required|SSL required|insecure connection)/i, 'tls_required'],
  [/client password must be a string/, 'auth_failed'],
  [/^timeout expired$|connection timeout/, 'unreachable'],
  [/PGlite is closed|Cannot use a pool after calling end/, 'closed'],
  [/Connection terminated|connection error and is not queryable|Client was closed/, 'connection_lost'],
  [/^Aborted\(|memory access out of bounds|^unreachable$/, 'stopped'],
];

/** Node's and OpenSSL's names for an untrusted certificate. */
const CERTIFICATE_CODE = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS_/;

/**
 * Turns a database error into one clear line and a remedy, or undefined if a user cannot fix it (a bug then). Never
 * holds a password: the texts are ours, and `location` comes from `redactUrl`.
 *
 * @param location `postgresql://host:port/database`, or the directory of the embedded database.
 */
export function translateDatabaseError(error: unknown, location: string): UserError | undefined {
  if (error instanceof UserError) return error;
  const failure = classify(error);
  return failure === undefined ? undefined : describe(failure, error, location);
}

function classify(error: unknown): Failure | undefined {
  const messages = errorMessages(error);
  const byMessage = BY_MESSAGE.find(([pattern]) => messages.some((message) => pattern.test(message)))?.[1];
  // Checked before the SQLSTATE: a server that requires TLS answers with the SQLSTATE of a refused role.
  if (byMessage === 'tls_required' || byMessage?.startsWith('pooler_') === true) return byMessage;
  if (byMessage === 'not_accepting') return byMessage;
  if (hasCertificateCode(error)) return 'tls_untrusted';
  if (isMissingSocket(error)) return 'unreachable';
  return BY_SQL_STATE[sqlState(error) ?? ''] ?? BY_SYSTEM_CODE[systemCode(error) ?? ''] ?? byMessage;
}

function describe(failure: Failure, error: unknown, location: string): UserError {
  const code = `database_${failure}`;
  const fault = (message: string, remedy: string, inProgram?: string): UserError =>
    new UserError(message, {
      code,
      remedy,
      ...(inProgram === undefined ? {} : { inProgram }),
      cause: error,
    });
  const misconfigured = (message: string, remedy: string): UserError =>
    new ConfigError(message, { code, remedy, cause: error });
  const reason = systemCode(error);

  switch (failure) {
    case 'unreachable':
      return fault(
        `No PostgreSQL answers at ${location}${reason === undefined ? '' : ` (${reason})`}.`,
        reason === undefined
          ? 'Check that the server runs, and that host and port in the database URL are right; behind a connection pooler, the name of the database, too.'
          : 'Check that the server runs, and that host and port in the database URL are right.',
      );
    case 'starting_up':
      return fault(
        `The server at ${location} is starting up or shutting down.`,
        'Run the command again in a moment.',
      );
    case 'not_accepting':
      return fault(
        `The database ${location} is not accepting connections.`,
        'Connections are disabled (ALTER DATABASE … ALLOW_CONNECTIONS false), or the server accepts no queries now, such as a standby without hot_standby. Run again when it does.',
      );
    case 'out_of_memory':
      return fault(
        `The server at ${location} is out of memory.`,
        'Run again when it is less busy, or with a smaller --batch-size.',
        'Run again when it is less busy, or with a smaller batchSize.',
      );
    case 'auth_failed':
      return misconfigured(
        `The server at ${location} refused the user or the password.`,
        'Check both in the database URL; in it, characters like @ : / ? # % are percent-encoded.',
      );
    case 'access_refused':
      return misconfigured(
        `The server at ${location} refuses this user.`,
        'Check the user in the database URL, and pg_hba.conf on the server.',
      );
    case 'unknown':
      return misconfigured(
        `The server has no database of that name: ${location}.`,
        'Create it (createdb NAME), or correct the name in the database URL.',
      );
    case 'permission_denied':
      return misconfigured(
        `Permission denied in ${location}: ${serverText(error)}.`,
        'Grant the permission, or use the role that owns the tables. `db migrate` needs CREATE on the schema.',
      );
    case 'too_many_connections':
      return fault(
        `The server at ${location} has no free connection.`,
        'Run again when other clients have disconnected, or raise max_connections on the server.',
      );
    case 'disk_full':
      return fault(
        `${diskWords(error)}: ${location}.`,
        'Free some space and run the same command again; anything committed is kept.',
      );
    case 'read_only':
      return fault(
        `The database is read-only: ${location}.`,
        'Use the URL of the primary server, or a directory on a writable disk.',
      );
    case 'tls_required':
      return misconfigured(
        `The server at ${location} accepts encrypted connections only.`,
        'Add sslmode=verify-full to the database URL, or sslmode=no-verify to go without checking its certificate.',
      );
    case 'tls_not_offered':
      return misconfigured(
        `The server at ${location} does not offer encrypted connections.`,
        'Remove sslmode from the database URL, or set up TLS on the server.',
      );
    case 'tls_untrusted':
      return misconfigured(
        `The certificate of the server at ${location} cannot be trusted.`,
        'Add sslrootcert=/path/to/ca.pem to the database URL, or sslmode=no-verify to go without checking it.',
      );
    case 'connection_lost':
      return fault(
        `The connection to ${location} was lost; what was not committed is rolled back.`,
        'Run the same command again to resume.',
      );
    case 'pooler_refused_option':
      return misconfigured(
        `The connection pooler at ${location} refuses a start-up parameter of the database URL.`,
        'Remove options=… from the database URL (a schema goes into ?schema=), or set DIRECT_URL to the server itself.',
      );
    case 'pooler_without_transactions':
      return misconfigured(
        `The connection pooler at ${location} is in statement mode, which allows no transactions.`,
        'Set its pool mode to transaction or session, or name the server itself in the database URL.',
      );
    case 'pooler_unknown_tenant':
      return misconfigured(
        `The connection pooler at ${location} does not know this user.`,
        'Check the user in the database URL: Supabase wants postgres.PROJECT, and the host of the region of the project.',
      );
    case 'pooler_exhausted':
      return fault(
        `The connection pooler at ${location} had no connection left.`,
        'Run again when other clients have disconnected, or raise its pool size: a run needs up to four connections at a time.',
      );
    case 'closed':
      return fault(`The database ${location} is closed.`, 'Open it again with createContext.');
    case 'server_error':
      return fault(
        `The server at ${location} answered with an error: ${serverText(error)} (SQLSTATE ${sqlState(error) ?? 'unknown'}).`,
        'Look into the log of the server or of its pooler, and check that the database URL names a PostgreSQL server of version 13 or newer.',
      );
    case 'stopped':
      return fault(
        `The embedded database in ${location} crashed.`,
        'Run the same command again; if it stops again, look for a full disk or too little memory.',
      );
  }
}

/** The server's message about a missing permission: it names only tables and roles, never values. */
function serverText(error: unknown): string {
  const said = firstInChain(error, (link) =>
    sqlState({ code: link.code }) === undefined ? undefined : stringOrNothing(link.message),
  );
  return said ?? 'permission denied';
}

function hasCertificateCode(error: unknown): boolean {
  const found = firstInChain(error, (link) =>
    typeof link.code === 'string' && CERTIFICATE_CODE.test(link.code) ? true : undefined,
  );
  return found === true;
}

/** A missing Unix socket has the code of a missing file, which is unrelated here. */
function isMissingSocket(error: unknown): boolean {
  const found = firstInChain(error, (link) =>
    link.syscall === 'connect' && (link.code === 'ENOENT' || link.code === 'EACCES') ? true : undefined,
  );
  return found === true;
}

function stringOrNothing(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The embedded database stops before its disk is full: free and required space in MB. */
function diskWords(error: unknown): string {
  if (error instanceof Error && 'free' in error && 'least' in error) {
    const [free, least] = [error.free, error.least].map((bytes) => Math.floor(Number(bytes) / 1024 ** 2));
    return `The disk of the database is full (${free} MB free, a batch may need ${least} MB)`;
  }
  return 'The disk of the database is full';
}
