import { hasIdentity } from '../../identity/identities.js';
import { isWamid } from '../../identity/wamid.js';
import type { Fact, Identities, StatusFact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { statusNamed } from '../meta/statuses.js';
import { asObject, externalIdOf, textOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { deletedKeyOf, protocolMessageOf } from '../vendors/evolution.js';
import { reactorOf, statusOf, type Batch } from './decode-message.js';
import { rejected, skipped, skippedChat } from './outcomes.js';
import type { Party } from './people.js';
import { enumOf } from './proto-values.js';
import { readContent, readReaction } from './read-content.js';

/** Shared data of one event's changes. */
export interface ChangeBatch extends Pick<Batch, 'people' | 'include' | 'receivedAt' | 'facts'> {
  /** When the event came, by a clock that may be hours off. */
  aboutReceivedAt: number | undefined;
  /** The business's own address, normalized; empty if the event does not say. */
  own: string;
}

/** Reads one element of an event; it gives exactly one fact about itself, so that the counts balance. */
export type Change = (element: JsonValue, path: string, batch: ChangeBatch) => void;

/**
 * One element of `messages.update`: `{key, update: {status}}`, or Evolution API's `{keyId, remoteJid, fromMe, status}`,
 * whose Cloud API instances write Meta's words. Baileys also reports edits and revokes here, under the key of the
 * changed message; programs that keep only these events have no other record. A status has no time of its own; without
 * the event's time it is 0, because the ladder (rule M3) does not need one.
 */
export function decodeUpdate(element: JsonValue, path: string, batch: ChangeBatch): void {
  const object = asObject(element);
  if (object === undefined) {
    batch.facts.push(rejected('status', 'not_an_object', path, element));
    return;
  }
  const key: JsonObject = asObject(object.key) ?? object;
  const update: JsonObject = asObject(object.update) ?? object;
  const chat = batch.people.resolve(key.remoteJid);
  const skip = skippedChat(chat.kind, batch.include);
  if (skip !== undefined) {
    batch.facts.push(skipped('status', skip, path));
    return;
  }
  if (asObject(update.editedMessage) !== undefined) {
    // Some versions send an edit here instead of under `messages.edited`.
    decodeEdited(element, path, batch);
    return;
  }
  const targetExternalId = externalIdOf(object.keyId) ?? externalIdOf(key.id);
  const status = statusOf(update.status) ?? statusNamed(textOf(update.status) ?? '');
  if (status === undefined) {
    const said = asObject(update.message);
    if (isDeletion(update, targetExternalId)) {
      // Baileys gives no time, and none is required: that the message is gone is true at any time.
      batch.facts.push(revokeFact(targetExternalId, chat, path, element, batch, 0));
    } else if (asObject(said?.editedMessage) !== undefined || asObject(said?.protocolMessage) !== undefined) {
      const edit = { ...said, key, messageTimestamp: update.messageTimestamp ?? null };
      batch.facts.push(editedFact(edit, chat, path, batch));
    } else {
      batch.facts.push(skippedUpdate(update, path));
    }
    return;
  }
  if (targetExternalId === undefined) {
    batch.facts.push(rejected('status', 'missing_target', path, element));
    return;
  }
  const at = parseTimestamp(update.messageTimestamp) ?? batch.receivedAt ?? 0;
  batch.facts.push({ kind: 'status', path, targetExternalId, ...recipientIn(chat), status, at });
}

/** proto.WebMessageInfo.StubType: Baileys' replacement for a message deleted for everyone. */
const STUB_TYPES = { REVOKE: 1 } as const;

/**
 * Whether an update says that the message was deleted. As a status, only Meta's counts: for WhatsApp Web, Evolution API
 * writes
 * `DELETED` for anything without a status, including edits, and deletions have their own event.
 */
function isDeletion(update: JsonObject, target: string | undefined): boolean {
  if (enumOf(update.messageStubType, STUB_TYPES) === STUB_TYPES.REVOKE) return true;
  return update.status === 'DELETED' && target !== undefined && isWamid(target);
}

function skippedUpdate(update: JsonObject, path: string): Fact {
  if (update.message === undefined) return skipped('status', 'unknown_status', path);
  return skipped(update.message === null ? 'revoke' : 'edit', 'protocol', path);
}

/**
 * One element of `message-receipt.update`: `{key, receipt: {readTimestamp, …}}`, in seconds. Baileys sends them for
 * groups, about one member; imitating programs, for any chat.
 */
export function decodeReceipt(element: JsonValue, path: string, batch: ChangeBatch): void {
  const object = asObject(element);
  const receipt = asObject(object?.receipt);
  if (object === undefined || receipt === undefined) {
    batch.facts.push(rejected('status', 'not_an_object', path, element));
    return;
  }
  const key = asObject(object.key) ?? {};
  const chat = batch.people.resolve(key.remoteJid);
  const skip = skippedChat(chat.kind, batch.include);
  const targetExternalId = externalIdOf(key.id);
  if (skip !== undefined) batch.facts.push(skipped('status', skip, path));
  else if (targetExternalId === undefined)
    batch.facts.push(rejected('status', 'missing_target', path, element));
  else batch.facts.push(receiptFact(receipt, { targetExternalId, ...recipientIn(chat) }, path));
}

function receiptFact(
  receipt: JsonObject,
  target: Pick<StatusFact, 'targetExternalId' | 'recipient'>,
  path: string,
): Fact {
  for (const [name, status] of [
    ['playedTimestamp', 'played'],
    ['readTimestamp', 'read'],
    ['receiptTimestamp', 'delivered'],
  ] as const) {
    const at = parseTimestamp(receipt[name]);
    if (at !== undefined) return { kind: 'status', path, ...target, status, at };
  }
  return skipped('status', 'unknown_status', path);
}

/** One element of `messages.edited` or `send.message.update`: a protocol message without its message. */
export function decodeEdited(element: JsonValue, path: string, batch: ChangeBatch): void {
  const object = asObject(element);
  batch.facts.push(
    object === undefined
      ? rejected('edit', 'not_an_object', path, element)
      : editedFact(object, chatOfProtocolKey(asObject(object.key), batch), path, batch),
  );
}

function editedFact(object: JsonObject, chat: Party, path: string, batch: ChangeBatch): Fact {
  const skip = skippedChat(chat.kind, batch.include);
  if (skip !== undefined) return skipped('edit', skip, path);
  const protocolMessage = protocolMessageOf(object);
  if (protocolMessage === undefined) return skipped('edit', 'protocol', path);

  const content = readContent({ protocolMessage });
  switch (content.kind) {
    case 'revoke':
      return revokeFact(content.target, chat, path, object, batch);
    case 'edit': {
      const { target: targetExternalId } = content;
      const at = content.at ?? timeOf(object, batch);
      if (at === undefined) return rejected('edit', 'bad_timestamp', path, object);
      // The edit's own id is not in the event.
      const editId = `${targetExternalId.slice(0, 480)} ${at}`;
      const counterpart = identitiesOf(chat);
      return { kind: 'edit', path, targetExternalId, editId, at, content: content.content, counterpart };
    }
    case 'untargeted':
      return rejected(content.subject, 'missing_target', path, object);
    case 'message':
    case 'reaction':
    case 'skip':
      return skipped('edit', 'protocol', path);
  }
}

/**
 * The chat in a protocol message's key. Its sender writes it: a customer's edit names the business as the chat, and the
 * message as its own. The event then does not identify the customer; the message must.
 */
function chatOfProtocolKey(key: JsonObject | undefined, batch: ChangeBatch): Party {
  const chat = batch.people.resolve(key?.remoteJid);
  const isOwn = batch.own === '' ? key?.fromMe === true : chat.jid === batch.own;
  return isOwn && chat.kind === 'user' ? { ...chat, identities: {} } : chat;
}

/** One element of Evolution API's `messages.delete`: a message deleted for everyone. */
export function decodeDeleted(element: JsonValue, path: string, batch: ChangeBatch): void {
  const object = asObject(element);
  if (object === undefined) {
    batch.facts.push(rejected('revoke', 'not_an_object', path, element));
    return;
  }
  const key = deletedKeyOf(object);
  const chat = batch.people.resolve(key.remoteJid);
  const skip = skippedChat(chat.kind, batch.include);
  batch.facts.push(
    skip === undefined
      ? // Evolution API's own row has its own id beside the message's.
        revokeFact(externalIdOf(object.keyId) ?? externalIdOf(key.id), chat, path, element, batch)
      : skipped('revoke', skip, path),
  );
}

function revokeFact(
  targetExternalId: string | undefined,
  chat: Party,
  path: string,
  element: JsonValue,
  batch: ChangeBatch,
  timeless?: number,
): Fact {
  if (targetExternalId === undefined) return rejected('revoke', 'missing_target', path, element);
  const at = batch.receivedAt ?? batch.aboutReceivedAt ?? timeless;
  if (at === undefined) return rejected('revoke', 'bad_timestamp', path, element);
  return { kind: 'revoke', path, targetExternalId, at, counterpart: identitiesOf(chat) };
}

/** An edit without its own time takes the event's. */
function timeOf(element: JsonObject, batch: ChangeBatch): number | undefined {
  return parseTimestamp(element.messageTimestamp) ?? batch.receivedAt ?? batch.aboutReceivedAt;
}

function identitiesOf(chat: Party): Identities {
  const isOneToOne = chat.kind === 'user' || chat.kind === 'lid' || chat.kind === 'unknown';
  return isOneToOne ? chat.identities : { waId: chat.jid };
}

/** The chat of a status, if the key names one. */
function recipientIn(chat: Party): Pick<StatusFact, 'recipient'> {
  const recipient = identitiesOf(chat);
  return hasIdentity(recipient) ? { recipient } : {};
}

/** One element of `messages.reaction`: `{key: the target's, reaction: {key: the reactor's, text, senderTimestampMs}}`. */
export function decodeReactionEvent(element: JsonValue, path: string, batch: ChangeBatch): void {
  batch.facts.push(reactionFact(element, path, batch));
}

function reactionFact(element: JsonValue, path: string, batch: ChangeBatch): Fact {
  const object = asObject(element);
  const reaction = asObject(object?.reaction);
  if (object === undefined || reaction === undefined) {
    return rejected('reaction', 'not_an_object', path, element);
  }
  const key = asObject(object.key);
  const chat = batch.people.resolve(key?.remoteJid);
  const skip = skippedChat(chat.kind, batch.include);
  if (skip !== undefined) return skipped('reaction', skip, path);
  if (chat.kind === 'unknown') return rejected('reaction', 'missing_counterpart', path, element);
  const targetExternalId = externalIdOf(key?.id);
  if (targetExternalId === undefined) return rejected('reaction', 'missing_target', path, element);
  const { emoji, at = batch.receivedAt } = readReaction(reaction);
  if (at === undefined) return rejected('reaction', 'bad_timestamp', path, element);

  const isOneToOne = chat.kind === 'user' || chat.kind === 'lid';
  const reactorKey = asObject(reaction.key);
  const fromMe = reactorKey?.fromMe === true;
  return {
    kind: 'reaction',
    path,
    targetExternalId,
    reactor: reactorOf(fromMe, isOneToOne ? undefined : batch.people.resolve(reactorKey?.participant)),
    emoji,
    at,
    counterpart: isOneToOne ? chat.identities : { waId: chat.jid },
    live: !fromMe,
  };
}
