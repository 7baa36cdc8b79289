import { holderOf } from '../rawlog/claim-verdict.js';
import type { RawLog } from '../rawlog/raw-log.js';
import type { Sql } from '../store/sql.js';
import { readIdentitiesOfPeople } from '../store/tables/leads.js';
import { readMessagesById } from '../store/tables/messages.js';
import { entryRefOf } from './outcome.js';

/** Rows whose entries are looked for together. */
const TOGETHER = 500;

/**
 * Finds the raw entries that hold these messages, whatever entry the rows name: for each the first about its contact.
 * Omits rows without one. `except`: entries that are about to go.
 */
export async function findHolders(
  sql: Sql,
  log: RawLog,
  messageIds: readonly string[],
  { signal, except = new Set() }: { signal?: AbortSignal; except?: ReadonlySet<string> } = {},
): Promise<Map<string, string>> {
  const holders = new Map<string, string>();
  for (let at = 0; at < messageIds.length && signal?.aborted !== true; at += TOGETHER) {
    const rows = await readMessagesById(sql, messageIds.slice(at, at + TOGETHER), { lock: false });
    const people = await readIdentitiesOfPeople(sql, [...new Set(rows.map(({ leadId }) => leadId))]);
    const chatIds = [...new Set(people.map(({ value }) => value))];
    if (chatIds.length === 0) continue;
    const open = new Map(rows.map((row) => [row.id, row]));
    for await (const decoded of log.entries({ statuses: [], chatIds })) {
      if (open.size === 0) break;
      if (entryRefOf(decoded.entry).isOpen || except.has(decoded.entry.id)) continue;
      const holds = holderOf(decoded);
      for (const row of open.values()) {
        if (!holds(row)) continue;
        holders.set(row.id, decoded.entry.id);
        open.delete(row.id);
      }
    }
  }
  return holders;
}
