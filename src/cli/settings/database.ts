import { isAbsolute, join, resolve } from 'node:path';
import type { DatabaseConfig } from '../../core/database.js';
import { ConfigError } from '../../model/errors.js';
import type { Io } from '../io.js';
import { lookUp, type Environment } from './environment.js';
import type { GlobalSettings } from './global.js';
import { readTextFile } from './read-text-file.js';

/** Which database a command works on, and who said so. */
export interface DatabaseChoice {
  config: DatabaseConfig;
  /** `DATABASE_URL`, `--database-url-file`, `--home`, `default`, … */
  place: string;
  /** What the user should know about the choice, if anything. */
  notice?: string;
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
  const home = chooseHome(settings, environment, io);
  if (fromServer === undefined) {
    return { config: { kind: 'pglite', directory: join(home.path, DATABASE_DIRECTORY) }, place: home.place };
  }
  return settings.origin('home').from === 'flag'
    ? { ...fromServer, notice: `--home names no database here: ${fromServer.place} does.` }
    : fromServer;
}

/** A URL from a file named by a flag or variable beats DATABASE_URL at its own level or a lower one. */
function chooseServer(
  settings: GlobalSettings,
  environment: Environment,
  io: Pick<Io, 'cwd'>,
): DatabaseChoice | undefined {
  const { databaseUrlFile } = settings;
  const fileOrigin = settings.origin('databaseUrlFile');
  const url = lookUp('DATABASE_URL', environment);
  const fileWins =
    fileOrigin.from === 'flag' || fileOrigin.from === 'environment' || url?.from !== 'environment';
  if (databaseUrlFile !== undefined && fileWins) {
    const read = readUrl(resolve(io.cwd, databaseUrlFile), fileOrigin.place);
    return { config: { kind: 'postgresql', url: read }, place: fileOrigin.place };
  }
  return url === undefined ? undefined : { config: { kind: 'postgresql', url: url.value }, place: url.place };
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
