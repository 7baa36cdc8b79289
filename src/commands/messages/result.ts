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
  /** Where the last page ended, as it said; absent for the newest page. */
  cursor?: string | undefined;
  /** Sent at or after, ms since 1970. */
  from?: number | undefined;
  /** Sent before, ms since 1970. */
  to?: number | undefined;
  /**
   * What `from` and `to` were made of, where that is not the same every time it is asked (`2d`): a cursor keeps the window
   * that it began with, and belongs to these words.
   */
  windowWords?: string | undefined;
  /** Only this connection: its name, id, phone_number_id or phone. */
  connection?: string | undefined;
  /** Also read what replies refer to. */
  withQuotes?: boolean | undefined;
}

/** One message as the sync API gives it. Times are RFC 3339, UTC. */
export interface MessageView {
  id: string;
  /** The provider's id; null in rows that another program wrote without one. */
  externalId: string | null;
  type: string;
  /** Null for what has no text, and for what was revoked. */
  body: string | null;
  media?: Media;
  direction: Direction;
  timestamp: string;
  status: MessageStatus | null;
  /** Why it failed, as WhatsApp says it; absent for what came through. */
  errors?: readonly MessageError[];
  /** The contact, or the business on the message's connection. `number` is null where no phone is known. */
  from: { name: string | null; number: string | null };
  /** The message that this one answers. */
  context?: { messageId: string; quoted?: QuotedMessage };
  source: MessageSource;
  /** `crm:evolution`: only that CRM has it, and `compare --adopt` stored it; absent for what WhatsApp itself has said. */
  provider?: string;
  /** When the text that is shown was written in place of an earlier one. */
  editedAt?: string;
  /** When the sender took it back. */
  deletedAt?: string;
  /** The newest reaction of each side. */
  reactions?: { emoji: string; from: string; timestamp: string }[];
  /** The connection's name, where the contact has conversations on several. */
  connection?: string;
}

/** What a reply refers to; only read when asked for. */
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
  /** Newest first, so pages put one after the other stay in order. */
  messages: MessageView[];
  pagination: {
    /** For the next, older page; null on the last one. */
    cursor: string | null;
    hasMore: boolean;
    /** Messages in the window on all pages, as they were counted for the first page. */
    total: number;
  };
  /** About the whole history on these connections, whatever the window. */
  metadata: {
    firstMessageAt: string | null;
    lastMessageAt: string | null;
    /** As it was counted for the first page. */
    totalMessages: number;
    /** The last run that stored something for each of the contact's connections; null where one has had none. */
    syncedUpTo: string | null;
  };
}
