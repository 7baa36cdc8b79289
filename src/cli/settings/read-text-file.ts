import { readFileSync } from 'node:fs';
import { ConfigError } from '../../model/errors.js';

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
