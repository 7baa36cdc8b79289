import { Recorder, type Check, type VerifyView } from './check.js';
import { removedBodiesCheck } from './removed-bodies.js';
import { historyLedgerCheck } from './history-ledger.js';
import { leadValuesCheck } from './lead-values.js';
import { mediaFilesCheck } from './media-records.js';
import { rawLogCheck, rejectsCheck, signaturesCheck } from './log-checks.js';
import { collisionsCheck, duplicateIdsCheck, missingIdsCheck } from './message-checks.js';
import {
  conversationTimesCheck,
  mediaOwedCheck,
  oneConversationCheck,
  oneOpenTicketCheck,
  pendingFactsCheck,
  rawEntryCheck,
} from './row-checks.js';
import { consistencyCheck, uniqueIndexCheck } from './schema-checks.js';
import { ticketRulesCheck } from './ticket-rules.js';
import type { CheckName, CheckResult } from './types.js';
import { wamidPhoneCheck } from './wamid-phone.js';

/** The check for every name. They run in the order of CHECK_NAMES. */
const CHECKS: Readonly<Record<CheckName, Check>> = {
  unique_index: uniqueIndexCheck,
  duplicate_ids: duplicateIdsCheck,
  missing_ids: missingIdsCheck,
  collisions: collisionsCheck,
  raw_log: rawLogCheck,
  raw_entry: rawEntryCheck,
  raw_bodies: removedBodiesCheck,
  rejects: rejectsCheck,
  signatures: signaturesCheck,
  wamid_phone: wamidPhoneCheck,
  pending_facts: pendingFactsCheck,
  one_conversation: oneConversationCheck,
  one_open_ticket: oneOpenTicketCheck,
  ticket_rules: ticketRulesCheck,
  conversation_times: conversationTimesCheck,
  lead_values: leadValuesCheck,
  history_ledger: historyLedgerCheck,
  media_owed: mediaOwedCheck,
  media_files: mediaFilesCheck,
  consistency: consistencyCheck,
};

/** Runs one check. */
export async function runCheck(name: CheckName, view: VerifyView): Promise<CheckResult> {
  const check = CHECKS[name];
  const recorder = new Recorder(view, name);
  return recorder.result(check, await check.run(view, recorder));
}
