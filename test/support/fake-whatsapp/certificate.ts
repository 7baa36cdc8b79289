import { Curve, type KeyPair, proto, WA_CERT_DETAILS } from '@whiskeysockets/baileys';

/** The key that signs the fake server's certificates, in the place of WhatsApp's own long-term key. */
export interface TestRoot {
  readonly publicKey: Buffer;
  /** The chain that a server with this static key shows in the Noise handshake, as protobuf bytes. */
  issueChain(serverStatic: Uint8Array): Uint8Array;
}

const { NoiseCertificate } = proto.CertChain;
const ROOT_SERIAL = 0;
const INTERMEDIATE_SERIAL = 1;
const LEAF_SERIAL = 2;

export function createTestRoot(): TestRoot {
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  return {
    publicKey: Buffer.from(root.public),
    issueChain: (serverStatic) =>
      proto.CertChain.encode({
        intermediate: sign(root, {
          serial: INTERMEDIATE_SERIAL,
          issuerSerial: ROOT_SERIAL,
          key: intermediate.public,
        }),
        leaf: sign(intermediate, {
          serial: LEAF_SERIAL,
          issuerSerial: INTERMEDIATE_SERIAL,
          key: serverStatic,
        }),
      }).finish(),
  };
}

/**
 * Makes the Baileys of this process trust a test root. 7.0.0-rc14 accepts any chain (its signature check never fails), but a
 * Baileys with that repaired refuses the fake server without this.
 */
export function trustRoot(publicKey: Buffer): void {
  Object.assign(WA_CERT_DETAILS, { PUBLIC_KEY: publicKey });
}

function sign(
  issuer: KeyPair,
  details: proto.CertChain.NoiseCertificate.IDetails,
): proto.CertChain.INoiseCertificate {
  const bytes = NoiseCertificate.Details.encode(details).finish();
  return { details: bytes, signature: Curve.sign(issuer.private, bytes) };
}
