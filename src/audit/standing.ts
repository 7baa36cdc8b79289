import type { Fact } from '../model/facts.js';
import { isAmendment } from '../rules/fact-traits.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import type { StoredEntry } from '../store/tables/stored-entries.js';
import type { PendingReason, PreparedSection } from '../ingest/batch/batch.js';
import { ownNumberReason, type OwnNumbers } from '../ingest/batch/own-number.js';
import type { EntryRef, Judged } from './outcome.js';

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
  };
}
