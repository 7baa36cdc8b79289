import { parsePhoneNumberFromString } from 'libphonenumber-js';
import { canonicalPhone, digitsOf } from '../../identity/phone.js';
import { ConfigError } from '../../model/errors.js';

/**
 * The number of a connection as it is stored: E.164, canonical by rule I1. What people type is held to a stricter rule than
 * what webhooks bring: a country that exists, and a length that its plan knows. Throws ConfigError.
 */
export function parseBusinessPhone(typed: string): string {
  const digits = digitsOf(typed.trim());
  const parsed = digits === undefined ? undefined : parsePhoneNumberFromString(`+${digits}`);
  const phone = parsed?.isPossible() === true ? canonicalPhone(parsed.number) : undefined;
  if (phone === undefined) {
    throw new ConfigError('The phone is no international number.', {
      remedy: 'Write it with its country code, for example +5511912345678.',
      code: 'invalid_phone',
    });
  }
  return phone;
}
