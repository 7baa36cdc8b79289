import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { listIn, objectsIn, skip, type ChangeContext } from './change-context.js';
import { countIdentities } from './contact-book.js';

/**
 * `system` and `request_welcome` show no bubble, so they are skipped; but a changed number or user id says that two names
 * are one person (rule I3). The new name is in `wa_id`, `new_wa_id` or `user_id`; the old one in `from`, `customer` or
 * `previous_user_id`.
 */
export function readSystem(context: ChangeContext, item: JsonObject, path: string): void {
  skip(context, path, 'message', 'system');
  const system = asObject(item.system);
  const sender = textOf(item.from);
  switch (textOf(system?.type) ?? '') {
    case 'user_changed_number':
    case 'customer_changed_number': {
      const userIds = [textOf(item.from_user_id), textOf(item.from_parent_user_id)];
      const before = identitiesOfUser(sender ?? textOf(system?.customer), userIds);
      const after = identitiesOfUser(textOf(system?.wa_id) ?? textOf(system?.new_wa_id), [
        textOf(system?.user_id),
        textOf(system?.parent_user_id),
      ]);
      if (hasIdentity(before) && hasIdentity(after)) {
        context.facts.push({ kind: 'identity_link', path, who: [before, after] });
      }
      return;
    }
    case 'user_changed_user_id': {
      const before = identitiesOfUser(undefined, [
        textOf(system?.previous_user_id),
        textOf(system?.previous_parent_user_id),
      ]);
      const after = identitiesOfUser(sender ?? textOf(system?.wa_id), [
        textOf(system?.user_id) ?? textOf(item.from_user_id),
        textOf(system?.parent_user_id) ?? textOf(item.from_parent_user_id),
      ]);
      // `previous_user_id` is often missing; a number still identifies the new id's owner.
      addLink(context, path, before, after);
      return;
    }
    default:
      return;
  }
}

/** Field `user_id_update`: a person who changes the number gets a new user id; old and new are one person (rule I3). */
export function readUserIdUpdates(context: ChangeContext, value: JsonObject): boolean {
  if (value.user_id_update === undefined) return false;
  const path = `${context.path}.user_id_update`;
  const list = listIn(context, value.user_id_update, path) ?? [];
  for (const [item, itemPath] of objectsIn(context, list, path, 'contact')) {
    const userId = asObject(item.user_id);
    const parent = asObject(item.parent_user_id);
    const before = identitiesOfUser(undefined, [textOf(userId?.previous), textOf(parent?.previous)]);
    const after = identitiesOfUser(textOf(item.wa_id), [textOf(userId?.current), textOf(parent?.current)]);
    if (!addLink(context, itemPath, before, after)) skip(context, itemPath, 'contact', 'not_a_contact');
  }
  return true;
}

/**
 * Adds the fact that the old and the new names belong to one person; without an old name, the new ones still belong
 * together. False when there is nothing to link.
 */
function addLink(context: ChangeContext, path: string, before: Identities, after: Identities): boolean {
  if (hasIdentity(before) && hasIdentity(after)) {
    context.facts.push({ kind: 'identity_link', path, who: [before, after] });
    return true;
  }
  if (countIdentities(after) < 2) return false;
  context.facts.push({ kind: 'identity_link', path, who: [after] });
  return true;
}
