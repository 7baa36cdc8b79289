import { generateIdentity, identityToRecipient } from 'age-encryption';
import { describe, expect, it } from 'vitest';
import { decrypter, encrypter, WrongKey } from '../../src/archive/age.js';
import { Damage } from '../../src/archive/damage.js';

/** Bytes in pieces, as a file is read, and whether its reader has been let go. */
function watched(
  bytes: Uint8Array,
  piece: number,
): { source: AsyncIterable<Uint8Array>; isOpen: () => boolean } {
  let isOpen = false;
  async function* read(): AsyncGenerator<Uint8Array> {
    isOpen = true;
    try {
      for (let at = 0; at < bytes.length; at += piece) {
        yield await Promise.resolve(bytes.subarray(at, at + piece));
      }
    } finally {
      isOpen = false;
    }
  }
  return { source: read(), isOpen: () => isOpen };
}

async function readAll(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of bytes) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('the file of an encrypted backup', () => {
  const encrypted = async (): Promise<{ identity: string; bytes: Buffer; plain: Buffer }> => {
    const identity = await generateIdentity();
    const plain = Buffer.alloc(300_000, 'row ');
    const encrypt = encrypter({ kind: 'keys', keys: [await identityToRecipient(identity)] });
    return { identity, plain, bytes: await readAll(encrypt(watched(plain, 65_536).source)) };
  };

  it.each([
    ['opened', 0],
    ['whose header was changed', 30],
    ['whose first piece was changed', 1_000],
    ['whose third piece was changed', 150_000],
  ])('%s is closed', async (_, at) => {
    const { identity, bytes, plain } = await encrypted();
    if (at > 0) bytes[at] = (bytes[at] ?? 0) ^ 1;
    const { source, isOpen } = watched(bytes, 4_096);
    const read = readAll(decrypter({ kind: 'keys', keys: [identity] })(source));
    if (at === 0) expect((await read).equals(plain)).toBe(true);
    else await expect(read).rejects.toThrow(Error);
    expect(isOpen()).toBe(false);
  });

  it('that no key opens is closed', async () => {
    const { bytes } = await encrypted();
    const { source, isOpen } = watched(bytes, 4_096);
    const other = await generateIdentity();
    await expect(readAll(decrypter({ kind: 'keys', keys: [other] })(source))).rejects.toThrow(WrongKey);
    expect(isOpen()).toBe(false);
  });

  it('that is cut off, or that nobody reads on, is closed', async () => {
    const { identity, bytes } = await encrypted();
    const decrypt = decrypter({ kind: 'keys', keys: [identity] });
    const cut = watched(bytes.subarray(0, 200_000), 4_096);
    await expect(readAll(decrypt(cut.source))).rejects.toThrow(Damage);
    expect(cut.isOpen()).toBe(false);
    const left = watched(bytes, 4_096);
    for await (const piece of decrypt(left.source)) if (piece.length > 0) break;
    expect(left.isOpen()).toBe(false);
  });
});
