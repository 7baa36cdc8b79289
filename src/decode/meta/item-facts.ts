import { decodeWamid } from '../../identity/wamid.js';
import type { MessageStatus } from '../../model/enumerations.js';
import type { Fact, RejectReason } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { asArray, asObject, cleanJson, emojiOf, externalIdOf, messageIdOf } from '../read.js';
import { keep, readContent, typeOf } from './contents.js';
import { messageErrorsOf } from './errors.js';
import type { PlacedItem } from './items.js';
import { statusNamed } from './statuses.js';

/** The message of an item, or why it is none. */
export function messageFact(placed: PlacedItem): Fact | RejectReason {
  const { item, path, type, origin, placement } = placed;
  const externalId = messageIdOf(item);
  if (externalId === undefined) return 'missing_id';
  const wamid = decodeWamid(externalId);
  const content = readContent(item, type);
  const reply = asObject(item.context);
  const historyStatus = historyStatusOf(asObject(item.history_context)?.status);
  const status = statusOf(placed) ?? historyStatus;
  return {
    kind: 'message',
    path,
    origin,
    externalId,
    stanzaId: wamid?.stanzaId,
    wamidPhone: wamid?.phone,
    counterpart: placement.counterpart,
    direction: placement.direction,
    timestamp: placed.at,
    type,
    body: content.body,
    bodyIsLabel: content.isLabel,
    media: content.media,
    grade: content.grade,
    contextExternalId: reply === undefined ? undefined : repliedTo(reply),
    status,
    historyStatus,
    isSyncInitial: isHistory(placed),
    errors: status === 'failed' && type !== 'unsupported' ? messageErrorsOf(item.errors) : undefined,
    rawMeta: rawMetaOf(placed, content.kept),
  };
}

function isHistory({ origin }: PlacedItem): boolean {
  return origin === 'history' || origin === 'follow_up';
}

/**
 * The status that an item proves by its arrival: an inbound message was delivered, an echo was sent. History has a status
 * of its own.
 */
function statusOf(placed: PlacedItem): MessageStatus | undefined {
  if (isHistory(placed)) return undefined;
  if (placed.placement.direction === 'INBOUND') return 'delivered';
  // The errors of an `unsupported` echo mean that this API cannot show the message, not that sending failed.
  const hasFailed = placed.type !== 'unsupported' && (asArray(placed.item.errors)?.length ?? 0) > 0;
  return hasFailed ? 'failed' : 'sent';
}

/** History also has `ERROR`, which is `failed` everywhere else. */
function historyStatusOf(value: JsonValue | undefined): MessageStatus | undefined {
  if (typeof value !== 'string') return undefined;
  return value.toLowerCase() === 'error' ? 'failed' : statusNamed(value);
}

/** The quoted message; a forwarded message quotes none, whatever is beside the flag. */
function repliedTo(context: JsonObject): string | undefined {
  if (context.forwarded === true || context.frequently_forwarded === true) return undefined;
  return messageIdOf(context);
}

/** Data without a column; undefined for nearly every message. */
function rawMetaOf(
  { item, placement: { participant }, isDated }: PlacedItem,
  kept: [string, JsonValue][],
): JsonObject | undefined {
  const meta = keep(item, 'errors', 'message_creation_type');
  for (const entry of kept) meta.push(entry);
  const context = asObject(item.context);
  if (context !== undefined) {
    const flags = keep(context, 'forwarded', 'frequently_forwarded', 'referred_product');
    if (flags.length > 0) meta.push(['context', Object.fromEntries(flags)]);
  }
  const referral = asObject(item.referral);
  if (referral !== undefined) meta.push(['referral', referral]);
  if (participant !== undefined) meta.push(['participant', participant]);
  if (!isDated) meta.push(['timestampFrom', 'received_at']);
  return meta.length === 0 ? undefined : asObject(cleanJson(Object.fromEntries(meta)));
}

/** An edit changes its original and is not a message itself (rule M5); it has its own id. */
export function editFact({ item, path, at, placement: { counterpart } }: PlacedItem): Fact | RejectReason {
  const edit = asObject(item.edit);
  const targetExternalId = externalIdOf(edit?.original_message_id);
  if (targetExternalId === undefined) return 'missing_target';
  const editId = externalIdOf(item.id);
  if (editId === undefined) return 'missing_id';
  const message = asObject(edit?.message) ?? {};
  const type = typeOf(message);
  const { body: words, isLabel, media } = readContent(message, type);
  // A label is not the edit's text, and would replace the text that the person wrote.
  const body = isLabel === true ? undefined : words;
  return { kind: 'edit', path, targetExternalId, editId, at, content: { type, body, media }, counterpart };
}

/** A revoke deletes its original, whose content is kept as a revision (rule M5). */
export function revokeFact({ item, path, at, placement: { counterpart } }: PlacedItem): Fact | RejectReason {
  const targetExternalId = externalIdOf(asObject(item.revoke)?.original_message_id);
  if (targetExternalId === undefined) return 'missing_target';
  return { kind: 'revoke', path, targetExternalId, at, counterpart };
}

/** A reaction annotates its target; an empty or absent emoji removes it (rule M5). */
export function reactionFact(placed: PlacedItem): Fact | RejectReason {
  const { item, path, at } = placed;
  const { counterpart, direction, participant } = placed.placement;
  const reaction = asObject(item.reaction);
  const targetExternalId = externalIdOf(reaction?.meta_msg_id) ?? externalIdOf(reaction?.message_id);
  if (targetExternalId === undefined) return 'missing_target';
  return {
    kind: 'reaction',
    path,
    targetExternalId,
    reactor: direction === 'OUTBOUND' ? 'business' : (participant ?? 'customer'),
    emoji: emojiOf(reaction?.emoji),
    at,
    counterpart,
    live: !isHistory(placed),
  };
}
