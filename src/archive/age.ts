import { Decrypter, Encrypter } from 'age-encryption';
import { ReadableStream } from 'node:stream/web';
import { Damage } from './damage.js';

/** What opens or closes an encrypted backup: a passphrase, or keys. */
export type Keys =
  | { kind: 'passphrase'; passphrase: string }
  | { kind: 'keys'; /** `age1…` or `AGE-SECRET-KEY-1…` */ keys: readonly string[] };

/** The first line of an encrypted file. */
export const AGE_MAGIC = 'age-encryption.org/v1\n';

/** The first line of an encrypted file written as text (`age --armor`). */
export const AGE_ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';

/** None of the keys opens the file. */
export class WrongKey extends Error {}

/** A recipient or an identity that is none. */
export class BadKey extends Error {}

/** Encrypts a stream in the age format, piece by piece. Throws BadKey for what is no recipient. */
export function encrypter(keys: Keys): (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  const age = new Encrypter();
  if (keys.kind === 'passphrase') age.setPassphrase(keys.passphrase);
  else
    for (const key of keys.keys)
      readKey(() => {
        age.addRecipient(key);
      });
  return async function* (bytes) {
    yield* iterate(await age.encrypt(streamOf(bytes[Symbol.asyncIterator]())));
  };
}

/**
 * Decrypts a stream in the age format, piece by piece. Throws BadKey for what is no identity, WrongKey where none fits, and
 * Damage where the stream is not what was encrypted.
 */
export function decrypter(keys: Keys): (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  const age = new Decrypter();
  if (keys.kind === 'passphrase') age.addPassphrase(keys.passphrase);
  else
    for (const key of keys.keys)
      readKey(() => {
        age.addIdentity(key);
      });
  return async function* (bytes) {
    const source = bytes[Symbol.asyncIterator]();
    try {
      const opened = await age.decrypt(streamOf(source)).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : '';
        if (/no identity matched|invalid tag|cannot decrypt/i.test(message)) throw new WrongKey(message);
        throw new Damage('encryption', 'its header was changed');
      });
      yield* iterate(opened, () => new Damage('encryption', 'a piece of the file is not what was encrypted'));
    } finally {
      // The library leaves a stream that it gave up on open, and with it the file.
      await source.return?.();
    }
  };
}

function readKey(add: () => void): void {
  try {
    add();
  } catch (error) {
    throw new BadKey('not a key of age', { cause: error });
  }
}

/** A stream of the platform, for a library that takes only these: read when it is asked for, never ahead. */
function streamOf(source: AsyncIterator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => {
        await source.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}

/** `damage` makes the error for a failure inside the stream; those of its source pass. */
async function* iterate(
  stream: {
    getReader: () => {
      read: () => Promise<{ done: boolean; value?: Uint8Array | undefined }>;
      cancel: () => Promise<void>;
    };
  },
  damage?: () => Damage,
): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { value } = await reader.read().catch((error: unknown) => {
        isOver = true;
        throw damage === undefined || isSystemError(error) ? error : damage();
      });
      if (value === undefined) {
        isOver = true;
        return;
      }
      if (value.length > 0) yield value;
    }
  } finally {
    if (!isOver) await reader.cancel().catch(() => undefined);
  }
}

/** An error of the file, not of its content. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
