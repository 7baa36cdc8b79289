import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import type { IncludableChat } from '../../model/enumerations.js';
import type { Fact, Identities, RejectReason, SkipReason, Subject, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, excerptOf, ownValue } from '../read.js';
import { cutText } from '../text.js';

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

/** How far into an array it is looked for objects: one of texts or numbers is no list of items. */
const LOOKED_AT = 20;

/**
 * What a later version of WhatsApp may have put beside the lists that are read here: a list of objects under a name that is
 * not `known`, or an object that has a list of `messages` (or the like) in it. Shown, as its items would be gone in silence
 * (rule E1). True when there was one.
 */
export function showStrangeLists(
  context: ChangeContext,
  object: JsonObject,
  path: string,
  known: ReadonlySet<string>,
): boolean {
  let strange = false;
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (typeof value !== 'object' || value === null || known.has(key)) continue;
    if (!holdsItems(value)) continue;
    strange = true;
    context.unrecognized.push({
      path: `${path}.${cutText(key, 64)}`,
      reason: 'unknown_list',
      excerpt: excerptOf(value),
    });
  }
  return strange;
}

function holdsItems(value: JsonObject | JsonValue[]): boolean {
  if (Array.isArray(value))
    return value.slice(0, LOOKED_AT).some((element) => asObject(element) !== undefined);
  return ITEM_LISTS.some((name) => Array.isArray(ownValue(value, name)));
}

const ITEM_LISTS = ['messages', 'message_echoes', 'statuses', 'history', 'state_sync', 'threads'] as const;
