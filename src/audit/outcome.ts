import type { Fact, MessageFact, RejectedFact } from '../model/facts.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { StoredMessageRow } from '../store/tables/messages.js';
import type { Amendment } from '../rules/amendments.js';
import type { Difference } from './differences.js';

/** The raw entry that holds an item. */
export interface EntryRef {
  id: string;
  /** `file:line`, else `log:<id>`. */
  origin: string;
  /** Pending or failed: its items need not be in the database yet. */
  isOpen: boolean;
}

/** What can be held against the database: messages, what changes them, and what was rejected. */
export type Judged = MessageFact | Amendment | RejectedFact;

/** One item of the raw log. */
export interface LogItem<F extends Fact = Judged> {
  fact: F;
  connection: ConnectionRow;
  entry: EntryRef;
}

/**
 * What became of an item of the raw log.
 * - there: its message is in the database, and the row is no worse than the item. applied: the same of an amendment.
 * - missing: not in the database, and nothing on record says why.
 * - different: a replay of it would change the row, or the row contradicts it. doubled: its message is there under both of
 *   its names. elsewhere: the row is with another lead.
 * - rejected: on record. unrecorded: rejected by rule, and not on record.
 * - pending: its entry is not done yet. waiting: an amendment whose message is not stored yet.
 * - unapplied: an amendment that is neither applied nor waiting. targetless: its message is missing, which is said of that.
 */
export type ItemOutcome =
  | { kind: 'there' | 'applied'; row: StoredMessageRow }
  | { kind: 'missing' | 'unrecorded' | 'pending' | 'waiting' | 'targetless' }
  | { kind: 'different'; row: StoredMessageRow; differences: readonly Difference[] }
  | { kind: 'doubled'; row: StoredMessageRow; twin: StoredMessageRow }
  | { kind: 'elsewhere'; row: StoredMessageRow }
  | { kind: 'rejected'; reason: string; holder: StoredMessageRow | null }
  | { kind: 'unapplied'; row: StoredMessageRow | null };

export interface JudgedItem {
  item: LogItem;
  outcome: ItemOutcome;
}

/**
 * An item that says something else than its row, whose evidence is just as good: only everything that the log says about the
 * message can tell whether the row was changed.
 */
export interface ContestedItem {
  item: LogItem;
  outcome: { kind: 'contested'; row: StoredMessageRow };
}
