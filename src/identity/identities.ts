import type { Identities } from '../model/facts.js';
import { parseJid } from './jid.js';
import { canonicalPhone, digitsOf, phoneEquivalents } from './phone.js';

/**
 * The person in `from`, `to`, `wa_id`, `recipient_id` or a JID field: phone digits, a BSUID (`from` has one for people
 * who hide their number, and its digits are no phone; rule I2), a LID or a JID. `bsuids` are the ids beside it
 * (`from_user_id`, `from_parent_user_id`); texts without their form are ignored.
 */
export function identitiesOfUser(
  value: string | undefined,
  bsuids?: readonly (string | undefined)[],
): Identities {
  const identities: Identities = {};
  const ids: string[] = [];
  if (value !== undefined && value !== '') {
    if (value.includes('@')) addJid(identities, value);
    else if (isBsuid(value)) ids.push(value);
    else addNumber(identities, value);
  }
  if (bsuids !== undefined) {
    for (const id of bsuids) {
      if (id !== undefined && isBsuid(id) && !ids.includes(id)) ids.push(id);
    }
  }
  if (ids.length > 0) identities.bsuids = ids;
  return identities;
}

/** Real LIDs have 15 digits; a longer identity would not fit its unique index and would fail a whole batch. */
const LONGEST_LID = 64;

function addJid(identities: Identities, value: string): void {
  const jid = parseJid(value);
  switch (jid.kind) {
    case 'user':
    case 'official':
      addNumber(identities, jid.user);
      return;
    case 'lid':
      if (jid.jid.length <= LONGEST_LID) identities.lid = jid.jid;
      return;
    case 'group':
    case 'status_broadcast':
    case 'broadcast':
    case 'newsletter':
      // These come only with `--include`: the chat itself is then the counterpart.
      if (/^[\w.@-]{1,255}$/.test(jid.jid)) identities.waId = jid.jid;
      return;
    case 'unknown':
      return;
  }
}

/** Only digits are an identity: a made-up thread name would become a lead that is nobody. */
function addNumber(identities: Identities, value: string): void {
  const digits = digitsOf(value);
  if (digits === undefined || digits.length > 30) return;
  const phone = canonicalPhone(digits);
  if (phone === undefined) {
    identities.waId = digits;
    return;
  }
  identities.phone = phone;
  // Canonical forms of equal length differ from the digits in none of the cases of rule I1.
  if (phone.length !== digits.length + 1) identities.waId = digits;
}

export function hasIdentity(identities: Identities): boolean {
  return (
    identities.phone !== undefined ||
    identities.waId !== undefined ||
    identities.lid !== undefined ||
    (identities.bsuids !== undefined && identities.bsuids.length > 0)
  );
}

/** Whether both name the same person: any identity in common, Argentina's two forms of a phone included (rule I1). */
export function sameIdentities(a: Identities, b: Identities): boolean {
  if (a.phone !== undefined && b.phone !== undefined) {
    if (a.phone === b.phone || phoneEquivalents(a.phone).includes(b.phone)) return true;
  }
  if (a.waId !== undefined && a.waId === b.waId) return true;
  if (a.lid !== undefined && a.lid === b.lid) return true;
  if (a.bsuids === undefined || b.bsuids === undefined) return false;
  for (const id of a.bsuids) if (b.bsuids.includes(id)) return true;
  return false;
}

/** The identities of both. Where they differ in phone, wa_id or LID, `a` wins. Both inputs stay unchanged. */
export function mergeIdentities(a: Identities, b: Identities): Identities {
  const merged: Identities = {};
  const phone = a.phone ?? b.phone;
  if (phone !== undefined) merged.phone = phone;
  const waId = a.waId ?? b.waId;
  if (waId !== undefined) merged.waId = waId;
  const lid = a.lid ?? b.lid;
  if (lid !== undefined) merged.lid = lid;
  const bsuids = unionOf(a.bsuids, b.bsuids);
  if (bsuids !== undefined) merged.bsuids = bsuids;
  return merged;
}

function unionOf(
  a: readonly string[] | undefined,
  b: readonly string[] | undefined,
): readonly string[] | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const more = b.filter((id) => !a.includes(id));
  return more.length === 0 ? a : [...a, ...more];
}

const BSUID = /^[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}$/;

/**
 * Whether `value` is a business-scoped user id: `CC.` and up to 128 letters and digits, or the parent's `CC.ENT.…`.
 * Strict on purpose: a placeholder such as `0` or `null`, taken for an id, would make everybody who has it one person.
 */
export function isBsuid(value: string): boolean {
  return value.charCodeAt(2) === 46 && BSUID.test(value);
}
