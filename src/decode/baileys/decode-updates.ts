import type { Fact } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject, externalIdOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { reactorOf, statusOf, type Batch } from './decode-message.js';
import { rejected, skipped, skippedChat } from './outcomes.js';
import { readReaction } from './read-content.js';

type UpdateBatch = Pick<Batch, 'people' | 'include' | 'receivedAt' | 'facts'>;

/**
 * One element of `messages.update`: `{key, update: {status}}`, or Evolution API's `{keyId, remoteJid, fromMe, status}`.
 * Edits and revokes also come as messages of their own, which are read; here they are only counted. A status has no time
 * of its own; without the event's time it is 0, because the ladder (rule M3) needs none.
 */
export function decodeUpdate(element: JsonValue, path: string, batch: UpdateBatch): void {
  const object = asObject(element);
  if (object === undefined) {
    batch.facts.push(rejected('status', 'not_an_object', path, element));
    return;
  }
  const key: JsonObject = asObject(object.key) ?? object;
  const update: JsonObject = asObject(object.update) ?? object;
  const skip = skippedChat(batch.people.resolve(key.remoteJid).kind, batch.include);
  const status = statusOf(update.status);
  if (skip !== undefined) {
    batch.facts.push(skipped('status', skip, path));
    return;
  }
  if (status === undefined) {
    batch.facts.push(skippedUpdate(update, path));
    return;
  }
  const targetExternalId = externalIdOf(object.keyId) ?? externalIdOf(key.id);
  if (targetExternalId === undefined) {
    batch.facts.push(rejected('status', 'missing_target', path, element));
    return;
  }
  const at = parseTimestamp(update.messageTimestamp) ?? batch.receivedAt ?? 0;
  batch.facts.push({ kind: 'status', path, targetExternalId, status, at });
}

function skippedUpdate(update: JsonObject, path: string): Fact {
  if (update.message === undefined) return skipped('status', 'unknown_status', path);
  return skipped(update.message === null ? 'revoke' : 'edit', 'protocol', path);
}

/** One element of `messages.reaction`: `{key: the target's, reaction: {key: the reactor's, text, senderTimestampMs}}`. */
export function decodeReactionEvent(element: JsonValue, path: string, batch: UpdateBatch): void {
  batch.facts.push(reactionFact(element, path, batch));
}

function reactionFact(element: JsonValue, path: string, batch: UpdateBatch): Fact {
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
