import { hasIdentity } from '../../identity/identities.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { asObject, cutText, excerptOf, textOf } from '../read.js';
import { isBusiness, listIn, showStrangeLists, type ChangeContext } from './change-context.js';
import { readContacts, recipientOf, senderOf, withContact, type ContactBook } from './contact-book.js';
import { readItems, type Placement, type Placer, type Refusal } from './items.js';
import { readStatuses } from './statuses.js';

/** `messages`, `message_echoes` and `statuses`, which share the contacts of the value. False when it has none of the lists. */
export function readMessageLists(context: ChangeContext, value: JsonObject): boolean {
  const { path } = context;
  const book = readContacts(context, value.contacts);
  let newest = 0;
  const messages = listIn(context, value.messages, `${path}.messages`);
  if (messages !== undefined) {
    newest = readItems(context, messages, `${path}.messages`, customerMessages(context, book));
  }
  const echoes = listIn(context, value.message_echoes, `${path}.message_echoes`);
  if (echoes !== undefined) {
    const placer = businessEchoes(context, book);
    newest = Math.max(newest, readItems(context, echoes, `${path}.message_echoes`, placer));
  }
  const statuses = listIn(context, value.statuses, `${path}.statuses`);
  if (statuses !== undefined) {
    newest = Math.max(newest, readStatuses(context, statuses, `${path}.statuses`, book));
  }
  book.addFacts(context, newest);
  return messages !== undefined || echoes !== undefined || statuses !== undefined || book.size > 0;
}

/** `standby`: the same lists one level deeper, when another program answers the conversation. */
export function readStandby(context: ChangeContext, value: JsonObject): boolean {
  if (value.standby === undefined || value.standby === null) return false;
  const standby = asObject(value.standby);
  const path = `${context.path}.standby`;
  if (standby === undefined) {
    context.unrecognized.push({ path, reason: 'not_an_object', excerpt: excerptOf(value.standby) });
    return true;
  }
  readMessageLists({ ...context, path }, standby);
  showStrangeLists(context, standby, path);
  return true;
}

/**
 * Places `value.messages[]` of the fields `messages`, `standby` and (as follow-ups) `history`: written by the customer,
 * unless `from` is the business itself, which does occur; those are outbound, and never make the own number a lead
 * (I4).
 */
function customerMessages(context: ChangeContext, book: ContactBook): Placer {
  return {
    origin: context.origin,
    place(item: JsonObject): Placement | Refusal {
      const sender = senderOf(item);
      const group = textOf(item.group_id) ?? book.groupOf(sender);
      if (group !== undefined) return inGroup(context, group, sender);
      if (isBusiness(context, sender) || isSentByTurn(item)) return sentByBusiness(context, book, item);
      if (!hasIdentity(sender)) return 'missing_counterpart';
      const contact = book.find(sender);
      return {
        direction: 'INBOUND',
        counterpart: withContact(sender, contact),
        contact,
        participant: undefined,
      };
    },
  };
}

/** Turn.io reports messages sent through it as messages, and marks them in its own part. */
function isSentByTurn(item: JsonObject): boolean {
  return item._vnd !== undefined && asObject(asObject(item._vnd)?.v1)?.direction === 'outbound';
}

/** Places `message_echoes[]`: the business wrote them, in its app or through another program. */
function businessEchoes(context: ChangeContext, book: ContactBook): Placer {
  return {
    // Under `history`, echoes carry the media of a placeholder.
    origin: context.origin === 'follow_up' ? 'follow_up' : 'echo',
    place(item: JsonObject): Placement | Refusal {
      const group = textOf(item.group_id) ?? book.groupOf(recipientOf(item));
      if (group !== undefined) {
        const placed = inGroup(context, group, {});
        return typeof placed === 'string' ? placed : { ...placed, direction: 'OUTBOUND' };
      }
      return sentByBusiness(context, book, item);
    },
  };
}

/** The counterpart is the recipient; if the item names none, the value's only contact. */
function sentByBusiness(context: ChangeContext, book: ContactBook, item: JsonObject): Placement | Refusal {
  const recipient = recipientOf(item);
  const named = hasIdentity(recipient);
  const contact = named ? book.find(recipient) : book.only;
  if (!named && contact === undefined) return 'missing_counterpart';
  const counterpart = named ? withContact(recipient, contact) : (contact?.who ?? recipient);
  if (isBusiness(context, counterpart)) return 'self_thread';
  return { direction: 'OUTBOUND', counterpart, contact, participant: undefined };
}

/** With `--include group`, the group itself is the counterpart; the author is kept beside the message (rule M6). */
function inGroup(context: ChangeContext, group: string, sender: Identities): Placement | Refusal {
  if (!context.include.has('group')) return 'group';
  return {
    direction: isBusiness(context, sender) ? 'OUTBOUND' : 'INBOUND',
    counterpart: { waId: cutText(group, 255) },
    contact: undefined,
    participant: sender.phone ?? sender.waId ?? sender.lid ?? sender.bsuids?.[0],
  };
}
