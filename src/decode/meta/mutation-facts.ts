import type { MessageContent, MessageOrigin } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import { emojiOf } from '../emoji.js';
import { externalIdOf } from '../external-id.js';
import { asObject } from '../read.js';
import { reject, type ChangeContext } from './change-context.js';
import { readContent, typeOf } from './contents.js';
import type { Placement } from './items.js';

/** An edit changes its original and is no message itself (rule M5); it has an id of its own. */
export function addEdit(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  { counterpart }: Placement,
  at: number,
): void {
  const edit = asObject(item.edit);
  const targetExternalId = externalIdOf(edit?.original_message_id);
  if (targetExternalId === undefined) {
    reject(context, path, 'edit', 'missing_target', item);
    return;
  }
  const editId = externalIdOf(item.id);
  if (editId === undefined) {
    reject(context, path, 'edit', 'missing_id', item);
    return;
  }
  const message = asObject(edit?.message) ?? {};
  const type = typeOf(message);
  const { body, media } = readContent(message, type);
  const content: MessageContent = { type, body, media };
  context.facts.push({ kind: 'edit', path, targetExternalId, editId, at, content, counterpart });
}

/** A revoke takes its original back; what it said is kept as a revision (rule M5). */
export function addRevoke(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  { counterpart }: Placement,
  at: number,
): void {
  const targetExternalId = externalIdOf(asObject(item.revoke)?.original_message_id);
  if (targetExternalId === undefined) reject(context, path, 'revoke', 'missing_target', item);
  else context.facts.push({ kind: 'revoke', path, targetExternalId, at, counterpart });
}

/** A reaction annotates its target; an empty or absent emoji takes it away again (rule M5). */
export function addReaction(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  { counterpart, direction, participant }: Placement,
  at: number,
  origin: MessageOrigin,
): void {
  const reaction = asObject(item.reaction);
  const targetExternalId = externalIdOf(reaction?.message_id);
  if (targetExternalId === undefined) {
    reject(context, path, 'reaction', 'missing_target', item);
    return;
  }
  context.facts.push({
    kind: 'reaction',
    path,
    targetExternalId,
    reactor: direction === 'OUTBOUND' ? 'business' : (participant ?? 'customer'),
    emoji: emojiOf(reaction?.emoji),
    at,
    counterpart,
    live: origin !== 'history' && origin !== 'follow_up',
  });
}
