import { canonicalPhone, phoneEquivalents } from '../../identity/phone.js';
import type { IncludableChat } from '../../model/enumerations.js';
import type {
  Fact,
  Identities,
  MessageOrigin,
  RejectReason,
  SkipReason,
  Subject,
  Unrecognized,
} from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cutText, excerptOf } from '../read.js';

/** What the readers of one change share: its path, known facts, and where new facts go. */
export interface ChangeContext {
  /** JSON path of the change's value. */
  path: string;
  field: string;
  /** What `messages` of this field are. */
  origin: MessageOrigin;
  /** The keys of all lists read, from the table of fields. */
  itemLists: ReadonlySet<string>;
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

/** A list of the value. Absent and null mean that there is none; anything else that is not an array is reported. */
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

/** The objects of a list, each with its path; other elements are rejected. */
export function* objectsIn(
  context: ChangeContext,
  list: JsonValue[],
  path: string,
  subject: Subject,
): Generator<[JsonObject, string], void, undefined> {
  for (const [i, element] of list.entries()) {
    const object = asObject(element);
    if (object === undefined) reject(context, `${path}[${i}]`, subject, 'not_an_object', element);
    else yield [object, `${path}[${i}]`];
  }
}

/** How many elements of an array are checked: an array of texts or numbers is no list of items. */
const LOOKED_AT = 20;

/** Lists that stand beside the items of a value. */
const BESIDE_ITEMS = ['contacts', 'errors'];

export function isKnownList(context: ChangeContext, key: string): boolean {
  return context.itemLists.has(key) || BESIDE_ITEMS.includes(key);
}

/**
 * Reports what a later version of WhatsApp may have added beside the known lists: a list of objects under an unknown
 * name, or an object with a list of `messages` (or the like) in it. Its items would be lost silently otherwise (rule E1).
 * True when there was one.
 */
export function showStrangeLists(
  context: ChangeContext,
  object: JsonObject,
  path: string,
  isKnown = (key: string): boolean => isKnownList(context, key),
): boolean {
  let strange = false;
  for (const [key, value] of Object.entries(object)) {
    if (typeof value !== 'object' || value === null || isKnown(key)) continue;
    if (!holdsItems(context, value)) continue;
    strange = true;
    context.unrecognized.push({
      path: `${path}.${cutText(key, 64)}`,
      reason: 'unknown_list',
      excerpt: excerptOf(value),
    });
  }
  return strange;
}

function holdsItems(context: ChangeContext, value: JsonObject | JsonValue[]): boolean {
  if (Array.isArray(value))
    return value.slice(0, LOOKED_AT).some((element) => asObject(element) !== undefined);
  return Object.entries(value).some(
    ([key, list]) => Array.isArray(list) && (context.itemLists.has(key) || key === 'threads'),
  );
}
