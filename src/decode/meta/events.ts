import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { isBusiness, type ChangeContext } from './change-context.js';
import { countIdentities, readContacts } from './contact-book.js';

/** Fields that are counted and make no row (rule H3): Meta's list of account-level webhooks, and what production adds. */
const EVENT_FIELDS: ReadonlySet<string> = new Set([
  'account_alerts',
  'account_review_update',
  'account_settings_update',
  'account_update',
  'automatic_events',
  'business_capability_update',
  'business_status_update',
  'calls',
  'flows',
  'message_status_update',
  'messaging_handovers',
  'partner_solutions',
  'payment_configuration_update',
  'security',
  'tracking_events',
  'user_preferences',
]);
const EVENT_FAMILIES = ['group_', 'message_template_', 'template_', 'phone_number_'];

export function isEventField(field: string): boolean {
  return EVENT_FIELDS.has(field) || EVENT_FAMILIES.some((family) => field.startsWith(family));
}

/**
 * An account-level change: one event, named with its own event where it has one. Whom `user_preferences` and `calls` are
 * about is worth knowing; but they are no messages, so they give names and links only.
 */
export function readEvent(context: ChangeContext, value: JsonObject | undefined): void {
  context.facts.push({ kind: 'event', path: context.path, name: eventName(context.field, value) });
  if (value === undefined) return;
  const book = readContacts(context, value.contacts);
  let newest = 0;
  for (const list of ['user_preferences', 'calls']) {
    for (const [i, element] of (asArray(value[list]) ?? []).entries()) {
      newest = Math.max(newest, readSubject(context, asObject(element), `${context.path}.${list}[${i}]`));
    }
  }
  book.addFacts(context, newest);
}

function readSubject(context: ChangeContext, item: JsonObject | undefined, path: string): number {
  if (item === undefined) return 0;
  const who = identitiesOfUser(textOf(item.wa_id), [textOf(item.user_id), textOf(item.parent_user_id)]);
  if (hasIdentity(who) && countIdentities(who) > 1 && !isBusiness(context, who)) {
    context.facts.push({ kind: 'identity_link', path, who: [who] });
  }
  return parseTimestamp(item.timestamp) ?? 0;
}

function eventName(field: string, value: JsonObject | undefined): string {
  const event: JsonValue | undefined = value?.event;
  return typeof event === 'string' && /^\w{1,64}$/.test(event) ? `${field}.${event}` : field;
}
