import { randomBytes } from 'node:crypto';
import {
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  type BinaryNode,
  Curve,
  derivePairingCodeKey,
  hkdf,
  type KeyPair,
  S_WHATSAPP_NET,
} from '@whiskeysockets/baileys';
import { bytesOf, child, node, resultOf, unixSeconds } from './nodes.js';

const SALT = 32;
const CTR_IV = 16;
const GCM_IV = 12;
const KEY = 32;

/** What the phone keeps between the code and the client's key bundle. */
export interface CodeExchange {
  companionEphemeral: Buffer;
  primaryEphemeral: KeyPair;
}

/** The link-code part of a stanza at a stage (`companion_hello`, `companion_finish`), if it is one. */
export function linkCodePart(stanza: BinaryNode, stage: string): BinaryNode | undefined {
  const part = child(stanza, 'link_code_companion_reg');
  return part?.attrs.stage === stage ? part : undefined;
}

/** Tells a client that its hello is kept under a reference. */
export function answerHello(stanza: BinaryNode, ref: Buffer): BinaryNode {
  return resultOf(stanza, [
    node('link_code_companion_reg', { stage: 'companion_hello' }, [node('link_code_pairing_ref', {}, ref)]),
  ]);
}

/** The user types the code into the phone: opens what the client sent with it, and makes the phone's answer. */
export async function enterCode(
  code: string,
  hello: BinaryNode,
  ref: Buffer,
  identity: KeyPair,
): Promise<{ exchange: CodeExchange; notification: BinaryNode }> {
  const wrapped = bytesOf(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub');
  const key = await derivePairingCodeKey(code, wrapped.subarray(0, SALT));
  const iv = wrapped.subarray(SALT, SALT + CTR_IV);
  const companionEphemeral = aesDecryptCTR(wrapped.subarray(SALT + CTR_IV), key, iv);

  const primaryEphemeral = Curve.generateKeyPair();
  const salt = randomBytes(SALT);
  const ownIv = randomBytes(CTR_IV);
  const cipher = aesEncryptCTR(primaryEphemeral.public, await derivePairingCodeKey(code, salt), ownIv);
  return {
    exchange: { companionEphemeral, primaryEphemeral },
    notification: node(
      'notification',
      {
        from: S_WHATSAPP_NET,
        type: 'link_code_companion_reg',
        id: randomBytes(4).toString('hex'),
        t: unixSeconds(),
      },
      [
        node('link_code_companion_reg', { stage: 'primary_hello' }, [
          node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, Buffer.concat([salt, ownIv, cipher])),
          node('primary_identity_pub', {}, identity.public),
          node('link_code_pairing_ref', {}, ref),
        ]),
      ],
    ),
  };
}

/**
 * Opens the client's key bundle and gives the secret that both sides now share (what a QR code holds in the clear).
 * Throws if the bundle does not open: the code that was typed is not the one that the client shows.
 */
export function readKeyBundle(
  finish: BinaryNode,
  { companionEphemeral, primaryEphemeral }: CodeExchange,
  identity: KeyPair,
): { companionIdentity: Buffer; advSecret: Buffer } {
  const shared = Curve.sharedKey(primaryEphemeral.private, companionEphemeral);
  const wrapped = bytesOf(finish, 'link_code_pairing_wrapped_key_bundle');
  const key = hkdf(shared, KEY, {
    salt: wrapped.subarray(0, SALT),
    info: 'link_code_pairing_key_bundle_encryption_key',
  });
  const iv = wrapped.subarray(SALT, SALT + GCM_IV);
  const bundle = aesDecryptGCM(wrapped.subarray(SALT + GCM_IV), key, iv, Buffer.alloc(0));
  const companionIdentity = bundle.subarray(0, KEY);
  const random = bundle.subarray(2 * KEY);
  const identityShared = Curve.sharedKey(identity.private, companionIdentity);
  const secret = hkdf(Buffer.concat([shared, identityShared, random]), KEY, { info: 'adv_secret' });
  return { companionIdentity, advSecret: Buffer.from(secret) };
}
