import type {
  BodyState,
  ConnectionKind,
  Direction,
  EntryStatus,
  HistorySyncStatus,
  IdentityKind,
  LeadSource,
  MessageSource,
  MessageStatus,
  SyncSource,
  TicketOrigin,
  TicketSource,
  TicketStatus,
} from '../../model/enumerations.js';
import type { Fact, MessageError, MessageOrigin } from '../../model/facts.js';
import type { JsonObject } from '../../model/json.js';
import type { Nameless } from '../../model/run-result.js';

/** How to read a typed word that could be several things. */
export const EXPLAIN_KINDS = ['message', 'contact', 'entry', 'run'] as const;
export type ExplainKind = (typeof EXPLAIN_KINDS)[number];

/** All of the result; its facts alone; or the document for people, which lists of a contact's facts the problems. */
export type Shows = 'result' | 'facts' | 'document';

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
  /** Scan the whole raw log's bytes, even if its index found something. */
  scan: boolean;
  /** A byte scan leaves out what was received before, ms since 1970. */
  since?: number | undefined;
  /** The same for what was received at or after. */
  until?: number | undefined;
  /** Show the first words of texts. */
  bodies: boolean;
  /** Which of them the caller shows, for the record of the access: all of the result, unless told otherwise. */
  shows?: Shows | undefined;
}

/**
 * The outcome of a fact.
 * - created: created the message's row. changed, unchanged: merged into an existing row.
 * - stored: its message is in the database. applied: the message that it changes is.
 * - different: its message is in the database, but the row differs from the log, or is a duplicate: a finding.
 * - skipped, rejected: left out, for `reason`. pending: waits, for `reason`.
 * - missing: in the raw log, not in the database, and on no record: a finding.
 * - unread: the entry, or this part of it, was not understood.
 * - noted: concerns a person, a connection or the history, and makes no row of its own.
 */
