import { open, stat } from 'node:fs/promises';
import { AGE_ARMOR, AGE_MAGIC, BadKey, decrypter, WrongKey, type Keys } from '../../archive/age.js';
import { ConfigError } from '../../model/errors.js';
import type { BackupSource } from './types.js';

/** Read in so large pieces. */
const PIECE = 1024 * 1024;

/**
 * The file of a backup, decrypted while it is read. `place`: what it is called. Throws ConfigError for what cannot be read, and for an
 * encrypted file without its key.
 */
export async function fileSource(path: string, place: string, keys: Keys | undefined): Promise<BackupSource> {
  const there = await stat(path).catch((error: unknown) => {
    throw unreadable(place, error);
  });
  if (!there.isFile()) throw unreadable(place, undefined);
  const beginning = await beginningOf(path, place);
  if (beginning === AGE_ARMOR.slice(0, AGE_MAGIC.length)) {
    throw new ConfigError(
      `${place} is encrypted and written as text (age --armor), which is not read here.`,
      {
        code: 'backup_armored',
        remedy: 'Decrypt it with `age --decrypt`, and give what that writes.',
      },
    );
  }
  const isEncrypted = beginning === AGE_MAGIC;
  if (isEncrypted && keys === undefined) {
    throw new ConfigError(`${place} is encrypted.`, {
      code: 'backup_encrypted',
      remedy: 'Give --identity-file FILE with the secret key, or --passphrase-file FILE.',
      inProgram: 'Give encryption, with the secret key in keys, or the passphrase.',
    });
  }
  const decrypt = keys === undefined || !isEncrypted ? undefined : opener(keys, place);
  return {
    place,
    size: there.size,
    isEncrypted,
    open: () => {
      const bytes = readPieces(path);
      return decrypt === undefined ? bytes : explained(decrypt(bytes), place);
    },
  };
}

function opener(keys: Keys, place: string): ReturnType<typeof decrypter> {
  try {
    return decrypter(keys);
  } catch (error) {
    if (!(error instanceof BadKey)) throw error;
    throw new ConfigError(`The key given for ${place} is not an age key.`, {
      code: 'key_invalid',
      remedy: '--identity-file holds a key in each line: AGE-SECRET-KEY-1…, as age-keygen writes it.',
      inProgram: 'encryption.keys holds keys of age: AGE-SECRET-KEY-1…, as age-keygen writes them.',
    });
  }
}

async function* explained(bytes: AsyncIterable<Uint8Array>, place: string): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    if (!(error instanceof WrongKey)) throw error;
    throw new ConfigError(
      `The key or the passphrase does not open ${place}, or the file’s beginning is damaged.`,
      {
        code: 'backup_key_wrong',
        remedy: 'Give the secret key of one of its recipients, or the passphrase that it was encrypted with.',
      },
    );
  }
}

async function beginningOf(path: string, place: string): Promise<string> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(place, error);
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(AGE_MAGIC.length), 0, AGE_MAGIC.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  const handle = await open(path, 'r');
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(PIECE), 0, PIECE, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

function unreadable(place: string, error: unknown): ConfigError {
  const code =
    error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'not a file';
  const what =
    code === 'ENOENT'
      ? `There is no file or directory ${place}.`
      : `The backup ${place} cannot be read (${code}).`;
  return new ConfigError(what, {
    code: 'backup_unreadable',
    remedy: 'Name a file that `backup` wrote.',
    ...(error === undefined ? {} : { cause: error }),
  });
}
