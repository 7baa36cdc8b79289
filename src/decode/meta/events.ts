import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { isBusiness, type ChangeContext } from './change-context.js';
import { countIdentities, readContacts } from './contact-book.js';

/**
 * An account-level change makes no row (rule H3): it is one event, with the name of its own event if it has one. The
 * items of `lists` (`user_preferences`, `calls`) are no messages and give only names and links.
 */
export function readEvent(
  context: ChangeContext,
  value: JsonObject | undefined,
  lists: readonly string[] = [],
): void {
  context.facts.push({ kind: 'event', path: context.path, name: eventName(context.field, value) });
  if (value === undefined) return;
  const book = readContacts(context, value.contacts);
  let newest = 0;
  for (const list of lists) {
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
