/** Where a raw entry was found; shown to people as `file:line`, `log:<id>`, `whatsapp:<connection>` or `crm:<name>:<row>`. */
export type Origin =
  | {
      kind: 'file';
      path: string;
      line: number;
      /** element of a JSON array, or row of a CSV file; 0-based */ element?: number;
    }
  | { kind: 'log'; id: string }
  /** Came over the linked device of the connection with this name. */
  | { kind: 'device'; connection: string }
  /** A row of a CRM's own table of messages. */
  | { kind: 'crm'; crm: string; rowId: string };

/** One stored webhook body or Baileys event, byte for byte. */
export interface RawEntry {
  bytes: Uint8Array;
  origin: Origin;
  /** When the business received it, where the source knows: ms since 1970. */
  receivedAt?: number;
}

export type SourceProblemReason =
  | 'truncated_input'
  | 'changed_input'
  | 'entry_too_large'
  | 'unreadable_input'
  | 'not_json'
  | 'no_log_entries'
  /** Its entry is read nevertheless, as it is. */
  | 'ambiguous_escapes';

/** A problem of the input itself, not of an entry; the run continues and ends partial. */
export interface SourceProblem {
  origin: Origin;
  reason: SourceProblemReason;
  message: string;
  excerpt?: string;
}

/** A place in the inputs at which a run can resume: everything before it is in the database. */
export interface Position {
  /** Index into the resolved list of inputs. */
  input: number;
  /** For an archive that is read from its begin to its end: files of it up to here, those of archives in it included. */
  member?: number | undefined;
  /** Bytes of the (uncompressed) input up to here. */
  offset: number;
  /** Lines up to here. */
  line: number;
  /** Array elements or CSV rows up to here. */
  element: number;
  /**
   * Items after this place that are done, too. For entries that lie between others (the lines of two containers) or inside
   * one large value, reading has to start before them.
   */
  given?: number | undefined;
}

export type SourceItem =
  /** `after`: where reading resumes once this entry is done; absent when an input cannot be resumed (stdin). */
  | { kind: 'entry'; entry: RawEntry; after?: Position }
  | { kind: 'problem'; problem: SourceProblem; after?: Position };

/** A stream of raw entries, with the sizes for a progress bar. */
export interface Source {
  /** Bytes on disk of all inputs (compressed where they are); absent when unknown (stdin). */
  totalBytes?: number;
  /** Bytes on disk read so far. */
  bytesRead(): number;
  items(): AsyncIterable<SourceItem>;
}

export function formatOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return origin.element === undefined
        ? `${origin.path}:${origin.line}`
        : `${origin.path}:${origin.line}[${origin.element}]`;
    case 'log':
      return `log:${origin.id}`;
    case 'device':
      return `whatsapp:${origin.connection}`;
    case 'crm':
      return `crm:${origin.crm}:${origin.rowId}`;
  }
}

/** Whether a linked device sent the entry, by its origin. */
export function isDeviceOrigin(origin: string | null): boolean {
  return origin?.startsWith('whatsapp:') === true;
}

/** The file in which an entry was found, if it was one: `hooks.json:1[3]` is in `hooks.json`. */
export function fileOfOrigin(origin: string | null): string | null {
  const [, path = null] = /^(.*[^\d:]):\d+(?:\[\d+\])?$/.exec(origin ?? '') ?? [];
  return path === null || path === 'stdin' || /^(?:whatsapp|crm):/.test(path) ? null : path;
}
