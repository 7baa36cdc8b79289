import type { MediaState } from '../../model/enumerations.js';
import type { JsonObject } from '../../model/json.js';
import type { MessageView } from '../messages/result.js';

export interface ExportOptions {
  /** A phone in any format, a JID, a LID, a BSUID or a lead id; absent for everybody. */
  contact: string | undefined;
  /** Only this connection: its name, id, phone_number_id or phone. */
  connection: string | undefined;
  /** Sent at or after, ms since 1970. */
  from: number | undefined;
  /** Sent before, ms since 1970. */
  to: number | undefined;
  /** Each connection's conversation on its own; otherwise a contact's conversations are one, in order. */
  separate: boolean;
}

/** Whose messages follow, and where they were sent. */
export interface ExportedConversation {
  /** Ids of the conversations: several, if a contact's are exported as one. */
  ids: string[];
  contact: { leadId: string; organization: string; name: string | null; phone: string | null };
  connections: { name: string; phone: string | null }[];
  /** In the window. */
  messages: number;
}

/** What a message said before an edit or a revoke. */
export interface EarlierVersion {
  /** `original`, or the id of the edit that said it. */
  version: string;
  type: string;
  body: string | null;
  media: JsonObject | null;
  rawMeta: JsonObject | null;
  at: string;
}

/** The file that a message names. */
export interface ExportedFile {
  /** `owed`: it was not fetched so far. */
  state: MediaState;
  sha256: string | null;
  size: number | null;
  mimeType: string | null;
  /** Where `media fetch` keeps it. */
  path: string | null;
}

/** A message with everything that is stored of it. Times are RFC 3339, UTC. */
export interface ExportedMessage extends Omit<MessageView, 'media' | 'connection'> {
  conversationId: string;
  leadId: string;
  connection: string;
  media: JsonObject | null;
  stanzaId: string | null;
  historyStatus: string | null;
  syncSource: string;
  isSyncInitial: boolean;
  /** The raw entry that brought it. */
  entryId: string | null;
  runId: string | null;
  editExternalId: string | null;
  metaConfirmedAt: string | null;
  rawMeta: JsonObject | null;
  /** Oldest first. */
  revisions: EarlierVersion[];
  file: ExportedFile | null;
}

/** Takes an export as it is read: conversation by conversation, the messages of each oldest first. */
export interface ExportSink {
  begin: (conversation: ExportedConversation) => Promise<void>;
  messages: (messages: readonly ExportedMessage[]) => Promise<void>;
  end: (conversation: ExportedConversation) => Promise<void>;
}

/** What was exported. Times are RFC 3339, UTC. */
export interface ExportSummary {
  conversations: number;
  messages: number;
  /** When the first and the last of them were sent; null if there are none. */
  firstMessageAt: string | null;
  lastMessageAt: string | null;
}
