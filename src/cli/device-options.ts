import { resolve } from 'node:path';
import type { DeviceOptions } from '../commands/devices/types.js';
import { SecretKey } from '../commands/devices/secret-key.js';
import { ConfigError } from '../model/errors.js';
import { isOnLoopback } from '../model/proxy.js';
import type { Call } from './call.js';
import { chooseDatabase } from './choose-database.js';
import { lookUp, readTextFile, type Environment } from './environment.js';
import { environmentName } from './flags/flag.js';
import { flag, text } from './flags/kinds.js';
import { readFlags } from './flags/table.js';

const KEY = 'WA_RECONCILE_SECRET_KEY';

/**
 * WhatsApp's address and protocol version: for tests, and for when WhatsApp refuses the built-in one. Only in the
 * environment.
 */
const SERVICE = {
  whatsappUrl: text('url', 'where WhatsApp is', 'a URL'),
  whatsappVersion: flag(
    'version',
    'which version of it to speak',
    'three numbers with dots between them',
    versionOf,
  ),
};

/** Settings available only from the environment. */
export const DEVICE_VARIABLES = [KEY, `${KEY}_FILE`, ...Object.keys(SERVICE).map(environmentName)];

const VERSION = /^(\d{1,9})\.(\d{1,9})\.(\d{1,12})$/;

/**
 * What every command with a linked device needs: the database, the secret key (WA_RECONCILE_SECRET_KEY, else the file
 * named by WA_RECONCILE_SECRET_KEY_FILE), and WhatsApp's address. Throws ConfigError, never with the key in it.
 */
export function readDeviceOptions(call: Call): DeviceOptions {
  const { settings, environment, io } = call;
  const { values, origin } = readFlags(SERVICE, call);
  const { whatsappUrl, whatsappVersion } = values;
  return {
    database: chooseDatabase(settings, environment, io).config,
    lockWaitMs: settings.lockWait,
    secretKey: readSecretKey(environment, io.cwd),
    url: whatsappUrl === undefined ? undefined : checkServiceUrl(whatsappUrl, origin('whatsappUrl').place),
    version: whatsappVersion,
  };
}

/** The key that seals secrets in the database; null if none was given. Throws ConfigError, never with the key in it. */
export function readSecretKey(environment: Environment, cwd: string): SecretKey | null {
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

function versionOf(raw: unknown): readonly [number, number, number] | undefined {
  const match = typeof raw === 'string' ? VERSION.exec(raw.trim()) : null;
  if (match === null) return undefined;
  const [, major, minor, patch] = match;
  return [Number(major), Number(minor), Number(patch)];
}

/**
 * Checks WhatsApp's address (default: WhatsApp itself). Baileys 7.0.0-rc14 accepts any certificate inside its own
 * handshake, so only TLS proves that it is WhatsApp: without it only this machine is allowed. Throws ConfigError;
 * `place` names the setting.
 */
export function checkServiceUrl(url: string, place: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'wss:') return url;
  if (parsed?.protocol === 'ws:' && isOnLoopback(url)) return url;
  throw new ConfigError(
    parsed?.protocol === 'ws:'
      ? `${place}: a connection to WhatsApp without encryption is refused.`
      : `${place} is not a WebSocket URL.`,
    {
      code: 'whatsapp_url_invalid',
      remedy: 'Leave it unset, or use a wss:// URL (ws:// on this machine only, for tests).',
    },
  );
}
