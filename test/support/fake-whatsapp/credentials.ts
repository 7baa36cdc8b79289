import {
  type AuthenticationCreds,
  type AuthenticationState,
  configureSuccessfulPairing,
  getNextPreKeys,
  initAuthCreds,
} from '@whiskeysockets/baileys';
import type { FakeAccount, World } from './account.js';
import type { LinkedDevice } from './linked-device.js';
import { createMemoryKeys } from './memory-keys.js';
import { linkDevice } from './pairing.js';

/** More than Baileys takes for few, and less than the 812 that it makes for a device without any. */
const PRE_KEYS = 20;

/**
 * A device that is linked already, and its credentials: what pairing over the wire ends in, made with Baileys' own function,
 * for tests about something else. It has synchronized once, so Baileys waits for no first history.
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

/** {@link linkedCredentials} with keys in memory, of which some are uploaded: its first login is a quick one. */
export async function linkedAuth(world: World): Promise<{ device: LinkedDevice; auth: AuthenticationState }> {
  const { device, creds } = linkedCredentials(world);
  const auth: AuthenticationState = { creds, keys: createMemoryKeys() };
  const { update, preKeys } = await getNextPreKeys(auth, PRE_KEYS);
  Object.assign(creds, update);
  device.addPreKeys(new Map(Object.entries(preKeys).map(([id, pair]) => [Number(id), pair.public])));
  return { device, auth };
}

/** An account with a number and a LID like real ones, different at each call. */
export function randomAccount(): FakeAccount {
  const digits = String(Math.floor(Math.random() * 100_000_000)).padStart(8, '0');
  return { phone: `55119${digits}`, lid: `1020${digits}000`, name: 'Shop' };
}
