import { hasIdentity, identitiesOfUser } from '../../identity/identities.js';
import { MESSAGE_STATUSES, type MessageStatus } from '../../model/enumerations.js';
import type { Identities } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { messageIdOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { objectsIn, reject, skip, type ChangeContext } from './change-context.js';
import { countIdentities, type ContactBook } from './contact-book.js';
import { messageErrorsOf } from './errors.js';

/** Reads `value.statuses[]`; returns the newest timestamp, 0 for none. */
export function readStatuses(
  context: ChangeContext,
  list: JsonValue[],
  path: string,
  book: ContactBook,
): number {
  let newest = 0;
  for (const [item, itemPath] of objectsIn(context, list, path, 'status')) {
    newest = Math.max(newest, readStatus(context, item, itemPath, book));
  }
  return newest;
}

function readStatus(context: ChangeContext, item: JsonObject, path: string, book: ContactBook): number {
  const isGroup = item.recipient_type === 'group' || book.groupOf(recipientOf(item)) !== undefined;
  if (isGroup && !context.include.has('group')) {
    skip(context, path, 'status', 'group');
    return 0;
  }
  const targetExternalId = messageIdOf(item);
  if (targetExternalId === undefined) {
    reject(context, path, 'status', 'missing_id', item);
    return 0;
  }
  const word = textOf(item.status);
  if (word === undefined) {
    reject(context, path, 'status', 'missing_status', item);
    return 0;
  }
  const sentAt = parseTimestamp(item.timestamp);
  if (!isGroup) noteRecipient(context, item, path, book, sentAt ?? 0);
  const isDeletion = word.toLowerCase() === 'deleted';
  const status = statusNamed(word);
  if (status === undefined && !isDeletion) {
    skip(context, path, 'status', 'unknown_status');
    return 0;
  }
  const at = sentAt ?? context.receivedAt;
  if (at === undefined) {
    reject(context, path, 'status', 'bad_timestamp', item);
    return 0;
  }
  if (status === undefined) {
    // The sender deleted the message for everyone (M5).
    context.facts.push({ kind: 'revoke', path, targetExternalId, at, counterpart: recipientOf(item) });
    return sentAt ?? 0;
  }
  const errors = messageErrorsOf(item.errors);
  const recipient = recipientOf(item);
  context.facts.push({
    kind: 'status',
    path,
    targetExternalId,
    ...(hasIdentity(recipient) ? { recipient } : {}),
    status,
    at,
    errors,
  });
  return sentAt ?? 0;
}

/** A status names its recipient by phone and, since 2026, by user id; both together link the two (rule I3). */
function noteRecipient(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  book: ContactBook,
  at: number,
): void {
  if (item.recipient_user_id === undefined && item.parent_recipient_user_id === undefined && book.size === 0)
    return;
  const recipient = recipientOf(item);
  if (!hasIdentity(recipient)) return;
  const contact = book.find(recipient);
  if (contact !== undefined && at > contact.at) contact.at = at;
  if (countIdentities(recipient) > 1) context.facts.push({ kind: 'identity_link', path, who: [recipient] });
}

function recipientOf(item: JsonObject): Identities {
  return identitiesOfUser(textOf(item.recipient_id), [
    textOf(item.recipient_user_id),
    textOf(item.parent_recipient_user_id),
  ]);
}

/** The status of this name, in any case: Meta writes lower case, history and some programs upper case. */
export function statusNamed(word: string): MessageStatus | undefined {
  const lower = word.toLowerCase();
  return MESSAGE_STATUSES.find((status) => status === lower);
}
