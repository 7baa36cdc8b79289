import type { ExportedConversation, ExportedMessage } from '../../commands/export/types.js';

/** What a file of an export is. */
export const FORMS = ['ndjson', 'csv', 'txt', 'html'] as const;
export type Form = (typeof FORMS)[number];

/** A message, and where its file lies beside the transcript; null where it does not. */
export interface WrittenMessage {
  message: ExportedMessage;
  link: string | null;
}

/** One file of an export as text, piece by piece. */
export interface FormWriter {
  begin: (conversation: ExportedConversation) => string;
  messages: (messages: readonly WrittenMessage[]) => string;
  end: () => string;
}

/** A conversation as an index lists it. */
export interface IndexEntry {
  conversation: ExportedConversation;
  file: string;
}

/** The list of the files of a directory. */
export interface IndexWriter {
  begin: () => string;
  entry: (entry: IndexEntry) => string;
  end: () => string;
}
