import { Curve, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { createTestRoot } from '../support/fake-whatsapp/certificate.js';
import { isGenuine } from '../support/fake-whatsapp/xeddsa.js';

const { NoiseCertificate } = proto.CertChain;
const NONE = new Uint8Array();

describe('signatures in the fake WhatsApp', () => {
  it('are told from false ones', () => {
    const message = Buffer.from('a message');
    for (let round = 0; round < 20; round++) {
      const { private: key, public: publicKey } = Curve.generateKeyPair();
      const signature = Curve.sign(key, message);
      expect(isGenuine(publicKey, message, signature)).toBe(true);
      expect(isGenuine(publicKey, Buffer.from('another'), signature)).toBe(false);
      expect(isGenuine(Curve.generateKeyPair().public, message, signature)).toBe(false);
    }
  });

  it('make a chain from its root to its server, which a Baileys that checks would accept', () => {
    const root = createTestRoot();
    const server = Curve.generateKeyPair();
    const { intermediate, leaf } = proto.CertChain.decode(root.issueChain(server.public));
    const issuer = NoiseCertificate.Details.decode(intermediate?.details ?? NONE);
    expect(isGenuine(root.publicKey, intermediate?.details ?? NONE, intermediate?.signature ?? NONE)).toBe(
      true,
    );
    expect(isGenuine(issuer.key ?? NONE, leaf?.details ?? NONE, leaf?.signature ?? NONE)).toBe(true);
    expect(NoiseCertificate.Details.decode(leaf?.details ?? NONE).key).toEqual(server.public);
  });
});
