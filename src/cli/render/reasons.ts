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
  truncated_input: 'the file ends in the middle; what came before is stored. Copy it again and replay that',
  entry_too_large: 'larger than --max-entry-size; with a higher one it is read',
  unreadable_input: 'it cannot be read',
  not_json: 'not JSON',
  no_log_entries: 'no log entries in it',
};

/** Why a part of an entry was not recognised. */
const UNRECOGNIZED: Record<string, string> = {
  unknown_shape: 'not a webhook in any form that is known',
  unknown_field: 'a webhook field that is not known',
  unknown_list: 'a list that is not known',
  unknown_event: 'a WhatsApp Web event that is not known',
  unknown_payload: 'a WhatsApp Web event in a form that is not known',
  nothing_known: 'nothing in it is known',
  nested_too_deep: 'wrapped too many times',
  not_a_list: 'not a list where one stands',
  no_field: 'does not name its field',
  no_changes: 'an entry without changes',
  empty: 'empty',
  object: 'a webhook of another product',
  invalid_json: 'broken JSON',
  no_json: 'no JSON in it',
  graph_api_request: 'not a webhook but what a program sent to Meta',
  graph_api_response: 'not a webhook but what Meta answered to a program',
};

/** Vendors that re-write Meta's webhooks: their own forms lack what the rules need. */
const VENDORS: Record<string, string> = {
  gupshup_v2: 'Gupshup (v2)',
  ycloud: 'YCloud',
  twilio: 'Twilio',
  wati: 'WATI',
  vonage: 'Vonage',
  telnyx: 'Telnyx',
  bird: 'Bird',
};

const ALL = new Map<string, string>(
  Object.entries({ ...UNRECOGNIZED, ...vendorForms(), ...INPUT, ...SKIPPED, ...REJECTED }),
);

/**
 * The reason in plain words. `unknown_field:flows` is said with its detail; a word without an entry here is shown with its
 * underscores as spaces, a sentence as it is.
 */
export function reasonInWords(reason: string): string {
  const known = ALL.get(reason);
  if (known !== undefined) return known;
  const colon = reason.indexOf(':');
  const general = ALL.get(reason.slice(0, Math.max(0, colon)));
  if (general !== undefined) return `${general}: ${reason.slice(colon + 1)}`;
  return /^\w+$/.test(reason) ? reason.replaceAll('_', ' ') : reason;
}

function vendorForms(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(VENDORS).map(([reason, vendor]) => [
      reason,
      `${vendor}’s own form; forward Meta’s body as it is, or export that`,
    ]),
  );
}
