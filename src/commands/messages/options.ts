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
