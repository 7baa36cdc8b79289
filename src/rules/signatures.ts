import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Section, SignedBody } from '../model/facts.js';

/**
 * Verdict on the signature beside a body: `bad` also for an impossible value, `unsigned` if none was kept,
 * `uncheckable` if the log rewrote the body or redacted the signature, `sha1` if only the older header was kept, which
 * proves nothing trustworthy.
 */
export const SIGNATURE_VERDICTS = ['valid', 'bad', 'uncheckable', 'sha1', 'unsigned'] as const;
export type SignatureVerdict = (typeof SIGNATURE_VERDICTS)[number];

/**
 * Checks a body's signature against the secrets of the apps that may have sent it (Meta signs the bytes of a body with
 * HMAC-SHA-256, in the header X-Hub-Signature-256). Compares in constant time.
 */
export function judgeSignature(
  signed: Omit<SignedBody, 'path'>,
  secrets: readonly string[],
): Exclude<SignatureVerdict, 'unsigned'> {
  const verdict = judgeOwn(signed, secrets);
  if (verdict === 'valid' || signed.outer === undefined) return verdict;
  const outer = judgeSignature(signed.outer, secrets);
  return outer === 'valid' || outer === 'bad' ? outer : verdict;
}

function judgeOwn(
  { header, isSha1, body, around = [], beside = [] }: Omit<SignedBody, 'path'>,
  secrets: readonly string[],
): Exclude<SignatureVerdict, 'unsigned'> {
  if (isSha1 === true) return 'sha1';
  if (BLACKED_OUT.test(header)) return 'uncheckable';
  const [, hex] = /^\s*sha256=([0-9a-f]{64})\s*$/i.exec(header) ?? [];
  // Meta never sent such a header: its author cannot sign.
  if (hex === undefined) return 'bad';
  const texts = body === null ? around : [body, ...around];
  if (texts.length > 0) return texts.some((text) => fits(text, hex, secrets)) ? 'valid' : 'bad';
  // Beside a text that fits it is somebody's copy, or of another request.
  const isForged = beside.length > 0 && !beside.some((text) => fits(text, hex, secrets));
  return isForged ? 'bad' : 'uncheckable';
}

/** The last answer about each text: many bodies can be in one. */
const ANSWERS = new WeakMap<Uint8Array, { hex: string; secrets: readonly string[]; isSigned: boolean }>();

function fits(body: Uint8Array, hex: string, secrets: readonly string[]): boolean {
  const known = ANSWERS.get(body);
  if (known?.hex === hex && known.secrets === secrets) return known.isSigned;
  const given = Buffer.from(hex, 'hex');
  const signs = (bytes: Uint8Array): boolean =>
    secrets.some((secret) => timingSafeEqual(createHmac('sha256', secret).update(bytes).digest(), given));
  const sent = withoutLineEnd(body);
  const isSigned = signs(body) || signs(sent) || signs(asMetaWrites(sent));
  ANSWERS.set(body, { hex, secrets, isSigned });
  return isSigned;
}

/** The same of a stored body. What fitted a secret once is genuine: these may be the secrets of other apps, or a wrong one. */
export function judgeAgain(
  signed: SignedBody & { path: string },
  secrets: readonly string[],
  verified: readonly string[],
): Exclude<SignatureVerdict, 'unsigned'> {
  const judged = judgeSignature(signed, secrets);
  return judged === 'bad' && verified.includes(signed.path) ? 'valid' : judged;
}

/** The bodies of an entry whose signature has fitted a secret, now or before (`known`), by path. */
export function verifiedBodies(
  signed: readonly string[],
  known: readonly string[],
  verdicts: ReadonlyMap<string, SignatureVerdict> | null,
): string[] {
  return [...new Set([...known, ...signed.filter((path) => verdicts?.get(path) === 'valid')])].sort();
}

/** The body without the one line end that a program adds when it prints or keeps it. */
function withoutLineEnd(body: Uint8Array): Uint8Array {
  if (body.at(-1) !== NEWLINE) return body;
  return body.subarray(0, body.at(-2) === CARRIAGE_RETURN ? -2 : -1);
}

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Instead of a path: all bodies of an entry. */
export const ALL_BODIES = '$';

/**
 * The bodies of an entry that must not be applied, by path: those with a bad signature, and those found so before
 * (`known`) until one of the secrets fits. `verdicts`: for each of `signed`; null without a secret.
 */
export function refusedBodies(
  signed: readonly string[],
  known: readonly string[],
  verdicts: ReadonlyMap<string, SignatureVerdict> | null,
): string[] {
  if (signed.length === 0) return [...known];
  const before = new Set(known);
  const refused = signed.filter((path) => {
    const verdict = verdicts?.get(path);
    return verdict === 'bad' || (verdict !== 'valid' && (before.has(path) || before.has(ALL_BODIES)));
  });
  for (const path of signed) before.delete(path);
  before.delete(ALL_BODIES);
  // Bodies that this decoder version no longer finds are not forgotten either.
  return [...refused, ...before];
}

/** Why nothing is applied from a body not signed with the app's secret. */
export const WRONG_SIGNATURE = 'its signature does not fit the app secret, so nobody knows who wrote it';

/** Whether a section is of one of the refused bodies. */
export function isRefused({ signedAt }: Pick<Section, 'signedAt'>, refused: readonly string[]): boolean {
  return refused.some((path) => path === ALL_BODIES || path === signedAt);
}

/** What loggers write in place of a secret value. */
const BLACKED_OUT = /^(?:sha256=)?\W*(?:filtered|redacted|masked|hidden|removed|secret|x{4,})\W*$|[*•]{3}/i;

/**
 * A body in Meta's own spelling: it signs letters beyond ASCII, slashes, `@`, `%` and `<` as escapes. A program that
 * parsed the body and logged it as JSON text changed only these, and without this its log would lose every message with
 * one of them.
 */
function asMetaWrites(body: Uint8Array): Buffer {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const escaped = text
    .replaceAll('/', '\\/')
    .replace(/[@%\x80-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('<', '\\u003C');
  return Buffer.from(escaped);
}
