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
 * Those of these messages from WhatsApp Web that have no row by their key id among the rows `found` by their ids: the message was lost,
 * or somebody changed the key id in the row that it shares with the Cloud API's copy.
 */
export function withoutRow<M extends Pick<HeldMessage, 'connectionId' | 'fact'>>(
  messages: readonly M[],
  found: readonly StoredMessageRow[],
): M[] {
  const named = messages.filter(({ fact }) => fact.stanzaId !== undefined && !isWamid(fact.externalId));
  if (named.length === 0) return [];
  const known = new Set(
    found.flatMap(({ connectionId, externalId, stanzaId }) =>
      [externalId, stanzaId].flatMap((id) => (id === null ? [] : [keyOf(connectionId, id)])),
    ),
  );
  return named.filter(({ connectionId, fact }) =>
    [fact.externalId, fact.stanzaId ?? ''].every((id) => !known.has(keyOf(connectionId, id))),
  );
}

/**
 * The rows of such messages that are in their own conversation: the wamid still tells the key id (M10). Without them the second
 * copy would be taken for lost. Reads nothing if every message has a row.
 */
export async function readRenamedKeys(
  sql: Sql,
  messages: readonly HeldMessage[],
  found: readonly StoredMessageRow[],
): Promise<StoredMessageRow[]> {
  const lost = withoutRow(messages, found);
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
