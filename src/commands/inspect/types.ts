import type { Readable } from 'node:stream';
import type { ProgressEvent } from '../../context.js';
import type { Provider } from '../../model/enumerations.js';
import type { FileSourceOptions } from '../../inputs/file-source.js';
import type { ResolvedInput } from '../../inputs/resolve-inputs.js';

export interface InspectOptions {
  inputs: readonly ResolvedInput[];
  stdin: Readable;
  /** Entries larger than this are not read. */
  maxEntryBytes: number;
  signal: AbortSignal;
  emit: (event: ProgressEvent) => void;
  /** Told the files of an archive that are no logs. */
  onPassedOver?: FileSourceOptions['onPassedOver'];
}

/** From first to last, ISO 8601; null if no time is known. */
export interface TimeRange {
  first: string;
  last: string;
}

/** What entries hold, by kind of item. */
export interface ItemCounts {
  /** All messages, including history. */
  messages: number;
  /** Of them from a history sync. */
  history: number;
  statuses: number;
  /** Edits, revokes and reactions. */
  changes: number;
  /** Address-book lines and profile names. */
  contacts: number;
  /** Events that make no rows: templates, account updates, … */
  events: number;
  /** Left out by a rule: groups, status posts, system messages, … */
  skipped: number;
  /** Cannot be stored: no id, no time, no chat partner. */
  rejected: number;
}

/**
 * Entries with the same wrappers around their bodies; for an entry with several bodies, the wrappers around all of
 * them.
 */
export interface Form {
  /** Outermost first, from the file itself to the body's direct wrapper: `gzip`, `ndjson`, `log_row`, `base64`. */
  steps: string[];
  /** What a replay stores: the forms of a file sum to its entries. */
  entries: number;
}

/** One reason why something was not understood. */
export interface NotUnderstood {
  reason: string;
  count: number;
  /** The first few places. */
  samples: {
    /** `file:line`. */
    origin: string;
    /** JSON path inside the entry, `$` for all of it. */
    path: string;
    /** The problem in words, if the reason alone does not say it. */
    message: string | null;
    /** Its keys and program-defined words without values: no phones, names or texts. */
    excerpt: string;
  }[];
}

/** A business number that entries name. */
export interface InspectedConnection {
  phoneNumberId: string | null;
  number: string | null;
  wabaId: string | null;
  /** The session or instance of a WhatsApp Web dump. */
  session: string | null;
  provider: Provider;
  entries: number;
  messages: number;
  statuses: number;
  /** Times of its messages, statuses and changes. */
  items: TimeRange | null;
}

export interface InspectedFile {
  path: string;
  /** On disk; null for stdin. */
  bytes: number | null;
  forms: Form[];
  entries: number;
  /** Webhooks in them: a wrapper with many is still one entry. */
  bodies: number;
  /** Lines of a console log that contain nothing like an entry. */
  skippedLines: number;
  counts: ItemCounts;
  /** When its entries were received, if the log says so. */
  received: TimeRange | null;
  items: TimeRange | null;
  connections: InspectedConnection[];
  notUnderstood: NotUnderstood[];
}

export interface InspectResult {
  schemaVersion: 1;
  command: 'inspect';
  /** `partial`: some input was not understood. */
  status: 'completed' | 'partial' | 'interrupted';
  files: InspectedFile[];
  /** Totals over all files. */
  entries: number;
  counts: ItemCounts;
  connections: InspectedConnection[];
  notUnderstood: NotUnderstood[];
}