export const OUTCOMES = [
  'created',
  'changed',
  'unchanged',
  'stored',
  'applied',
  'different',
  'skipped',
  'rejected',
  'pending',
  'missing',
  'unread',
  'noted',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** A field that a fact changed; texts and media only show that they changed. */
export interface Change {
  field: string;
  from?: string | null;
  to?: string | null;
}

export interface Chunk {
  phase: number | null;
  chunkOrder: number | null;
  progress: number | null;
}

/** One statement of the raw log, its location, and its outcome. Times are RFC 3339, UTC. */
export interface ExplainedFact {
  /** `entry`: a whole raw entry that was unreadable. */
  kind: Fact['kind'] | 'entry';
  /** How a message came: live, history, echo, … */
  origin: MessageOrigin | null;
  /** A message's type; an event's name; `add` or `remove` of an address book. */
  type: string | null;
  direction: Direction | null;
  status: string | null;
  /** The message's own id, or the id of the message it is about. */
  externalId: string | null;
  /** When it happened. */
  at: string | null;
  /** Whose time that is where the message names none: `received_at`, `crm_stored_at`, `chat_export` (to the minute). */
  atFrom: string | null;
  outcome: Outcome;
  reason: string | null;
  changes: Change[];
  /** The row it is about. */
  messageId: string | null;
  /** The row of another conversation that already has the id (rule M9). */
  takenBy: { messageId: string; leadId: string; entry: string | null } | null;
  connection: string | null;
  /** Meta's id of the number that the entry names, or the WhatsApp Web session. */
  connectionHint: string | null;
  chunk: Chunk | null;
  /** Id in webhook_log. */
  entryId: string;
  /** Where the entry was first seen: `file:line`, or `log:<id>`. */
  entryOrigin: string;
  entryStatus: EntryStatus;
  receivedAt: string | null;
  storedAt: string;
  /** JSON path inside the entry. */
  path: string;
  runId: string | null;
  /** The names it gives a person, if it is about one. */
  names: string[];
  /** The first words, only on request. */
  excerpt: string | null;
}

/** A row of the change journal: a merge of leads, a dedupe, an undo. */
export interface JournalNote {
  at: string;
  runId: string;
  command: string | null;
  table: string;
  rowId: string | null;
  /** `merged into lead …`, `moved to lead …`, `removed`, `changed status, source`. */
  what: string;
  /** The row's earlier name: an id, a phone, a name. */
  was: string | null;
}

export interface PendingNote {
  connection: string | null;
  kind: string;
  targetExternalId: string;
  at: string;
  waitingSince: string;
  status: string | null;
  entryId: string | null;
  entryOrigin: string | null;
}

export interface RunNote {
  id: string;
  command: string;
  status: string;
  startedAt: string;
  completedAt: string | null;
  host: string;
  verdict: string | null;
}

/** A column whose value differs from the raw log; texts and media only with `--bodies`. */
export interface RowDifference {
  field: string;
  /** Its name for people. */
  what: string;
  row?: string | null;
  log?: string | null;
}

/** One row of messages, and what the raw log says about it. */
export interface MessageExplanation {
  id: string;
  externalId: string | null;
  stanzaId: string | null;
  connection: string;
  leadId: string;
  contact: string | null;
  name: string | null;
  direction: Direction;
  type: string;
  timestamp: string;
  status: MessageStatus | null;
  /** Why it failed, from every status that said so; it may have been delivered since. */
  errors: readonly MessageError[];
  source: MessageSource;
  syncSource: SyncSource;
  editedAt: string | null;
  deletedAt: string | null;
  revisions: number;
  reactions: number;
  /** The raw entry that created the row; null for a row that another program wrote. */
  broughtBy: {
    entryId: string;
    origin: string;
    receivedAt: string | null;
    storedAt: string;
    /** False if its bytes differ from those stored. */
    isIntact: boolean;
    /** How its body was removed on purpose; null if it is as it came. */
    bodyState: BodyState | null;
  } | null;
  run: RunNote | null;
  /** Other ids that facts use for the same message (M10). */
  twins: string[];
  openedTicket: string | null;
  journal: JournalNote[];
  /** Row values that the facts found do not explain. */
  unexplained: Change[];
  /** Where the row differs from the raw log. */
  differences: RowDifference[];
  /** Another program's marks, beside the raw log's content. */
  marks: ('deleted' | 'edited' | 'reply')[];
  /**
   * What is wrong with the raw entry that the row names: it does not hold the row, though another may, or it did before its
   * bytes were replaced; null where it does.
   */
  unfounded: {
    why: 'not_held' | 'other_connection' | 'refused';
    isCopy: boolean;
    isHeld: boolean;
    isReplaced: boolean;
  } | null;
  /** The raw entry that the row names and that is not in the raw log any more. */
  goneEntry: string | null;
  /**
   * For a row without an id: the id of the message it duplicates, if certain, and whether a later run stored another
   * message of the same moment. Null for a row with an id.
   */
  withoutId: { twin: string | null; isReplaced: boolean } | null;
  excerpt: string | null;
}

export interface IdentityExplanation {
  kind: IdentityKind;
  value: string;
  firstSeenAt: string | null;
  /** The fact that gave it to this person; null if the part of the log that was read does not show one. */
  linkedBy: { entryId: string; origin: string; path: string; kind: string; to: string } | null;
}

export interface ConversationExplanation {
  id: string;
  connection: string;
  kind: ConnectionKind;
  history: HistorySyncStatus;
  /** `phase/chunk_order` of history chunks that never arrived. */
  missingChunks: string[];
  messages: number;
  inbound: number;
  outbound: number;
  live: number;
  fromHistory: number;
  echoes: number;
  /** Rows without a raw entry. */
  fromElsewhere: number;
  firstMessageAt: string | null;
  lastMessageAt: string | null;
}

export interface TicketExplanation {
  id: string;
  connection: string | null;
  status: TicketStatus;
  source: TicketSource;
  originatedFrom: TicketOrigin;
  openedAt: string;
  openedByExternalId: string | null;
  /** The entry of the live message that opened it; null if it is not in what was read. */
  openedByEntry: string | null;
  closedAt: string | null;
  messageWindowExpiresAt: string | null;
}

/** `address_book`: a state sync, or the phone's contacts. `profile`: the webhook of a message. */
export type NameSource = 'address_book' | 'profile';

export interface ContactExplanation {
  /** Null for a person in the raw log who is not a lead. */
  lead: {
    id: string;
    organization: string;
    phone: string | null;
    name: string | null;
    /** Where `name` comes from; `elsewhere`: no entry says it, a person or another program wrote it. Null without a name. */
    nameFrom: NameSource | 'elsewhere' | null;
    /** The newest name of each source, the address book's first. */
    namesFrom: { from: NameSource; name: string; at: string }[];
    username: string | null;
    source: LeadSource;
    /** The earliest evidence, which decides the source (I6). */
    sourceBecause: { what: string; at: string; connection: string | null } | null;
    firstSeenAt: string;
    lastMessageAt: string | null;
    isActive: boolean;
    deletedAt: string | null;
    /** What the address book last said of it; null if nothing. */
    addressBook: { state: 'added' | 'removed'; at: string } | null;
    /** A person or another program decided whether it is active, and the address book says nothing newer (I5). */
    isDecidedByOthers: boolean;
  } | null;
  names: string[];
  identities: IdentityExplanation[];
  merges: JournalNote[];
  conversations: ConversationExplanation[];
  tickets: TicketExplanation[];
  /** Messages of the raw log, each counted once however often received. */
  messages: { total: number; outcomes: Record<string, number> };
  entries: number;
}

export interface EntryExplanation {
  id: string;
  origin: string;
  provider: string;
  status: EntryStatus;
  error: string | null;
  fields: readonly string[];
  phoneNumberIds: readonly string[];
  receivedAt: string | null;
  storedAt: string;
  processedAt: string | null;
  attempts: number;
  bytes: number;
  /** False if the bytes differ from those stored: their content is not trusted. */
  isIntact: boolean;
  /** How its body was removed on purpose, and by which run; null if it is as it came. */
  bodyState: BodyState | null;
  bodyRunId: string | null;
  run: RunNote | null;
}

export interface RunExplanation extends RunNote {
  options: JsonObject;
  counters: JsonObject | null;
  error: string | null;
  /** Rows of the change journal per table. */
  journaled: Record<string, number>;
  syncLogs: number;
}

/** How to fix a finding; the command line spells the commands. */
export type Remedy =
  | { do: 'add_connection'; phoneNumberId: string | null; displayPhone: string | null; entries: number }
  /** Their messages are on a connection that has another number now. */
  | { do: 'edit_connection'; connection: string; phoneNumberId: string }
  /** `candidates`: names of the connections that the entries may be of. */
  | ({ do: 'name_connection'; session: string | null; entries: number } & Nameless)
  | { do: 'replay_pending'; entries: number }
  | { do: 'replay_contact'; contact: string }
  | { do: 'replay_all' }
  | { do: 'acknowledge' }
  /** Of an entry that was applied before its signature was found to be bad: no command removes what it brought. */
  | { do: 'accept_forged' }
  /** Of an entry that was left out, if the secret was wrong. */
  | { do: 'replay_failed' }
  /**
   * `file`: null if the log is unknown; `args`: the file, and the choices of the run that stored it. For
   * `replay_export` the log must be exported again first.
   */
  | {
      do: 'replay_file' | 'replay_export';
      file: string | null;
      command: string;
      args: readonly string[];
      why: string;
    }
  /** `many`: more than `dedupe` deletes without a second confirmation. */
  | { do: 'dedupe'; many?: true }
  /** `raw discard`: takes an entry out that nobody can read. */
  | { do: 'discard'; subject: string }
  | { do: 'reconcile' }
  /** `verify --enforce`: clears the raw entry of a row that the entry does not hold. */
  | { do: 'unlink' }
  /** `verify --enforce`: corrects what is derived of a lead, its conversations and tickets. */
  | { do: 'enforce' }
  | { do: 'include'; kind: string }
  /** Downloads the history files that a connection's phone announced. */
  | { do: 'link'; connection: string }
  /** Requests what the phone's answer left out. */
  | { do: 'import'; contact: string; connection: string }
  | { do: 'scan' }
  | { do: 'explain'; subject: string; why: string };

/** Something about the subject is wrong or missing in the database: exit 3. */
export interface Finding {
  outcome: 'missing' | 'different' | 'pending' | 'rejected' | 'unknown' | 'unread' | 'damaged' | 'gone';
  count: number;
  reason: string | null;
  message: string;
}

/** The JSON of `explain`, schemaVersion 1; fields are only ever added. */
export interface ExplainResult {
  schemaVersion: 1;
  command: 'explain';
  database: string;
  query: string;
  subject: ExplainKind;
  /** One sentence. */
  verdict: string;
  /** Whether the database or the raw log knows the subject. */
  known: boolean;
  findings: Finding[];
  notices: string[];
  remedies: Remedy[];
  searched: {
    /** Raw entries decoded. */
    entries: number;
    /** True when the bytes of the whole log were searched. */
    scanned: boolean;
    /** False if something was left out; a notice says what. */
    complete: boolean;
  };
  messages: MessageExplanation[];
  contact: ContactExplanation | null;
  entry: EntryExplanation | null;
  run: RunExplanation | null;
  /** In the order in which they were applied. */
  facts: ExplainedFact[];
  /** Facts waiting for a message. */
  pending: PendingNote[];
  /** What removed rows with this id; for an existing row or contact, see its own entry. */
  journal: JournalNote[];
  /** The runs that read the entries. */
  runs: RunNote[];
}
