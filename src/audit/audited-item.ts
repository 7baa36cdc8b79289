/** What an audit says of one item, or of an entry as a whole. */
export type AuditedOutcome =
  | 'there'
  | 'skipped'
  | 'rejected'
  | 'missing'
  | 'different'
  | 'doubled'
  | 'unrecorded'
  | 'unapplied'
  // Entries:
  | 'entry_unreadable'
  | 'entry_unrecognized'
  | 'entry_damaged'
  | 'entry_failed'
  | 'entry_pending'
  | 'entry_unknown_connection';

/** One item of an audit. No message texts. */
export interface AuditedItem {
  outcome: AuditedOutcome;
  /** Null for what belongs to no connection. */
  connectionId: string | null;
  /** A message's externalId, `log:<id>` of an entry, or the path of an item without an id. */
  subject: string;
  /** Where it stands (`file:line`, `log:<id>`), and what is wrong with it. */
  detail: string;
  /** True for an item of subject message; false for an amendment, a contact, an entry. */
  isMessage: boolean;
}
