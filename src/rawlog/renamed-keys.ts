import { decodeWamid, isWamid } from '../identity/wamid.js';
import type { MessageFact } from '../model/facts.js';
import { keyOf } from '../rules/message-book.js';
import { TWIN_TOLERANCE_MS } from '../rules/message-state.js';
import type { Sql } from '../store/sql.js';
import { readWamidsAround, type StoredMessageRow } from '../store/tables/messages.js';

/** A message that an entry holds, and its lead. */
export interface HeldMessage {
  connectionId: string;
  leadId: string;
  fact: MessageFact;
}

/**
 * The rows of messages from WhatsApp Web that have no row by their key id, because somebody changed it in the row that they share
 * with the Cloud API's copy: its wamid still tells the key id (M10). Without them the second copy would become a row of its own.
 * `found`: the rows that their ids lead to. Reads nothing if every message has one.
 */
export async function readRenamedKeys(
  sql: Sql,
  messages: readonly HeldMessage[],
  found: readonly StoredMessageRow[],
): Promise<StoredMessageRow[]> {
  const known = new Set(
    found.flatMap(({ connectionId, externalId, stanzaId }) =>
      [externalId, stanzaId].flatMap((id) => (id === null ? [] : [keyOf(connectionId, id)])),
    ),
  );
  const lost = messages.filter(
    ({ connectionId, fact }) =>
      fact.stanzaId !== undefined &&
      !isWamid(fact.externalId) &&
      !known.has(keyOf(connectionId, fact.externalId)) &&
      !known.has(keyOf(connectionId, fact.stanzaId)),
  );
  if (lost.length === 0) return [];
  const wanted = new Set(lost.map(({ connectionId, fact }) => keyOf(connectionId, fact.stanzaId ?? '')));
  const around = await readWamidsAround(
    sql,
    lost.map(({ connectionId, leadId, fact }) => ({ connectionId, leadId, at: fact.timestamp })),
    TWIN_TOLERANCE_MS,
  );
  return around.filter(({ connectionId, externalId }) =>
    wanted.has(keyOf(connectionId, decodeWamid(externalId)?.stanzaId ?? '')),
  );
}
