import { hasIdentity } from '../../identity/identities.js';
import type { Identities, MessageOrigin } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { textOf } from '../read.js';
import { cutText } from '../text.js';
import { isBusiness, type ChangeContext } from './change-context.js';
import { withContact, type ContactBook } from './contact-book.js';
import type { Placement, Placer, Refusal } from './items.js';
import { recipientOf, senderOf } from './sides.js';

/**
 * Places `value.messages[]` of the fields `messages`, `standby` and (as follow-ups) `history`: the customer wrote them,
 * unless `from` is the business itself, which does occur; those are outbound, and never make a lead of the own number (I4).
 */
export function customerMessages(context: ChangeContext, book: ContactBook, origin: MessageOrigin): Placer {
  return {
    origin,
    place(item: JsonObject): Placement | Refusal {
      const sender = senderOf(item);
      const group = textOf(item.group_id) ?? book.groupOf(sender);
      if (group !== undefined) return inGroup(context, group, sender);
      if (isBusiness(context, sender)) return sentByBusiness(context, book, item);
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

/** Places `message_echoes[]`: the business wrote them, in its app or through another program. */
export function businessEchoes(context: ChangeContext, book: ContactBook, origin: MessageOrigin): Placer {
  return {
    origin,
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

/** The counterpart is whom it went to; where the item does not say, the value's only contact. */
function sentByBusiness(context: ChangeContext, book: ContactBook, item: JsonObject): Placement | Refusal {
  const recipient = recipientOf(item);
  const named = hasIdentity(recipient);
  const contact = named ? book.find(recipient) : book.only;
  if (!named && contact === undefined) return 'missing_counterpart';
  const counterpart = named ? withContact(recipient, contact) : (contact?.who ?? recipient);
  if (isBusiness(context, counterpart)) return 'self_thread';
  return { direction: 'OUTBOUND', counterpart, contact, participant: undefined };
}

/** Under `--include group` the group itself is the counterpart; who spoke is kept beside the message (rule M6). */
function inGroup(context: ChangeContext, group: string, sender: Identities): Placement | Refusal {
  if (!context.include.has('group')) return 'group';
  return {
    direction: isBusiness(context, sender) ? 'OUTBOUND' : 'INBOUND',
    counterpart: { waId: cutText(group, 255) },
    contact: undefined,
    participant: sender.phone ?? sender.waId ?? sender.lid ?? sender.bsuids?.[0],
  };
}
