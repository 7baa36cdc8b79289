/** What a typed word is to be taken for, where it could be several things. */
export const EXPLAIN_KINDS = ['message', 'contact', 'entry', 'run'] as const;
export type ExplainKind = (typeof EXPLAIN_KINDS)[number];

export interface ExplainOptions {
  /**
   * A message (wamid, key id of WhatsApp Web, row id), a contact (phone, JID, LID, BSUID, lead id), a raw entry
   * (`log:<id>`, its id, `file:line`), or a run's id.
   */
  subject: string;
  as?: ExplainKind | undefined;
  /** Only this connection: its name, id, phone_number_id or phone. */
  connection?: string | undefined;
  /** How many of a contact's raw entries are read, the newest first. */
  limit: number;
  /** Search the bytes of the whole raw log, also where its index has found something. */
  scan: boolean;
  /** A search of the bytes leaves out what was received before, ms since 1970. */
  since?: number | undefined;
  /** Show the first words of texts. */
  bodies: boolean;
}
