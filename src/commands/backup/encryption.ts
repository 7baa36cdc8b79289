import { BadKey, encrypter, type Keys } from '../../archive/age.js';
import { ConfigError } from '../../model/errors.js';

/** Encrypts for these keys; `option`: where they were given. Throws ConfigError for what is no public key. */
export function encryption(keys: Keys, option: string): ReturnType<typeof encrypter> {
  try {
    return encrypter(keys);
  } catch (error) {
    if (!(error instanceof BadKey)) throw error;
    throw new ConfigError(`${option}: this is no public key of age.`, {
      code: 'key_invalid',
      remedy: 'It begins with age1; age-keygen prints it.',
    });
  }
}
