import type { JsonObject, JsonValue } from '../../model/json.js';
import { asObject } from '../read.js';

/** Real messages are wrapped three deep at most (ephemeral, view once, edited); more is made to exhaust somebody's stack. */
const MAX_DEPTH = 8;

/** Envelopes whose content is the message itself; proto.Message's FutureProofMessage fields, and a copy from another device. */
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

/** Stand beside a content, or alone, and are none. */
const CONTEXT_KEYS: ReadonlySet<string> = new Set(['messageContextInfo']);
const KEY_DISTRIBUTION: ReadonlySet<string> = new Set([
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
]);

export type Unwrapped =
  | { kind: 'content'; key: string; value: JsonValue; viewOnce: boolean }
  /** Nothing inside: what WhatsApp could not decrypt, or a bubble that another device has opened. */
  | { kind: 'empty' }
  /** Only a group's encryption keys. */
  | { kind: 'keys' }
  | { kind: 'too_deep' };

/**
 * The content of a `proto.Message` below all its envelopes: the one field that is set. `isKnown` says which fields a
 * reader exists for; such a field goes before any that other programs have added (Evolution API's `base64`, `mediaUrl`).
 */
export function unwrap(message: JsonObject, isKnown: (key: string) => boolean): Unwrapped {
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
    // `toObject` with defaults writes null, and an empty conversation, for whatever is not set.
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

/** A known envelope, or one that is still to come: an object that holds a message and nothing else. */
function innerMessage(key: string, value: JsonValue): JsonObject | undefined {
  const object = asObject(value);
  if (object === undefined) return undefined;
  if (WRAPPERS.has(key)) return asObject(object.message) ?? {};
  const keys = Object.keys(object);
  return keys.length === 1 && keys[0] === 'message' ? asObject(object.message) : undefined;
}
