import type { ConnectionHint, Section, Unrecognized } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, cutText, excerptOf, externalIdOf, wabaIdOf } from '../read.js';
import type { DecodeOptions } from '../options.js';
import { businessPhone, isKnownList, showStrangeLists, type ChangeContext } from './change-context.js';
import { readEvent } from './events.js';
import { COUNTED_LISTS, fieldNamed, ITEM_LISTS, READERS } from './fields.js';
import { isHistory } from './history.js';

/** One change of a webhook, without its wrappers. */
export interface Change {
  /** JSON path of the value. */
  path: string;
  field: string;
  value: JsonValue | undefined;
  wabaId: string | undefined;
}

/**
 * Adds the facts of one change to `sections`, and unknown parts to `unrecognized` (rule E1). Every change gives a section
 * or at least one unrecognized part.
 */
export function decodeChange(
  change: Change,
  options: DecodeOptions,
  sections: Section[],
  unrecognized: Unrecognized[],
): void {
  const { path, field } = change;
  const value = asObject(change.value);
  const known = fieldNamed(field);
  if (known === undefined) {
    show({ unrecognized }, path, `unknown_field:${cutText(field, 64)}`, change.value);
    return;
  }
  const isCounted = known.read === undefined;
  if (value === undefined && !isCounted) {
    show({ unrecognized }, path, 'not_an_object', change.value);
    return;
  }
  const connection = connectionOf(value, change.wabaId);
  const context: ChangeContext = {
    path,
    field,
    origin: known.origin ?? 'standby',
    itemLists: ITEM_LISTS,
    business: businessPhone(connection.displayPhoneNumber),
    receivedAt: options.receivedAt,
    include: options.include,
    facts: [],
    unrecognized,
  };
  const before = unrecognized.length;
  if (isCounted) readEvent(context, value, known.lists);
  else if (value !== undefined) readValue(context, value);

  const { facts } = context;
  if (facts.length === 0 && unrecognized.length > before) return;
  const eventOnly = facts.length > 0 && facts.every((fact) => fact.kind === 'event');
  sections.push({ path, field, connection, facts, eventOnly, isCoexistence: known.isCoexistence });
}

/** Reads every list that the value has, whatever its field, and reports what no reader knows. */
function readValue(context: ChangeContext, value: JsonObject): void {
  let isKnown = false;
  for (const read of READERS) if (read(context, value)) isKnown = true;
  for (const [list, field] of COUNTED_LISTS) {
    if (!Array.isArray(value[list])) continue;
    // The readers of messages have read the contacts.
    readEvent({ ...context, field }, isKnown ? { ...value, contacts: null } : value, [list]);
    isKnown = true;
  }
  if (Array.isArray(value.errors) && !isHistory(context, value)) {
    context.facts.push({ kind: 'event', path: `${context.path}.errors`, name: `${context.field}.errors` });
    isKnown = true;
  }
  const isStrange = showStrangeLists(
    context,
    value,
    context.path,
    (key) => isKnownList(context, key) || COUNTED_LISTS.has(key),
  );
  if (!isStrange && !isKnown) show(context, context.path, 'nothing_known', value);
}

function show(
  { unrecognized }: Pick<ChangeContext, 'unrecognized'>,
  path: string,
  reason: string,
  value: JsonValue | undefined,
): void {
  unrecognized.push({ path, reason, excerpt: excerptOf(value) });
}

function connectionOf(value: JsonObject | undefined, wabaId: string | undefined): ConnectionHint {
  const metadata = asObject(value?.metadata);
  return {
    phoneNumberId: externalIdOf(metadata?.phone_number_id),
    // On PARTNER_REMOVED the entry's id is the business portfolio; the WABA is in waba_info.
    wabaId: wabaIdOf(asObject(value?.waba_info)?.waba_id) ?? wabaId,
    displayPhoneNumber: externalIdOf(metadata?.display_phone_number) ?? externalIdOf(value?.phone_number),
  };
}
