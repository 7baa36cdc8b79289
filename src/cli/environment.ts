import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from '../model/errors.js';
import type { Io } from './io.js';

/** Sources of a setting other than a flag: the environment, then `./.env`. */
export interface Environment {
  env: Io['env'];
  dotenv: Readonly<Record<string, string | undefined>>;
  /** The `.env` file read; undefined if there is none. */
  dotenvPath: string | undefined;
}

/** A value and its source. */
export interface Found {
  value: string;
  from: 'environment' | '.env';
  /** `WA_RECONCILE_HOME`, `WA_RECONCILE_HOME in /srv/.env`. */
  place: string;
}

/** Reads `./.env` without changing the environment: a child process must not inherit it. */
export function readEnvironment(io: Pick<Io, 'env' | 'cwd'>): Environment {
  const path = join(io.cwd, '.env');
  const text = readIfFile(path);
  return text === undefined
    ? { env: io.env, dotenv: {}, dotenvPath: undefined }
    : { env: io.env, dotenv: parseEnv(text), dotenvPath: path };
}

/** Looks up a name; an empty value counts as unset, so that a unit file or CI can disable one. */
export function lookUp(name: string, environment: Environment): Found | undefined {
  const fromEnvironment = environment.env[name];
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return { value: fromEnvironment, from: 'environment', place: name };
  }
  const fromFile = environment.dotenv[name];
  if (fromFile !== undefined && fromFile !== '' && environment.dotenvPath !== undefined) {
    return { value: fromFile, from: '.env', place: `${name} in ${environment.dotenvPath}` };
  }
  return undefined;
}

/** No `.env`, or a directory with that name (often a Python environment): nothing to read, and no error. */
function readIfFile(path: string): string | undefined {
  try {
    // A byte order mark from an editor would become part of the first name.
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'EISDIR' || code === 'ENOTDIR') return undefined;
    throw new ConfigError(`${path} cannot be read (${typeof code === 'string' ? code : 'unknown error'}).`, {
      remedy: 'Make it readable for this user, or remove it.',
      code: 'unreadable_env_file',
      cause: error,
    });
  }
}

/**
 * The text of a file named by a setting, without a byte order mark. `place` names the setting; `holds` the expected
 * content. Throws ConfigError with `code` if it cannot be read.
 */
export function readTextFile(
  path: string,
  place: string,
  { holds, code }: { holds: string; code: string },
): string {
  try {
    return readFileSync(path, 'utf8').replace(/^\ufeff/, '');
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'error';
    throw new ConfigError(`${place}: ${path} cannot be read (${reason}).`, {
      remedy: `Name a file that holds one line: ${holds}`,
      code,
      cause: error,
    });
  }
}

/** The error for a `-` typed on a terminal without a pipe; `reads`: what was typed, and what it reads. */
export function nothingPiped(reads: string, remedy: string): ConfigError {
  return new ConfigError(`${reads} from standard input, but nothing is piped into it.`, {
    code: 'stdin_is_terminal',
    remedy,
  });
}
