import { identitiesOfUser } from '../identity/identities.js';
import type { JsonValue } from '../model/json.js';
import { nodesOf } from './identity-evidence.js';

/** The fields of items for sender and recipient, of Meta and of WhatsApp Web. */
const PERSON_KEY =
  /^(?:from|to|id|wa_id|jid|author|phone_number|\w*(?:user_id|[jJ]id|[pP]articipant|recipient|sender)\w*)$/;

/** What an item says of other messages: whom it quotes is not whom it is from. */
const QUOTE_KEY = /^(?:context|contextInfo|quoted\w*)$/;

/** Whether an item without its own fact names one of these people: in its person fields, not in its text. */
export function itemNames(
  item: JsonValue | undefined,
  names: { has: (name: string) => boolean },
  depth = 6,
): boolean {
  if (typeof item !== 'object' || item === null || depth === 0) return false;
  if (Array.isArray(item)) return item.some((element) => itemNames(element, names, depth - 1));
  return Object.entries(item).some(([key, value]) => {
    if (QUOTE_KEY.test(key)) return false;
    if (typeof value !== 'string') return itemNames(value, names, depth - 1);
    return PERSON_KEY.test(key) && nodesOf(identitiesOfUser(value)).some((node) => names.has(node.value));
  });
}
