import type { Check } from './check.js';
import { collisionsCheck } from './collisions.js';
import { consistencyCheck } from './consistency.js';
import { conversationTimesCheck } from './conversation-times.js';
import { duplicateIdsCheck } from './duplicate-ids.js';
import { historyLedgerCheck } from './history-ledger.js';
import { mediaOwedCheck } from './media-owed.js';
import { missingIdsCheck } from './missing-ids.js';
import { oneConversationCheck } from './one-conversation.js';
import { oneOpenTicketCheck } from './one-open-ticket.js';
import { pendingFactsCheck } from './pending-facts.js';
import { rawEntryCheck } from './raw-entry.js';
import { rawLogCheck } from './raw-log.js';
import { rejectsCheck } from './rejects.js';
import { ticketRulesCheck } from './ticket-rules.js';
import { uniqueIndexCheck } from './unique-index.js';
import { wamidPhoneCheck } from './wamid-phone.js';

/** Every check, in the order in which it runs and is shown. */
export const CHECKS: readonly Check[] = [
  uniqueIndexCheck,
  duplicateIdsCheck,
  missingIdsCheck,
  collisionsCheck,
  rawLogCheck,
  rawEntryCheck,
  rejectsCheck,
  wamidPhoneCheck,
  pendingFactsCheck,
  oneConversationCheck,
  oneOpenTicketCheck,
  ticketRulesCheck,
  conversationTimesCheck,
  historyLedgerCheck,
  mediaOwedCheck,
  consistencyCheck,
];
