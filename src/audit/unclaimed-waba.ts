import { isOfOtherWaba, namesOnlyItsWaba } from '../ingest/batch/connection-resolver.js';
import type { ConnectionHint } from '../model/facts.js';
import type { Nameless } from '../model/run-result.js';
import { RawLog, type DecodedEntry } from '../rawlog/raw-log.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { readEntries } from '../store/tables/stored-entries.js';
import { readConnectionsOfUnnumbered } from '../store/tables/webhook-log.js';

/** The WABA that an entry without a number names, and the connection given to the run that stored it. */
export interface WabaClaim {
  entryId: string;
  wabaId: string;
  toldConnectionId: string | null;
}

/** Enough to find what to do next: an answer for these entries brings the others to the front. */
const PAGE = { limit: 50, maxBytes: 4 * 1024 * 1024 };

/** The claim of a section that waits for its connection; null if it does not name its WABA alone. */
export function claimOf(
  { entry, storedAs, provider }: { entry: { id: string } } & Pick<DecodedEntry, 'storedAs' | 'provider'>,
  hint: ConnectionHint,
): WabaClaim | null {
  return provider === 'meta' && namesOnlyItsWaba(hint)
    ? { entryId: entry.id, wabaId: hint.wabaId, toldConnectionId: storedAs.connectionId }
    : null;
}

/** Whose the first pending entry may be that names a WABA alone; null if there is none. */
export async function readUnclaimed(
  sql: Sql,
  connections: readonly ConnectionRow[],
): Promise<Nameless | null> {
  const selection = { statuses: ['pending'], error: 'unknown_connection' } as const;
  const page = await readEntries(sql, selection, null, PAGE);
  if (page.length === 0) return null;
  for (const decoded of await new RawLog(sql, connections).decode(page)) {
    for (const { section, pending } of decoded.sections) {
      const claim = pending === 'unknown_connection' ? claimOf(decoded, section.connection) : null;
      if (claim !== null) return whoMayOwn(claim, connections, await readConnectionsOfUnnumbered(sql));
    }
  }
  return null;
}

/**
 * Whose the entry may be. `replay --connection` files it under a connection of its WABA, or of none yet. Any other has to
 * get its WABA first, which takes away the entries that name only the WABA it has: `holding` are the connections with such.
 */
export function whoMayOwn(
  { entryId, wabaId, toldConnectionId }: WabaClaim,
  connections: readonly ConnectionRow[],
  holding: ReadonlySet<string>,
): Nameless | null {
  const all = connections.filter(({ kind }) => kind !== 'baileys');
  const told = all.filter(({ id }) => id === toldConnectionId);
  const rows = told.length === 0 ? all : told;
  const namesOf = (of: readonly ConnectionRow[]): string[] => of.map(({ name }) => name);
  const able = rows.filter((row) => !isOfOtherWaba(row, wabaId));
  if (able.length > 0) return { candidates: namesOf(able) };
  if (rows.length === 0) return null;
  if (!isWabaId(wabaId)) return { candidates: namesOf(rows), waba: { wabaId, entryId, end: 'discard' } };
  const free = rows.filter(({ id }) => !holding.has(id));
  return free.length > 0
    ? { candidates: namesOf(free), waba: { wabaId, entryId, end: 'edit' } }
    : { candidates: namesOf(rows), waba: { wabaId, entryId, end: 'decide' } };
}

/** Whether a person can give it to a connection. */
function isWabaId(id: string): boolean {
  return /^\d{5,20}$/.test(id);
}
