import type { ContentGrade, MessageContent } from '../../model/facts.js';
import type { JsonObject, JsonValue } from '../../model/json.js';
import { labelOf } from '../contents/wording.js';
import { asObject, emojiOf, externalIdOf } from '../read.js';
import { parseTimestamp } from '../timestamp.js';
import { hasReader, readContentField } from './content-types.js';
import { enumOf, smallFieldsOf } from './proto-values.js';

/** The content of a `proto.Message` without its envelopes. */
export type Content =
  | {
      kind: 'message';
      content: MessageContent;
      /** Whether the body only names the content. */
      isLabel: boolean;
      grade: ContentGrade;
      contextExternalId?: string;
      /** Empty if there is nothing to say. */
      meta: JsonObject;
    }
  | { kind: 'edit'; target: string; at: number | undefined; content: MessageContent }
  | { kind: 'revoke'; target: string }
  | { kind: 'reaction'; target: string; emoji: string | null; at: number | undefined }
  /** One of the three above without a target. */
  | { kind: 'untargeted'; subject: 'edit' | 'revoke' | 'reaction' }
  | { kind: 'skip'; reason: 'protocol' | 'stub' };

/**
 * The two values of proto.Message.ProtocolMessage.Type that change a message; all others are housekeeping between
 * devices.
 */
const PROTOCOL_TYPES = { REVOKE: 0, MESSAGE_EDIT: 14 } as const;

/** Contents that change or accompany another message, and are encrypted or not shown in any row. */
const HOUSEKEEPING: ReadonlySet<string> = new Set([
  // A container: its pictures and videos come as separate messages.
  'albumMessage',
  'cancelPaymentRequestMessage',
  'declinePaymentRequestMessage',
  'encCommentMessage',
  'encEventResponseMessage',
  'encReactionMessage',
  'keepInChatMessage',
  'messageHistoryBundle',
  'messageHistoryNotice',
  'pinInChatMessage',
  'pollUpdateMessage',
  'scheduledCallEditMessage',
  // An edit (or the like) that Baileys does not decrypt.
  'secretEncryptedMessage',
  'stickerSyncRmrMessage',
]);

/** Reads a `proto.Message` in any of its JSON forms. Never throws. */
export function readContent(message: JsonObject): Content {
  return readMessage(message, false);
}

/** `inEdit`: inside an edit, where a further protocol message would be an endless chain. */
function readMessage(message: JsonObject, inEdit: boolean): Content {
  const unwrapped = unwrap(message, isKnown);
  switch (unwrapped.kind) {
    case 'empty':
      return { kind: 'skip', reason: 'stub' };
    case 'keys':
      return { kind: 'skip', reason: 'protocol' };
    case 'too_deep':
      return {
        kind: 'message',
        content: { type: 'unsupported', body: labelOf('unsupported').body },
        isLabel: true,
        grade: 'placeholder',
        meta: { nestedTooDeep: true },
      };
    case 'content':
      break;
  }
  const { key, value, viewOnce } = unwrapped;
  if (HOUSEKEEPING.has(key)) return { kind: 'skip', reason: 'protocol' };
  const object = asObject(value);
  if (key === 'protocolMessage') {
    return inEdit ? { kind: 'skip', reason: 'protocol' } : readProtocol(object ?? {});
  }
  if (key === 'reactionMessage') {
    const target = externalIdOf(asObject(object?.key)?.id);
    return target === undefined
      ? { kind: 'untargeted', subject: 'reaction' }
      : { kind: 'reaction', target, ...readReaction(object ?? {}) };
  }
  return readBubble(key, value, viewOnce);
}

function isKnown(key: string): boolean {
  return hasReader(key) || HOUSEKEEPING.has(key) || key === 'protocolMessage' || key === 'reactionMessage';
}

function readBubble(key: string, value: JsonValue, viewOnce: boolean): Content {
  const { type, body, isLabel = false, media, grade = 'content', meta } = readContentField(key, value);
  const context = readContext(asObject(asObject(value)?.contextInfo));
  return {
    kind: 'message',
    content: { type, body, media },
    isLabel: isLabel && body !== undefined,
    grade,
    contextExternalId: context.externalId,
    meta: { ...meta, ...(viewOnce ? { viewOnce } : {}), ...context.meta },
  };
}

/**
 * A `contextInfo`: the quoted message, whether it was forwarded, and the advertisement the person came from (click to
 * WhatsApp).
 */
export function readContext(context: JsonObject | undefined): { externalId?: string; meta: JsonObject } {
  if (context === undefined) return { meta: {} };
  const meta: JsonObject = {};
  if (context.isForwarded === true) meta.forwarded = true;
  const ad = asObject(context.externalAdReply);
  if (ad !== undefined) {
    const referral = smallFieldsOf(ad);
    if (Object.keys(referral).length > 0) meta.referral = referral;
  }
  return { externalId: externalIdOf(context.stanzaId), meta };
}

