import { identitiesOfUser } from '../../identity/identities.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { isBusiness, listIn, reject, skip, type ChangeContext } from './change-context.js';
import { usernameOf } from './contact-book.js';

/**
 * `smb_app_state_sync`: the address book of the business's app (rule I5). Its arrival also announces the history (H2). An
 * edited contact comes as `add`; `remove` has no names; junk elements and service numbers occur and are skipped.
 */
export function readStateSync(context: ChangeContext, value: JsonObject): boolean {
  if (value.state_sync === undefined) return false;
  const path = `${context.path}.state_sync`;
  const list = listIn(context, value.state_sync, path);
  if (list === undefined) return true;
  context.facts.push({ kind: 'history_state', path, status: 'pending_history' });
  for (const [i, element] of list.entries()) readLine(context, element, `${path}[${i}]`);
  return true;
}

function readLine(context: ChangeContext, element: JsonValue, path: string): void {
  const item = asObject(element);
  const contact = asObject(item?.contact);
  const action = actionOf(item?.action);
  const isContact = item?.type === undefined || item.type === 'contact';
  if (item === undefined || contact === undefined || action === undefined || !isContact) {
    skip(context, path, 'contact', 'not_a_contact');
    return;
  }
  const who = identitiesOfUser(textOf(contact.phone_number) ?? textOf(contact.wa_id), [
    textOf(contact.user_id),
    textOf(contact.parent_user_id),
  ]);
  // A number too short for a phone is a service of the carrier, not a contact.
  if (who.phone === undefined && who.bsuids === undefined && who.lid === undefined) {
    skip(context, path, 'contact', 'not_a_contact');
    return;
  }
  if (isBusiness(context, who)) {
    skip(context, path, 'contact', 'own_number');
    return;
  }
  const at = parseTimestamp(asObject(item.metadata)?.timestamp ?? item.timestamp) ?? context.receivedAt;
  if (at === undefined) {
    reject(context, path, 'contact', 'bad_timestamp', item);
    return;
  }
  const name = action === 'add' ? (textOf(contact.full_name) ?? textOf(contact.first_name)) : undefined;
  context.facts.push({
    kind: 'address_book',
    path,
    action,
    who,
    name,
    username: usernameOf(contact.username),
    at,
  });
}

function actionOf(value: JsonValue | undefined): 'add' | 'remove' | undefined {
  switch ((textOf(value) ?? '').toLowerCase()) {
    case 'add':
    case 'update':
    case 'edit':
      return 'add';
    case 'remove':
    case 'delete':
      return 'remove';
    default:
      return undefined;
  }
}
