import { createPublicKey, verify } from 'node:crypto';

const PRIME = 2n ** 255n - 19n;
const KEY_BYTES = 32;
const SIGN_BIT = 0x80;

/**
 * Whether a Signal signature (XEdDSA: a Curve25519 key that signs as Ed25519) is genuine. Baileys' own check is of no use
 * here: in 7.0.0-rc14 it accepts everything.
 */
export function isGenuine(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const plain = Buffer.from(signature);
  const last = plain[plain.length - 1];
  if (publicKey.length !== KEY_BYTES || plain.length !== 2 * KEY_BYTES || last === undefined) return false;
  // The signer puts the sign of the Edwards point, which a Curve25519 key lacks, into the last bit.
  plain[plain.length - 1] = last & ~SIGN_BIT;
  const point = edwardsPoint(publicKey);
  point[KEY_BYTES - 1] = (point[KEY_BYTES - 1] ?? 0) | (last & SIGN_BIT);
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: point.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, message, key, plain);
}

/** The y coordinate that belongs to a Curve25519 key u: (u - 1) / (u + 1). */
function edwardsPoint(publicKey: Uint8Array): Buffer {
  const u = BigInt(`0x${Buffer.from(publicKey).reverse().toString('hex')}`) % PRIME;
  const y = ((u - 1n + PRIME) * power(u + 1n, PRIME - 2n)) % PRIME;
  return Buffer.from(y.toString(16).padStart(2 * KEY_BYTES, '0'), 'hex').reverse();
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base % PRIME;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % PRIME;
    factor = (factor * factor) % PRIME;
  }
  return result;
}
