import type { Severity } from '../../model/enumerations.js';
import type { CheckName, CheckResult } from './result.js';

/** How bad a finding of each check is. What it only notes is a note. */
const SEVERITY_OF: Readonly<Record<CheckName, Severity>> = {
  unique_index: 'degraded',
  duplicate_ids: 'loss',
  missing_ids: 'degraded',
  collisions: 'loss',
  raw_log: 'loss',
  raw_entry: 'loss',
  rejects: 'loss',
  wamid_phone: 'degraded',
  pending_facts: 'degraded',
  one_conversation: 'degraded',
  one_open_ticket: 'degraded',
  ticket_rules: 'degraded',
  conversation_times: 'degraded',
  history_ledger: 'degraded',
  media_owed: 'degraded',
  consistency: 'degraded',
};

/** The severity of what a check found; null where it found nothing. */
export function severityOf(check: CheckName, status: CheckResult['status']): Severity | null {
  switch (status) {
    case 'ok':
      return null;
    case 'note':
      return 'note';
    case 'findings':
      return SEVERITY_OF[check];
  }
}
