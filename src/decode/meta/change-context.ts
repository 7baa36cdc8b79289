import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import type { IncludableChat } from '../../model/enumerations.js';
import type { Fact, Identities, RejectReason, SkipReason, Subject, Unrecognized } from '../../model/facts.js';
import type { JsonValue } from '../../model/json.js';
import { asArray, excerptOf } from '../read.js';

/** What the decoders of one change share: where it stands, what is known about it, and where its facts go. */
export interface ChangeContext {
  /** JSON path of the change's value. */
  path: string;
  field: string;
  /** The business's own phone, canonical, from `metadata.display_phone_number`. */
  business: string | undefined;
  /** When the entry came, for items without a usable timestamp (rule M7). */
  receivedAt: number | undefined;
  include: ReadonlySet<IncludableChat>;
  facts: Fact[];
  unrecognized: Unrecognized[];
}

/** The business's own number is never a customer (rule I4). */
export function isBusiness(context: ChangeContext, who: Identities): boolean {
  const { business } = context;
  if (business === undefined || who.phone === undefined) return false;
  return who.phone === business || phoneEquivalents(who.phone).includes(business);
}

export function businessPhone(displayPhoneNumber: string | undefined): string | undefined {
  return displayPhoneNumber === undefined ? undefined : canonicalPhone(displayPhoneNumber);
}

export function reject(
  context: ChangeContext,
  path: string,
  subject: Subject,
  reason: RejectReason,
  item: JsonValue,
): void {
  context.facts.push({ kind: 'rejected', path, subject, reason, excerpt: excerptOf(item) });
}

export function skip(context: ChangeContext, path: string, subject: Subject, reason: SkipReason): void {
  context.facts.push({ kind: 'skipped', path, subject, reason });
}

/** A list of the value. Absent and null mean that there is none; anything else that is no list is shown, not passed over. */
export function listIn(
  context: ChangeContext,
  list: JsonValue | undefined,
  path: string,
): JsonValue[] | undefined {
  const elements = asArray(list);
  if (elements === undefined && list !== undefined && list !== null) {
    context.unrecognized.push({ path, reason: 'not_a_list', excerpt: excerptOf(list) });
  }
  return elements;
}