function readProtocol(protocol: JsonObject): Content {
  const target = externalIdOf(asObject(protocol.key)?.id);
  const type = protocolTypeOf(protocol);
  if (type === PROTOCOL_TYPES.REVOKE) {
    return target === undefined ? { kind: 'untargeted', subject: 'revoke' } : { kind: 'revoke', target };
  }
  if (type !== PROTOCOL_TYPES.MESSAGE_EDIT) return { kind: 'skip', reason: 'protocol' };
  const edited = readMessage(asObject(protocol.editedMessage) ?? {}, true);
  if (edited.kind !== 'message') return { kind: 'skip', reason: 'protocol' };
  if (target === undefined) return { kind: 'untargeted', subject: 'edit' };
  // A label is not the edit's text, and would replace the text that the person wrote.
  const content = edited.isLabel ? { ...edited.content, body: undefined } : edited.content;
  return { kind: 'edit', target, at: parseTimestamp(protocol.timestampMs), content };
}

/** REVOKE is 0, which some serializers leave out; a protocol message with nothing but a key can only be one. */
function protocolTypeOf(protocol: JsonObject): number | undefined {
  const type = enumOf(protocol.type, PROTOCOL_TYPES);
  if (type !== undefined || typeof protocol.type === 'string') return type;
  const others = Object.keys(protocol).filter((name) => name !== 'key' && protocol[name] !== null);
  return others.length === 0 && asObject(protocol.key) !== undefined ? PROTOCOL_TYPES.REVOKE : undefined;
}

/** A `reactionMessage`, or an element of `reactions`: an empty or absent text takes the reaction back. */
export function readReaction(reaction: JsonObject): { emoji: string | null; at: number | undefined } {
  return { emoji: emojiOf(reaction.text), at: parseTimestamp(reaction.senderTimestampMs) };
}

/** Real messages are wrapped three deep at most (ephemeral, view once, edited); deeper ones are attacks on the stack. */
const MAX_DEPTH = 8;

/** Envelopes around the message itself; proto.Message's FutureProofMessage fields, and a copy from another device. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'associatedChildMessage',
  'botForwardedMessage',
  'botInvokeMessage',
  'botTaskMessage',
  'deviceSentMessage',
  'documentWithCaptionMessage',
  'editedMessage',
  'ephemeralMessage',
  'eventCoverImage',
  'groupMentionedMessage',
  'groupStatusMentionMessage',
  'groupStatusMessage',
  'groupStatusMessageV2',
  'limitSharingMessage',
  'lottieStickerMessage',
  'pollCreationMessageV4',
  'pollCreationOptionImageMessage',
  'questionMessage',
  'questionReplyMessage',
  'spoilerMessage',
  'statusAddYours',
  'statusMentionMessage',
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
]);

const VIEW_ONCE: ReadonlySet<string> = new Set([
  'viewOnceMessage',
  'viewOnceMessageV2',
  'viewOnceMessageV2Extension',
]);

/** Keys beside a content, or alone, that are not content. */
const CONTEXT_KEYS: ReadonlySet<string> = new Set(['messageContextInfo']);
const KEY_DISTRIBUTION: ReadonlySet<string> = new Set([
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
]);

type Unwrapped =
  | { kind: 'content'; key: string; value: JsonValue; viewOnce: boolean }
  /** Empty: WhatsApp could not decrypt it, or another device opened it (view once). */
  | { kind: 'empty' }
  /** Only a group's encryption keys. */
  | { kind: 'keys' }
  | { kind: 'too_deep' };

/**
 * The content of a `proto.Message` below all its envelopes: the one field that is set. `isKnown`: whether a reader exists
 * for a field; a known field takes precedence over those that other programs add (Evolution API's `base64`, `mediaUrl`).
 */
function unwrap(message: JsonObject, isKnown: (key: string) => boolean): Unwrapped {
  let current: JsonObject = message;
  let viewOnce = false;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const { key, sawKeys } = contentKeyOf(current, isKnown);
    if (key === undefined) return sawKeys ? { kind: 'keys' } : { kind: 'empty' };
    const value = current[key] ?? null;
    const inner = isKnown(key) ? undefined : innerMessage(key, value);
    if (inner === undefined) return { kind: 'content', key, value, viewOnce };
    viewOnce ||= VIEW_ONCE.has(key);
    current = inner;
  }
  return { kind: 'too_deep' };
}

function contentKeyOf(
  message: JsonObject,
  isKnown: (key: string) => boolean,
): { key: string | undefined; sawKeys: boolean } {
  let sawKeys = false;
  let best: string | undefined;
  let bestRank = 0;
  for (const key of Object.keys(message)) {
    const value = message[key];
    // `toObject` with defaults writes null, or an empty conversation, for fields that are not set.
    if (value === null || value === undefined || value === '' || CONTEXT_KEYS.has(key)) continue;
    if (KEY_DISTRIBUTION.has(key)) {
      sawKeys = true;
      continue;
    }
    const rank = isKnown(key) ? 4 : WRAPPERS.has(key) ? 3 : typeof value === 'object' ? 2 : 1;
    if (rank > bestRank) {
      best = key;
      bestRank = rank;
    }
  }
  return { key: best, sawKeys };
}

/** The message in a known envelope, or in a future one: an object that holds only a message. */
function innerMessage(key: string, value: JsonValue): JsonObject | undefined {
  const object = asObject(value);
  if (object === undefined) return undefined;
  if (WRAPPERS.has(key)) return asObject(object.message) ?? {};
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0] === 'message' ? asObject(object.message) : undefined;
}
