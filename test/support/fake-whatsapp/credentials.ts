import { type AuthenticationCreds, configureSuccessfulPairing, initAuthCreds } from '@whiskeysockets/baileys';
import type { FakeAccount, World } from './account.js';
import type { LinkedDevice } from './linked-device.js';
import { linkDevice } from './pairing.js';

/**
 * A device that is linked already, and its credentials: what pairing over the wire ends in, made with Baileys' own function,
 * for tests about something else. It has synchronised once, so Baileys waits for no first history.
 */
export function linkedCredentials(world: World): { device: LinkedDevice; creds: AuthenticationCreds } {
  const creds = initAuthCreds();
  const { signedPreKey, signedIdentityKey, registrationId, noiseKey } = creds;
  const { device, pairSuccess } = linkDevice(
    world,
    {
      noiseKey: Buffer.from(noiseKey.public),
      bundle: {
        registrationId,
        identity: signedIdentityKey.public,
        signedPreKey: {
          id: signedPreKey.keyId,
          value: signedPreKey.keyPair.public,
          signature: signedPreKey.signature,
        },
      },
    },
    Buffer.from(creds.advSecretKey, 'base64'),
  );
  Object.assign(creds, configureSuccessfulPairing(pairSuccess, creds).creds, {
    accountSyncCounter: 1,
    registered: true,
  });
  return { device, creds };
}

/** An account with a number and a LID like real ones, different at each call. */
export function randomAccount(): FakeAccount {
  const digits = String(Math.floor(Math.random() * 100_000_000)).padStart(8, '0');
  return { phone: `55119${digits}`, lid: `1020${digits}000`, name: 'Shop' };
}
