import { stat } from 'node:fs/promises';
import { platform } from 'node:os';
import type { DoctorOptions } from './options.js';
import { remedyOf, type DoctorCheck } from './result.js';

/** Whether settings are understood, and secrets kept. */
export async function checkConfiguration(options: DoctorOptions): Promise<DoctorCheck> {
  const { settings, unknownSettings, secretFiles, database } = options;
  const name = 'configuration' as const;
  if (database instanceof Error) {
    return { name, status: 'fail', message: database.message, ...remedyOf(database) };
  }
  const [unknown] = unknownSettings;
  if (unknown !== undefined) {
    const more = unknownSettings.length > 1 ? ` (and ${unknownSettings.length - 1} more)` : '';
    return {
      name,
      status: 'warn',
      message: `${unknown.place} is not a setting and is ignored${more}`,
      remedy: unknown.similar === undefined ? 'Remove it.' : `Did you mean ${unknown.similar}?`,
    };
  }
  const open = await findReadableByAll(secretFiles);
  if (open !== undefined) {
    return {
      name,
      status: 'warn',
      message: `${open} may hold a password, and every user of this machine can read it`,
      remedy: `chmod 600 '${open}'`,
    };
  }
  return { name, status: 'ok', message: settings.length === 1 ? '1 setting' : `${settings.length} settings` };
}

const READABLE_BY_OTHERS = 0o004;

async function findReadableByAll(paths: readonly string[]): Promise<string | undefined> {
  // Windows keeps no such bits, and shows every file as open.
  if (platform() === 'win32') return undefined;
  for (const path of paths) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile() === true && (found.mode & READABLE_BY_OTHERS) !== 0) return path;
  }
  return undefined;
}
