import { isUtf8 } from 'node:buffer';
import { constants, gunzipSync, inflateRawSync, inflateSync, type ZlibOptions } from 'node:zlib';
import { hasMark } from './outer-values.js';

/** How much may be read and unpacked per entry, over all texts in it: hostile ones nest, and bombs unpack. */
export class Allowance {
  #left = 1 << 30;
  /** An entry of 64 MB may hold base64 of gzip of as much again. */
  #unpacked = 1 << 27;

  /** False if the allowance is used up. */
  spend(characters: number): boolean {
    this.#left -= characters;
    return this.#left > 0;
  }

  unpack(bytes: Uint8Array): Buffer | undefined {
    return this.#unzip(bytes, bytes[0] === 0x1f ? gunzipSync : inflateSync);
  }

  /** The beginning of what was packed, from gzip that was cut. */
  unpackCut(bytes: Uint8Array): Buffer | undefined {
    return this.#unzip(bytes, (packed, options) =>
      gunzipSync(packed, { ...options, finishFlush: constants.Z_SYNC_FLUSH }),
    );
  }

  /** Unpacks gzip of gzip, zlib, or deflate without a header; undefined for other bytes. */
  unpackAny(bytes: Uint8Array): Buffer | undefined {
    let plain: Buffer | undefined;
    for (let layers = 0; layers < MAX_LAYERS; layers++) {
      const inner = plain ?? bytes;
      if (!isPacked(inner)) break;
      const next = this.unpack(inner);
      if (next === undefined) break;
      plain = next;
    }
    if (plain !== undefined) return plain;
    // Without a header anything may be deflate: accept only non-text that unpacks to a webhook.
    if (bytes.length < SHORTEST_DEFLATED || isUtf8(bytes)) return undefined;
    const raw = this.#unzip(bytes, inflateRawSync);
    return raw !== undefined && hasMark(raw.toString('latin1')) ? raw : undefined;
  }

  #unzip(bytes: Uint8Array, unzip: Unzip): Buffer | undefined {
    try {
      const unpacked = unzip(bytes, { maxOutputLength: Math.max(1, this.#unpacked) });
      this.#unpacked -= unpacked.length;
      return unpacked;
    } catch {
      return undefined;
    }
  }
}

type Unzip = (bytes: Uint8Array, options: ZlibOptions) => Buffer;

function isPacked(bytes: Uint8Array): boolean {
  return (
    (bytes[0] === 0x1f && bytes[1] === 0x8b) ||
    (bytes[0] === 0x78 && ((0x78 << 8) | (bytes[1] ?? 0)) % 31 === 0)
  );
}

/** No webhook is shorter when it is packed. */
const SHORTEST_DEFLATED = 100;

/** An entry's bytes without gzip, including nested gzip. */
export function unpacked(bytes: Uint8Array, allowance: Allowance): Uint8Array {
  let plain = bytes;
  for (let layers = 0; layers < MAX_LAYERS && plain[0] === 0x1f && plain[1] === 0x8b; layers++) {
    const inner = allowance.unpack(plain);
    if (inner === undefined) break;
    plain = inner;
  }
  return plain;
}

/** Encodings over encodings in one text; real ones have three. */
export const MAX_LAYERS = 12;
