import type { PendingReason, PreparedSection } from '../ingest/batch/batch.js';
import { ownNumberReason, type OwnNumbers } from '../ingest/batch/own-number.js';
import type { Fact, MessageFact, RejectedFact } from '../model/facts.js';
import { isDeviceOrigin } from '../model/raw-entry.js';
import type { Amendment } from '../rules/amendments.js';
import { isAmendment } from '../rules/fact-traits.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { StoredMessageRow } from '../store/tables/messages.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import type { Difference } from './differences.js';

/** The raw entry that holds an item. */
export interface EntryRef {
  id: string;
  /** `file:line`, else `log:<id>`. */
  origin: string;
  /** Pending or failed: its items need not be in the database yet. */
  isOpen: boolean;
  /** A linked device sent it. */
  isFromDevice: boolean;
}

/** What can be held against the database: messages, what changes them, and what was rejected. */
export type Judged = MessageFact | Amendment | RejectedFact;

/** One item of the raw log. */
export interface LogItem<F extends Fact = Judged> {
  fact: F;
  connection: ConnectionRow;
  entry: EntryRef;
  /** Its Meta field or Baileys event. */
  field: string;
}

/**
 * The outcome of a raw-log item.
 * - there: its message is in the database, and the row is no worse than the item. applied: the same of an amendment.
 * - missing: not in the database, and nothing on record says why.
 * - different: a replay of it would change the row, or the row contradicts it. doubled: its message is there under both of
 *   its names. elsewhere: the row is with another lead. leadless: it is there, and its
 *   contact has no lead. overruled: elsewhere, of what only a CRM says, where the log knows better.
 * - rejected: on record. unrecorded: rejected by rule, and not on record.
 * - pending: its entry is not done yet. waiting: an amendment whose message is not stored yet.
 * - unapplied: an amendment that is neither applied nor pending. targetless: its message is missing, and reported as
 *   such.
 */
export type ItemOutcome =
  | { kind: 'there' | 'applied'; row: StoredMessageRow }
  | { kind: 'missing' | 'unrecorded' | 'pending' | 'waiting' | 'targetless' }
  | { kind: 'different'; row: StoredMessageRow; differences: readonly Difference[] }
  | { kind: 'doubled'; row: StoredMessageRow; twin: StoredMessageRow }
  | { kind: 'elsewhere' | 'leadless' | 'overruled'; row: StoredMessageRow }
  | { kind: 'rejected'; reason: string; holder: StoredMessageRow | null }
  | { kind: 'unapplied'; row: StoredMessageRow | null };

export interface JudgedItem {
  item: LogItem;
  outcome: ItemOutcome;
}

/**
 * An item that contradicts its row, with equally good evidence: only the log's complete view of the message shows
 * whether the row was changed.
 */
export interface ContestedItem {
  item: LogItem;
  outcome: { kind: 'contested'; row: StoredMessageRow };
}

/** The outcome of one item, or of an entry as a whole. */
export type AuditedOutcome =
  | 'there'
  | 'skipped'
  | 'rejected'
  | 'missing'
  | 'different'
  | 'doubled'
  | 'unrecorded'
  | 'unapplied'
  /** A row that its entry does not hold. */
  | 'unfounded'
  // Entries:
  | 'entry_unreadable'
  | 'entry_unrecognized'
  | 'entry_damaged'
  | 'entry_failed'
  | 'entry_pending'
  /** Its columns name other contacts, numbers or fields than its body. */
  | 'entry_misfiled'
  /** An applied history chunk missing from the ledger. */
  | 'unrecorded_chunk'
  /** A name of a person that is not stored as the log gives it. */
  | 'lacking_name'
  | 'entry_unknown_connection'
  /** It was applied, and no connection has its number any more. */
  | 'entry_orphaned';

/** One item of an audit. No message texts. */
export interface AuditedItem {
  outcome: AuditedOutcome;
  /** Null if it belongs to no connection. */
  connectionId: string | null;
  /** A message's externalId, `log:<id>` of an entry, or the path of an item without an id. */
  subject: string;
  /** Its location (`file:line`, `log:<id>`), and what is wrong with it. */
  detail: string;
  /** True for an item of subject message; false for an amendment, a contact, an entry. */
  isMessage: boolean;
  /** The raw entry that an unfounded row names. */
  entryId?: string;
  /** The message's contact: a phone if known, else a LID or a BSUID. Absent if the item does not say. */
  contact?: string | undefined;
  /** The time of the message or of what happened to it, ms since 1970. Absent if the item does not say. */
  at?: number | undefined;
  /** Beside the subject, what an acknowledgement is for: other damage to the same message is another finding. Never shown. */
  state?: string | undefined;
}

/** Whether an item is held against the database at all, or what it is without that. */
export type Standing =
  | { kind: 'judged'; fact: Judged; connection: ConnectionRow }
  | { kind: 'skipped'; reason: string }
  | { kind: 'pending'; reason: PendingReason }
  /** Says something about a person, a connection or the history, and makes no row of its own. */
  | { kind: 'noted' };

export function standingOf(
  fact: Fact,
  { connection, pending }: Pick<PreparedSection, 'connection' | 'pending'>,
  own: OwnNumbers,
): Standing {
  if (pending !== null) return { kind: 'pending', reason: pending };
  if (fact.kind === 'skipped') return { kind: 'skipped', reason: fact.reason };
  if (connection === null) return { kind: 'skipped', reason: 'unknown_connection' };
  const reason = ownNumberReason(own, fact, connection)?.reason;
  if (reason !== undefined) return { kind: 'skipped', reason };
  const isJudged = fact.kind === 'message' || fact.kind === 'rejected' || isAmendment(fact);
  return isJudged ? { kind: 'judged', fact, connection } : { kind: 'noted' };
}

/** An entry as its items name it. */
export function entryRefOf({ id, origin, status }: Pick<StoredEntry, 'id' | 'origin' | 'status'>): EntryRef {
  return {
    id,
    origin: origin ?? `log:${id}`,
    isOpen: status === 'pending' || status === 'failed',
    isFromDevice: isDeviceOrigin(origin),
  };
}
