import { proto } from './baileys.js';

/**
 * What only a real account can prove. Everything here comes from user reports or from the sources of other clients;
 * WhatsApp documents none of it.
 */

/** The unit of the anchor's time in a request, in ms: seconds, although the field is called `oldestMsgTimestampMs`. */
export const ANCHOR_TIME_UNIT_MS = 1000;

/** The value for a chat with nothing older on the phone. With the other values it may have more. */
export const NOTHING_OLDER =
  proto.Conversation.EndOfHistoryTransferType.COMPLETE_AND_NO_MORE_MESSAGE_REMAIN_ON_PRIMARY;

/** The values of a chat of which the phone has more, whatever it has sent: even nothing at all. */
export const MORE_REMAIN: ReadonlySet<proto.Conversation.EndOfHistoryTransferType> = new Set([
  proto.Conversation.EndOfHistoryTransferType.COMPLETE_BUT_MORE_MESSAGES_REMAIN_ON_PRIMARY,
  proto.Conversation.EndOfHistoryTransferType.COMPLETE_ON_DEMAND_SYNC_BUT_MORE_MSG_REMAIN_ON_PRIMARY,
]);

/** How this device is called in the phone's list of linked devices. */
export const DEVICE_BROWSER: [string, string, string] = ['wa-reconcile', 'Chrome', '1.0'];

/** A pairing code is refused for a client that does not look like a known browser on a known system. */
export const PAIRING_CODE_BROWSER: [string, string, string] = ['Ubuntu', 'Chrome', '22.04.4'];

/** After this long without another chunk WhatsApp's own web client considers the first sync paused. */
export const SYNC_STALL_MS = 120_000;

/** Chunks of the first sync follow each other; after this long without one, a sync that was complete is over. */
export const SYNC_QUIET_MS = 3_000;

/** A request lost with its line is repeated this long after the line is back. */
export const ASK_AGAIN_MS = 2_000;

/**
 * An answer may come in several chunks, and nothing marks the last one. It counts as complete once it has as many
 * messages as requested, or after this long without another chunk: a short time if the phone says that there is nothing
 * older, a longer one if more must follow.
 */
export const LAST_CHUNK_MS = 800;
export const NEXT_CHUNK_MS = 2_500;
