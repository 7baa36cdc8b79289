import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SignedBody } from '../model/facts.js';

/**
 * What the signatures beside an entry's bodies say: `bad` also where there is something that can be none, `unsigned` where none
 * was kept, `uncheckable` where the log has the body written anew or the signature blacked out, `sha1` where only the older
 * header was kept, which says nothing that anybody should trust.
 */
export const SIGNATURE_VERDICTS = ['valid', 'bad', 'uncheckable', 'sha1', 'unsigned'] as const;
export type SignatureVerdict = (typeof SIGNATURE_VERDICTS)[number];

/**
 * Holds the signatures of an entry against the secrets of the apps that may have sent it (Meta signs the bytes of a body with
 * HMAC-SHA-256, in the header X-Hub-Signature-256). Compares in constant time. One that is bad makes the entry bad.
 */
export function judgeSignatures(
  signatures: readonly SignedBody[],
  secrets: readonly string[],
): SignatureVerdict {
  const verdicts = signatures.map((signed) => judge(signed, secrets));
  return (
    (['bad', 'uncheckable', 'sha1', 'valid'] as const).find((verdict) => verdicts.includes(verdict)) ??
    'unsigned'
  );
}

function judge({ header, isSha1, body }: SignedBody, secrets: readonly string[]): SignatureVerdict {
  if (isSha1 === true) return 'sha1';
  if (BLACKED_OUT.test(header)) return 'uncheckable';
  const [, hex] = /^\s*sha256=([0-9a-f]{64})\s*$/i.exec(header) ?? [];
  // Meta has sent no such header: whoever did cannot sign.
  if (hex === undefined) return 'bad';
  if (body === null) return 'uncheckable';
  const given = Buffer.from(hex, 'hex');
  const isSigned = (bytes: Uint8Array): boolean =>
    secrets.some((secret) => timingSafeEqual(createHmac('sha256', secret).update(bytes).digest(), given));
  return isSigned(body) || isSigned(asMetaWrites(body)) ? 'valid' : 'bad';
}

/** What loggers write in place of a value that nobody should see. */
const BLACKED_OUT = /^(?:sha256=)?\W*(?:filtered|redacted|masked|hidden|removed|secret|x{4,})\W*$|[*•]{3}/i;

/**
 * A body in Meta's own spelling: it signs letters beyond ASCII, slashes, `@`, `%` and `<` as escapes. A program that parsed the
 * body and logged its JSON as a text changed nothing but these, and its log would lose every message that has one of them.
 */
function asMetaWrites(body: Uint8Array): Buffer {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const escaped = text
    .replaceAll('/', '\\/')
    .replace(/[@%\x80-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('<', '\\u003C');
  return Buffer.from(escaped);
}
