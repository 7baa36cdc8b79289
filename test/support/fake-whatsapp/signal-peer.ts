import {
  addTransactionCapability,
  type BinaryNode,
  Curve,
  DEFAULT_CONNECTION_CONFIG,
  encodeWAMessage,
  generateSignalPubKey,
  type KeyPair,
  KEY_BUNDLE_TYPE,
  proto,
  signedKeyPair,
  unpadRandomMax16,
} from '@whiskeysockets/baileys';
import { pino } from 'pino';
import { createMemoryKeys } from './memory-keys.js';
import { bigEndian, node } from './nodes.js';

const SILENT = pino({ level: 'silent' });
const SIGNED_KEY_ID = 1;

/** What another device needs to begin a Signal session; public keys without their type byte. */
export interface KeyBundle {
  registrationId: number;
  identity: Uint8Array;
  signedPreKey: { id: number; value: Uint8Array; signature: Uint8Array };
  preKey?: { id: number; value: Uint8Array };
}

export type EncryptionType = 'pkmsg' | 'msg';

/** Somebody with Signal keys of his own, other than the device under test: the account's phone, or a contact. */
export interface SignalPeer {
  readonly identity: KeyPair;
  /** A bundle for one device; its one-time key is a new one, for Signal forgets it with its first use. */
  issueBundle(): Promise<KeyBundle>;
  /** Encrypts for a device; its bundle begins the session where there is none. */
  encrypt(to: string, bundle: () => KeyBundle, message: proto.IMessage): Promise<BinaryNode>;
  /** The next message to a device begins a new session with it. */
  renewSession(to: string): void;
  decrypt(from: string, type: EncryptionType, cipher: Uint8Array): Promise<proto.Message>;
  close(): void;
}

export function createSignalPeer(): SignalPeer {
  const identity = Curve.generateKeyPair();
  const signedPreKey = signedKeyPair(identity, SIGNED_KEY_ID);
  const registrationId = 1 + Math.floor(Math.random() * 16_000);
  const keys = addTransactionCapability(createMemoryKeys(), SILENT, {
    maxCommitRetries: 1,
    delayBetweenTriesMs: 1,
  });
  const creds = { signedIdentityKey: identity, signedPreKey, registrationId };
  const repository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository({ creds, keys }, SILENT);

  const toRenew = new Set<string>();
  let issued = 0;

  async function beginSession(to: string, takeBundle: () => KeyBundle): Promise<void> {
    if (!toRenew.delete(to) && (await repository.validateSession(to)).exists) return;
    const { registrationId: id, identity: theirs, signedPreKey: signed, preKey: once } = takeBundle();
    await repository.injectE2ESession({
      jid: to,
      session: {
        registrationId: id,
        identityKey: generateSignalPubKey(theirs),
        signedPreKey: {
          keyId: signed.id,
          publicKey: generateSignalPubKey(signed.value),
          signature: signed.signature,
        },
        ...(once && { preKey: { keyId: once.id, publicKey: generateSignalPubKey(once.value) } }),
      },
    });
  }

  return {
    identity,
    async issueBundle() {
      const id = ++issued;
      const preKey = Curve.generateKeyPair();
      await keys.set({ 'pre-key': { [String(id)]: preKey } });
      const { keyPair, signature } = signedPreKey;
      return {
        registrationId,
        identity: identity.public,
        signedPreKey: { id: SIGNED_KEY_ID, value: keyPair.public, signature },
        preKey: { id, value: preKey.public },
      };
    },
    async encrypt(to, bundle, message) {
      await beginSession(to, bundle);
      const { type, ciphertext } = await repository.encryptMessage({
        jid: to,
        data: encodeWAMessage(message),
      });
      return node('enc', { v: '2', type }, ciphertext);
    },
    renewSession: (to) => {
      toRenew.add(to);
    },
    async decrypt(from, type, cipher) {
      const padded = await repository.decryptMessage({ jid: from, type, ciphertext: cipher });
      return proto.Message.decode(unpadRandomMax16(padded));
    },
    close: () => repository.close?.(),
  };
}

/** A bundle as the server hands it out, for one user of an `encrypt` query. */
export function bundleNode(jid: string, bundle: KeyBundle): BinaryNode {
  const { signedPreKey: signed, preKey: once } = bundle;
  return node('user', { jid }, [
    node('registration', {}, bigEndian(bundle.registrationId, 4)),
    node('type', {}, KEY_BUNDLE_TYPE),
    node('identity', {}, bundle.identity),
    node('skey', {}, [
      node('id', {}, bigEndian(signed.id, 3)),
      node('value', {}, signed.value),
      node('signature', {}, signed.signature),
    ]),
    ...(once
      ? [node('key', {}, [node('id', {}, bigEndian(once.id, 3)), node('value', {}, once.value)])]
      : []),
  ]);
}
