import type { IncludableChat } from '../model/enumerations.js';

/** The caller's knowledge about a raw entry, and its options. */
export interface DecodeOptions {
  /** When the business received the entry, ms since 1970: stands in for a timestamp that is missing or bad (rule M7). */
  receivedAt?: number;
  /** Chats that are skipped unless named here (rule M6). */
  include: ReadonlySet<IncludableChat>;
}
