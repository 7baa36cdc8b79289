import type { Readable } from 'node:stream';
import type { ProgressEvent } from '../../context.js';
import type { Provider } from '../../model/enumerations.js';
import type { ResolvedInput } from '../../inputs/resolve-inputs.js';

export interface InspectOptions {
  inputs: readonly ResolvedInput[];
  stdin: Readable;
  /** Larger entries are not read. */
  maxEntryBytes: number;
  signal: AbortSignal;
  emit: (event: ProgressEvent) => void;
}

/** From the first to the last, ISO 8601; null where nothing says when. */
export interface TimeRange {
  first: string;
  last: string;
}

/** What entries hold, by kind of item. */
export interface ItemCounts {
  /** All messages, those of the history included. */
  messages: number;
  /** Of them from a history sync. */
  history: number;
  statuses: number;
  /** Edits, revokes and reactions. */
  changes: number;
  /** Lines of the address book and profile names. */
  contacts: number;
  /** Events that make no rows: templates, account updates, … */
  events: number;
  /** Left out by a rule: groups, status posts, system messages, … */
  skipped: number;
  /** Cannot be stored: without an id, a time, a chat partner. */
  rejected: number;
}

/** Entries with the same wrappers around their bodies; of an entry with several bodies, those around them all. */
export interface Form {
  /** Outermost first, from the file itself to what stands directly around the body: `gzip`, `ndjson`, `log_row`, `base64`. */
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
    /** What is wrong in words, where the reason alone does not say it. */
    message: string | null;
    /** Its keys and words without any value: no phones, names or texts. */
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
  /** Webhooks in them: a wrapper can hold many, and stays one entry. */
  bodies: number;
  /** Lines of a console log without anything in them that could be an entry. */
  skippedLines: number;
  counts: ItemCounts;
  /** When its entries were received, where the log says so. */
  received: TimeRange | null;
  items: TimeRange | null;
  connections: InspectedConnection[];
  notUnderstood: NotUnderstood[];
}

export interface InspectResult {
  schemaVersion: 1;
  command: 'inspect';
  /** `partial`: something was not understood. */
  status: 'completed' | 'partial' | 'interrupted';
  files: InspectedFile[];
  /** Of all files together. */
  entries: number;
  counts: ItemCounts;
  connections: InspectedConnection[];
  notUnderstood: NotUnderstood[];
}
