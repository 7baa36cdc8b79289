import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { ConfigError } from '../../model/errors.js';
import type { Advices } from '../../model/remedy.js';
import { adviceWhenDamaged, type KeyedNames, type KeyOpener, type SealedThing } from '../../model/secrets.js';

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
/** The form of a sealed value: this byte, the key's id, the nonce, the tag, the encrypted text. */
const FORM = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEAD_BYTES = 1 + KEY_ID_BYTES;
/** A shorter value was cut. */
const LEAST_BYTES = HEAD_BYTES + NONCE_BYTES + TAG_BYTES;

const HOW_TO_MAKE_A_KEY =
  'Set WA_RECONCILE_SECRET_KEY to the key that this database was used with, or WA_RECONCILE_SECRET_KEY_FILE to a file that contains it: a new one opens nothing of before, and does not know whom was erased. If there was none, create one with `openssl rand -base64 32`, and keep it apart from the backups of the database.';

const HOW_A_PROGRAM_MAKES_A_KEY =
  'Give createContext the secretKey that this database was used with. If there was none, create one with `openssl rand -base64 32`, and keep it apart from the backups of the database.';

/**
 * The key that seals secrets in the database (linked devices, access tokens, URLs of CRMs): AES-256-GCM with a random
 * nonce. The context (`about`) is authenticated too, so no row can pass for another.
 */
export class SecretKey implements KeyedNames, KeyOpener {
  private readonly id: Buffer;
  /** The key of {@link nameOf}. */
  private names: Buffer | undefined;

  private constructor(
    private readonly key: Buffer,
    private readonly place: string,
  ) {
    // Distinguishes a wrong key from damaged data, without revealing the key.
    this.id = createHash('sha256')
      .update('wa-reconcile key id\0')
      .update(key)
      .digest()
      .subarray(0, KEY_ID_BYTES);
  }

  /** Reads 32 bytes of base64; `place` names their source. Throws ConfigError; the message never contains the text. */
  static parse(text: string, place: string): SecretKey {
    const trimmed = text.trim();
    const key = Buffer.from(trimmed, 'base64');
    // Node accepts anything as base64; input that does not round-trip was invalid.
    const isBase64 = key.toString('base64').replace(/=+$/, '') === trimmed.replace(/=+$/, '');
    if (!isBase64 || key.byteLength !== KEY_BYTES) {
      throw new ConfigError(`${place} is not a key of 32 bytes in base64.`, {
        code: 'secret_key_invalid',
        remedy: HOW_TO_MAKE_A_KEY,
        inProgram: HOW_A_PROGRAM_MAKES_A_KEY,
      });
    }
    return new SecretKey(key, place);
  }

  /** A new one; errors name `place`. */
  static create(place: string): SecretKey {
    return new SecretKey(randomBytes(KEY_BYTES), place);
  }

  seal(text: string, about: readonly string[]): Uint8Array {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(authenticated(about));
    const encrypted = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([Buffer.from([FORM]), this.id, nonce, cipher.getAuthTag(), encrypted]);
  }

  /** Throws ConfigError `secret_key_wrong` for values sealed with another key, cut or altered. */
  open(sealed: Uint8Array, about: readonly string[], thing: SealedThing): string {
    if (!isWhole(sealed) || !this.hasSealed(sealed)) throw this.wrong(thing, sealed);
    const bytes = Buffer.from(sealed);
    const nonce = bytes.subarray(HEAD_BYTES, HEAD_BYTES + NONCE_BYTES);
    const tag = bytes.subarray(HEAD_BYTES + NONCE_BYTES, HEAD_BYTES + NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, this.key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(authenticated(about));
    decipher.setAuthTag(tag);
    try {
      const encrypted = bytes.subarray(HEAD_BYTES + NONCE_BYTES + TAG_BYTES);
      return Buffer.concat([decipher.update(encrypted), decipher.final()]).toString('utf8');
    } catch (cause) {
      throw this.damaged(thing, cause);
    }
  }

  /** Another key, sealed under this one. */
  sealKey(other: SecretKey, about: readonly string[]): Uint8Array {
    return this.seal(other.key.toString('base64'), about);
  }

  /** The key that {@link sealKey} sealed; errors name this key's source. */
  openKey(sealed: Uint8Array, about: readonly string[], thing: SealedThing): SecretKey {
    return SecretKey.parse(this.open(sealed, about, thing), this.place);
  }

  /** Whether the two are one key. */
  equals(other: SecretKey): boolean {
    return this.id.equals(other.id);
  }

  /**
   * A keyed name for something whose real name must not be stored: stable, and without the key it cannot be reversed,
   * not even by trying all phone numbers.
   */
  nameOf(what: readonly string[]): string {
    // Made once: a log is asked for a name after another.
    this.names ??= createHmac('sha256', this.key).update('wa-reconcile names').digest();
    return createHmac('sha256', this.names).update(authenticated(what)).digest('hex');
  }

  /** Whether this key sealed it, by the key id alone. */
  hasSealed(sealed: Uint8Array): boolean {
    const bytes = Buffer.from(sealed);
    return bytes[0] === FORM && bytes.subarray(1, HEAD_BYTES).equals(this.id);
  }

  /** Whether another key sealed it. Too short a value does not tell: it is damaged, whatever its key. */
  isForeign(sealed: Uint8Array): boolean {
    return isWhole(sealed) && !this.hasSealed(sealed);
  }

  /** The error for a value that this key does not open. `sealed`: the value, which may have been cut. */
  wrong(thing: SealedThing, sealed?: Uint8Array): ConfigError {
    return sealed === undefined || isWhole(sealed)
      ? this.failure(thing, 'it was encrypted with another key', { remedy: thing.whenLost })
      : this.damaged(thing);
  }

  private damaged(thing: SealedThing, cause?: unknown): ConfigError {
    return this.failure(thing, 'the stored data is damaged', {
      remedy: adviceWhenDamaged(thing),
      ...(cause === undefined ? {} : { cause }),
    });
  }

  private failure(
    { noun }: SealedThing,
    why: string,
    more: { remedy: Advices; cause?: unknown },
  ): ConfigError {
    return new ConfigError(`${noun} cannot be decrypted with ${this.place}: ${why}.`, {
      code: 'secret_key_wrong',
      ...more,
    });
  }
}

/** For work that needs a key when none is given. */
export function missingSecretKey(what = 'the linked device'): ConfigError {
  return new ConfigError(`A secret key is required: ${what} is stored encrypted in the database.`, {
    code: 'secret_key_missing',
    remedy: HOW_TO_MAKE_A_KEY,
    inProgram: HOW_A_PROGRAM_MAKES_A_KEY,
  });
}

function isWhole({ byteLength }: Uint8Array): boolean {
  return byteLength >= LEAST_BYTES;
}

function authenticated(about: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(about));
}
