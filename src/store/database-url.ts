import { ConfigError } from '../model/errors.js';

/** A PostgreSQL URL, parsed as far as this tool needs. Never print `connectionString`: it holds the password. */
export interface DatabaseUrl {
  /** Passed to `pg`: everything but our parameters (`schema`) and Prisma's. */
  connectionString: string;
  /** The schema of the tables: `?schema=`, else `public`, as in Prisma. */
  schema: string;
  /** Pool size, if set in the URL (`connection_limit`, Prisma's name). */
  connectionLimit: number | undefined;
  /** How long to wait for the server, in seconds, if set in the URL (`connect_timeout`). */
  connectTimeoutSeconds: number | undefined;
  /** `pgbouncer=true`, Prisma's flag: the server is a pooler in transaction mode. */
  pgbouncer: boolean;
  /** `postgresql://host:port/database?schema=x`: no user, no password, no other parameter. */
  location: string;
  host: string;
  port: string;
  database: string;
  user: string;
}

/** Prisma's own parameters, which mean nothing to `pg`. */
const PRISMA_PARAMETERS = [
  'schema',
  'connection_limit',
  'connect_timeout',
  'pool_timeout',
  'socket_timeout',
  'pgbouncer',
  'statement_cache_size',
  'single_use_connections',
];

/**
 * Reads `postgresql://user:password@host:port/database?schema=x&sslmode=…`. Throws ConfigError, without any part of the
 * URL in it, if it is invalid.
 */
export function parseDatabaseUrl(url: string): DatabaseUrl {
  const parsed = parse(url);
  if (parsed === undefined) {
    throw new ConfigError('The database URL cannot be read.', {
      code: 'database_url_invalid',
      remedy:
        'Write postgresql://user:password@host:5432/database; in a password, percent-encode characters like @ : / ? # %.',
    });
  }
  if (parsed.protocol !== 'postgresql:' && parsed.protocol !== 'postgres:') {
    throw new ConfigError(`The database URL begins with ${parsed.protocol}//, which is not PostgreSQL.`, {
      code: 'database_url_invalid',
      remedy: 'Use a URL that begins with postgresql://, or none for the embedded database.',
    });
  }
  const parameters = parsed.searchParams;
  const schema = readSchema(parameters.get('schema'));
  const user = decode(parameters.get('user') ?? parsed.username);
  const host = parameters.get('host') ?? decode(parsed.hostname);
  const port = parameters.get('port') ?? (parsed.port === '' ? '5432' : parsed.port);
  const path = decode(parsed.pathname.replace(/^\//, ''));
  const database = path === '' ? user : path;
  const connectionLimit = positive(parameters.get('connection_limit'));
  const connectTimeoutSeconds = positive(parameters.get('connect_timeout'));
  const pgbouncer = parameters.get('pgbouncer') === 'true';
  for (const name of PRISMA_PARAMETERS) parameters.delete(name);
  return {
    connectionString: parsed.toString(),
    schema,
    connectionLimit,
    connectTimeoutSeconds,
    pgbouncer,
    location: `postgresql://${host}:${port}/${database}${schema === 'public' ? '' : `?schema=${encodeURIComponent(schema)}`}`,
    host,
    port,
    database,
    user,
  };
}

/**
 * A database URL safe for logs and messages: host, port, database and schema only. An unreadable one becomes
 * `(unreadable URL)`.
 */
export function redactUrl(url: string): string {
  try {
    return parseDatabaseUrl(url).location;
  } catch {
    return '(unreadable URL)';
  }
}

/** Prisma's client quotes the name without escaping it, so a quote in it would end it. */
function readSchema(given: string | null): string {
  const schema = given ?? 'public';
  if (schema !== '' && Buffer.byteLength(schema) <= 63 && !/["\u0000]/.test(schema)) return schema;
  throw new ConfigError('The schema in the database URL is not a valid name.', {
    code: 'database_url_invalid',
    remedy: 'Use 1 to 63 bytes without double quotes: ?schema=wa_reconcile',
  });
}

function parse(url: string): URL | undefined {
  // `postgresql://user@/database?host=/run/postgresql` is valid libpq, but not a WHATWG URL: the host is missing.
  for (const candidate of [url, url.replace('@/', '@localhost/')]) {
    if (URL.canParse(candidate)) return new URL(candidate);
  }
  return undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function positive(text: string | null): number | undefined {
  const value = Number(text);
  return text !== null && Number.isInteger(value) && value > 0 ? value : undefined;
}
