import type { Direction, MessageSource, MessageStatus } from '../../model/enumerations.js';
import type { Media, MessageError } from '../../model/facts.js';

export const DEFAULT_PAGE_LIMIT = 100;
export const LARGEST_PAGE_LIMIT = 1000;

/** Which part of a contact's history is wanted. */
export interface MessagesOptions {
  /** A phone in any format, a JID, a LID, a BSUID or a lead id. */
  contact: string;
  /** Messages on the page: 1 to 1000. */
  limit: number;
  /** The cursor of the previous page; absent for the newest page. */
  cursor?: string | undefined;
  /** Sent at or after, ms since 1970. */
  from?: number | undefined;
  /** Sent before, ms since 1970. */
  to?: number | undefined;
  /**
   * The source of `from` and `to`, if it varies over time (`2d`): a cursor keeps its initial window, and is bound to
   * these words.
   */
  windowWords?: string | undefined;
  /** Only this connection: its name, id, phone_number_id or phone. */
  connection?: string | undefined;
  /** Also read the messages that replies refer to. */
  withQuotes?: boolean | undefined;
}

/** One message as the sync API gives it. Times are RFC 3339, UTC. */
export interface MessageView {
  id: string;
  /** The provider's id; null for rows written by other programs without one. */
  externalId: string | null;
  type: string;
  /** Null for content without text, and for revoked messages. */
  body: string | null;
  media?: Media;
  direction: Direction;
  timestamp: string;
  status: MessageStatus | null;
  /** Why it failed, in WhatsApp's words; absent if delivered. */
  errors?: readonly MessageError[];
  /** The contact, or the business on the message's connection. `number` is null if no phone is known. */
  from: { name: string | null; number: string | null };
  /** The message that this one answers. */
  context?: { messageId: string; quoted?: QuotedMessage };
  source: MessageSource;
  /**
   * `crm:evolution`: only that CRM has it, and `compare --adopt` stored it; absent for messages from WhatsApp itself.
   */
  provider?: string;
  /** When the shown text replaced an earlier one. */
  editedAt?: string;
  /** When the sender revoked it. */
  deletedAt?: string;
  /** The newest reaction of each side. */
  reactions?: { emoji: string; from: string; timestamp: string }[];
  /** The connection's name, if the contact has conversations on several. */
  connection?: string;
}

/** The message a reply refers to; only read on request. */
export interface QuotedMessage {
  type: string;
  /** Its first words. */
  body: string | null;
  direction: Direction;
  deleted: boolean;
}

export interface MessagesResult {
  schemaVersion: 1;
  command: 'messages';
  contact: { leadId: string; organization: string; name: string | null; phone: string | null };
  /** Newest first, so consecutive pages stay in order. */
  messages: MessageView[];
  pagination: {
    /** For the next, older page; null on the last page. */
    cursor: string | null;
    hasMore: boolean;
    /** Messages in the window on all pages, as counted for the first page. */
    total: number;
  };
  /** About the whole history on these connections, whatever the window. */
  metadata: {
    firstMessageAt: string | null;
    lastMessageAt: string | null;
    /** As counted for the first page. */
    totalMessages: number;
    /** The last run that stored something for each of the contact's connections; null if a connection has none. */
    syncedUpTo: string | null;
  };
}
