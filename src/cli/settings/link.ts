import { z } from 'zod';
import { ConfigError } from '../../model/errors.js';
import { remedy } from '../../model/remedy.js';
import type { Call } from '../call.js';
import { missingFlag, whyNotAsk } from '../prompts.js';
import { toggle, word } from './parsers.js';
import { resolveSettings } from './resolve.js';

const LINK = z.object({
  connection: word('a connection').optional(),
  organization: word('an organization').optional(),
  pairingCode: toggle(),
  phone: word('a phone number').optional(),
  check: toggle(),
  forget: toggle(),
});

export type LinkSettings = z.output<typeof LINK>;

/** The flags of `link`, `link status` and `unlink`. Throws ConfigError. */
export function resolveLinkSettings({ given, environment }: Call): LinkSettings {
  const { values, origin } = resolveSettings(LINK, given, environment);
  if (values.phone !== undefined && !values.pairingCode) {
    throw new ConfigError(`${origin('phone').place} is for --pairing-code: a QR code needs no number.`, {
      remedy: 'Add --pairing-code, or leave the number out.',
      code: 'contradiction',
    });
  }
  if (values.phone !== undefined && !/^\+?[\d\s().-]{8,24}$/.test(values.phone)) {
    throw new ConfigError(`${origin('phone').place}: the phone is no international number.`, {
      remedy: 'Write it with its country code, for example +5511912345678.',
      code: 'invalid_phone',
    });
  }
  return values;
}

/** The connection that was named. Throws ConfigError when none was. */
export function namedConnection(call: Call, settings: LinkSettings, command: string): string {
  if (settings.connection !== undefined) return settings.connection;
  const example = remedy(command, ['--connection', 'main'], 'names the connection');
  throw missingFlag('--connection', whyNotAsk(call) ?? 'which phone is meant must be said', example);
}
