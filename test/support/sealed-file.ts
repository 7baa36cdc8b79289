import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { getMediaKeys, hmacSign } from '@whiskeysockets/baileys';
import type { JsonObject } from '../../src/model/json.js';

/** A picture as WhatsApp Web sends it. */
export interface SealedFile {
  plain: Buffer;
  /** As WhatsApp's host has it. */
  file: Buffer;
  /** What the message says of it. */
  content: JsonObject;
  /** Its path on that host. */
  path: string;
}

/** Makes one, sealed under a key of its own; `changes` are what the message says otherwise. */
export async function sealedFile(changes: JsonObject = {}): Promise<SealedFile> {
  const plain = randomBytes(70_000);
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, 'image');
  if (macKey === undefined) throw new Error('Baileys derived no key for the seal of a file');
  const aes = createCipheriv('aes-256-cbc', cipherKey, iv);
  const cipher = Buffer.concat([aes.update(plain), aes.final()]);
  const file = Buffer.concat([cipher, hmacSign(Buffer.concat([iv, cipher]), macKey).subarray(0, 10)]);
  const path = `/v/t62.7118-24/${randomBytes(8).toString('hex')}.enc`;
  const content = {
    mimetype: 'image/jpeg',
    directPath: `${path}?ccb=11-4&oh=abc`,
    mediaKey: mediaKey.toString('base64'),
    fileSha256: createHash('sha256').update(plain).digest('base64'),
    fileEncSha256: createHash('sha256').update(file).digest('base64'),
    fileLength: String(plain.length),
    ...changes,
  };
  return { plain, file, content, path };
}
