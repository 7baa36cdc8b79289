import { canonicalPhone } from './phone.js';

const PREFIX = 'wamid.';
/** Which side sent the message, by observation: evidence for people, never the basis of a decision. */
export const WAMID_MARKERS = { business: 0x11, customer: 0x12 } as const;

export interface DecodedWamid {
  /** The customer's phone, whoever sent the message: canonical E.164, or the bare digits when they are no phone. */
  phone: string;
  /** WhatsApp Web's key id of the same message. */
  stanzaId: string;
}

/** Whether an id is the Cloud API's; every other one is WhatsApp Web's key id. */
export function isWamid(id: string): boolean {
  return id.startsWith(PREFIX);
}

/**
 * Reads a Cloud API message id. The form is undocumented and was derived from real ids: base64 of `1c 18 <len> <phone> 15
 * 02 00 <11|12> 18 <len> <key id> 00`. Anything else gives undefined, because a wrong key id would merge two messages
 * (rule M10).
 */
export function decodeWamid(id: string): DecodedWamid | undefined {
  // 1c 18, and a phone shorter than 64 digits. Longer than 720, it is longer than its two length bytes allow.
  if (!id.startsWith('wamid.HBg') || id.length > 720) return undefined;
  const bytes = Buffer.from(id.slice(PREFIX.length), 'base64');
  if (!isExact(id, bytes.length)) return undefined;

  const phoneEnd = 3 + (bytes[2] ?? 0);
  const idStart = phoneEnd + 6;
  if (
    bytes[0] !== 0x1c ||
    bytes[1] !== 0x18 ||
    bytes[phoneEnd] !== 0x15 ||
    bytes[phoneEnd + 1] !== 0x02 ||
    bytes[phoneEnd + 2] !== 0x00 ||
    (bytes[phoneEnd + 3] !== WAMID_MARKERS.business && bytes[phoneEnd + 3] !== WAMID_MARKERS.customer) ||
    bytes[phoneEnd + 4] !== 0x18
  ) {
    return undefined;
  }
  const idEnd = idStart + (bytes[phoneEnd + 5] ?? 0);
  const rest = bytes.length - idEnd;
  if (idEnd === idStart || rest < 0 || rest > 1 || (rest === 1 && bytes[idEnd] !== 0)) return undefined;
  for (let i = 3; i < phoneEnd; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x30 || byte > 0x39) return undefined;
  }
  for (let i = idStart; i < idEnd; i++) {
    const byte = bytes[i] ?? 0;
    if (byte < 0x21 || byte > 0x7e) return undefined;
  }
  const digits = bytes.toString('latin1', 3, phoneEnd);
  if (digits === '') return undefined;
  return { phone: canonicalPhone(digits) ?? digits, stanzaId: bytes.toString('latin1', idStart, idEnd) };
}

/**
 * Node's decoder ignores characters that are not base64; an id with such characters must not decode to another message's
 * id.
 */
function isExact(id: string, bytes: number): boolean {
  let end = id.length;
  while (end > PREFIX.length && end > id.length - 2 && id.charCodeAt(end - 1) === 0x3d) end--;
  const characters = end - PREFIX.length;
  return characters % 4 !== 1 && Math.floor((characters * 3) / 4) === bytes;
}

/**
 * The wamid of a message, as {@link decodeWamid} reads it: for tests and generated logs. `phone` may have a `+`.
 * Throws a RangeError when a part does not fit its length byte.
 */
export function encodeWamid(
  phone: string,
  stanzaId: string,
  marker: number = WAMID_MARKERS.customer,
): string {
  const digits = phone.startsWith('+') ? phone.slice(1) : phone;
  if (digits.length > 255 || stanzaId.length > 255) throw new RangeError('too long for a wamid');
  const bytes = Buffer.concat([
    Buffer.from([0x1c, 0x18, digits.length]),
    Buffer.from(digits, 'latin1'),
    Buffer.from([0x15, 0x02, 0x00, marker, 0x18, stanzaId.length]),
    Buffer.from(stanzaId, 'latin1'),
    Buffer.from([0x00]),
  ]);
  return PREFIX + bytes.toString('base64');
}
