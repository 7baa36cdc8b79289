import { resolve } from 'node:path';
import { z } from 'zod';
import { SecretKey } from '../../core/devices/secret-key.js';
import { checkServiceUrl } from '../../core/devices/service.js';
import type { DeviceOptions } from '../../core/devices/options.js';
import type { Call } from '../call.js';
import { chooseDatabase } from './database.js';
import { lookUp, type Environment } from './environment.js';
import { word } from './parsers.js';
import { readTextFile } from './read-text-file.js';
import { resolveSettings } from './resolve.js';

const KEY = 'WA_RECONCILE_SECRET_KEY';

/** Where WhatsApp is and which version of it to speak: for tests, and for the day when WhatsApp refuses the built-in one. */
const SERVICE = z.object({
  whatsappUrl: word('a URL').optional(),
  whatsappVersion: word('a version')
    .pipe(z.string().regex(/^\d{1,9}\.\d{1,9}\.\d{1,12}$/, 'a version such as 2.3000.1043857760'))
    .optional(),
});

/**
 * What every command with a linked device needs: the database, the secret key (WA_RECONCILE_SECRET_KEY, else the file that
 * WA_RECONCILE_SECRET_KEY_FILE names), and where WhatsApp is. Throws ConfigError, never with the key in it.
 */
export function readDeviceOptions({ settings, environment, io, given }: Call): DeviceOptions {
  const { values, origin } = resolveSettings(SERVICE, given, environment);
  const { whatsappUrl, whatsappVersion } = values;
  return {
    database: chooseDatabase(settings, environment, io).config,
    lockWaitMs: settings.lockWait,
    secretKey: readSecretKey(environment, io.cwd),
    ...(whatsappUrl === undefined ? {} : { url: checkServiceUrl(whatsappUrl, origin('whatsappUrl').place) }),
    ...(whatsappVersion === undefined ? {} : { version: versionOf(whatsappVersion) }),
  };
}

function readSecretKey(environment: Environment, cwd: string): SecretKey | null {
  const direct = lookUp(KEY, environment);
  if (direct !== undefined) return SecretKey.parse(direct.value, direct.place);
  const file = lookUp(`${KEY}_FILE`, environment);
  if (file === undefined) return null;
  const path = resolve(cwd, file.value);
  const text = readTextFile(path, file.place, {
    holds: '32 bytes in base64.',
    code: 'secret_key_file_unreadable',
  });
  return SecretKey.parse(text, `${file.place} (${path})`);
}

function versionOf(text: string): readonly [number, number, number] {
  const [major = 0, minor = 0, patch = 0] = text.split('.').map(Number);
  return [major, minor, patch];
}
