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
export function isMadeUpId(externalId: string): boolean {
  return isChatExportId(externalId) || externalId.startsWith(CUT_ID);
}

/** Whether an id was made for a line of an exported chat. */
export function isChatExportId(externalId: string): boolean {
  return externalId.startsWith(CHAT_EXPORT_ID);
}

/** The beginning of a message's key id, and what tells that another message which begins so is this one (M12). */
export interface CutId {
  direction: Direction;
  /** Of {@link CUT_LENGTH} characters. */
  beginning: string;
  /** The second in which it was sent: ms since 1970. */
  at: number;
}

/** What says of a message without an id of its own which message it is. */
export type Witness = ChatWitness | CutId;

export function isCutId(witness: Witness): witness is CutId {
  return 'beginning' in witness;
}

/** WhatsApp-Chat-Exporter cuts the key ids of an iPhone to this length; a shorter one is whole. */
export const CUT_LENGTH = 17;

/** The id prefix of messages of which only the beginning of the key id is known. No beginning of {@link CHAT_EXPORT_ID}. */
export const CUT_ID = 'export-cut:';

/** The id of such a message: the same for all that could be the same message. */
export function idOfCut({ beginning, direction, at }: CutId): string {
  return `${CUT_ID}${direction === 'OUTBOUND' ? 'out' : 'in'}:${Math.floor(at / 1000)}:${beginning}`;
}

/** The inverse of {@link idOfCut}; undefined for any other id. */
export function cutOfId(externalId: string): CutId | undefined {
  const [, direction, seconds, beginning] = CUT.exec(externalId) ?? [];
  if (direction === undefined || seconds === undefined || beginning === undefined) return undefined;
  return {
    beginning,
    direction: direction === 'out' ? 'OUTBOUND' : 'INBOUND',
    at: Number(seconds) * 1000,
  };
}

const CUT = new RegExp(`^${CUT_ID}(in|out):(\\d{1,12}):([^]{${CUT_LENGTH}})$`, 'u');
