import type { Direction } from '../../model/enumerations.js';
import type { Fact, Identities, MessageOrigin, RejectReason, Subject } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { parseTimestamp } from '../timestamp.js';
import { objectsIn, reject, skip, type ChangeContext } from './change-context.js';
import type { Contact } from './contact-book.js';
import { typeOf } from './contents.js';
import { readSystem } from './identity-changes.js';
import { editFact, messageFact, reactionFact, revokeFact } from './item-facts.js';

/** The thread and the direction of an item. */
export interface Placement {
  direction: Direction;
  counterpart: Identities;
  contact: Contact | undefined;
  /** The member of a group who sent it; only with `--include group`. */
  participant: string | undefined;
}

/** An item whose thread and time are known. Its placement is a part of it, because copying it costs more than decoding. */
export interface PlacedItem {
  item: JsonObject;
  path: string;
  type: string;
  placement: Placement;
  origin: MessageOrigin;
  at: number;
  /** Whether `at` is the item's own time, and not that of its entry (rule M7). */
  isDated: boolean;
}

/** Why an item has no thread. */
export type Refusal = 'group' | 'self_thread' | 'missing_sender' | 'missing_counterpart';

/** Places the items of one list (live messages, echoes, one history thread). */
export interface Placer {
  origin: MessageOrigin;
  place(item: JsonObject): Placement | Refusal;
}

/**
 * Reads every element of a list of messages: messages, edits, revokes, reactions, system notices. Each gives exactly one
 * fact of its subject, whatever is wrong with it (rules M5, M7). Returns the newest timestamp, 0 for none.
 */
export function readItems(context: ChangeContext, list: JsonValue[], path: string, placer: Placer): number {
  let newest = 0;
  for (const [item, itemPath] of objectsIn(context, list, path, 'message')) {
    newest = Math.max(newest, readItem(context, item, itemPath, placer));
  }
  return newest;
}

function readItem(context: ChangeContext, item: JsonObject, path: string, placer: Placer): number {
  const type = typeOf(item);
  if (type === 'system' || type === 'request_welcome') {
    readSystem(context, item, path);
    return 0;
  }
  const subject = subjectOf(type);
  const placement = placer.place(item);
  if (typeof placement === 'string') {
    if (placement === 'group' || placement === 'self_thread') skip(context, path, subject, placement);
    else reject(context, path, subject, placement, item);
    return 0;
  }
  const sentAt = parseTimestamp(item.timestamp);
  const at = sentAt ?? context.receivedAt;
  if (at === undefined) {
    reject(context, path, subject, 'bad_timestamp', item);
    return 0;
  }
  const { contact } = placement;
  if (contact !== undefined && sentAt !== undefined && sentAt > contact.at) contact.at = sentAt;

  const { origin } = placer;
  const fact = FACTS[subject]({ item, path, type, placement, origin, at, isDated: sentAt !== undefined });
  if (typeof fact === 'string') reject(context, path, subject, fact, item);
  else context.facts.push(fact);
  return sentAt ?? 0;
}

type ItemSubject = Extract<Subject, 'message' | 'edit' | 'revoke' | 'reaction'>;

const FACTS: Readonly<Record<ItemSubject, (placed: PlacedItem) => Fact | RejectReason>> = {
  message: messageFact,
  edit: editFact,
  revoke: revokeFact,
  reaction: reactionFact,
};

function subjectOf(type: string): ItemSubject {
  switch (type) {
    case 'edit':
    case 'revoke':
    case 'reaction':
      return type;
    default:
      return 'message';
  }
}
