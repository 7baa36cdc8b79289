import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { ConfigError } from '../model/errors.js';
import type { Io } from './io.js';

/** Where a setting may stand besides a flag: the environment, then `./.env`. */
export interface Environment {
  env: Io['env'];
  dotenv: Readonly<Record<string, string | undefined>>;
  /** The `.env` that was read; undefined when there is none. */
  dotenvPath: string | undefined;
}

/** A value with the words that say where it was found. */
export interface Found {
  value: string;
  from: 'environment' | '.env';
  /** `WA_RECONCILE_HOME`, `WA_RECONCILE_HOME in /srv/.env`. */
  place: string;
}

/** Reads `./.env` beside the environment, without touching the environment: a child process must not inherit it. */
export function readEnvironment(io: Pick<Io, 'env' | 'cwd'>): Environment {
  const path = join(io.cwd, '.env');
  const text = readIfFile(path);
  return text === undefined
    ? { env: io.env, dotenv: {}, dotenvPath: undefined }
    : { env: io.env, dotenv: parseEnv(text), dotenvPath: path };
}

/** Looks a name up; an empty value counts as not set, so that a unit file or CI can switch one off. */
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

/** No `.env`, or a directory of that name (a Python environment, often): nothing to read, and no error. */
function readIfFile(path: string): string | undefined {
  try {
    // The byte order mark that some editors write would become part of the first name.
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
 * The text of a file that a setting names, without a byte order mark. `place` is where the setting stands; `holds` what the
 * file has to hold. Throws ConfigError with `code` when it cannot be read.
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

/** The error for a `-` on the line of a person who pipes nothing; `reads`: what was typed, and what it reads. */
export function nothingPiped(reads: string, remedy: string): ConfigError {
  return new ConfigError(`${reads} from standard input, but nothing is piped into it.`, {
    code: 'stdin_is_terminal',
    remedy,
  });
}
