import { identitiesOfUser } from '../../identity/identities.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { textOf } from '../read.js';

/** Who sent the item, by all the ids that it carries. */
export function senderOf(item: JsonObject): Identities {
  const userId = item.from_user_id;
  const parent = item.from_parent_user_id;
  return userId === undefined && parent === undefined
    ? identitiesOfUser(textOf(item.from))
    : identitiesOfUser(textOf(item.from), [textOf(userId), textOf(parent)]);
}

/** Whom the item was sent to. */
export function recipientOf(item: JsonObject): Identities {
  const userId = item.to_user_id;
  const parent = item.to_parent_user_id;
  return userId === undefined && parent === undefined
    ? identitiesOfUser(textOf(item.to))
    : identitiesOfUser(textOf(item.to), [textOf(userId), textOf(parent)]);
}
