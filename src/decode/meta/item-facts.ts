import { decodeWamid } from '../../identity/wamid.js';
import type { Direction, MessageStatus } from '../../model/enumerations.js';
import type { MessageContent, MessageOrigin } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cleanJson, emojiOf, externalIdOf, messageIdOf } from '../read.js';
import { reject, type ChangeContext } from './change-context.js';
import { readContent, typeOf } from './contents.js';
import { messageErrorsOf } from './errors.js';
import type { Placement } from './items.js';
import { statusNamed } from './statuses.js';

/** Adds the message that `item` is; `timestampFromEntry` flags one whose own timestamp was unusable (rule M7). */
export function addMessage(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  placement: Placement,
  timestamp: number,
  type: string,
  origin: MessageOrigin,
  timestampFromEntry: boolean,
): void {
  const externalId = messageIdOf(item);
  if (externalId === undefined) {
    reject(context, path, 'message', 'missing_id', item);
    return;
  }
  const wamid = decodeWamid(externalId);
  const content = readContent(item, type);
  const reply = asObject(item.context);
  const historyStatus = historyStatusOf(asObject(item.history_context)?.status);
  const status = statusOf(item, type, placement.direction, origin) ?? historyStatus;
  context.facts.push({
    kind: 'message',
    path,
    origin,
    externalId,
    stanzaId: wamid?.stanzaId,
    wamidPhone: wamid?.phone,
    counterpart: placement.counterpart,
    direction: placement.direction,
    timestamp,
    type,
    body: content.body,
    media: content.media,
    grade: content.grade,
    contextExternalId: reply === undefined ? undefined : repliedTo(reply),
    status,
    historyStatus,
    isSyncInitial: origin === 'history' || origin === 'follow_up',
    errors: status === 'failed' && type !== 'unsupported' ? messageErrorsOf(item.errors) : undefined,
    rawMeta: rawMetaOf(item, content.kept, placement.participant, timestampFromEntry),
  });
}

/**
 * The status that an item proves by its arrival: an inbound message was delivered, an echo was sent. History has a status
 * of its own.
 */
function statusOf(
  item: JsonObject,
  type: string,
  direction: Direction,
  origin: MessageOrigin,
): MessageStatus | undefined {
  if (origin === 'history' || origin === 'follow_up') return undefined;
  if (direction === 'INBOUND') return 'delivered';
  // The errors of an `unsupported` echo mean that this API cannot show the message, not that sending failed.
  const failed = type !== 'unsupported' && (asArray(item.errors)?.length ?? 0) > 0;
  return failed ? 'failed' : 'sent';
}

/** History also has `ERROR`, which is `failed` everywhere else. */
function historyStatusOf(value: JsonValue | undefined): MessageStatus | undefined {
  if (typeof value !== 'string') return undefined;
  return value.toLowerCase() === 'error' ? 'failed' : statusNamed(value);
}

/** The message that is quoted; a forwarded message quotes none, whatever is beside the flag. */
function repliedTo(context: JsonObject): string | undefined {
  if (context.forwarded === true || context.frequently_forwarded === true) return undefined;
  return messageIdOf(context);
}

/** What has no column of its own; undefined for nearly every message. */
function rawMetaOf(
  item: JsonObject,
  kept: [string, JsonValue][] | undefined,
  participant: string | undefined,
  timestampFromEntry: boolean,
): JsonObject | undefined {
  let meta = kept;
  const context = asObject(item.context);
  if (context !== undefined) {
    const flags: [string, JsonValue][] = [];
    for (const name of ['forwarded', 'frequently_forwarded', 'referred_product']) {
      const value = context[name];
      if (value !== undefined && value !== null) flags.push([name, value]);
    }
    if (flags.length > 0) meta = [...(meta ?? []), ['context', Object.fromEntries(flags)]];
  }
  if (asObject(item.referral) !== undefined) meta = withValue(meta, 'referral', item.referral);
  if (item.errors !== undefined) meta = withValue(meta, 'errors', item.errors);
  if (item.message_creation_type !== undefined) {
    meta = withValue(meta, 'message_creation_type', item.message_creation_type);
  }
  if (participant !== undefined) meta = withValue(meta, 'participant', participant);
  if (timestampFromEntry) meta = withValue(meta, 'timestampFrom', 'received_at');
  return meta === undefined ? undefined : asObject(cleanJson(Object.fromEntries(meta)));
}

function withValue(
  meta: [string, JsonValue][] | undefined,
  name: string,
  value: JsonValue | undefined,
): [string, JsonValue][] | undefined {
  return value === undefined || value === null ? meta : [...(meta ?? []), [name, value]];
}

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

/** A revoke deletes its original, whose content is kept as a revision (rule M5). */
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

/** A reaction annotates its target; an empty or absent emoji removes it (rule M5). */
export function addReaction(
  context: ChangeContext,
  item: JsonObject,
  path: string,
  { counterpart, direction, participant }: Placement,
  at: number,
  origin: MessageOrigin,
): void {
  const reaction = asObject(item.reaction);
  const targetExternalId = externalIdOf(reaction?.meta_msg_id) ?? externalIdOf(reaction?.message_id);
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
