import { isAbsolute, join, resolve } from 'node:path';
import type { DatabaseConfig } from '../commands/database.js';
import { ConfigError } from '../model/errors.js';
import type { Io } from './io.js';
import { lookUp, readTextFile, type Environment } from './environment.js';
import type { GlobalSettings } from './flags/global.js';

/** Which database a command works on, and who said so. */
export interface DatabaseChoice {
  config: DatabaseConfig;
  /** `DATABASE_URL`, `--database-url-file`, `--home`, `default`, … */
  place: string;
  /** What the user should know about the choice, if anything. */
  notice?: string;
  /** Where it was looked for, in order, and what was found there: a line each, the last one being what was used. */
  looked: readonly string[];
}

const PROGRAM_DIRECTORY = 'wa-reconcile';
const DATABASE_DIRECTORY = 'database';

/**
 * `--database-url-file`, else DATABASE_URL, else the embedded database under `--home`, WA_RECONCILE_HOME, XDG_DATA_HOME or
 * `~/.local/share`, in this order. Throws a ConfigError, never with a URL in it, when a file cannot be read.
 */
export function chooseDatabase(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd' | 'homeDirectory'>,
): DatabaseChoice {
  const fromServer = chooseServer(settings, environment, io);
  if (fromServer === undefined) {
    const home = chooseHome(settings, environment, io);
    return {
      config: { kind: 'pglite', directory: join(home.path, DATABASE_DIRECTORY) },
      place: home.place,
      looked: placesOf(home, environment, io),
    };
  }
  return settings.origin('home').from === 'flag'
    ? { ...fromServer, notice: `--home names no database here: ${fromServer.place} does.` }
    : fromServer;
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

function chooseHome(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd' | 'homeDirectory'>,
): { path: string; place: string } {
  if (settings.home !== undefined) {
    return { path: resolve(io.cwd, settings.home), place: settings.origin('home').place };
  }
  const xdg = environment.env.XDG_DATA_HOME;
  // The XDG specification: a relative path is invalid and has to be ignored.
  if (xdg !== undefined && isAbsolute(xdg)) {
    return { path: join(xdg, PROGRAM_DIRECTORY), place: 'XDG_DATA_HOME' };
  }
  return { path: join(io.homeDirectory, '.local', 'share', PROGRAM_DIRECTORY), place: 'default' };
}

/** Everything that could have named a database and did not, down to the place that was used. */
function placesOf(
  home: { path: string; place: string },
  { env, dotenvPath }: Environment,
  { cwd }: Pick<Io, 'cwd'>,
): string[] {
  const unset = dotenvPath === undefined ? `not set (no .env in ${cwd})` : `not set (nor in ${dotenvPath})`;
  const places: readonly (readonly [place: string, found: string])[] = [
    ['--database-url-file', 'not given'],
    ['DATABASE_URL', unset],
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

/** The error that there is no database, with the places where one was looked for; any other error as it is. */
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
