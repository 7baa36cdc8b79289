import { RawLog } from '../rawlog/raw-log.js';
import { numberOf } from '../ingest/batch/connection-resolver.js';
import type { Sql } from '../store/sql.js';
import type { ConnectionRow } from '../store/tables/connections.js';
import { entryRefOf } from './outcome.js';

/** Most entries name all of these: an entry so far down that is the first to do so is not looked for. */
const LOOKED_AT = 200;

/** A connection whose row lacks what entries have named (H1), as another program may leave it. */
export interface LackingConnection {
  connection: ConnectionRow;
  /** `number`, `WABA`. */
  lacks: readonly string[];
  /** An entry for each that its row no longer holds beside the shown one; a replay of it completes the connection. */
  entryIds: readonly string[];
}

/** Read-only. A connection that nothing has named is as it should be. */
export async function findLackingConnections(
  sql: Sql,
  connections: readonly ConnectionRow[],
): Promise<LackingConnection[]> {
  const lacking: LackingConnection[] = [];
  for (const connection of connections) {
    const { displayPhoneNumber, numbers, wabaId, wabaIds } = connection;
    const number = { word: 'number', isShown: displayPhoneNumber !== null, isKept: numbers.length > 0 };
    const waba = { word: 'WABA', isShown: wabaId !== null, isKept: wabaIds.length > 0 };
    const absent = [number, waba].filter(({ isShown }) => !isShown);
    if (absent.length === 0) continue;
    const wanted = new Set(absent.flatMap(({ word, isKept }) => (isKept ? [] : [word])));
    const named = wanted.size === 0 ? new Map<string, string>() : await findNaming(sql, connection, wanted);
    const lacks = absent.flatMap(({ word, isKept }) => (isKept || named.has(word) ? [word] : []));
    if (lacks.length > 0) lacking.push({ connection, lacks, entryIds: [...new Set(named.values())] });
  }
  return lacking;
}

/** The applied entries that name what is wanted, together with the connection's phone_number_id. */
async function findNaming(
  sql: Sql,
  { id, phoneNumberId }: ConnectionRow,
  wanted: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  if (phoneNumberId === null) return found;
  const log = await RawLog.open(sql);
  let seen = 0;
  for await (const { entry, sections } of log.entries({ statuses: [], connection: { id, phoneNumberId } })) {
    seen += 1;
    if (!entryRefOf(entry).isOpen) {
      for (const { section, connection } of sections) {
        const hint = section.connection;
        if (connection?.id !== id || hint.phoneNumberId !== phoneNumberId) continue;
        if (numberOf(hint.displayPhoneNumber) !== null) found.set('number', entry.id);
        if (hint.wabaId !== undefined) found.set('WABA', entry.id);
      }
    }
    if (seen >= LOOKED_AT || [...wanted].every((word) => found.has(word))) break;
  }
  return new Map([...found].filter(([word]) => wanted.has(word)));
}
