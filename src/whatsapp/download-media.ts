import { getMediaKeys, getUrlFromDirectPath, type MediaType } from './baileys.js';
import { createDecipheriv, createHmac, timingSafeEqual } from 'node:crypto';
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { startDeadline } from '../model/deadline.js';
import type { Proxy } from '../model/proxy.js';

/** A file as a message of WhatsApp Web names it. */
interface MediaFile {
  directPath: string;
  /** In base64. */
  mediaKey: string;
  /** The message kind: its key is derived for that. */
  type: string;
}

/**
 * How a download ended. `gone`: WhatsApp no longer has it. `damaged`: its key does not open it, or it was altered.
 * `temporary`: the line was cut, or WhatsApp has a fault. `unreachable`: WhatsApp cannot be reached.
 */
type MediaOutcome =
  { kind: 'whole' } | { kind: 'gone' | 'damaged' | 'temporary' | 'unreachable'; message: string };

const HOST = 'mmg.whatsapp.net';
const ORIGIN = 'https://web.whatsapp.com';
const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;
/** All of a file: 100 MB on a slow line. */
const FILE_MS = 30 * 60_000;
/** At the end of every file. */
const MAC_BYTES = 10;

const KEY_TYPES: Readonly<Record<string, MediaType>> = {
  image: 'image',
  video: 'video',
  audio: 'audio',
  voice: 'audio',
  sticker: 'sticker',
};

/**
 * Downloads a file from WhatsApp's media host, which requires no login, and decrypts it, with the keys that Baileys
 * derives. Not with Baileys' own download: in 7.0.0-rc14 a cut line ends the process or hangs, and the file's seal is
 * not checked. The sender writes the message, so its path must not lead to another host. Passes on what `take` throws.
 */
export async function downloadMedia(
  { directPath, mediaKey, type }: MediaFile,
  take: (chunk: Uint8Array) => Promise<void>,
  { signal, proxy }: { signal: AbortSignal; proxy: Proxy | null },
): Promise<MediaOutcome> {
  const address = getUrlFromDirectPath(directPath, HOST);
  if (!directPath.startsWith('/') || !URL.canParse(address) || new URL(address).host !== HOST)
    return { kind: 'damaged', message: 'its message names no path of WhatsApp’s' };
  const { iv, cipherKey, macKey } = await getMediaKeys(
    Buffer.from(mediaKey, 'base64'),
    KEY_TYPES[type] ?? 'document',
  );
  if (macKey === undefined) throw new Error('Baileys derived no key for the seal of a file');
  const tunnel = proxy === null ? null : tunnelThrough(proxy);
  const deadline = startDeadline(FILE_MS, signal);
  let taking = false;
  try {
    const { statusCode, body } = await request(address, {
      headers: { origin: ORIGIN },
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      signal: deadline.signal,
      ...(tunnel === null ? {} : { dispatcher: tunnel }),
    });
    if (statusCode < 200 || statusCode > 299) return refusedWith(statusCode);
    const opened = openSealed({ iv, cipherKey, macKey });
    for await (const chunk of body.iterator({ destroyOnReturn: true })) {
      const plain = opened.add(Buffer.from(chunk as Uint8Array));
      taking = true;
      if (plain.byteLength > 0) await take(plain);
      taking = false;
    }
    const rest = opened.end();
    if (rest === null) return { kind: 'damaged', message: 'it does not open with its key, or was changed' };
    taking = true;
    if (rest.byteLength > 0) await take(rest);
    return { kind: 'whole' };
  } catch (error) {
    // Errors from `take` are about the disk, or the announced file.
    if (taking || signal.aborted) throw error;
    return failedWith(error);
  } finally {
    deadline.stop();
    deadline.clear();
    await tunnel?.destroy();
  }
}

function tunnelThrough({ url, noProxy }: Proxy): Dispatcher {
  const connect = { timeout: CONNECT_MS };
  return new EnvHttpProxyAgent({
    httpsProxy: url,
    // '' and not absent: undici reads the environment by itself.
    httpProxy: '',
    noProxy,
    connect,
    requestTls: connect,
    proxyTls: connect,
  });
}

/** Opens a file piece by piece: AES-256-CBC, and a seal over all of it at its end. */
function openSealed({ iv, cipherKey, macKey }: Record<'iv' | 'cipherKey' | 'macKey', Uint8Array>): {
  add: (bytes: Buffer) => Buffer;
  /** The remainder; null if the seal does not match these bytes. */
  end: () => Buffer | null;
} {
  const aes = createDecipheriv('aes-256-cbc', cipherKey, iv);
  const seal = createHmac('sha256', macKey).update(iv);
  let held = Buffer.alloc(0);
  return {
    add: (bytes) => {
      const all = Buffer.concat([held, bytes]);
      const sealed = all.subarray(0, Math.max(0, all.byteLength - MAC_BYTES));
      held = Buffer.from(all.subarray(sealed.byteLength));
      seal.update(sealed);
      return aes.update(sealed);
    },
    end: () => {
      const digest = seal.digest().subarray(0, MAC_BYTES);
      if (held.byteLength !== MAC_BYTES || !timingSafeEqual(held, digest)) return null;
      try {
        return aes.final();
      } catch {
        return null;
      }
    },
  };
}

function refusedWith(status: number): MediaOutcome {
  if (status === 408 || status === 429 || status >= 500)
    return { kind: 'temporary', message: `WhatsApp answers HTTP ${status}` };
  return { kind: 'gone', message: `WhatsApp does not have it any more (HTTP ${status})` };
}

/** Nothing is there to be asked. */
const NOBODY = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

function failedWith(error: unknown): MediaOutcome {
  const code = codeOf(error);
  const isRefused = error instanceof Error && error.message.includes('Proxy response');
  return code !== undefined && (NOBODY.has(code) || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code))
    ? { kind: 'unreachable', message: `${HOST} cannot be reached: ${code}.` }
    : isRefused
      ? { kind: 'unreachable', message: `${HOST} cannot be reached: the proxy refuses.` }
      : { kind: 'temporary', message: `the line was cut (${code ?? 'no reason'})` };
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return codeOf(error.cause);
}
