import { REJECT_WORDS, type SkipReason } from '../../model/facts.js';
import type { SourceProblemReason } from '../../model/raw-entry.js';

/** Why something was skipped, for people: completes "12 messages skipped: …". */
const SKIPPED: Record<SkipReason, string> = {
  group: 'sent in a group',
  status_broadcast: 'status post (story)',
  broadcast: 'sent to a broadcast list',
  newsletter: 'from a channel (newsletter)',
  self_thread: 'message to self',
  official_account: 'from WhatsApp itself',
  system: 'system message',
  protocol: 'protocol message without content',
  stub: 'event notice (call, encryption, …), not a message',
  unknown_status: 'unknown status',
  own_number: 'about the business’s own number',
  not_a_contact: 'not a contact',
  unknown_connection: 'kept pending: unknown connection',
  other_connection: 'of another connection than --connection',
  other_contact: 'of another contact',
  overruled: 'said by a CRM or an exported chat only: the message itself is in the log, and replaced it',
  erased: 'about a person who has been erased',
};

const INPUT: Record<SourceProblemReason, string> = {
  truncated_input: 'the file is cut off; everything before is good. Copy it again and replay the copy',
  changed_input: 'written to while it was read; stop the program that writes it and replay it again',
  entry_too_large: 'larger than --max-entry-size; raise the limit to read it',
  unreadable_input: 'cannot be read',
  not_json: 'not JSON',
  no_log_entries: 'contains no log entries',
  ambiguous_escapes:
    'read as it is, but its backslashes may be doubled (COPY, mysql -B); if they are, export with (format csv, header)',
};

/** Why a part of an entry was not recognized. */
const UNRECOGNIZED: Record<string, string> = {
  unknown_shape: 'unknown webhook format',
  unknown_field: 'unknown webhook field',
  unknown_list: 'unknown list',
  unknown_event: 'unknown WhatsApp Web event',
  unknown_payload: 'WhatsApp Web event in an unknown format',
  in_s3: 'its data are in an S3 object; download the object and replay it',
  nothing_known: 'nothing recognized in it',
  nested_too_deep: 'nested too deeply',
  not_a_list: 'not a list where one is expected',
  no_field: 'without a field name',
  no_changes: 'entry without changes',
  empty: 'empty',
  object: 'webhook of another product',
  invalid_json: 'invalid JSON',
  abridged:
    'printed by Node with its inner parts left out ([Object]); log JSON.stringify of the body instead',
  printed_by_node:
    'a part of a body that Node printed over several lines; log JSON.stringify of the body instead',
  printed_by_python:
    'a part of a body that Python printed (repr, pprint) over several lines; log json.dumps of the body instead',
  printed_by_ruby:
    'a part of a body that Ruby printed (inspect, pp) over several lines; log body.to_json instead',
  printed_json:
    'a part of a body whose JSON stands over several lines, without its beginning; log the body in one line',
  yaml: 'a body that was turned into YAML; log the JSON as it came',
  xml: 'a body that was turned into XML; log the JSON as it came',
  form: 'a body that was turned into the fields of a form; log the JSON as it came',
  php_print_r: 'printed by PHP’s print_r; log json_encode of the body instead',
  php_var_export: 'printed by PHP’s var_export; log json_encode of the body instead',
  php_var_dump: 'printed by PHP’s var_dump; log json_encode of the body instead',
  php_serialize: 'written by PHP’s serialize; log json_encode of the body instead',
  go_map: 'printed by Go without quotes (map[…]); log the body’s JSON instead',
  inside_text:
    'JSON in a message’s text, or in a value that cannot be read; the value around it has to be a known form',
  missing_part: 'an entry that Google Cloud split, without all of its parts; missing from this log',
  filtered: 'Rails’ parameter filter took it out ([FILTERED]); it is not in this log',
  n8n_without_data: 'an n8n execution without its data; export it with includeData=true',
  n8n_without_runs:
    'an n8n execution that kept nothing of its nodes; its workflow has to save the data of executions',
  n8n_binary:
    'its body is a file of n8n’s binary data, not in the execution; replay the files in n8n’s storage',
  n8n_cut: 'data of an n8n execution whose end is missing; export its row whole',
  har_without_bodies: 'looks like a HAR file without the bodies of its requests; save it with content',
  insights_without_message:
    'looks like a CloudWatch Logs Insights result without @message; add it to the query’s fields',
  cut_base64: 'a body in base64 whose end is missing; export it whole (RabbitMQ: truncate is too small)',
  hookdeck_large_payload: 'a Hookdeck request without its body; fetch its raw body by the request’s id',
  left_out_by_journalctl: 'too long for journalctl; export it with --all',
  empty_request_body:
    'nginx wrote no request body: it was in a temporary file; raise client_body_buffer_size for the next ones',
  no_json: 'contains no JSON',
  graph_api_request: 'a request to Meta, not a webhook',
  graph_api_response: 'a response from Meta, not a webhook',
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
  Object.entries({ ...UNRECOGNIZED, ...vendorForms(), ...INPUT, ...SKIPPED, ...REJECT_WORDS }),
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
      `${vendor}’s own format; forward or export Meta’s original body instead`,
    ]),
  );
}
