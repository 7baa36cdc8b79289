import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { getMediaKeys, hmacSign, type proto } from '@whiskeysockets/baileys';

const PATH = '/v/t62.1-1/';
const MAC_BYTES = 10;
const KIND = 'md-msg-hist';

export type BlobState = 'whole' | 'missing' | 'corrupt';

type BlobFields = Pick<
  proto.Message.IHistorySyncNotification,
  'directPath' | 'mediaKey' | 'fileSha256' | 'fileEncSha256' | 'fileLength'
>;

/** The files of `mmg.whatsapp.net`, encrypted as WhatsApp encrypts them. */
export interface MediaStore {
  /** Encrypts and keeps a file that takes `delayMs` to come; gives what a notification says about it. */
  put(plain: Uint8Array, state: BlobState, delayMs?: number): Promise<BlobFields>;
  /** Files that were missing are there from now on, and slow ones come at once. */
  heal: () => void;
  serve(request: IncomingMessage, response: ServerResponse): void;
  /** The paths that were asked for, in order. */
  readonly asked: readonly string[];
}

export function createMediaStore(): MediaStore {
  const files = new Map<string, { file: Buffer; delayMs: number }>();
  const missing = new Map<string, Buffer>();
  const asked: string[] = [];
  return {
    asked,
    async put(plain, state, delayMs = 0) {
      const mediaKey = randomBytes(32);
      const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, KIND);
      if (macKey === undefined) throw new Error('Baileys derived no key for the seal of a file');
      const aes = createCipheriv('aes-256-cbc', cipherKey, iv);
      const cipher = Buffer.concat([aes.update(plain), aes.final()]);
      const mac = hmacSign(Buffer.concat([iv, cipher]), macKey).subarray(0, MAC_BYTES);
      const file = Buffer.concat([cipher, mac]);
      const directPath = `${PATH}${randomBytes(12).toString('hex')}.enc`;
      const fields = {
        directPath,
        mediaKey,
        fileSha256: sha256(plain),
        fileEncSha256: sha256(file),
        fileLength: plain.length,
      };
      if (state === 'corrupt') file.fill(0x55, 0, Math.min(32, cipher.length));
      if (state === 'missing') missing.set(directPath, file);
      else files.set(directPath, { file, delayMs });
      return fields;
    },
    serve(request, response) {
      const path = new URL(request.url ?? '/', 'http://loopback').pathname;
      asked.push(path);
      const found = files.get(path);
      if (found === undefined) {
        response.writeHead(404).end();
        return;
      }
      const { file, delayMs } = found;
      setTimeout(() => {
        response.writeHead(200, {
          'content-type': 'application/octet-stream',
          'content-length': file.length,
        });
        response.end(file);
      }, delayMs);
    },
    heal() {
      for (const [path, { file }] of files) files.set(path, { file, delayMs: 0 });
      for (const [path, file] of missing) files.set(path, { file, delayMs: 0 });
      missing.clear();
    },
  };
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
