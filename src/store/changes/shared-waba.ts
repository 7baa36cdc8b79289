import { arrayLiteral } from '../array-literal.js';
import { initialHistoryStatus } from '../../model/enumerations.js';
import { textOf, textOrNull } from '../row.js';
import type { Sql } from '../sql.js';
import type { ConnectionRow } from '../tables/connections.js';
import { requeueEntriesOfNumbers } from '../tables/webhook-log.js';
import { retractPeople, type RetractedPerson } from './own-number.js';

/**
 * Rows that entries stored on a connection that may be the wrong one: they name only the WABA, which now has several
 * numbers.
 */
export interface Misfiled {
  entryIds: readonly string[];
  /** Everyone the entries name. */
  names: readonly string[];
  /** Messages that they make or change. */
  messageIds: readonly string[];
  /** Whether they contain history. */
  isAboutHistory: boolean;
  /** The newest live event among them, ms since 1970. */
  lastLiveAt: number | null;
}

/**
 * Removes from a connection what such entries stored: the affected conversations, their pending facts, and the
 * connection's own state. Other entries about these are due again, which restores their part. `isKnown`: the right
 * connection is known by now, so only rows from these entries alone go. Returns the number of due entries.
 */
export async function retractMisfiled(
  tx: Sql,
  runId: string,
  connection: ConnectionRow,
  misfiled: Misfiled,
  { isKnown }: { isKnown: boolean },
): Promise<number> {
  const people = await readPeople(tx, connection, misfiled, isKnown);
  const { id: connectionId, phoneNumberId } = connection;
  let { requeued } = await retractPeople(tx, runId, people, {
    connectionId,
    phoneNumberId,
    keepsUnread: true,
  });
  const entries = [connectionId, arrayLiteral(misfiled.entryIds)];
  for (const table of ['pending_facts', 'history_chunks']) {
    await tx.execute(
      `delete from ${table} where connection_id = $1::uuid and webhook_log_id = any($2::uuid[])`,
      entries,
    );
  }
  requeued += await resetHistory(tx, connection, misfiled);
  requeued += await resetLastLiveEvent(tx, connection, misfiled);
  return requeued;
}

/** The people the entries name, and the people of the messages they change. */
async function readPeople(
  tx: Sql,
  { id, organizationId }: ConnectionRow,
  { entryIds, names, messageIds }: Misfiled,
  isKnown: boolean,
): Promise<RetractedPerson[]> {
  const rows = await tx.query(
    `select p.id as person_id, c.id as conversation_id
     from (
       select person_id as id from lead_identities where organization_id = $1::uuid and value = any($2::text[])
       union
       select v.lead_id from messages m join conversations v on v.id = m.conversation_id
       where m.connection_id = $3::uuid and m.external_id = any($4::text[])
     ) p
     left join lateral (
       select id from conversations where lead_id = p.id and connection_id = $3::uuid limit 1
     ) c on true
     where case when c.id is null
       then not $5::boolean and not exists (select from conversations v where v.lead_id = p.id)
         and exists (select from lead_identities i where i.person_id = p.id)
       else exists (
         select from messages m where m.conversation_id = c.id
           and case when $5::boolean then m.batch_id = any($6::uuid[]) else m.batch_id is not null end
       ) end`,
    [organizationId, arrayLiteral(names), id, arrayLiteral(messageIds), isKnown, arrayLiteral(entryIds)],
  );
  return rows.map((row) => ({
    personId: textOf(row, 'person_id'),
    conversationId: textOrNull(row, 'conversation_id'),
  }));
}

/** The history state only ever rises (H2), so it is recomputed from the connection's own entries. */
async function resetHistory(
  tx: Sql,
  { id, kind, phoneNumberId }: ConnectionRow,
  { isAboutHistory }: Misfiled,
): Promise<number> {
  if (!isAboutHistory) return 0;
  await tx.execute(
    `update connections set history_sync_status = $2, history_sync_started_at = null, history_sync_completed_at = null,
       history_sync_progress = null, history_sync_phase = null, history_sync_chunk_order = null, history_sync_error = null
     where id = $1::uuid`,
    [id, initialHistoryStatus(kind)],
  );
  return phoneNumberId === null
    ? 0
    : requeueEntriesOfNumbers(tx, [phoneNumberId], ['history', 'smb_app_state_sync']);
}

/** So is its newest live event, if it may be one of these. */
async function resetLastLiveEvent(
  tx: Sql,
  { id, phoneNumberId }: ConnectionRow,
  { lastLiveAt }: Misfiled,
): Promise<number> {
  if (lastLiveAt === null) return 0;
  const reset = await tx.execute(
    `update connections set last_live_event_at = null where id = $1::uuid and last_live_event_at <= $2::timestamptz`,
    [id, new Date(lastLiveAt).toISOString()],
  );
  return reset === 0 || phoneNumberId === null ? 0 : requeueEntriesOfNumbers(tx, [phoneNumberId], []);
}
