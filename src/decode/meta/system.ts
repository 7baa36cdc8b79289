import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import type { JsonObject } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { skip, type ChangeContext } from './change-context.js';
import { countIdentities } from './contact-book.js';

/**
 * `system` and `request_welcome`: no bubble, so skipped; but a changed number or user id says that two names are one
 * person (rule I3). The new name stands in `wa_id` or `new_wa_id`, in `user_id`; the old one in `from` or `customer`, in
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
      // `previous_user_id` comes only sometimes; without it, a number still says whose the new id is.
      if (hasIdentity(before) && hasIdentity(after)) {
        context.facts.push({ kind: 'identity_link', path, who: [before, after] });
      } else if (countIdentities(after) > 1) {
        context.facts.push({ kind: 'identity_link', path, who: [after] });
      }
      return;
    }
    default:
      return;
  }
}
