/** What to look at: what is stored already, and the phone if that gives nothing; or one of them alone. */
export const IMPORT_PHASES = ['auto', 'cache', 'fetch'] as const;
type ImportPhase = (typeof IMPORT_PHASES)[number];

/** How often one contact's phone may be asked, however many processes do so. */
export const THROTTLE_MS = 5 * 60_000;

/** Pages to ask for where a date ends the import, not their number. */
export const PAGES_UNTIL = 100;

/** How a contact's history is brought in; the same for each of several. The caller holds the run lock (shared). */
export interface FetchOptions {
  /** Name, id or phone of the connection; without it, the one that the contact and a linked device share. */
  connection?: string | undefined;
  phase: ImportPhase;
  /** At most so many pages. */
  pages: number;
  /** Messages per page. */
  count: number;
  /** How long one request waits for the phone, in ms. */
  timeoutMs: number;
  /** Goes back to messages of this time and no further, ms since 1970. */
  until?: number | undefined;
  /** Asks although somebody asked a moment ago. */
  force: boolean;
  /** Between two pages of one contact, in ms. */
  pagePauseMs: number;
  /** Messages per transaction. */
  batchSize: number;
  /** For sync_runs.options: what the user asked for, without secrets. */
  recordedOptions: Record<string, string | number | boolean | string[]>;
}

export interface ImportOptions extends FetchOptions {
  /** Any form of a contact: phone, JID, LID, BSUID, lead id. */
  contact: string;
  /** Writes nothing, opens no socket, and says what would be asked. */
  dryRun: boolean;
}

/** One line of a list of contacts. */
export interface ListedContact {
  line: number;
  contact: string;
}

export interface ImportListOptions extends FetchOptions {
  contacts: readonly ListedContact[];
  /** After so many contacts that the phone was asked about there is a pause. */
  listBatch: number;
  listPauseMs: number;
  /** Goes on where a killed or interrupted run over the same list stopped. */
  resume: boolean;
}
