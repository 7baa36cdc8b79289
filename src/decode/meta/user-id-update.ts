import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import type { JsonObject } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { listIn, reject, skip, type ChangeContext } from './change-context.js';
import { countIdentities } from './contact-book.js';

/** Field `user_id_update`: a user id is made anew when its person changes the number; old and new are one person (rule I3). */
export function readUserIdUpdates(context: ChangeContext, value: JsonObject): void {
  const path = `${context.path}.user_id_update`;
  for (const [i, element] of (listIn(context, value.user_id_update, path) ?? []).entries()) {
    const itemPath = `${path}[${i}]`;
    const item = asObject(element);
    if (item === undefined) {
      reject(context, itemPath, 'contact', 'not_an_object', element);
      continue;
    }
    const userId = asObject(item.user_id);
    const parent = asObject(item.parent_user_id);
    const before = identitiesOfUser(undefined, [textOf(userId?.previous), textOf(parent?.previous)]);
    const after = identitiesOfUser(textOf(item.wa_id), [textOf(userId?.current), textOf(parent?.current)]);
    if (hasIdentity(before) && hasIdentity(after)) {
      context.facts.push({ kind: 'identity_link', path: itemPath, who: [before, after] });
    } else if (countIdentities(after) > 1) {
      // Without the old id, it still says whose the new one is.
      context.facts.push({ kind: 'identity_link', path: itemPath, who: [after] });
    } else {
      skip(context, itemPath, 'contact', 'not_a_contact');
    }
  }
}
