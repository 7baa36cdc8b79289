import type { Direction } from './enumerations.js';

/** A text in comparable form: unchanged if short, else its beginning and a digest. See `textKey`. */
export type TextKey = string;

/** What one line of an exported chat shows. */
export type LineContent =
  | { kind: 'text'; key: TextKey; isEdited: boolean }
  | {
      kind: 'media';
      /** The types that a database may keep it under; `any` where the phone only says that there was a file. */
      types: readonly string[] | 'any';
      /** The caption. Without the files, older phones leave captions out, too: then null. */
      caption: TextKey | null;
      /** As its sender named it; null for a name that WhatsApp gave. */
      fileName: string | null;
    }
  /** A place, which WhatsApp writes as a link; so may a person. */
  | { kind: 'location'; key: TextKey }
  | { kind: 'deleted' }
  /** WhatsApp's own text under a person's name: a missed call, or a file in a language unknown to the parser. */
  | { kind: 'notice' };

/** A line with content for a message. */
export type WitnessedContent = Exclude<LineContent, { kind: 'deleted' | 'notice' }>;

/**
 * What an exported chat says of one message: a line, with every other line that might show the same message. The line
 * has no id and an inexact time, so only together they show whether a message with an id is this one.
 */
export interface ChatWitness {
  direction: Direction;
  /** How exactly the phone writes times, and how far its clock may be from the server's: ms. */
  unit: number;
  tolerance: number;
  /** In the order of the chat. Times are ms since 1970, UTC, the beginning of their minute or second. */
  lines: readonly { at: number; content: WitnessedContent }[];
  /** Which of them it is. */
  index: number;
}

/** The id prefix of messages from an exported chat: the phone shows no id. */
export const CHAT_EXPORT_ID = 'export:';

/** Whether an id was made for a message with an unknown real id. */
export function isChatExportId(externalId: string): boolean {
  return externalId.startsWith(CHAT_EXPORT_ID);
}
