import { NOISE_WA_HEADER } from '@whiskeysockets/baileys';

const LENGTH_BYTES = 3;
const ROUTING_MARK = 'ED';
const ROUTING_PREFIX_BYTES = 7;

/** Cuts the byte stream of a WhatsApp web socket into frames; the first bytes are an introduction, perhaps with routing. */
export function createFrameReader(): (bytes: Uint8Array) => Buffer[] {
  let rest = Buffer.alloc(0);
  let introduced = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    if (!introduced) {
      const length = introductionLength(rest);
      if (rest.length < length) return [];
      rest = rest.subarray(length);
      introduced = true;
    }
    const frames: Buffer[] = [];
    while (rest.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + rest.readUIntBE(0, LENGTH_BYTES);
      if (rest.length < end) break;
      frames.push(rest.subarray(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
    return frames;
  };
}

/** One frame as it goes over the wire: three bytes of length, then the content. */
export function frame(content: Uint8Array): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUIntBE(content.length, 0, LENGTH_BYTES);
  return Buffer.concat([length, content]);
}

function introductionLength(bytes: Buffer): number {
  if (bytes.subarray(0, 2).toString() !== ROUTING_MARK) return NOISE_WA_HEADER.length;
  if (bytes.length < ROUTING_PREFIX_BYTES) return ROUTING_PREFIX_BYTES;
  return ROUTING_PREFIX_BYTES + bytes.readUIntBE(4, 3) + NOISE_WA_HEADER.length;
}
