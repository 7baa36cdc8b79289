import type { RejectReason, SkipReason } from '../../model/facts.js';
import type { SourceProblemReason } from '../../model/raw-entry.js';

/** Why something was left out, for people: completes "12 messages skipped: …". */
const SKIPPED: Record<SkipReason, string> = {
  group: 'sent in a group',
  status_broadcast: 'a status post (story)',
  broadcast: 'sent to a broadcast list',
  newsletter: 'from a channel (newsletter)',
  self_thread: 'the business writing to itself',
  official_account: 'from WhatsApp itself',
  system: 'a system notice, not something said',
  protocol: 'a protocol message without content',
  stub: 'an event line (call, encryption notice, …), not a message',
  unknown_status: 'a status of a kind that is not known',
  own_number: 'about the business’s own number',
  not_a_contact: 'not a contact',
  unknown_connection: 'kept pending: the connection is not known yet',
  other_connection: 'of another connection than the one asked for',
  other_contact: 'of another contact than the one asked for',
};

const REJECTED: Record<RejectReason, string> = {
  not_an_object: 'not in the form of one',
  missing_id: 'without an id',
  missing_counterpart: 'does not say with whom',
  missing_sender: 'does not say who sent it',
  bad_timestamp: 'without a usable time',
  missing_target: 'does not say which message it is about',
  missing_status: 'does not say which status',
  id_collision: 'its id is taken by a message in another conversation',
};

const INPUT: Record<SourceProblemReason, string> = {
  truncated_input: 'the file ends in the middle',
  entry_too_large: 'the entry is too large',
  unreadable_input: 'it cannot be read',
  not_json: 'not JSON',
  no_log_entries: 'no log entries in it',
};

const OTHER: Record<string, string> = {
  unrecognized: 'not a webhook that is known',
};

const ALL = new Map<string, string>(Object.entries({ ...OTHER, ...INPUT, ...SKIPPED, ...REJECTED }));

/** The reason in plain words; a word without an entry here is shown with its underscores as spaces, a sentence as it is. */
export function reasonInWords(reason: string): string {
  return ALL.get(reason) ?? (/^\w+$/.test(reason) ? reason.replaceAll('_', ' ') : reason);
}
