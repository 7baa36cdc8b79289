import {
  aesDecryptGCM,
  aesEncryptGCM,
  Curve,
  hkdf,
  type KeyPair,
  NOISE_MODE,
  NOISE_WA_HEADER,
  proto,
  sha256,
} from '@whiskeysockets/baileys';

const NONE = Buffer.alloc(0);

/** Encrypts and decrypts what follows the handshake; each direction has its own key and counter. */
export interface Transport {
  encrypt(plain: Uint8Array): Buffer;
  decrypt(cipher: Uint8Array): Buffer;
}

export interface ClientFinish {
  /** The client's long-term Noise key: what a login is recognized by. */
  clientStatic: Buffer;
  payload: proto.ClientPayload;
  transport: Transport;
}

/** The answering side of WhatsApp's Noise_XX_25519_AESGCM_SHA256 handshake: hello in, hello out, finish in. */
export interface NoiseResponder {
  /** Takes the client's hello, gives the server's. */
  answerHello(clientHello: Uint8Array): Uint8Array;
  /** Takes the client's finish; throws if it does not decrypt. */
  readFinish(clientFinish: Uint8Array): ClientFinish;
}

export function createNoiseResponder(serverStatic: KeyPair, certificateChain: Uint8Array): NoiseResponder {
  const ephemeral = Curve.generateKeyPair();
  let clientEphemeral: Uint8Array = NONE;
  let hash: Buffer = Buffer.from(NOISE_MODE);
  let salt: Uint8Array = hash;
  let key: Uint8Array = hash;
  let counter = 0;

  function authenticate(data: Uint8Array): void {
    hash = sha256(Buffer.concat([hash, data]));
  }
  function mix(secret: Uint8Array): void {
    [salt, key] = expand(secret, salt);
    counter = 0;
  }
  function encrypt(plain: Uint8Array): Buffer {
    const cipher = aesEncryptGCM(plain, key, nonce(counter++), hash);
    authenticate(cipher);
    return cipher;
  }
  function decrypt(cipher: Uint8Array): Buffer {
    const plain = aesDecryptGCM(cipher, key, nonce(counter++), hash);
    authenticate(cipher);
    return plain;
  }

  return {
    answerHello(clientHello) {
      clientEphemeral = required(proto.HandshakeMessage.decode(clientHello).clientHello?.ephemeral);
      authenticate(NOISE_WA_HEADER);
      authenticate(clientEphemeral);
      authenticate(ephemeral.public);
      mix(Curve.sharedKey(ephemeral.private, clientEphemeral));
      const encryptedStatic = encrypt(serverStatic.public);
      mix(Curve.sharedKey(serverStatic.private, clientEphemeral));
      const payload = encrypt(certificateChain);
      return proto.HandshakeMessage.encode({
        serverHello: { ephemeral: ephemeral.public, static: encryptedStatic, payload },
      }).finish();
    },
    readFinish(clientFinish) {
      const finish = proto.HandshakeMessage.decode(clientFinish).clientFinish;
      const clientStatic = decrypt(required(finish?.static));
      mix(Curve.sharedKey(ephemeral.private, clientStatic));
      const payload = proto.ClientPayload.decode(decrypt(required(finish?.payload)));
      const [clientToServer, serverToClient] = expand(NONE, salt);
      return { clientStatic, payload, transport: createTransport(serverToClient, clientToServer) };
    },
  };
}

function createTransport(writeKey: Uint8Array, readKey: Uint8Array): Transport {
  let written = 0;
  let read = 0;
  return {
    encrypt: (plain) => aesEncryptGCM(plain, writeKey, nonce(written++), NONE),
    decrypt: (cipher) => aesDecryptGCM(cipher, readKey, nonce(read++), NONE),
  };
}

function expand(secret: Uint8Array, salt: Uint8Array): [Uint8Array, Uint8Array] {
  const bytes = hkdf(Buffer.from(secret), 64, { salt: Buffer.from(salt), info: '' });
  return [bytes.subarray(0, 32), bytes.subarray(32)];
}

function nonce(counter: number): Uint8Array {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}

function required(bytes: Uint8Array | null | undefined): Uint8Array {
  if (bytes === null || bytes === undefined) throw new Error('the Noise handshake lacks a field');
  return bytes;
}
