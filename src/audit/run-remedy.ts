import { commandOfRun } from '../model/recorded-command.js';
import type { JsonObject } from '../model/json.js';
import { remedy, type Remedy } from '../model/remedy.js';
import type { RunRow } from '../store/tables/sync-runs.js';
import { diedAlertId } from './alert.js';

/**
 * The command that finishes the work of a run that stopped; null if nothing says whom it was for: an import of one contact by
 * an earlier version, which died before it went to the phone.
 */
export function finishRun(row: RunRow, why: string): Remedy | null {
  if (row.command !== 'import' || row.options['fromFile'] !== undefined)
    return commandOfRun(row.command, row.options, why);
  const { options, importedLeadId, work } = row;
  const { leadId } = options;
  const contact = importedLeadId ?? (typeof leadId === 'string' ? leadId : null);
  if (contact !== null) return commandOfRun('import', { ...options, ...leftOf(row), leadId: contact }, why);
  // It had no lead: what there is of it waits in the raw log.
  return work === null ? null : remedy('replay', ['--failed'], `${why} as far as the raw log goes`);
}

/** For a run that died and of which nobody can say what is left: only a person can say that it is done. */
export function acceptDied({ id }: RunRow): Remedy {
  return remedy('alerts ack', [diedAlertId(id)], 'accepts it, once the contact is imported');
}

/** What is left of an import. Times that were typed as `2d` are those of the run, not of its repetition. */
function leftOf({ options, importedOver, importedUntil, hasGoneToPhone }: RunRow): JsonObject {
  const { connection } = options;
  return {
    ...(importedUntil === null ? {} : { since: new Date(importedUntil).toISOString(), tz: null }),
    ...(hasGoneToPhone && importedOver !== null
      ? { connection: importedOver }
      : { connection: connection ?? null }),
    // The raw log has given what it has, and must not end this one before it gets to the phone.
    ...(hasGoneToPhone ? { phase: 'fetch', force: true } : {}),
  };
}
