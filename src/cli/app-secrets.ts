import { resolve } from 'node:path';
import { ConfigError } from '../model/errors.js';
import type { Call } from './call.js';
import { lookUp, readTextFile } from './environment.js';
import { text } from './flags/kinds.js';
import type { Origin, Recorded } from './flags/table.js';

/** The secret itself: only in the environment, never on a command line, which every user of the machine can read. */
export const APP_SECRET = 'WA_RECONCILE_APP_SECRET';

/** The flag of every command that checks signatures, as it is typed. */
export const APP_SECRET_FLAG = '--app-secret-file';

/** The same as a row of a command's flags. */
export const appSecretFile = () =>
  text('file', "the Meta app's secret, to check signatures; one per line", 'a file name');

/**
 * The secrets of the Meta apps whose webhooks are in the log: one per line of --app-secret-file (several apps, or a
 * secret that was renewed), else WA_RECONCILE_APP_SECRET; undefined if none was given. Throws ConfigError, never with a
 * secret in it.
 */
export function readAppSecrets(
  { environment, io }: Call,
  file: string | undefined,
  { place }: Pick<Origin, 'place'>,
): readonly string[] | undefined {
  const direct = lookUp(APP_SECRET, environment);
  if (file === undefined) return direct === undefined ? undefined : secretsIn(direct.value, direct.place);
  const path = resolve(io.cwd, file);
  const held = readTextFile(path, place, {
    holds: 'the app secret, as the App Dashboard shows it.',
    code: 'app_secret_file_unreadable',
  });
  return secretsIn(held, `${place} (${path})`);
}

/** What a run records: its file by the path that leads there from everywhere, for the advice to run it again. */
export function withSecretPath(recorded: Recorded, { io }: Call): Recorded {
  const { appSecretFile: file } = recorded;
  return typeof file === 'string' ? { ...recorded, appSecretFile: resolve(io.cwd, file) } : recorded;
}

function secretsIn(held: string, place: string): readonly string[] {
  const secrets = held
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (secrets.length > 0) return secrets;
  throw new ConfigError(`${place} holds no app secret.`, {
    code: 'app_secret_missing',
    remedy: 'Copy it from the App Dashboard of Meta (App settings, Basic), or leave the setting out.',
  });
}
