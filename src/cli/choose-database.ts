import { isAbsolute, join, resolve } from 'node:path';
import { embeddedIn, type DatabaseConfig } from '../commands/database.js';
import { ConfigError } from '../model/errors.js';
import type { Io } from './io.js';
import { lookUp, readTextFile, type Environment } from './environment.js';
import type { GlobalSettings } from './flags/global.js';

/** Which database a command uses, and which setting chose it. */
export interface DatabaseChoice {
  config: DatabaseConfig;
  /** `DATABASE_URL`, `--database-url-file`, `--home`, `default`, … */
  place: string;
  /** What the user should know about the choice, if anything. */
  notice?: string;
  /** Where it was looked for, in order, and what was found: one line each, the last one being the one used. */
  looked: readonly string[];
}

const PROGRAM_DIRECTORY = 'wa-reconcile';

/**
 * `--database-url-file` or `--home` on the line, else DATABASE_URL, else the embedded database under WA_RECONCILE_HOME,
 * XDG_DATA_HOME or `~/.local/share`, in this order. Throws a ConfigError, never with a URL in it, if a file cannot be
 * read, and for two flags that name different databases.
 */
export function chooseDatabase(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd' | 'homeDirectory'>,
): DatabaseChoice {
  const typed = settings.origin('home').from === 'flag';
  if (typed && settings.origin('databaseUrlFile').from === 'flag') {
    throw new ConfigError('--home and --database-url-file name two databases.', {
      code: 'contradiction',
      remedy: 'Give one of them.',
    });
  }
  const fromServer = typed ? undefined : chooseServer(settings, environment, io);
  if (fromServer !== undefined) return fromServer;
  const home = chooseHome(settings, environment, io);
  const ignored = typed ? serverInEnvironment(settings, environment) : undefined;
  return {
    config: embeddedIn(home.path),
    place: home.place,
    looked: placesOf(home, environment, io),
    ...(ignored === undefined ? {} : { notice: `--home is used; ${ignored} is ignored.` }),
  };
}

/** The server settings other than flags. */
function serverInEnvironment(settings: GlobalSettings, environment: Environment): string | undefined {
  const { from, place } = settings.origin('databaseUrlFile');
  return from === 'default' ? lookUp('DATABASE_URL', environment)?.place : place;
}

function chooseServer(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd'>,
): DatabaseChoice | undefined {
  const named = chooseUrl('databaseUrlFile', 'DATABASE_URL', { settings, environment, io });
  if (named === undefined) return undefined;
  const direct = chooseUrl('directDatabaseUrlFile', 'DIRECT_URL', { settings, environment, io });
  return {
    config: {
      kind: 'postgresql',
      url: named.url,
      ...(direct === undefined ? {} : { directUrl: direct.url }),
    },
    place: named.place,
    looked: [named.place],
  };
}

/** A URL from a file named by a flag or variable beats the variable at its own level or a lower one. */
function chooseUrl(
  key: 'databaseUrlFile' | 'directDatabaseUrlFile',
  variable: string,
  { settings, environment, io }: { settings: GlobalSettings; environment: Environment; io: Pick<Io, 'cwd'> },
): { url: string; place: string } | undefined {
  const file = settings[key];
  const { from, place } = settings.origin(key);
  const found = lookUp(variable, environment);
  const fileWins = from === 'flag' || from === 'environment' || found?.from !== 'environment';
  if (file !== undefined && fileWins) return { url: readUrl(resolve(io.cwd, file), place), place };
  return found === undefined ? undefined : { url: found.value, place: found.place };
}

/** The directory of the embedded database and its related files. */
export function chooseHome(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd' | 'homeDirectory'>,
): { path: string; place: string } {
  if (settings.home !== undefined) {
    return { path: resolve(io.cwd, settings.home), place: settings.origin('home').place };
  }
  const xdg = environment.env.XDG_DATA_HOME;
  // The XDG specification: a relative path is invalid and must be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) {
    return { path: join(xdg, PROGRAM_DIRECTORY), place: 'XDG_DATA_HOME' };
  }
  return { path: join(io.homeDirectory, '.local', 'share', PROGRAM_DIRECTORY), place: 'default' };
}

/** Every place that could have named a database and did not, down to the one used. */
function placesOf(
  home: { path: string; place: string },
  { env, dotenv, dotenvPath }: Environment,
  { cwd }: Pick<Io, 'cwd'>,
): string[] {
  const unset = dotenvPath === undefined ? `not set (no .env in ${cwd})` : `not set (nor in ${dotenvPath})`;
  const isSet = lookUp('DATABASE_URL', { env, dotenv, dotenvPath }) !== undefined;
  const places: readonly (readonly [place: string, found: string])[] = [
    ['--database-url-file', 'not given'],
    ['DATABASE_URL', isSet ? 'ignored, --home is given' : unset],
    ['--home', 'not given'],
    ['WA_RECONCILE_HOME', 'not set'],
    ['XDG_DATA_HOME', env.XDG_DATA_HOME ? 'ignored, not an absolute path' : 'not set'],
    ['default', ''],
  ];
  const isUsed = ([place]: readonly [string, string]): boolean =>
    home.place === place || home.place.startsWith(`${place} in `);
  const passed = places.slice(0, places.findIndex(isUsed));
  return [...passed.map(([place, found]) => `${place}: ${found}`), `${home.place}: ${home.path}`];
}

/** Adds the places searched to a "no database" error; other errors pass unchanged. */
export function withPlaces(error: unknown, { looked }: DatabaseChoice): unknown {
  if (!(error instanceof ConfigError) || error.code !== 'database_missing') return error;
  const { message, code, remedy } = error;
  return new ConfigError([`${message} Looked at:`, ...looked.map((line) => `  ${line}`)].join('\n'), {
    code,
    cause: error,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function readUrl(path: string, place: string): string {
  const text = readTextFile(path, place, {
    holds: 'postgresql://user:password@host:5432/database',
    code: 'database_url_file_unreadable',
  });
  const url = text.trim();
  if (url === '' || /\s/.test(url)) {
    throw new ConfigError(`${place}: ${path} does not hold a database URL.`, {
      remedy: 'It has to hold one line: postgresql://user:password@host:5432/database',
      code: 'database_url_invalid',
    });
  }
  return url;
}
