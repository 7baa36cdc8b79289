import { UserError } from '../model/errors.js';
import type { CrmRecord } from './crm.js';
import { momentIn, wordIn } from './record.js';

/** When the CRM last changed a row, if the row says so; each CRM writes it in its own style. */
export function changedAt(record: CrmRecord): number | null {
  return momentIn(record, 'updatedAt') ?? momentIn(record, 'updated_at');
}

/** The newer of two copies of a row of a table. Throws UserError if they disagree and nothing says which one that is. */
export function newerCopy(table: string, first: CrmRecord | undefined, second: CrmRecord): CrmRecord {
  if (first === undefined) return second;
  const [before, after] = [changedAt(first) ?? -Infinity, changedAt(second) ?? -Infinity];
  if (before !== after) return before > after ? first : second;
  const isOther = Object.keys(first).some(
    (name) => name in second && written(first[name]) !== written(second[name]),
  );
  if (isOther) throw contradictoryExport(table, wordIn(second, 'id') ?? '');
  return first;
}

/** Alike for an export as JSON, with numbers, and as CSV, where everything is a text. */
function written(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export function contradictoryExport(table: string, rowId: string): UserError {
  return new UserError(
    `The exports of ${table} disagree about row ${rowId}, and nothing says which one is newer.`,
    {
      code: 'crm_export_contradicts',
      remedy: 'Leave out the older file, or export the table again in one piece.',
    },
  );
}
